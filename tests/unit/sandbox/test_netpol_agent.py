"""The NetworkPolicy agent's rules: what passes, from pods, namespaces and policies."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .netpol_objects import NODE, OTHER_NODE, namespace, pod, policy

from netpol_agent import rules  # isort: skip -- importable once netpol_objects has set the path
from netpol_agent.selectors import live_pods, selects  # isort: skip

X, Y, Z = "10.244.1.2", "10.244.1.3", "10.244.2.4"
OUTSIDE = "198.51.100.10"
PODS = [
    pod("x", X, labels={"app": "x"}, ports=(("http", 80, "TCP"), ("dns", 53, "UDP"))),
    pod("y", Y, labels={"app": "y"}, ports=(("http", 81, "TCP"),)),
    pod("z", Z, namespace="b", labels={"app": "z"}, node=OTHER_NODE, ports=(("http", 82, "TCP"),)),
]
NAMESPACES = [namespace("a"), namespace("b", team="blue")]


def passes(
    policies: list[dict[str, Any]], source: str, destination: str, port: int = 80, protocol: str = "tcp"
) -> bool:
    plan = rules.make_plan(PODS, NAMESPACES, policies, NODE)
    return rules.passes(plan, IPv4Address(source), IPv4Address(destination), protocol, port)


def test_without_policies_everything_passes() -> None:
    assert passes([], Z, X)
    assert passes([], X, OUTSIDE)


def test_missing_policy_types_mean_ingress_only() -> None:
    assert not passes([policy("p")], Z, X)
    assert passes([policy("p")], X, Z)


def test_missing_policy_types_with_egress_rules_mean_both() -> None:
    both = policy("p", egress=[{"ports": [{"port": 443}]}])
    assert not passes([both], Z, X)
    assert not passes([both], X, Z, 80)
    assert passes([both], X, Z, 443)


def test_egress_alone_leaves_ingress_open() -> None:
    only = policy("p", policyTypes=["Egress"])
    assert passes([only], Z, X)
    assert not passes([only], X, Z)


@pytest.mark.parametrize("rule", [{}, {"from": []}, {"from": None, "ports": None}, {"ports": []}])
def test_empty_and_missing_lists_in_a_rule_mean_all(rule: dict[str, Any]) -> None:
    assert passes([policy("p", ingress=[rule])], Z, X)
    assert passes([policy("p", ingress=[rule])], OUTSIDE, X, 9, "udp")


@pytest.mark.parametrize("spec", [{}, {"ingress": []}, {"ingress": None}])
def test_no_rules_mean_nothing(spec: dict[str, Any]) -> None:
    assert not passes([policy("p", **spec)], Z, X)


def test_a_peer_without_any_selector_means_nobody() -> None:
    assert not passes([policy("p", ingress=[{"from": [{}]}])], Z, X)


def test_pod_selector_alone_means_the_own_namespace() -> None:
    own = policy("p", ingress=[{"from": [{"podSelector": {}}]}])
    assert passes([own], Y, X)
    assert not passes([own], Z, X)


def test_both_selectors_in_one_peer_must_match_and_two_peers_are_alternatives() -> None:
    blue, app_y = (
        {"namespaceSelector": {"matchLabels": {"team": "blue"}}},
        {"podSelector": {"matchLabels": {"app": "y"}}},
    )
    assert not passes([policy("p", ingress=[{"from": [{**blue, **app_y}]}])], Z, X)
    assert passes([policy("p", ingress=[{"from": [blue, app_y]}])], Z, X)
    assert passes([policy("p", ingress=[{"from": [blue, app_y]}])], Y, X)


def test_both_ends_must_agree() -> None:
    in_b = policy("deny", namespace="b")
    out_a = policy("out", policyTypes=["Egress"], egress=[{}])
    # The other node enforces b's ingress; here only a's egress is known to matter.
    assert passes([in_b, out_a], X, Z)
    assert not passes([policy("no", policyTypes=["Egress"]), policy("yes", ingress=[{}])], X, Y)


def test_policies_add_up() -> None:
    assert passes([policy("deny"), policy("allow", ingress=[{}])], Z, X)


def test_a_pod_always_reaches_itself() -> None:
    assert passes([policy("deny", policyTypes=["Ingress", "Egress"])], X, X)


def test_end_port() -> None:
    ranged = policy("p", ingress=[{"ports": [{"port": 8000, "endPort": 8010}, {"port": 8005, "endPort": 8020}]}])
    assert [port for port in (7999, 8000, 8010, 8011, 8020, 8021) if passes([ranged], Z, X, port)] == [
        8000,
        8010,
        8011,
        8020,
    ]


def test_a_protocol_without_a_port_means_all_its_ports() -> None:
    udp = policy("p", ingress=[{"ports": [{"protocol": "UDP"}]}])
    assert passes([udp], Z, X, 12345, "udp")
    assert not passes([udp], Z, X, 12345, "tcp")


def test_named_port_is_the_number_of_each_destination() -> None:
    named = policy("p", ingress=[{"ports": [{"port": "http"}]}])
    assert passes([named], Z, X, 80)
    assert not passes([named], Z, Y, 80)
    assert passes([named], Z, Y, 81)
    assert not passes([named], Z, X, 80, "udp")


def test_named_port_of_egress_belongs_to_the_other_side() -> None:
    named = policy(
        "p", policyTypes=["Egress"], egress=[{"to": [{"namespaceSelector": {}}], "ports": [{"port": "http"}]}]
    )
    assert passes([named], X, Z, 82)
    assert not passes([named], X, Z, 80)
    assert not passes([named], X, OUTSIDE, 82)


def test_named_port_that_nobody_has_admits_nobody() -> None:
    assert not passes([policy("p", ingress=[{"ports": [{"port": "nope"}]}])], Z, X)


def test_block_with_exceptions() -> None:
    block = {"cidr": "198.51.100.0/24", "except": ["198.51.100.0/28"]}
    rule = policy("p", policyTypes=["Egress"], egress=[{"to": [{"ipBlock": block}]}])
    assert not passes([rule], X, OUTSIDE)
    assert passes([rule], X, "198.51.100.16")
    assert not passes([rule], X, "198.51.101.1")


def test_block_that_is_all_exception_or_ipv6_admits_nobody() -> None:
    for block in ({"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}, {"cidr": "2001:db8::/32"}):
        assert not passes([policy("p", ingress=[{"from": [{"ipBlock": block}]}])], Z, X)


def test_exception_of_another_family_takes_nothing_out() -> None:
    assert rules.block_networks({"cidr": "10.0.0.0/8", "except": ["2001:db8::/32"]}) == [IPv4Network("10.0.0.0/8")]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"key": "app", "operator": "In", "values": ["x", "y"]}, True),
        ({"key": "app", "operator": "In", "values": ["z"]}, False),
        ({"key": "app", "operator": "NotIn", "values": ["x"]}, False),
        ({"key": "none", "operator": "NotIn", "values": ["x"]}, True),
        ({"key": "app", "operator": "Exists"}, True),
        ({"key": "app", "operator": "DoesNotExist"}, False),
    ],
)
def test_match_expressions(expression: dict[str, Any], expected: bool) -> None:
    assert selects({"matchExpressions": [expression]}, {"app": "x"}) is expected


def test_missing_selector_matches_nothing_and_unknown_operator_is_refused() -> None:
    assert not selects(None, {})
    assert selects({}, {})
    with pytest.raises(ValueError, match="Gt"):
        selects({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}, {})


def test_only_live_pods_with_addresses_of_their_own_count() -> None:
    objects = [
        pod("done", "10.244.1.9", phase="Succeeded"),
        pod("host", NODE, host_network=True),
        pod("six", "2001:db8::1"),
        pod("old", "10.244.1.8", created="2026-01-01T00:00:00Z"),
        pod("new", "10.244.1.8", created="2026-01-02T00:00:00Z"),
        pod("early", "10.244.1.7", phase="Pending"),
    ]
    assert [found.name for found in live_pods(objects, NODE)] == ["early", "new"]


def test_pods_of_other_nodes_are_peers_but_not_isolated_here() -> None:
    plan = rules.make_plan(PODS, NAMESPACES, [policy("deny", namespace="b")], NODE)
    assert plan.groups == ()
    assert plan.local == (IPv4Address(X), IPv4Address(Y))
    assert plan.known == (IPv4Address(X), IPv4Address(Y), IPv4Address(Z))


def test_pods_with_the_same_policies_share_a_group() -> None:
    plan = rules.make_plan(PODS, NAMESPACES, [policy("deny")], NODE)
    assert [(group.direction, group.policies, len(group.members)) for group in plan.groups] == [
        ("ingress", ("a/deny",), 2)
    ]


# The obvious way to decide one connection, policy by policy and without any set: the oracle of the fast way.


def _obvious_peer(peer: dict[str, Any], home: str, address: str) -> bool:
    if "ipBlock" in peer:
        inside = ip_address(address) in ip_network(peer["ipBlock"]["cidr"])
        return inside and not any(ip_address(address) in ip_network(hole) for hole in peer["ipBlock"].get("except", ()))
    for thing in PODS:
        if thing["status"]["podIPs"][0]["ip"] != address:
            continue
        space = next(n for n in NAMESPACES if n["metadata"]["name"] == thing["metadata"]["namespace"])
        if "namespaceSelector" in peer:
            right = selects(peer["namespaceSelector"], space["metadata"]["labels"])
        else:
            right = thing["metadata"]["namespace"] == home
        return right and ("podSelector" not in peer or selects(peer["podSelector"], thing["metadata"]["labels"]))
    return False


def _obvious_port(port: dict[str, Any], destination: str, protocol: str, number: int) -> bool:
    if port.get("protocol", "TCP").lower() != protocol:
        return False
    value = port.get("port")
    if value is None:
        return True
    if isinstance(value, str):
        owner = next((p for p in PODS if p["status"]["podIPs"][0]["ip"] == destination), None)
        ports = owner["spec"]["containers"][0]["ports"] if owner else []
        return any((p["name"], p["protocol"].lower(), p["containerPort"]) == (value, protocol, number) for p in ports)
    return number in range(value, port.get("endPort", value) + 1)


def obvious(policies: list[dict[str, Any]], source: str, destination: str, protocol: str, number: int) -> bool:
    if source == destination:
        return True
    for kind, own, other, side in (("Egress", source, destination, "to"), ("Ingress", destination, source, "from")):
        me = next((p for p in PODS if p["status"]["podIPs"][0]["ip"] == own and p["status"]["hostIP"] == NODE), None)
        if me is None:
            continue
        isolated = admitted = False
        for thing in policies:
            spec, home = thing["spec"], thing["metadata"]["namespace"]
            types = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
            if (
                home != me["metadata"]["namespace"]
                or kind not in types
                or not selects(spec["podSelector"], me["metadata"]["labels"])
            ):
                continue
            isolated = True
            for rule in spec.get(kind.lower()) or ():
                peers, ports = rule.get(side), rule.get("ports")
                by_peer = not peers or any(_obvious_peer(peer, home, other) for peer in peers)
                by_port = not ports or any(_obvious_port(port, destination, protocol, number) for port in ports)
                admitted = admitted or (by_peer and by_port)
        if isolated and not admitted:
            return False
    return True


_labels = st.sampled_from([{}, {"app": "x"}, {"app": "y"}, {"app": "z"}])
_selector = st.one_of(
    st.builds(lambda labels: {"matchLabels": labels}, _labels),
    st.builds(
        lambda op: {"matchExpressions": [{"key": "app", "operator": op, "values": ["x", "z"]}]},
        st.sampled_from(["In", "NotIn"]),
    ),
)
_spaces = st.sampled_from(
    [{}, {"matchLabels": {"team": "blue"}}, {"matchLabels": {"kubernetes.io/metadata.name": "a"}}]
)
_blocks = st.sampled_from(
    [
        {"cidr": "0.0.0.0/0"},
        {"cidr": "0.0.0.0/0", "except": ["10.244.0.0/16"]},
        {"cidr": "10.244.1.0/24", "except": [f"{X}/32"]},
        {"cidr": "198.51.100.0/24"},
    ]
)
_peer = st.one_of(
    st.builds(lambda s: {"podSelector": s}, _selector),
    st.builds(lambda n: {"namespaceSelector": n}, _spaces),
    st.builds(lambda n, s: {"namespaceSelector": n, "podSelector": s}, _spaces, _selector),
    st.builds(lambda b: {"ipBlock": b}, _blocks),
)
_port = st.sampled_from(
    [
        {"port": 80},
        {"port": 81, "endPort": 90},
        {"port": "http"},
        {"port": "dns", "protocol": "UDP"},
        {"protocol": "UDP"},
        {},
    ]
)
_ports = st.none() | st.lists(_port, max_size=3)
_rule_in = st.builds(lambda f, p: {"from": f, "ports": p}, st.none() | st.lists(_peer, max_size=2), _ports)
_rule_out = st.builds(lambda t, p: {"to": t, "ports": p}, st.none() | st.lists(_peer, max_size=2), _ports)
_types = st.sampled_from([None, ["Ingress"], ["Egress"], ["Ingress", "Egress"]])
_policy = st.builds(
    lambda ns, sel, types, ins, outs: {
        "namespace": ns,
        "podSelector": sel,
        "policyTypes": types,
        "ingress": ins,
        "egress": outs,
    },
    st.sampled_from(["a", "b"]),
    _selector,
    _types,
    st.none() | st.lists(_rule_in, max_size=2),
    st.none() | st.lists(_rule_out, max_size=2),
)


def named(specs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [policy(f"p{number}", **spec) for number, spec in enumerate(specs)]


@settings(max_examples=300, deadline=None)
@given(st.lists(_policy, max_size=4))
def test_fast_and_obvious_way_agree(specs: list[dict[str, Any]]) -> None:
    policies = named(specs)
    plan = rules.make_plan(PODS, NAMESPACES, policies, NODE)
    for source in (X, Y, Z, OUTSIDE):
        for destination in (X, Y, Z, OUTSIDE):
            for protocol, port in (("tcp", 80), ("tcp", 81), ("tcp", 82), ("udp", 53), ("udp", 9)):
                fast = rules.passes(plan, IPv4Address(source), IPv4Address(destination), protocol, port)
                assert fast == obvious(policies, source, destination, protocol, port), (
                    source,
                    destination,
                    protocol,
                    port,
                )


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 10)).map(lambda t: (t[0], t[0] + t[1])), max_size=6))
def test_joined_ranges_hold_the_same_ports_and_never_touch(ranges: list[tuple[int, int]]) -> None:
    joined = rules.join_ranges(ranges)
    assert {n for low, high in joined for n in range(low, high + 1)} == {
        n for low, high in ranges for n in range(low, high + 1)
    }
    assert all(joined[i][1] + 1 < joined[i + 1][0] for i in range(len(joined) - 1))
