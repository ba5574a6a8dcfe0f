"""Stage falco."""

from __future__ import annotations

from typing import Any

from tests.unit.evidence.cases import Case, changed


def node(name: str, *taints: str, **labels: str) -> dict[str, Any]:
    keys = [dict(zip(("key", "effect"), taint.split(":"))) for taint in taints]
    return {"metadata": {"name": name, "labels": labels}, "spec": {"taints": keys}}


def pod(on: str, *differs: str) -> dict[str, Any]:
    return {"name": f"falco-{on}", "node": on, "digests": {}, "differs": list(differs)}


def workload(kind: str, name: str, wanted: int = 2, ready: int = 2, *missing: str) -> dict[str, Any]:
    return {"kind": kind, "name": name, "wanted": wanted, "ready": ready, "missing": list(missing)}


DAEMON, SIDEKICK = workload("DaemonSet", "falco"), workload("Deployment", "falco-falcosidekick")
GOOD: dict[str, Any] = {
    "namespace": "falco",
    "release": "falco",
    "kind": "DaemonSet",
    "rollout": {"pods": [pod("n1"), pod("n2")], "workloads": [DAEMON, SIDEKICK], "missing": []},
    "nodes": {"resources": [node("n1"), node("n2")]},
    "node_selector": {},
    "groups": [],
    "claim": {"resources": [{"status": {"phase": "Bound"}}]},
    "claim_name": "redis-data",
}
NO_CLAIM = {"claim": {"skipped": True}}
ALL = ("nodes", "passed"), ("workloads", "passed"), ("workloads", "passed"), ("storage", "passed")


def with_nodes(*nodes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    rollout = {**GOOD["rollout"], "workloads": []}
    return changed(GOOD, **{**NO_CLAIM, "rollout": rollout, "nodes": {"resources": list(nodes)}, **changes})


def rolled(*workloads: dict[str, Any]) -> dict[str, Any]:
    return changed(GOOD, **NO_CLAIM, kind="Deployment", rollout={"pods": [], "workloads": list(workloads)})


CASES = [
    Case("all is as wanted", GOOD, ALL, ("2 Falco pods answer /metrics, on n1, n2", "2 of 2 pods are ready")),
    Case("no Redis", changed(GOOD, **NO_CLAIM), ALL[:3]),
    Case(
        "kept off a node by an affinity",
        with_nodes(node("n1"), node("n2"), node("n3")),
        (("nodes", "failed"),),
        ("n3: no Falco pod", "affinity"),
    ),
    Case(
        "on no node, though one is to be watched",
        with_nodes(node("n1"), rollout={"pods": [], "workloads": []}),
        (("nodes", "failed"),),
        ("n1: no Falco pod (kept off by an affinity or a node selector, or its pod is not made yet)\n",),
    ),
    Case(
        "kept off a node by a taint",
        with_nodes(node("n1"), node("n2"), node("n3", "gpu:NoSchedule")),
        (("nodes", "failed"),),
        ("gpu:NoSchedule", "falco_tolerations"),
    ),
    Case(
        "a taint that keeps nobody off",
        with_nodes(
            node("n1"), node("n2"), node("n3", "gpu:PreferNoSchedule", "node.kubernetes.io/unschedulable:NoSchedule")
        ),
        (("nodes", "failed"),),
        ("kept off by an affinity",),
    ),
    Case(
        "left out as declared",
        with_nodes(
            node("n1", role="web"), node("n2", role="web"), node("n3", role="db"), node_selector={"role": "web"}
        ),
        (("nodes", "passed"),),
        ("left out by falco_node_selector: n3",),
    ),
    Case(
        "a selected node without a pod",
        with_nodes(node("n1"), node("n2"), node("n3", role="web"), node_selector={"role": "web"}),
        (("nodes", "failed"),),
    ),
    Case(
        "watched by the Falco of its group",
        with_nodes(
            node("n1"),
            node("n2"),
            node("n3", kernel="old"),
            groups=[{"node_labels": {"kernel": "old"}}, {"nodes": None}],
        ),
        (("nodes", "passed"),),
        ("of their group: n3",),
    ),
    Case(
        "watched by the Falco of a group that names it",
        with_nodes(node("n1"), node("n2"), node("n3"), groups=[{"nodes": ["n3"]}]),
        (("nodes", "passed"),),
        ("of their group: n3",),
    ),
    Case(
        "a group that is for other nodes",
        with_nodes(node("n1"), node("n2"), node("n3"), groups=[{"nodes": ["n9"]}, {"node_labels": {"kernel": "old"}}]),
        (("nodes", "failed"),),
        ("n3: no Falco pod",),
    ),
    Case(
        "a pod is otherwise than wanted",
        with_nodes(node("n1"), rollout={"pods": [pod("n1", "does not answer /metrics")], "workloads": []}),
        (("nodes", "failed"),),
        ("n1: pod falco-n1 does not answer /metrics",),
    ),
    Case(
        "no node at all is to be watched",
        with_nodes(node("n1"), node_selector={"a": "b"}, rollout={"pods": [], "workloads": []}),
        (("nodes", "failed"),),
        ("fits none",),
    ),
    Case(
        "the cluster cannot be asked",
        changed(GOOD, **NO_CLAIM, rollout={"failed": True, "msg": "forbidden"}),
        (("nodes", "failed"), ("workloads", "failed")),
        ("Falco runs on every node: forbidden", "Workloads are ready: forbidden"),
    ),
    Case(
        "the nodes cannot be asked",
        with_nodes(nodes={"failed": True, "msg": "no"}),
        (("nodes", "failed"),),
        ("nodes: no",),
    ),
    Case("nothing was asked", changed(GOOD, **NO_CLAIM, rollout={}), (("nodes", "failed"), ("workloads", "failed"))),
    Case(
        "Falcosidekick lacks a pod",
        rolled(workload("Deployment", "s", 2, 1, "1 of 2 ready")),
        (("workloads", "failed"),),
    ),
    Case(
        "there is no Falcosidekick",
        rolled(workload("Deployment", "s", 0, 0, "Deployment s does not exist")),
        (("workloads", "failed"),),
        ("Workload is ready: Deployment s does not exist",),
    ),
    Case("Falcosidekick is scaled to zero", rolled(workload("Deployment", "s", 0, 0)), (("workloads", "failed"),)),
    Case("a Falco that watches no nodes", rolled(workload("Deployment", "falco")), (("workloads", "passed"),)),
    Case(
        "the claim waits",
        changed(GOOD, claim={"resources": [{"status": {"phase": "Pending"}}]}),
        (*ALL[:3], ("storage", "failed")),
        ("The claim is Pending",),
    ),
    Case("no claim", changed(GOOD, claim={"resources": []}), (*ALL[:3], ("storage", "failed")), ("no such claim",)),
    Case(
        "the claim cannot be asked",
        changed(GOOD, claim={"failed": True, "msg": "x"}),
        (*ALL[:3], ("storage", "failed")),
    ),
]
