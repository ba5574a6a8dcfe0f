"""Traffic that a cluster lives on under policies that are no NetworkPolicies: Calico's, Cilium's, administrators'."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ..read.test_calico import calico
from ..read.test_cilium import cilium
from .test_hints import both
from .test_lint import CLOSED, DNS, FALCO, SIDEKICK, admin, codes, findings, pod, policy
from .test_routes import NGINX, ROUTES, SERVICE, WEB, cut
from .test_traffic import BY_SERVICE, CUTS_DNS, HOOK, service, told, webhook

OUTPUTS = pod("sidekick", "falco", SIDEKICK)
RECEIVER = pod("falco", "falco", FALCO, ports=[{"containerPort": 9765}])


def baseline(spec: str) -> dict[str, Any]:
    whole = {"subject": {"namespaces": {}}, **yaml.safe_load(spec)}
    version = "policy.networking.k8s.io/v1alpha1"
    return {"apiVersion": version, "kind": "BaselineAdminNetworkPolicy", "metadata": {"name": "default"}, "spec": whole}


EVERY = "types: [Ingress, Egress]"


@pytest.mark.parametrize(
    ("rules", "is_cut"),
    [
        pytest.param(f"{{{EVERY}, ingress: [{{action: Allow}}], egress: [{{action: Allow}}]}}", False, id="open"),
        pytest.param(
            f"{{{EVERY}, ingress: [{{action: Allow, source: {{nets: [192.0.2.0/24]}}}}],"
            " egress: [{action: Allow, destination: {nets: [192.0.2.0/24]}}]}",
            False,
            id="open-for-addresses",
        ),
        pytest.param(f"{{{EVERY}}}", True, id="closed"),
        pytest.param(f"{{{EVERY}, ingress: [{{action: Deny}}], egress: [{{action: Deny}}]}}", True, id="denied"),
        pytest.param(
            f"{{{EVERY}, ingress: [{{action: Allow, source: {{selector: all()}}}}],"
            " egress: [{action: Allow, destination: {selector: all()}}]}",
            True,
            id="open-for-pods",
        ),
    ],
)
def test_a_policy_of_calico_cuts_what_its_rules_do_not_allow(rules: str, is_cut: bool) -> None:
    found = told("cuts-cluster-traffic", OUTPUTS, RECEIVER, calico(rules, "falco"))
    assert any("cuts Falcosidekick's outputs" in line for line in found) is is_cut
    assert any("to Falco's audit webhook" in line for line in found) is is_cut


@pytest.mark.parametrize(
    ("rules", "is_cut"),
    [
        ("{ingress: [{action: Allow}]}", False),
        ("{ingress: [{action: Allow, source: {namespaceSelector: all()}}]}", False),
        ("{ingress: [{action: Deny}]}", True),
        ("{types: [Ingress]}", True),
    ],
    ids=["open", "open-for-namespaces", "denied", "closed"],
)
def test_a_policy_of_calico_cuts_routes_that_its_rules_do_not_allow(rules: str, is_cut: bool) -> None:
    assert bool(cut(WEB, SERVICE, ROUTES["Ingress"], calico(rules))) is is_cut
    assert bool(cut(WEB, SERVICE, ROUTES["Ingress"], NGINX, calico(rules))) is is_cut


@pytest.mark.parametrize(
    ("rule", "is_cut"),
    [
        ("{fromEntities: [cluster]}", False),
        ("{fromEntities: [remote-node]}", False),
        ("{fromEntities: [world]}", False),
        ("{fromEndpoints: [{}]}", True),
    ],
    ids=["cluster", "nodes", "world", "pods"],
)
def test_rules_of_cilium_for_nodes_let_the_api_server_in(rule: str, is_cut: bool) -> None:
    parts = [HOOK, service({"port": 443, "targetPort": 9443}), webhook(BY_SERVICE)]
    found = told("cuts-cluster-traffic", *parts, cilium(f"{{endpointSelector: {{}}, ingress: [{rule}]}}"))
    assert bool(found) is is_cut


OUT = "egress: [{action: %s, to: [%s]}]"


@pytest.mark.parametrize(
    ("above", "is_cut"),
    [
        pytest.param(admin(OUT % ("Allow", "{networks: [0.0.0.0/0]}"), "a"), False, id="allowed"),
        pytest.param(admin(OUT % ("Allow", "{domainNames: [example.org]}"), "a"), False, id="allowed-by-name"),
        pytest.param(admin(OUT % ("Pass", "{networks: [0.0.0.0/0]}"), "a"), True, id="passed-on"),
        pytest.param(admin(OUT % ("Deny", "{networks: [0.0.0.0/0]}"), "a"), True, id="denied"),
        pytest.param(baseline(OUT % ("Allow", "{networks: [0.0.0.0/0]}")), True, id="allowed-where-nothing-isolates"),
    ],
)
def test_what_administrators_allow_is_not_cut_by_isolation(above: dict[str, Any], is_cut: bool) -> None:
    found = told("cuts-cluster-traffic", OUTPUTS, CLOSED, above)
    assert any("cuts Falcosidekick's outputs" in line for line in found) is is_cut


@pytest.mark.parametrize(
    ("above", "is_cut"),
    [
        pytest.param(admin(OUT % ("Allow", "{namespaces: {}}"), "a"), False, id="allowed"),
        pytest.param(admin(OUT % ("Pass", "{namespaces: {}}"), "a"), True, id="passed-on"),
        pytest.param(baseline(OUT % ("Allow", "{namespaces: {}}")), True, id="allowed-where-nothing-isolates"),
    ],
)
def test_what_administrators_allow_lets_isolated_pods_ask_dns(above: dict[str, Any], is_cut: bool) -> None:
    closed = policy("{podSelector: {}, policyTypes: [Egress]}")
    assert any(CUTS_DNS in line for line in told("no-dns", WEB, DNS, closed, above)) is is_cut


@pytest.mark.parametrize(
    "whole",
    [
        calico("{types: [Egress]}", namespace="", name="all"),
        cilium("{endpointSelector: {}, egress: [{toEntities: [world]}]}", namespace="", name="all"),
    ],
    ids=["calico", "cilium"],
)
def test_a_policy_of_the_whole_cluster_that_leaves_no_way_to_dns_is_told(whole: dict[str, Any]) -> None:
    (found,) = [one for one in findings(WEB, DNS, whole) if one.code == "no-dns"]
    assert found.item.endswith("Policy all")
    # A policy of the pods' own namespace comes first: there it is mended.
    own = policy("{podSelector: {}, policyTypes: [Egress]}", "own")
    (found,) = [one for one in findings(WEB, DNS, whole, own) if one.code == "no-dns"]
    assert found.item == "NetworkPolicy prod/own"


def test_what_denies_the_world_of_one_family_opens_none() -> None:
    pods = both("api", "10.0.0.2", "fd00::2")
    assert "one-family" in codes(pods, admin(OUT % ("Allow", "{networks: [0.0.0.0/0]}"), "a"))
    assert "one-family" not in codes(pods, admin(OUT % ("Deny", "{networks: [0.0.0.0/0]}"), "a"))
