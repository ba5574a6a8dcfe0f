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
    ],
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
