"""Values against a chart: unknown keys, changed types and values of older charts are named with what is right."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.chart import Chart
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.check import check_values
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.replaced import REPLACED, find_replaced

SIDEKICK = Chart(
    "falcosidekick",
    "0.12.1",
    "2.31.1",
    {"replicaCount": 2, "webui": {"enabled": False, "ttl": 0, "redis": {"storageEnabled": True, "password": ""}}},
    ("{{ .Values.webui.redis.fullfqdn }}",),
)
CHART = Chart(
    "falco",
    "9.1.0",
    "0.44.1",
    {
        "driver": {"enabled": True, "kind": "auto", "modernEbpf": {"bufSizePreset": 4}},
        "podLabels": {},
        "podPriorityClassName": None,
        "tolerations": [{"effect": "NoSchedule"}],
        "falco": {"priority": "debug", "webserver": {"listen_port": 8765}},
        "falcosidekick": {"enabled": False},
    },
    ("{{ if .Values.falco.podHostname }}{{ .Values.extra.hidden }}{{ end }}",),
    {"falcosidekick": SIDEKICK},
)


def told(values: dict[str, Any], chart: Chart = CHART) -> str:
    try:
        check_values(values, chart)
    except FalcoChartError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"driver": {"kind": "kmod", "modernEbpf": {"bufSizePreset": 8}}},
        {"podLabels": {"any": "thing"}, "podPriorityClassName": "high", "tolerations": []},
        {"extra": {"hidden": 1}},
        {"falco": {"priority": None, "engine": {"kind": "kmod"}, "static_fields": {"a": "b"}}},
        {"falcosidekick": {"enabled": True, "replicaCount": 3, "webui": {"ttl": "3d", "redis": {"fullfqdn": True}}}},
        {"global": {"a": 1}},
    ],
)
def test_what_the_chart_knows_passes(values: dict[str, Any]) -> None:
    assert told(values) == ""


def test_what_is_old_in_falcos_chart_may_be_right_in_falcosidekicks() -> None:
    alone = Chart("falcosidekick", "0.12.1", "2.31.1", {"extraVolumes": [], "webui": {"ttl": 0}})
    assert told({"extraVolumes": [{"name": "a"}], "webui": {"ttl": "3d"}}, alone) == ""
    assert "mounts.volumes" in told({"extraVolumes": []})
    assert "Did you mean extraVolumes?" in told({"extraVolume": []}, alone)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"drvier": {}}, "drvier: the chart falco 9.1.0 has no such value. Did you mean driver?"),
        ({"driver": {"modernEbpf": {"buf_size_preset": 4}}}, "Did you mean driver.modernEbpf.bufSizePreset?"),
        ({"driver": {"enabled": "yes"}}, "driver.enabled: must be a boolean as in the chart, not a string."),
        ({"driver": "kmod"}, "driver: must be a mapping as in the chart, not a string."),
        ({"driver": {"modernEbpf": {"bufSizePreset": True}}}, "must be a number as in the chart, not a boolean"),
        ({"tolerations": {}}, "tolerations: must be a list as in the chart, not a mapping."),
        (
            {"falco": {"priorty": "debug"}},
            "falco.priorty: the chart falco 9.1.0 has no such value. Did you mean falco.priority?",
        ),
        ({"falco": {"webserver": {"listen_prot": 1}}}, "Did you mean falco.webserver.listen_port?"),
        ({"falco": []}, "falco: must be a mapping"),
        ({"falcosidekick": {"webui": {"enabeld": True}}}, "Did you mean falcosidekick.webui.enabled?"),
        ({"falcosidekick": {"replicaCount": "2"}}, "falcosidekick.replicaCount: must be a number"),
        ({"ebpf": {"enabled": True}}, "driver.kind: modern_ebpf"),
        ({"driver": {"kind": "ebpf"}}, "driver.kind: 'ebpf' is a value of older charts."),
        ({"driver": {"kind": "gvisor"}}, "gVisor"),
        ({"driver": {"kind": "module"}}, "kmod"),
        ({"falco": {"grpc": {"enabled": True}}}, "falco.http_output"),
        ({"extraVolumes": []}, "mounts.volumes"),
        ({"collectors": {"docker": {"enabled": True}}}, "collectors.containerEngine.engines"),
        (
            {"affinity": {"podAntiAffinity": {"x": [{"labelSelector": {"matchLabels": {"app": "falco"}}}]}}},
            "app.kubernetes.io/name",
        ),
        (
            {"a": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["falco"]}]}},
            "app.kubernetes.io/name",
        ),
    ],
)
def test_what_it_does_not_know_is_named(values: dict[str, Any], message: str) -> None:
    assert message in told(values)


#: A chart that copies what it is given, as charts do.
COPYING = Chart(
    "falco",
    "9.1.0",
    "0.44.1",
    {
        "resources": {"limits": {"cpu": "1000m", "memory": "1Gi"}},
        "podSecurityContext": {"runAsUser": 1234},
        "containerSecurityContext": {},
        "tolerations": [{"effect": "NoSchedule"}],
        "healthChecks": {"probe": {"periodSeconds": 5}},
        "controller": {"daemonset": {"updateStrategy": {"type": "RollingUpdate"}}},
        "falcoctl": {
            "artifact": {"follow": {"enabled": True, "env": []}},
            "config": {"artifact": {"follow": {"every": "168h"}}},
        },
        "falcosidekick": {"enabled": False},
    },
    (
        "{{ with .Values.tolerations }}{{ toYaml . | nindent 4 }}{{ end }}{{ toYaml .Values.resources | nindent 8 }}"
        "{{ toYaml .Values.podSecurityContext }}{{- with .Values.controller.daemonset.updateStrategy -}}"
        "{{ toYaml . }}{{ end }}{{ .Values.healthChecks.probe.periodSeconds }}{{ .Values.falcosidekick.listenport }}",
    ),
    {"falcosidekick": SIDEKICK},
)


@pytest.mark.parametrize(
    "values",
    [
        {"resources": {"limits": {"ephemeral-storage": "1Gi", "cpu": 2}, "claims": [{"name": "a"}]}},
        {"podSecurityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}},
        {"controller": {"daemonset": {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "10%"}}}}},
        {"tolerations": ""},
        {"falcosidekick": {"listenport": "2801"}},
    ],
)
def test_what_a_template_copies_or_skips_passes(values: dict[str, Any]) -> None:
    assert told(values, COPYING) == ""


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"resources": {"limts": {}}}, "resources.limts: looks like a misspelt one. Did you mean resources.limits?"),
        ({"resources": ""}, "resources: must be a mapping as in the chart, not a string."),
        ({"resources": {"limits": []}}, "resources.limits: must be a mapping"),
        ({"healthChecks": {"probe": {"period": 3}}}, "healthChecks.probe.period: the chart falco 9.1.0 has no such"),
        ({"healthChecks": {"probe": {"periodSeconds": ""}}}, "must be a number"),
        ({"falcoctl": {"artifact": {"follow": {"enabled": ""}}}}, "must be a boolean"),
        (
            {"falcoctl": {"artifact": {"follow": {"every": "1h"}}}},
            "falcoctl.artifact.follow.every: the chart falco 9.1.0 has no such value. "
            "Did you mean falcoctl.config.artifact.follow.every?",
        ),
        ({"securityContext": {}}, "Did you mean containerSecurityContext or podSecurityContext?"),
        ({"falco": {"tolerations": []}}, "Did you mean tolerations?"),
        ({"replicaCount": 2}, "Did you mean falcosidekick.replicaCount?"),
    ],
)
def test_what_is_misplaced_is_offered_its_place(values: dict[str, Any], message: str) -> None:
    assert message in told(values, COPYING)


def test_of_several_places_that_which_shares_the_way_is_offered() -> None:
    defaults: dict[str, Any] = {"loader": {"init": {"pullSecrets": []}}, "other": {"part": {"pullSecrets": []}}}
    chart = Chart("falco", "9.1.0", "0.44.1", defaults)
    assert "Did you mean loader.init.pullSecrets?" in told({"loader": {"pullSecrets": []}}, chart)
    assert "Did you mean" not in told({"elsewhere": {"pullSecrets": []}, "pullSecrets": []}, chart)


def test_settings_of_falco_have_the_form_that_the_chart_gives_them() -> None:
    chart = Chart("falco", "9.1.0", "0.44.1", {"falco": {"engine": None, "own": {"a": 1}}})
    assert told({"falco": {"engine": {"kind": "kmod"}, "own": {"a": 2}}}, chart) == ""
    assert "Did you mean falco.own.a?" in told({"falco": {"own": {"A": 2}}}, chart)


def test_what_is_known_in_a_place_is_told_once() -> None:
    refused = told({"falcosidekick": {"webui": {"abc": 1, "xyz": 2}}, "qqq": 1, "jjj": 2})
    assert refused.count("Known in falcosidekick.webui:") == 1
    assert refused.count("Known here:") == 1
    assert refused.count("has no such value.") == 4


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ("0.44.0", ""),
        ("0.44.1-debian", ""),
        ("0.44.1@sha256:ab", ""),
        ("", ""),
        ("our-build-7", ""),
        ("latest@sha256:ab", ""),
        ("0.43.1", "0.43.1 is another Falco than 0.44, for which the chart falco 9.1.0 is made."),
        ("0.4", "0.4 is another Falco than 0.44"),
        ("0.440.0", "another Falco"),
        ("latest", "latest is another image tomorrow."),
        ("master-debian", "another image tomorrow"),
    ],
)
@pytest.mark.parametrize("place", ["image", "driver.loader.initContainer.image"])
def test_the_tag_of_falcos_images_fits_the_chart(tag: str, message: str, place: str) -> None:
    tree: Any = {"tag": tag}
    for key in reversed(place.split(".")):
        tree = {key: tree}
    chart = Chart(
        "falco",
        "9.1.0",
        "0.44.1",
        {"image": {"tag": ""}, "driver": {"loader": {}}},
        ("{{ .Values.driver.loader.initContainer.image.tag }}",),
    )
    refused = told(tree, chart)
    assert message in refused
    assert bool(message) == bool(refused)
    if message:
        assert f"{place}.tag: " in refused


def test_a_replaced_value_is_told_once() -> None:
    assert told({"ebpf": {"enabled": True}}).count("ebpf:") == 1


@pytest.mark.parametrize("path", sorted(REPLACED))
def test_every_replaced_value_is_found_and_answered(path: str) -> None:
    values: Any = 1
    for key in reversed(path.split(".")):
        values = {key: values}
    assert [problem.hint for problem in find_replaced(values) if problem.path == path] == [REPLACED[path]]


def test_values_of_a_subchart_that_is_not_there_are_left_alone() -> None:
    chart = Chart("falco", "9.1.0", "", {}, missing=("k8s-metacollector",))
    assert told({"k8s-metacollector": {"any": 1}}, chart) == ""
