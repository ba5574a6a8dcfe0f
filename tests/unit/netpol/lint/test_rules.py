"""One rule within another: as asking every object tells it, and told of the rules that it is true of alone."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.lint import rules
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.lint.rules import implies, peer_within, port_within
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.addresses import Range
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import (
    BlockPeer,
    NodesPeer,
    PodsPeer,
    PortRule,
)
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.selectors import (
    DOES_NOT_EXIST,
    EXISTS,
    IN,
    NOT_IN,
    Requirement,
    Selector,
)

from ..read.test_calico import calico
from ..read.test_cilium import cilium
from .test_lint import WEB, admin, codes, findings, pod, policy

#: Every form of a requirement on two values of two keys.
REQUIREMENTS = [
    Requirement(key, operator, values)
    for key in ("app", "tier")
    for operator, values in [
        (EXISTS, ()),
        (DOES_NOT_EXIST, ()),
        *product((IN, NOT_IN), (("a",), ("b",), ("a", "b"))),
    ]
]
#: Every object that these can tell apart; "c" is any other value.
OBJECTS = [
    {key: value for key, value in (("app", app), ("tier", tier)) if value}
    for app, tier in product(("", "a", "b", "c"), repeat=2)
]


@pytest.mark.parametrize("narrow", REQUIREMENTS, ids=str)
def test_a_requirement_is_within_those_that_all_its_objects_meet(narrow: Requirement) -> None:
    met = [one for one in OBJECTS if narrow.matches(one)]
    expected = [wide for wide in REQUIREMENTS if all(wide.matches(one) for one in met)]
    assert [wide for wide in REQUIREMENTS if implies(narrow, wide)] == expected


EVERY = Selector()
WEBS = Selector((Requirement("app", IN, ("web",)),))
PRODS = Selector((Requirement("env", IN, ("prod",)),))
IPV4 = BlockPeer((Range(4, 0, 2**32 - 1),), "0.0.0.0/0")
TEN = BlockPeer((Range(4, 10 << 24, (11 << 24) - 1),), "10.0.0.0/8")
WORLD = BlockPeer(TEN.ranges, TEN.text, outside_only=True)
HOLED = BlockPeer((Range(4, 0, (10 << 24) - 1), Range(4, 11 << 24, 2**32 - 1)), "0.0.0.0/0 except 10.0.0.0/8")


@pytest.mark.parametrize(
    ("narrow", "wide", "within"),
    [
        pytest.param(PodsPeer(None, WEBS, "one"), PodsPeer(None, EVERY, "one"), True, id="pods-of-a-namespace"),
        pytest.param(PodsPeer(None, EVERY, "one"), PodsPeer(None, WEBS, "one"), False, id="more-pods"),
        pytest.param(PodsPeer(None, WEBS, "one"), PodsPeer(None, EVERY, "two"), False, id="another-namespace"),
        pytest.param(PodsPeer(EVERY, WEBS), PodsPeer(None, EVERY), False, id="every-namespace-is-not-one"),
        pytest.param(PodsPeer(None, WEBS, "one"), PodsPeer(EVERY, EVERY), True, id="one-of-every-namespace"),
        pytest.param(PodsPeer(None, WEBS, "one"), PodsPeer(PRODS, EVERY), False, id="one-may-not-be-among-some"),
        pytest.param(PodsPeer(PRODS, WEBS), PodsPeer(EVERY, WEBS), True, id="some-of-every-namespace"),
        pytest.param(PodsPeer(EVERY, WEBS), PodsPeer(PRODS, WEBS), False, id="every-namespace-is-not-some"),
        pytest.param(TEN, IPV4, True, id="a-block-in-a-block"),
        pytest.param(IPV4, TEN, False, id="a-block-that-holds-the-other"),
        pytest.param(TEN, HOLED, False, id="a-block-in-the-hole-of-another"),
        pytest.param(HOLED, IPV4, True, id="each-part-of-a-block"),
        pytest.param(BlockPeer((Range(6, 5, 5),), "::5/128"), IPV4, False, id="another-family"),
        pytest.param(
            BlockPeer(TEN.ranges, TEN.text, covers_pods=True), IPV4, False, id="pods-are-in-the-one-and-not-the-other"
        ),
        pytest.param(
            TEN,
            BlockPeer(TEN.ranges, TEN.text, covers_pods=True),
            True,
            id="pods-are-surely-in-the-one-and-may-be-in-it",
        ),
        pytest.param(TEN, WORLD, False, id="a-block-without-pods-does-not-hold-one-that-may-have-some"),
        pytest.param(WORLD, TEN, True, id="a-block-without-pods"),
        pytest.param(TEN, PodsPeer(EVERY, EVERY), False, id="a-block-is-no-pods"),
        pytest.param(PodsPeer(EVERY, EVERY), TEN, False, id="pods-are-no-block"),
        pytest.param(NodesPeer(WEBS), TEN, False, id="nodes-are-no-block"),
        pytest.param(NodesPeer(WEBS), NodesPeer(EVERY), False, id="nodes-are-not-compared"),
        pytest.param(NodesPeer(WEBS), NodesPeer(WEBS), True, id="the-same"),
    ],
)
def test_a_peer_is_within_another(narrow: object, wide: object, within: bool) -> None:
    assert peer_within(narrow, wide) is within


@pytest.mark.parametrize(
    ("narrow", "wide", "within"),
    [
        pytest.param(PortRule("TCP", 80, 80), PortRule("TCP", 80, 90), True, id="the-first-of-a-range"),
        pytest.param(PortRule("TCP", 85, 90), PortRule("TCP", 80, 90), True, id="the-last-of-a-range"),
        pytest.param(PortRule("TCP", 80, 91), PortRule("TCP", 80, 90), False, id="beyond-the-last"),
        pytest.param(PortRule("TCP", 79, 90), PortRule("TCP", 80, 90), False, id="before-the-first"),
        pytest.param(PortRule("UDP", 80, 80), PortRule("TCP", 80, 90), False, id="another-protocol"),
        pytest.param(PortRule("TCP", 0, 0, "http"), PortRule("TCP"), True, id="a-name-in-all-of-its-protocol"),
        pytest.param(PortRule("", 0, 0, "http"), PortRule("TCP"), False, id="a-name-of-any-protocol"),
        pytest.param(PortRule("TCP", 0, 0, "http"), PortRule("", 0, 0, "http"), True, id="a-name-in-any-protocol"),
        pytest.param(PortRule("TCP", 0, 0, "http"), PortRule("TCP", 80, 80), False, id="a-name-may-be-any-number"),
        pytest.param(PortRule("TCP", 80, 80), PortRule("TCP", 0, 0, "http"), False, id="a-number-is-no-name"),
        pytest.param(PortRule("TCP", 0, 0, "http"), PortRule("TCP", 0, 0, "dns"), False, id="another-name"),
        pytest.param(PortRule("TCP", 80, 80), PortRule("TCP", 80, 80), True, id="the-same-number"),
        pytest.param(PortRule("", 0, 0, "http"), PortRule("", 0, 0, "http"), True, id="the-same-name"),
        pytest.param(PortRule("UDP", 0, 0, "dns"), PortRule("TCP"), False, id="a-name-of-another-protocol"),
    ],
)
def test_a_port_is_within_another(narrow: PortRule, wide: PortRule, within: bool) -> None:
    assert port_within(narrow, wide) is within


def test_beyond_so_many_rules_only_those_of_one_policy_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = policy("{podSelector: {}, ingress: [{}, {ports: [{port: 8080}]}]}", "twice")
    open_ = policy("{podSelector: {}, ingress: [{}]}", "open")
    of_both = [f.message for f in findings(WEB, twice, open_) if f.code == "redundant-rule"]
    assert len(of_both) == 2
    monkeypatch.setattr(rules, "MAX_PAIRS", 8)
    told = [f.message for f in findings(WEB, twice, open_) if f.code == "redundant-rule"]
    assert told == ["ingress rule 1 allows nothing that rule 0 of the same policy does not"]
    monkeypatch.setattr(rules, "MAX_PAIRS", 9)
    assert [f.message for f in findings(WEB, twice, open_) if f.code == "redundant-rule"] == of_both


@pytest.mark.parametrize(
    ("written", "told"),
    [
        pytest.param("{ports: [{port: 80}]}, {from: [{podSelector: {}}], ports: [{port: 80}]}", (1, 0), id="of-fewer"),
        pytest.param("{ports: [{port: 80}]}, {}", (0, 1), id="all-ports"),
        pytest.param("{ports: [{port: 80}]}, {ports: [{port: 81}]}", None, id="other-ports"),
        pytest.param("{ports: [{port: 80}]}, {ports: [{port: 80}, {port: 81}]}", (0, 1), id="more-ports"),
        pytest.param("{ports: [{port: 80}]}, {ports: [{port: 80}]}", (1, 0), id="the-later-of-two-that-are-equal"),
    ],
)
def test_a_rule_is_redundant_beside_one_of_the_same_ports(written: str, told: tuple[int, int] | None) -> None:
    found = findings(WEB, policy(f"{{podSelector: {{}}, ingress: [{written}]}}"))
    assert [one.message for one in found if one.code == "redundant-rule"] == [
        f"ingress rule {one} allows nothing that rule {other} of the same policy does not"
        for one, other in ([told] if told else [])
    ]
    assert "shadowed-rule" not in {one.code for one in found}


def test_a_rule_that_matches_more_than_those_before_it_is_reached() -> None:
    first = admin("ingress: [{action: Deny, from: [{namespaces: {matchLabels: {a: b}}}]}]", "first")
    assert "shadowed-rule" not in codes(
        WEB, first, admin("ingress: [{action: Allow, from: [{namespaces: {}}]}]", "x", 2)
    )


def test_a_rule_of_fewer_pods_stands_before_none_of_more() -> None:
    first = admin("ingress: [{action: Deny, from: [{namespaces: {}}]}]", "first")
    second = admin("ingress: [{action: Allow, from: [{namespaces: {}}]}]", "second", 2)
    assert {"shadowed-rule"} == codes(WEB, first, second) & {"shadowed-rule", "priority-tie"}
    first["spec"]["subject"] = {"namespaces": {"matchLabels": {"a": "b"}}}
    assert codes(WEB, first, second) & {"shadowed-rule", "priority-tie"} == set()


def test_one_priority_is_no_tie_where_no_pod_is_selected_by_both() -> None:
    first = admin("ingress: [{action: Deny, from: [{namespaces: {}}]}]", "first")
    second = admin("egress: [{action: Deny, to: [{namespaces: {}}]}]", "second")
    assert "priority-tie" in codes(WEB, first, second)
    second["spec"]["subject"] = {"namespaces": {"matchLabels": {"a": "b"}}}
    assert "priority-tie" not in codes(WEB, first, second)


HTTP = "toPorts: [{ports: [{port: '80'}], rules: {http: [{method: GET}]}}]"
OF_BOTH = [pod("web"), pod("web", "dev")]


def redundant(*manifests: dict[str, Any]) -> list[str]:
    return [f"{f.item}: {f.message}" for f in findings(*OF_BOTH, *manifests) if f.code == "redundant-rule"]


def test_a_block_of_cilium_that_holds_no_pods_makes_no_ipblock_redundant() -> None:
    blocks = cilium("{endpointSelector: {}, ingress: [{fromCIDR: [10.0.0.0/8]}]}")
    of_kubernetes = policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}")
    said = ("CiliumNetworkPolicy prod/c: ingress rule 0 allows nothing that rule 0 of NetworkPolicy prod/p does not",)
    assert tuple(redundant(blocks, of_kubernetes)) == said
    assert tuple(redundant(of_kubernetes, blocks)) == said


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        pytest.param(f"{{fromEndpoints: [{{}}], {HTTP}}}, {{fromEndpoints: [{{}}]}}", [(0, 1)], id="http-within-all"),
        pytest.param(f"{{fromEndpoints: [{{}}], {HTTP}}}, {{fromEndpoints: [{{}}], {HTTP}}}", [], id="http-twice"),
        pytest.param("{fromEntities: [kube-apiserver]}, {fromEntities: [world]}", [], id="a-peer-that-is-not-known"),
        pytest.param("{fromEntities: [ingress, world]}, {fromEntities: [world]}", [(1, 0)], id="a-part-comes-first"),
        pytest.param("{fromEntities: [world]}, {fromEntities: [ingress, world]}", [(0, 1)], id="a-part-comes-last"),
        pytest.param(
            "{fromEndpoints: [{matchLabels: {app: web}}], fromServices: [{}]}, {fromEndpoints: [{}]}",
            [],
            id="of-which-a-part-alone-is-within-another",
        ),
    ],
)
def test_a_rule_of_which_not_all_is_known_makes_none_redundant(rules: str, told: list[tuple[int, int]]) -> None:
    found = redundant(cilium(f"{{endpointSelector: {{}}, ingress: [{rules}]}}"))
    assert found == [
        f"CiliumNetworkPolicy prod/c: ingress rule {one} allows nothing that rule {other} of the same policy does not"
        for one, other in told
    ]


def test_rules_for_pods_of_other_namespaces_are_not_redundant() -> None:
    """Of a kind without a namespace, whose subject has one."""
    prod, dev, every = (cilium("{endpointSelector: {}, ingress: [{}]}", "", name) for name in ("prod", "dev", "every"))
    for one in (prod, dev, every):
        one["spec"]["ingress"] = [{"fromEndpoints": [{}]}]
    for one in (prod, dev):
        one["spec"]["endpointSelector"] = {"matchLabels": {"io.kubernetes.pod.namespace": one["metadata"]["name"]}}
    assert redundant(prod, dev) == []
    assert len(redundant(prod, dev, every)) == 2


def test_denials_of_cilium_have_no_priority_to_share() -> None:
    first = cilium("{endpointSelector: {}, ingressDeny: [{fromEntities: [world]}]}", name="first")
    second = cilium("{endpointSelector: {}, egressDeny: [{toEntities: [world]}]}", name="second")
    assert "priority-tie" not in codes(*OF_BOTH, first, second)


def test_of_two_policies_of_calico_with_one_order_the_name_decides() -> None:
    first = calico("{selector: all(), order: 10, ingress: [{action: Deny}]}", name="first")
    second = calico("{selector: all(), order: 10, egress: [{action: Deny}]}", name="second")
    assert "priority-tie" not in codes(*OF_BOTH, first, second)
