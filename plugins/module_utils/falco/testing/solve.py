# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events on which a condition holds, found by trying: values near to the constants of its comparisons.

The search goes through the condition as through a maze, gives a field a value where a comparison needs one, and turns
back where what was chosen before no longer is as it must be. What it finds was evaluated; that it finds nothing proves
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from ..catalogue.fields import FieldTable
from ..condition.logic import conjuncts
from ..condition.nodes import And, Macro, Node, Not, Or
from ..evaluate.comparisons import Test
from ..evaluate.conditions import ConditionCompiler
from ..evaluate.events import FieldMap
from ..load.compiler import Compiler
from .candidates import candidates, ordinary, targets

STEPS = 4000
"""Steps that a search may take."""
MAX_CANDIDATES = 12
"""Values that are tried for one comparison."""


WAYS = 2
"""Events on which a condition holds by one alternative."""
MISSES = 8
"""Events that miss a condition in one part of it."""


class Goal(NamedTuple):
    """A part of a condition that must hold, or must not."""

    node: Node
    holds: bool


class Solver:
    """Finds events for conditions of one source."""

    def __init__(self, table: FieldTable, compiler: Compiler) -> None:
        self.table = table
        self._compiler = compiler
        self._conditions = ConditionCompiler(table, compiler.macros)
        self._steps = 0

    def test(self, node: Node, macro: tuple[str, Node] | None = None) -> Test:
        """A condition compiled, with another condition in the place of a macro if one is given."""
        conditions = self._conditions if macro is None else self._conditions.with_macro(*macro)
        return conditions.compile(node).test

    def solutions(
        self, node: Node, holds: bool = True, known: Mapping[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Field maps on which a condition holds, or does not.

        Args:
            node: a condition that was loaded.
            holds: what it is to do.
            known: fields that have their values already and keep them.

        Yields:
            Field maps, the known fields included, each evaluated; no two are the same.
        """
        fixed = dict(known or {})
        self._steps = STEPS
        test = self.test(node)
        seen: list[dict[str, Any]] = []
        for found in self._search((Goal(node, holds),), (), fixed, frozenset(fixed)):
            if found not in seen and bool(test(FieldMap(found))) is holds:
                seen.append(found)
                yield found

    def conflict(self, node: Node) -> list[Node]:
        """Of a condition without an event, parts that have none together, and would have one without any of them."""
        parts = conjuncts(node, self._tree)
        for part in tuple(parts):
            rest = [one for one in parts if one is not part]
            if rest and next(self.solutions(And(tuple(rest))), None) is None:
                parts = rest
        return parts

    def each_way(self, node: Node) -> Iterator[dict[str, Any]]:
        """Field maps on which a condition holds by one of several alternatives alone; of each alternative a few."""
        for part in conjuncts(node, self._tree):
            if isinstance(part, Or):
                for number, way in enumerate(part.operands):
                    others = (Not(one) for one in (*part.operands[:number], *part.operands[number + 1 :]))
                    yield from islice(self.solutions(And((way, *others, node))), WAYS)

    def near_misses(self, node: Node) -> Iterator[dict[str, Any]]:
        """Field maps on which all that a condition asks for holds, but one thing; of each thing a few."""
        parts = conjuncts(node, self._tree)
        for number, part in enumerate(parts):
            others = (*parts[:number], *parts[number + 1 :])
            yield from islice(self.solutions(And((*others, Not(part)))), MISSES)

    def _tree(self, name: str) -> Node | None:
        macro = self._compiler.macros.get(name)
        return macro.tree if macro else None

    def _search(
        self, goals: tuple[Goal, ...], reached: tuple[Goal, ...], fields: dict[str, Any], fixed: frozenset[str]
    ) -> Iterator[dict[str, Any]]:
        self._steps -= 1
        if self._steps < 0:
            return
        if not goals:
            yield fields
            return
        (node, holds), rest = goals[0], goals[1:]
        if isinstance(node, Not):
            yield from self._search((Goal(node.operand, not holds), *rest), reached, fields, fixed)
        elif isinstance(node, Macro):
            tree = self._tree(node.name)
            if tree is not None:
                yield from self._search((Goal(tree, holds), *rest), reached, fields, fixed)
        elif isinstance(node, (And, Or)):
            if isinstance(node, And) == holds:
                parts = tuple(Goal(part, holds) for part in node.operands)
                yield from self._search((*parts, *rest), reached, fields, fixed)
            else:
                for part in node.operands:
                    yield from self._search((Goal(part, holds), *rest), reached, fields, fixed)
        else:
            now = (*reached, goals[0])
            for changed in self._met(node, now, fields, fixed):
                yield from self._search(rest, now, changed, fixed)

    def _met(
        self, node: Node, reached: tuple[Goal, ...], fields: dict[str, Any], fixed: frozenset[str]
    ) -> Iterator[dict[str, Any]]:
        """The field maps that differ in one field at most and are as everything so far must be."""
        if self._fits(reached, fields):
            if not reached[-1].holds:
                yield from self._with_ordinary(node, reached, fields)
            yield fields
            return
        for name in targets(node):
            if name in fixed:
                continue
            others = [fields[other] for other in targets(node) if other != name and other in fields]
            for value in (*others, *islice(candidates(node, self.table, fields.get(name)), MAX_CANDIDATES)):
                changed = {**fields, name: value}
                if self._fits(reached, changed):
                    yield changed

    def _with_ordinary(self, node: Node, reached: tuple[Goal, ...], fields: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """What must not hold does not on an event without the field; one that has another value tells more."""
        for name in targets(node):
            info = self.table.find(name)
            if info is not None and name not in fields and not info.is_list:
                changed = {**fields, name: ordinary(name, info.type)}
                if self._fits(reached, changed):
                    yield changed
                    return

    def _fits(self, goals: tuple[Goal, ...], fields: dict[str, Any]) -> bool:
        event = FieldMap(fields)
        return all(bool(self.test(node)(event)) is holds for node, holds in goals)
