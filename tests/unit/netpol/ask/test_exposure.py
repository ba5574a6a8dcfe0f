"""What is open to pods that may come agrees with asking the reference about every pod that may."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.exposure import Exposure
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.exposure_rules import PARTS
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.ways import Way
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.reference import Decider, _Context
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.regions import ANYONE, Regions, namespaces_of
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import (
    NAMESPACE_NAME_LABEL,
    ContainerPort,
    Model,
    Namespace,
    Options,
    Pod,
    PodsPeer,
)
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.selectors import (
    OPERATORS,
    Requirement,
    make_selector,
)
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..clusters import KEYS, NAMESPACES, PORT_NAMES, VALUES, build, objects, objects_with_cilium
from ..lint.test_lint import pod, policy

#: Every state of a label: each value that selectors mention, another one, and none.
STATES = (*VALUES, "fresh", None)
LABELS = [{k: v for k, v in zip(KEYS, states) if v is not None} for states in product(STATES, repeat=len(KEYS))]
#: A port that no rule mentions, for ports that only have a name.
UNMENTIONED = 12345


def newcomers(model: Model) -> Iterator[Pod]:
    """A pod with each set of labels in each namespace that there is, and in new ones with each set of labels."""
    for number, namespace_labels in enumerate(LABELS):
        name = f"new-{number}"
        model.namespaces[name] = Namespace(name, {**namespace_labels, NAMESPACE_NAME_LABEL: name})
    for namespace in model.namespaces:
        for labels in LABELS:
            yield Pod(namespace, "newcomer", labels)


def holds(model: Model, peer: PodsPeer, newcomer: Pod) -> bool:
    where = model.namespaces[newcomer.namespace].labels
    return namespaces_of(peer).matches(where) and peer.pods.matches(newcomer.labels)


def said(model: Model, way: Way, newcomer: Pod) -> bool:
    return holds(model, way.peer, newcomer) and not any(holds(model, other, newcomer) for other in way.without)


def disagreements(model: Model, options: Options) -> list[str]:
    asker = Exposure(model, model.policies, options)
    space = asker.universe.ports
    wrong: list[str] = []
    decider = Decider(model, model.policies, options)
    arrivals = list(newcomers(model))
    for number, members in enumerate(asker.universe.members):
        mine = members[0]
        for direction in ("ingress", "egress"):
            found = asker.open(number, direction)
            closed = 0
            for newcomer in arrivals:
                mask = found.cluster
                for way, ports in found.ways.items():
                    if said(model, way, newcomer):
                        mask |= ports
                for protocol, first, last in space.atoms():
                    to = mine if direction == "ingress" else newcomer
                    decision = _Context(decider, to, protocol, first, 0).direction(direction, mine, newcomer)
                    if not decision.allowed:
                        closed |= space.mask(protocol, first, last)
                    if bool(mask & space.mask(protocol, first, last)) != decision.allowed:
                        wrong.append(f"{mine.full_name} {direction} {newcomer} {protocol} {first}: {decision}")
            if found.cluster != space.full & ~closed:
                wrong.append(
                    f"{mine.full_name} {direction}: open to everyone {found.cluster:b}, not {space.full & ~closed:b}"
                )
    return wrong


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(objects(), st.booleans())
def test_what_is_open_agrees_with_asking_about_every_pod_that_may_come(
    manifests: list[dict[str, Any]], block_matches_pods: bool
) -> None:
    for item in manifests:
        if item["kind"] == "Pod":
            item["spec"]["hostNetwork"] = False
            item["status"] = {}
    model = build(manifests)
    assert disagreements(model, Options(block_matches_pods)) == []


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(objects_with_cilium())
def test_what_is_open_under_policies_of_cilium_agrees_as_well(manifests: list[dict[str, Any]]) -> None:
    for item in manifests:
        if item["kind"] == "Pod":
            item["spec"]["hostNetwork"] = False
            item["status"] = {}
    model = build(manifests)
    assert disagreements(model, Options()) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(objects())
def test_ports_that_only_have_a_name_are_open_where_a_rule_names_them(manifests: list[dict[str, Any]]) -> None:
    for item in manifests:
        if item["kind"] == "Pod":
            item["spec"]["hostNetwork"] = False
            item["status"] = {}
    model = build(manifests)
    asker = Exposure(model, model.policies, Options())
    decider = Decider(model, model.policies)
    arrivals = list(newcomers(model))[::7]
    for number, members in enumerate(asker.universe.members):
        found = asker.open(number, "egress")
        for protocol, name in {pair for pairs in found.names.values() for pair in pairs}:
            for newcomer in arrivals:
                other = Pod(
                    newcomer.namespace, "n", newcomer.labels, ports=(ContainerPort(name, protocol, UNMENTIONED),)
                )
                decision = _Context(decider, other, protocol, UNMENTIONED, 0).direction("egress", members[0], other)
                told = any((protocol, name) in pairs and said(model, way, other) for way, pairs in found.names.items())
                ranged = any(
                    port.first <= UNMENTIONED <= port.last and (port.first, port.last) != (1, 65535)
                    for p in model.policies
                    for rule in p.egress
                    for port in rule.ports or ()
                )
                assert told == decision.allowed or ranged, (name, other, decision)


selectors = st.lists(
    st.builds(
        lambda key, operator, values: Requirement(key, operator, tuple(sorted(values)) if "In" in operator else ()),
        st.sampled_from(KEYS),
        st.sampled_from(OPERATORS),
        st.sets(st.sampled_from(VALUES), min_size=1, max_size=2),
    ),
    max_size=3,
).map(lambda found: make_selector(tuple(found)))
peers = st.one_of(
    st.builds(PodsPeer, selectors, selectors),
    st.builds(PodsPeer, st.none(), selectors, st.sampled_from([*NAMESPACES, "absent"])),
)


@settings(max_examples=300, deadline=None)
@given(peers, st.lists(peers, max_size=4))
def test_whether_a_pod_can_meet_some_peers_and_miss_others(inside: PodsPeer, outside: list[PodsPeer]) -> None:
    model = Model(namespaces={n: Namespace(n, {NAMESPACE_NAME_LABEL: n, "app": "a"}) for n in NAMESPACES})
    said_so = Regions(model).exists(inside, outside)
    model.namespaces["absent"] = Namespace("absent", {NAMESPACE_NAME_LABEL: "absent"})
    for number, labels in enumerate(LABELS):
        # A namespace that a peer names and that is not there may come with any labels.
        model.namespaces[f"absent {number}"] = Namespace("absent", {**labels, NAMESPACE_NAME_LABEL: "absent"})
    found = any(
        holds(model, inside, newcomer) and not any(holds(model, other, newcomer) for other in outside)
        for newcomer in newcomers(model)
    )
    assert said_so == found


def test_everyone_is_everyone() -> None:
    assert not Regions(Model()).exists(ANYONE, [ANYONE])


def ask(*manifests: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer(Request("exposure"), load([Input("test", objects=list(manifests))]))[
        "exposure"
    ]
    return found


def of(found: list[dict[str, Any]], direction: str) -> dict[str, Any]:
    """What is open to or from the pod web, without the rules that open it."""
    item = next(item for item in found if item["workload"] == "prod/Pod/web" and item["direction"] == direction)
    parts = {part: [{k: v for k, v in entry.items() if k != "rules"} for entry in item[part]] for part in PARTS}
    return {**item, **parts}


def opened_by(found: list[dict[str, Any]], direction: str, part: str) -> list[tuple[str, list[str]]]:
    item = next(item for item in found if item["workload"] == "prod/Pod/web" and item["direction"] == direction)
    return [
        (entry["ports"], [f"{rule['policy'].split(' ')[1]} {rule['rule']}" for rule in entry["rules"]])
        for entry in item[part]
    ]


def admin(direction: str, *rules: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "policy.networking.k8s.io/v1alpha1",
        "kind": "AdminNetworkPolicy",
        "metadata": {"name": "admin"},
        "spec": {"priority": 1, "subject": {"namespaces": {}}, direction: list(rules)},
    }


def pods_with(**labels: str) -> dict[str, Any]:
    return {"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": labels}}}


def test_where_an_admin_policy_denies_some_nothing_is_open_to_any() -> None:
    found = of(ask(pod("web"), admin("ingress", {"action": "Deny", "from": [pods_with(env="dev")]})), "ingress")
    assert found["cluster"] == []
    assert found["selected"] == [
        {
            "namespaces": "any",
            "pods": "any",
            "except": [{"namespaces": "any", "pods": "env=dev"}],
            "protocol": "all",
            "ports": "all",
        }
    ]
    result = answer(
        Request("exposure"),
        load([Input("t", objects=[pod("web"), admin("ingress", {"action": "Deny", "from": [pods_with(env="dev")]})])]),
    )
    assert "from pods (any) of namespaces (any) except (env=dev) of (any) on all" in result["text"][0]


def test_a_value_of_another_label_is_partitioned_by_every_selector_that_mentions_it() -> None:
    opens = policy(
        "{podSelector: {}, ingress: [{from: [{podSelector: {matchExpressions: [{key: env, operator: Exists}]}}]}]}"
    )
    found = of(ask(pod("web"), opens, admin("ingress", {"action": "Deny", "from": [pods_with(tier="x")]})), "ingress")
    assert [(item["pods"], item["except"]) for item in found["selected"]] == [
        ("env", [{"namespaces": "any", "pods": "tier=x"}])
    ]


def test_what_passes_the_admin_tier_is_judged_by_the_next() -> None:
    rules = ({"action": "Pass", "from": [pods_with(team="ops")]}, {"action": "Deny", "from": [pods_with()]})
    found = of(ask(pod("web"), admin("ingress", *rules)), "ingress")
    assert [(item["namespaces"], item["pods"]) for item in found["selected"]] == [("any", "team=ops")]


def test_peers_that_together_are_everyone_are_everyone() -> None:
    both = policy(
        """
        podSelector: {}
        ingress:
        - from:
          - namespaceSelector: {}
            podSelector: {matchExpressions: [{key: env, operator: In, values: [a]}]}
          - namespaceSelector: {}
            podSelector: {matchExpressions: [{key: env, operator: NotIn, values: [a]}]}
        """
    )
    assert of(ask(pod("web"), both), "ingress")["cluster"] == [{"protocol": "all", "ports": "all"}]


@pytest.mark.parametrize("name", PORT_NAMES)
def test_a_named_port_on_egress_is_told(name: str) -> None:
    ports = f"[{{port: {name}}}, {{port: 80}}]"
    rule = "to: [{podSelector: {}}], ports: " + ports
    names = policy("{podSelector: {}, policyTypes: [Egress], egress: [{" + rule + "}]}")
    found = of(ask(pod("web"), names), "egress")
    assert found["selected"] == [{"namespaces": "name prod", "pods": "any", "protocol": "TCP", "ports": f"80,{name}"}]


def test_a_port_whose_name_is_denied_is_not_said_to_be_open() -> None:
    rule = {"action": "Deny", "to": [pods_with()], "ports": [{"namedPort": "http"}]}
    found = of(ask(pod("web"), admin("egress", rule)), "egress")
    assert found["cluster"] == [
        {"protocol": protocol, "ports": "all except http"} for protocol in ("TCP", "UDP", "SCTP")
    ]


def test_what_leaves_the_admin_tier_is_not_said_to_be_allowed_in_it() -> None:
    rules = ({"action": "Pass", "from": [pods_with(team="ops")]}, {"action": "Allow", "from": [pods_with()]})
    found = of(ask(pod("web"), admin("ingress", *rules), policy("{podSelector: {}}")), "ingress")
    assert [(item["pods"], item["except"]) for item in found["selected"]] == [
        ("any", [{"namespaces": "any", "pods": "team=ops"}])
    ]


def test_what_is_denied_for_some_of_the_addresses_is_not_open() -> None:
    rule = {"action": "Deny", "to": [{"networks": ["10.0.0.0/8"]}]}
    found = of(ask(pod("web"), admin("egress", rule)), "egress")
    assert (found["cluster"], found["selected"]) == ([], [])


RULES = policy(
    """
    podSelector: {}
    ingress:
    - from: [{ipBlock: {cidr: 192.0.2.0/24}}]
      ports: [{port: 443}]
    - from: [{namespaceSelector: {}, podSelector: {matchLabels: {team: ops}}}]
    - from: [{namespaceSelector: {}}]
      ports: [{port: 80}]
    - from: [{podSelector: {matchLabels: {never: here}}}, {ipBlock: {cidr: 192.0.2.0/24}}]
      ports: [{port: 443}, {port: 53, protocol: UDP}]
    """,
    "rules",
)


def test_exposure_names_the_rules_that_open_it() -> None:
    found = ask(pod("web"), RULES)
    assert opened_by(found, "ingress", "outside") == [
        ("443", ["prod/rules 0", "prod/rules 3"]),
        ("53", ["prod/rules 0", "prod/rules 3"]),
    ]
    assert opened_by(found, "ingress", "cluster") == [("80", ["prod/rules 2"])]
    assert ("1-79,81-65535", ["prod/rules 1"]) in opened_by(found, "ingress", "selected")
    assert opened_by(found, "egress", "cluster") == [("all", [])]


def test_the_rule_of_an_admin_policy_is_named_where_it_decides() -> None:
    allow = {"name": "ops", "action": "Allow", "from": [pods_with(team="ops")]}
    found = ask(pod("web"), policy("{podSelector: {}}", "closed"), admin("ingress", allow))
    item = next(item for item in found if item["direction"] == "ingress")
    assert item["selected"][0]["rules"] == [{"policy": "AdminNetworkPolicy admin", "rule": 0, "name": "ops"}]


def test_selectors_that_are_everyone_together_are_both_named() -> None:
    halves = policy(
        """
        podSelector: {}
        ingress:
        - from: [{namespaceSelector: {}, podSelector: {matchLabels: {a: b}}}]
        - from: [{namespaceSelector: {}, podSelector: {matchExpressions: [{key: a, operator: NotIn, values: [b]}]}}]
        """,
        "halves",
    )
    assert opened_by(ask(pod("web"), halves), "ingress", "cluster") == [
        ("all", ["prod/halves 0", "prod/halves 1"]),
    ]


def test_exposure_by_rule_is_the_same_told_of_rules() -> None:
    result = answer(Request("exposure"), load([Input("t", objects=[pod("web"), pod("db"), RULES])]))
    told = {(item["direction"], item["rule"]): item for item in result["rules"]}
    assert sorted(told) == [("ingress", number) for number in range(4)]
    assert told[("ingress", 0)]["workloads"] == ["prod/Pod/db", "prod/Pod/web"]
    assert told[("ingress", 2)]["cluster"] == [{"protocol": "TCP", "ports": "80"}]
    assert told[("ingress", 1)]["outside"] == []
    assert "on TCP 80 (NetworkPolicy prod/rules rule 2)" in result["text"][0]


def test_what_passes_the_baseline_tier_is_open_to_addresses_as_well() -> None:
    passes = {
        "apiVersion": "policy.networking.k8s.io/v1alpha2",
        "kind": "ClusterNetworkPolicy",
        "metadata": {"name": "base"},
        "spec": {
            "tier": "Baseline",
            "priority": 1,
            "subject": {"namespaces": {}},
            "egress": [
                {"action": "Pass", "to": [{"networks": ["192.0.2.0/24"]}]},
                {"action": "Deny", "to": [{"networks": ["0.0.0.0/0"]}]},
            ],
        },
    }
    found = of(ask(pod("web"), passes), "egress")
    assert found["outside"] == [{"address": "192.0.2.0/24", "protocol": "all", "ports": "all"}]


@pytest.mark.parametrize(
    ("manifests", "told"),
    [
        # One value of two is denied: the other may come.
        (
            [
                policy(
                    "{podSelector: {}, ingress: [{from: [{podSelector:"
                    " {matchExpressions: [{key: env, operator: In, values: [a, b]}]}}]}]}"
                ),
                admin("ingress", {"action": "Deny", "from": [pods_with(env="a")]}),
            ],
            "from pods (env=b) of namespaces (name prod) on all",
        ),
        # A namespace by its label.
        (
            [admin("ingress", {"action": "Deny", "from": [{"namespaces": {"matchLabels": {"team": "x"}}}]})],
            "from pods (any) of namespaces (any) except (any) of (team=x) on all",
        ),
        # A denial of some ports leaves the others open to everyone.
        (
            [
                admin(
                    "ingress",
                    {
                        "action": "Deny",
                        "from": [pods_with(env="dev")],
                        "ports": [{"portNumber": {"protocol": "TCP", "port": 22}}],
                    },
                )
            ],
            "from every pod of every namespace on TCP 1-21,23-65535; UDP; SCTP;",
        ),
        # The baseline denies what no policy decides.
        (
            [
                {
                    "apiVersion": "policy.networking.k8s.io/v1alpha1",
                    "kind": "BaselineAdminNetworkPolicy",
                    "metadata": {"name": "default"},
                    "spec": {
                        "subject": {"namespaces": {}},
                        "ingress": [{"action": "Deny", "from": [pods_with(env="dev")]}],
                    },
                }
            ],
            "except (env=dev) of (any) on all",
        ),
    ],
)
def test_the_text_never_says_any_where_some_are_denied(manifests: list[dict[str, Any]], told: str) -> None:
    result = answer(Request("exposure"), load([Input("t", objects=[pod("web"), *manifests])]))
    line = next(line for line in result["text"] if line.startswith("prod/Pod/web ingress"))
    assert told in line
    assert "every namespace on all" not in line
