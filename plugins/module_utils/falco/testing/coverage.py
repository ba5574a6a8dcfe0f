# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cases exercise of a ruleset: its rules, exceptions, macros, and each comparison both ways.

A case counts for the rules about which it says something. A comparison is exercised where it decided: of `and` that
failed the first that failed, of `and` that held each; of `or` the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ..condition.nodes import Node, Not
from ..condition.printer import to_text
from ..evaluate.conditions import NOT, Part
from ..evaluate.operands import Fields
from ..load.compiler import Compiled
from ..load.expand import macros_of
from .conditions import MACRO, RULE, Scope, comparisons, exceptions_of
from .model import Place
from .run import Outcome, Ruleset, asserted, scope_of

RULES, MACROS, EXCEPTIONS, PARTS = "rules", "macros", "exceptions", "parts"
KINDS = (RULES, EXCEPTIONS, MACROS, PARTS)


class Missing(NamedTuple):
    """Something that no case exercises.

    Attributes:
        kind: one of `KINDS`.
        item: the rule or macro.
        what: what no case does, as a sentence's rest: "never fires".
        place: where it is written.
    """

    kind: str
    item: str
    what: str
    place: Place


class Coverage(NamedTuple):
    """How much is exercised.

    Attributes:
        total, covered: by kind; a comparison counts twice, for holding and for not holding.
        missing: what is not.
    """

    total: dict[str, int]
    covered: dict[str, int]
    missing: list[Missing]

    def percent(self, kind: str) -> float:
        """Covered of a kind, 0 to 100; 100 where there is nothing to cover."""
        return 100.0 * self.covered[kind] / self.total[kind] if self.total[kind] else 100.0


_Way = tuple[Scope, int, bool]


def coverage(ruleset: Ruleset, outcomes: Sequence[Outcome]) -> Coverage:
    """Measure what passing cases exercise of the rules that are enabled."""
    fired: set[str] = set()
    ways: set[_Way] = set()
    silenced: set[tuple[str, int]] = set()
    engine, compiled = ruleset.engine(), ruleset.loaded.compiler.rules
    for outcome in outcomes:
        if not outcome.passed:
            continue
        fired.update(one.rule for one in outcome.case.expect)
        for event in outcome.events:
            for name in asserted(outcome):
                rule = engine.rules[name]
                if rule.rule.source != event.source:
                    continue
                for reason in engine.explain(name, event).reasons:
                    ways.add((scope_of(name, reason), reason.start, reason.holds))
                silenced.update((name, number) for number in _silencing(rule.part, compiled[name], event.fields))
    missing: list[Missing] = []
    total = dict.fromkeys(KINDS, 0)

    def count(kind: str, done: bool, scope: Scope, what: str, start: int | None = None) -> None:
        total[kind] += 1
        if not done:
            missing.append(Missing(kind, str(scope), what, ruleset.places.of(scope, start)))

    used: dict[str, None] = {}
    for name, rule in engine.rules.items():
        if not rule.fires:
            continue
        scope = Scope(RULE, name)
        count(RULES, name in fired, scope, "no case expects it to fire")
        for number, (exception, negation) in enumerate(exceptions_of(compiled[name])):
            what = f"exception '{exception.name}' silences nothing"
            count(EXCEPTIONS, (name, number) in silenced, scope, what, negation.start)
        _count_parts(count, scope, comparisons(compiled[name].node), ways)
        used.update(dict.fromkeys(macros_of(compiled[name].node, ruleset.loaded.compiler)))
    for name in used:
        scope = Scope(MACRO, name)
        parts = list(comparisons(ruleset.loaded.compiler.macros[name].tree))
        reached = not parts or any((scope, part.start, way) in ways for part in parts for way in (True, False))
        count(MACROS, reached, scope, "no case comes to it")
        _count_parts(count, scope, parts, ways)
    covered = {kind: total[kind] - sum(one.kind == kind for one in missing) for kind in KINDS}
    return Coverage(total, covered, missing)


def _count_parts(count: Callable[..., None], scope: Scope, parts: Iterable[Node], ways: set[_Way]) -> None:
    for part in parts:
        for way, word in ((True, "holds"), (False, "fails")):
            what = f"'{to_text(part)}' never {word} where it decides"
            done = (scope, part.start, way) in ways
            count(PARTS, done, scope, what, part.start)


def _silencing(part: Part, compiled: Compiled, fields: Fields) -> Iterable[int]:
    """Numbers of the exceptions that keep a rule from firing, where all else of its condition holds."""
    exceptions = exceptions_of(compiled)
    if not exceptions:
        return
    mains, negations = part.parts[: -len(exceptions)], part.parts[-len(exceptions) :]
    if not all(main.test(fields) for main in mains):
        return
    for number, negation in enumerate(negations):
        if negation.kind == NOT and isinstance(negation.node, Not) and not negation.test(fields):
            yield number
