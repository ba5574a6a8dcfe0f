"""Traffic that a cluster lives on: which port it comes to, who is another's, and what is no finding."""

from __future__ import annotations

from typing import Any

import pytest

from .test_lint import CLOSED, DNS, FALCO, NODE, SIDEKICK, WEB, findings, pod, policy

CUTS_DNS = "no rule lets them ask DNS"


def told(code: str, *manifests: dict[str, Any]) -> list[str]:
    return [finding.message for finding in findings(*manifests) if finding.code == code]


def webhook(client: dict[str, Any]) -> dict[str, Any]:
    hooks = [{"name": "v.example.org", "clientConfig": client}]
    return {"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "x"}, "webhooks": hooks}


def service(*ports: dict[str, Any]) -> dict[str, Any]:
    spec = {"selector": {"app": "hook"}, "ports": list(ports)}
    return {"kind": "Service", "metadata": {"name": "hook", "namespace": "prod"}, "spec": spec}


HOOK = pod("hook", ports=[{"name": "tls", "containerPort": 9443}, {"name": "http", "containerPort": 8080}])
BY_SERVICE = {"service": {"namespace": "prod", "name": "hook"}}
TO_PODS_ALONE = policy("{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}")


@pytest.mark.parametrize(
    ("target", "asked", "number"),
    [
        pytest.param("tls", 443, 9443, id="a-name-of-the-pod"),
        pytest.param("gone", 443, 443, id="a-name-that-no-container-has"),
        pytest.param(8443, 443, 8443, id="a-number"),
        pytest.param("8443", 443, 8443, id="a-number-in-quotes"),
        pytest.param(8443, 444, 444, id="a-port-that-the-service-has-not"),
    ],
)
def test_a_webhook_comes_to_the_port_that_its_service_leads_to(target: str | int, asked: int, number: int) -> None:
    hook = webhook({"service": {**BY_SERVICE["service"], "port": asked}})
    found = told("cuts-cluster-traffic", HOOK, service({"port": 443, "targetPort": target}), hook, TO_PODS_ALONE)
    assert len(found) == 1
    assert f"lets in no node on TCP {number}" in found[0]


def test_a_named_port_lets_a_webhook_in_where_the_pod_gives_it_that_number() -> None:
    parts = [HOOK, service({"port": 443, "targetPort": "tls"}), webhook(BY_SERVICE)]
    named = "{podSelector: {}, ingress: [{ports: [{port: %s}]}]}"
    assert told("cuts-cluster-traffic", *parts, policy(named % "tls")) == []
    assert told("cuts-cluster-traffic", *parts, policy(named % "http")) != []


def test_a_webhook_outside_or_on_the_host_network_is_cut_by_no_policy() -> None:
    parts = [service({"port": 443, "targetPort": 9443}), TO_PODS_ALONE]
    on_host = {**HOOK, "spec": {**HOOK["spec"], "hostNetwork": True}}
    assert told("cuts-cluster-traffic", HOOK, webhook(BY_SERVICE), *parts) != []
    assert told("cuts-cluster-traffic", on_host, webhook(BY_SERVICE), *parts) == []
    assert told("cuts-cluster-traffic", HOOK, webhook({"url": "https://hook.example.org"}), *parts) == []


def test_addresses_let_a_webhook_in_and_who_is_not_isolated_needs_none() -> None:
    parts = [HOOK, service({"port": 443, "targetPort": 9443}), webhook(BY_SERVICE)]
    nodes = policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/24}}]}]}")
    assert told("cuts-cluster-traffic", *parts, nodes) == []
    others = policy("{podSelector: {matchLabels: {app: other}}, ingress: []}")
    assert told("cuts-cluster-traffic", *parts, others) == []


def test_webhooks_of_one_service_are_told_together() -> None:
    hooks = webhook(BY_SERVICE)
    hooks["webhooks"].append({"name": "w.example.org", "clientConfig": BY_SERVICE})
    (found,) = told("cuts-cluster-traffic", HOOK, service({"port": 443, "targetPort": 9443}), hooks, TO_PODS_ALONE)
    assert "to the webhooks v.example.org, w.example.org: " in found


@pytest.mark.parametrize(("instance", "cut"), [("falco", True), ("another", False)])
@pytest.mark.parametrize("namespace", ["other", "falco"])
def test_falco_needs_the_falcosidekick_of_its_own_installation(namespace: str, instance: str, cut: bool) -> None:
    """In its own namespace whatever the labels say."""
    cut = cut or namespace == "falco"
    labels = {**SIDEKICK, "app.kubernetes.io/instance": instance}
    falco, sidekick = pod("falco", "falco", FALCO), pod("sidekick", namespace, labels)
    found = told("cuts-cluster-traffic", falco, sidekick, CLOSED)
    assert any("cuts Falco to Falcosidekick" in line for line in found) is cut


UI, REDIS = ({**SIDEKICK, "app.kubernetes.io/component": one} for one in ("ui", "redis"))


@pytest.mark.parametrize(
    ("pods", "port", "way"),
    [
        ((FALCO, SIDEKICK), 2801, "cuts Falco to Falcosidekick: falco/a -> falco/b on TCP 2801"),
        ((SIDEKICK, UI), 2802, "cuts Falcosidekick to its UI: falco/a -> falco/b on TCP 2802"),
        ((UI, REDIS), 6379, "cuts Falcosidekick's UI to Redis: falco/a -> falco/b on TCP 6379"),
    ],
    ids=["falcosidekick", "ui", "redis"],
)
def test_each_part_of_falco_needs_one_port_of_the_next(
    pods: tuple[dict[str, str], dict[str, str]], port: int, way: str
) -> None:
    both = [pod(name, "falco", labels) for name, labels in zip("ab", pods)]
    for opened, cut in ((port, False), (port + 1, True)):
        rules = f"{{podSelector: {{}}, ingress: [{{ports: [{{port: {opened}}}]}}]}}"
        assert (way in told("cuts-cluster-traffic", *both, policy(rules, "p", "falco"))) is cut


RECEIVER = {**service({"port": 9765}), "spec": {"selector": FALCO, "ports": [{"port": 9765}]}}
RECEIVER["metadata"] = {"name": "audit", "namespace": "falco"}


@pytest.mark.parametrize(
    ("labels", "ports", "services", "cut"),
    [
        pytest.param(FALCO, [{"containerPort": 9765}], [], True, id="its-container-says-so"),
        pytest.param(FALCO, [], [RECEIVER], True, id="a-service-leads-there"),
        pytest.param(FALCO, [], [], False, id="it-receives-nothing"),
        pytest.param(FALCO, [{"containerPort": 8765}], [], False, id="another-port"),
        pytest.param({"app": "other"}, [{"containerPort": 9765}], [], False, id="not-falco"),
    ],
)
def test_the_api_server_needs_the_falco_that_receives_audit_events(
    labels: dict[str, str], ports: list[dict[str, Any]], services: list[dict[str, Any]], cut: bool
) -> None:
    found = told("cuts-cluster-traffic", pod("falco", "falco", labels, ports=ports), *services, CLOSED)
    assert any("falco/falco lets in no node on TCP 9765" in line for line in found) is cut
    other: dict[str, Any] = {**RECEIVER, "spec": {"selector": FALCO, "ports": [{"port": 80}]}}
    assert told("cuts-cluster-traffic", pod("falco", "falco", FALCO), other, CLOSED) == []


@pytest.mark.parametrize(
    ("ports", "number"),
    [([], 10250), ([{"name": "https", "containerPort": 4443}], 4443), ([{"name": "web", "containerPort": 80}], 10250)],
    ids=["unless-it-says", "as-it-says", "another-port"],
)
def test_the_metrics_server_is_asked_at_its_port(ports: list[dict[str, Any]], number: int) -> None:
    server = pod("m", "kube-system", {"k8s-app": "metrics-server"}, ports=ports)
    (found,) = told("cuts-cluster-traffic", server, policy("{podSelector: {}}", "closed", "kube-system"))
    assert found.endswith(f"kube-system/m lets in no node on TCP {number}")


@pytest.mark.parametrize(
    ("egress", "cut"),
    [
        ("[{to: [{ipBlock: {cidr: 192.0.2.0/24}}], ports: [{port: 443}]}]", False),
        ("[{to: [{ipBlock: {cidr: 192.0.2.0/24}}], ports: [{port: 80}]}]", False),
        ("[{to: [{ipBlock: {cidr: 192.0.2.0/24}}], ports: [{port: 53, protocol: UDP}]}]", True),
        ("[{to: [{ipBlock: {cidr: 192.0.2.0/24}}], ports: [{port: https}]}]", True),
        ("[{to: [{podSelector: {}}], ports: [{port: 443}]}]", True),
    ],
    ids=["https", "http", "dns", "a-name-that-no-address-has", "pods"],
)
def test_outputs_need_addresses_outside(egress: str, cut: bool) -> None:
    rules = policy("{podSelector: {}, policyTypes: [Egress], egress: " + egress + "}", "p", "falco")
    found = told("cuts-cluster-traffic", pod("sidekick", "falco", SIDEKICK), rules)
    assert any("cuts Falcosidekick's outputs" in line for line in found) is cut
    inward = policy("{podSelector: {}, policyTypes: [Ingress], ingress: [{}]}", "p", "falco")
    assert told("cuts-cluster-traffic", pod("sidekick", "falco", SIDEKICK), inward) == []
    others = policy("{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}", "p", "falco")
    assert told("cuts-cluster-traffic", pod("sidekick", "falco", SIDEKICK), pod("web", "falco"), others) == []


ASKS = "{podSelector: {}, policyTypes: [Egress], egress: [{%sports: [{port: 53, protocol: UDP}]}]}"


def test_a_rule_for_everyone_or_the_servers_lets_pods_ask_dns() -> None:
    servers = "to: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: %s}}}], "
    assert any(CUTS_DNS in line for line in told("no-dns", WEB, DNS, policy(ASKS % (servers % "other"))))
    assert told("no-dns", WEB, DNS, policy(ASKS % (servers % "kube-dns"))) == []
    assert told("no-dns", WEB, DNS, policy(ASKS % "")) == []


def test_a_rule_that_denies_lets_nobody_ask_dns() -> None:
    rule = {"toPorts": [{"ports": [{"port": "53", "protocol": "UDP"}]}], "toEntities": ["all"]}
    cilium: dict[str, Any] = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": {"name": "c", "namespace": "prod"},
        "spec": {"endpointSelector": {}, "egress": [rule]},
    }
    assert told("no-dns", WEB, DNS, cilium) == []
    cilium["spec"] = {"endpointSelector": {}, "egressDeny": [rule]}
    assert any(CUTS_DNS in line for line in told("no-dns", WEB, DNS, cilium))


@pytest.mark.parametrize(("app", "cut"), [("node-local-dns", False), ("kube-dns", True)])
def test_a_cache_on_the_nodes_is_asked_at_an_address_of_its_own(app: str, cut: bool) -> None:
    server = pod("server", "kube-system", {"k8s-app": app}, ip="10.0.0.53")
    asks = policy(ASKS % "to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}], ")
    assert any(CUTS_DNS in line for line in told("no-dns", NODE, WEB, server, asks)) is cut


def test_policies_without_any_pod_are_one_finding() -> None:
    (found,) = findings(policy("{podSelector: {}}"), policy("{podSelector: {}}", "q"))
    assert (found.code, found.severity) == ("no-workloads", "warning")
    assert "has 2 policies and no pod" in found.message
