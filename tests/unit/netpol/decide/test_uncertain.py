"""Pods without an address and rules that are not analysed: the engine says of them what the reference says."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide import tiers
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.engine import Engine
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.rows import spread
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.universe import Universe
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Options

from ..clusters import build
from ..lint.test_hints import both
from ..lint.test_lint import NODE, admin, pod, policy
from ..lint.test_other_kinds import baseline
from ..read.test_calico import calico
from ..read.test_cilium import cilium
from . import test_engine

PODS: list[dict[str, Any]] = [
    pod("new", ports=[{"name": "http", "containerPort": 80}, {"name": "dns", "containerPort": 53}]),
    pod("other"),
    pod("web", ip="10.0.0.1"),
    pod("db", ip="10.0.0.9"),
    {**pod("agent"), "spec": {"hostNetwork": True}},
]
DUAL = [both("web", "10.0.0.1", "fd00::1"), pod("six", ip="fd00::2"), pod("new"), pod("other")]
LOW, HIGH, SOME, FEW = "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/28", "10.0.0.0/30"
EVERYONE = "namespaces: {}"


def into(*rules: str, app: str = "") -> dict[str, Any]:
    subject = f"matchLabels: {{app: {app}}}" if app else ""
    written = ", ".join(rules)
    return policy(f"{{podSelector: {{{subject}}}, ingress: [{written}]}}", f"in-{app or 'all'}")


def of(*blocks: str, ports: str = "", more: str = "") -> str:
    peers = ", ".join([f"{{ipBlock: {{cidr: '{one}'}}}}" for one in blocks] + ([more] if more else []))
    return f"{{from: [{peers}]" + (f", ports: [{ports}]" if ports else "") + "}"


def above(*rules: tuple[str, str], port: int = 0, name: str = "a", priority: int = 1) -> dict[str, Any]:
    asked = f", ports: [{{portNumber: {{protocol: TCP, port: {port}}}}}]" if port else ""
    listed = ", ".join(f"{{action: {action}, to: [{{{peer}}}]{asked}}}" for action, peer in rules)
    return admin(f"egress: [{listed}]", name, priority)


def below(*rules: tuple[str, str]) -> dict[str, Any]:
    listed = ", ".join(f"{{action: {action}, to: [{{{peer}}}]}}" for action, peer in rules)
    return baseline(f"egress: [{listed}]")


def net(*blocks: str) -> str:
    return f"networks: [{', '.join(blocks)}]"


HTTP = "toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{method: GET}]}}]"
OUT = policy("{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 80}]}]}", "out")
NODES = {**NODE, "status": {"addresses": [{"address": "192.0.2.1"}]}}
#: Pods get their addresses from elsewhere than nodes do.
APART: dict[str, Any] = {
    **NODE,
    "spec": {"podCIDR": "10.0.0.0/24"},
    "status": {"addresses": [{"address": "192.0.2.1"}, {"address": "192.0.2.2"}]},
}
TEAM = {"kind": "Namespace", "metadata": {"name": "prod", "labels": {"team": "ops"}}}
BY_KEY = "{from: [{namespaceSelector: {matchExpressions: [{key: team, operator: Exists}]}}]}"
SETS: dict[str, list[dict[str, Any]]] = {
    "a-part": [*PODS, into(of(SOME))],
    "each-of-two-halves": [*PODS, into(of(LOW), of(HIGH))],
    "two-halves-of-other-ports": [*PODS, into(of(LOW, ports="{port: 80}"), of(HIGH, ports="{port: 53}"))],
    "two-halves-and-a-port-of-both": [
        *PODS,
        into(of(LOW, ports="{port: 80}, {port: 53}"), of(HIGH, ports="{port: 53}")),
    ],
    "a-part-and-labels": [*PODS, into(of(SOME, more="{podSelector: {matchLabels: {app: new}}}"))],
    "named-ports": [*PODS, into(of(SOME, ports="{port: http}"), app="new")],
    "some-pods-only": [*PODS, into(of(SOME), app="web"), into(of(FEW, HIGH), app="db")],
    "denied-above": [*PODS, above(("Deny", net(FEW)), ("Allow", net(SOME))), OUT],
    "allowed-above": [*PODS, above(("Allow", net(FEW)), ("Deny", net(SOME)), port=53), OUT],
    "passed-above": [*PODS, above(("Pass", net(FEW)), ("Deny", EVERYONE)), OUT, into(of(SOME))],
    "denied-below": [*PODS, below(("Deny", net(FEW)), ("Allow", net(SOME)), ("Deny", EVERYONE))],
    "denied-below-and-isolated": [*PODS, below(("Deny", net(SOME))), into(of(FEW), app="web")],
    "passed-to-below": [*PODS, above(("Pass", net(FEW)), ("Allow", net(SOME))), below(("Deny", EVERYONE))],
    "halves-above": [*PODS, above(("Deny", net(LOW)), ("Deny", net(HIGH)), port=80)],
    "nodes-above": [*PODS, NODES, above(("Deny", "nodes: {}"))],
    "nodes-and-pods": [*PODS, APART, into(of("192.0.2.1/32", SOME))],
    "namespaces-by-key": [*PODS, TEAM, pod("far", "dev"), into(BY_KEY)],
    "no-family-in-common": [
        pod("web", ip="10.0.0.1"),
        pod("six", ip="fd00::2"),
        into(of("fd00::/64"), app="web"),
        into(of("fd00::/64"), app="six"),
    ],
    "both-families": [*DUAL, into(of("0.0.0.0/0"), app="web"), into(of("fd00::/64", SOME), app="new")],
    "both-families-above": [*DUAL, above(("Deny", net("'fd00::/126'", FEW)))],
    "http": [*PODS, cilium(f"{{endpointSelector: {{}}, ingress: [{{fromEndpoints: [{{}}], {HTTP}}}]}}")],
    "http-beside-what-is-known": [
        *PODS,
        cilium(
            f"{{endpointSelector: {{}}, ingress: [{{{HTTP}}}, {{fromEndpoints: [{{matchLabels: {{app: web}}}}]}}]}}"
        ),
    ],
    "denied-by-what-is-not-analysed": [
        *PODS,
        cilium("{endpointSelector: {}, ingressDeny: [{fromServices: [{}]}], ingress: [{fromEndpoints: [{}]}]}"),
    ],
    "denied-to-some-by-what-is-not-analysed": [
        *PODS,
        cilium("{endpointSelector: {matchLabels: {app: web}}, egressDeny: [{toGroups: [{}]}]}"),
        into(of(SOME)),
    ],
    "by-an-order-behind": [
        *PODS,
        calico("{order: 2000, ingress: [{action: Deny, source: {selector: app == 'web'}}, {action: Allow}]}"),
        into(of(SOME)),
    ],
}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(
    "options",
    [Options(), Options(block_matches_pods=False), Options(policies_select_host_network=True)],
    ids=["blocks-hold-pods", "blocks-hold-no-pods", "policies-hold-on-nodes"],
)
def test_what_is_not_known_is_decided_alike(name: str, options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_engine, "PORTS", [53, 80])
    monkeypatch.setattr(test_engine, "PROTOCOLS", ("TCP",))
    model = build(SETS[name])
    assert test_engine.disagreements(model, model.policies, options) == []


@pytest.mark.parametrize("name", SETS)
def test_where_too_much_is_to_be_looked_at_more_is_left_open(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is allowed for certain that is not, and nothing is impossible that may be."""
    model = build(SETS[name])
    universe = Universe(model, [model.policies])

    def answers(possible: bool) -> list[dict[int, int]]:
        engine = Engine(universe, model.policies, possible)
        return [spread(engine.row(destination)) for destination in range(universe.size)]

    certain, possible = answers(False), answers(True)
    monkeypatch.setattr(tiers, "_MANY", 0)
    for narrow, wide in ((answers(False), certain), (possible, answers(True))):
        for left, right in zip(narrow, wide):
            assert all(mask & ~right.get(source, 0) == 0 for source, mask in left.items())
