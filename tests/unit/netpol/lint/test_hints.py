"""A denied query says why one may have thought otherwise, and lint finds the same mistake."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load

from .test_lint import codes, findings, pod, policy

WEB = pod("web", ports=[{"name": "https", "containerPort": 9443}], ip="10.0.0.1")
API = pod("api", ip="10.0.0.2")
OPS = {"kind": "Namespace", "metadata": {"name": "ops", "labels": {"team": "ops"}}}
PROD = {"kind": "Namespace", "metadata": {"name": "prod", "labels": {"team": "dev"}}}
PROBE = pod("probe", "ops", ip="10.0.0.4")
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "prod"},
    "spec": {"clusterIP": "10.96.0.7", "selector": {"app": "web"}, "ports": [{"port": 443, "targetPort": 9443}]},
}
AGENT: dict[str, Any] = {**pod("agent", ip="192.0.2.9"), "spec": {"hostNetwork": True}}


def query(manifests: list[dict[str, Any]], start: str, to: str, port: int) -> dict[str, Any]:
    request = Request("query", source={"pod": start}, destination={"pod": to}, ports=[port])
    (verdict,) = answer(request, load([Input("test", objects=manifests)]))["verdicts"]
    found: dict[str, Any] = verdict
    return found


CASES = {
    "service-port": (
        [WEB, API, SERVICE, policy("{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 443}]}]}")],
        ("api", "web", 9443),
        "leads 443 to 9443: policies see the pod's port 9443",
    ),
    "service-address": (
        [
            WEB,
            API,
            SERVICE,
            policy(
                "{podSelector: {matchLabels: {app: api}}, policyTypes: [Egress],"
                " egress: [{to: [{ipBlock: {cidr: 10.96.0.7/32}}]}]}"
            ),
        ],
        ("api", "web", 9443),
        "10.96.0.7 is Service prod/web: policies see the pod behind it",
    ),
    "ignored-rules": (
        [
            WEB,
            API,
            policy("{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}]}", "closed"),
            policy(
                "{podSelector: {matchLabels: {app: api}}, policyTypes: [Ingress], ingress: [{}],"
                " egress: [{to: [{podSelector: {}}]}]}"
            ),
        ],
        ("api", "web", 9443),
        "NetworkPolicy prod/p has egress rules, which its policyTypes leave out of force",
    ),
    "both-selectors": (
        [
            OPS,
            PROD,
            WEB,
            API,
            PROBE,
            policy(
                "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: api}},"
                " namespaceSelector: {matchLabels: {team: ops}}}]}]}"
            ),
        ],
        ("api", "web", 9443),
        "prod/api meets that for pods but not that for namespaces: in one peer both count, in two either",
    ),
    "host-network-peer": (
        [
            WEB,
            AGENT,
            policy(
                "{podSelector: {matchLabels: {app: web}},"
                " ingress: [{from: [{podSelector: {matchLabels: {app: agent}}}]}]}"
            ),
        ],
        ("agent", "web", 9443),
        "selects prod/agent by labels, which is on the host network",
    ),
    "named-port-protocol": (
        [
            WEB,
            API,
            policy("{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: https, protocol: UDP}]}]}"),
        ],
        ("api", "web", 9443),
        "names port https/UDP, which is TCP on prod/web",
    ),
}


@pytest.mark.parametrize("code", CASES)
def test_a_denied_query_says_why_one_may_have_thought_otherwise(code: str) -> None:
    manifests, flow, said = CASES[code]
    verdict = query(manifests, *flow)
    assert verdict["allowed"] is False
    assert [hint["code"] for hint in verdict["hints"]] == [code]
    assert said in verdict["reason"]
    assert verdict["reason"].endswith(f"[{code}]")


@pytest.mark.parametrize("code", CASES)
def test_lint_finds_the_same_mistake(code: str) -> None:
    assert code in codes(*CASES[code][0])


def test_a_required_flow_that_is_denied_says_it_too() -> None:
    manifests, _flow, said = CASES["service-port"]
    flow = {"from": {"pod": "api"}, "to": {"pod": "web"}, "ports": [9443]}
    request = Request("assert", required_flows=[flow])
    (violation,) = answer(request, load([Input("test", objects=manifests)]))["violations"]
    assert said in violation["message"]
    assert [hint["code"] for hint in violation["hints"]] == ["service-port"]


def test_what_is_allowed_has_no_hint() -> None:
    manifests = [WEB, API, SERVICE, policy("{podSelector: {}, ingress: [{ports: [{port: 9443}]}]}")]
    assert query(manifests, "api", "web", 9443)["hints"] == []
    assert not codes(*manifests) & set(CASES)


def test_the_port_of_a_service_is_asked_for_instead_of_the_pods() -> None:
    manifests = [WEB, API, SERVICE, policy("{podSelector: {}, ingress: [{ports: [{port: 9443}]}]}")]
    assert "port 9443 would be allowed" in query(manifests, "api", "web", 443)["reason"]


def test_many_webhooks_behind_a_wrong_port_are_one_finding() -> None:
    client = {"clientConfig": {"service": {"namespace": "prod", "name": "web"}}}
    hooks = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "hooks"},
        "webhooks": [{"name": f"hook{number}.example.com", **client} for number in range(9)],
    }
    wrong = policy("{podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 443}]}]}")
    assert [f.code for f in findings(WEB, SERVICE, hooks, wrong)] == ["service-port"]
    right = policy("{podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 9443}]}]}")
    (cut,) = findings(WEB, SERVICE, hooks, right)
    assert "webhooks hook0.example.com" in cut.message
    assert "and 4 more" in cut.message
