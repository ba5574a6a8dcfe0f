"""Faults planted in what is asked of a sound cluster, and what its stages and the causes then say."""

from __future__ import annotations

import copy
from typing import Any, Callable

from ansible_collections.falconet.k8s.plugins.module_utils.evidence.causes import explained
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.stages import STAGES, evidence

from .cases import changed, falco, falco_rules, k8s_audit, network_policies, node_prep, respond, verify

RULE, READ = verify.READ["rule"], verify.READ
Cluster = dict[str, Any]


def sound() -> Cluster:
    """What is asked of a cluster without a fault, by stage, and what is observed there."""
    asked: Cluster = {
        "falco": falco.GOOD,
        "falco_rules": falco_rules.CASES[0].asked,
        "k8s_audit": k8s_audit.GOOD,
        "network_policies": network_policies.CASES[0].asked,
        "node_prep": node_prep.CASES[0].asked,
        "verify": {
            **verify.ran({**READ, "nodes": [verify.node(webui=verify.place())]}, destinations=["slack", "webui"]),
            "delivery": {"falco": [], "outputs": {}, "changed": False},
        },
        "respond": changed(respond.GOOD, run={"skipped": True}),
        "observed": {
            "triggers": [READ],
            "rules": {RULE: {"enabled": True, "priority": "WARNING"}},
            "priority": "debug",
            "rule_matching": "all",
            "hidden": [],
            "scope": {"namespaces": ["prod"]},
            "scoped": [{"rule": RULE, "action": "append", "silenced": ""}],
            "outputs": {"slack": {"minimumpriority": "notice"}},
        },
    }
    asked = copy.deepcopy(asked)
    names = ("falco-falcosidekick", "falco-falcosidekick-ui", "falco-falcosidekick-ui-redis")
    kinds = ("Deployment", "Deployment", "StatefulSet")
    parts = [falco.workload(kind, name) for kind, name in zip(kinds, names)]
    asked["falco"]["rollout"]["workloads"] = [{**falco.DAEMON}, *parts]
    return asked


def judged(cluster: Cluster) -> list[dict[str, Any]]:
    checks = [one for stage in STAGES for one in evidence(cluster[stage], stage)]
    return explained(checks, cluster["observed"])


def part(ending: str, ready: int, wanted: int = 1) -> Callable[[Cluster], None]:
    """A workload with too few ready pods."""

    def plant(cluster: Cluster) -> None:
        for one in cluster["falco"]["rollout"]["workloads"]:
            if one["name"].endswith(ending):
                one.update(ready=ready, wanted=wanted, missing=[f"{one['name']}: {ready} of {wanted} pods ready"])

    return plant


def missing(*places: str) -> Callable[[Cluster], None]:
    """Alerts that do not arrive; C(log) is Falco's own."""

    def plant(cluster: Cluster) -> None:
        for trigger in cluster["verify"]["run"]["triggers"]:
            for node in trigger["nodes"]:
                node["places"].update({("falco" if one == "log" else one): verify.place(False) for one in places})

    return plant


def done_nowhere(cluster: Cluster) -> None:
    for trigger in cluster["verify"]["run"]["triggers"]:
        trigger["nodes"] = []


def from_two_nodes(cluster: Cluster) -> None:
    """Another node does the trigger, too."""
    for trigger in cluster["verify"]["run"]["triggers"]:
        trigger["nodes"].append(verify.node("n2", webui=verify.place()))


def observe(**values: Any) -> Callable[[Cluster], None]:
    return lambda cluster: cluster["observed"].update(values)


def ask(stage: str, **values: Any) -> Callable[[Cluster], None]:
    return lambda cluster: cluster[stage].update(values)


def no_pod_on(node: str) -> Callable[[Cluster], None]:
    def plant(cluster: Cluster) -> None:
        pods = cluster["falco"]["rollout"]["pods"]
        cluster["falco"]["rollout"]["pods"] = [pod for pod in pods if pod["node"] != node]

    return plant


def differs_on(node: str, text: str, stage: str = "falco") -> Callable[[Cluster], None]:
    def plant(cluster: Cluster) -> None:
        for pod in cluster[stage]["rollout"]["pods"]:
            if pod["node"] == node:
                pod["differs"] = [text]
        if stage == "falco_rules":
            cluster[stage]["rollout"]["missing"] = [f"pod falco-{node} on {node} {text}"]

    return plant


def refusing(words: str, kind: str) -> dict[str, Any]:
    return {"sent": 0, "failed": 1, "failure": {"kind": kind, "status": None, "host": "", "words": words}}


def deliver(**outputs: dict[str, Any]) -> Callable[[Cluster], None]:
    return lambda cluster: cluster["verify"]["delivery"].setdefault("outputs", {}).update(outputs)


def unasked(place: str) -> Callable[[Cluster], None]:
    """A destination that cannot be asked which alerts it has."""

    def plant(cluster: Cluster) -> None:
        missing(place)(cluster)
        cluster["verify"]["run"]["unread"] = {place: "no endpoints"}

    return plant


def lose_on(node: str) -> Callable[[Cluster], None]:
    """A Falco that cannot hand its alerts over."""
    failure = {"kind": "silent", "status": None, "host": "", "words": "nobody answers"}

    def plant(cluster: Cluster) -> None:
        lost = {"sent": 0, "failed": 2, "failure": failure}
        cluster["verify"]["delivery"].setdefault("falco", []).append({"node": node, "lost": lost})

    return plant


def path(name: str, node: str, cause: str) -> Callable[[Cluster], None]:
    """A connection between Falco's parts that does not pass from a node, for a cause."""
    denied = {"by_policies": "denied" if cause == "policy" else "allowed", "because": "because it is shut"}
    row = {"from": "x", "from_node": node, "to": "because it is shut", "status": "violated", **denied}

    def plant(cluster: Cluster) -> None:
        service = f"{name} by its Service's address"
        cluster["falco"].setdefault("paths", [])
        cluster["falco"]["paths"] = [*cluster["falco"]["paths"], {"name": name}, {"name": service}]
        probe = cluster["falco"].setdefault("probe", {})
        flow = service if cause == "address" else name
        probe.setdefault("results", []).append({**row, "flow": flow})
        probe.setdefault("not_probed", [])
        if cause == "away":
            probe["results"][-1].update(status="unproven", flow=service)
            probe["not_probed"].append({"flow": name, "why": "because it is shut"})

    return plant


def drop_on(node: str) -> Callable[[Cluster], None]:
    def plant(cluster: Cluster) -> None:
        for pod in cluster["falco"]["rollout"]["pods"]:
            if pod["node"] == node:
                pod["process"] = {"events": 50, "dropped": 50}

    return plant


def image(name: str) -> Callable[[Cluster], None]:
    """Falcosidekick's image is another one than Helm installed."""

    def plant(cluster: Cluster) -> None:
        recorded = {"Deployment/falco-falcosidekick": {"falcosidekick": "reg.example/side:1"}}
        release = {"chart": "falco-9.1.0", "images": recorded}
        cluster["falco"]["releases"] = {"releases": [{"name": "falco", "release": release}]}
        for one in cluster["falco"]["rollout"]["workloads"]:
            if one["name"] == "falco-falcosidekick":
                one["images"] = {"falcosidekick": name}

    return plant


def violate(cluster: Cluster, expected: str, found: str) -> None:
    row = {"from": "a", "to": "b", "port": 80, "protocol": "TCP", "flow": "f", "status": "violated"}
    row |= {"expected": expected, "conclusion": found, "verdict": found}
    cluster["network_policies"].update(
        probe_wanted=True, check_mode=False, compare=False, flows=[{"name": "f"}], later=[], unproven="fail"
    )
    cluster["network_policies"]["probe"] = {"results": [row]}


EVERYWHERE = missing("log", "slack", "webui")
