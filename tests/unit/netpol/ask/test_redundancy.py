"""What does nothing where one object is read as several policies, and peers that are no pods."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request

from ..clusters import build
from ..lint.test_lint import admin, pod, policy
from ..read.test_calico import calico
from ..read.test_cilium import cilium

PODS = [pod("web"), pod("db")]
NODE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "n", "labels": {"role": "worker"}},
    "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.9"}]},
}


def idle(question: str, *manifests: dict[str, Any]) -> list[tuple[str, str, int | None]]:
    result = answer(Request(question), build([*PODS, NODE, *manifests]))
    assert len(result["findings"]) == len(result["idle"])
    return [(item["policy"], item["direction"], item["rule"]) for item in result["idle"]]


def test_a_policy_that_allows_and_denies_is_not_redundant_by_one_of_both() -> None:
    """What isolates leaves nothing to deny, and the object is both."""
    denies = cilium("{endpointSelector: {}, ingressDeny: [{fromEntities: [all]}]}")
    assert idle("redundancy", denies) == [("CiliumNetworkPolicy prod/c", "ingress", 0)]
    closed = policy("{podSelector: {}, policyTypes: [Ingress]}", "closed")
    assert ("CiliumNetworkPolicy prod/c", "", None) in idle("redundancy", closed, denies)


def test_a_selector_of_two_alternatives_is_empty_if_both_select_nobody() -> None:
    one = calico("{selector: app == 'web' || app == 'gone', types: [Ingress]}")
    assert idle("emptiness", one) == []
    none = calico("{selector: app == 'away' || app == 'gone', types: [Ingress]}")
    assert idle("emptiness", none) == [("CalicoNetworkPolicy prod/c", "", None)]
    assert idle("redundancy", one) == []


def test_a_rule_of_which_a_part_is_not_known_is_not_empty() -> None:
    gone = "{fromEndpoints: [{matchLabels: {app: gone}}]}"
    assert idle("emptiness", cilium(f"{{endpointSelector: {{}}, ingress: [{gone}]}}")) == [
        ("CiliumNetworkPolicy prod/c", "ingress", 0)
    ]
    partly = gone.replace("]}", "], fromServices: [{}]}")
    assert partly.count("fromServices") == 1
    assert idle("emptiness", cilium(f"{{endpointSelector: {{}}, ingress: [{partly}]}}")) == []


def to(peer: str, action: str = "Deny", name: str = "a", priority: int = 1) -> dict[str, Any]:
    return admin(f"egress: [{{action: {action}, to: [{peer}]}}]", name, priority)


def test_a_rule_whose_nodes_there_are_not_is_empty() -> None:
    assert idle("emptiness", to("{nodes: {matchLabels: {role: gone}}}")) == [("AdminNetworkPolicy a", "egress", 0)]
    assert idle("emptiness", to("{nodes: {matchLabels: {role: worker}}}")) == []


def test_a_name_of_the_dns_may_be_anybody() -> None:
    assert idle("emptiness", to("{domainNames: [example.org]}", "Allow")) == []


def test_a_denial_of_nodes_is_redundant_where_an_earlier_one_denies_them() -> None:
    nodes = to("{nodes: {}}", name="nodes", priority=2)
    assert idle("redundancy", nodes) == []
    block = to("{networks: [192.0.2.0/24]}", name="block")
    assert idle("redundancy", block, nodes) == [("AdminNetworkPolicy nodes", "", None)]


@pytest.mark.parametrize("direction", ["Ingress", "Egress"])
def test_a_policy_that_isolates_alone_does_something(direction: str) -> None:
    assert idle("redundancy", policy(f"{{podSelector: {{}}, policyTypes: [{direction}]}}")) == []


def test_a_rule_about_anybody_holds_one_about_some() -> None:
    rules = policy(
        """
        podSelector: {}
        policyTypes: [Egress]
        egress:
        - ports: [{port: 80}]
        - to: [{podSelector: {matchLabels: {app: web}}}]
          ports: [{port: 80}]
        """
    )
    assert idle("redundancy", rules) == [("NetworkPolicy prod/p", "egress", 1)]
    whole = policy("{podSelector: {}, policyTypes: [Egress], egress: [{}]}")
    assert idle("redundancy", whole) == [("NetworkPolicy prod/p", "", None)]


def test_what_is_empty_may_go_with_all_that_is() -> None:
    gone = policy(
        "{podSelector: {matchLabels: {app: gone}}, ingress: [{from: [{podSelector: {matchLabels: {a: b}}}]}]}"
    )
    result = answer(Request("emptiness"), build([*PODS, gone]))
    assert [item["together"] for item in result["idle"]] == [True, True]
