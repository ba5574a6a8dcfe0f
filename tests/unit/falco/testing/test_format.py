"""Test files read: what may be written, and every mistake with its place."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.format import read_tests
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.model import Case, Place
from hypothesis import given
from hypothesis import strategies as st

from .rulesets import FIXTURES, LOADER

BASE = FIXTURES.count("\n")
"""Lines before the cases."""


def cases(text: str) -> list[Case]:
    tests, findings = read_tests("t.yaml", FIXTURES + text, LOADER.tables)
    assert findings == []
    return list(tests.cases)


def mistakes(text: str) -> list[tuple[int | None, int | None, str, str]]:
    _tests, findings = read_tests("t.yaml", text, LOADER.tables)
    assert all(one.code == "FT001" and one.severity == "error" for one in findings)
    return [(one.line, one.column, one.message, one.hint) for one in findings]


def mistake(text: str) -> tuple[int, int | None, str]:
    """The one mistake of cases, its line counted from the one after the fixtures, which may be unused."""
    found = [one for one in mistakes(FIXTURES + text) if "is given the fixture" not in one[2]]
    assert len(found) == 1, found
    line, column, message, hint = found[0]
    assert line is not None
    return line - BASE, column, f"{message} ({hint})" if hint else message


BOTH = """
  - {name: last, given: [audit], expect_not: all}
  - {name: further, given: shell, expect_not: all}
"""


def test_a_case_is_a_fixture_with_changes() -> None:
    one, *_rest = cases(
        "cases:\n"
        "  - name: as another user\n"
        "    given: [shell, {user.name: 0123, proc.tty: 7, proc.cmdline: ~}]\n"
        "    expect: [Shell, {rule: Program, output: 'Program *', priority: info}]\n"
        "    expect_not: [Audit]\n" + BOTH
    )
    assert one.event == {
        "fields": {
            "evt.type": "execve",
            "proc.name": "bash",
            "proc.tty": 7,
            "proc.cmdline": None,
            "user.name": "0123",
        }
    }
    assert [(each.rule, each.output, each.priority) for each in one.expect] == [
        ("Shell", None, None),
        ("Program", "Program *", "info"),
    ]
    assert [each.rule for each in one.expect_not] == ["Audit"]
    assert one.place == Place("t.yaml", BASE + 2, 5)
    assert one.expect[0].place == Place("t.yaml", BASE + 4, 14)


def test_a_table_changes_one_event_in_each_row() -> None:
    rows = cases(
        "cases:\n"
        "  - name: programs\n"
        "    given: shell\n"
        "    expect: Shell\n"
        "    table:\n"
        "      - [proc.name, proc.tty, fires]\n"
        "      - [sh, 2, true]\n"
        "      - [ls, null, false]\n" + BOTH
    )[:2]
    assert [row.name for row in rows] == ["programs (sh, 2)", "programs (ls, null)"]
    assert [(row.event["fields"]["proc.name"], row.event["fields"]["proc.tty"]) for row in rows] == [
        ("sh", 2),
        ("ls", None),
    ]
    assert [([e.rule for e in row.expect], [e.rule for e in row.expect_not]) for row in rows] == [
        (["Shell"], []),
        ([], ["Shell"]),
    ]
    assert [row.place.line for row in rows] == [BASE + 7, BASE + 8]


def test_fields_are_those_of_the_source_that_an_event_names() -> None:
    one, two, *_rest = cases(
        "cases:\n"
        "  - {name: a, given: [{source: k8s_audit, fields: {ka.verb: get}}, {ka.user.name: 1}], expect_not: all}\n"
        "  - {name: b, given: {source: k8s_audit, fields: {ka.verb: get}}, expect: R, table: [[ka.verb], [list]]}\n"
        + BOTH
    )
    assert one.event == {"source": "k8s_audit", "fields": {"ka.verb": "get", "ka.user.name": "1"}}
    assert two.event == {"source": "k8s_audit", "fields": {"ka.verb": "list"}}


def test_an_audit_event_is_changed_by_merging_and_in_tables_by_paths() -> None:
    one, two, *_rest = cases(
        "cases:\n"
        "  - {name: merged, given: [audit, {objectRef: {namespace: stage}}], expect_not: [Audit]}\n"
        "  - {name: table, given: audit, expect: Audit, table: [[/objectRef/namespace], [prod]]}\n" + BOTH
    )
    assert one.event["objectRef"] == {"resource": "pods", "namespace": "stage"}
    assert two.event["objectRef"] == {"resource": "pods", "namespace": "prod"}
    assert two.event["verb"] == "get"
    assert one.event["auditID"] == "1"


#: What is given, which stands in line 3 from column 12; column and beginning of the mistake.
GIVEN = """
{proc.nmae: x} | 13 | source syscall has no field proc.nmae (did you mean 'proc.name'?)
{proc.tty: many} | 23 | proc.tty is a number, 'many' is none
{evt.is_open_read: 1} | 31 | evt.is_open_read is a boolean, '1' is none (write true or false)
{fd.sip: nowhere} | 21 | fd.sip is an address, 'nowhere' is none
{thread.cpu: much} | 25 | thread.cpu is a number, 'much' is none
{evt.arg: x} | 13 | evt.arg: filter syntax error: evt.arg
{proc.name: [x]} | 24 | proc.name: expected one value
{fd.types: {a: b}} | 23 | fd.types: expected a list
{fd.types: [[x]]} | 24 | fd.types: expected one value
{proc.name: a, proc.name: b} | 27 | the field proc.name stands here twice
{fields: {? [a] : b}} | 24 | a field's name is a text
{source: nowhere, fields: {proc.name: a}} | 12 | there is no source 'nowhere' (there are syscall,
[[proc.name]] | 13 | expected a fixture's name, or a mapping
[] | 12 | nothing is given (given: a fixture's name, fields and values, or a list of these)
[audit, {fields: {ka.verb: get}}] | 20 | an audit event's fields are computed from it
{fd.ip: 10.0.0.1} | 13 | fd.ip is computed and cannot be given (give fd.cip, fd.sip, fd.lip or fd.rip)
[audit, {ka.verb: get}] | 20 | an audit event's fields are computed from it (change the event, as in {verb: delete})
{verb: get} | 12 | this is no event
"""

#: What stands before the two cases that use the fixtures; line, column and beginning of the mistake.
WRITTEN = """
case: []~cases: | 1 | 1 | a test file has no key 'case' (did you mean 'cases'?)
rule_matching: frist~cases: | 1 | 16 | rule_matching: 'frist' is none (did you mean 'first'?)
source: sycall~cases: | 1 | 9 | source: 'sycall' is none (did you mean 'syscall'?)
accepted_mutants: [{item: Shell, change: x}]~cases: | 1 | 20 | an accepted mutant has 'reason'
source: syscall~source: syscall~cases: | 2 | 1 | the key 'source' stands here twice
accepted_mutants: [Shell]~cases: | 1 | 20 | an accepted mutant is a mapping with item, change, reason
cases:~  - Shell | 2 | 5 | a case is a mapping with name,
cases:~  - {name: [a], given: shell, expect: S} | 2 | 12 | a case's name is a text
cases:~  - {name: a, given: shell, expect: [S, [S]]} | 2 | 41 | what is expected is a mapping with
cases:~  - {name: a, given: shell, expect: S, expect_not: {output: x}} | 2 | 52 | a rule is named (rule: its name)
cases:~  - {name: a, given: shell, expect: S, expect_not: {rule: ''}} | 2 | 59 | a rule's name is a text
cases:~  - {name: a, given: shell, expect: S, table: [[[a]], [b]]} | 2 | 49 | the first row names fields
cases:~  - {name: a, given: shell, expect: S, table: [[a]]} | 2 | 47 | a table is a list of rows, the first of which
cases:~  - {name: a, given: audit, expect: S, table: [[ka.verb], [a]]} | 2 | 49 | an audit event's fields are computed
cases:~  - {given: shell, expect: S} | 2 | 5 | a case has a name
cases:~  - {name: a, expect: S} | 2 | 5 | nothing is given
cases:~  - {name: a, given: shell} | 2 | 5 | nothing is expected
cases:~  - {name: a, given: shel, expect: S} | 2 | 22 | there is no fixture 'shel'
cases:~  - {name: a, given: shell, expect: S, rulesets: [owm]} | 2 | 51 | rulesets: 'owm' is none (did you mean 'own'?)
cases:~  - {name: a, given: shell, expect: S, table: [[proc.name], [a, b]]} | 2 | 61 | the row has 2 values, the first
cases:~  - {name: a, given: shell, expect: S, table: [[fires], [maybe]]} | 2 | 58 | fires is true or false
cases:~  - {name: last, given: shell, expect: S} | 3 | 5 | the name 'last' is taken
"""


@pytest.mark.parametrize("row", GIVEN.strip().splitlines())
def test_what_is_given_wrongly_has_its_place_and_what_would_be_right(row: str) -> None:
    given_text, column, message = row.split(" | ")
    found = mistake(f"cases:\n  - name: a\n    given: {given_text}\n    expect: S\n{BOTH}")
    assert found[:2] == (3, int(column))
    assert found[2].startswith(message)


@pytest.mark.parametrize("row", WRITTEN.strip().splitlines())
def test_what_is_written_wrongly_has_its_place_and_what_would_be_right(row: str) -> None:
    text, line, column, message = row.split(" | ")
    found = mistake(text.replace("~", "\n") + BOTH)
    assert found[:2] == (int(line), int(column))
    assert found[2].startswith(message)


def test_a_mistake_in_a_fixture_is_told_once_and_a_fixture_that_is_not_used_is_one() -> None:
    text = (
        "rulesets: {own: [r.yaml]}\nfixtures:\n  a: {proc.nmae: x}\n  b: {proc.name: x}\n"
        "cases:\n  - {name: 1, given: a, expect: S}\n  - {name: 2, given: a, expect: S}\n"
    )
    assert [(line, message) for line, _column, message, _hint in mistakes(text)] == [
        (3, "source syscall has no field proc.nmae"),
        (4, "no case is given the fixture 'b'"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", ""),
        ("", "expected one document, here are 0"),
        ("a: 1\n---\nb: 1\n", "expected one document, here are 2"),
        ("[]", "a test file is a mapping with"),
        ("rulesets: own\ncases: []", "rulesets is a mapping of names to lists of rules files"),
        ("rulesets: {own: [r]}\ncases: {a: b}", "cases is a list"),
        ("rulesets: {own: [r]}\ncases: []", "there are no cases"),
        ("rulesets: {own: [r]}\nfixtures: [a]\ncases: []", "fixtures is a mapping of names to events"),
        ("rulesets: {own: [r]}\nfixtures: {a: {b.c: d}, a: {b.c: d}}\ncases: []", "the fixture 'a' stands here twice"),
        ("rulesets: {own: [r]}\nfixtures: {a: b}\ncases: []", "the fixture 'a' is no event"),
        ("cases: [{name: a, given: {proc.name: x}, expect: S}]", "nothing says which rules are tested"),
        ("rulesets: {own: []}\ncases: [{name: a, given: {proc.name: x}, expect: S}]", "the ruleset 'own' has no files"),
    ],
)
def test_what_is_no_test_file(text: str, message: str) -> None:
    assert [found for _line, _column, found, _hint in mistakes(text) if found.startswith(message)]


def test_what_contains_itself_is_told_where_it_is_anchored() -> None:
    text = "rulesets: {own: [r.yaml]}\nfixtures:\n  made: &a {<<: *a}\ncases: [{name: a, given: made, expect: []}]"
    _tests, findings = read_tests("t.yaml", text, LOADER.tables)
    told = [(one.line, one.column, one.message, one.hint) for one in findings]
    assert told == [(3, 9, "what is anchored here contains itself", "an alias outside of its anchor")]


def test_rules_that_are_given_beside_the_file_need_no_names_in_it() -> None:
    text = "cases: [{name: a, given: {proc.name: x}, expect: S}]"
    assert read_tests("t.yaml", text, LOADER.tables, ["files"])[1] == []


PIECES = st.sampled_from(
    [
        "cases",
        "fixtures",
        "rulesets",
        "given",
        "expect",
        "table",
        "name",
        "proc.name",
        "a",
        "1",
        "null",
        "all",
        "[]",
        "{}",
    ]
)
VALUES = st.recursive(
    PIECES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.tuples(PIECES.filter(str.isidentifier), inner), max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        ),
    ),
    max_leaves=12,
)


@given(VALUES, VALUES, VALUES)
def test_whatever_is_written_is_read_or_told_of(fixtures: str, cases_: str, more: str) -> None:
    text = f"rulesets: {{own: [r]}}\nfixtures: {fixtures}\ncases:\n  - {cases_}\n"
    text += f"  - name: x\n    given: {more}\n    table: {cases_}\n"
    tests, findings = read_tests("t.yaml", text, LOADER.tables)
    assert findings or tests.cases


def test_the_name_of_a_fixture_is_a_text() -> None:
    assert mistakes("rulesets: {own: [r]}\nfixtures:\n  ? [a]\n  : {evt.type: open}\ncases: []\n")[0][:3] == (
        3,
        5,
        "the name of a fixture is a text",
    )


def test_values_are_what_their_fields_are() -> None:
    one, *_rest = cases(
        "cases:\n"
        "  - name: a\n"
        "    given: {thread.cpu: 1.5, fd.types: [file, ~], proc.args: x, evt.is_open_read: true, fd.sip: '::1'}\n"
        "    expect: S\n" + BOTH
    )
    assert one.event["fields"] == {
        "thread.cpu": 1.5,
        "fd.types": ["file", None],
        "proc.args": "x",
        "evt.is_open_read": True,
        "fd.sip": "::1",
    }


def test_of_an_audit_event_plain_words_and_numbers_are_what_they_look_like() -> None:
    one, *_rest = cases(
        "cases:\n"
        "  - name: a\n"
        "    given: [audit, {a: [1, 1.5, -2, true, 'true', '1', 1.2.3, 1_0, ~, '']}]\n"
        "    expect: S\n" + BOTH
    )
    assert one.event["a"] == [1, 1.5, -2, True, "true", "1", "1.2.3", "1_0", None, ""]


def test_fields_change_those_of_an_alert() -> None:
    one, *_rest = cases(
        "cases:\n"
        "  - name: a\n"
        "    given: [{rule: R, output_fields: {proc.name: a, fd.name: /b}}, {proc.name: c}]\n"
        "    expect: S\n" + BOTH
    )
    assert one.event == {"rule": "R", "output_fields": {"proc.name": "c", "fd.name": "/b"}}
