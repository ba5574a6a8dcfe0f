"""Which pairs are connections of a set of policies: the pods of a workload among themselves, addresses that touch."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request

from ..clusters import build
from ..lint.test_lint import admin, pod, policy

DENY = policy("{podSelector: {}}", "deny")
SHOP = "prod/Deployment/shop"


def denied(*manifests: dict[str, Any], **options: Any) -> dict[str, Any]:
    """What policies deny of all connections."""
    return answer(Request("vacuity", **options), build(list(manifests)))


def pairs(result: dict[str, Any]) -> set[tuple[str, str]]:
    return {(item["from"], item["to"]) for item in result["evidence"]}


def deployment(replicas: int) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": []}}
    metadata = {"name": "shop", "namespace": "prod"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"replicas": replicas, "template": template},
    }


@pytest.mark.parametrize(
    ("manifests", "itself"),
    [
        ([deployment(1)], False),
        ([deployment(2)], True),
        ([pod("a", owner="shop", labels={})], False),
        ([pod("a", owner="shop", labels={}), pod("b", owner="shop", labels={})], True),
        ([pod("a", owner="shop", labels={"app": "x"}), pod("b", owner="shop", labels={"app": "y"})], True),
    ],
    ids=["one", "two", "one-pod", "two-pods", "two-pods-that-policies-tell-apart"],
)
def test_the_pods_of_a_workload_are_cut_off_from_each_other(manifests: list[dict[str, Any]], itself: bool) -> None:
    apart = policy("{podSelector: {matchLabels: {app: x}}, policyTypes: [Egress], egress: [{}]}", "apart")
    assert ((SHOP, SHOP) in pairs(denied(*manifests, DENY, apart))) is itself


def test_a_pair_of_several_classes_counts_once_towards_the_limit() -> None:
    """Two pods of a workload that a policy tells apart, of which one may send on port 80 alone."""
    shop = [pod(name, owner="shop", labels={"app": name}) for name in ("x", "y")]
    opens = policy(
        "{podSelector: {matchLabels: {app: db}}, ingress:"
        " [{from: [{podSelector: {matchLabels: {app: x}}}], ports: [{port: 80}]}]}",
        "opens",
    )
    result = denied(*shop, pod("db"), opens, limit=2)
    assert pairs(result) == {(SHOP, "prod/Pod/db"), ("0.0.0.0/0", "prod/Pod/db")}
    assert result["truncated"] is False
    first = denied(*shop, pod("db"), opens, limit=1)
    assert first["truncated"] is True
    assert first["evidence"] == [{"from": SHOP, "to": "prod/Pod/db", "protocol": "all", "ports": "all"}]


def test_a_pod_at_one_of_its_addresses_is_no_other_than_at_the_next() -> None:
    """A policy that cuts a pod off from itself alone does nothing, also where blocks divide where it may be."""
    itself = admin(
        "subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}}\n"
        "ingress: [{action: Deny, from:"
        " [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}}]}]",
        "itself",
    )
    divides = policy(
        "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/9}}]}]}", "divides"
    )
    result = answer(Request("redundancy"), build([pod("web"), pod("db"), itself, divides]))
    assert [item["policy"] for item in result["idle"]] == ["AdminNetworkPolicy itself"]
