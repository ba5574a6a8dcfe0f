"""A ruleset is loaded past its errors: everything else is found, nothing that only follows from what was left out."""

from __future__ import annotations

from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.beyond import load_beyond
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load

RULE = "- rule: {}\n  desc: d\n  condition: evt.type = open and {}\n  output: o\n  priority: NOTICE\n"


def errors(*texts: str) -> list[str]:
    again = load_beyond(load([RulesFile(f"{number}", text) for number, text in enumerate(texts)]))
    found = [issue.message for result in again.results for issue in result.errors]
    return list(dict.fromkeys(found))


def warnings(text: str) -> list[str]:
    return [issue.code for issue in load_beyond(load([RulesFile("f", text)])).results[0].warnings]


def test_each_rule_is_judged() -> None:
    text = RULE.format("A", "proc.nam = x") + RULE.format("B", "fd.nam = x") + RULE.format("C", "proc.name = x")
    again = load_beyond(load([RulesFile("f", text)]))
    assert len(again.results[0].errors) == 2
    assert list(again.compiler.rules) == ["C"]


def test_each_faulty_key_of_a_rule_is_told() -> None:
    text = "- rule: A\n  condition: evt.type = opne\n  output: '%nowhere'\n  priority: HIGH\n"
    assert errors(text) == [
        "Item has no mapping for key 'desc'",
        "Invalid priority",
        "unknown filter: expected a field or a transformer",
        "unknown event type opne",
    ]


def test_one_faulty_exception_leaves_the_others() -> None:
    text = RULE.format("A", "proc.name = x") + (
        "  exceptions:\n  - name: a\n    fields: [proc.nam]\n  - name: b\n    fields: [fd.nam]\n"
    )
    assert errors(text) == [
        "'proc.nam' is not a supported filter field",
        "'fd.nam' is not a supported filter field",
    ]


def test_users_of_a_broken_macro_are_judged_without_it() -> None:
    text = "- macro: m\n  condition: proc.name = )\n" + RULE.format("A", "m") + RULE.format("B", "m and fd.nam = x")
    assert len(errors(text)) == 2
    assert errors(text)[1] == "filter_check called with nonexistent field fd.nam"


def test_what_is_appended_to_a_broken_entry_is_not_missing() -> None:
    assert len(errors("- list: l\n  items: cp\n- list: l\n  items: [a]\n  override: {items: append}\n")) == 1


def test_what_a_broken_rule_uses_is_not_unused() -> None:
    text = "- macro: m\n  condition: proc.name = x\n- list: l\n  items: [a]\n"
    assert warnings(text + RULE.format("A", "m and proc.name in (l) and fd.nam = x")) == []
    assert warnings(text + RULE.format("A", "m and proc.name in (l) and")) == []
    assert warnings(text + "- rule: A\n  condition: m and proc.name in (l)\n") == []


def test_entries_around_broken_yaml_are_judged() -> None:
    text = "- rule: A\n  condition: [x\n" + RULE.format("B", "proc.nam = x") + "- macro: m\n  condition: a: b\n"
    assert len(errors(text)) == 3
