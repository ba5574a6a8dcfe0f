"""Findings: each code explained and shown, positions, hints, what counts as failure."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import Finding
from ansible_collections.falconet.k8s.plugins.module_utils.falco.codes import (
    FALCO_ERRORS,
    FALCO_WARNINGS,
    LINT,
    OPTIONAL_LINT,
    RECORDED,
    TESTS,
    UPGRADE,
    described,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import (
    Ruleset,
    check_fail_on,
    fails,
    validate,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load import reader
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "findings.md").read_text()
SECTIONS = dict(re.findall(r"^### (?!FA)(\w+)\n(.*?)(?=^##|\Z)", PAGE, re.S | re.M))
RULE = """- rule: Open
  desc: d
  condition: {}
  output: {}
  priority: NOTICE
"""


def findings(*texts: str, optional: tuple[str, ...] = ()) -> list[Finding]:
    files = tuple(RulesFile(f"{number}.yaml", text) for number, text in enumerate(texts, 1))
    return validate([Ruleset("", files)], optional_lint=optional)[0].findings


def test_the_broken_rule_of_the_documentation_is_told_of_as_shown() -> None:
    page = (Path(__file__).resolve().parents[4] / "docs" / "rules.md").read_text()
    example = re.search(r"```yaml\n(- rule: Shell in production\n.*?)```", page, re.S)
    assert example
    one = findings(example.group(1))[0]
    message = f"rules.d/production.yaml:{one.line}:{one.column}: {one.code}: {one.message} ({one.hint})"
    assert message in page.replace("\n", " ")
    assert one.excerpt in page


def test_the_plugin_of_the_documentation_can_be_made() -> None:
    page = (Path(__file__).resolve().parents[4] / "docs" / "rules.md").read_text()
    example = re.search(r"```python\n(.*?)```", page, re.S)
    assert example
    names: dict[str, object] = {}
    exec(example.group(1), names)
    assert "okta" in names["loader"].catalogue.sources  # type: ignore[attr-defined]  # a Loader


def test_every_code_is_explained_and_no_other() -> None:
    assert set(SECTIONS) == {*FALCO_ERRORS, *FALCO_WARNINGS, *LINT, *UPGRADE, *RECORDED}


@pytest.mark.parametrize("code", RECORDED)
def test_a_code_of_recordings_is_explained_with_its_severity_and_title(code: str) -> None:
    assert SECTIONS[code].strip().startswith(f"*{': '.join(described(code))}.*")


def test_codes_have_the_form_of_rules() -> None:
    assert [code for code in (*LINT, *UPGRADE, *RECORDED, *TESTS) if not re.fullmatch(r"F[NRT]\d{3}", code)] == []
    assert [code for code in (*FALCO_ERRORS, *FALCO_WARNINGS) if not re.fullmatch(r"LOAD_[A-Z_]+", code)] == []


@pytest.mark.parametrize("code", LINT)
def test_the_example_of_each_code_gets_it(code: str) -> None:
    example = re.search(r"```yaml\n(.*?)```", SECTIONS[code], re.S)
    assert example
    assert code in {one.code for one in findings(example.group(1), optional=OPTIONAL_LINT)}


@pytest.mark.parametrize("code", LINT)
def test_a_sound_rule_gets_none_of_them(code: str) -> None:
    text = RULE.format("evt.type = open", "o") + "  tags: [T1059, maturity_stable]\n"
    assert code not in {one.code for one in findings(text, optional=OPTIONAL_LINT)}


@pytest.mark.parametrize("code", OPTIONAL_LINT)
def test_optional_checks_are_off_unless_named(code: str) -> None:
    assert code not in {one.code for one in findings(RULE.format("evt.type = open", "o"))}


@pytest.mark.parametrize(
    ("condition", "output", "line", "column", "hint"),
    [
        ("evt.type = open and proc.nmae = x", "o", 3, 34, "did you mean 'proc.name'?"),
        ("evt.type = opne", "o", 3, 25, "did you mean 'open'?"),
        ("evt.type = open and fd.num contains 5", "o", 3, 41, "fd.num has type int64; it allows exists, "),
        ("evt.type = open and fd.nmae = 5", "o", 3, 34, "did you mean 'fd.name'?"),
        ("evt.type = open and proc.name startwith x", "o", 3, 44, "did you mean 'startswith'?"),
        ("evt.type = open", "x %proc.nowhere", 4, 13, "'proc.nowhere' is no field"),
    ],
)
def test_place_and_hint(condition: str, output: str, line: int, column: int, hint: str) -> None:
    one = findings(RULE.format(condition, output))[0]
    assert (one.line, one.column) == (line, column)
    assert one.hint.startswith(hint)
    shown, caret = one.excerpt.split("\n")
    assert shown.strip()
    assert caret.endswith("^")


def test_a_place_in_a_folded_condition() -> None:
    one = findings(RULE.format(">\n    evt.type = open\n    and proc.nmae = x", "o"))[0]
    assert (one.line, one.column) == (5, 9)


def test_what_is_wrong_in_a_macro_is_shown_there() -> None:
    macro = "- macro: cats\n  condition: >\n    evt.type = open\n    and proc.nmae = cat\n"
    one = findings(macro, RULE.format("cats", "o"))[0]
    assert (one.file, one.line, one.column, one.item) == ("1.yaml", 4, 9, "rule 'Open'")
    assert one.message.endswith("(in macro 'cats')")


@pytest.mark.parametrize(
    ("count", "users"),
    [(2, "used by 2 rules: rule 'R0', rule 'R1'"), (5, "used by 5 rules: rule 'R0', rule 'R1', rule 'R2' and 2 more")],
)
def test_what_is_wrong_for_many_rules_is_told_once_with_the_first_of_them(count: int, users: str) -> None:
    rules = "".join(RULE.format("m", "o").replace("Open", f"R{number}") for number in range(count))
    found = findings("- macro: m\n  condition: evt.type = open and evt.dir = <\n" + rules)
    (one,) = [one for one in found if one.code == "LOAD_DEPRECATED_ITEM"]
    assert one.item == "macro 'm'"
    assert one.message.endswith(f"(in macro 'm', {users})")


def test_a_warning_of_an_earlier_file_has_the_place_that_it_had_then() -> None:
    override = "- rule: Open\n  condition: evt.type = open\n  override: {condition: replace}\n"
    (one,) = findings(RULE.format("evt.type = open and proc.name = x or fd.name = y", "o"), override)
    assert (one.code, one.file, one.line, one.column) == ("LOAD_NO_EVTTYPE", "1.yaml", 3, 51)


def test_of_a_rule_with_exceptions_the_alternative_for_any_event_is_told() -> None:
    text = RULE.format("evt.type = open and proc.name = x or fd.name = y", "o")
    (one,) = findings(text + "  exceptions: [{name: e, fields: [proc.pname], values: [[z]]}]\n")
    assert (one.code, one.line, one.column) == ("LOAD_NO_EVTTYPE", 3, 51)


def test_an_entry_that_stands_twice_is_told_with_the_line_of_the_first() -> None:
    text = "# ours\n" + RULE.format("evt.type = open", "o")
    (one,) = findings(text + RULE.format("evt.type = openat", "o"))
    assert one.message == "rule 'Open' is defined at line 2 already; only this one counts"


def test_a_macro_that_comes_too_late_is_explained() -> None:
    late = "- macro: first\n  condition: second\n- macro: second\n  condition: evt.type = open\n"
    assert "defined further below" in findings(late)[0].hint


def test_what_a_later_file_uses_is_not_unused() -> None:
    macro = "- macro: opened\n  condition: evt.type = open\n"
    assert findings(macro, RULE.format("opened", "o")) == []
    assert [one.code for one in findings(macro)] == ["LOAD_UNUSED_MACRO"]


LISTED = "- list: l\n  items: [sh bash, zsh]\n" + RULE.format("evt.type = open and proc.name in (l)", "o")


@pytest.mark.parametrize(
    ("text", "dead"),
    [
        (LISTED, True),
        (LISTED.replace("sh bash", "'sh bash'"), False),
        (LISTED.replace("[sh bash, zsh]", "\n  - 'zsh'\n  - sh bash"), True),
        (LISTED.replace("[sh bash, zsh]", "\n  - zsh\n  - 'sh bash'"), False),
        (RULE.format("evt.type = open and proc.name = a-name-of-17-chars", "o"), True),
        (RULE.format("evt.type = open and proc.name = 'sh,bash,zsh,fish,dash'", "o"), False),
    ],
)
def test_a_value_that_never_occurs_is_told(text: str, dead: bool) -> None:
    assert ("FN012" in {one.code for one in findings(text)}) is dead


def test_the_name_of_a_macro_that_is_called_after_an_event_is_compared_as_an_event() -> None:
    macro = "- macro: {}\n  condition: fd.name = x\n"
    for name, condition, code in (
        ("openat2", "evt.type in (open, openat2) and openat2", []),
        ("is_shell", "evt.type = open and proc.name in (is_shell, zsh) and is_shell", ["FN013"]),
    ):
        assert [one.code for one in findings(macro.format(name) + RULE.format(condition, "o"))] == code


def test_a_warning_beside_an_expression_has_its_own_advice() -> None:
    (one,) = findings("- {list: l, items: ['{{ x }}']}\n")
    assert one.hint == "use it in a condition or another list, or remove it"


@pytest.mark.parametrize(("items", "mend"), [("sh", "[sh]"), ("sh, bash", None)])
def test_one_word_where_a_list_belongs_is_put_into_brackets(items: str, mend: str | None) -> None:
    one = findings(f"- list: l\n  items: {items}\n")[0]
    assert (one.fix and one.fix.text) == mend


def test_an_unknown_key_gets_the_nearest() -> None:
    one = findings(RULE.format("evt.type = open", "o") + "  prioritty: x\n")[0]
    assert (one.code, one.hint) == ("LOAD_UNKNOWN_KEY", "did you mean 'priority'?")


def test_fail_on() -> None:
    error = Finding("LOAD_ERR_VALIDATE", "error", "f", 1, 1, "", "m")
    warning = Finding("LOAD_UNUSED_LIST", "warning", "f", 1, 1, "", "m")
    note = Finding("FN005", "info", "f", 1, 1, "", "m")
    every = [error, warning, note]
    assert fails(every, ["error"]) == [error]
    assert fails(every, ["warning"]) == [error, warning]
    assert fails(every, ["never", "error"]) == []
    assert fails(every, ["FN005"]) == [note]


def test_fail_on_refuses_unknown_words() -> None:
    with pytest.raises(FalcoError, match="LOAD_UNUSED_LIST"):
        check_fail_on(["LOAD_UNUSED_LISTS"])


def test_what_the_schema_says_has_its_place_in_each_of_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "REMEMBERED_FILES", 1)
    text = RULE.format("evt.type = open", "o").replace("NOTICE", "notice")
    many = [text.replace("Open", f"Open {number}") for number in range(3)]
    assert {(one.line, one.column) for one in findings(*many) if one.code == "FN009"} == {(5, 13)}


def test_the_schema_says_nothing_where_falco_refuses() -> None:
    text = "- rule: A\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: {}\n"
    for word, codes in (("HIGH", ["LOAD_ERR_YAML_VALIDATE"]), ("warning", ["FN009"])):
        files = (RulesFile("1.yaml", text.format(word)),)
        assert [one.code for one in validate([Ruleset("", files)])[0].findings] == codes
