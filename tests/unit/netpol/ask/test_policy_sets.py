"""Questions about whole sets of policies agree with asking the reference about every connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask import unplaced
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.redundancy import empty, redundant
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.relations import is_vacuous, relate
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import RELATIONS, WHOLE, Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.unplaced import placed
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.reference import Decider, _Context
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.universe import Universe
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.verdict import Endpoint
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import NetpolError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.addresses import Range, format_range
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import (
    Model,
    Options,
    Pod,
    PodsPeer,
    Policy,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..clusters import build, objects
from ..lint.test_lint import admin, pod, policy

#: Two ends by name, the protocol and the first port of those that no policy tells apart.
Found = set[tuple[str, str, str, int]]
QUICK = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


class Slow:
    """Every connection, one at a time."""

    def __init__(self, model: Model, policies: Sequence[Policy], options: Options) -> None:
        self.model, _determined = placed(model, policies, options)
        self.options = options
        universe = Universe(self.model, [policies], options)
        self.atoms = [(protocol, first) for protocol, first, _last in universe.ports.atoms()]
        self.ends: list[Endpoint] = list(self.model.running)
        self.ends += [Range(r.family, r.first, r.first) for ranges in universe.outside for r in ranges]

    def connections(self, policies: Sequence[Policy]) -> tuple[Found, Found]:
        """What policies allow, and what of it a rule decides at one end."""
        decider = Decider(self.model, policies, self.options)
        allowed: Found = set()
        specified: Found = set()
        for source, destination in product(self.ends, self.ends):
            if _is_same(source, destination) or not (isinstance(source, Pod) or isinstance(destination, Pod)):
                continue
            for protocol, port in self.atoms:
                for verdict in decider.over_each_family(source, destination, protocol, port):
                    if verdict.allowed:
                        found = (_name(source), _name(destination), protocol, port)
                        allowed.add(found)
                        tiers = {one.tier for one in (verdict.egress, verdict.ingress) if one is not None}
                        if tiers != {"default"}:
                            specified.add(found)
        return allowed, specified


def _name(end: Endpoint) -> str:
    return f"{end.workload_name} at {end.addresses}" if isinstance(end, Pod) else format_range(end)


def _is_same(source: Endpoint, destination: Endpoint) -> bool:
    if isinstance(source, Pod) and isinstance(destination, Pod):
        return source.full_name == destination.full_name and source.replicas < 2
    return False


def pairs(found: Found) -> set[tuple[str, str]]:
    """Pairs of workloads; addresses outside are told as ranges."""
    named = {(source.partition(" at ")[0], to.partition(" at ")[0]) for source, to, _protocol, _port in found}
    return {pair for pair in named if all("/Pod/" in end for end in pair)}


@settings(max_examples=60, deadline=None, suppress_health_check=QUICK)
@given(objects(), st.data(), st.builds(Options, st.booleans(), st.booleans()))
def test_two_sets_compare_as_their_connections_do(
    manifests: list[dict[str, Any]], data: st.DataObject, options: Options
) -> None:
    model = build(manifests)
    sides = [data.draw(st.sampled_from(("one", "two", "both"))) for _policy in model.policies]
    mine = [item for item, side in zip(model.policies, sides) if side != "two"]
    others = [item for item, side in zip(model.policies, sides) if side != "one"]
    slow = Slow(model, model.policies, options)
    allowed, _specified = slow.connections(mine)
    theirs, specified = slow.connections(others)
    beside, _specified = slow.connections(
        [item for item in mine if item.full_name not in {other.full_name for other in others}] + others
    )
    expected = {
        "permits": specified - allowed,
        "forbids": specified & allowed,
        "containment": theirs - allowed,
        "equivalence": theirs ^ allowed,
        "interference": beside - allowed,
    }
    for question in RELATIONS:
        if not others and question in ("permits", "forbids"):
            continue
        found = relate(question, model, mine, others, options, 100_000)
        wanted = expected[question]
        assert found.holds == (bool(wanted) == (question == "interference")), (question, wanted)
        told = {(item["from"], item["to"]) for item in found.evidence}
        assert {pair for pair in told if all("/Pod/" in end for end in pair)} == pairs(wanted), question


@settings(max_examples=60, deadline=None, suppress_health_check=QUICK)
@given(objects(), st.builds(Options, st.booleans(), st.booleans()))
def test_what_does_nothing_is_what_nothing_changes_without(manifests: list[dict[str, Any]], options: Options) -> None:
    model = build(manifests)
    slow = Slow(model, model.policies, options)
    allowed, _specified = slow.connections(model.policies)
    expected: set[tuple[str, str, int | None]] = set()
    for item in model.policies:
        rest = [other for other in model.policies if other is not item]
        if slow.connections(rest)[0] == allowed:
            expected.add((item.full_name, "", None))
            continue
        for direction in ("ingress", "egress"):
            for rule in item.rules(direction):
                kept = tuple(other for other in item.rules(direction) if other is not rule)
                changed = replace(item, ingress=kept) if direction == "ingress" else replace(item, egress=kept)
                if slow.connections([*rest, changed])[0] == allowed:
                    expected.add((item.full_name, direction, rule.index))
    found, determined = redundant(model, model.policies, options)
    told = {(one.policy.full_name, one.direction, None if one.rule is None else one.rule.index) for one in found}
    assert told == expected
    assert determined
    nothing, _specified = slow.connections([])
    assert is_vacuous(model, model.policies, options, 10).holds == (nothing == allowed)
    gone = [one for one in found if one.together]
    assert slow.connections(_without(model.policies, gone))[0] == allowed


def _without(policies: Sequence[Policy], gone: Sequence[Any]) -> list[Policy]:
    whole = {one.policy.full_name for one in gone if one.rule is None}
    rules = [one.rule for one in gone if one.rule is not None]
    return [
        replace(
            item,
            ingress=tuple(rule for rule in item.ingress if not any(rule is one for one in rules)),
            egress=tuple(rule for rule in item.egress if not any(rule is one for one in rules)),
        )
        for item in policies
        if item.full_name not in whole
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=QUICK)
@given(objects())
def test_what_is_empty_is_about_nobody(manifests: list[dict[str, Any]]) -> None:
    model = build(manifests)
    decider = Decider(model, model.policies)
    expected: set[tuple[str, str, int | None]] = set()
    for item in model.policies:
        if not any(decider.selects(item.subject, one) for one in model.running):
            expected.add((item.full_name, "", None))
        for direction in ("ingress", "egress"):
            for rule in item.rules(direction):
                selected = any(
                    decider.selects(peer, one) if isinstance(peer, PodsPeer) else bool(_ranges(decider, peer))
                    for peer in rule.peers or ()
                    for one in model.running
                )
                if rule.peers is not None and not selected:
                    expected.add((item.full_name, direction, rule.index))
    told = {
        (one.policy.full_name, one.direction, None if one.rule is None else one.rule.index)
        for one in empty(model, model.policies, Options())
    }
    assert told == expected


def _ranges(decider: Decider, peer: Any) -> Any:
    return _Context(decider, Range(4, 1, 1), "TCP", 1, 0).block(peer).ranges


OPEN_80 = policy(
    "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}],"
    " ports: [{port: 80}]}]}",
    "web-to-db",
)
OPEN_ALL = policy("{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {}}]}]}", "all-to-db")
DENY = policy("{podSelector: {}}", "deny")
PODS = [pod("web"), pod("db"), pod("cron")]


def ask(question: str, mine: list[dict[str, Any]], others: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    other = None if others is None else build(others)
    return answer(Request(question), build([*PODS, *mine]), other)


def test_what_a_specification_allows_is_permitted_or_the_connection_is_told() -> None:
    assert ask("permits", [OPEN_ALL], [OPEN_80])["holds"]
    result = ask("permits", [DENY], [OPEN_80])
    assert not result["holds"]
    assert result["evidence"] == [
        {"from": "prod/Pod/web", "to": "prod/Pod/db", "protocol": "TCP", "ports": "80"},
    ]
    assert result["text"] == [
        "the policies do not permit all that the others' rules allow",
        "prod/Pod/web -> prod/Pod/db: TCP 80",
    ]


def test_what_no_policy_of_the_specification_is_about_is_not_specified() -> None:
    # cron -> web is allowed by default with OPEN_80 alone, and denied by DENY: nobody asked for it.
    assert ask("permits", [DENY, OPEN_80], [OPEN_80])["holds"]


def test_a_forbidden_specification_has_nothing_in_common_with_what_is_allowed() -> None:
    assert ask("forbids", [DENY], [OPEN_80])["holds"]
    assert [item["ports"] for item in ask("forbids", [OPEN_ALL], [OPEN_80])["evidence"]] == ["80"]


def test_containment_and_equivalence_of_sets() -> None:
    assert ask("containment", [OPEN_ALL], [OPEN_80])["holds"]
    assert not ask("containment", [OPEN_80], [OPEN_ALL])["holds"]
    assert ask("equivalence", [OPEN_80, OPEN_ALL], [OPEN_ALL])["holds"]
    evidence = ask("equivalence", [OPEN_ALL], [OPEN_80])["evidence"]
    assert {item["only_in"] for item in evidence} == {"policies"}
    assert ask("equivalence", [], [])["holds"]


def test_policies_that_open_what_others_deny_interfere_with_them() -> None:
    result = ask("interference", [DENY], [OPEN_80])
    assert result["holds"]
    assert result["text"][1] == "prod/Pod/web -> prod/Pod/db: TCP 80"
    # The destination opens, the source does not.
    both = policy("{podSelector: {}, policyTypes: [Ingress, Egress]}", "deny")
    assert not ask("interference", [both], [OPEN_80])["holds"]
    # One that replaces its namesake may open as well.
    assert ask("interference", [DENY], [{**OPEN_ALL, "metadata": {"name": "deny", "namespace": "prod"}}])["holds"]


def test_a_policy_that_denies_nothing_is_vacuous() -> None:
    assert ask("vacuity", [policy("{podSelector: {}, ingress: [{}]}")])["holds"]
    result = ask("vacuity", [DENY])
    assert not result["holds"]
    assert {"from": "0.0.0.0/0", "to": "prod/Pod/db", "protocol": "all", "ports": "all"} in result["evidence"]


def test_of_two_that_say_the_same_either_may_go() -> None:
    twin = {**OPEN_ALL, "metadata": {"name": "twin", "namespace": "prod"}}
    result = ask("redundancy", [OPEN_ALL, twin])
    assert [(item["policy"], item["together"]) for item in result["idle"]] == [
        ("NetworkPolicy prod/all-to-db", True),
        ("NetworkPolicy prod/twin", False),
    ]
    assert [item["code"] for item in result["findings"]] == ["redundant-policy", "redundant-policy"]
    assert result["findings"][0]["hint"] == "delete it"
    assert "delete either, not both" in result["findings"][1]["hint"]
    assert result["findings"][0]["message"] == "without it no connection changes"
    assert (result["summary"]["idle_policies"], result["summary"]["idle_rules"]) == (2, 0)


def test_a_rule_that_another_holds_is_redundant_and_its_policy_is_not() -> None:
    rules = policy(
        "{podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}, {from: [{podSelector: {}}]}]}"
    )
    result = ask("redundancy", [rules])
    assert [(item["rule"], item["direction"]) for item in result["idle"]] == [(0, "ingress")]
    assert result["text"][0].startswith("warning: NetworkPolicy prod/p: ingress rule 0: without it no connection")
    assert result["findings"][0]["hint"] == "take it out, and write policyTypes so that they stay as they are"
    assert (result["summary"]["idle_policies"], result["summary"]["idle_rules"]) == (0, 1)


def test_an_admin_policy_that_is_always_overruled_is_redundant() -> None:
    first = admin("{subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}", "a", 1)
    second = admin("{subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {}}]}]}", "b", 2)
    assert [item["policy"] for item in ask("redundancy", [first, second])["idle"]] == ["AdminNetworkPolicy b"]


def test_empty_policies_and_rules_are_told() -> None:
    nobody = policy("{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: gone}}}]}]}", "peer")
    result = ask("emptiness", [policy("{podSelector: {matchLabels: {app: gone}}}"), nobody])
    assert [(item["code"], item["message"]) for item in result["findings"]] == [
        ("empty-policy", "selects no pod"),
        ("empty-rule", "ingress rule 0: its peers are nobody"),
    ]
    assert ask("emptiness", [DENY])["text"] == ["no policy and no rule is empty"]


def test_a_relation_needs_the_other_set_and_a_specification_something_to_specify() -> None:
    with pytest.raises(NetpolError, match="permits needs the other set"):
        ask("permits", [DENY])
    with pytest.raises(NetpolError, match="needs policies that specify something"):
        ask("forbids", [DENY], [])


def test_workloads_of_the_other_set_are_not_looked_at_and_that_is_said() -> None:
    result = ask("containment", [DENY], [pod("strange"), OPEN_80])
    assert "not looked at: 1 workloads that only the other set's input has" in result["notes"]


def test_more_evidence_than_the_limit_is_cut_and_that_is_said() -> None:
    result = answer(Request("vacuity", limit=1), build([*PODS, DENY]))
    assert result["truncated"]
    assert result["text"][-1] == "and more than these 1"


def test_a_set_is_equal_to_itself_wherever_addresses_will_lie() -> None:
    block = policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}")
    result = ask("equivalence", [block], [block])
    assert result["holds"]
    assert result["notes"] == []
    other = policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 11.0.0.0/8}}]}]}")
    assert not ask("equivalence", [block], [other])["holds"]


def test_what_depends_on_an_address_is_told_apart_from_what_does_not() -> None:
    block = policy("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 169.254.169.254/32}}]}]}")
    result = ask("forbids", [], [block])
    told = {(item["from"], item["to"]): item.get("undetermined", False) for item in result["evidence"]}
    assert told[("prod/Pod/web", "169.254.169.254")] is False
    assert told[("prod/Pod/web", "prod/Pod/db")] is True
    assert "prod/Pod/web -> prod/Pod/db: all (for some of the addresses that pods may get)" in result["text"]
    assert result["notes"][-1].startswith("undetermined: the answer may depend on addresses")


def baseline(action: str) -> dict[str, Any]:
    spec = {"tier": "Baseline", "priority": 1, "subject": {"namespaces": {}}}
    rules = {"ingress": [{"action": action, "from": [{"namespaces": {}}]}]}
    version = "policy.networking.k8s.io/v1alpha2"
    return {"apiVersion": version, "kind": "ClusterNetworkPolicy", "metadata": {"name": "b"}, "spec": {**spec, **rules}}


@pytest.mark.parametrize(("action", "specified"), [("Accept", True), ("Pass", False), ("Deny", False)])
def test_what_leaves_the_last_tier_is_not_specified(action: str, specified: bool) -> None:
    assert ask("permits", [DENY], [baseline(action)])["holds"] is not specified


@pytest.mark.parametrize(("mine", "others"), [([OPEN_ALL], [DENY]), ([DENY], [OPEN_ALL])], ids=["mine", "others"])
def test_more_on_either_side_than_the_limit_is_said_so(mine: list[Any], others: list[Any]) -> None:
    request = Request("equivalence", limit=1)
    assert answer(request, build([*PODS, *mine]), build(others))["truncated"] is True


def test_what_depends_on_no_address_is_certain_beside_policies_that_do() -> None:
    block = policy("{podSelector: {matchLabels: {app: cron}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}")
    result = ask("permits", [DENY, block], [OPEN_80])
    assert [(item["to"], "undetermined" in item) for item in result["evidence"]] == [("prod/Pod/db", False)]
    assert result["notes"] == []


def test_where_too_many_stand_ins_would_be_made_what_may_be_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unplaced, "MAX_PLACED", 1)
    block = policy("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 169.254.169.254/32}}]}]}")
    result = ask("forbids", [], [block])
    told = {(item["from"], item["to"]): item.get("undetermined", False) for item in result["evidence"]}
    assert told[("prod/Pod/web", "prod/Pod/db")] is True
    assert result["notes"][-1].startswith("undetermined: the answer may depend on addresses")


def test_a_pod_whose_address_is_known_is_at_that_one() -> None:
    block = policy("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 169.254.169.254/32}}]}]}")
    pods = [pod("web"), pod("db", ip="10.0.0.5")]
    evidence = answer(Request("forbids"), build(pods), build([block]))["evidence"]
    told = {(item["from"], item["to"]) for item in evidence}
    assert ("prod/Pod/db", "prod/Pod/web") in told
    assert ("prod/Pod/web", "prod/Pod/db") not in told


def test_every_question_about_sets_has_an_answer_for_an_empty_cluster() -> None:
    for question in WHOLE:
        assert answer(Request(question), build([]))["text"]


def test_what_is_not_analysed_makes_an_answer_uncertain_and_never_a_yes() -> None:
    metadata = {"name": "c", "namespace": "prod"}
    rule = {"fromEntities": ["all"], "toPorts": [{"ports": [{"port": "80"}], "rules": {"http": [{"path": "/a"}]}}]}
    spec = {"endpointSelector": {"matchLabels": {"app": "db"}}, "ingress": [rule]}
    requests = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": metadata, "spec": spec}
    for question in ("permits", "forbids"):
        result = ask(question, [requests], [OPEN_80])
        assert not result["holds"]
        assert [(item["from"], item["undetermined"]) for item in result["evidence"]] == [("prod/Pod/web", True)]
        assert result["notes"][0] == "not analysed: 1 toPorts rules http of CiliumNetworkPolicy prod/c"
    assert ask("redundancy", [requests])["idle"] == []
