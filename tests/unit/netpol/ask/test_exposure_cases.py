"""What is open to pods that may come, case by case: by addresses, names of ports, nodes, and who is left out."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request

from ..clusters import build
from ..lint.test_lint import pod, policy
from ..read.test_calico import calico
from ..read.test_cilium import cilium
from .test_exposure import admin, ask, of, opened_by, pods_with

CLOSED = policy("{podSelector: {}, policyTypes: [Ingress, Egress]}", "closed")


def notes(*manifests: dict[str, Any]) -> list[str]:
    found: list[str] = answer(Request("exposure"), build(list(manifests)))["notes"]
    return found


def peers(found: list[dict[str, Any]], direction: str = "ingress") -> list[tuple[str, str, list[str]]]:
    """Namespaces and pods that something is open to, and the pods that are left out."""
    return [
        (item["namespaces"], item["pods"], [other["pods"] for other in item.get("except", ())])
        for item in of(found, direction)["selected"]
    ]


def test_a_block_of_every_address_is_every_pod_that_may_come_at_these() -> None:
    block = policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}")
    every = [{"protocol": "all", "ports": "all"}]
    assert of(ask(pod("web"), block), "ingress")["cluster"] == every
    assert notes(pod("web"), block) == []
    # Pods that may come to one that has an IPv6 address alone come with one, too.
    six, four = pod("web", ip="fd00::1"), pod("db", ip="10.0.0.1")
    found = of(ask(six, four, block), "ingress")
    assert (found["cluster"], found["selected"]) == ([], [])
    assert of(ask(pod("web", ip="10.0.0.2"), six | {"metadata": {"name": "x"}}, block), "ingress")["cluster"] == every


def test_a_rule_without_peers_depends_on_no_address() -> None:
    assert notes(pod("web"), policy("{podSelector: {}, ingress: [{}]}")) == []


def test_what_a_rule_of_an_admin_policy_rules_is_protected() -> None:
    allow = {"action": "Allow", "from": [pods_with(team="ops")]}
    found = ask(pod("web"), admin("ingress", allow))
    assert (of(found, "ingress")["protected"], of(found, "egress")["protected"]) == (True, False)


def test_what_is_open_by_a_name_alone_is_open_on_no_number() -> None:
    names = policy(
        "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}], ports: [{port: http}]}]}"
    )
    (entry,) = of(ask(pod("web"), names), "egress")["selected"]
    assert (entry["protocol"], entry["ports"]) == ("TCP", "http")


@pytest.mark.parametrize("first", [1, 2])
def test_a_name_is_denied_where_all_ports_of_its_protocol_are(first: int) -> None:
    deny = {
        "action": "Deny",
        "to": [pods_with(env="dev")],
        "ports": [{"portRange": {"protocol": "TCP", "start": first, "end": 65535}}],
    }
    names = policy(
        "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}}], ports: [{port: http}]}]}"
    )
    assert peers(ask(pod("web"), names, admin("egress", deny)), "egress") == [
        ("any", "any", ["env=dev"] if first == 1 else [])
    ]


def test_a_name_of_a_port_is_of_that_protocol_and_of_no_other_name() -> None:
    ports = [
        {"name": "http", "containerPort": 8080},
        {"name": "admin", "containerPort": 9090},
        {"name": "http", "containerPort": 8081, "protocol": "UDP"},
    ]
    names = policy("{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}], ports: [{port: http}]}]}")
    assert of(ask(pod("web", ports=ports), names), "ingress")["cluster"] == [{"protocol": "TCP", "ports": "8080"}]


@pytest.mark.parametrize(
    "rule",
    [
        cilium("{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '80'}], rules: {http: [{path: /a}]}}]}]}"),
        calico("{selector: all(), types: [Ingress], ingress: [{action: Deny, http: {methods: [GET]}}]}"),
    ],
    ids=["allows", "denies"],
)
def test_what_a_rule_asks_beyond_addresses_and_ports_is_not_said_to_be_open(rule: dict[str, Any]) -> None:
    found = of(ask(pod("web"), rule), "ingress")
    assert (found["cluster"], found["selected"]) == ([], [])
    assert any(note.startswith("undetermined: connections may depend") for note in notes(pod("web"), rule))


def test_nodes_are_addresses_outside() -> None:
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "n"},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.9"}]},
    }
    found = of(ask(pod("web"), node, CLOSED, admin("egress", {"action": "Allow", "to": [{"nodes": {}}]})), "egress")
    assert found["outside"] == [{"address": "192.0.2.9", "protocol": "all", "ports": "all"}]
    assert (found["cluster"], found["selected"]) == ([], [])


def test_an_address_that_an_admin_policy_denies_is_not_open() -> None:
    found = of(ask(pod("web"), admin("egress", {"action": "Deny", "to": [{"networks": ["0.0.0.0/0"]}]})), "egress")
    assert found["outside"] == []


NET = [{"networks": ["192.0.2.0/24"]}]
OPENS = policy("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 192.0.2.0/24}}]}]}", "opens")


def on(port: int) -> dict[str, Any]:
    return {"ports": [{"portNumber": {"protocol": "TCP", "port": port}}]}


@pytest.mark.parametrize(
    ("rules", "then", "told"),
    [
        ([{"action": "Allow", "to": NET, **on(443)}], CLOSED, [("443", ["admin 0"])]),
        ([{"action": "Allow", "to": NET}, {"action": "Allow", "to": NET}], CLOSED, [("all", ["admin 0"])]),
        ([{"action": "Allow", "to": NET}], OPENS, [("all", ["admin 0"])]),
        ([{"action": "Pass", "to": NET}], CLOSED, []),
        ([{"action": "Pass", "to": NET}], OPENS, [("all", ["prod/opens 0"])]),
        (
            [{"action": "Deny", "to": NET, **on(22)}],
            OPENS,
            [("1-21,23-65535", ["prod/opens 0"]), ("all", ["prod/opens 0"]), ("all", ["prod/opens 0"])],
        ),
    ],
    ids=["a-port", "the-first-of-two", "an-earlier-tier", "left-and-closed", "left-and-opened", "but-a-port"],
)
def test_addresses_are_open_by_the_rule_that_decides(
    rules: list[dict[str, Any]], then: dict[str, Any], told: list[tuple[str, list[str]]]
) -> None:
    assert opened_by(ask(pod("web"), admin("egress", *rules), then), "egress", "outside") == told


def test_who_may_leave_the_admin_tier_is_not_said_to_be_allowed_in_it() -> None:
    passes = {"action": "Pass", "to": [{"networks": ["10.0.0.0/8"]}]}
    found = of(ask(pod("web"), admin("egress", passes, {"action": "Allow", "to": [pods_with()]}), CLOSED), "egress")
    assert found["cluster"] == []


def test_who_leaves_the_admin_tier_and_is_let_in_by_the_next_is_let_in_as_the_others_are() -> None:
    rules = ({"action": "Pass", "from": [pods_with(team="ops")]}, {"action": "Allow", "from": [pods_with()]})
    opens = policy(
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {team: ops}}}]}]}"
    )
    found = of(ask(pod("web"), admin("ingress", *rules), opens), "ingress")
    assert found["cluster"] == [{"protocol": "all", "ports": "all"}]


def test_a_rule_that_selects_nobody_is_not_among_those_that_open_to_everyone() -> None:
    rules = policy(
        """
        podSelector: {}
        ingress:
        - from: [{namespaceSelector: {}, podSelector: {matchLabels: {a: b}}}]
        - from: [{namespaceSelector: {}, podSelector: {matchExpressions: [{key: a, operator: NotIn, values: [b]}]}}]
        - from:
          - namespaceSelector: {}
            podSelector:
              matchLabels: {c: d}
              matchExpressions: [{key: c, operator: NotIn, values: [d]}]
        """,
        "rules",
    )
    assert opened_by(ask(pod("web"), rules), "ingress", "cluster") == [("all", ["prod/rules 0", "prod/rules 1"])]


def test_a_name_that_is_denied_is_left_out_of_its_protocol_alone() -> None:
    opens = policy(
        "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}}], ports: [{protocol: TCP}]}]}"
    )
    deny = {"action": "Deny", "to": [pods_with()], "ports": [{"namedPort": "http"}]}
    found = of(ask(pod("web"), opens, admin("egress", deny)), "egress")
    assert found["cluster"] == [{"protocol": "TCP", "ports": "all except http"}]


def test_a_name_is_not_left_out_of_what_has_no_port_of_its_protocol() -> None:
    opens = policy(
        """
        podSelector: {}
        policyTypes: [Egress]
        egress:
        - {to: [{namespaceSelector: {}}], ports: [{protocol: TCP}]}
        - {to: [{namespaceSelector: {}, podSelector: {matchLabels: {team: ops}}}], ports: [{port: 53, protocol: UDP}]}
        - {to: [{namespaceSelector: {}, podSelector: {matchLabels: {app: x}}}], ports: [{port: http}]}
        """
    )
    found = of(ask(pod("web"), opens), "egress")
    assert found["cluster"] == [{"protocol": "TCP", "ports": "all"}]
    assert [(item["pods"], item["protocol"], item["ports"]) for item in found["selected"]] == [
        ("team=ops", "UDP", "53")
    ]


NAME = "kubernetes.io/metadata.name"


@pytest.mark.parametrize(
    ("selector", "told"),
    [
        (f"{{matchLabels: {{{NAME}: dev}}}}", "name dev"),
        (f"{{matchLabels: {{{NAME}: dev, team: x}}}}", f"{NAME}=dev, team=x"),
        (f"{{matchExpressions: [{{key: {NAME}, operator: In, values: [a, b]}}]}}", f"{NAME} in (a, b)"),
        (f"{{matchExpressions: [{{key: {NAME}, operator: NotIn, values: [a]}}]}}", f"{NAME} notin (a)"),
        ("{matchLabels: {team: x}}", "team=x"),
    ],
    ids=["one-name", "a-name-and-more", "two-names", "not-a-name", "a-label"],
)
def test_namespaces_are_told_by_name_where_that_is_all_that_is_asked(selector: str, told: str) -> None:
    opens = policy(f"{{podSelector: {{}}, ingress: [{{from: [{{namespaceSelector: {selector}}}]}}]}}")
    assert [item["namespaces"] for item in of(ask(pod("web"), opens), "ingress")["selected"]] == [told]


def in_teams(labels: dict[str, Any], key: str = "team") -> dict[str, Any]:
    return {"pods": {"namespaceSelector": {"matchLabels": {key: "x"}}, "podSelector": labels}}


@pytest.mark.parametrize(
    ("denied", "told"),
    [
        (in_teams({"matchLabels": {"env": "a"}}), ("env=b", [])),
        (pods_with(env="a"), ("env=b", [])),
        (in_teams({"matchLabels": {"env": "a"}}, "zone"), ("env in (a, b)", ["env=a"])),
        (pods_with(env="a", tier="z"), ("env in (a, b)", ["env=a, tier=z"])),
        (pods_with(tier="a"), ("env in (a, b)", ["tier=a"])),
        (
            in_teams({"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["a"]}]}),
            ("env in (a, b)", ["env notin (a)"]),
        ),
    ],
    ids=["a-value-there", "a-value", "in-other-namespaces", "two-labels", "another-label", "another-operator"],
)
def test_values_are_taken_out_where_the_same_label_is_denied_and_else_left_out(
    denied: dict[str, Any], told: tuple[str, list[str]]
) -> None:
    opens = policy(
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}, podSelector:"
        " {matchExpressions: [{key: env, operator: In, values: [a, b]}]}}]}]}"
    )
    found = peers(ask(pod("web"), opens, admin("ingress", {"action": "Deny", "from": [denied]})))
    assert found == [("team=x", *told)]
