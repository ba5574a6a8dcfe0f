"""What cases exercise, and what they leave out."""

from __future__ import annotations

from .rulesets import judged

FULL = """cases:
  - {name: both, given: shell, expect: [Shell, Program]}
  - {name: audit, given: audit, expect: Audit}
  - {name: another program, given: [shell, {proc.name: ls}], expect_not: Shell}
  - {name: no terminal, given: [shell, {proc.tty: 0}], expect_not: Shell}
  - {name: admin, given: [shell, {user.name: admin}], expect_not: Shell}
  - {name: not started, given: [shell, {evt.type: open}], expect_not: [Shell, Program]}
  - {name: without a name, given: [shell, {proc.name: ~}], expect_not: Program}
  - {name: verb, given: [audit, {verb: list}], expect_not: Audit}
  - {name: namespace, given: [audit, {objectRef: {namespace: stage}}], expect_not: Audit}
"""


def missing(cases: str) -> list[tuple[str, str, str]]:
    report = judged(cases)
    assert report.failures == []
    return [(one.kind, one.item, one.what) for one in report.coverages["own"].missing]


def test_cases_that_try_everything_leave_nothing_out() -> None:
    covered = judged(FULL).coverages["own"]
    assert covered.missing == []
    assert covered.total == {"rules": 3, "exceptions": 1, "macros": 1, "parts": 14}
    assert {kind: covered.percent(kind) for kind in covered.total} == dict.fromkeys(covered.total, 100.0)


def test_each_case_that_is_left_out_is_missed() -> None:
    lines = FULL.splitlines(keepends=True)
    without = {
        "audit": ("rules", "rule 'Audit'", "no case expects it to fire"),
        "another program": ("parts", "rule 'Shell'", "'proc.name in (sh, bash)' never fails where it decides"),
        "no terminal": ("parts", "rule 'Shell'", "'proc.tty != 0' never fails where it decides"),
        "admin": ("exceptions", "rule 'Shell'", "exception 'known' silences nothing"),
        "not started": ("parts", "macro 'started'", "'evt.type = execve' never fails where it decides"),
        "without a name": ("parts", "rule 'Program'", "'proc.name exists' never fails where it decides"),
        "verb": ("parts", "rule 'Audit'", "'ka.verb = get' never fails where it decides"),
    }
    for name, gap in without.items():
        assert gap in missing("".join(line for line in lines if f"name: {name}," not in line)), name


def test_a_case_counts_only_for_the_rules_that_it_names() -> None:
    found = missing(
        "cases:\n  - {name: a, given: shell, expect: Program}\n  - {name: b, given: audit, expect: Audit}\n"
    )
    assert ("rules", "rule 'Shell'", "no case expects it to fire") in found
    assert ("parts", "rule 'Shell'", "'proc.tty != 0' never holds where it decides") in found


def test_a_macro_that_is_never_come_to_is_named_with_its_place() -> None:
    rules = (
        "- macro: late\n  condition: proc.name = x\n"
        "- rule: R\n  desc: d\n  condition: evt.type = open and late\n  output: o\n  priority: INFO\n"
    )
    top = "rulesets: {own: [r]}\n"
    report = judged("cases: [{name: a, given: {evt.type: close}, expect_not: R}]\n", rules, top)
    gap = next(one for one in report.coverages["own"].missing if one.kind == "macros")
    assert (gap.item, gap.what, str(gap.place)) == ("macro 'late'", "no case comes to it", "rules.yaml:1:3")


def test_a_rule_that_is_off_is_not_counted_and_of_nothing_all_is_covered() -> None:
    rules = "- rule: R\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n  enabled: false\n"
    case = "cases: [{name: a, given: {evt.type: open}, expect_not: R}]\n"
    covered = judged(case, rules, "rulesets: {own: [r]}\n").coverages["own"]
    assert covered.total == covered.covered == {"rules": 0, "exceptions": 0, "macros": 0, "parts": 0}
    assert covered.percent("rules") == 100.0


def test_nothing_is_said_of_coverage_while_a_case_fails() -> None:
    report = judged(FULL + "  - {name: wrong, given: shell, expect: Audit}\n", mutate=True)
    assert (report.coverages, report.mutations) == ({}, {})
