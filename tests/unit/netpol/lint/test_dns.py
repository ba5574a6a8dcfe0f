"""Which pods are DNS servers, where they listen, and who is told that he cannot ask them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.lint.dns import is_dns, listening
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load

from .test_hints import openshift_dns
from .test_lint import admin, findings, pod, policy
from .test_traffic import ASKS, CUTS_DNS, told

WEB = pod("web", ip="10.0.0.1")
LABELS = {"k8s-app": "kube-dns"}


@pytest.mark.parametrize(
    ("labels", "is_server"),
    [
        ({"k8s-app": "kube-dns"}, True),
        ({"k8s-app": "coredns"}, True),
        ({"k8s-app": "node-local-dns"}, True),
        ({"app.kubernetes.io/name": "coredns"}, True),
        ({"app.kubernetes.io/name": "kube-dns"}, True),
        ({"dns.operator.openshift.io/daemonset-dns": "default"}, True),
        ({"k8s-app": "metrics-server"}, False),
        ({"app": "coredns"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_a_dns_server_is_known_by_its_labels(labels: dict[str, str], is_server: bool) -> None:
    (found,) = load([Input("test", objects=[pod("server", labels=labels)])]).pods
    assert is_dns(found) is is_server


DNS_PORTS = [
    {"name": "dns", "containerPort": 1053, "protocol": "UDP"},
    {"name": "dns-tcp", "containerPort": 1053},
    {"name": "metrics", "containerPort": 9153},
]


def service(*ports: dict[str, Any]) -> dict[str, Any]:
    spec = {"selector": LABELS, "clusterIP": "10.96.0.10", "ports": list(ports)}
    return {"kind": "Service", "metadata": {"name": "kube-dns", "namespace": "kube-system"}, "spec": spec}


@pytest.mark.parametrize(
    ("ports", "services", "expected"),
    [
        pytest.param([], [], {("UDP", 53), ("TCP", 53)}, id="unless-something-is-said"),
        pytest.param(DNS_PORTS, [], {("UDP", 1053), ("TCP", 1053)}, id="what-it-declares-by-name"),
        pytest.param(
            DNS_PORTS,
            [service({"port": 53, "protocol": "UDP", "targetPort": 5353}, {"port": 9153})],
            {("UDP", 5353)},
            id="where-its-service-leads-53-to",
        ),
        pytest.param(
            DNS_PORTS, [service({"port": 9153})], {("UDP", 1053), ("TCP", 1053)}, id="a-service-for-something-else"
        ),
    ],
)
def test_a_server_listens(
    ports: list[dict[str, Any]], services: list[dict[str, Any]], expected: set[tuple[str, int]]
) -> None:
    model = load([Input("test", objects=[pod("dns", "kube-system", LABELS, ports=ports), *services])])
    assert listening(model, model.pods[0]) == expected


@pytest.mark.parametrize(("port", "cut"), [(53, False), (5353, False), (54, True), (5354, True)])
def test_where_no_server_is_known_any_way_to_ask_will_do(port: int, cut: bool) -> None:
    asks = f"{{podSelector: {{}}, policyTypes: [Egress], egress: [{{ports: [{{port: {port}, protocol: UDP}}]}}]}}"
    assert any(CUTS_DNS in line for line in told("no-dns", WEB, policy(asks))) is cut


def test_workloads_that_cannot_ask_are_told_with_their_kind() -> None:
    closed = policy("{podSelector: {}, policyTypes: [Egress]}")
    assert told("no-dns", WEB, closed) == [
        "egress of Pod/web in namespace prod is isolated and no rule lets them ask DNS (UDP 53)"
    ]


BLOCK = "to: [{ipBlock: {cidr: %s}}], "


@pytest.mark.parametrize(
    ("address", "block", "cut"),
    [
        pytest.param("10.0.0.53", "10.0.0.53/32", False, id="its-address"),
        pytest.param("", "172.16.0.0/12", False, id="an-address-that-it-may-get"),
        pytest.param("10.0.0.53", "10.96.0.10/32", False, id="its-services"),
        pytest.param("10.0.0.53", "169.254.0.0/32", False, id="the-first-of-the-nodes-own"),
        pytest.param("10.0.0.53", "169.254.255.255/32", False, id="the-last-of-the-nodes-own"),
        pytest.param("10.0.0.53", "169.255.0.0/32", True, id="behind-the-nodes-own"),
        pytest.param("10.0.0.53", "10.0.0.54/32", True, id="anothers"),
    ],
)
def test_a_block_holds_a_server_or_what_answers_for_it(address: str, block: str, cut: bool) -> None:
    server = pod("dns", "kube-system", LABELS, **({"ip": address} if address else {}))
    parts = [WEB, server, service({"port": 53, "protocol": "UDP"})]
    asks = policy(ASKS % (BLOCK % block))
    assert any(CUTS_DNS in line for line in told("no-dns", *parts, asks)) is cut


def test_another_port_of_the_servers_addresses_answers_no_question() -> None:
    parts = [WEB, pod("dns", "kube-system", LABELS, ip="10.0.0.53"), service({"port": 53, "protocol": "UDP"})]
    web = "{podSelector: {}, policyTypes: [Egress], egress: [{%sports: [{port: 443}]}]}"
    assert told("no-dns", *parts, policy(web % (BLOCK % "10.96.0.10/32"))) != []


def test_a_rule_for_everyone_needs_the_port_of_the_servers() -> None:
    api, server, leads, _asks = openshift_dns(53)
    assert told("no-dns", api, server, leads, policy(ASKS % "")) != []
    assert told("no-dns", api, server, leads, policy((ASKS % "").replace("53,", "5353,"))) == []


def test_a_server_that_may_let_everybody_in_is_not_told_to_shut_them_off() -> None:
    """A pod without an address may get one of the block."""
    inside = "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}"
    parts = [pod("dns", "kube-system", LABELS), policy(inside, "p", "kube-system")]
    assert told("no-dns", pod("web"), *parts) == []
    assert told("no-dns", pod("web", ip="192.0.2.1"), *parts) != []


def test_a_denial_of_an_administrator_is_no_mistake_about_isolation() -> None:
    deny = admin("ingress: [{action: Deny, from: [{namespaces: {}}]}]", "deny")
    found = findings(WEB, pod("dns", "kube-system", LABELS, ip="10.0.0.53"), deny)
    assert [one.code for one in found if one.code == "no-dns"] == []
