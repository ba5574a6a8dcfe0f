"""Compiling a ruleset: what is forgiven, which macros are seen, what is remembered from one ruleset to the next."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.result import Issue, LoadResult
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loader, RulesFile

RULE = "- rule: R\n  desc: d\n  condition: evt.type = open and {}\n  output: {}\n  priority: INFO\n"
SKIPPED = RULE + "  skip-if-unknown-filter: true\n"


def macros(**conditions: str) -> str:
    return "".join(f"- macro: {name.rstrip('_')}\n  condition: {text}\n" for name, text in conditions.items())


def place(issue: Issue) -> tuple[int, int]:
    """Line and column as Falco counts them: from 0, within a condition from 1 on."""
    mark = issue.context.locations[-1].mark
    return mark.line, mark.column


def result(text: str, loader: Loader | None = None) -> LoadResult:
    return (loader or Loader()).load([RulesFile("f", text)]).results[0]


@pytest.mark.parametrize(
    ("condition", "output", "codes"),
    [
        ("nope.x = 1", "o", ["LOAD_UNKNOWN_FILTER"]),
        ("proc.name = x", "'%nope.x'", ["LOAD_UNKNOWN_FILTER"]),
        ("fd.num contains 5", "o", []),
        ("proc.name = x", "'%tolower(proc.name, fd.name)'", []),
    ],
)
def test_only_what_is_unknown_is_forgiven(condition: str, output: str, codes: list[str]) -> None:
    found = result(SKIPPED.format(condition, output))
    assert [one.code for one in found.warnings] == codes
    assert found.successful == bool(codes)
    assert not result(RULE.format(condition, output)).successful


def test_a_check_of_event_types_that_falco_ends_at_is_told_as_such() -> None:
    found = result(RULE.format("evt.type = val(proc.name)", "o"))
    assert [one.message for one in found.errors] == ["right-hand field comparisons on evt.type are not supported"]
    assert found.aborted
    assert place(found.errors[0]) == (3, 14)


@pytest.mark.parametrize(
    ("condition", "code"), [("evt.dir = <", "LOAD_DEPRECATED_ITEM"), ("fd.num = 1", None)], ids=["deprecated", "sound"]
)
def test_a_warning_of_a_whole_condition_stands_where_it_begins(condition: str, code: str | None) -> None:
    told = [(one.code, *place(one)) for one in result(RULE.format(condition, "o")).warnings]
    assert told == ([(code, 2, 13)] if code else [])


def test_a_macro_that_is_defined_again_sees_what_came_in_between() -> None:
    text = macros(n="proc.name = x", m="n", p="fd.name = y") + macros(n="p") + RULE.format("m", "o")
    assert result(text).successful


def test_of_several_loops_of_macros_the_first_is_told() -> None:
    plain = dict.fromkeys(("a", "b", "c"), "proc.name = x")
    found = result(macros(**plain) + macros(b="b", c="c", a="b and c"))
    assert [one.message for one in found.errors] == ["reference loop in macro 'b'"]


@pytest.mark.parametrize("inner", ["m", "k"])
def test_a_ruleset_is_judged_by_its_own_macros_whatever_was_loaded_before(inner: str) -> None:
    loader = Loader()
    for field, known in (("proc.name", True), ("fd.nam", False), ("proc.name", True)):
        text = macros(m=f"{field} = x", k="m") + RULE.format(inner, "o")
        assert result(text, loader).successful is known
