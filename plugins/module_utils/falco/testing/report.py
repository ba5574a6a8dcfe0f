# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test files on their rulesets, all together: outcomes, coverage, mutants; as findings, as data, as JUnit suites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...common.finding import Finding
from ...common.junit import Case as JUnitCase
from ...common.junit import Suite
from ..codes import TEST_ACCEPTED, TEST_COVERAGE, TEST_MUTANT, severity
from ..yaml.nesting import deep_nesting
from .coverage import KINDS, Coverage, coverage
from .model import Accepted, RuleTests
from .mutation import Mutation, mutation
from .run import Outcome, Ruleset, check_names, run

TOOL = "falco_rules_test"


@dataclass
class Report:
    """What tests say of their rulesets.

    Attributes:
        wrong: mistakes in test files; nothing is tried when there are some.
        outcomes: by test file, in order.
        coverages, mutations: by ruleset.
    """

    wrong: list[Finding] = field(default_factory=list)
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    coverages: dict[str, Coverage] = field(default_factory=dict)
    mutations: dict[str, Mutation] = field(default_factory=dict)

    @property
    def failures(self) -> list[Finding]:
        """What failed, with mistakes in test files."""
        return [*self.wrong, *(one for outcome in self.all_outcomes() for one in outcome.failures)]

    def all_outcomes(self) -> list[Outcome]:
        return [outcome for outcomes in self.outcomes.values() for outcome in outcomes]

    def findings(self) -> list[Finding]:
        """Failures, stale and surviving mutants, and what is not covered, in this order."""
        found = self.failures
        for name, result in self.mutations.items():
            for stale in result.stale:
                message = f"no mutant of '{stale.item}' that survives is '{stale.change}'"
                place = stale.place
                found.append(
                    _of(TEST_ACCEPTED, place.file, place.line, place.column, "", message, "remove the entry", name)
                )
            for one in result.survivors:
                if one.reason is None:
                    place = one.place
                    message = f"no test notices: {one.change}"
                    found.append(
                        _of(TEST_MUTANT, place.file, place.line, place.column, str(one.scope), message, "", name)
                    )
        for name, covered in self.coverages.items():
            for gap in covered.missing:
                place = gap.place
                found.append(_of(TEST_COVERAGE, place.file, place.line, place.column, gap.item, gap.what, "", name))
        return found

    def to_data(self) -> dict[str, Any]:
        """Cases, coverage and mutants as plain data."""
        outcomes = self.all_outcomes()
        return {
            "cases": [
                {
                    "name": one.case.name,
                    "file": one.case.place.file,
                    "line": one.case.place.line,
                    "ruleset": one.ruleset.name,
                    "result": "skipped" if one.case.skip is not None else "passed" if one.passed else "failed",
                    "messages": [failure.message for failure in one.failures],
                }
                for one in outcomes
            ],
            "counts": {
                "passed": sum(one.passed for one in outcomes),
                "failed": sum(bool(one.failures) for one in outcomes),
                "skipped": sum(one.case.skip is not None and not one.failures for one in outcomes),
            },
            "coverage": {name: _coverage_data(one) for name, one in self.coverages.items()},
            "mutants": {name: _mutation_data(one) for name, one in self.mutations.items()},
        }

    def to_suites(self) -> list[Suite]:
        """One suite a test file; of mutants one more a ruleset."""
        suites = []
        for file, outcomes in self.outcomes.items():
            cases = [
                JUnitCase(
                    one.case.name,
                    f"{one.ruleset.name} {file}",
                    failure=one.failures[0].message.split("\n")[0].rstrip(":") if one.failures else None,
                    text="\n".join(f"{_place(failure)}: {failure.message}" for failure in one.failures),
                    skipped=one.case.skip,
                )
                for one in outcomes
            ]
            suites.append(Suite(file, cases))
        for name, result in self.mutations.items():
            cases = [
                JUnitCase(
                    f"{one.scope}: {one.change}",
                    f"{name} mutants",
                    failure=f"no test notices: {one.change}" if one.reason is None else None,
                    text=f"{one.place}" if one.reason is None else "",
                    skipped=one.reason,
                )
                for one in result.survivors
            ]
            suites.append(Suite(f"{name} mutants", cases))
        if self.wrong:
            wrong = [JUnitCase(_place(one), "test files", failure=one.message, text=one.hint) for one in self.wrong]
            suites.append(Suite("test files", wrong))
        return suites


def _of(code: str, file: str, line: int, column: int, item: str, message: str, hint: str, ruleset: str) -> Finding:
    return Finding(code, severity(code), file, line, column, item, message, hint, "", ruleset)


def _place(finding: Finding) -> str:
    return f"{finding.file}:{finding.line}:{finding.column}" if finding.line else finding.file


def _coverage_data(one: Coverage) -> dict[str, Any]:
    figures: dict[str, Any] = {
        kind: {"total": one.total[kind], "covered": one.covered[kind], "percent": round(one.percent(kind), 1)}
        for kind in KINDS
    }
    figures["missing"] = [
        {"kind": gap.kind, "item": gap.item, "what": gap.what, "place": str(gap.place)} for gap in one.missing
    ]
    return figures


def _mutation_data(one: Mutation) -> dict[str, Any]:
    survivors = [
        {"item": str(each.scope), "change": each.change, "place": str(each.place), "reason": each.reason}
        for each in one.survivors
    ]
    return {
        "total": one.total,
        "killed": one.total - len(survivors),
        "score": round(one.score, 1),
        "survivors": survivors,
    }


@deep_nesting()
def judge(
    files: Sequence[RuleTests], rulesets: Mapping[tuple[str, str], Ruleset], mutate: bool = False, jobs: int = 1
) -> Report:
    """Run test files.

    Args:
        files: without findings of the reader.
        rulesets: by test file and by the name that it gives the ruleset; what is the same object is measured as one.
        mutate: whether mutants are tried as well. Neither they nor coverage say anything while a case fails.
        jobs: processes that share the work.
    """
    report = Report()
    pairs = [
        (tests, name, rulesets[tests.file, name]) for tests in files for file, name in rulesets if file == tests.file
    ]
    for tests, name, ruleset in pairs:
        report.wrong += check_names(tests, name, ruleset)
    if report.wrong:
        return report
    measured: dict[int, tuple[Ruleset, list[Outcome], list[Accepted]]] = {}
    for tests, name, ruleset in pairs:
        outcomes = run(tests, name, ruleset)
        report.outcomes.setdefault(tests.file, []).extend(outcomes)
        _ruleset, so_far, accepted = measured.setdefault(id(ruleset), (ruleset, [], []))
        so_far.extend(outcomes)
        accepted += [one for one in tests.accepted if one not in accepted]
    for ruleset, outcomes, accepted in measured.values() if not report.failures else ():
        report.coverages[ruleset.name] = coverage(ruleset, outcomes)
        if mutate:
            report.mutations[ruleset.name] = mutation(ruleset, outcomes, accepted, jobs)
    return report


def missed(report: Report, minimum_coverage: Mapping[str, float | None], minimum_score: float | None) -> list[str]:
    """What is to be mended, the most urgent first; empty when all is well.

    Args:
        report: of a run.
        minimum_coverage: percentages by kind; None for any.
        minimum_score: percentage of mutants that are to be killed or accepted; None for any. With 100, an accepted
            mutant that does not survive counts as well.
    """
    problems = [f"{_place(one)}: {one.message}{f' ({one.hint})' if one.hint else ''}" for one in report.failures]
    for name, covered in report.coverages.items():
        for kind, minimum in minimum_coverage.items():
            if minimum is not None and covered.percent(kind) < minimum:
                gap = next(one for one in covered.missing if one.kind == kind)
                problems.append(
                    f"ruleset '{name}': {covered.percent(kind):.1f} % of its {kind} are exercised, {minimum:g} % are "
                    f"asked for: {gap.place}: {gap.item}: {gap.what}"
                )
    for name, result in report.mutations.items() if minimum_score is not None else ():
        survivor = next((one for one in result.survivors if one.reason is None), None)
        if survivor is not None and minimum_score is not None and result.score < minimum_score:
            problems.append(
                f"ruleset '{name}': {result.score:.1f} % of its mutants are killed, {minimum_score:g} % are asked for: "
                f"{survivor.place}: {survivor.scope}: no test notices: {survivor.change}"
            )
        if minimum_score == 100:  # nothing is to be accepted that need not be
            problems += [
                f"{one.place}: no mutant of '{one.item}' that survives is '{one.change}' (remove the entry)"
                for one in result.stale
            ]
    return problems
