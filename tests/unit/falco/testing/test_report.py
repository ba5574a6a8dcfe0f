"""What tests say: findings, plain data, suites for JUnit, and what is to be mended first."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import Finding
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.report import Report, missed

from .rulesets import judged
from .test_coverage import FULL

ACCEPTED = (
    "accepted_mutants:\n"
    "  - {item: Shell, change: '*without sh', reason: both are links to one file}\n"
    "  - {item: Program, change: '*', reason: none}\n"
)
WITHOUT_AUDIT = "".join(line for line in FULL.splitlines(keepends=True) if "given: audit" not in line)
WITHOUT_AUDIT += "  - {name: audited, given: audit, expect: Audit, skip: later}\n"
ANY = dict.fromkeys(("rules", "exceptions", "macros", "parts"), None)


def test_of_good_cases_the_surviving_mutants_are_told() -> None:
    (one,) = judged(FULL, mutate=True).findings()
    assert (one.code, one.file, one.item, one.ruleset) == ("FT004", "rules.yaml", "rule 'Shell'", "own")
    assert one.message == "no test notices: proc.name in (…) without sh"
    assert one.line


def test_an_accepted_mutant_is_not_told_and_an_entry_that_nothing_needs_is() -> None:
    (one,) = judged(FULL + ACCEPTED, mutate=True).findings()
    assert one.message == "no mutant of 'Program' that survives is '*'"
    assert (one.hint, one.file) == ("remove the entry", "tests.yaml")


def test_what_no_case_exercises_is_told() -> None:
    found = judged(WITHOUT_AUDIT).findings()
    assert {one.item for one in found} == {"rule 'Audit'"}
    assert found[0].message == "no case expects it to fire"
    assert all(one.line and one.ruleset == "own" for one in found)


def test_a_failure_comes_first_and_nothing_is_measured_beside_it() -> None:
    report = judged(FULL.replace("expect: Audit}", "expect_not: Audit}"), mutate=True)
    assert [one.message.split(":")[0] for one in report.findings()] == ["rule 'Audit' fired"]
    assert (report.coverages, report.mutations) == ({}, {})


def test_everything_as_plain_data() -> None:
    data = judged(FULL + ACCEPTED + "", mutate=True).to_data()
    assert data["counts"] == {"passed": 9, "failed": 0, "skipped": 0}
    assert data["cases"][0] == {
        "name": "both",
        "file": "tests.yaml",
        "line": data["cases"][0]["line"],
        "ruleset": "own",
        "result": "passed",
        "messages": [],
    }
    assert data["coverage"]["own"]["parts"] == {"total": 14, "covered": 14, "percent": 100.0}
    assert data["coverage"]["own"]["missing"] == []
    mutants = data["mutants"]["own"]
    assert mutants["killed"] == mutants["total"] - 1
    (survivor,) = mutants["survivors"]
    assert (survivor["item"], survivor["reason"]) == ("rule 'Shell'", "both are links to one file")
    assert mutants["score"] == 100.0
    missing = judged(WITHOUT_AUDIT).to_data()["coverage"]["own"]["missing"]
    assert missing[0]["kind"] == "rules"
    assert missing[0]["place"].startswith("rules.yaml:")


def test_suites_are_those_of_files_and_of_mutants() -> None:
    cases, mutants = judged(FULL, mutate=True).to_suites()
    assert (cases.name, len(cases.cases)) == ("tests.yaml", 9)
    assert all(one.failure is None for one in cases.cases)
    (survivor,) = mutants.cases
    assert mutants.name == "own mutants"
    assert survivor.failure == "no test notices: proc.name in (…) without sh"
    assert survivor.text.startswith("rules.yaml:")
    _cases, accepted = judged(FULL + ACCEPTED, mutate=True).to_suites()
    assert [(one.failure, one.skipped, one.text) for one in accepted.cases] == [
        (None, "both are links to one file", ""),
    ]


def test_a_failed_case_has_its_first_line_and_all_of_it() -> None:
    (suite,) = judged(FULL.replace("expect: Audit}", "expect_not: Audit}")).to_suites()
    failed = [one for one in suite.cases if one.failure]
    assert [one.failure for one in failed] == ["rule 'Audit' fired"]
    assert failed[0].text.startswith("tests.yaml:")
    assert "ka.verb = get" in failed[0].text


def test_mistakes_of_test_files_are_a_suite_of_their_own() -> None:
    whole = Finding("FT001", "error", "t.yaml", None, None, "", "no YAML", "mend it")
    (suite,) = Report([whole]).to_suites()
    assert suite.name == "test files"
    assert [(one.name, one.failure, one.text) for one in suite.cases] == [("t.yaml", "no YAML", "mend it")]


@pytest.mark.parametrize(
    ("cases", "minimum", "score", "problems"),
    [
        (FULL, {}, None, []),
        (FULL, dict.fromkeys(ANY, 100.0), None, []),
        (FULL, {}, 90.0, []),
        (FULL, {}, 100.0, ["ruleset 'own': 94.4 % of its mutants are killed, 100 % are asked for: rules.yaml:"]),
        (FULL + ACCEPTED, {}, 99.0, []),
        (FULL + ACCEPTED, {}, 100.0, ["tests.yaml:"]),
        (WITHOUT_AUDIT, {**ANY, "rules": 50.0}, None, []),
        (
            WITHOUT_AUDIT,
            {**ANY, "rules": 100.0},
            None,
            ["ruleset 'own': 66.7 % of its rules are exercised, 100 % are asked for: rules.yaml:"],
        ),
    ],
)
def test_what_is_missed_is_told_with_its_first_place(
    cases: str, minimum: dict[str, float | None], score: float | None, problems: list[str]
) -> None:
    found = missed(judged(cases, mutate=True), minimum, score)
    assert len(found) == len(problems)
    for one, start in zip(found, problems):
        assert one.startswith(start)


def test_mistakes_are_missed_with_their_hints() -> None:
    wrong = Finding("FT001", "error", "t.yaml", 2, 3, "", "no rule 'Shel'", "did you mean 'Shell'?")
    whole = Finding("FT001", "error", "u.yaml", None, None, "", "no YAML", "")
    assert missed(Report([wrong, whole]), {}, None) == [
        "t.yaml:2:3: no rule 'Shel' (did you mean 'Shell'?)",
        "u.yaml: no YAML",
    ]
