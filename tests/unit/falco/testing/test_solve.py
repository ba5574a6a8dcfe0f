"""Events found for conditions: each holds when it is asked, and simple conditions always have one."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.parser import parse
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import FieldMap
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.regex import regex_matcher
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loaded, RulesFile
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.candidates import candidates, sample_regex
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.solve import Goal, Solver
from hypothesis import given, settings

from .rulesets import LOADER
from .test_mutation import CONDITIONS, MACROS, RULE, SPARE


def loaded(condition: str, macros: str = "") -> Loaded:
    result = LOADER.load([RulesFile("r.yaml", macros + RULE.format("R", condition))])
    assert result.successful, [issue.message for issue in result.results[0].errors]
    return result


def solver(ruleset: Loaded) -> Solver:
    return Solver(ruleset.compiler.tables["syscall"], ruleset.compiler)


@pytest.mark.parametrize(
    "condition",
    [
        "evt.type = execve and proc.name in (a, b) and not user.name = root",
        "fd.name startswith /etc and fd.name contains pass and fd.name endswith wd",
        "proc.tty > 3 and proc.tty < 5",
        "fd.sip = 10.0.0.1 or fd.snet in (10.0.0.0/8)",
        "fd.ip = 10.0.0.1 and fd.port = 22",
        "fd.name pmatch (/etc, /usr)",
        "fd.name glob '/tmp/*.s?'",
        "fd.name regex '/tmp/[a-c]+[.](sh|py)'",
        "proc.aname = sshd and proc.args icontains KEY",
        "tolower(proc.name) = bash and evt.is_open_read = true",
        "proc.name exists and fd.name != /x and proc.cmdline contains anyof (a, b)",
        "not (proc.name = a or proc.name = b) and proc.name exists",
        "proc.name = a and user.name = val(proc.name)",
    ],
)
def test_an_event_is_found_on_which_a_condition_holds_and_one_on_which_it_does_not(condition: str) -> None:
    ruleset = loaded(condition)
    node = ruleset.compiler.rules["R"].node
    one = solver(ruleset)
    for holds in (True, False):
        found = next(one.solutions(node, holds))
        assert bool(one.test(node)(FieldMap(found))) is holds


def test_known_fields_are_kept_and_what_excludes_them_has_no_event() -> None:
    ruleset = loaded("proc.name in (a, b) and proc.tty != 0")
    node, one = ruleset.compiler.rules["R"].node, solver(ruleset)
    assert next(one.solutions(node, known={"proc.name": "b"})) == {"proc.name": "b", "proc.tty": 1}
    assert list(one.solutions(node, known={"proc.name": "c"})) == []


def test_near_misses_lack_one_thing() -> None:
    ruleset = loaded("m and proc.tty != 0", SPARE.format("m", "proc.name = a and user.name = u"))
    node, one = ruleset.compiler.rules["R"].node, solver(ruleset)
    misses = list(one.near_misses(node))
    assert misses
    assert not any(one.test(node)(FieldMap(event)) for event in misses)
    parts = [one.test(parse(text)) for text in ("proc.name = a", "user.name = u", "proc.tty != 0")]
    assert {tuple(bool(part(FieldMap(event))) for part in parts) for event in misses} == {
        (False, True, True),
        (True, False, True),
        (True, True, False),
    }


def test_each_alternative_is_gone_by_alone() -> None:
    ruleset = loaded("proc.tty != 0 and m", SPARE.format("m", "proc.name = a or fd.name = /x or proc.name = a"))
    node, one = ruleset.compiler.rules["R"].node, solver(ruleset)
    ways = list(one.each_way(node))
    assert all(one.test(node)(FieldMap(event)) for event in ways)
    assert {event["fd.name"] == "/x" and event.get("proc.name") != "a" for event in ways} == {True}


@settings(max_examples=60, deadline=None)
@given(MACROS, MACROS, CONDITIONS)
def test_whatever_is_found_was_asked_for(macro: str, other: str, condition: str) -> None:
    ruleset = loaded(condition, SPARE.format("m", macro) + SPARE.format("n", other))
    node, one = ruleset.compiler.rules["R"].node, solver(ruleset)
    for holds in (True, False):
        for number, found in enumerate(one.solutions(node, holds)):
            assert bool(one.test(node)(FieldMap(found))) is holds
            if number == 5:
                break


@pytest.mark.parametrize("pattern", ["a+b?c", "(ab|c)*x", "[^a-z]{2,3}", "^/tmp/.*$", r"\.so\.[0-9]+", "[[:digit:]]x"])
def test_a_regular_expression_fits_its_sample(pattern: str) -> None:
    assert regex_matcher(pattern)(sample_regex(pattern))


def values(condition: str, before: object = None) -> list[object]:
    return list(candidates(parse(condition), LOADER.tables["syscall"], before))


@pytest.mark.parametrize(
    ("condition", "first"),
    [
        ("m", []),  # no comparison
        ("proc.name = a and fd.num = 1", []),
        ("nosuch.field = a", []),
        ("evt.arg = a", []),  # Falco refuses it, since it says not which
        ("evt.is_open_read = true", [True, False, None]),
        ("fd.port = http", ["http", 1, 0, None]),
        ("fd.num < 5", [4, 5, 6]),
        ("fd.num > 0", [1, 0]),
        ("fd.snet = 10.0.0.0/8", ["10.0.0.0", "192.0.2.1", None]),
        ("evt.buffer contains ab", ["ab", "ab-more", "more-ab"]),
        ("thread.cpu > 5", ["5", "5x", 1.0, None]),
        ("fd.types intersects (file)", [["file"], ["filex"], ["other"], None]),
        ("proc.name exists", ["program", None]),
        ("proc.name != a", ["program", "a", "ax"]),
        ("proc.name iglob 'A*'", ["A", "a", "Ax"]),
    ],
)
def test_values_that_are_tried_for_a_field(condition: str, first: list[object]) -> None:
    assert values(condition)[: len(first) or None] == first


def test_what_a_field_has_so_far_is_kept_as_a_part() -> None:
    assert values("proc.name contains b", "a")[:3] == ["b", "ba", "ab"]


def test_a_search_that_takes_too_long_finds_nothing() -> None:
    ruleset = loaded(" and ".join(f"proc.args contains {letter}{letter}" for letter in "abcdefgh"))
    one = solver(ruleset)
    one._steps = 3
    assert list(one._search((Goal(ruleset.compiler.rules["R"].node, True),), (), {}, frozenset())) == []
