"""A live pod cut off: its Service and ReplicaSet let it go, the probe finds it closed, and the way back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from ..unit.module_runner import run_module
from .cluster import Cluster, wait_for
from .probing import OURS, apply, probe, running_system

pytestmark = pytest.mark.cluster

ALLOW_ALL = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "allow-all", "namespace": OURS},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]},
}
LABEL = "falconet.k8s/quarantine"


@pytest.fixture(scope="module")
def system(cluster: Cluster) -> Iterator[None]:
    with running_system(cluster):
        apply(cluster, ALLOW_ALL)
        yield


def quarantine(**options: Any) -> dict[str, Any]:
    return run_module("netpol_quarantine", {"kubeconfig": os.environ["KUBECONFIG"], "namespace": OURS, **options})


def backends(cluster: Cluster) -> list[str]:
    return [one["metadata"]["name"] for one in cluster.get("pods", "-n", OURS, "-l", "app=backend")["items"]]


def addresses(cluster: Cluster) -> set[str]:
    """What the Service sends its requests to."""
    slices = cluster.get("endpointslices", "-n", OURS, "-l", "kubernetes.io/service-name=backend")["items"]
    return {
        one["targetRef"]["name"] for item in slices for one in item["endpoints"] or [] if one["conditions"]["ready"]
    }


def flows(pod: str) -> list[dict[str, Any]]:
    held, others = {"namespace": OURS, "pod": pod}, {"namespace": OURS, "workload": "frontend"}
    return [
        {"name": "to the pod", "from": others, "to": held, "ports": [8080, "8081/UDP"]},
        {"name": "from the pod", "from": held, "to": others, "ports": [8080, "8081/UDP"]},
    ]


def test_a_pod_is_held_where_a_mere_deny_would_not_and_let_go_again(system: None, cluster: Cluster) -> None:
    pod = backends(cluster)[0]
    merely = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "merely-deny", "namespace": OURS},
        "spec": {"podSelector": {"matchLabels": {"app": "backend"}}, "policyTypes": ["Ingress", "Egress"]},
    }
    apply(cluster, merely)
    open_still = probe(required_flows=flows(pod), method="exec", on_unproven="fail")
    assert not open_still.get("failed"), "the policy that denies isolates where another one allows"
    cluster.kubectl("-n", OURS, "delete", "networkpolicy", "merely-deny")

    before = cluster.digest()
    planned = run_module(
        "netpol_quarantine", {"kubeconfig": os.environ["KUBECONFIG"], "namespace": OURS, "pod": pod}, True
    )
    assert planned["changed"] is True
    assert cluster.digest() == before

    held = quarantine(pod=pod, minutes=60, by="a test")
    assert not held.get("failed"), held["msg"]
    assert (held["steps"], held["proven"]) == (planned["steps"], True)
    assert held["amended_policies"] == ["allow-all"]
    assert {one.split()[0] for one in held["released_by"]} == {"ReplicaSet", "Service"}

    wait_for(lambda: len(backends(cluster)) == 2 and pod not in backends(cluster), 60, "a replacement")
    wait_for(
        lambda: len(addresses(cluster)) == 2 and pod not in addresses(cluster), 60, "the Service to let the pod go"
    )
    closed = probe(forbidden_flows=flows(pod), method="node", on_unproven="fail")
    assert not closed.get("failed"), closed["msg"]
    assert {row["status"] for row in closed["results"]} == {"met"}
    others = {"namespace": OURS, "workload": "backend"}
    serving = [{"name": "others", "from": {"namespace": OURS, "workload": "frontend"}, "to": others, "ports": [8080]}]
    assert not probe(required_flows=serving, method="exec").get("failed")

    assert quarantine(pod=pod)["changed"] is False
    (row,) = quarantine(state="listed")["quarantines"]
    assert (row["pod"], row["by"], row["expired"]) == (pod, "a test", False)

    released = quarantine(pod=pod, state="released")
    assert released["changed"] is True
    assert quarantine(pod=pod, state="released")["changed"] is False
    wait_for(lambda: len(backends(cluster)) == 2, 60, "the ReplicaSet to remove one of its three pods")
    assert cluster.get("networkpolicy", "allow-all", "-n", OURS)["spec"]["podSelector"] == {}
    assert cluster.get("networkpolicies", "-n", OURS, "-l", LABEL)["items"] == []


def test_the_network_holds_what_the_result_names(system: None, cluster: Cluster) -> None:
    pod = backends(cluster)[0]
    try:
        held = quarantine(pod=pod)
        found = probe(forbidden_flows=held["forbidden_flows"], method="node")
        assert not found.get("failed"), found["msg"]
        assert "met" in {row["status"] for row in found["results"]}
    finally:
        quarantine(pod=pod, state="released")
