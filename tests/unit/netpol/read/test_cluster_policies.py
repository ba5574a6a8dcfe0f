"""What the API server refuses of a ClusterNetworkPolicy, v1alpha2: the rules of its CRD."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import DomainsPeer, PortRule
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load


def cluster_policy(**rule: Any) -> dict[str, Any]:
    whole = {"action": "Accept", "to": [{"namespaces": {}}], **rule}
    return {
        "apiVersion": "policy.networking.k8s.io/v1alpha2",
        "kind": "ClusterNetworkPolicy",
        "metadata": {"name": "p"},
        "spec": {"tier": "Admin", "priority": 1, "subject": {"namespaces": {}}, "egress": [whole]},
    }


@pytest.mark.parametrize(
    ("rule", "path", "message"),
    [
        ({"protocols": [{"tcp": {}}]}, "protocols[0].tcp", "must have at least one field"),
        (
            {"protocols": [{"udp": {"destinationPort": {"range": {"start": 80, "end": 80}}}}]},
            "protocols[0].udp.destinationPort.range.end",
            "must be greater than start 80",
        ),
        ({"protocols": [{"destinationNamedPort": f"p{n}"} for n in range(26)]}, "protocols", "has 26 protocols"),
        ({"name": "n" * 101}, "name", "has 101 characters: at most 100 are allowed"),
        ({"to": [{"networks": ["10.0.0.0/8", "10.0.0.0/8"]}]}, "to[0].networks[1]", "duplicate value '10.0.0.0/8'"),
        ({"to": [{"domainNames": []}]}, "to[0].domainNames", "has 0 names: 1 to 25 are allowed"),
        ({"to": [{"domainNames": ["a.*.org"]}]}, "to[0].domainNames[0]", "not a domain name"),
        ({"to": [{"pods": {"namespaceSelector": {}}}]}, "to[0].pods.podSelector", "required"),
        ({"to": [{"networks": []}]}, "to[0].networks", "has 0 blocks: 1 to 25 are allowed"),
        ({"to": [{"networks": ["10.0.0.0/8"] * 26}]}, "to[0].networks", "has 26 blocks: 1 to 25 are allowed"),
        ({"to": []}, "to", "required: at least one peer"),
        ({"to": [{"namespaces": {}}] * 26}, "to", "has 26 peers: at most 25 are allowed"),
        ({"to": [{"namespaces": {}, "nodes": {}}]}, "to[0]", "a peer must name exactly one of namespaces, pods, nodes"),
        ({"protocols": []}, "protocols", "must have at least one item"),
        (
            {"protocols": [{"destinationNamedPort": "http"}], "to": [{"networks": ["10.0.0.0/8"]}]},
            "protocols",
            "a named port cannot stand beside a peer that is not pods",
        ),
        (
            {"action": "Deny", "to": [{"domainNames": ["example.org"]}]},
            "to",
            "domainNames cannot be used with action Deny",
        ),
    ],
    ids=range(16),
)
def test_what_the_crd_refuses_is_an_error_at_its_path(rule: dict[str, Any], path: str, message: str) -> None:
    (problem,) = load([Input("t", objects=[cluster_policy(**rule)])], "skip").errors
    assert problem.path == f"spec.egress[0].{path}"
    assert message in problem.message


def test_what_the_crd_takes_is_taken() -> None:
    whole_tcp = {"tcp": {"destinationPort": {"range": {"start": 1, "end": 65535}}}}
    manifest = cluster_policy(name="n" * 100, protocols=[whole_tcp], to=[{"domainNames": ["*.example.org", "a.b."]}])
    (policy,) = load([Input("t", objects=[manifest])]).policies
    assert policy.egress[0].ports == (PortRule("TCP"),)
    assert policy.egress[0].peers == (DomainsPeer(("*.example.org", "a.b.")),)


def test_a_protocol_without_a_port_is_all_of_it() -> None:
    """The CRD has the field be optional, and asks for any field at all."""
    manifest = cluster_policy(protocols=[{"udp": {"destinationPort": None}}])
    (policy,) = load([Input("t", objects=[manifest])]).policies
    assert policy.egress[0].ports == (PortRule("UDP"),)


def test_more_rules_than_the_crd_takes_are_refused() -> None:
    manifest = cluster_policy()
    manifest["spec"]["egress"] *= 26
    (problem,) = load([Input("t", objects=[manifest])], "skip").errors
    assert (problem.path, problem.message) == ("spec.egress", "has 26 rules: at most 25 are allowed")
    manifest["spec"]["egress"].pop()
    assert load([Input("t", objects=[manifest])]).policies


def test_a_spec_that_is_no_mapping_is_refused() -> None:
    manifest = {**cluster_policy(), "spec": ["x"]}
    (problem,) = load([Input("t", objects=[manifest])], "skip").errors
    assert (problem.path, problem.message) == ("spec", "must be a mapping, not a list")
