"""falco_release_info, falco_release_rollback, falco_rollout and falco_chart_check through their main()."""

from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..module_runner import run_module
from .falco_cluster import CORE, DAEMON_SETS, FalcoCluster, falco_cluster

CHART: dict[str, Any] = {
    "metadata": {"name": "falco", "version": "9.1.0", "appVersion": "0.44.1"},
    "templates": [{"name": "templates/a.yaml", "data": base64.b64encode(b"a: {{ .Values.extra }}\n").decode()}],
}


@pytest.fixture
def cluster() -> Iterator[FalcoCluster]:
    with falco_cluster() as running:
        yield running


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    root = tmp_path / "falco"
    (root / "templates").mkdir(parents=True)
    (root / "Chart.yaml").write_text(yaml.safe_dump({**CHART["metadata"], "dependencies": [{"name": "falcosidekick"}]}))
    (root / "values.yaml").write_text("driver: {kind: auto}\n")
    (root / "templates" / "a.yaml").write_text("a: {{ .Values.extra }}\n")
    sub = root / "charts" / "falcosidekick"
    sub.mkdir(parents=True)
    (sub / "Chart.yaml").write_text("name: falcosidekick\nversion: 0.12.1\n")
    (sub / "values.yaml").write_text("replicaCount: 2\n")
    return root


def packed(chart: Path) -> Path:
    """The chart as helm package makes it, its subchart packed inside."""
    sub = io.BytesIO()
    with tarfile.open(fileobj=sub, mode="w:gz") as inner:
        inner.add(chart / "charts" / "falcosidekick", "falcosidekick")
    target = chart.parent / "falco-9.1.0.tgz"
    with tarfile.open(target, "w:gz") as outer:
        for name in ("Chart.yaml", "values.yaml", "templates"):
            outer.add(chart / name, f"falco/{name}")
        entry = tarfile.TarInfo("falco/charts/falcosidekick-0.12.1.tgz")
        entry.size = len(sub.getvalue())
        outer.addfile(entry, io.BytesIO(sub.getvalue()))
    return target


def info(cluster: FalcoCluster) -> dict[str, Any]:
    return run_module("falco_release_info", {"host": cluster.url, "name": "falco", "namespace": "falco"})


def test_no_release(cluster: FalcoCluster) -> None:
    assert info(cluster)["release"] is None


def test_the_deployed_revision_and_what_a_dead_helm_left(cluster: FalcoCluster) -> None:
    cluster.release(1, "superseded", chart=CHART)
    cluster.release(2, "deployed", chart=CHART, config={"driver": {"kind": "kmod"}})
    cluster.release(3, "pending-upgrade", chart=CHART)
    found = info(cluster)
    assert found["release"]["revision"] == 2
    assert found["release"]["chart"] == "falco-9.1.0"
    assert found["release"]["values"] == {"driver": {"kind": "kmod"}}
    assert [(r["revision"], r["status"]) for r in found["unfinished"]] == [(3, "pending-upgrade")]
    assert found["unfinished"][0]["age_seconds"] > 60


def test_a_first_installation_that_never_finished(cluster: FalcoCluster) -> None:
    cluster.release(1, "pending-install", chart=CHART)
    found = info(cluster)
    assert found["release"] is None
    assert len(found["unfinished"]) == 1


def test_a_charts_digest_follows_its_content_and_not_its_form(chart: Path) -> None:
    def digest(path: Path) -> str:
        checked = run_module("falco_chart_check", {"path": str(path)})
        return str(checked["chart"]["digest"])

    before = digest(chart)
    assert digest(packed(chart)) == before
    (chart / "charts" / "falcosidekick" / "values.yaml").write_text("replicaCount: 3\n")
    assert digest(chart) != before


def beside(name: str, first: str) -> dict[str, Any]:
    """A workload of a release beside Falco's first, as Helm makes it."""
    labels, annotations = {"falconet.k8s/falco": first}, {"meta.helm.sh/release-name": name}
    return {"metadata": {"name": name, "labels": labels, "annotations": annotations}}


def test_several_releases_and_those_beside_the_first(cluster: FalcoCluster) -> None:
    cluster.release(1, "deployed", chart=CHART)
    cluster.collections[DAEMON_SETS] = [beside("falco-old", "falco"), beside("falco", "falco")]
    cluster.collections["/apis/apps/v1/namespaces/falco/deployments"] = [beside("falco-falcosidekick", "falco")]
    asked = {"host": cluster.url, "names": ["falco", "falco-falcosidekick"], "namespace": "falco"}
    found = run_module("falco_release_info", {**asked, "beside": "falco"})["releases"]
    assert [(one["name"], one["beside"]) for one in found] == [
        ("falco", False),
        ("falco-falcosidekick", True),
        ("falco-old", True),
    ]
    assert found[0]["release"]["chart"] == "falco-9.1.0"
    selectors = [query.get("labelSelector") for _method, path, query, _body in cluster.requests if "/apps/" in path]
    assert selectors == [["falconet.k8s/falco=falco"]] * 2
    assert [one["beside"] for one in run_module("falco_release_info", asked)["releases"]] == [False, False]


def test_a_record_of_another_form_is_named(cluster: FalcoCluster) -> None:
    cluster.release(1, "deployed")
    cluster.collections[f"{CORE}/secrets"][0]["data"]["release"] = "bm90IGEgcmVsZWFzZQ=="
    assert "sh.helm.release.v1.falco.v1" in info(cluster)["msg"]


@pytest.mark.parametrize("form", ["directory", "archive"])
def test_values_are_checked_with_subcharts(chart: Path, form: str) -> None:
    path = chart if form == "directory" else packed(chart)
    good = {"driver": {"kind": "kmod"}, "falcosidekick": {"replicaCount": 1}, "extra": 1}
    assert run_module("falco_chart_check", {"path": str(path), "values": good})["chart"]["version"] == "9.1.0"
    bad = run_module("falco_chart_check", {"path": str(path), "values": {"falcosidekick": {"replicaCont": 1}}})
    assert "Did you mean falcosidekick.replicaCount?" in bad["msg"]
    assert bad["problems"][0]["path"] == "falcosidekick.replicaCont"


def test_several_releases_are_checked_and_all_is_told(chart: Path, tmp_path: Path) -> None:
    helm = program(tmp_path, "cat > /dev/null")
    good = {"name": "falco", "path": str(chart), "values": {"extra": 1}, "chart": "falco-9.1.0"}
    bad = [{**good, "name": name, "values": {"driver": {"kindd": name}}} for name in ("falco-a", "falco-b")]
    options = {"render": True, "binary_path": str(helm)}
    assert run_module("falco_chart_check", {"releases": [good], **options})["changed"] is False
    told = run_module("falco_chart_check", {"releases": [good, *bad], **options})
    assert "The values of falco-a do not fit the chart falco 9.1.0:\ndriver.kindd" in told["msg"]
    assert "The values of falco-b do not fit" in told["msg"]
    assert [problem["path"] for problem in told["problems"]] == ["driver.kindd"] * 2
    other = run_module("falco_chart_check", {"releases": [{**good, "chart": "falco-9.0.0"}], **options})
    assert "is the chart falco-9.1.0, not falco-9.0.0" in other["msg"]


def test_the_way_from_the_chart_that_runs_is_told_with_the_values_good_or_bad(chart: Path) -> None:
    def told(**args: Any) -> dict[str, Any]:
        return run_module("falco_chart_check", {"path": str(chart), **args})

    steps = told(upgrade_from="8.0.0", values={"falco": {"grpc": {"enabled": True}}})["upgrade"]
    assert [(one["path"], one["change"], one["chart"]) for one in steps] == [("falco.grpc", "removed", "9.0.0")]
    assert "upgrade" not in told()
    assert told(upgrade_from="9.0.0")["upgrade"] == []
    assert "'newest' is no version" in told(upgrade_from="newest")["msg"]
    (chart / "Chart.yaml").write_text((chart / "Chart.yaml").read_text().replace("9.1.0", "9.2.0"))
    assert any("chart 9.2.0 is newer than" in str(one) for one in told(upgrade_from="9.0.0")["warnings"])


def test_the_ways_of_releases_that_run_are_warned_of(cluster: FalcoCluster, chart: Path) -> None:
    def told(revision: int = 0, **runs: str) -> dict[str, Any]:
        if revision:
            cluster.release(revision, "deployed", chart={**CHART, "metadata": {**CHART["metadata"], **runs}})
        values = {"falco": {"grpc": {"enabled": True}}}
        release = {"name": "falco", "path": str(chart), "values": values, "chart": "falco-9.1.0"}
        asked = {"release_namespace": "falco", "compare_with_running": True, "host": cluster.url}
        return run_module("falco_chart_check", {"releases": [release], **asked})

    for result in (told(), told(1, version="9.1.0"), told(2, name="our-falco", version="1.0.0")):
        assert (result.get("upgrade", []), result.get("warnings", [])) == ([], []), result
    result = told(3, version="8.0.0")
    assert [(one["release"], one["path"], one["change"]) for one in result["upgrade"]] == [
        ("falco", "falco.grpc", "removed")
    ]
    assert "Release falco, from falco-8.0.0 to falco-9.1.0: falco.grpc: is removed" in str(result["warnings"][0])


def test_a_missing_dependency_is_named(chart: Path) -> None:
    for file in (chart / "charts" / "falcosidekick").iterdir():
        file.unlink()
    result = run_module("falco_chart_check", {"path": str(chart)})
    assert "has no falcosidekick in its charts/ directory" in result["msg"]
    assert not run_module("falco_chart_check", {"path": str(chart), "require_dependencies": False}).get("failed")


TWICE = """kind: ConfigMap
metadata: {name: falco}
data: {falco.yaml: "config_files: [/etc/falco/config.d]\\nload_plugins: [container]\\nplugins: [{name: container}]"}
---
kind: DaemonSet
metadata: {name: falco}
spec:
  template:
    spec:
      containers: [{name: falco, volumeMounts: [{name: a, mountPath: /etc/falco/falco.yaml}]}]
      volumes: [{name: a, configMap: {name: falco}}]
"""


def test_what_helm_renders_is_looked_at(chart: Path, tmp_path: Path) -> None:
    (tmp_path / "manifest").write_text(TWICE)
    helm = program(tmp_path, f'cat > {tmp_path}/values; echo "$@" > {tmp_path}/called; cat {tmp_path}/manifest')
    options = {"path": str(chart), "values": {"extra": "planted"}, "binary_path": str(helm), "release_namespace": "ns"}
    assert not run_module("falco_chart_check", options).get("failed")
    assert not (tmp_path / "called").exists()
    refused = run_module("falco_chart_check", {**options, "render": True})
    assert "found another plugin with name container" in refused["msg"]
    assert refused["problems"][0]["path"] == "DaemonSet falco, plugin container"
    assert (tmp_path / "called").read_text() == f"template falco {chart} --namespace ns --no-hooks --values -\n"
    assert "planted" in (tmp_path / "values").read_text()


@pytest.mark.parametrize(
    ("body", "told"),
    [("echo Error: no template >&2; exit 1", "Error: no template"), ('echo "a: [1"', "no YAML in line")],
)
def test_a_chart_that_cannot_be_rendered_is_told(chart: Path, tmp_path: Path, body: str, told: str) -> None:
    helm = program(tmp_path, f"cat >/dev/null; {body}")
    result = run_module("falco_chart_check", {"path": str(chart), "render": True, "binary_path": str(helm)})
    assert told in result["msg"]


@pytest.mark.parametrize("content", [None, b"no archive"])
def test_what_is_no_chart_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "chart.tgz"
    if content:
        path.write_bytes(content)
    assert str(path) in run_module("falco_chart_check", {"path": str(path)})["msg"]


def rollback(cluster: FalcoCluster, revision: int, helm: Path, check: bool = False) -> dict[str, Any]:
    arguments = {"host": cluster.url, "api_key": "planted-token", "name": "falco", "namespace": "falco"}
    return run_module("falco_release_rollback", {**arguments, "revision": revision, "binary_path": str(helm)}, check)


def program(tmp_path: Path, body: str) -> Path:
    path = tmp_path / "helm"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_rollback_gives_credentials_by_the_environment(cluster: FalcoCluster, tmp_path: Path) -> None:
    cluster.release(1, "superseded", chart=CHART)
    cluster.release(2, "deployed", chart=CHART)
    helm = program(tmp_path, f'echo "$@ | $HELM_KUBETOKEN" > {tmp_path}/called')
    assert rollback(cluster, 1, helm, check=True)["changed"] is True
    assert not (tmp_path / "called").exists()
    assert rollback(cluster, 1, helm)["changed"] is True
    assert (tmp_path / "called").read_text() == "rollback falco 1 --namespace falco | planted-token\n"
    assert rollback(cluster, 2, helm)["changed"] is False


def test_a_rollback_that_fails_says_why(cluster: FalcoCluster, tmp_path: Path) -> None:
    cluster.release(2, "deployed", chart=CHART)
    result = rollback(cluster, 1, program(tmp_path, "echo Error: release has no 1 version >&2; exit 1"))
    assert result["failed"] is True
    assert "release has no 1 version" in result["msg"]


def rollout(cluster: FalcoCluster, **options: Any) -> dict[str, Any]:
    workloads = [{"kind": "DaemonSet", "name": "falco"}]
    arguments = {
        "host": cluster.url,
        "namespace": "falco",
        "workloads": workloads,
        "falco": "falco",
        "timeout_seconds": 1,
    }
    return run_module("falco_rollout", {**arguments, **options})


def test_a_rollout_that_is_done(cluster: FalcoCluster) -> None:
    result = rollout(cluster)
    assert result["missing"] == []
    assert result["changed"] is False


def test_each_workload_tells_what_it_wants_and_has(cluster: FalcoCluster) -> None:
    gone = {"kind": "Deployment", "name": "gone"}
    result = rollout(cluster, workloads=[{"kind": "DaemonSet", "name": "falco"}, gone], timeout_seconds=0)
    counts = ("kind", "name", "wanted", "ready", "missing")
    assert [{key: one[key] for key in counts} for one in result["workloads"]] == [
        {"kind": "DaemonSet", "name": "falco", "wanted": 2, "ready": 2, "missing": []},
        {**gone, "wanted": 0, "ready": 0, "missing": ["Deployment gone does not exist"]},
    ]
    assert result["workloads"][0]["images"]["falco"] == "falco:0.44"
    assert result["workloads"][0]["placement"].keys() == {"node_selector", "affinity", "tolerations"}
    assert result["pods"][0]["process"]["dropped"] is None


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ({"updatedNumberScheduled": 1}, "DaemonSet falco: 1 of 2 pods updated"),
        ({"numberReady": 0}, "DaemonSet falco: 0 of 2 pods ready"),
        ({"desiredNumberScheduled": 0}, "fits no node"),
        ({"observedGeneration": 1}, "its controller has not seen the last change yet"),
    ],
)
def test_a_rollout_that_is_not(cluster: FalcoCluster, status: dict[str, int], told: str) -> None:
    cluster.collections[DAEMON_SETS][0]["status"].update(status)
    assert told in rollout(cluster)["msg"]
    assert told in " ".join(rollout(cluster, timeout_seconds=0)["missing"])


def test_reasons_are_read_from_pods_and_logs(cluster: FalcoCluster) -> None:
    cluster.collections[DAEMON_SETS][0]["status"]["numberReady"] = 1
    pod = cluster.collections[f"{CORE}/pods"][0]
    crashed = {"reason": "Error", "exitCode": 1}
    pod["status"]["conditions"][0]["status"] = "False"
    pod["status"]["containerStatuses"] = [
        {"name": "falco", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": crashed}}
    ]
    cluster.logs["falco-a"] = ["Error: LOAD_ERR_YAML_PARSE in /etc/falco/rules.d/site.yaml"]
    told = rollout(cluster)["msg"]
    assert "pod falco-a on node-a: container falco: CrashLoopBackOff" in told
    assert "log of falco in falco-a: Error: LOAD_ERR_YAML_PARSE" in told
    assert "hint: Falco refuses the rules that it finds: see role falco_rules." in told


def test_forbidden_metrics_end_the_wait_at_once(cluster: FalcoCluster) -> None:
    cluster.faults = lambda method, path, query: (403, {"message": "no"}) if path.endswith("/metrics") else None
    result = rollout(cluster, timeout_seconds=60)
    assert "pods/proxy" in result["msg"]
    assert result["elapsed_seconds"] < 30


def test_pods_are_annotated_once(cluster: FalcoCluster) -> None:
    assert rollout(cluster, sync_token="abc")["changed"] is True  # a digest, no secret
    assert [path for method, path, _, _ in cluster.requests if method == "PATCH"] == [
        f"{CORE}/pods/falco-a",
        f"{CORE}/pods/falco-b",
    ]
    for pod in cluster.collections[f"{CORE}/pods"]:
        pod["metadata"]["annotations"] = {"falconet.k8s/rules": "abc"}
    assert rollout(cluster, sync_token="abc")["changed"] is False  # a digest, no secret
