"""Why a connection is allowed or denied, in one sentence, and over which family of addresses it is decided."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.reference import Decider
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.verdict import Decision, Verdict
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Options

from ..clusters import build
from ..lint.test_hints import both
from ..lint.test_lint import NODE, admin, pod, policy
from ..read.test_cilium import cilium

WEB, DB = pod("web", ip="10.0.0.1"), pod("db", ip="10.0.0.5")
HOST: dict[str, Any] = {**pod("agent"), "spec": {"hostNetwork": True}}


def ask(
    *manifests: dict[str, Any], start: str = "web", end: str = "db", port: int = 80, options: Options | None = None
) -> Verdict:
    model = build(list(manifests))
    pods = {one.name: one for one in model.pods}
    return Decider(model, model.policies, options).decide(pods[start], pods[end], "TCP", port)


def ingress(*manifests: dict[str, Any], **more: Any) -> Decision:
    found = ask(*manifests, **more).ingress
    assert found is not None
    return found


def block(*cidrs: str, name: str = "p") -> dict[str, Any]:
    rules = ", ".join(f"{{from: [{{ipBlock: {{cidr: '{cidr}'}}}}]}}" for cidr in cidrs)
    return policy(f"{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{rules}]}}", name)


OUT = policy("{podSelector: {}, policyTypes: [Egress], egress: [{}]}", "out")
CLOSED = policy("{podSelector: {}}", "closed")
NAMED = admin("ingress: [{action: Deny, name: no-web, from: [{namespaces: {}}]}]", "a")
NEW = pod("web")
OF_HALVES = block("0.0.0.0/1", "128.0.0.0/1")


@pytest.mark.parametrize(
    ("manifests", "reason"),
    [
        pytest.param([WEB, DB], "no policy selects prod/db for ingress", id="no-policy"),
        pytest.param([NEW, DB], "no policy selects prod/db for ingress", id="no-policy-whatever-its-address"),
        pytest.param([WEB, DB, OUT], "no policy selects prod/db for ingress", id="a-policy-of-the-other-direction"),
        pytest.param(
            [WEB, DB, admin("ingress: [{action: Deny, from: [{namespaces: {matchLabels: {a: b}}}]}]", "a")],
            "no policy isolates prod/db for ingress and no other rule matches",
            id="no-rule-matches",
        ),
        pytest.param(
            [WEB, DB, CLOSED],
            "NetworkPolicy prod/closed isolates prod/db for ingress and no rule allows it",
            id="isolated",
        ),
        pytest.param(
            [WEB, DB, CLOSED, block("10.0.0.4/30")],
            "NetworkPolicy prod/closed, NetworkPolicy prod/p isolate prod/db for ingress and no rule allows it",
            id="isolated-by-two",
        ),
        pytest.param([WEB, DB, block("10.0.0.0/30")], "allowed by NetworkPolicy prod/p, ingress rule 0", id="allowed"),
        pytest.param(
            [WEB, DB, NAMED],
            "denied by AdminNetworkPolicy a, ingress rule 0 (no-web), in the admin tier",
            id="denied-by-a-named-rule",
        ),
        pytest.param(
            [WEB, DB, admin("ingress: [{action: Allow, from: [{namespaces: {}}]}]", "a"), CLOSED],
            "allowed by AdminNetworkPolicy a, ingress rule 0, in the admin tier",
            id="allowed-above",
        ),
        pytest.param(
            [NEW, DB, OF_HALVES],
            "whatever address prod/web gets: allowed by NetworkPolicy prod/p, ingress rule 0"
            " or allowed by NetworkPolicy prod/p, ingress rule 1",
            id="whatever-its-address",
        ),
        pytest.param([WEB, DB, OF_HALVES], "allowed by NetworkPolicy prod/p, ingress rule 0", id="at-its-address"),
        pytest.param(
            [NEW, DB, block("10.0.0.0/30")],
            "undetermined: the address of prod/web is not known, and blocks hold a part of those that it may have:"
            " allowed by NetworkPolicy prod/p, ingress rule 0 or NetworkPolicy prod/p isolates prod/db for ingress and"
            " no rule allows it",
            id="by-its-address",
        ),
        pytest.param(
            [WEB, DB, cilium("{endpointSelector: {}, ingress: [{fromServices: [{}]}]}")],
            "undetermined: fromServices of CiliumNetworkPolicy prod/c are not analysed: allowed by CiliumNetworkPolicy"
            " prod/c, ingress rule 0 or CiliumNetworkPolicy prod/c isolates prod/db for ingress and no rule allows it",
            id="by-what-is-not-analysed",
        ),
    ],
)
def test_a_reason_says_which_rule_or_isolation_decides(manifests: list[dict[str, Any]], reason: str) -> None:
    assert ingress(*manifests).reason == reason


def test_on_the_host_network_the_reason_is_that_no_policy_holds_there() -> None:
    said = "prod/agent is on the host network, where no policy holds for it"
    assert ingress(WEB, HOST, CLOSED, end="agent").reason == said
    assert ingress(WEB, HOST, CLOSED, end="agent", options=Options(policies_select_host_network=True)).allowed is False
    found = ingress(WEB, HOST, end="agent", options=Options(policies_select_host_network=True))
    assert found.reason == "no policy selects prod/agent for ingress"


def test_only_policies_of_the_direction_are_considered() -> None:
    found = ask(WEB, DB, OUT, CLOSED)
    assert found.egress is not None
    assert found.ingress is not None
    assert found.egress.considered == ("NetworkPolicy prod/out",)
    assert found.ingress.considered == ("NetworkPolicy prod/closed",)


def test_a_template_stands_for_several_pods_of_which_none_reaches_the_other_by_itself() -> None:
    template = {"metadata": {"labels": {"app": "w"}}, "spec": {"containers": []}}
    metadata = {"name": "w", "namespace": "prod"}
    workload = {"kind": "Deployment", "metadata": metadata, "spec": {"replicas": 2, "template": template}}
    assert ask(workload, CLOSED, start="w", end="w").allowed is False
    assert ask(WEB, CLOSED, end="web").note == "a pod always reaches itself"


FOUR, SIX = pod("four", ip="10.0.0.9"), pod("six", ip="fd00::9")
BOTH = both("db", "10.0.0.5", "fd00::5")


@pytest.mark.parametrize(
    ("start", "end", "cidr", "allowed"),
    [
        pytest.param(SIX, BOTH, "0.0.0.0/0", False, id="over-ipv6-alone"),
        pytest.param(SIX, BOTH, "::/0", True, id="over-ipv6"),
        pytest.param(both("both", "10.0.0.2", "fd00::2"), BOTH, "0.0.0.0/0", True, id="over-either"),
        pytest.param(
            both("both", "10.0.0.2", "fd00::2"), pod("db", ip="fd00::5"), "0.0.0.0/0", False, id="over-the-other"
        ),
        pytest.param(SIX, pod("db", ip="10.0.0.5"), "fd00::9/128", True, id="over-none-that-both-have"),
        pytest.param(SIX, pod("db", ip="10.0.0.5"), "0.0.0.0/0", False, id="over-none-and-not-by-its-own"),
        pytest.param(FOUR, pod("db"), "0.0.0.0/0", True, id="of-an-end-without-an-address"),
    ],
)
def test_an_address_counts_over_the_families_that_both_ends_have(
    start: dict[str, Any], end: dict[str, Any], cidr: str, allowed: bool
) -> None:
    assert ask(start, end, block(cidr), start=start["metadata"]["name"]).allowed is allowed


def test_over_one_of_two_families_a_new_pod_comes_in_whatever_its_address() -> None:
    found = ask(NEW, BOTH, block("0.0.0.0/0"))
    assert (found.allowed, found.undetermined) == (True, False)


@pytest.mark.parametrize("option", [True, False])
def test_a_pod_on_the_host_network_is_a_node_wherever_it_runs(option: bool) -> None:
    """So do rules for nodes hold it, whatever blocks do of pods."""
    nodes = {**NODE, "status": {"addresses": [{"address": "192.0.2.1"}, {"address": "192.0.2.2"}]}}
    deny = admin("egress: [{action: Deny, to: [{nodes: {}}]}]", "a")
    for agent in (HOST, {**HOST, "status": {"podIP": "192.0.2.2"}}):
        assert ask(WEB, agent, nodes, deny, end="agent", options=Options(block_matches_pods=option)).allowed is False
    assert ask(WEB, DB, nodes, deny).allowed is True


def test_a_named_port_is_the_one_of_that_name() -> None:
    ports = [{"name": "http", "containerPort": 80}, {"name": "sql", "containerPort": 5432}]
    rule = policy("{podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: sql}]}]}")
    assert ask(WEB, pod("db", ports=ports), rule, port=80).allowed is False
    assert ask(WEB, pod("db", ports=ports), rule, port=5432).allowed is True
