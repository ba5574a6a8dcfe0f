"""What another version makes of a ruleset: each step, where it stands, and what to write in its place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue, catalogue_before
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.versions import VERSIONS
from ansible_collections.falconet.k8s.plugins.module_utils.falco.codes import UPGRADE
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loader, RulesFile
from ansible_collections.falconet.k8s.plugins.module_utils.falco.upgrade.steps import Step
from ansible_collections.falconet.k8s.plugins.module_utils.falco.upgrade.upgrade import upgrade

DOCS = Path(__file__).resolve().parents[4] / "docs"
PAGE = (DOCS / "falco-upgrade.md").read_text()
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", (DOCS / "findings.md").read_text(), re.S | re.M))
RULE = "- rule: R\n  desc: d\n  condition: {}\n  output: {}\n  priority: NOTICE\n"


def steps(text: str, old: str = "0.39", new: str = "0.44", plugins: tuple[str, ...] | None = None) -> list[Step]:
    return upgrade([RulesFile("a.yaml", text)], catalogue_before(old, plugins), catalogue(new, plugins))


def found(condition: str, output: str = "o", more: str = "", **versions: Any) -> list[tuple[str, str]]:
    return [(one.finding.code, one.instead) for one in steps(RULE.format(condition, output) + more, **versions)]


def shown(one: Step) -> str:
    finding = one.finding
    advice = f"{one.key}: {one.instead}" if one.instead else finding.hint
    return f"{finding.line}:{finding.column} {finding.code} {finding.item}: {finding.message}\n" + (
        f"    {advice}\n" if advice else ""
    )


def test_the_page_shows_what_comes_out() -> None:
    ruleset = re.search(r"```yaml\n(- list: db_ports\n.*?)```", PAGE, re.S)
    told = re.search(r"```text\n(.*?)```", PAGE, re.S)
    assert ruleset
    assert told
    assert "".join(map(shown, steps(ruleset.group(1)))) == told.group(1)


def test_the_page_s_ruleset_with_the_values_replaced_has_no_more_steps() -> None:
    ruleset = re.search(r"```yaml\n(- list: db_ports\n.*?)```", PAGE, re.S)
    assert ruleset
    text = ruleset.group(1)
    for one in steps(text):
        if one.instead and one.finding.line:
            lines = text.split("\n")
            number = one.finding.line - 1
            assert lines[number].lstrip().startswith(f"{one.key}: ")
            lines[number] = f"  {one.key}: {one.instead}"
            text = "\n".join(lines)
    text = text.replace(" and entering", "").replace("- macro: entering\n  condition: evt.dir = >\n", "")
    text = text[: text.index("- rule: Slow write")]
    assert steps(text) == []
    assert Loader(catalogue("0.44")).load([RulesFile("a.yaml", text)]).results[0].warnings == []


@pytest.mark.parametrize("code", UPGRADE)
def test_every_code_is_explained_and_its_example_gets_it(code: str) -> None:
    example = re.search(r"```yaml\n(.*?)```", SECTIONS[code], re.S)
    assert example
    assert code in {one.finding.code for one in steps(example.group(1))}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("evt.type = open", []),
        ("evt.type = open and evt.dir = <", [("FN103", "evt.type = open")]),
        ("evt.type = open and evt.dir=<", [("FN103", "evt.type = open")]),
        ("evt.type = open and not evt.dir = >", [("FN103", "evt.type = open")]),
        ("evt.type = open and evt.dir in (<, >)", [("FN103", "evt.type = open")]),
        ("evt.type = open and evt.dir exists", [("FN103", "evt.type = open")]),
        ("evt.type = open and evt.dir = >", [("FN102", "evt.type = open")]),
        ("evt.type = open and evt.dir != <", [("FN102", "evt.type = open")]),
        ("evt.type = open and not evt.dir = <", [("FN102", "evt.type = open")]),
        ("evt.dir = > and (evt.type = open or evt.type = read)", [("FN102", "evt.type = open or evt.type = read")]),
        (
            "evt.type = open and (evt.dir = > or fd.num = 1)",
            [("FN104", "evt.type = open and fd.num = 1")],
        ),
        ("evt.dir = >", [("FN102", "")]),
        ("evt.type = write and evt.latency > 5", [("FN102", "")]),
        ("evt.type = write and evt.latency < 5", [("FN104", "")]),
        ("evt.type = write and evt.latency.human = 1s", [("FN102", "")]),
        ("evt.type = write and fd.num > 5", []),
        ("evt.type = open and not evt.dir exists", [("FN102", "evt.type = open")]),
        ("evt.type = open and evt.dir == >", [("FN102", "evt.type = open")]),
        ("evt.type = open and evt.dir contains <", [("FN103", "evt.type = open")]),
        ("evt.type = open and evt.dir contains >", [("FN102", "evt.type = open")]),
        ("evt.type = open and tolower(evt.dir) = <", [("FN103", "")]),
        ("evt.type = open and not fd.num exists", []),
        ("evt.type = open and evt.type != k8s", []),
        ("evt.type in ()", []),
        ("evt.type = write and evt.latency > -1", [("FN103", "")]),
        ("evt.type = open and span.id = 1", [("FN101", "")]),
        ("evt.type = open and proc.name regex 'a('", [("FN101", "")]),
        ("evt.type = k8s", [("FN102", "")]),
    ],
)
def test_a_condition(condition: str, expected: list[tuple[str, str]]) -> None:
    assert found(condition) == expected


@pytest.mark.parametrize("value", [0, 5])
@pytest.mark.parametrize(
    ("operator", "holds"),
    [("=", "0"), ("==", "0"), ("!=", "5"), ("<", "5"), ("<=", "05"), (">", ""), (">=", "0")],
)
def test_a_latency_is_nothing_and_is_compared_as_that(operator: str, value: int, holds: str) -> None:
    code = "FN104" if str(value) in holds else "FN102"
    assert found(f"evt.type = write and evt.latency {operator} {value}") == [(code, "")]


def test_a_step_names_the_key_only_where_something_is_to_be_written_there() -> None:
    for check in ("evt.dir = >", "evt.dir = <", "evt.dir regex '<'"):
        told = [
            (one.key, one.instead)
            for rest in ("", "evt.type = open and ")
            for one in steps(RULE.format(rest + check, "o"))
        ]
        assert told == [("", ""), ("condition", "evt.type = open")]


def test_the_place_is_that_of_the_check() -> None:
    one = steps(RULE.format(">\n    evt.type = open\n    and evt.dir = >", "o"))[0].finding
    assert (one.line, one.column, one.item) == (5, 9, "rule 'R'")
    assert one.excerpt.split("\n")[1].index("^") == 8


def test_a_rule_that_is_silent_through_a_macro_names_it() -> None:
    macro = "- macro: entering\n  condition: evt.dir = >\n- macro: opening\n  condition: evt.type = open and entering\n"
    told = steps(macro + RULE.format("opening and fd.num = 1", "o"))
    assert [(one.finding.code, one.finding.item) for one in told] == [
        ("FN102", "rule 'R'"),
        ("FN104", "macro 'entering'"),
    ]
    assert "'evt.dir = >' in macro 'entering' is always false" in told[0].finding.message


def test_every_place_is_told_though_falco_stops_at_the_first() -> None:
    text = RULE.format("evt.type = open and span.id = 1 and mesos.task.name = x", "'%syslog.message %span.id'")
    text += "  exceptions:\n    - name: e\n      fields: [evtin.span.tags]\n      comps: [=]\n      values: [[x]]\n"
    told = [one.finding for one in steps(text)]
    assert [one.code for one in told] == ["FN101"] * 5
    assert (told[-1].line, told[-1].column) == (8, 16)
    assert {one.line for one in told} == {3, 4, 8}


def test_an_append_keeps_its_word_and_its_source_counts() -> None:
    text = RULE.format("evt.type = open", "o")
    text += "- rule: R\n  source: k8s_audit\n  condition: and evt.dir = < and fd.num = 1\n  append: true\n"
    assert [(one.finding.code, one.key, one.instead) for one in steps(text)] == [
        ("FN101", "source", "syscall"),
        ("FN103", "condition", "and fd.num = 1"),
    ]
    assert (steps(text)[0].finding.line, steps(text)[0].finding.column) == (7, 11)


def test_a_part_that_is_appended_without_a_word_has_none_afterwards() -> None:
    more = "- rule: R\n  condition: fd.num = 1 and evt.dir = <\n  append: true\n"
    assert found("evt.type = open and", more=more) == [("FN103", "fd.num = 1")]


@pytest.mark.parametrize(
    ("source", "old", "new", "codes"),
    [
        ("k8s_audit", "0.38", "0.39", []),
        ("k8s_audit", "0.43", "0.44", ["FN105"]),
        ("k8s_audit", "0.44", "0.39", ["FN105"]),
        ("''", "0.39", "0.44", []),
        ("[a]", "0.39", "0.44", ["FN105"]),
    ],
)
def test_the_source_of_a_change_counts_where_it_begins_to(source: str, old: str, new: str, codes: list[str]) -> None:
    more = f"- rule: R\n  source: {source}\n  condition: and fd.num = 1\n  append: true\n"
    assert [code for code, _instead in found("evt.type = open", more=more, old=old, new=new)] == codes


@pytest.mark.parametrize(
    ("text", "old"),
    [
        (RULE.format("[evt.dir]", "o"), "0.39"),
        (RULE.format("evt.type = open", "['%evt.dir']"), "0.39"),
        (RULE.format("evt.type = open", "o") + "  exceptions: span.id\n", "0.39"),
        (RULE.format("evt.type = open", "'%basename(proc.exe)'"), "0.38"),
        ("- rule: Gone\n  condition: and evt.dir = <\n  append: true\n", "0.39"),
    ],
    ids=["condition", "output", "exceptions", "transformer", "rule"],
)
def test_what_is_refused_already_is_told_as_nothing_else(text: str, old: str) -> None:
    assert [one.finding.code for one in steps(text, old, old if old == "0.38" else "0.44")] == ["FN105"]


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("nosuch.field", ["FN105"]),
        ("'tolower(evtin.span.tags)'", ["FN101"]),
        ("evtin.span.tags", ["FN101"]),
        ("proc.name", []),
    ],
)
def test_a_field_of_an_exception_is_told_once(field: str, told: list[str]) -> None:
    more = EXCEPTED.replace("proc.name", field)
    assert [code for code, _instead in found("evt.type = open", more=more)] == told


def test_what_one_rule_is_refused_for_hides_no_refusal_of_another() -> None:
    either = "proc.name startswith anyof (a, b)"
    text = f"- macro: m\n  condition: {either}\n" + RULE.format(f"evt.type = open and {either}", "o")
    text += RULE.format("evt.type = open", "o").replace("rule: R", "rule: S")
    text += "- rule: S\n  capture: true\n  override: {capture: replace}\n"
    told = [(one.finding.code, one.finding.item) for one in steps(text, "0.44", "0.41")]
    assert told == [("FN101", "macro 'm'"), ("FN101", "rule 'R'"), ("FN101", "rule 'S'")]


def test_a_macro_that_is_called_like_a_rule_is_not_the_rule() -> None:
    text = "- macro: R\n  condition: fd.num = 1 and evt.dir = >\n" + RULE.format("evt.type = open and R", "o")
    assert [(one.finding.code, one.finding.item, one.finding.line, one.instead) for one in steps(text)] == [
        ("FN102", "rule 'R'", 5, ""),
        ("FN104", "macro 'R'", 2, "fd.num = 1"),
    ]


def test_rules_for_a_plugin_that_one_of_the_two_versions_has_not() -> None:
    files = [RulesFile("a.yaml", AUDIT)]
    (one,) = upgrade(files, catalogue_before("0.39", None), catalogue("0.44", ("json",)))
    assert (one.finding.code, one.finding.message[:19]) == ("FN104", "LOAD_UNKNOWN_SOURCE")
    assert upgrade(files, catalogue_before("0.39", ("json",)), catalogue("0.44")) == []


AUDIT = (
    "- rule: A\n  desc: d\n  condition: ka.verb = get\n  output: o %ka.verb\n  priority: INFO\n  source: k8s_audit\n"
)


def test_outputs() -> None:
    assert found("evt.type = open", "'o %container.info'") == [("FN104", "o %container.name (id=%container.id)")]
    assert found("evt.type = open", "'o %evt.dir %evt.dir'") == [("FN103", "")]
    assert found("evt.type = open", "'o %tolower(proc.name) %proc.aname[2] %5fd.name'") == []
    assert found("evt.type = open", "'o %tolower(span.tag[0])'") == [("FN101", "")]
    assert found("evt.type = open", "'o %span.id'") == [("FN101", "")]


def test_fields_that_moved_to_a_plugin_need_it() -> None:
    text = RULE.format("evt.type = open and container.id != host", "'o %container.name'")
    assert steps(text) == []
    told = steps(text, plugins=("json",))
    assert [one.finding.code for one in told] == ["FN101", "FN101"]
    assert told[0].finding.hint == "since Falco 0.41 it is a field of the plugin 'container': load that"
    assert steps(text, plugins=("container",)) == []


def test_what_is_newly_reported_and_newly_deprecated() -> None:
    assert found("evt.type = open", more="  colour: red\n", old="0.43") == [("FN104", "")]
    assert found("evt.type = write and evt.latency > 5", old="0.42", new="0.43") == [("FN103", "")]
    assert found("evt.type = open and evt.dir = <", old="0.42") == []


def test_a_downgrade_is_judged_as_well() -> None:
    told = steps(RULE.format("evt.type = open and len(proc.name) > 5", "'%basename(proc.exe)'"), old="0.44", new="0.38")
    assert [one.finding.code for one in told] == ["FN101", "FN101"]
    assert {one.finding.hint for one in told} == {
        "the transformer 'len' came with Falco 0.40; this is 0.38",
        "the transformer 'basename' came with Falco 0.39; this is 0.38",
    }


def test_what_does_not_load_today_is_said_as_such() -> None:
    assert [one.finding.code for one in steps("- rule: R\n")] == ["FN105"]


@pytest.mark.parametrize("falco", VERSIONS)
def test_no_upgrade_asks_for_nothing(falco: str) -> None:
    text = RULE.format("evt.type = open and evt.dir = > and evt.latency > 3", "'o %container.info %span.id'")
    assert [one for one in steps(text, falco, falco) if one.finding.code != "FN105"] == []


def test_what_is_told_of_a_macro_is_not_told_again_of_the_rules_that_use_it() -> None:
    newer = sorted(catalogue("0.44").event_types - catalogue("0.38").event_types)[0]
    macro = f"- macro: opens\n  condition: >\n    evt.type in (open,\n      {newer})\n"
    told = steps(macro + RULE.format("opens and proc.name = x", "o"), old="0.44", new="0.38")
    assert [(one.finding.code, one.finding.item) for one in told] == [("FN101", "macro 'opens'")]


def test_a_step_as_data_has_the_keys_of_its_finding_and_what_to_write() -> None:
    (one,) = steps(RULE.format("evt.type = open and evt.dir = <", "o"))
    assert one.to_dict() == {**one.finding.to_dict(), "key": "condition", "instead": "evt.type = open"}


def test_nothing_is_told_of_a_rule_for_a_source_that_neither_version_has() -> None:
    text = RULE.format("evt.type = open and evt.dir = >", "'o %evt.dir'") + "  source: nowhere\n"
    assert steps(text) == []


def test_an_override_of_the_output_alone_is_asked_as_well() -> None:
    text = RULE.format("evt.type = open", "o") + "- rule: R\n  output: o %evt.dir\n  override: {output: replace}\n"
    (one,) = steps(text)
    assert (one.finding.code, one.finding.line, one.finding.column) == ("FN103", 7, 11)
    assert one.finding.hint == "leave it out: it is always <"


def test_a_condition_that_cannot_be_read_is_told_once_as_what_is_refused_already() -> None:
    assert found("evt.type = open and evt.dir =", "'o'") == [("FN105", "")]


def test_a_field_that_neither_version_knows_is_told_once_as_what_is_refused_already() -> None:
    assert found("evt.type = open", "'o %evt.arg.nosuch'") == [("FN105", "")]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        # What no constant can be put in place of is deprecated all the same.
        ("evt.type = open and evt.dir regex '<'", [("FN103", "evt.type = open")]),
        ("evt.type = open and (evt.dir = < and evt.dir != >)", [("FN103", "evt.type = open")] * 2),
        ("evt.type = write and evt.latency > val(evt.latency.ns)", [("FN103", ""), ("FN103", "")]),
    ],
)
def test_a_check_that_is_compared_with_more_than_a_value(condition: str, expected: list[tuple[str, str]]) -> None:
    old = "0.42" if "val(" in condition else "0.39"
    assert found(condition, old=old) == expected


EXCEPTED = "  exceptions:\n    - {name: e, fields: [proc.name], comps: [=], values: [[x]]}\n"


def test_values_that_are_added_to_an_exception_and_the_same_source_ask_for_nothing() -> None:
    rule = RULE.format("evt.type = open", "o") + EXCEPTED
    values = "- rule: R\n  exceptions:\n    - {name: e, values: [[y]]}\n  override: {exceptions: append}\n"
    source = "- rule: R\n  source: syscall\n  condition: and fd.num = 1\n  append: true\n"
    assert steps(rule + values + source) == []


@pytest.mark.parametrize(
    ("more", "new", "place", "message", "hint"),
    [
        (
            "- rule: R\n  capture: true\n  override: {capture: replace}\n",
            "0.41",
            (8, 14),
            "LOAD_ERR_YAML_VALIDATE: Key 'capture' cannot be replaced",
            "replace works for condition, ",
        ),
        (
            EXCEPTED.replace("[=]", "[startswith anyof]").replace("[[x]]", "[[[x, y]]]"),
            "0.43",
            (7, 46),
            "LOAD_ERR_VALIDATE: 'startswith anyof' is not a supported comparison operator",
            "the modifier 'anyof' came with Falco 0.44; this is 0.43",
        ),
    ],
    ids=["key", "comparison"],
)
def test_what_only_the_loader_of_the_other_version_refuses(
    more: str, new: str, place: tuple[int, int], message: str, hint: str
) -> None:
    (one,) = steps(RULE.format("evt.type = open", "o") + more, "0.44", new)
    finding = one.finding
    assert (finding.code, finding.line, finding.column, finding.message) == ("FN101", *place, message)
    assert finding.hint.startswith(hint)


def test_what_both_versions_warn_of_is_no_step() -> None:
    macro = "- macro: unused\n  condition: proc.name = x\n"
    assert steps(macro + RULE.format("proc.name = x", "o")) == []


def test_only_rules_of_system_calls_fall_silent_without_enter_events() -> None:
    audit = "- rule: A\n  desc: d\n  condition: ka.verb = get\n  output: o\n  priority: INFO\n  source: k8s_audit\n"
    told = steps(audit + RULE.format("evt.type = open and evt.dir = >", "o"))
    assert [(one.finding.code, one.finding.item) for one in told] == [("FN102", "rule 'R'")]


def test_a_rule_that_is_silent_through_a_macro_that_now_always_holds() -> None:
    opened = "- macro: opened\n  condition: evt.type = open\n"
    ended = "- macro: ended\n  condition: evt.dir = <\n"
    few = "- macro: few\n  condition: opened and fd.num = 1\n- macro: many\n  condition: opened and fd.num > 9\n"
    told = steps(opened + ended + few + RULE.format("(few or many) and not ended", "o"))
    assert [(one.finding.code, one.finding.item, one.finding.line) for one in told] == [
        ("FN102", "rule 'R'", 11),
        ("FN103", "macro 'ended'", 4),
    ]
    assert told[0].finding.message == "the rule loads and never fires again with Falco 0.44"
