"""Mutants: which there are, which are killed, and that a slow way through the rules' text says the same."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.nodes import Node
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.parser import parse
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.printer import to_text
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing import mutation as mutation_module
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.format import read_tests
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.mutants import mutants
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.mutation import mutation
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.run import Ruleset, run
from hypothesis import given, settings
from hypothesis import strategies as st

from .rulesets import LOADER, judged
from .test_coverage import FULL

TABLE = LOADER.tables["syscall"]


def changes(condition: str) -> list[str]:
    return [one.change for one in mutants(parse(condition), TABLE)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("proc.tty != 0", ["proc.tty != 0 → proc.tty = 0", "proc.tty != 0 → proc.tty != 1"]),
        ("proc.tty < 3", ["proc.tty < 3 → proc.tty <= 3", "proc.tty < 3 → not proc.tty < 3"]),
        ("proc.name = a", ["proc.name = a → proc.name != a", "proc.name = a → proc.name = ax"]),
        (
            "proc.name in (a, b)",
            [
                "proc.name in (a, b) → not proc.name in (a, b)",
                "proc.name in (…) without a",
                "proc.name in (…) without b",
            ],
        ),
        ("proc.name exists", ["proc.name exists → not proc.name exists"]),
        (
            "evt.is_open_read = true",
            [
                "evt.is_open_read = true → evt.is_open_read != true",
                "evt.is_open_read = true → evt.is_open_read = false",
            ],
        ),
        (
            "fd.name startswith /a",
            [
                "fd.name startswith /a → not fd.name startswith /a",
                "fd.name startswith /a → fd.name contains /a",
                "fd.name startswith /a → fd.name startswith /ax",
            ],
        ),
        ("fd.sip = 10.0.0.1", ["fd.sip = 10.0.0.1 → fd.sip != 10.0.0.1", "fd.sip = 10.0.0.1 → fd.sip = 10.0.0.0"]),
        ("not m", ["without not: not m"]),
        (
            "proc.name contains anyof (a)",
            [
                "proc.name contains anyof (a) → proc.name contains allof (a)",
                "proc.name contains anyof (a) → (ax)",
            ],
        ),
        ("proc.name = val(proc.pname)", ["proc.name = val(proc.pname) → proc.name != val(proc.pname)"]),
        (
            "tolower(proc.name) endswith a",
            [
                "tolower(proc.name) endswith a → not tolower(proc.name) endswith a",
                "tolower(proc.name) endswith a → tolower(proc.name) contains a",
                "tolower(proc.name) endswith a → tolower(proc.name) endswith xa",
            ],
        ),
        # of these no other value is near
        ("evt.buffer = ab", ["evt.buffer = ab → evt.buffer != ab"]),
        ("fd.port = http", ["fd.port = http → fd.port != http"]),
        ("fd.sip = '::1'", ["fd.sip = ::1 → fd.sip != ::1"]),
        ("fd.snet = 10.0.0.0/32", ["fd.snet = 10.0.0.0/32 → fd.snet != 10.0.0.0/32"]),
        ("fd.sip in ('::1')", ["fd.sip in (::1) → not fd.sip in (::1)"]),
        (
            "fd.snet = 10.0.0.0/8",
            ["fd.snet = 10.0.0.0/8 → fd.snet != 10.0.0.0/8", "fd.snet = 10.0.0.0/8 → fd.snet = 10.0.0.0/9"],
        ),
        ("m or n", ["and in the place of or: m or n"]),
    ],
)
def test_what_is_changed(condition: str, expected: list[str]) -> None:
    assert changes(condition) == expected


def test_mutants_differ_from_the_original_and_from_each_other_and_can_be_written() -> None:
    condition = "evt.type in (open, openat) and (not fd.name startswith /etc or proc.tty >= 3) and proc.name != x"
    original = parse(condition)
    texts = [to_text(one.node) for one in mutants(original, TABLE)]
    assert len(set(texts)) == len(texts) == 13
    assert to_text(original) not in texts
    for text in texts:
        parse(text)


def survivors(cases: str, **more: object) -> list[tuple[str, str]]:
    report = judged(cases, mutate=True, **more)  # type: ignore[arg-type]  # passed on as given
    assert report.failures == []
    return [(str(one.scope), one.change) for one in report.mutations["own"].survivors if one.reason is None]


def test_good_cases_leave_the_mutants_that_they_should() -> None:
    assert survivors(FULL) == [("rule 'Shell'", "proc.name in (…) without sh")]
    assert survivors(FULL + "  - {name: t, given: shell, expect: Shell, table: [[proc.name], [sh]]}\n") == []


def test_a_mutant_is_accepted_with_a_reason_and_an_entry_that_nothing_needs_is_stale() -> None:
    accepted = (
        "accepted_mutants:\n"
        "  - {item: Shell, change: '*without sh', reason: both are links to one file}\n"
        "  - {item: Program, change: '*', reason: none}\n"
    )
    result = judged(FULL + accepted, mutate=True).mutations["own"]
    assert [one.reason for one in result.survivors] == ["both are links to one file"]
    assert [one.item for one in result.stale] == ["Program"]
    assert result.score == 100.0


def test_under_first_matching_a_later_rule_notices_an_earlier_one() -> None:
    rules = (
        "- rule: One\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n"
        "- rule: Two\n  desc: d\n  condition: evt.type = open or evt.type = close\n  output: o\n  priority: INFO\n"
    )
    top = "rulesets: {own: [r]}\nrule_matching: first\n"
    cases = "cases:\n  - {name: a, given: {evt.type: open}, expect_not: Two}\n"
    cases += "  - {name: b, given: {evt.type: close}, expect: Two}\n"
    assert ("rule 'One'", "evt.type = open → evt.type != open") not in survivors(cases, rules=rules, top=top)
    assert ("rule 'One'", "evt.type = open → evt.type != open") in survivors(
        cases.replace("expect_not: Two", "expect: Two"), rules=rules, top="rulesets: {own: [r]}\n"
    )


def test_a_case_that_expects_nothing_else_notices_that_another_rule_fires() -> None:
    case = "cases:\n  - {name: a, given: {evt.type: open}, expect: One, expect_not: all}\n"
    rules = "".join(
        f"- rule: {name}\n  desc: d\n  condition: evt.type = {kind}\n  output: o\n  priority: INFO\n"
        for name, kind in (("One", "open"), ("Two", "close"))
    )
    turned = ("rule 'Two'", "evt.type = close → evt.type != close")
    assert turned not in survivors(case, rules=rules, top="rulesets: {own: [r]}\n")
    assert turned in survivors(case.replace(", expect_not: all", ""), rules=rules, top="rulesets: {own: [r]}\n")


def test_several_processes_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutation_module, "WORTH_SPREADING", 1)
    alone = judged(FULL, mutate=True).mutations["own"]
    assert judged(FULL, mutate=True, jobs=3).mutations["own"] == alone


NAMES = st.sampled_from(["a", "ax", "b"])
CHECKS = st.one_of(
    st.builds("proc.name {} {}".format, st.sampled_from(["=", "!=", "startswith", "contains"]), NAMES),
    st.builds("proc.pname in ({}, {})".format, NAMES, NAMES),
    st.builds("proc.tty {} {}".format, st.sampled_from(["<", ">=", "=", "!="]), st.integers(0, 3)),
    st.just("fd.name exists"),
    st.sampled_from(["m", "n"]),
)
CONDITIONS = st.recursive(
    CHECKS,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=5,
)
MACROS = st.recursive(
    CHECKS.filter(lambda text: text not in ("m", "n")), lambda inner: st.builds("({} or {})".format, inner, inner)
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "proc.name": NAMES,
        "proc.pname": NAMES,
        "proc.tty": st.integers(0, 4),
        "fd.name": st.just("/x"),
    },
)
SPARE = "- macro: {}\n  condition: {}\n"
RULE = "- rule: {}\n  desc: d\n  condition: {}\n  output: o\n  priority: INFO\n"


def text_of(macro: str, other: str, one: str, two: str) -> str:
    return SPARE.format("m", macro) + SPARE.format("n", other) + RULE.format("One", one) + RULE.format("Two", two)


@settings(max_examples=40, deadline=None)
@given(
    MACROS, MACROS, CONDITIONS, CONDITIONS, st.lists(EVENTS, min_size=1, max_size=4), st.sampled_from(["all", "first"])
)
def test_killed_is_what_a_ruleset_with_the_mutants_text_fails(
    macro: str, other: str, one: str, two: str, events: list[dict[str, object]], matching: str
) -> None:
    """The slow way: each mutant as text, loaded anew, all cases run."""
    conditions = [macro, other, one, two]
    ruleset = Ruleset("own", LOADER.load([RulesFile("r.yaml", text_of(*conditions))]))
    engine = ruleset.engine(matching)
    lines = [f"rulesets: {{own: [r]}}\nrule_matching: {matching}\ncases:\n"]
    for number, event in enumerate(events):
        shown = ", ".join(f"{key}: {value}" for key, value in event.items()) or "proc.name: null"
        tests, _none = read_tests(
            "t.yaml", lines[0] + f"  - {{name: x, given: {{{shown}}}, expect_not: all}}\n", LOADER.tables
        )
        outcome = run(tests, "own", ruleset)[0]
        fired = {rule.name for given_ in outcome.events for rule in engine.matches(given_)}
        expect = "".join(f"    {'expect' if rule in fired else 'expect_not'}: [{rule}]\n" for rule in ("One",))
        lines.append(f"  - name: case {number}\n    given: {{{shown}}}\n{expect}")
    tests, findings = read_tests("t.yaml", "".join(lines), LOADER.tables)
    assert findings == []
    outcomes = run(tests, "own", ruleset)
    assert all(outcome.passed for outcome in outcomes)
    result = mutation(ruleset, outcomes, ())
    found = {(survivor.scope.name, survivor.change, survivor.place.line) for survivor in result.survivors}
    names = ["m", "n", "One", "Two"]
    used = {scope.name for scope in mutation_module._Work(ruleset, outcomes).scopes}
    expected = set()
    for number, name in enumerate(names):
        if name not in used:
            continue
        tree: Node = parse(conditions[number])
        for mutant in mutants(tree, TABLE):
            changed = [*conditions[:number], to_text(mutant.node), *conditions[number + 1 :]]
            loaded = LOADER.load([RulesFile("r.yaml", text_of(*changed))])
            assert loaded.successful
            if all(each.passed for each in run(tests, "own", Ruleset("own", loaded))):
                expected.add((name, mutant.change, 1 + 2 * number if number < 2 else 5 + (number - 2) * 5))
    assert {(name, change) for name, change, _line in found} == {(name, change) for name, change, _line in expected}


def test_a_rule_that_is_off_has_no_mutants() -> None:
    rules = RULE.format("One", "proc.name = a") + RULE.format("Off", "proc.name = b") + "  enabled: false\n"
    cases = "cases:\n  - {name: a, given: {proc.name: a}, expect: One}\n"
    found = survivors(cases, rules=rules, top="rulesets: {own: [r]}\n")
    assert {item for item, _change in found} <= {"rule 'One'"}
