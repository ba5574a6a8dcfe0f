"""Ports of rules against those that pods declare and Services lead to."""

from __future__ import annotations

from typing import Any

import pytest

from .test_lint import findings, pod, policy

WEB = pod(
    "web", ports=[{"name": "http", "containerPort": 8080}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]
)
DB = pod("db", ports=[{"name": "sql", "containerPort": 5432}])
HOST: dict[str, Any] = {
    **pod("agent"),
    "spec": {"hostNetwork": True, "containers": [{"name": "main", "ports": [{"name": "node", "containerPort": 9100}]}]},
}
CODES = ("service-port", "port-not-declared", "named-port-missing", "named-port-protocol")


def of_ports(*manifests: dict[str, Any]) -> list[tuple[str, str]]:
    """Codes and hints of what is found of ports."""
    return [(found.code, found.hint) for found in findings(*manifests) if found.code in CODES]


def to_web(ports: str) -> dict[str, Any]:
    return policy(f"{{podSelector: {{matchLabels: {{app: web}}}}, ingress: [{{ports: [{ports}]}}]}}")


def out(ports: str, peers: str = "") -> dict[str, Any]:
    to = f"to: [{peers}], " if peers else ""
    return policy(f"{{podSelector: {{}}, policyTypes: [Egress], egress: [{{{to}ports: [{ports}]}}]}}")


TO_DB = "{podSelector: {matchLabels: {app: db}}}"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param(to_web("{port: 8080}"), [], id="declared"),
        pytest.param(to_web("{port: 8000, endPort: 8100}"), [], id="a-range-that-holds-it"),
        pytest.param(
            to_web("{port: 8080, protocol: UDP}"),
            [("port-not-declared", "they declare 53/UDP, 8080/TCP")],
            id="by-another-protocol",
        ),
        pytest.param(to_web("{port: 53}"), [("port-not-declared", "they declare 53/UDP, 8080/TCP")], id="dns-by-tcp"),
        pytest.param(
            to_web("{port: 9000, endPort: 9999}"),
            [("port-not-declared", "they declare 53/UDP, 8080/TCP")],
            id="a-thousand-ports",
        ),
        pytest.param(to_web("{port: 9000, endPort: 10000}"), [], id="more-are-meant-for-what-is-chosen-when-it-runs"),
        pytest.param(out("{port: 9000}", TO_DB), [], id="egress-may-go-elsewhere"),
        pytest.param(to_web("{port: htp}"), [("named-port-missing", "did you mean 'http'?")], id="a-name-like-it"),
        pytest.param(
            to_web("{port: quite-other}"), [("named-port-missing", "named ports there: dns, http")], id="another-name"
        ),
        pytest.param(
            to_web("{port: http, protocol: UDP}"), [("named-port-protocol", "write protocol: TCP")], id="as-another"
        ),
        pytest.param(out("{port: sql}", TO_DB), [], id="a-name-of-who-is-asked"),
        pytest.param(
            out("{port: http}", TO_DB), [("named-port-missing", "named ports there: sql")], id="a-name-of-who-asks"
        ),
        pytest.param(out("{port: http}"), [], id="a-name-of-anyone"),
        pytest.param(out("{port: sql}"), [], id="a-name-of-anyone-else"),
        pytest.param(
            out("{port: node}"),
            [("named-port-missing", "named ports there: dns, http, sql")],
            id="a-name-of-nobody-but-on-the-host-network",
        ),
    ],
)
def test_ports_are_those_that_pods_declare(rules: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert of_ports(WEB, DB, HOST, rules) == expected


def test_where_some_pods_declare_nothing_a_number_may_be_theirs() -> None:
    """Whether or not another policy tells these pods apart."""
    every = policy("{podSelector: {}, ingress: [{ports: [{port: 9000}]}]}")
    assert of_ports(WEB, DB, every) == [("port-not-declared", "they declare 53/UDP, 5432/TCP, 8080/TCP")]
    assert of_ports(WEB, pod("db"), every) == []
    assert of_ports(WEB, pod("db"), every, to_web("{port: 8080}")) == []
    assert of_ports(pod("db"), policy("{podSelector: {}, ingress: [{ports: [{port: sql}]}]}")) == [
        ("named-port-missing", "named ports there: none")
    ]


def test_of_a_policy_that_selects_nothing_no_port_is_told() -> None:
    egress = "{podSelector: {matchLabels: {app: none}}, policyTypes: [Egress], egress: [{ports: [{port: none}]}]}"
    assert of_ports(WEB, policy(egress)) == []


@pytest.mark.parametrize(
    ("port", "target", "asked", "expected"),
    [
        pytest.param(80, 8080, "{port: 80}", [("service-port", "write port: 8080")], id="the-services-port"),
        pytest.param(80, 8080, "{port: 70, endPort: 90}", [("service-port", "write port: 8080")], id="among-others"),
        pytest.param(80, 9090, "{port: 9090}", [], id="where-it-leads-though-no-container-says-so"),
        pytest.param(80, 9090, "{port: 9000, endPort: 9100}", [], id="among-those-where-it-leads"),
        pytest.param(
            80, 9090, "{port: 9091}", [("port-not-declared", "they declare 53/UDP, 8080/TCP")], id="neither-of-them"
        ),
        pytest.param(
            80,
            8080,
            "{port: 80, protocol: UDP}",
            [("port-not-declared", "they declare 53/UDP, 8080/TCP")],
            id="the-services-port-by-another-protocol",
        ),
        pytest.param(
            80,
            9090,
            "{port: 9090, protocol: UDP}",
            [("port-not-declared", "they declare 53/UDP, 8080/TCP")],
            id="where-it-leads-by-another-protocol",
        ),
    ],
)
def test_ports_are_those_where_services_lead(
    port: int, target: int, asked: str, expected: list[tuple[str, str]]
) -> None:
    service = {
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "prod"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": port, "targetPort": target}]},
    }
    assert of_ports(WEB, service, to_web(asked)) == expected
