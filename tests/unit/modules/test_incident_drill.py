"""incident_drill through its real main(): from an alert to a pod that is let go, and what keeps it from that."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco import triggers as live
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.isolate.names import BY, LABEL, LABELS, POD, UNTIL
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.isolate.names import identity as identity_of

from ..kube.cluster import COLLECTIONS, namespace
from ..kube.fake_api import Answer, serve
from ..module_runner import run_module
from .test_falco_triggers_run import PODS, RECEIVER, rfc3339
from .test_falco_triggers_run import Cluster as Triggers

PROD = PODS.format("prod")
POLICIES = "/apis/networking.k8s.io/v1/namespaces/prod/networkpolicies"
SWITCH = "/api/v1/namespaces/falco/configmaps"


class Cluster(Triggers):
    """One that Falco watches, with a namespace for the drill; nobody may start privileged pods in it."""

    def __init__(self) -> None:
        super().__init__()
        self.collections.update({path: [] for path in COLLECTIONS if path not in self.collections})
        self.collections[COLLECTIONS[0]] = [namespace("prod")]
        self.collections[POLICIES] = []
        self.collections["/api/v1/namespaces/prod/events"] = []
        self.about: dict[str, Any] = {"k8s.ns.name": "prod"}
        self.forbidden = ""

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        group, _slash, plural = path.rpartition("/")
        whole = f"{group}/namespaces/prod/{plural}"
        if path in COLLECTIONS[1:] and whole in self.collections:
            path = whole
        if method == "POST" and path == PROD:
            status = {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}]}
            status["containerStatuses"] = [{"name": "trigger", "restartCount": 0, "state": {"running": {}}}]
            with self.lock:
                return super(Triggers, self).answer(method, path, query, {**body, "status": status})
        return super().answer(method, path, query, body)

    def extra(self, method: str, path: str, query: dict[str, list[str]]) -> Answer | None:
        if method == "PATCH" and "/jobs/" in path:
            return 403, {"kind": "Status", "reason": "Forbidden", "message": "jobs is forbidden"}
        if self.forbidden and self.forbidden in path and method == "PATCH":
            return 403, {"kind": "Status", "reason": "Forbidden", "message": "patch is forbidden"}
        if path == "/api/v1":
            return 200, {"resources": [{"name": "events", "kind": "Event", "namespaced": True}]}
        if path.startswith(f"{PROD}/") and path.endswith("/log"):
            return 200, b"a line\n"
        return super().extra(method, path, query)

    def alert(self, rule: str, node: str, pod: str, moment: int) -> None:
        fields = {"k8s.pod.name": pod, **self.about}
        alert = {"rule": rule, "priority": "Warning", "output": f"{rule} in {pod}", "output_fields": fields}
        alert["time"] = rfc3339(moment)
        self.logs.setdefault(f"falco-{node}", []).append(f"{rfc3339(moment + 10**6)} {json.dumps(alert)}\n")
        wrapped = {"received": rfc3339(moment + 5 * 10**6), "destination": "webhook", "text": "", "alert": alert}
        self.received.append(json.dumps(wrapped))

    def pods(self) -> list[str]:
        return [one["metadata"]["name"] for one in self.collections[PROD]]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.setattr(live, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(live, "POLL_SECONDS", 0.01)
    api = Cluster()
    with serve(api):
        yield api


def drill(cluster: Cluster, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    given = {"host": cluster.url, "namespace": "prod", "rule": "R", "command": ["/bin/cat", "/etc/shadow"]}
    more = {"image": "busybox", "alert_timeout_seconds": 0, "destinations": [RECEIVER], "work_namespace": "probes"}
    return run_module("incident_drill", {**given, **more, **options}, check_mode=check_mode)


def whats(result: dict[str, Any]) -> list[str]:
    return [one["what"] for one in result["timeline"]]


def test_a_pod_raises_its_alert_is_collected_held_let_go_and_removed(cluster: Cluster) -> None:
    result = drill(cluster, alert_timeout_seconds=20)
    assert "msg" not in result, result["msg"]
    assert result["changed"] is False
    assert whats(result) == [
        "action",
        "Falco's event",
        "in Falco's log",
        "at webhook",
        "response began",
        "collected",
        "held, proven by analysis",
        "probe failed",
        "released",
        "removed",
    ]
    seconds = [one["seconds"] for one in result["timeline"]]
    assert seconds == sorted(seconds)
    assert seconds[3] == pytest.approx(0.0055, abs=0.001)
    assert result["node"] == "cp01"
    assert result["plan"]["do"] == ["note", "collect", "quarantine"]
    assert result["archive"].endswith(".tar.gz")
    assert result["held"]["proven"] is True
    assert result["released"] == {"labels": True, "error": ""}
    assert result["left"] == ""
    assert result["problems"] == ["probe: none of 0 connections could be proven to be closed"]
    assert (cluster.pods(), cluster.collections[POLICIES]) == ([], [])


def test_without_an_alert_nobody_is_held_and_nothing_is_left(cluster: Cluster) -> None:
    cluster.deaf = {"cp01"}
    result = drill(cluster, alert_timeout_seconds=1)
    assert [place["arrived"] for place in result["trigger"]["nodes"][0]["places"].values()] == [False, False]
    assert (result["plan"], result["released"], result["problems"], result["left"]) == ({}, {}, [], "")
    assert whats(result) == ["action", "removed"]
    assert cluster.pods() == []


def test_an_alert_that_names_no_pod_is_responded_to_by_nothing_and_says_so(cluster: Cluster) -> None:
    cluster.about = {"k8s.ns.name": None, "k8s.pod.name": None}
    result = drill(cluster)
    assert {one["why"] for one in result["plan"]["steps"] if one["step"] != "note"} == {"the alert is about no pod"}
    assert result["held"] == {}
    assert cluster.pods() == []


def test_the_kill_switch_and_protected_namespaces_count(cluster: Cluster) -> None:
    result = drill(cluster, protected_namespaces=["prod"])
    assert {one["step"]: one["why"] for one in result["plan"]["steps"]}["quarantine"] == "pods of prod are protected"
    switch = {"metadata": {"name": "falconet-respond", "namespace": "falco"}, "data": {"stopped": "we look"}}
    cluster.collections[SWITCH] = [switch]
    result = drill(cluster)
    assert result["plan"]["do"] == ["note"]
    assert result["held"] == {}


def test_a_pod_that_may_not_be_changed_is_not_held_and_is_removed(cluster: Cluster) -> None:
    cluster.forbidden = f"{PROD}/"
    result = drill(cluster)
    assert result["problems"][0].startswith("quarantine: ")
    assert "patch is forbidden" in result["problems"][0]
    assert (cluster.pods(), cluster.collections[POLICIES]) == ([], [])


def test_what_a_killed_drill_has_left_is_removed_and_what_others_hold_stays(cluster: Cluster) -> None:
    def held(name: str, by: str) -> dict[str, Any]:
        about = {BY: by, LABELS: "{}", UNTIL: "2999-01-01T00:00:00Z"}
        metadata = {"name": name, "namespace": "prod", "labels": {LABEL: identity_of("prod", name)}}
        return {"metadata": {**metadata, "annotations": about, "resourceVersion": "1"}, "spec": {}, "status": {}}

    gone = f"fire drill {socket.gethostname()}/999999999/1"
    cluster.collections[PROD] = [held("left", gone), held("kept", "somebody"), held("theirs", "fire drill other/1/1")]
    name = f"quarantine-{identity_of('prod', 'left')}"
    about = {"name": name, "namespace": "prod", "labels": {LABEL: "left"}, "annotations": {POD: "left"}}
    cluster.collections[POLICIES] = [{"metadata": about, "spec": {"podSelector": {}}}]
    cluster.deaf = {"cp01"}
    drill(cluster)
    assert cluster.pods() == ["kept", "theirs"]
    assert cluster.collections[POLICIES] == []


def test_a_node_is_named_or_found(cluster: Cluster) -> None:
    assert drill(cluster, node="worker02")["node"] == "worker02"
    cluster.collections["/api/v1/nodes"][0]["spec"] = {"unschedulable": True}
    assert drill(cluster)["node"] == "worker01"
    assert drill(cluster, node_selector={"role": "cp"})["node"] == "cp01"
    assert "the cluster has no node x" in drill(cluster, node="x")["msg"]
    assert "there is no node that Falco is to watch" in drill(cluster, node_selector={"role": "none"})["msg"]


def test_in_check_mode_nothing_is_done(cluster: Cluster) -> None:
    assert drill(cluster, check_mode=True)["skipped"] is True
    assert cluster.requests == []
