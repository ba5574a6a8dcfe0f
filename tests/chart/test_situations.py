"""The role's values against the chart in CHART: each situation renders, fits Kubernetes' types, contains what it must.

Run by ``make chart-check CHART=<directory>``; tools/chart_check.py finds helm and fills in the chart's dependencies.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.chart import Chart
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.check import check_values
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.known import KnownValues
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.rendered import check_rendered
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.replaced import REPLACED
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.values import (
    build_driver_releases,
    build_sidekick_releases,
    build_values,
)
from ansible_collections.falconet.k8s.plugins.module_utils.files.chart import read_chart

from .rendered import Rendered, render, schema_problems
from .situations import OLD_VALUES, ROLE, SITUATIONS, Situation

HELM = os.environ.get("HELM", "helm")
OLD_CHARTS = [Path(path) for path in os.environ.get("OLD_CHARTS", "").split(os.pathsep) if path]


@pytest.fixture(scope="session")
def path() -> Path:
    if not os.environ.get("CHART"):
        pytest.fail("CHART is not set: run make chart-check CHART=<directory of the chart falco>")
    return Path(os.environ["CHART"])


@pytest.fixture(scope="session")
def chart(path: Path) -> Chart:
    return read_chart(str(path))


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda s: s.name)
def test_situation(situation: Situation, path: Path, chart: Chart) -> None:
    variables = {**ROLE, **situation.variables}
    values = build_values(variables)
    check_values(values, chart)
    rendered = render(HELM, path, values, situation.api_versions)
    for release in build_driver_releases(variables):
        check_values(release["values"], chart)
        rendered += render(HELM, path, release["values"], situation.api_versions, release["name"])
    for release in build_sidekick_releases(variables):
        sidekick = path / "charts" / "falcosidekick"
        check_values(release["values"], read_chart(str(sidekick)))
        rendered += render(HELM, sidekick, release["values"], situation.api_versions, release["name"])
    check_rendered(rendered.objects)
    assert rendered.twice() == []
    assert schema_problems(rendered) == []
    assert situation.check(rendered)


@pytest.fixture(scope="session", params=["as it is", "with an emptyDir over config.d, as 9.2.0 has it"])
def either(request: pytest.FixtureRequest, path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart, and one that always mounts its emptyDir, which 9.1.0 does for the driver loader alone."""
    if request.param == "as it is":
        return path
    copy = tmp_path_factory.mktemp("later") / "falco"
    shutil.copytree(path, copy)
    pod = copy / "templates" / "pod-template.tpl"
    guarded = re.compile(
        r'\(include "driverLoader.enabled" .\) "true" (\}\}\n'
        r" *- (?:mountPath: /etc/falco/config.d|name: specialized-falco-configs)\n)"
    )
    text, changed = guarded.subn(r'"true" "true" \1', pod.read_text())
    assert changed in (0, 2), "the chart has another form"
    pod.write_text(text)
    return copy


@pytest.mark.parametrize("driver", ["modern_ebpf", "kmod", "auto", "none"])
def test_falco_starts_without_falcoctl(driver: str, either: Path) -> None:
    rendered = render(HELM, either, build_values({**ROLE, "artifacts_install": False, "driver": driver}))
    check_rendered(rendered.objects)
    assert schema_problems(rendered) == []


def test_falco_that_reads_its_images_config_d_is_refused(either: Path) -> None:
    read = {"falco": {"config_files": ["/etc/falco/config.d"]}}
    rendered = render(HELM, either, build_values({**ROLE, "artifacts_install": False, "extra_values": read}))
    mounts = [mount["mountPath"] for mount in rendered.container()["volumeMounts"]]
    if "/etc/falco/config.d" in mounts:
        check_rendered(rendered.objects)
    else:
        with pytest.raises(FalcoChartError, match="found another plugin with name container"):
            check_rendered(rendered.objects)


@pytest.mark.parametrize("major", sorted(OLD_VALUES))
def test_values_of_older_majors_are_refused_with_what_replaces_them(major: str, chart: Chart) -> None:
    values, told = OLD_VALUES[major]
    with pytest.raises(FalcoChartError) as error:
        check_values(values, chart)
    assert [text for text in told if text not in str(error.value)] == []


#: Values that the chart takes although its defaults lack the key or have another type.
TAKEN = [
    {"resources": {"limits": {"ephemeral-storage": "1Gi", "cpu": 2}}},
    {"controller": {"daemonset": {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "10%"}}}}},
    {"falcosidekick": {"podSecurityContext": {"runAsNonRoot": True}}},
    {"falcosidekick": {"webui": {"podSecurityContext": {"runAsNonRoot": True}}}},
    {"falcosidekick": {"resources": {"limits": {"cpu": "1"}}, "webui": {"resources": {"limits": {"cpu": "1"}}}}},
    {"falcosidekick": {"tolerations": "", "affinity": "", "webui": {"nodeSelector": ""}}},
    {"driver": {"loader": {"initContainer": {"resources": {"limits": {"memory": "1Gi"}}}}}},
    {"falcoctl": {"artifact": {"install": {"securityContext": {"runAsUser": 0}}}, "config": {"registry": {}}}},
    {"serviceAccount": {"annotations": {"a.example/b": "c"}}, "metrics": {"service": {"labels": {"a": "b"}}}},
]  # fmt: skip


@pytest.mark.parametrize("further", TAKEN, ids=str)
def test_what_the_chart_takes_passes_and_renders(further: dict[str, Any], path: Path, chart: Chart) -> None:
    values = build_values({**ROLE, "extra_values": further})
    check_values(values, chart)
    assert schema_problems(render(HELM, path, values)) == []


#: Values that stand in the wrong place, and where the chart has them.
MISPLACED = [
    ({"falcoctl": {"artifact": {"follow": {"every": "1h"}}}}, "falcoctl.config.artifact.follow.every"),
    ({"falcoctl": {"artifact": {"install": {"refs": []}}}}, "falcoctl.config.artifact.install.refs"),
    ({"securityContext": {"privileged": True}}, "containerSecurityContext"),
    ({"webui": {"enabled": True}}, "falcosidekick.webui"),
    ({"falco": {"tolerations": []}}, "tolerations"),
    ({"updateStrategy": {}}, "controller.daemonset.updateStrategy"),
    ({"falcosidekick": {"config": {"webui": {}}}}, "falcosidekick.webui"),
    ({"bufSizePreset": 5}, ""),
]


@pytest.mark.parametrize(("further", "place"), MISPLACED, ids=str)
def test_what_stands_in_the_wrong_place_is_offered_the_right_one(
    further: dict[str, Any], place: str, chart: Chart
) -> None:
    with pytest.raises(FalcoChartError) as error:
        check_values(further, chart)
    (problem,) = error.value.problems
    assert f"Did you mean {place}" in problem.hint if place else "Did you mean" not in problem.hint


@pytest.mark.parametrize("old", sorted(REPLACED))
def test_what_replaces_an_old_value_is_in_the_chart(old: str, chart: Chart) -> None:
    named = re.findall(r"(?<![\w.])[a-z][\w-]*(?:\.[a-z][\w-]*)+", REPLACED[old].split(" (")[0])
    known = KnownValues(chart)
    assert [path for path in named if not known.has(path)] == []


def test_an_image_of_another_falco_is_refused(chart: Chart) -> None:
    with pytest.raises(FalcoChartError, match="is another Falco than"):
        check_values({"image": {"tag": "0.38.0"}}, chart)


def test_the_charts_own_defaults_pass(chart: Chart) -> None:
    check_values(chart.defaults, chart)


def immutable(rendered: Rendered) -> dict[str, Any]:
    """What Kubernetes refuses to change in place: selectors, and the claims of StatefulSets."""
    found = {}
    for o in rendered.objects:
        if o["kind"] in ("DaemonSet", "Deployment", "StatefulSet"):
            name = f"{o['kind']}/{o['metadata']['name']}"
            found[name] = o["spec"]["selector"]
            for claim in o["spec"].get("volumeClaimTemplates") or []:
                found[f"{name}/{claim['metadata']['name']}"] = {k: v for k, v in claim["spec"].items() if v}
    return found


@pytest.mark.parametrize("old", OLD_CHARTS, ids=lambda p: p.name)
def test_an_upgrade_changes_nothing_that_cannot_be_changed(old: Path, path: Path) -> None:
    given = {"falcosidekick": {"enabled": True, "webui": {"enabled": True}}, "driver": {"kind": "modern_ebpf"}}
    before = immutable(render(HELM, old, given))
    after = immutable(render(HELM, path, build_values({**ROLE, "redis_storage": "storage_class"})))
    changed = {
        name: (before[name], after[name]) for name in before.keys() & after.keys() if before[name] != after[name]
    }
    assert before.keys() & after.keys(), "nothing was compared"
    assert changed == {}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"containers": [{"image": "a"}]}, "containers[0].name: is missing"),
        ({"containers": [{"name": "a", "imagePullPolcy": "Always"}]}, "imagePullPolcy: is no field of V1Container"),
        ({"containers": [], "hostNetwork": "yes"}, "hostNetwork: must be bool"),
        ({"containers": {}}, "containers: must be a list"),
    ],
)
def test_the_check_of_types_can_fail(change: dict[str, Any], told: str) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": change}
    assert told in " ".join(schema_problems(Rendered((pod,))))
