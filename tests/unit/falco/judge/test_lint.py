"""Conditions that never or always hold, rules behind others: what is told, and what is left alone on purpose."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import Finding
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge import lint
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import Ruleset, Verdict, validate
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile

RULE = "- rule: {}\n  desc: d\n  condition: {}\n  output: o\n  priority: NOTICE\n"
EMPTY = "- list: allowed\n  items: []\n"
MACROS = """- macro: opened
  condition: fd.name exists
- macro: in_allowed
  condition: fd.name in (allowed)
- macro: through
  condition: in_allowed
"""
EXCEPTED = "  exceptions:\n    - {name: e, fields: [proc.name], comps: [=], values: [[x]]}\n"


def rule(condition: str, name: str = "R", more: str = "") -> str:
    return RULE.format(name, condition) + more


def judged(*texts: str, lint: bool = True) -> Verdict:
    files = tuple(RulesFile(f"{number}.yaml", text) for number, text in enumerate(texts, 1))
    return validate([Ruleset("", files)], lint=lint)[0]


def found(*texts: str) -> list[Finding]:
    return judged(*texts).findings


@pytest.mark.parametrize(
    "condition",
    [
        "fd.name in (allowed)",
        "fd.name in (allowed) and fd.name = /a",
        "through",
        "((fd.name in (allowed) and fd.name = /a) or (proc.name = a and proc.name = b))",
        "opened and ((through and fd.name = /a) or (proc.name = a and proc.name = b))",
    ],
)
def test_a_rule_that_waits_for_a_list_to_be_filled_is_not_told_to_never_fire(condition: str) -> None:
    told = found(EMPTY + MACROS + rule(f"evt.type = open and {condition}"))
    assert [one.message for one in told if one.code == "FN001"] == []


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("proc.name = a and proc.name = b", ": 'proc.name = a' excludes 'proc.name = b'"),
        ("fd.name in (allowed) and proc.name = a and proc.name = b", ": 'proc.name = a' excludes 'proc.name = b'"),
        # No two of its parts exclude each other, and there is no empty list to be filled.
        ("((proc.name = a and proc.name = b) or (proc.name = c and proc.name = d))", ""),
        ("(opened or opened) and ((proc.name = a and proc.name = b) or (proc.pname = c and proc.pname = d))", ""),
    ],
)
def test_a_rule_that_can_never_fire_for_another_reason_is_told(condition: str, why: str) -> None:
    told = found(EMPTY + MACROS + rule(f"evt.type = open and {condition}"))
    assert [one.message for one in told if one.code == "FN001"] == [f"the condition can never hold{why}"]


@pytest.mark.parametrize("joint", ["or", "and"])
def test_a_condition_that_closes_its_own_parenthesis_is_left_alone(joint: str) -> None:
    """Falco puts parentheses around the condition before it appends exceptions, so that this loads."""
    appended = "- rule: R\n  condition: and fd.num = 1\n  override: {condition: append}\n"
    verdict = judged(rule(f"evt.type = open) {joint} (proc.name = y", more=EXCEPTED) + appended)
    assert verdict.successful
    assert {one.code for one in verdict.findings} & {"FN001", "FN003", "FN006"} == set()


def test_rules_behind_others_are_found_among_more_than_are_compared_with_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = (
        rule("evt.type = open and proc.name = x", "Narrow")
        + rule("evt.type = open and fd.num = 1", "Beside")
        + rule("evt.type = open and fd.num = 1 and proc.name = x", "Behind")
    )
    expected = [("rule 'Behind'", "rule 'Narrow' comes first and holds whenever this one does")]
    assert [(one.item, one.message) for one in found(text) if one.code == "FN004"] == expected
    monkeypatch.setattr(lint, "MAX_PROVEN", 0)
    told = [(one.item, one.message) for one in found(text) if one.code == "FN004"]
    assert told in (expected, [(item, words.replace("Narrow", "Beside")) for item, words in expected])


def test_without_lint_only_what_falco_says_is_told() -> None:
    never = rule("evt.type = open and proc.name = a and proc.name = b")
    assert [one.code for one in judged(never).findings] == ["FN001"]
    assert judged(never, lint=False).findings == []


def test_a_ruleset_that_falco_refuses_is_not_successful() -> None:
    assert judged(rule("evt.type = open")).successful
    assert not judged(rule("evt.type = opne")).successful


def test_a_file_that_cannot_be_read_is_an_error_of_its_ruleset_alone() -> None:
    sound = RulesFile("sound.yaml", rule("evt.type = open"))
    broken, whole = validate([Ruleset("site", (sound,), (("gone.yaml", "No such file"),)), Ruleset("other", (sound,))])
    assert (broken.successful, whole.successful) == (False, True)
    assert [(one.code, one.file, one.message, one.ruleset) for one in broken.findings] == [
        ("LOAD_ERR_FILE_READ", "gone.yaml", "No such file", "site")
    ]
    assert whole.findings == []
    result = broken.results[-1]
    assert (result["name"], result["successful"]) == ("gone.yaml", False)
    assert [(one["code"], one["message"]) for one in result["errors"]] == [("LOAD_ERR_FILE_READ", "No such file")]


def test_an_unknown_plugin_is_told_in_the_ruleset_that_requires_it_alone() -> None:
    needs = "- required_plugin_versions:\n  - name: doorbell\n    version: 0.1.0\n"
    rings = rule("doorbell.button = front", more="  source: doorbell\n")
    rulesets = [
        Ruleset("bell", (RulesFile("bell.yaml", needs + rings),)),
        Ruleset("own", (RulesFile("own.yaml", rule("evt.type = open")),)),
    ]
    bell, own = validate(rulesets)
    assert [(one.code, one.file, one.line) for one in bell.findings] == [("FN019", "bell.yaml", 2)]
    assert own.findings == []
    # by a field alone it is used as well
    files = (RulesFile("bell.yaml", needs + rule("evt.type = open and doorbell.button = front")),)
    (one,) = validate([Ruleset("", files)])[0].findings
    assert one.message.endswith("the fields doorbell.button are taken as they stand, which a rule uses: 'R'")
