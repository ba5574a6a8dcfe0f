"""A ruleset is loaded past its errors: everything else is found, nothing that only follows from what was left out."""

from __future__ import annotations

from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.beyond import MAX_FAULTS, load_beyond
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.nodes import MAX_BYTES

RULE = "- rule: {}\n  desc: d\n  condition: evt.type = open and {}\n  output: o\n  priority: NOTICE\n"


def errors(*texts: str) -> list[str]:
    again = load_beyond(load([RulesFile(f"{number}", text) for number, text in enumerate(texts)]))
    found = [issue.message for result in again.results for issue in result.errors]
    return list(dict.fromkeys(found))


def places(text: str) -> list[tuple[int, int, str]]:
    """Line, column and message of each error."""
    issues = load_beyond(load([RulesFile("f", text)])).results[0].errors
    marks = [(issue.context.locations[-1].mark, issue.message) for issue in issues]
    return [(mark.line + 1, mark.column + 1, message) for mark, message in marks]


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


def test_a_key_that_is_empty_or_of_another_kind_is_left_out() -> None:
    text = "- rule: A\n  desc: ~\n  condition: evt.type = opne\n  output: o\n  priority: INFO\n  tags: [[a]]\n"
    assert errors(text) == [
        "Mapping for key 'desc' is empty",
        "sequence value is not scalar",
        "unknown event type opne",
    ]
    assert errors(RULE.format("A", "fd.nam = x") + "  exceptions: x\n") == [
        "Rule exceptions must be a sequence",
        "filter_check called with nonexistent field fd.nam",
    ]


def test_an_override_that_yaml_cpp_cannot_convert_leaves_the_rest() -> None:
    override = "- rule: A\n  tags: [x]\n  override: {tags: [append]}\n"
    assert errors(RULE.format("A", "proc.name = x") + override + RULE.format("B", "fd.nam = x")) == [
        "yaml-cpp: error at line 8, column 20: bad conversion",
        "filter_check called with nonexistent field fd.nam",
    ]


def test_users_of_users_of_a_broken_macro_are_not_compiled() -> None:
    conditions = {"a": "fd.name = )", "m": "fd.num = 1", "b": "a or m", "c": "m and b and m"}
    macros = "".join(f"- macro: {name}\n  condition: {condition}\n" for name, condition in conditions.items())
    text = macros + RULE.format("A", "c") + RULE.format("B", "m")
    again = load_beyond(load([RulesFile("f", text)]))
    assert list(again.compiler.rules) == ["B"]


def test_of_very_many_faults_the_first_are_told_and_nothing_that_follows_from_them() -> None:
    faulty = "".join(f"  - {{name: e{number}, fields: [proc.nam{number}]}}\n" for number in range(MAX_FAULTS + 5))
    append = "- rule: A\n  condition: and fd.name = x\n  override: {condition: append}\n"
    assert errors(RULE.format("A", "proc.name = x") + "  exceptions:\n" + faulty + append) == [
        f"'proc.nam{number}' is not a supported filter field" for number in range(MAX_FAULTS)
    ]
    undefined = " and ".join(f"m{number}" for number in range(MAX_FAULTS + 5))
    assert errors(RULE.format("A", undefined)) == [
        f"Undefined macro 'm{number}' used in filter." for number in range(MAX_FAULTS)
    ]


def test_a_file_over_the_bound_is_refused_as_a_whole() -> None:
    assert errors("#" * (MAX_BYTES + 1)) == [f"the file has more than {MAX_BYTES} characters"]


def test_each_entry_that_is_no_yaml_is_told_once_at_its_own_place() -> None:
    sound = RULE.format("A", "proc.name = x")
    assert places(f"{sound}- macro: m\n  condition: a: b\n- macro: n\n  condition: @x\n") == [
        (7, 15, "yaml-cpp: error at line 7, column 15: illegal map value"),
        (9, 14, "yaml-cpp: error at line 9, column 14: unknown token"),
    ]
    assert places(f"- macro: @m\n  condition: a\n{sound}") == [
        (1, 10, "yaml-cpp: error at line 1, column 10: unknown token")
    ]


def test_entries_behind_what_is_no_yaml_are_read_each_by_itself() -> None:
    again = load_beyond(load([RulesFile("f", "a: b\n" + "".join(RULE.format(name, "fd.nam = x") for name in "ABC"))]))
    assert len(again.results[0].errors) == 4
    assert [(one.action, one.name, one.node.mark.line) for one in again.collector.changes] == [
        ("define", "A", 1),
        ("define", "B", 6),
        ("define", "C", 11),
    ]


def test_users_of_a_macro_that_could_not_be_read_are_judged_without_it() -> None:
    unread = "- macro: m\n  condition: [a]\n"
    assert errors(unread + RULE.format("A", "m")) == ["Value is not a scalar value"]
    # one that stands already is as it was
    known = "- macro: m\n  condition: proc.name = x\n"
    again = load_beyond(load([RulesFile("f", known + unread + RULE.format("A", "m"))]))
    assert list(again.compiler.rules) == ["A"]
    # a rule of that name is no macro
    rule = "- rule: m\n  condition: and proc.name = x\n  override: {condition: delete}\n"
    assert len(errors(rule + RULE.format("A", "m"))) == 2


def test_what_an_entry_uses_that_could_not_be_read_is_not_unused() -> None:
    text = "- macro: m\n  condition: proc.name = x\n" + RULE.format("A", "proc.name = x")
    assert warnings(text + "- rule: A\n  condition: and m\n  override: {condition: delete}\n") == []
    assert warnings(text + "- rule: B\n  desc: d\n") == []
    assert warnings("- macro: m\n  condition: proc.name = )\n") == []
    assert warnings(text + "- list: l\n  items: [[a]]\n") == ["LOAD_UNUSED_MACRO"]


def test_a_rule_that_is_defined_again_is_judged_by_its_own_keys() -> None:
    first = RULE.format("A", "proc.name = x")
    assert errors(first + RULE.format("A", "fd.nam = x").replace("NOTICE", "HIGH")) == [
        "Invalid priority",
        "filter_check called with nonexistent field fd.nam",
    ]
    # what may be a change of it that lacks its override is not made up for
    assert errors(f"{first}- rule: A\n  condition: and fd.nam = x\n") == ["Item has no mapping for key 'output'"]


def test_a_fault_of_a_macro_that_others_use_many_times_is_told_once_and_at_once() -> None:
    doubling = "".join(f"- macro: m{n}\n  condition: m{n - 1} or m{n - 1}\n" for n in range(1, 60))
    text = "- macro: m0\n  condition: fd.nam = x\n" + doubling + RULE.format("A", "m59")
    assert len(places(text)) == 1
