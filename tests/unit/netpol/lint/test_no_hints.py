"""Hints are given where they are true alone: the like of each misreading that is none."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.reference import Decider
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.lint.hints import Hints, service_block
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.addresses import Range
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import BlockPeer, NodesPeer, PodsPeer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.selectors import EVERYTHING
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load

from .test_hints import AGENT, API, DNS, OPS, PROBE, PROD, SERVICE, WEB, both
from .test_lint import admin, pod, policy
from .test_routes import NGINX, ROUTES

DB = pod("db", ip="10.0.0.3")
HOST_OPS: dict[str, Any] = {**pod("agent", "ops", ip="192.0.2.8"), "spec": {"hostNetwork": True}}


def into(peer: str, ports: str = "") -> dict[str, Any]:
    more = f", ports: [{ports}]" if ports else ""
    return policy(f"{{podSelector: {{matchLabels: {{app: web}}}}, ingress: [{{from: [{peer}]{more}}}]}}", "in")


def out(rule: str, app: str = "api") -> dict[str, Any]:
    subject = f"podSelector: {{matchLabels: {{app: {app}}}}}"
    return policy(f"{{{subject}, policyTypes: [Egress], egress: [{{{rule}}}]}}", "out")


def hints(manifests: list[dict[str, Any]], start: str, end: str, port: str, namespace: str = "") -> list[str]:
    source = {"ip": start} if "." in start else {"pod": start, **({"namespace": namespace} if namespace else {})}
    destination = {"ip": end} if "." in end else {"pod": end}
    request = Request("query", source=source, destination=destination, ports=[port])
    (verdict,) = answer(request, load([Input("test", objects=manifests)]))["verdicts"]
    assert verdict["allowed"] is False
    return [hint["code"] for hint in verdict["hints"]]


NOBODY = "{podSelector: {matchLabels: {app: none}}}"
BOTH = "{namespaceSelector: {matchLabels: {team: ops}}, podSelector: {matchLabels: {app: %s}}}"
TO_SERVICE = "to: [{ipBlock: {cidr: 10.96.0.7/32}}]"
TO_WORLD = "to: [{ipBlock: {cidr: 8.8.8.8/32}}], ports: [{port: %s}]"
DNS_5353 = pod(
    "dns", "kube-system", {"k8s-app": "kube-dns"}, ip="10.0.0.53", ports=[{"name": "dns-tcp", "containerPort": 5353}]
)


@pytest.mark.parametrize(
    ("manifests", "asked", "expected"),
    [
        pytest.param([WEB, API, OPS, PROD, into(BOTH % "none")], ("api", "web", "80"), [], id="neither-selector"),
        pytest.param(
            [WEB, API, OPS, PROD, PROBE, into(BOTH % "none")],
            ("probe", "web", "80", "ops"),
            ["both-selectors"],
            id="the-namespaces-alone",
        ),
        pytest.param(
            [WEB, API, OPS, PROD, into("{namespaceSelector: {matchLabels: {team: ops}}}")],
            ("api", "web", "80"),
            [],
            id="a-selector-of-namespaces-by-itself",
        ),
        pytest.param(
            [WEB, API, OPS, PROD, into("{namespaceSelector: {}, podSelector: {matchLabels: {app: none}}}")],
            ("api", "web", "80"),
            [],
            id="pods-of-any-namespace",
        ),
        pytest.param([WEB, AGENT, into(NOBODY)], ("agent", "web", "80"), [], id="a-host-without-the-labels"),
        pytest.param(
            [WEB, HOST_OPS, into("{podSelector: {matchLabels: {app: agent}}}")],
            ("agent", "web", "80"),
            [],
            id="a-host-of-another-namespace",
        ),
        pytest.param([WEB, into("{podSelector: {}}")], ("203.0.113.7", "web", "80"), [], id="an-address-is-no-pod"),
        pytest.param([WEB, DB, API, SERVICE, out(TO_SERVICE)], ("api", "db", "80"), [], id="another-than-the-service"),
        pytest.param(
            [WEB, API, SERVICE, out(TO_SERVICE)], ("api", "203.0.113.7", "80"), [], id="an-address-behind-no-service"
        ),
        pytest.param([WEB, API, SERVICE, into(NOBODY, "{port: 443}")], ("api", "web", "9443"), [], id="both-ports-cut"),
        pytest.param(
            [WEB, API, SERVICE, into("{podSelector: {}}", "{port: 443}")], ("api", "web", "80"), [], id="another-port"
        ),
        pytest.param(
            [WEB, API, SERVICE, into("{podSelector: {}}", "{port: 9443, protocol: UDP}")],
            ("api", "web", "443/UDP"),
            [],
            id="another-protocol-than-the-services",
        ),
        pytest.param(
            [WEB, API, into("{podSelector: {}}", "{port: https, protocol: UDP}")],
            ("api", "web", "80"),
            [],
            id="another-port-than-the-named",
        ),
        pytest.param([WEB, API, into(NOBODY, "{port: https}")], ("api", "web", "9443"), [], id="a-name-that-is-right"),
        pytest.param(
            [WEB, API, into("{podSelector: {}}", "{port: http, protocol: UDP}")],
            ("api", "web", "9443"),
            [],
            id="another-name",
        ),
        pytest.param(
            [
                both("api", "10.0.0.2", "fd00::2"),
                both("web", "10.0.0.1", "fd00::1"),
                out("to: [{ipBlock: {cidr: '::/0'}}], ports: [{port: 1}]"),
            ],
            ("api", "web", "80"),
            [],
            id="both-have-the-family",
        ),
        pytest.param(
            [both("web", "10.0.0.1", "fd00::1"), pod("api"), into("{ipBlock: {cidr: 0.0.0.0/0}}", "{port: 1}")],
            ("api", "web", "80"),
            [],
            id="a-family-that-is-not-known",
        ),
        pytest.param(
            [WEB, API, out(TO_WORLD % 80), admin("egress: [{action: Allow, to: [{nodes: {}}]}]", "a")],
            ("api", "web", "80"),
            [],
            id="nodes-are-no-pods",
        ),
        pytest.param([API, DNS_5353, out(TO_WORLD % 53)], ("api", "dns", "53"), ["no-dns"], id="where-dns-is-asked"),
        pytest.param([API, DNS, out(TO_WORLD % 443)], ("api", "dns", "53"), [], id="a-rule-for-another-port"),
        pytest.param([API, DNS, out(TO_WORLD % 80)], ("api", "dns", "80"), [], id="what-dns-does-not-listen-to"),
        pytest.param([API, DNS_5353, out(TO_WORLD % 5353)], ("api", "dns", "5353"), ["no-dns"], id="where-it-listens"),
        pytest.param([API, DB, out(TO_WORLD % 53)], ("api", "db", "53"), [], id="no-dns-server"),
        pytest.param(
            [API, DNS, out(""), admin("egress: [{action: Deny, to: [{namespaces: {}}]}]", "a")],
            ("api", "dns", "53"),
            [],
            id="a-rule-for-everyone",
        ),
        pytest.param(
            [WEB, DB, NGINX, SERVICE, ROUTES["Ingress"], policy("{podSelector: {}}")],
            ("db", "web", "80"),
            [],
            id="a-pod-that-is-no-controller",
        ),
        pytest.param(
            [
                WEB,
                API,
                NGINX,
                SERVICE,
                ROUTES["Ingress"],
                out("", "none"),
                policy("{podSelector: {}, policyTypes: [Egress]}", "closed", "ingress"),
            ],
            ("nginx", "web", "80"),
            [],
            id="a-controller-that-may-not-go-out",
        ),
    ],
)
def test_what_is_no_misreading_has_no_hint(
    manifests: list[dict[str, Any]], asked: tuple[str, ...], expected: list[str]
) -> None:
    assert hints(manifests, *asked) == expected


@pytest.mark.parametrize(
    ("peer", "meant"),
    [
        (BlockPeer((Range(4, (10 << 24) + (96 << 16), (10 << 24) + (96 << 16) + 255),), "10.96.0.0/24"), True),
        (BlockPeer((Range(4, (10 << 24) + (96 << 16), (10 << 24) + (96 << 16) + 256),), "257 addresses"), False),
        (BlockPeer((Range(4, (10 << 24) + (96 << 16), (10 << 24) + (96 << 16) + 6),), "beside it"), False),
        (NodesPeer(EVERYTHING), False),
        (PodsPeer(EVERYTHING, EVERYTHING), False),
    ],
    ids=["256-addresses", "257-addresses", "beside-it", "nodes", "pods"],
)
def test_a_small_block_is_meant_for_the_service_in_it(peer: object, meant: bool) -> None:
    model = load([Input("test", objects=[WEB, SERVICE])])
    assert service_block(peer, model) == (model.services[0] if meant else None)


@pytest.mark.parametrize(
    ("opened", "asked", "denied", "expected"),
    [
        (9443, 443, [("TCP", 443, 500)], ["service-port"]),
        (9443, 443, [("TCP", 1, 500)], []),
        (443, 9443, [("TCP", 1, 442), ("TCP", 9000, 9999)], ["service-port"]),
        (443, 9443, [("TCP", 1, 442), ("TCP", 444, 9000)], []),
        (443, 9443, [("UDP", 1, 442), ("UDP", 9000, 9999)], []),
    ],
    ids=["the-first", "not-the-first", "one-that-is-known", "none-that-is-known", "by-another-protocol"],
)
def test_of_many_ports_the_first_and_those_that_are_known_are_looked_at(
    opened: int, asked: int, denied: list[tuple[str, int, int]], expected: list[str]
) -> None:
    rules = into("{podSelector: {}}", f"{{port: {opened}}}")
    model = load([Input("test", objects=[WEB, API, SERVICE, rules])])
    web, api = model.pods
    decider = Decider(model, model.policies)
    decision = decider.decide(api, web, "TCP", asked).decisive
    assert decision is not None
    assert [hint.code for hint in Hints(decider).of_ports(api, web, denied, decision)] == expected
