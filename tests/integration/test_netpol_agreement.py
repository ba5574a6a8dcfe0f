"""The analysis and the live network agree: on well-known recipes of NetworkPolicies, and on generated sets of them.

C(AGREEMENT_SETS) says how many sets are generated (12 by default); each set's number is its seed.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from ..unit.module_runner import run_module
from .cluster import Cluster

pytestmark = pytest.mark.cluster

IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.59"
SPACES = ("probe-x", "probe-y", "probe-z")
PODS = {"web": {"app": "web"}, "api": {"app": "api", "role": "search"}, "db": {"app": "db", "tier": "data"}}
SERVER = "/agnhost netexec --http-port=8080 --udp-port=8081 & exec /agnhost netexec --http-port=9090 --udp-port=-1"
PORTS = ["8080/TCP", "9090/TCP", "8081/UDP"]


def namespace_selector(name: str) -> dict[str, Any]:
    return {"matchLabels": {"kubernetes.io/metadata.name": name}}


def pods(**labels: str) -> dict[str, Any]:
    return {"matchLabels": labels} if labels else {}


def policy(name: str, space: str = "probe-x", selector: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": space},
        "spec": {"podSelector": selector or {}, **spec},
    }


#: What each recipe is for, and its policies, in the three namespaces of this test.
RECIPES: dict[str, list[dict[str, Any]]] = {
    "no policy at all": [],
    "deny all traffic to an application": [policy("deny", selector=pods(app="web"), ingress=[])],
    "limit traffic to an application": [
        policy("limit", selector=pods(app="api"), ingress=[{"from": [{"podSelector": pods(app="web")}]}])
    ],
    "allow all traffic to an application in a closed namespace": [
        policy("closed", ingress=[]),
        policy("open", selector=pods(app="web"), ingress=[{}]),
    ],
    "close a namespace": [policy("closed", ingress=[])],
    "deny traffic from other namespaces": [policy("own", ingress=[{"from": [{"podSelector": {}}]}])],
    "allow traffic from all namespaces": [
        policy("closed", ingress=[]),
        policy("all", selector=pods(app="web"), ingress=[{"from": [{"namespaceSelector": {}}]}]),
    ],
    "allow traffic from one namespace": [
        policy(
            "one", selector=pods(app="web"), ingress=[{"from": [{"namespaceSelector": namespace_selector("probe-y")}]}]
        )
    ],
    "allow traffic from some pods of another namespace": [
        policy(
            "some",
            selector=pods(app="web"),
            ingress=[
                {"from": [{"namespaceSelector": namespace_selector("probe-y"), "podSelector": pods(role="search")}]}
            ],
        )
    ],
    "allow traffic from anywhere, by an address block": [
        policy("closed", ingress=[]),
        policy("world", selector=pods(app="web"), ingress=[{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]),
    ],
    "allow traffic to one port only": [policy("port", selector=pods(app="api"), ingress=[{"ports": [{"port": 9090}]}])],
    "allow traffic by several selectors": [
        policy(
            "several",
            selector=pods(app="db"),
            ingress=[{"from": [{"podSelector": pods(app="api", role="search")}, {"podSelector": pods(app="web")}]}],
        )
    ],
    "deny egress from an application": [policy("out", selector=pods(app="web"), policyTypes=["Egress"])],
    "close a namespace for egress": [policy("out", policyTypes=["Egress"])],
    "deny egress to the outside": [
        policy("inside", selector=pods(app="web"), policyTypes=["Egress"], egress=[{"to": [{"namespaceSelector": {}}]}])
    ],
    "limit egress to some pods, on a named port": [
        policy(
            "named",
            policyTypes=["Egress"],
            egress=[{"to": [{"podSelector": pods(app="db")}], "ports": [{"port": "main"}]}],
        )
    ],
}


def any_selector(chance: random.Random) -> dict[str, Any]:
    kind = chance.randrange(4)
    if kind == 0:
        return {}
    if kind == 1:
        return pods(app=chance.choice(list(PODS)))
    operator = chance.choice(["In", "NotIn", "Exists", "DoesNotExist"])
    key = chance.choice(["app", "role", "tier"])
    values = {"values": chance.sample(["web", "api", "search", "data"], 2)} if operator.endswith("In") else {}
    return {"matchExpressions": [{"key": key, "operator": operator, **values}]}


def any_peer(chance: random.Random) -> dict[str, Any]:
    kind = chance.randrange(5)
    if kind == 0:
        return {"podSelector": any_selector(chance)}
    if kind == 1:
        return {"namespaceSelector": namespace_selector(chance.choice(SPACES))}
    if kind == 2:
        return {"namespaceSelector": {}, "podSelector": any_selector(chance)}
    if kind == 3:
        return {"namespaceSelector": namespace_selector(chance.choice(SPACES)), "podSelector": any_selector(chance)}
    block = chance.choice(["0.0.0.0/0", "10.244.0.0/16", "10.244.1.0/24", "10.244.2.0/25"])
    return {"ipBlock": {"cidr": block, **({"except": ["10.244.1.0/28"]} if block.endswith("/16") else {})}}


def any_port(chance: random.Random) -> dict[str, Any]:
    return chance.choice(
        [
            {"port": 8080},
            {"port": "main"},
            {"protocol": "UDP", "port": 8081},
            {"protocol": "UDP"},
            {"protocol": "TCP", "port": 8000, "endPort": 9000},
            {"protocol": "TCP"},
        ]
    )


def any_rule(chance: random.Random, direction: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if chance.random() < 0.8:
        found[direction] = [any_peer(chance) for _ in range(chance.randint(1, 2))]
    if chance.random() < 0.6:
        found["ports"] = [any_port(chance) for _ in range(chance.randint(1, 2))]
    return found


def generated(seed: int) -> list[dict[str, Any]]:
    """A set of one to five policies that touches every part of the API that the test's pods can tell apart."""
    chance = random.Random(seed)
    policies = []
    for number in range(chance.randint(1, 5)):
        types = chance.choice([["Ingress"], ["Egress"], ["Ingress", "Egress"]])
        spec: dict[str, Any] = {"policyTypes": types}
        if "Ingress" in types:
            spec["ingress"] = [any_rule(chance, "from") for _ in range(chance.randint(0, 2))]
        if "Egress" in types:
            spec["egress"] = [any_rule(chance, "to") for _ in range(chance.randint(0, 2))]
        policies.append(policy(f"p{number}", chance.choice(SPACES), any_selector(chance), **spec))
    return policies


SETS = {**RECIPES, **{f"generated {n}": generated(n) for n in range(int(os.environ.get("AGREEMENT_SETS", "12")))}}


@pytest.fixture(scope="module")
def system(cluster: Cluster) -> Iterator[None]:
    """Three namespaces with three pods each, all of which listen on two TCP ports and one UDP port."""
    objects: list[dict[str, Any]] = []
    for space in SPACES:
        objects.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}})
    for space in SPACES:
        for name, labels in PODS.items():
            container = {
                "name": "main",
                "image": IMAGE,
                "command": ["sh", "-c", SERVER],
                "ports": [{"containerPort": 8080, "name": "main"}, {"containerPort": 9090}],
                "readinessProbe": {"httpGet": {"path": "/hostname", "port": 9090}, "periodSeconds": 1},
            }
            objects.append(
                {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": {"name": name, "namespace": space, "labels": labels},
                    "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
                }
            )
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects[: len(SPACES)]))
    for space in SPACES:
        # A pod that comes before its service account is refused.
        cluster.kubectl("-n", space, "wait", "serviceaccount/default", "--for=create", "--timeout=60s")
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects[len(SPACES) :]))
    for space in SPACES:
        cluster.kubectl("-n", space, "wait", "pods", "--all", "--for=condition=Ready", "--timeout=180s")
    yield
    cluster.kubectl("delete", "namespace", *SPACES, "--wait=false")


@pytest.mark.parametrize("name", list(SETS))
def test_analysis_and_network_agree(system: None, cluster: Cluster, name: str) -> None:
    for space in SPACES:
        cluster.kubectl("-n", space, "delete", "networkpolicies", "--all")
    if SETS[name]:
        cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(SETS[name]))
    result = run_module(
        "netpol_probe",
        {
            "kubeconfig": os.environ["KUBECONFIG"],
            "namespaces": list(SPACES),
            "ports": PORTS,
            "expected": "analysis",
            "method": "exec",
            "settle_seconds": 20,
            "on_unproven": "fail",
        },
    )
    assert not result.get("failed"), f"{result['msg']}\n{yaml.safe_dump_all(SETS[name])}"
    assert result["counts"]["met"] == 9 * 8 * len(PORTS)
