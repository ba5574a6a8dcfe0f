"""The trial of falco_rules_rollout: one node first, nothing changed on refusal, nothing left behind in any end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ..kube.fake_api import Answer
from ..module_runner import run_module
from .falco_cluster import BROKEN, CANARY, CORE, DAEMON_SETS, JOBS, FalcoCluster, falco_cluster


@pytest.fixture
def cluster() -> Iterator[FalcoCluster]:
    with falco_cluster() as running:
        yield running


def roll_out(cluster: FalcoCluster, files: dict[str, str], check: bool = False, **options: Any) -> dict[str, Any]:
    arguments = {
        "host": cluster.url,
        "namespace": "falco",
        "files": files,
        "config_maps": ["rules-1", "rules-2"],
        "second_opinion": False,
        "timeout_seconds": 2,
        "canary_node": "node-b",
        **options,
    }
    return run_module("falco_rules_rollout", arguments, check_mode=check)


def writes(cluster: FalcoCluster) -> list[tuple[str, str]]:
    return [
        (method, path.rpartition("/")[2])
        for method, path, _query, _body in cluster.requests
        if method in ("POST", "PATCH", "DELETE") and "/pods" not in path
    ]


def left(cluster: FalcoCluster) -> list[str]:
    maps = [one["metadata"]["name"] for one in cluster.collections[f"{CORE}/configmaps"]]
    return [name for name in maps if "canary" in name] + [one["metadata"]["name"] for one in cluster.collections[JOBS]]


def job(cluster: FalcoCluster) -> dict[str, Any]:
    return next(body for method, path, _query, body in cluster.requests if method == "POST" and path == JOBS)


def test_the_trial_comes_before_the_first_change(cluster: FalcoCluster) -> None:
    result = roll_out(cluster, {"a.yaml": "one\n"})
    assert result["canary"]["node"] == "node-b"
    done = writes(cluster)
    assert done.index(("POST", "jobs")) < done.index(("PATCH", "rules-1-previous"))
    assert done.index(("DELETE", "falco-rules-canary")) < done.index(("PATCH", "rules-1-previous"))
    assert left(cluster) == []
    assert cluster.running["falco-a"] == {"a.yaml": "one\n"}


def test_refused_rules_change_nothing_and_the_reason_is_told(cluster: FalcoCluster) -> None:
    roll_out(cluster, {"a.yaml": "one\n"})
    before = dict(cluster.running)
    cluster.requests.clear()
    result = roll_out(cluster, {"a.yaml": BROKEN})
    assert result["failed"] is True
    assert (
        "Falco refuses these rules on node node-b, where they were tried: container falco ended with code 1"
        in (result["msg"])
    )
    assert f"a.yaml: LOAD_ERR_COMPILE_CONDITION {BROKEN}" in result["msg"]
    assert "Nothing that Falco's pods see was changed." in result["msg"]
    assert not [name for _method, name in writes(cluster) if name.startswith("rules-")]
    assert cluster.running == before
    assert left(cluster) == []


def test_a_trial_that_does_not_answer_is_told_and_removed(cluster: FalcoCluster, monkeypatch: Any) -> None:
    from ansible_collections.falconet.k8s.plugins.module_utils.live_falco import canary as falco_canary

    monkeypatch.setattr(falco_canary, "MINIMUM_SECONDS", 1)
    cluster.deaf = {CANARY}
    result = roll_out(cluster, {"a.yaml": "one\n"}, timeout_seconds=1)
    assert result["failed"] is True
    assert "Rules were not tried on node node-b within 1 s: its pod does not answer /metrics" in result["msg"]
    assert "let the API server reach port 8765 of pods with the label app.kubernetes.io/component" in result["msg"]
    assert left(cluster) == []
    assert not [name for _method, name in writes(cluster) if name.startswith("rules-")]


def test_what_a_killed_run_left_is_removed_first(cluster: FalcoCluster) -> None:
    labels = {"app.kubernetes.io/component": "falco-rules-canary"}
    old = {
        "metadata": {"name": "falco-rules-canary", "labels": labels},
        "spec": {"template": {"spec": {"nodeName": ""}}},
    }
    cluster.collections[JOBS].append(old)
    cluster.collections[f"{CORE}/configmaps"].append(
        {"metadata": {"name": "falco-rules-canary-1", "labels": labels}, "data": {"old.yaml": "x"}}
    )
    assert "failed" not in roll_out(cluster, {"a.yaml": "one\n"})
    assert left(cluster) == []


def test_the_pod_is_falcos_without_driver_outputs_and_ports(cluster: FalcoCluster) -> None:
    roll_out(cluster, {"a.yaml": "one\n"})
    spec = job(cluster)["spec"]
    pod = spec["template"]["spec"]
    (falco,) = pod["containers"]
    assert falco["image"] == "falco:0.44"
    assert falco["args"][:3] == ["/usr/bin/falco", "-o", "engine.kind=nodriver"]
    assert {"http_output.enabled=false", "stdout_output.enabled=false"} <= set(falco["args"])
    assert "livenessProbe" not in falco
    assert falco["ports"] == [{"name": "web", "containerPort": 8765}]
    assert [one["name"] for one in pod["initContainers"]] == ["falcoctl-artifact-install"]
    assert (pod["nodeName"], pod["restartPolicy"]) == ("node-b", "Never")
    assert "hostNetwork" not in pod
    assert [source["configMap"] for source in pod["volumes"][0]["projected"]["sources"]] == [
        {"name": "falco-rules-canary-1", "optional": False},
        {"name": "falco-rules-canary-2", "optional": True},
    ]
    assert pod["volumes"][1]["configMap"] == {"name": "falco"}


def test_it_ends_by_itself_and_its_copies_with_it(cluster: FalcoCluster) -> None:
    roll_out(cluster, {"a.yaml": "one\n"}, timeout_seconds=30)
    spec = job(cluster)["spec"]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (0, 30)
    assert spec["ttlSecondsAfterFinished"] > 0
    copies = [
        body for _method, path, _query, body in cluster.requests if path.endswith("/falco-rules-canary-1") and body
    ]
    (owner,) = copies[0]["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("Job", "falco-rules-canary")


def test_falcos_own_controller_does_not_take_the_pod(cluster: FalcoCluster) -> None:
    roll_out(cluster, {"a.yaml": "one\n"})
    selector = cluster.collections[DAEMON_SETS][0]["spec"]["selector"]["matchLabels"]
    labels = job(cluster)["spec"]["template"]["metadata"]["labels"]
    assert not selector.items() <= labels.items()


def test_auto_takes_a_node_on_which_falco_runs(cluster: FalcoCluster) -> None:
    assert roll_out(cluster, {"a.yaml": "one\n"}, canary_node="auto")["canary"]["node"] == "node-a"


@pytest.mark.parametrize("options", [{"check": True}, {"canary_node": ""}])
def test_no_trial_where_none_is_wanted(cluster: FalcoCluster, options: dict[str, Any]) -> None:
    result = roll_out(cluster, {"a.yaml": "one\n"}, **options)
    assert "canary" not in result
    assert ("POST", "jobs") not in writes(cluster)


def test_rules_that_run_already_are_not_tried_again(cluster: FalcoCluster) -> None:
    roll_out(cluster, {"a.yaml": "one\n"})
    assert "canary" not in roll_out(cluster, {"a.yaml": "one\n"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"canary_node": "node-z"}, "Falco is not ready on node node-z. It is on node-a, node-b."),
        ({"container": "falko"}, "DaemonSet falco has no container falko"),
        ({"config_maps": ["others"]}, "mounts none of the ConfigMaps others"),
    ],
)
def test_a_trial_that_cannot_be_made_changes_nothing(cluster: FalcoCluster, change: dict[str, Any], said: str) -> None:
    result = roll_out(cluster, {"a.yaml": "one\n"}, **change)
    assert result["failed"] is True
    assert said in result["msg"]
    assert [method for method, _name in writes(cluster)] == []


def test_missing_rights_are_named(cluster: FalcoCluster) -> None:
    falco = cluster.faults
    assert falco is not None

    def faults(method: str, path: str, query: dict[str, list[str]]) -> Answer | None:
        if method == "POST" and path == JOBS:
            return 403, {"kind": "Status", "reason": "Forbidden", "message": "no"}
        return falco(method, path, query)

    cluster.faults = faults
    result = roll_out(cluster, {"a.yaml": "one\n"})
    assert "jobs" in result["msg"]
    assert left(cluster) == []
