"""Each finding of lint is found where it should be, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import Finding
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.reference import decide
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.lint.lint import lint
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.lint.rules import rule_within
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Options
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load
from hypothesis import HealthCheck, given, settings

from ..clusters import build, network_policies, objects


def pod(name: str, namespace: str = "prod", labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name} if labels is None else labels},
        "spec": {"containers": [{"name": "main", "ports": more.get("ports", [])}]},
    }
    if "ip" in more:
        found["status"] = {"podIP": more["ip"]}
    if "owner" in more:
        found["metadata"]["ownerReferences"] = [{"controller": True, "kind": "Deployment", "name": more["owner"]}]
    return found


def policy(spec: str, name: str = "p", namespace: str = "prod") -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": yaml.safe_load(spec),
    }


def admin(spec: str, name: str, priority: int = 1) -> dict[str, Any]:
    return {
        "apiVersion": "policy.networking.k8s.io/v1alpha1",
        "kind": "AdminNetworkPolicy",
        "metadata": {"name": name},
        "spec": {"priority": priority, "subject": {"namespaces": {}}, **yaml.safe_load(spec)},
    }


def findings(*manifests: dict[str, Any]) -> list[Finding]:
    model = load([Input("test", objects=list(manifests))])
    return lint(model, model.policies, Options())


def codes(*manifests: dict[str, Any]) -> set[str]:
    return {finding.code for finding in findings(*manifests)}


WEB = pod("web", ports=[{"name": "http", "containerPort": 8080}])
DNS = pod("dns", "kube-system", {"k8s-app": "kube-dns"})
FINE = policy("{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: http}]}]}")
FALCO = {"app.kubernetes.io/name": "falco", "app.kubernetes.io/instance": "falco"}
SIDEKICK = {"app.kubernetes.io/name": "falcosidekick", "app.kubernetes.io/instance": "falco"}
CLOSED = policy("{podSelector: {}, policyTypes: [Ingress, Egress]}", "closed", "falco")


#: With a Node in it, the input is taken for all of a cluster.
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node"}}


def test_a_policy_that_does_what_it_says_has_no_finding() -> None:
    assert findings(WEB, FINE) == []


@pytest.mark.parametrize(
    ("code", "manifests", "message"),
    [
        ("selects-nothing", [WEB, FINE, policy("{podSelector: {matchLabels: {app: wep}}}", "q")], "selects no pod"),
        (
            "peer-matches-nothing",
            [WEB, policy("{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: wob}}}]}]}")],
            "no pod matches",
        ),
        (
            "namespace-label-missing",
            [NODE, WEB, policy("{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {t: x}}}]}]}")],
            "no namespace has the label t=x",
        ),
        (
            "namespace-name-label",
            [WEB, policy("{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {name: prod}}}]}]}")],
            "kubernetes.io/metadata.name",
        ),
        (
            "named-port-missing",
            [WEB, policy("{podSelector: {}, ingress: [{ports: [{port: htp}]}]}")],
            "no pod that it is about has a port htp/TCP",
        ),
        (
            "port-not-declared",
            [WEB, policy("{podSelector: {}, ingress: [{ports: [{port: 80}]}]}")],
            "no container that it selects declares port 80/TCP",
        ),
        (
            "redundant-rule",
            [WEB, policy("{podSelector: {}, ingress: [{}, {ports: [{port: 8080}]}]}")],
            "ingress rule 1 allows nothing that rule 0 of the same policy does not",
        ),
        (
            "no-dns",
            [WEB, DNS, policy("{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 443}]}]}")],
            "no rule lets them ask DNS",
        ),
        (
            "ip-block-covers-pods",
            [pod("a", ip="10.0.0.1"), policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}")],
            "covers addresses of pods (prod/a)",
        ),
        ("pods-without-policy", [WEB, FINE, pod("bare", "dev")], "no policy selects Pod/bare"),
        (
            "mixed-labels",
            [
                pod("w-1", labels={"app": "web", "track": "stable"}, owner="w"),
                pod("w-2", labels={"app": "web"}, owner="w"),
                policy("{podSelector: {matchLabels: {track: stable}}}"),
            ],
            "differ in the label track",
        ),
        (
            "shadowed-rule",
            [
                WEB,
                admin("ingress: [{action: Deny, from: [{namespaces: {}}]}]", "first"),
                admin("ingress: [{action: Allow, from: [{namespaces: {matchLabels: {a: b}}}]}]", "second", 2),
            ],
            "is never reached: rule 0 of AdminNetworkPolicy first (Deny) comes first",
        ),
        (
            "priority-tie",
            [
                WEB,
                admin("ingress: [{action: Deny, from: [{namespaces: {}}]}]", "first"),
                admin("egress: [{action: Deny, to: [{namespaces: {}}]}]", "second"),
            ],
            "has priority 1 as AdminNetworkPolicy first",
        ),
        (
            "domain-names",
            [WEB, admin('egress: [{action: Allow, to: [{domainNames: ["example.org"]}]}]', "first")],
            "domain names (example.org)",
        ),
        (
            "cuts-cluster-traffic",
            [pod("falco", "falco", FALCO), pod("sidekick", "falco", SIDEKICK), CLOSED],
            "cuts Falco to Falcosidekick",
        ),
        (
            "cuts-cluster-traffic",
            [pod("sidekick", "falco", SIDEKICK), CLOSED],
            "cuts Falcosidekick's outputs",
        ),
        (
            "cuts-cluster-traffic",
            [
                pod("ui", "falco", {**SIDEKICK, "app.kubernetes.io/component": "ui"}),
                pod("redis", "falco", {**SIDEKICK, "app.kubernetes.io/component": "redis"}),
                CLOSED,
            ],
            "cuts Falcosidekick's UI to Redis",
        ),
        (
            "cuts-cluster-traffic",
            [pod("audit", "falco", FALCO, ports=[{"containerPort": 9765}]), CLOSED],
            "to Falco's audit webhook",
        ),
        (
            "cuts-cluster-traffic",
            [
                pod(
                    "m", "kube-system", {"k8s-app": "metrics-server"}, ports=[{"name": "https", "containerPort": 10250}]
                ),
                policy("{podSelector: {}}", "closed", "kube-system"),
            ],
            "to the metrics server: kube-system/m lets in no node on TCP 10250",
        ),
        (
            "cuts-cluster-traffic",
            [
                pod("hook"),
                {
                    "kind": "Service",
                    "metadata": {"name": "hook", "namespace": "prod"},
                    "spec": {"selector": {"app": "hook"}, "ports": [{"port": 443, "targetPort": 9443}]},
                },
                {
                    "kind": "ValidatingWebhookConfiguration",
                    "metadata": {"name": "x"},
                    "webhooks": [
                        {"name": "v.example.org", "clientConfig": {"service": {"namespace": "prod", "name": "hook"}}}
                    ],
                },
                policy("{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}"),
            ],
            "to the webhook v.example.org: prod/hook lets in no node on TCP 9443",
        ),
    ],
)
def test_a_finding_is_found(code: str, manifests: list[dict[str, Any]], message: str) -> None:
    told = [finding.message for finding in findings(*manifests) if finding.code == code]
    assert any(message in line for line in told), findings(*manifests)


def test_opened_traffic_is_no_finding() -> None:
    open_ = policy("{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}", "open", "falco")
    pods = [pod("falco", "falco", FALCO, ports=[{"containerPort": 9765}]), pod("sidekick", "falco", SIDEKICK)]
    assert codes(*pods, open_) == set()


def test_hints_name_the_nearest_thing() -> None:
    (finding,) = [f for f in findings(WEB, FINE, policy("{podSelector: {matchLabels: {app: wep}}}", "q")) if f.hint]
    assert finding.hint == "did you mean app=web?"


def test_an_unknown_field_and_a_replaced_object_are_findings_with_their_lines() -> None:
    text = yaml.safe_dump_all([WEB, FINE, FINE]).replace("ingress:", "ingres:")
    model = load([Input("file.yaml", text=text)])
    found = {f.code: f for f in lint(model, model.policies, Options())}
    assert found["unknown-field"].file == "file.yaml"
    assert found["unknown-field"].line is not None
    assert "replaces the one in file.yaml:" in found["duplicate-object"].message


def test_a_file_that_repeats_many_objects_of_others_is_one_finding() -> None:
    objects = [policy("{podSelector: {}}", f"p{number}") for number in range(6)]
    inputs = [Input(name, text=yaml.safe_dump_all([WEB, *objects])) for name in ("base.yaml", "all.yaml")]
    model = load(inputs)
    (found,) = [f for f in lint(model, model.policies, Options()) if f.code == "duplicate-object"]
    assert found.file == "all.yaml"
    assert found.message.startswith("7 objects of this file replace others of the same name (")
    assert "and 2 more" in found.message
    assert len(model.problems) == 7


relaxed = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@relaxed
@given(objects(cluster_scoped=False), network_policies(7), network_policies(8))
def test_a_redundant_rule_can_go_without_any_difference(
    manifests: list[dict[str, Any]], first: dict[str, Any], second: dict[str, Any]
) -> None:
    second["metadata"]["namespace"] = first["metadata"]["namespace"]
    model = build([*manifests, first, second])
    by_name = {policy.full_name: policy for policy in model.policies}
    for finding in lint(model, model.policies, Options()):
        if finding.code != "redundant-rule":
            continue
        direction, _rule, index = finding.message.split()[:3]
        whole = by_name[finding.item]
        kept = tuple(rule for rule in whole.rules(direction) if rule.index != int(index))
        smaller = whole.__class__(**{**whole.__dict__, direction: kept})
        others = [smaller if policy is whole else policy for policy in model.policies]
        for source in model.pods:
            for destination in model.pods:
                for port in (53, 80, 81, 8080):
                    for protocol in ("TCP", "UDP"):
                        before = decide(model, model.policies, source, destination, protocol, port).allowed
                        assert decide(model, others, source, destination, protocol, port).allowed == before


@relaxed
@given(network_policies(1))
def test_every_rule_is_within_itself(manifest: dict[str, Any]) -> None:
    (found,) = build([manifest]).policies
    for rule in found.ingress + found.egress:
        assert rule_within(rule, rule)


@pytest.mark.parametrize(
    ("block", "cut"),
    [
        ("cidr: 8.8.8.8/32", True),
        ("cidr: 0.0.0.0/0, except: [10.0.0.0/8]", True),
        ("cidr: 0.0.0.0/0", False),
        ("cidr: 10.0.0.53/32", False),
        ("cidr: 10.96.0.10/32", False),
        ("cidr: 169.254.20.10/32", False),
    ],
)
def test_dns_that_a_block_does_not_hold_is_cut_though_its_port_is_open(block: str, cut: bool) -> None:
    labels = {"k8s-app": "kube-dns"}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": "kube-system"},
        "spec": {"clusterIP": "10.96.0.10", "selector": labels, "ports": [{"port": 53, "protocol": "UDP"}]},
    }
    rule = "{to: [{ipBlock: {" + block + "}}], ports: [{port: 53, protocol: UDP}]}"
    asks = policy("{podSelector: {}, policyTypes: [Egress], egress: [" + rule + "]}")
    found = codes(pod("web"), pod("dns", "kube-system", labels, ip="10.0.0.53"), service, asks)
    assert ("no-dns" in found) is cut
