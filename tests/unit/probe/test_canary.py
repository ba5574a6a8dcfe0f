"""The canary asks every node: a node that does not enforce is named, with the direction, and no other one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.probe import canary
from ansible_collections.falconet.k8s.plugins.module_utils.probe.conclude import Finding
from ansible_collections.falconet.k8s.plugins.module_utils.probe.model import Pod, Probe
from ansible_collections.falconet.k8s.plugins.module_utils.probe.wire.protocol import Attempt


def node(name: str, ready: bool = True, **spec: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {"metadata": {"name": name}, "spec": spec, "status": {"conditions": conditions}}


@dataclass
class Network:
    """A cluster: its nodes, which of them enforce no policy of which direction, and the policies that stand."""

    nodes: list[dict[str, Any]]
    holes: frozenset[tuple[str, str]] = frozenset()
    dead: frozenset[str] = frozenset()
    policies: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)
    namespace, run, deadline_seconds = "work", "r", 600

    def list_all(self, _resource: Any) -> list[dict[str, Any]]:
        return self.nodes

    def apply(self, policy: dict[str, Any]) -> None:
        self.policies[policy["metadata"]["name"]] = policy["spec"]["policyTypes"][0].lower()

    def delete(self, _resource: Any, name: str, _namespace: str) -> None:
        del self.policies[name]

    def job(self, role: str, spec: dict[str, Any], labels: dict[str, str]) -> None:
        assert labels["falconet.k8s/canary"] == role.partition("-")[0]
        self.jobs[role] = spec["nodeName"]

    def pods(self, roles: Sequence[str]) -> dict[str, Pod]:
        return {role: Pod("work", role, role, self.jobs[role], ("192.0.2.1",), "c") for role in roles}

    def container(self, command: list[str]) -> dict[str, Any]:
        return {"command": command}

    def labels(self) -> dict[str, str]:
        return {}

    def owner(self, role: str) -> dict[str, str]:
        return {"name": self.jobs[role]}

    def attempted(self, _method: Any, probes: Sequence[Probe], _settings: Any, _seconds: float) -> Any:
        return SimpleNamespace(findings=[self._finding(probe) for probe in probes])

    def _finding(self, probe: Probe) -> Finding:
        assert probe.target_pod is not None
        ends = {"ingress": probe.target_pod, "egress": probe.source}
        cut = any(
            ends[direction].name.startswith("held-") and (ends[direction].node, direction) not in self.holes
            for direction in self.policies.values()
        )
        silent = cut or probe.target_pod.node in self.dead
        return Finding(probe, Attempt("dropped" if silent else "allowed", 0.1, "", "nc"), listening=True)


def asked(network: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(canary, "run", network.attempted)
    found = canary.enforcement(network, network, None, 0.0)  # type: ignore[arg-type]  # a cluster of its own
    assert network.policies == {}
    return found


THREE = [node("a"), node("b"), node("c")]


def test_every_node_is_asked_for_both_directions(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked(Network(THREE), monkeypatch)
    assert (found["enforced"], found["why"], found["nodes"]) == (
        True,
        "each policy cut its connection at once",
        [*"abc"],
    )
    told = {(check["direction"], check["path"], check["node"]) for check in found["checks"]}
    assert told == {
        *((way, "across_nodes", name) for way in ("ingress", "egress") for name in "abc"),
        *((way, "same_node", "a") for way in ("ingress", "egress")),
    }


@pytest.mark.parametrize(
    ("holes", "why"),
    [
        ({("c", "ingress")}, "policies are not enforced on every node: c (ingress)"),
        ({("b", "egress")}, "policies are not enforced on every node: b (egress)"),
        ({("a", "ingress"), ("a", "egress")}, "policies are not enforced on every node: a (ingress and egress)"),
        (
            {(name, way) for name in "abc" for way in ("ingress", "egress")},
            "policies are not enforced on any node that was asked: a (ingress and egress), b (ingress and egress), "
            "c (ingress and egress)",
        ),
    ],
)
def test_a_node_that_does_not_enforce_is_named(
    holes: set[tuple[str, str]], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = asked(Network(THREE, frozenset(holes)), monkeypatch)
    assert (found["enforced"], found["why"]) == (False, why)
    assert {(check["node"], check["direction"]) for check in found["checks"] if check["enforced"] is False} == holes


def test_one_node_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked(Network([node("a")]), monkeypatch)
    assert found["enforced"] is True
    assert {check["path"] for check in found["checks"]} == {"same_node"}


def test_without_a_connection_nothing_is_concluded(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked(Network(THREE, dead=frozenset("b")), monkeypatch)
    assert found["enforced"] is None
    assert found["why"].startswith("nothing can be concluded: ingress same_node on a: not tried")


def test_nodes_that_take_no_pods_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    away = [node("d", ready=False), node("e", unschedulable=True), node("f", taints=[{"effect": "NoSchedule"}])]
    assert asked(Network([*THREE, *away]), monkeypatch)["nodes"] == [*"abc"]
    with pytest.raises(KubeError, match="no node is Ready"):
        asked(Network(away), monkeypatch)


def test_of_very_many_nodes_some_are_left_out_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary, "MOST_NODES", 2)
    found = asked(Network(THREE), monkeypatch)
    assert (found["nodes"], found["left_out"]) == (["a", "b"], 1)
    assert found["why"].endswith("; 1 more nodes were not asked")
