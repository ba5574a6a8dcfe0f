"""Cases tried on a ruleset: what passes, and what a failure says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.run import MAX_REASONS, fits
from hypothesis import given
from hypothesis import strategies as st

from .rulesets import FIXTURES, judged

USED = "  - {name: all fixtures are used, given: [audit], expect: Audit, skip: not here}\n"


def messages(cases: str, **more: Any) -> list[str]:
    return [one.message for one in judged("cases:\n" + cases + USED, **more).failures]


def test_what_is_as_expected_passes() -> None:
    report = judged(
        "cases:\n"
        "  - {name: both, given: shell, expect: [Shell, Program], expect_not: all}\n"
        "  - {name: audit, given: audit, expect: {rule: Audit, output: Got by u, priority: WARNING}, expect_not: all}\n"
        "  - {name: admin, given: [shell, {user.name: admin}], expect: Program, expect_not: Shell}\n"
        "  - {name: skipped, given: shell, expect_not: Shell, skip: later}\n"
    )
    assert report.failures == []
    assert report.to_data()["counts"] == {"passed": 3, "failed": 0, "skipped": 1}


def test_a_rule_that_does_not_fire_says_which_part_was_not_met_and_where() -> None:
    (one,) = judged("cases:\n  - {name: a, given: [shell, {proc.tty: 0}], expect: Shell}\n" + USED).failures
    assert one.message == "rule 'Shell' did not fire:\n  rules.yaml:10:35: proc.tty != 0: proc.tty is 0"
    assert (one.code, one.file, one.line, one.column) == ("FT002", "tests.yaml", FIXTURES.count("\n") + 2, 54)
    assert one.item == "case 'a'"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ("{evt.type: open}", "\n  rules.yaml:5:14: evt.type = execve (in started): evt.type is 'open'"),
        ("{proc.name: ls}", "\n  rules.yaml:10:9: proc.name in (sh, bash): proc.name is 'ls'"),
        ("{proc.name: ~}", "\n  rules.yaml:10:9: proc.name in (sh, bash): proc.name has no value"),
        ("{user.name: admin}", "\n  rules.yaml:15:7: not user.name = admin: user.name is 'admin'"),
    ],
)
def test_every_kind_of_part_is_found_in_the_file(changed: str, message: str) -> None:
    assert messages(f"  - {{name: a, given: [shell, {changed}], expect: Shell}}\n") == [
        f"rule 'Shell' did not fire:{message}"
    ]


def test_a_rule_that_fires_though_it_should_not_says_what_held() -> None:
    (message,) = messages("  - {name: a, given: shell, expect_not: Program}\n")
    assert message.startswith("rule 'Program' fired:")
    assert "rules.yaml:5:14: evt.type = execve (in started): evt.type is 'execve'" in message
    assert "proc.name exists: proc.name is 'bash'" in message
    assert [one[:20] for one in messages("  - {name: a, given: shell, expect: Shell, expect_not: all}\n")] == [
        "rule 'Program' fired"
    ]


def test_output_and_priority_are_told_apart() -> None:
    given = "  - {name: a, given: shell, expect: {rule: Shell, "
    assert messages(given + "output: 'Shell (command=bash -i user=root)', priority: notice}}\n") == []
    assert messages(given + "output: '* user=root)'}}\n") == []
    (message,) = messages(given + "output: '* user=ROOT)'}}\n")
    assert message == (
        "rule 'Shell' fired with another output: 'Shell (command=bash -i user=root)' is not '* user=ROOT)'"
    )
    assert messages(given + "priority: warning}}\n") == ["rule 'Shell' fired with priority Notice, not warning"]


def test_the_first_rule_alone_counts_where_that_is_said() -> None:
    first = FIXTURES + "rule_matching: first\n"
    cases = "  - {name: a, given: shell, expect: Program}\n"
    assert messages(cases) == []
    assert messages(cases, top=first) == [
        "rule 'Program' did not fire: 'Shell' comes first, and rule_matching is 'first'"
    ]


def test_other_reasons_than_the_condition_are_told() -> None:
    assert messages("  - {name: a, given: shell, expect: Audit}\n") == [
        "rule 'Audit' did not fire: the rule sees events of source 'k8s_audit', this one is of 'syscall'"
    ]
    assert messages(
        "  - {name: s, given: shell, expect: Shell}\n"
        "  - {name: a, given: [audit, {stageTimestamp: null}], expect: Audit}\n"
    ) == ["the k8saudit plugin drops this event: it has no kind, or no stageTimestamp"]


def test_a_rule_that_is_not_there_is_a_mistake_of_the_test() -> None:
    report = judged("cases:\n  - {name: a, given: shell, expect_not: Shel}\n" + USED)
    (one,) = report.failures
    assert (one.code, one.message, one.hint) == (
        "FT001",
        "the ruleset 'own' has no rule 'Shel'",
        "did you mean 'Shell'?",
    )
    (far,) = judged("cases:\n  - {name: a, given: shell, expect_not: Qqq}\n" + USED).failures
    assert far.hint == ""
    assert report.outcomes == {}


@pytest.mark.parametrize("source", ["[x]", "{a: b}", "7"])
def test_a_source_that_is_none_is_a_mistake_of_the_test_whatever_it_is(source: str) -> None:
    for given_ in (f"{{source: {source}, fields: {{proc.name: a}}}}", f"[{{source: {source}}}, {{proc.name: a}}]"):
        cases = f"cases:\n  - {{name: a, given: {given_}, expect: Program}}\n"
        (one,) = judged(cases, top="rulesets: {own: [rules.yaml]}\n").failures
        assert (one.code, one.line) == ("FT001", 3)


def slow_fits(pattern: str, text: str) -> bool:
    """Stars tried at every place."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(slow_fits(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and text[0] == pattern[0] and slow_fits(pattern[1:], text[1:])


@given(st.text("ab*.[", max_size=6), st.text("ab.[\n", max_size=6))
def test_a_pattern_has_stars_and_nothing_else(pattern: str, text: str) -> None:
    folded = re.sub(r"\s+", " ", text.strip())
    assert fits(pattern, text) == slow_fits(pattern, folded)


def test_folded_patterns_fit_folded_outputs() -> None:
    assert fits("a  b\n c *\n", "a b   c d")
    assert not fits("a b*", "ab")


def test_a_case_is_tried_on_the_rulesets_that_it_names_alone() -> None:
    top = FIXTURES.replace("{own: [rules.yaml]}", "{own: [rules.yaml], other: [more.yaml]}")
    cases = "cases:\n  - {name: a, given: shell, expect: Nothing, rulesets: [other]}\n" + USED
    report = judged(cases, top=top)
    assert report.failures == []
    assert [one["name"] for one in report.to_data()["cases"]] == ["all fixtures are used"]


def test_an_event_that_nothing_can_be_made_of_is_a_mistake_of_the_test() -> None:
    given_ = "{output_fields: [a]}"
    (one,) = judged(
        f"cases:\n  - {{name: s, given: shell, expect: Shell}}\n  - {{name: a, given: {given_}, expect: Shell}}\n"
        + USED
    ).failures
    assert (one.code, one.item) == ("FT001", "case 'a'")
    assert one.message.startswith("event 1: expected a field map ('fields'), an audit event")


@pytest.mark.parametrize(("names", "more"), [("abcdefgh", ""), ("abcdefghi", "1"), ("abcdefghij", "2")])
def test_of_many_reasons_the_first_are_told(names: str, more: str) -> None:
    condition = "not (" + " or ".join(f"proc.name = {name}" for name in names) + ")"
    rules = f"- rule: None\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n"
    cases = "cases:\n  - {name: a, given: {proc.name: x}, expect_not: None}\n"
    (one,) = judged(cases, rules=rules, top="rulesets: {own: [rules.yaml]}\n").failures
    assert one.message.count("proc.name = ") == MAX_REASONS == 8
    assert one.message.partition("\n  and ")[2] == (f"{more} more" if more else "")
