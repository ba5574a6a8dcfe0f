# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate's part on rules: loaded and linted, tested with mutants, compared with the revision before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..common.finding import Finding
from ..common.junit import Suite
from ..falco.codes import ADDED, ERROR, FIRES, LOST, REWORDED
from ..falco.describe.compare import compare
from ..falco.errors import FalcoError
from ..falco.evaluate.engine import Engine
from ..falco.evaluate.replay import replay
from ..falco.judge.junit import suite_of
from ..falco.judge.recorded import replay_findings
from ..falco.judge.validate import Verdict, fails, judge
from ..falco.load.embedded import Embedded, placed, unpacked
from ..falco.load.ruleset import Loaded, Loader, RulesFile
from ..falco.testing.report import missed
from ..files.catalogue import catalogue_of
from ..files.recordings import Recording
from ..files.rules import read_rules_files
from ..files.tests import run_tests
from .section import Section, changes_of, counted
from .tree import Tree

KIND = "rules"
_RECORDED = {LOST: "Alerts lost", ADDED: "Alerts added", REWORDED: "Alerts reworded", FIRES: "Alerts"}


@dataclass(frozen=True)
class Ruleset:
    """One entry of the option C(rulesets).

    Attributes:
        name: how it is called.
        files: rules files and directories, in the order in which Falco loads them.
        base_files: what is loaded before and is not judged itself, such as the maintained rules.
        tests: test files and directories.
        events: a recording, of which the change's alerts are told; None for none.
        source: of its field maps.
        rule_matching: C(first) or C(all).
    """

    name: str
    files: Sequence[str]
    base_files: Sequence[str] = ()
    tests: Sequence[str] = ()
    events: str | None = None
    source: str = "syscall"
    rule_matching: str = "first"


@dataclass(frozen=True)
class Demands:
    """What is asked of every ruleset.

    Attributes:
        fail_on: from which severity on findings count as failure, as one word.
        catalogue: options that say which Falco judges, as `files.catalogue.CATALOGUE` has them.
        minimum_coverage: percentages by kind.
        minimum_mutation_score: percentage of mutants; None tries none.
        jobs: processes that share the mutants.
    """

    fail_on: Sequence[str] = (ERROR,)
    catalogue: Mapping[str, Any] = field(default_factory=dict)
    minimum_coverage: Mapping[str, float | None] = field(default_factory=dict)
    minimum_mutation_score: float | None = None
    jobs: int = 1


@dataclass(frozen=True)
class Side:
    """One revision's files: those that are loaded, what is within others, and the names of the base."""

    files: tuple[RulesFile, ...]
    inner: Mapping[str, Embedded]
    base: frozenset[str]
    unreadable: tuple[tuple[str, str], ...]


def rules_section(ruleset: Ruleset, after: Tree, before: Tree | None, demands: Demands) -> Section:
    """Judge one ruleset.

    Args:
        ruleset: what is judged.
        after: the revision that is to be merged.
        before: the one that it is compared with; None compares with nothing.
        demands: what is asked.

    Raises:
        FalcoError: the Falco version is not known.
    """
    if not ruleset.files:
        why = f"rulesets[{ruleset.name}].files: names no file, so there is nothing to judge"
        return Section(KIND, ruleset.name, (why,))
    side = read_side(after, after.paths(ruleset.base_files), after.paths(ruleset.files))
    if side.unreadable:
        return Section(KIND, ruleset.name, tuple(f"{name}: {reason}" for name, reason in side.unreadable))
    known = catalogue_of(demands.catalogue, [file.text for file in side.files])
    loaded = Loader(known).load(side.files)
    findings = [
        finding
        for finding in (placed(one, side.inner) for one in judge(loaded, ruleset.name))
        if finding.severity == ERROR or finding.file not in side.base
    ]
    failing = fails(findings, demands.fail_on)
    reasons, notes = [*counted(failing)], [known.note] if known.note else []
    verdict = Verdict(ruleset.name, loaded.successful, loaded.to_json(), findings)
    suites = [suite_of([verdict], failing, KIND)]
    counts = {"rules": len(loaded.compiler.rules), "findings": len(findings)}
    groups: dict[str, Sequence[str]] = {}
    if not loaded.successful and not failing:
        reasons.append(f"ruleset '{ruleset.name}' does not load")
    if loaded.successful:
        tested = _tested(ruleset, after, Loader(known), demands)
        reasons += tested.reasons
        findings += tested.findings
        suites += tested.suites
        counts |= tested.counts
        groups, said, more = _compared(ruleset, loaded, after, before, Loader(known))
        notes += said
        reasons += more
    return Section(
        KIND,
        ruleset.name,
        tuple(reasons),
        tuple(findings),
        changes_of(groups),
        counts,
        tuple(notes),
        suites=tuple(suites),
    )


def read_side(tree: Tree, base: Sequence[str], own: Sequence[str]) -> Side:
    """A revision's files, each with the rules within it, under the names that are told."""
    below, lost = read_rules_files(base)
    above, more = read_rules_files(own)
    given = [tree.rules_file(file) for file in (*below, *above)]
    files, inner = unpacked(given)
    unreadable = tuple((tree.told(name), reason) for name, reason in (*lost, *more))
    return Side(files, inner, frozenset(file.name for file in given[: len(below)]), unreadable)


@dataclass(frozen=True)
class _Tested:
    """What the tests of a ruleset say."""

    reasons: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    suites: tuple[Suite, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


def _tested(ruleset: Ruleset, tree: Tree, loader: Loader, demands: Demands) -> _Tested:
    asked = demands.minimum_mutation_score is not None
    if not ruleset.tests:
        if not asked and not any(one is not None for one in demands.minimum_coverage.values()):
            return _Tested()
        return _Tested((f"ruleset '{ruleset.name}' has no tests, and a minimum is asked of them",))
    paths = tree.paths(ruleset.tests)
    given = tree.paths([*ruleset.base_files, *ruleset.files])
    try:
        report = run_tests(loader, paths, given, {}, asked, demands.jobs)
    except FalcoError as error:
        return _Tested((tree.told(str(error)),))
    missing = missed(report, demands.minimum_coverage, demands.minimum_mutation_score)
    data = report.to_data()
    counts = {f"cases {kind}": number for kind, number in data["counts"].items()}
    if data["mutants"]:
        counts["mutants"] = sum(one["total"] for one in data["mutants"].values())
        counts["mutants killed"] = sum(one["killed"] for one in data["mutants"].values())
    return _Tested(
        tuple(map(tree.told, missing)),
        tuple(map(tree.finding, report.findings())),
        tuple(map(tree.suite, report.to_suites())),
        counts,
    )


def _compared(
    ruleset: Ruleset, loaded: Loaded, after: Tree, before: Tree | None, loader: Loader
) -> tuple[dict[str, Sequence[str]], list[str], list[str]]:
    """What is different from the revision before by kind, notes, and reasons."""
    groups: dict[str, Sequence[str]] = {}
    old = None
    notes: list[str] = []
    if before is not None:
        side = read_side(before, before.existing(ruleset.base_files), before.existing(ruleset.files))
        old = loader.load(side.files)
        if not before.existing(ruleset.files):
            notes.append("The revision before does not have this ruleset: all of it is new.")
        if side.unreadable or not old.successful:
            notes.append("The revision before does not load, so nothing is compared with it.")
            return {}, notes, []
        groups["Rules"] = [
            f"{one['kind']} {one['name']}: {one['change']} ({one['level']})" for one in compare(old, loaded)["changes"]
        ]
    if ruleset.events is None:
        return groups, notes, []
    try:
        found = _replayed(ruleset, ruleset.events, loaded, old, after)
    except (FalcoError, OSError) as error:
        return groups, notes, [f"{ruleset.events}: {after.told(str(error))}"]
    return {**groups, **found}, notes, []


def _replayed(
    ruleset: Ruleset, events: str, loaded: Loaded, old: Loaded | None, after: Tree
) -> dict[str, Sequence[str]]:
    """Alerts of the recording: those that the change loses, adds and rewords; without a change, all by rule."""
    recording = Recording(after.path(events))
    engine = Engine(loaded, ruleset.rule_matching)
    other = None if old is None else Engine(old, ruleset.rule_matching)
    found = replay(engine, recording.lines(), ruleset.source, before=other, keep="none")
    told = replay_findings(found, events, loaded, old)
    return {
        title: [f"{one.item}: {one.message}" for one in told if one.code == code] for code, title in _RECORDED.items()
    }
