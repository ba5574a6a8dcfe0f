"""What stands above policies, and peers whose addresses cannot be told."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.reference import decide
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.verdict import Endpoint, Verdict
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.addresses import Range, parse_block
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Options

from ..clusters import build
from ..lint.test_lint import admin, pod, policy

CLOSED = policy("{podSelector: {}, policyTypes: [Ingress, Egress]}")


def placed(name: str, node: str, on_host: bool = False) -> dict[str, Any]:
    found = pod(name)
    found["spec"].update(nodeName=node, hostNetwork=on_host)
    found["status"] = {"hostIP": {"a": "192.0.2.1", "b": "192.0.2.2"}[node]}
    return found


PODS = [
    placed("web", "a"),
    placed("db", "b"),
    placed("agent", "a", True),
    placed("proxy", "a", True),
    placed("other", "b", True),
]


def ask(start: str, end: str, *policies: dict[str, Any]) -> Verdict:
    model = build([*PODS, *policies])
    pods = {one.name: one for one in model.pods}

    def endpoint(name: str) -> Endpoint:
        return pods[name] if name in pods else parse_block(name) or Range(4, 0, 0)

    return decide(model, model.policies, endpoint(start), endpoint(end), "TCP", 80, Options())


@pytest.mark.parametrize(
    ("start", "end", "note"),
    [
        ("web", "web", "a pod always reaches itself"),
        ("agent", "proxy", "both are their node's network: no policy stands between them"),
        ("agent", "web", "prod/agent is on the host network of the pod's own node, which policies cannot cut off"),
        ("web", "agent", "prod/agent is on the host network of the pod's own node, which policies cannot cut off"),
        ("192.0.2.1", "web", "192.0.2.1 is the pod's own node, which policies cannot cut off"),
        ("web", "192.0.2.1", "192.0.2.1 is the pod's own node, which policies cannot cut off"),
    ],
    ids=["itself", "one-node", "from-its-node", "to-its-node", "from-its-node-by-address", "to-its-node-by-address"],
)
def test_what_no_policy_can_cut_is_allowed_and_says_so(start: str, end: str, note: str) -> None:
    verdict = ask(start, end, CLOSED)
    assert (verdict.allowed, verdict.egress, verdict.ingress, verdict.note) == (True, None, None, note)
    assert verdict.decisive is None


@pytest.mark.parametrize(
    ("start", "end"),
    [("web", "db"), ("other", "web"), ("192.0.2.2", "web"), ("192.0.2.0/30", "web")],
    ids=["another-pod", "another-node", "another-node-by-address", "more-than-its-node"],
)
def test_what_policies_can_cut_they_cut(start: str, end: str) -> None:
    verdict = ask(start, end, CLOSED)
    assert (verdict.allowed, verdict.note) == (False, "")


def test_two_nodes_are_not_one() -> None:
    assert ask("agent", "other", CLOSED).note == ""


def test_a_name_of_the_dns_is_no_address_that_is_known() -> None:
    """Which addresses it has is told by no manifest; what it would allow stays denied by what follows."""
    opens = admin("egress: [{action: Allow, to: [{domainNames: [example.org]}]}]", "opens")
    assert ask("web", "198.51.100.7", opens, CLOSED).allowed is False
    everything = admin("egress: [{action: Allow, to: [{networks: [0.0.0.0/0]}]}]", "opens")
    assert ask("web", "198.51.100.7", everything, CLOSED).allowed is True
