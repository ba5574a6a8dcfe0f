"""What is said of rules that hide each other is compared with what their conditions give, value by value."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.nodes import (
    And,
    Compare,
    Node,
    Not,
    Or,
    Value,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.parser import parse
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.hiding import (
    NAMED,
    Hidden,
    constant,
    hidden_rules,
    hiding_in_words,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loaded, RulesFile, load
from hypothesis import given, settings
from hypothesis import strategies as st

OPERATORS = ("=", "!=", "startswith", "endswith", "contains")
VALUES = {"proc.name": ("sh", "cat"), "fd.name": ("/etc/shadow", "/etc/x", "/tmp")}


def rule(name: str, condition: str, **more: str) -> str:
    keys = {"desc": "d", "condition": condition, "output": "o", "priority": "NOTICE", **more}
    return f"- rule: {name}\n" + "".join(f"  {key}: {value}\n" for key, value in keys.items())


def ruleset(*rules: str) -> Loaded:
    loaded = load([RulesFile("r.yaml", "".join(rules))])
    assert loaded.successful, loaded.results[0].errors
    return loaded


def pair(first: str, second: str, **more: str) -> Hidden | None:
    found = hidden_rules(ruleset(rule("first", first, **more), rule("second", second)), {"second"})
    return found[0] if found else None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("evt.type = open", "evt.type = open and proc.name = cat"),
        ("evt.type in (open, openat)", "evt.type = open and fd.name startswith /etc"),
        ("evt.type = open and evt.num > 0", "evt.type = open and evt.num != 0"),
        ("evt.type = open and fd.name startswith /etc", "evt.type = open and fd.name = /etc/shadow"),
        ("evt.type = open and not proc.name in (dog, cow)", "evt.type = open and proc.name = cat"),
        ("evt.type = open and (proc.name = cat or proc.name = dog)", "evt.type = open and proc.name = dog"),
        # The rulesets' own places for settings.
        ("evt.type = open and not (evt.num = 0)", "evt.type = open and proc.name = cat"),
    ],
)
def test_a_rule_that_never_fires_is_told_for_certain(first: str, second: str) -> None:
    found = pair(first, second)
    assert found is not None
    assert found.always is True
    assert (found.rule, found.by) == ("second", "first")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("evt.type = open and fd.name startswith /etc", "evt.type = open and proc.name = cat"),
        ("evt.type = open and proc.name = cat", "evt.type in (open, openat)"),
        ("evt.type = open and proc.name != cat", "evt.type = open"),
    ],
)
def test_a_rule_that_loses_some_events_may_be_hidden(first: str, second: str) -> None:
    found = pair(first, second)
    assert found is not None
    assert found.always is False
    assert found.events == ("open",)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("evt.type = open", "evt.type = execve"),
        ("evt.type = open and proc.name = cat", "evt.type = open and proc.name in (sh, bash)"),
        ("evt.type = open and container.id = host", "evt.type = open and container.id != host"),
        ("evt.type = open and fd.name startswith /tmp", "evt.type = open and fd.name = /etc/shadow"),
        ("evt.type = open and not proc.name = cat", "evt.type = open and proc.name = cat"),
        ("evt.type = open and (fd.name = /a or fd.name = /b)", "evt.type = open and fd.name = /c"),
        ("evt.type = open and evt.num = 0", "evt.type = open"),
        ("evt.type = open", "evt.type = open and evt.num = 0"),
        ("evt.type = open", "evt.type = open and proc.name in ()"),
        ("evt.type = open and proc.name in ()", "evt.type = open"),
        ("evt.type = open and proc.name = a and proc.name = b", "evt.type = open"),
    ],
)
def test_nothing_is_said_where_both_are_proven_not_to_hold(first: str, second: str) -> None:
    assert pair(first, second) is None


def test_what_is_switched_off_hides_nothing() -> None:
    assert pair("evt.type = open", "evt.type = open and proc.name = cat", enabled="false") is None


def test_what_is_below_the_minimum_priority_hides_nothing() -> None:
    loaded = ruleset(rule("first", "evt.type = open", priority="INFO"), rule("second", "evt.type = open"))
    assert hidden_rules(loaded, {"second"}, "notice") == []
    assert len(hidden_rules(loaded, {"second"}, "info")) == 1


def test_another_source_hides_nothing() -> None:
    audit = rule("audit", "ka.verb = get", source="k8s_audit")
    assert hidden_rules(ruleset(audit, rule("own", "evt.type = open")), {"own"}) == []


def test_of_audit_events_no_system_calls_are_named() -> None:
    first = rule("first", "ka.verb = get", source="k8s_audit")
    loaded = ruleset(first, rule("second", "ka.verb = get and ka.user.name = x", source="k8s_audit"))
    assert hidden_rules(loaded, {"second"}) == [Hidden("second", "first", True)]


def test_a_rule_that_is_defined_again_keeps_its_place() -> None:
    loaded = ruleset(
        rule("own", "evt.type = open"),
        rule("other", "evt.type = open"),
        rule("own", "evt.type = open and proc.name = cat"),
    )
    assert hidden_rules(loaded, {"own"}) == []


def test_the_rule_of_someone_else_is_not_looked_at() -> None:
    assert hidden_rules(ruleset(rule("a", "evt.type = open"), rule("b", "evt.type = open")), set()) == []


def holds(node: Node, event: Mapping[str, str | None]) -> bool:
    """The slow and obvious meaning of a condition; a missing field makes every comparison false."""
    if isinstance(node, And):
        return all(holds(part, event) for part in node.operands)
    if isinstance(node, Or):
        return any(holds(part, event) for part in node.operands)
    if isinstance(node, Not):
        return not holds(node.operand, event)
    assert isinstance(node, Compare)
    value = event[node.left.text]  # type: ignore[attr-defined]  # only fields are generated
    if value is None:
        return False
    wanted = node.right.text if isinstance(node.right, Value) else ""
    tests: dict[str, Any] = {
        "=": lambda: value == wanted,
        "!=": lambda: value != wanted,
        "startswith": lambda: value.startswith(wanted),
        "endswith": lambda: value.endswith(wanted),
        "contains": lambda: wanted in value,
        "in": lambda: value in node.right.values,  # type: ignore[attr-defined]  # a list
    }
    return bool(tests[node.operator]())


names = st.sampled_from(sorted(VALUES))
checks = names.flatmap(
    lambda name: st.one_of(
        st.tuples(
            st.sampled_from(("=", "!=", "startswith", "endswith", "contains")), st.sampled_from(VALUES[name])
        ).map(lambda pair: f"{name} {pair[0]} {pair[1]}"),
        st.lists(st.sampled_from(VALUES[name]), min_size=1, max_size=2).map(
            lambda values: f"{name} in ({', '.join(values)})"
        ),
    )
)
conditions = st.recursive(
    checks,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: "(" + " and ".join(parts) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: "(" + " or ".join(parts) + ")"),
        inner.map(lambda part: f"not ({part})"),
    ),
    max_leaves=5,
)


@settings(max_examples=400, deadline=None)
@given(conditions, conditions)
def test_what_is_proven_holds_for_every_event(first: str, second: str) -> None:
    found = pair(f"evt.type = open and {first}", f"evt.type = open and {second}")
    one, two = parse(first), parse(second)
    events = [
        dict(zip(VALUES, values, strict=True))
        for values in itertools.product(*((None, "sh", "/etc/shadow", "/etc/x", "/tmp", "cat") for _ in VALUES))
    ]
    if found is None:
        assert not any(holds(one, event) and holds(two, event) for event in events)
    elif found.always:
        assert all(holds(one, event) for event in events if holds(two, event))


def test_a_name_does_not_make_a_warning_come_first() -> None:
    told = hiding_in_words([Hidden("a never fires: ", "b", False), Hidden("c", "d", True)])
    assert [text.split("'")[1] for text in told] == ["c", "a never fires: "]


@pytest.mark.parametrize(
    ("check", "holds"),
    [
        ("evt.num = 0", False),
        ("evt.num == 0", False),
        ("evt.num < 0", False),
        ("evt.num <= 0", False),
        ("evt.num != 0", True),
        ("evt.num > 0", True),
        ("evt.num >= 0", True),
        ("not evt.num = 0", True),
        ("not not evt.num = 0", False),
        ("evt.num = 1", None),
        ("not evt.num = 1", None),
        ("proc.pid = 0", None),
        ("evt.num exists", None),
        ("evt.num in (0)", None),
    ],
)
def test_a_check_of_the_number_of_an_event_that_is_the_same_for_all(check: str, holds: bool | None) -> None:
    assert constant(parse(check)) is holds


@pytest.mark.parametrize(
    ("priority", "minimum", "counts"),
    [
        ("INFO", "informational", True),
        ("INFORMATIONAL", "info", True),
        ("debug", "info", False),
        ("INFO", "DEBUG", True),
    ],
)
def test_info_is_short_for_informational(priority: str, minimum: str, counts: bool) -> None:
    loaded = ruleset(rule("first", "evt.type = open", priority=priority), rule("second", "evt.type = open"))
    assert len(hidden_rules(loaded, {"second"}, minimum)) == counts


@pytest.mark.parametrize(("count", "more"), [(NAMED, ""), (NAMED + 1, " and others")])
def test_of_many_events_the_first_are_named(count: int, more: str) -> None:
    events = tuple(f"e{number}" for number in range(count))
    (told,) = hiding_in_words([Hidden("a", "b", False, events)])
    assert told.startswith(f"rule 'a' may be hidden on {', '.join(events[:NAMED])}{more} by 'b': ")


@pytest.mark.parametrize(("count", "more"), [(NAMED, ""), (NAMED + 2, " and 2 more")])
def test_of_many_rules_the_first_are_named(count: int, more: str) -> None:
    rules = [f"b{number}" for number in range(count)]
    named = ", ".join(f"'{name}'" for name in rules[:NAMED])
    (told,) = hiding_in_words([Hidden("a", name, False) for name in rules])
    assert told.startswith(f"rule 'a' may be hidden by {named}{more}: ")
