"""Stage falco."""

from __future__ import annotations

from typing import Any

from tests.unit.evidence.cases import Case, changed
from tests.unit.evidence.cases.paths import PATHS
from tests.unit.evidence.cases.release import RELEASES


def node(name: str, *taints: str, **labels: str) -> dict[str, Any]:
    keys = [dict(zip(("key", "effect"), taint.split(":"))) for taint in taints]
    return {"metadata": {"name": name, "labels": labels}, "spec": {"taints": keys}}


def pod(on: str, *differs: str) -> dict[str, Any]:
    process = {"events": 900, "dropped": 0}
    return {"name": f"falco-{on}", "node": on, "digests": {}, "differs": list(differs), "process": process}


def workload(kind: str, name: str, wanted: int = 2, ready: int = 2, *missing: str) -> dict[str, Any]:
    return {"kind": kind, "name": name, "wanted": wanted, "ready": ready, "missing": list(missing)}


DAEMON, SIDEKICK = workload("DaemonSet", "falco"), workload("Deployment", "falco-falcosidekick")


def placed(off: list[str]) -> dict[str, Any]:
    """Falco's DaemonSet, kept off these nodes."""
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "NotIn", "values": off}]}
    affinity = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    return {**DAEMON, "placement": {"node_selector": {}, "affinity": affinity, "tolerations": []}}


def cordoned(name: str, **labels: str) -> dict[str, Any]:
    return {**node(name, **labels), "spec": {"unschedulable": True}}


def losing(on: str, events: int | None, dropped: int | None) -> dict[str, Any]:
    return {**pod(on), "process": {"events": events, "dropped": dropped}}


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
    "drops_max_percent": 0.1,
    "releases": {"skipped": True},
    "charts": {},
    "images": {},
    "image_of": {},
    "paths": [],
    "probe": {},
}
NO_CLAIM = {"claim": {"skipped": True}}
DROPS, TAKES = ("drops", "passed"), ("schedulable", "passed")
ALL = ("nodes", "passed"), TAKES, ("workloads", "passed"), ("workloads", "passed"), DROPS, ("storage", "passed")
#: Of nodes alone: a check fails, or all pass, with pods that tell their drops.
WRONG, RIGHT = (("nodes", "failed"), TAKES, DROPS), (("nodes", "passed"), TAKES, DROPS)
#: Neither nodes nor pods nor workloads.
NOTHING: dict[str, Any] = {**NO_CLAIM, "kind": "Deployment", "rollout": {"pods": [], "workloads": [], "missing": []}}


def with_nodes(*nodes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    rollout = {**GOOD["rollout"], "workloads": []}
    return changed(GOOD, **{**NO_CLAIM, "rollout": rollout, "nodes": {"resources": list(nodes)}, **changes})


def rolled(*workloads: dict[str, Any]) -> dict[str, Any]:
    return changed(GOOD, **NO_CLAIM, kind="Deployment", rollout={"pods": [], "workloads": list(workloads)})


CASES = [
    Case("all is as wanted", GOOD, ALL, ("2 Falco pods answer /metrics, on n1, n2", "2 of 2 pods are ready")),
    Case("no Redis", changed(GOOD, **NO_CLAIM), ALL[:5]),
    *(Case(name, changed(GOOD, **asked), verdicts, says) for name, asked, verdicts, says in RELEASES),
    *(Case(name, changed(GOOD, **NOTHING, **asked), verdicts, says) for name, asked, verdicts, says in PATHS),
    Case(
        "without a pod on a node",
        with_nodes(node("n1"), node("n2"), node("n3")),
        WRONG,
        ("n3: no Falco pod (nothing keeps it off, so its pod is not made yet or was refused",),
    ),
    Case(
        "on no node, though one is to be watched",
        with_nodes(node("n1"), rollout={"pods": [], "workloads": []}),
        WRONG[:2],
        (
            "n1: no Falco pod (nothing keeps it off, so its pod is not made yet or was refused: see the events of its "
            "DaemonSet)\n",
        ),
    ),
    Case(
        "kept off a node by a taint",
        with_nodes(node("n1"), node("n2"), node("n3", "gpu:NoSchedule")),
        WRONG,
        ("gpu:NoSchedule", "falco_tolerations"),
    ),
    Case(
        "a taint that keeps nobody off",
        with_nodes(
            node("n1"), node("n2"), node("n3", "gpu:PreferNoSchedule", "node.kubernetes.io/unschedulable:NoSchedule")
        ),
        WRONG,
        ("nothing keeps it off",),
    ),
    Case(
        "kept off a node by an affinity",
        with_nodes(
            node("n1"),
            node("n2"),
            node("n3", **{"kubernetes.io/hostname": "n3"}),
            rollout={**GOOD["rollout"], "workloads": [workload("Deployment", "falco"), placed(["n3"])]},
        ),
        (*WRONG[:2], ("workloads", "passed"), ("workloads", "passed"), DROPS),
        ("n3: no Falco pod (the DaemonSet's affinity keeps it off: it wants kubernetes.io/hostname NotIn [n3])",),
    ),
    Case(
        "a cordoned node",
        with_nodes(node("n1"), cordoned("n2"), cordoned("n3", role="db"), node_selector={}, groups=[{"nodes": ["n3"]}]),
        (RIGHT[0], ("schedulable", "failed"), DROPS),
        ("n2, n3 are cordoned: no new pod comes there",),
    ),
    Case(
        "a cordoned node without a pod, and one that is not meant",
        with_nodes(
            node("n1", a="b"),
            node("n2", a="b"),
            cordoned("n3", a="b"),
            cordoned("n4"),
            node_selector={"a": "b"},
        ),
        (WRONG[0], ("schedulable", "failed"), DROPS),
        ("n3: no Falco pod (it is cordoned (kubectl uncordon))", "n3 is cordoned: no new pod"),
    ),
    Case(
        "a node that is not ready",
        with_nodes(node("n1"), {**node("n2"), "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}),
        WRONG,
        ("n2: pod falco-n2 is on a node that is not Ready\n",),
    ),
    Case(
        "a pod that is not ready",
        with_nodes(
            node("n1"),
            node("n2"),
            rollout={
                "pods": [{**pod("n1"), "ready": False, "reasons": ["it crashed"]}, {**pod("n2", "x"), "ready": False}],
                "workloads": [],
            },
        ),
        WRONG,
        ("n1: pod falco-n1 is not ready (it crashed); n2: pod falco-n2 x; n2: pod falco-n2 is not ready (it does not",),
    ),
    *(
        Case(
            f"drops: {name}", with_nodes(node("n1"), rollout={"pods": pods, "workloads": []}), (*RIGHT[:2], drops), says
        )
        for name, pods, drops, says in (
            ("more than allowed", [losing("n1", 998, 2)], ("drops", "failed"), ("n1: 2 of 1000 events (0.2 %) since",)),
            ("all", [losing("n1", 0, 2)], ("drops", "failed"), ("n1: 2 of 2 events (1e+02 %)",)),
            ("nobody counts events", [losing("n1", None, 2)], ("drops", "failed"), ("2 of 2 events",)),
            ("no more than allowed", [losing("n1", 999, 1)], DROPS, ("1 dropped since Falco started, on n1\n",)),
            ("not told", [losing("n1", 999, None)], ("drops", "skipped"), ("does not tell how many it drops",)),
            ("told by one", [losing("n1", 9, 0), losing("n2", 9, None)], DROPS, ("on n1; not told on n2\n",)),
        )
    ),
    Case(
        "left out as declared",
        with_nodes(
            node("n1", role="web"), node("n2", role="web"), node("n3", role="db"), node_selector={"role": "web"}
        ),
        RIGHT,
        ("left out by falco_node_selector: n3",),
    ),
    Case(
        "a selected node without a pod",
        with_nodes(node("n1"), node("n2"), node("n3", role="web"), node_selector={"role": "web"}),
        WRONG,
    ),
    Case(
        "watched by the Falco of its group",
        with_nodes(
            node("n1"),
            node("n2"),
            node("n3", kernel="old"),
            groups=[{"node_labels": {"kernel": "old"}}, {"nodes": None}],
        ),
        RIGHT,
        ("of their group: n3",),
    ),
    Case(
        "watched by the Falco of a group that names it",
        with_nodes(node("n1"), node("n2"), node("n3"), groups=[{"nodes": ["n3"]}]),
        RIGHT,
        ("of their group: n3",),
    ),
    Case(
        "a group that is for other nodes",
        with_nodes(node("n1"), node("n2"), node("n3"), groups=[{"nodes": ["n9"]}, {"node_labels": {"kernel": "old"}}]),
        WRONG,
        ("n3: no Falco pod",),
    ),
    Case(
        "a pod is otherwise than wanted",
        with_nodes(node("n1"), rollout={"pods": [pod("n1", "does not answer /metrics")], "workloads": []}),
        WRONG,
        ("n1: pod falco-n1 does not answer /metrics",),
    ),
    Case(
        "no node at all is to be watched",
        with_nodes(node("n1"), node_selector={"a": "b"}, rollout={"pods": [], "workloads": []}),
        WRONG[:2],
        ("fits none",),
    ),
    Case(
        "the cluster cannot be asked",
        changed(GOOD, **NO_CLAIM, rollout={"failed": True, "msg": "forbidden"}),
        (*WRONG[:2], ("workloads", "failed")),
        ("Falco runs on every node: forbidden", "Workloads are ready: forbidden"),
    ),
    Case(
        "the nodes cannot be asked",
        with_nodes(nodes={"failed": True, "msg": "no"}),
        (WRONG[0], DROPS),
        ("nodes: no",),
    ),
    Case("nothing was asked", changed(GOOD, **NO_CLAIM, rollout={}), (*WRONG[:2], ("workloads", "failed"))),
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
    Case(
        "Falcosidekick lacks a pod, and it is known why",
        rolled({**workload("Deployment", "s", 2, 1, "1 of 2 ready"), "reasons": ["pod x: no such image"]}),
        (("workloads", "failed"),),
        ("1 of 2 ready; pod x: no such image",),
    ),
    Case("Falcosidekick is scaled to zero", rolled(workload("Deployment", "s", 0, 0)), (("workloads", "failed"),)),
    Case("a Falco that watches no nodes", rolled(workload("Deployment", "falco")), (("workloads", "passed"),)),
    Case(
        "the claim waits",
        changed(GOOD, claim={"resources": [{"status": {"phase": "Pending"}}]}),
        (*ALL[:5], ("storage", "failed")),
        ("The claim is Pending",),
    ),
    Case("no claim", changed(GOOD, claim={"resources": []}), (*ALL[:5], ("storage", "failed")), ("no such claim",)),
    Case(
        "the claim cannot be asked",
        changed(GOOD, claim={"failed": True, "msg": "x"}),
        (*ALL[:5], ("storage", "failed")),
    ),
]
