# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which changes of a ruleset's conditions no test notices.

Each condition of a rule that is enabled, and each macro of such rules, is changed one operator or literal at a time. A
mutant is killed when a case that passes would fail with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..condition.nodes import Node
from ..evaluate.comparisons import Test
from ..evaluate.conditions import ConditionCompiler
from ..evaluate.engine import ALL
from ..evaluate.events import Event
from ..load.expand import macros_of
from .conditions import MACRO, RULE, Scope
from .model import Accepted, Place
from .mutants import Mutant, mutants
from .run import Outcome, Ruleset, asserted, fits, sees
from .workers import spread

WORTH_SPREADING = 500
"""Mutants below which starting processes takes longer than the work."""


class Survivor(NamedTuple):
    """A mutant that no test kills.

    Attributes:
        scope: the rule or macro that was changed.
        change: what was changed.
        place: where that is written.
        reason: why it may survive; None when nothing says so.
    """

    scope: Scope
    change: str
    place: Place
    reason: str | None


class Mutation(NamedTuple):
    """How many mutants there were, and which survived.

    Attributes:
        total: mutants that were tried.
        survivors: those that no test kills, accepted ones included.
        stale: accepted mutants that are killed, or not made at all.
    """

    total: int
    survivors: list[Survivor]
    stale: list[Accepted]

    @property
    def score(self) -> float:
        """Killed and accepted mutants of all, 0 to 100; 100 where there are none."""
        bad = sum(one.reason is None for one in self.survivors)
        return 100.0 * (self.total - bad) / self.total if self.total else 100.0


class _Trial:
    """A passing case, ready to be asked again.

    Attributes:
        events: what is given.
        said: whether each rule it names is to fire.
        first: whether the first rule alone counts.
        held: of each event the rules that hold unchanged, by their place.
    """

    __slots__ = ("events", "first", "held", "said")

    def __init__(self, outcome: Outcome, order: dict[str, int]) -> None:
        self.events: list[Event] = outcome.events
        self.said = asserted(outcome)
        self.first = outcome.rule_matching != ALL
        engine = outcome.ruleset.engine()
        self.held = [{order[rule.name] for rule in engine.matches(event, ALL)} for event in outcome.events]


def mutation(ruleset: Ruleset, outcomes: Sequence[Outcome], accepted: Sequence[Accepted], jobs: int = 1) -> Mutation:
    """Try every mutant of a ruleset.

    Args:
        ruleset: the ruleset.
        outcomes: of the cases on it; those that did not pass count for nothing.
        accepted: mutants that may survive.
        jobs: processes that share the work.
    """
    work = _Work(ruleset, [one for one in outcomes if one.passed])
    tasks = [(scope, mutant) for scope in work.scopes for mutant in work.mutants_of(scope)]
    killed = spread(lambda task: work.killed(*task), tasks, jobs if len(tasks) >= WORTH_SPREADING else 1)
    survivors = []
    used: set[Accepted] = set()
    for (scope, mutant), dead in zip(tasks, killed):
        if dead:
            continue
        fitting = [one for one in accepted if one.item == scope.name and fits(one.change, mutant.change)]
        used.update(fitting)
        place = ruleset.places.of(scope, mutant.start)
        survivors.append(Survivor(scope, mutant.change, place, fitting[0].reason if fitting else None))
    return Mutation(len(tasks), survivors, [one for one in accepted if one not in used])


class _Work:
    """The ruleset's conditions with the cases that say something about each."""

    def __init__(self, ruleset: Ruleset, outcomes: Sequence[Outcome]) -> None:
        self.engine = ruleset.engine()
        compiler = ruleset.loaded.compiler
        self.order = {name: number for number, name in enumerate(self.engine.rules)}
        self.trials = [_Trial(outcome, self.order) for outcome in outcomes]
        self.tables = compiler.tables
        self.compilers = {source: ConditionCompiler(table, compiler.macros) for source, table in self.tables.items()}
        self.nodes: dict[Scope, Node] = {}
        self.rules: dict[Scope, list[str]] = {}
        self.trees = {name: compiled.node for name, compiled in compiler.rules.items()}
        for name, rule in self.engine.rules.items():
            if not rule.fires:
                continue
            self.nodes[Scope(RULE, name)] = self.trees[name]
            self.rules[Scope(RULE, name)] = [name]
            for macro in macros_of(self.trees[name], compiler):
                self.nodes[Scope(MACRO, macro)] = compiler.macros[macro].tree
                self.rules.setdefault(Scope(MACRO, macro), []).append(name)
        self.scopes = list(self.nodes)
        self._relevant: dict[Scope, list[_Trial]] = {}

    def mutants_of(self, scope: Scope) -> list[Mutant]:
        """The mutants of one condition."""
        source = self.engine.rules[self.rules[scope][0]].rule.source
        return list(mutants(self.nodes[scope], self.tables[source]))

    def relevant(self, scope: Scope) -> list[_Trial]:
        """The cases whose outcome may depend on a condition."""
        found = self._relevant.get(scope)
        if found is None:
            rules = set(self.rules[scope])
            found = [trial for trial in self.trials if trial.first or not rules.isdisjoint(trial.said)]
            self._relevant[scope] = found
        return found

    def killed(self, scope: Scope, mutant: Mutant) -> bool:
        """Whether a case fails with the mutant."""
        tests: dict[str, Test] = {}
        for name in self.rules[scope]:
            compiler = self.compilers[self.engine.rules[name].rule.source]
            if scope.kind == MACRO:
                tests[name] = compiler.with_macro(scope.name, mutant.node).compile(self.trees[name]).test
            else:
                tests[name] = compiler.compile(mutant.node).test
        return any(self._fails(trial, tests) for trial in self.relevant(scope))

    def _fails(self, trial: _Trial, tests: dict[str, Test]) -> bool:
        fired: set[int] = set()
        for event, before in zip(trial.events, trial.held):
            held = set(before)
            for name, test in tests.items():
                if not trial.first and name not in trial.said:
                    continue
                number = self.order[name]
                held.discard(number)
                if sees(self.engine.rules[name], event) and test(event.fields):
                    held.add(number)
            fired.update(sorted(held)[:1] if trial.first else held)
        return any((self.order[name] in fired) != wanted for name, wanted in trial.said.items())
