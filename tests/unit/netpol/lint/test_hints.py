"""A denied query says why one may have thought otherwise, and lint finds the same mistake."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import FlowError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load

from .test_lint import codes, findings, pod, policy

WEB = pod("web", ports=[{"name": "https", "containerPort": 9443}], ip="10.0.0.1")
API = pod("api", ip="10.0.0.2")
OPS = {"kind": "Namespace", "metadata": {"name": "ops", "labels": {"team": "ops"}}}
PROD = {"kind": "Namespace", "metadata": {"name": "prod", "labels": {"team": "dev"}}}
PROBE = pod("probe", "ops", ip="10.0.0.4")
SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "prod"},
    "spec": {"clusterIP": "10.96.0.7", "selector": {"app": "web"}, "ports": [{"port": 443, "targetPort": 9443}]},
}
AGENT: dict[str, Any] = {**pod("agent", ip="192.0.2.9"), "spec": {"hostNetwork": True}}
DNS = pod("dns", "kube-system", {"k8s-app": "kube-dns"}, ip="10.0.0.53")


def both(name: str, *addresses: str) -> dict[str, Any]:
    found = pod(name)
    found["status"] = {"podIPs": [{"ip": address} for address in addresses]}
    return found


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
    "no-dns": (
        [
            pod("api", ip="10.0.0.2"),
            DNS,
            policy(
                "{podSelector: {matchLabels: {app: api}}, policyTypes: [Egress],"
                " egress: [{to: [{ipBlock: {cidr: 8.8.8.8/32}}], ports: [{port: 53, protocol: UDP}, {port: 53}]}]}"
            ),
        ],
        ("api", "dns", 53),
        "egress rule 0 of NetworkPolicy prod/p opens TCP 53 for 8.8.8.8/32, which kube-system/dns, the cluster's DNS",
    ),
    "one-family": (
        [
            both("api", "10.0.0.2", "fd00::2"),
            both("web", "10.0.0.1", "fd00::1"),
            pod("six", ip="fd00::9"),
            policy("{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}"),
        ],
        ("six", "web", 80),
        "opens IPv4 alone, and prod/six is IPv6",
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


@pytest.mark.parametrize("code", CASES)
def test_an_explanation_says_it_too(code: str) -> None:
    manifests, (start, to, _port), said = CASES[code]
    request = Request("explain", source={"pod": start}, destination={"pod": to})
    result = answer(request, load([Input("test", objects=manifests)]))
    told = [item for item in result["explanations"] if any(hint["code"] == code for hint in item["hints"])]
    assert told
    assert all(not item["allowed"] for item in told)
    assert any(said in item["reason"] for item in told)
    assert any(f"[{code}]" in line for line in result["text"])


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
    # As kubebuilder has it: the policy for metrics comes first, and its port is told by a Service alone.
    metrics = policy("{podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 8443}]}]}", "a-metrics")
    leads = {**SERVICE["spec"], "ports": [{"port": 8443, "targetPort": 8443}]}
    service = {**SERVICE, "metadata": {"name": "metrics", "namespace": "prod"}, "spec": leads}
    assert [f.code for f in findings(WEB, SERVICE, service, hooks, metrics, wrong)] == ["service-port"]

    right = policy("{podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 9443}]}]}")
    (cut,) = findings(WEB, SERVICE, hooks, right)
    assert "webhooks hook0.example.com" in cut.message
    assert "and 4 more" in cut.message


def test_a_policy_for_pods_that_an_operator_makes_is_no_finding() -> None:
    database = {
        "apiVersion": "db.example.com/v1",
        "kind": "Postgres",
        "metadata": {"name": "db", "namespace": "prod"},
        "spec": {"replicas": 2},
    }
    asks = policy("{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: db}}}]}]}", "p")
    serves = policy("{podSelector: {matchLabels: {app: db}}, ingress: [{}]}", "q")
    assert codes(WEB, asks, serves) == {"peer-matches-nothing", "selects-nothing"}
    assert codes(WEB, asks, serves, database) == set()
    elsewhere = {**database, "metadata": {"name": "db", "namespace": "dev"}}
    assert codes(WEB, asks, serves, elsewhere) == {"peer-matches-nothing", "selects-nothing"}


def openshift_dns(port: int) -> list[dict[str, Any]]:
    labels = {"dns.operator.openshift.io/daemonset-dns": "default"}
    ports = [{"name": "dns", "port": 53, "protocol": "UDP", "targetPort": "dns"}]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "dns-default", "namespace": "openshift-dns"},
        "spec": {"selector": labels, "ports": ports},
    }
    listens = [{"name": "dns", "containerPort": 5353, "protocol": "UDP"}]
    asks = (
        "{podSelector: {}, policyTypes: [Egress],"
        f" egress: [{{to: [{{namespaceSelector: {{}}}}], ports: [{{port: {port}, protocol: UDP}}]}}]}}"
    )
    server = pod("dns", "openshift-dns", labels, ports=listens, ip="10.0.0.53")
    return [API, server, service, policy(asks)]


def test_a_dns_service_that_leads_53_to_5353_needs_5353() -> None:
    (found,) = [f for f in findings(*openshift_dns(53)) if f.code == "no-dns"]
    assert found.hint == "allow egress to the DNS pods on 5353/UDP and 5353/TCP, where their Service leads 53 to"
    assert "no-dns" not in codes(*openshift_dns(5353))
    asked = {"namespace": "openshift-dns", "service": "dns-default"}
    request = Request("query", source={"pod": "api"}, destination=asked, ports=["53/UDP"])
    (verdict,) = answer(request, load([Input("test", objects=openshift_dns(53))]))["verdicts"]
    assert "leads 53 to 5353: policies see the pod's port 5353 [service-port]" in verdict["reason"]


@pytest.mark.parametrize(
    ("ingress", "cut"),
    [
        ("[]", True),
        ("[{from: [{podSelector: {}}]}]", True),
        ("[{from: [{namespaceSelector: {}}], ports: [{port: 53}]}]", True),
        ("[{from: [{namespaceSelector: {}}], ports: [{port: 53, protocol: UDP}]}]", False),
        ("[{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]", False),
    ],
)
def test_a_default_deny_around_the_dns_servers_cuts_everybody(ingress: str, cut: bool) -> None:
    deny = policy(f"{{podSelector: {{}}, ingress: {ingress}}}", "deny", "kube-system")
    found = [f for f in findings(API, DNS, deny) if f.code == "no-dns"]
    assert [f.item for f in found] == (["NetworkPolicy kube-system/deny"] if cut else [])
    if cut:
        assert "the DNS server kube-system/Pod/dns is isolated and no rule lets pods of prod ask it" in found[0].message
    request = Request("query", source={"pod": "api"}, destination={"pod": "dns"}, ports=["53/UDP"])
    (verdict,) = answer(request, load([Input("test", objects=[API, DNS, deny])]))["verdicts"]
    assert [hint["code"] for hint in verdict["hints"]] == (["no-dns"] if cut else [])


def test_a_policy_for_pods_on_the_host_network_alone_says_that_it_does_nothing() -> None:
    (found,) = [f for f in findings(AGENT, policy("{podSelector: {matchLabels: {app: agent}}}")) if f.item[0] == "N"]
    assert found.code == "host-network-subject"
    assert "selects only pods on the host network (prod/Pod/agent)" in found.message


def test_a_source_on_the_host_network_is_told_why_its_policy_does_not_hold() -> None:
    deny = policy("{podSelector: {matchLabels: {app: agent}}, policyTypes: [Egress]}")
    verdict = query([WEB, AGENT, deny], "agent", "web", 9443)
    assert verdict["allowed"] is True
    assert verdict["egress"]["reason"] == "prod/agent is on the host network, where no policy holds for it"
    request = Request("query", source={"labels": {"app": "agent"}}, destination={"pod": "web"}, ports=[9443])
    with pytest.raises(FlowError, match="take part only where workload or pod names them"):
        answer(request, load([Input("test", objects=[WEB, AGENT])]))


EXTERNAL: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "db", "namespace": "prod"},
    "spec": {"ports": [{"name": "sql", "port": 5432}]},
}


@pytest.mark.parametrize(
    ("egress", "allowed", "partly"),
    [("[{}]", True, True), ("[]", False, False), ("[{to: [{ipBlock: {cidr: 192.0.2.0/24}}]}]", False, True)],
)
def test_a_service_without_a_selector_has_an_answer(egress: str, allowed: bool, partly: bool) -> None:
    manifests = [API, EXTERNAL, policy(f"{{podSelector: {{}}, policyTypes: [Egress], egress: {egress}}}")]
    end = {"service": "db", "namespace": "prod"}
    model = load([Input("test", objects=manifests)])
    result = answer(Request("query", source={"pod": "api"}, destination=end, ports=[5432]), model)
    assert (result["allowed"], result["partly"]) == (allowed, partly)
    assert result["notes"] == [
        "Service prod/db has no selector, and policies see its endpoints, which are not in the input and may be any"
        " address"
    ]
    flows = [{"from": {"pod": "api"}, "to": end, "ports": [5432]}]
    violations = answer(Request("assert", required_flows=flows), model)["violations"]
    codes_ = [[hint["code"] for hint in violation["hints"]] for violation in violations]
    assert codes_ == ([] if allowed else [["service-without-selector"]])
    assert "service-without-selector" in codes(*manifests)


def test_a_service_with_endpoints_is_answered_for_them() -> None:
    endpoints = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": "db", "namespace": "prod"},
        "subsets": [{"addresses": [{"ip": "192.0.2.7"}], "ports": [{"name": "sql", "port": 6432}]}],
    }
    rule = "[{to: [{ipBlock: {cidr: 192.0.2.7/32}}], ports: [{port: 6432}]}]"
    opened = policy(f"{{podSelector: {{}}, policyTypes: [Egress], egress: {rule}}}")
    request = Request("query", source={"pod": "api"}, destination={"service": "db"}, ports=[5432])
    result = answer(request, load([Input("test", objects=[API, EXTERNAL, endpoints, opened])]))
    assert (result["allowed"], result["notes"]) == (True, [])
    assert result["connections"] == [{"from": "prod/api", "to": "192.0.2.7", "protocol": "TCP", "ports": "6432"}]
    assert "service-without-selector" not in codes(API, EXTERNAL, endpoints, opened)
