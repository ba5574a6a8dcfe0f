"""Generated tests: they can be read, they pass, and they tell the rules from nearly all mutants."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.format import read_tests
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.generate import Generated, generate
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.report import Report, judge
from hypothesis import given, settings

from .rulesets import LOADER, RULES, ruleset
from .test_mutation import CONDITIONS, MACROS, RULE, text_of

PATHS = {"own": ["rules.yaml"]}


def made(rules: str = RULES, names: list[str] | None = None, alerts: list[Any] | None = None) -> Generated:
    loaded = LOADER.load([RulesFile("rules.yaml", rules)])
    return generate(loaded, PATHS, names, [json.dumps(alert).encode() for alert in alerts or []])


def judged(one: Generated, rules: str = RULES) -> Report:
    tests, findings = read_tests("t.yaml", one.text, LOADER.tables)
    assert findings == []
    return judge([tests], {("t.yaml", "own"): ruleset(rules)}, True)


def test_rules_without_tests_get_ones_that_leave_nothing_out() -> None:
    one = made()
    assert (one.rules, one.left) == (["Shell", "Program", "Audit"], [])
    report = judged(one)
    assert report.failures == []
    assert report.coverages["own"].missing == []
    assert report.mutations["own"].score == 100.0


@pytest.mark.parametrize(
    ("condition", "parts"),
    [
        (
            "evt.type = open and proc.name = a and proc.tty != 0 and proc.name = b",
            "these hold together: proc.name = a; proc.name = b",
        ),
        ("evt.type = open and known and proc.name in (nobody)", "this holds: proc.name in ()"),
        ("known and not known", "these hold together: container.id exists; not known"),
    ],
)
def test_a_rule_that_never_fires_is_named_with_what_excludes_each_other(condition: str, parts: str) -> None:
    rules = "- list: nobody\n  items: []\n- macro: known\n  condition: container.id exists\n"
    rules += f"- rule: Never\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n"
    one = made(RULES + rules)
    assert one.left == [("Never", f"no event was found on which {parts}")]
    assert "Never" not in one.text


def test_a_rule_that_is_off_is_left_out_and_named_when_it_was_meant() -> None:
    rules = "- rule: Off\n  desc: d\n  condition: proc.name = a\n  output: o\n  priority: INFO\n  enabled: false\n"
    assert made(RULES + rules).left == []
    assert made(RULES + rules, names=["Shell", "Off"]).left == [("Off", "it is not enabled")]
    assert made(RULES + rules, alerts=[SHELL, {**SHELL, "rule": "Off"}]).left == [("Off", "it is not enabled")]


def test_only_the_rules_that_are_asked_for() -> None:
    assert made(names=["Audit"]).rules == ["Audit"]
    with pytest.raises(FalcoError, match="the ruleset has no rule 'Audti'"):
        made(names=["Audti"])


SHELL = {
    "rule": "Shell",
    "source": "syscall",
    "output_fields": {"evt.time": 1, "proc.name": "bash", "proc.cmdline": "bash -i", "user.name": "root", "odd": 1},
}


def test_alerts_become_cases_with_what_they_do_not_tell_made_up() -> None:
    full = {**SHELL, "output_fields": {"evt.type": "execve", "proc.name": "sh", "proc.tty": 4}}
    one = made(alerts=[SHELL, SHELL, full])
    assert one.rules == ["Shell"]
    tests, _findings = read_tests("t.yaml", one.text, LOADER.tables)
    assert [case.name for case in tests.cases] == [
        "Shell: recorded in line 1 (evt.type, proc.tty made up)",
        "Shell: recorded in line 3",
    ]
    assert tests.cases[0].event["fields"]["proc.cmdline"] == "bash -i"
    assert not {"odd", "evt.time"} & set(tests.cases[0].event["fields"])
    assert judged(one).failures == []


def test_of_many_alerts_of_a_rule_the_first_three_are_kept_and_what_differs_in_time_alone_is_one() -> None:
    fields = {"evt.type": "execve", "proc.name": "sh", "proc.tty": 4}
    again = [{**SHELL, "output_fields": {**fields, "evt.time": time}} for time in (1, 2)]
    others = [{**SHELL, "output_fields": {**fields, "proc.tty": number}} for number in range(5, 10)]
    tests, _findings = read_tests("t.yaml", made(alerts=[*again, *others]).text, LOADER.tables)
    assert [case.name for case in tests.cases] == [f"Shell: recorded in line {number}" for number in (1, 3, 4)]


def test_alerts_are_read_as_events_are_with_tabs_and_bytes_that_are_no_text() -> None:
    loaded = LOADER.load([RulesFile("rules.yaml", RULES)])
    one = generate(loaded, PATHS, None, [json.dumps(SHELL).encode().replace(b"bash -i", b"bash\t\xff-i")])
    tests, _findings = read_tests("t.yaml", one.text, LOADER.tables)
    assert tests.cases[0].event["fields"]["proc.cmdline"] == "bash\t\ufffd-i"


def test_alerts_that_fit_no_rule_are_named() -> None:
    other = {**SHELL, "output_fields": {"proc.name": "vim"}}
    one = made(alerts=[other, {**SHELL, "rule": "Old"}, SHELL])
    assert one.left == [
        ("Shell", "the alert in line 1 tells too little of its event, or the rule was another one"),
        ("Old", "the ruleset has no such rule"),
    ]
    with pytest.raises(FalcoError, match="line 1: this is no alert"):
        made(alerts=[{"fields": {"proc.name": "x"}}])


@settings(max_examples=25, deadline=None)
@given(MACROS, MACROS, CONDITIONS, CONDITIONS)
def test_whatever_is_generated_passes(macro: str, other: str, one: str, two: str) -> None:
    rules = text_of(macro, other, one, two)
    generated = made(rules)
    if generated.rules:
        report = judged(generated, rules)
        assert report.failures == []
        assert not any(gap.kind == "rules" and gap.item in generated.rules for gap in report.coverages["own"].missing)


def test_rules_whose_names_differ_by_other_characters_alone_have_fixtures_of_their_own() -> None:
    text = "".join(
        RULE.format(name, f"proc.name = {value}") for name, value in (("A b", "x"), ("a-B", "y"), ("+", "z"))
    )
    one = made(text)
    tests, findings = read_tests("t.yaml", one.text, LOADER.tables)
    assert findings == []
    assert [line.strip() for line in one.text.splitlines() if re.fullmatch(r" +(a_b|a_b_2|event):.*", line)] == [
        "a_b:",
        "a_b_2:",
        "event:",
    ]
    assert len(tests.cases) >= 3


def test_blank_lines_between_alerts_and_what_is_no_field_are_passed_over() -> None:
    loaded = LOADER.load([RulesFile("rules.yaml", RULES)])
    odd = {**SHELL, "output_fields": {"proc.name": "bash", "evt.arg": "x", "proc.tty": 4, "evt.type": "execve"}}
    one = generate(loaded, PATHS, None, [b"", json.dumps(odd).encode(), b"  \n", json.dumps(SHELL).encode()])
    tests, _findings = read_tests("t.yaml", one.text, LOADER.tables)
    assert [case.name.split(" (")[0] for case in tests.cases] == [
        "Shell: recorded in line 2",
        "Shell: recorded in line 4",
    ]
    assert "evt.arg" not in tests.cases[0].event["fields"]
