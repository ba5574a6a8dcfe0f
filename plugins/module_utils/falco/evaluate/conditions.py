# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""Conditions, compiled: `and`, `or`, `not` and macros over comparisons, with the parts kept for those who ask why.

Source: `sinsp_filter_expression::compare` in `userspace/libsinsp/filter.cpp` of falcosecurity/libs.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..catalogue.fields import FieldTable
from ..condition.nodes import And, Compare, Exists, Macro, Node, Not, Or
from ..load.compiler import CompiledMacro
from .comparisons import Test, compile_check
from .operands import Fields

ALL, ANY, NOT, MACRO, CHECK = "all", "any", "not", "macro", "check"


class Part:
    """A compiled part of a condition.

    Attributes:
        kind: ALL, ANY, NOT, MACRO (a reference, with what it stands for as its only part) or CHECK.
        node: as parsed; its offsets are those in the text of the rule's or the macro's condition.
        test: whether the part holds for an event's fields.
        parts: what it is made of.
    """

    __slots__ = ("kind", "node", "parts", "test")

    def __init__(self, kind: str, node: Node, test: Test, parts: Sequence[Part] = ()) -> None:
        self.kind = kind
        self.node = node
        self.test = test
        self.parts = parts


class ConditionCompiler:
    """Compiles the conditions of one source; a macro and a comparison are compiled once."""

    def __init__(self, table: FieldTable, macros: dict[str, CompiledMacro]) -> None:
        self._table = table
        self._macros = macros
        self._checks: dict[Node, Test] = {}
        self._expanded: dict[str, Part] = {}
        self._changed: dict[str, Node] = {}

    def with_macro(self, name: str, node: Node) -> ConditionCompiler:
        """A compiler for which one macro stands for another condition."""
        other = ConditionCompiler(self._table, self._macros)
        other._checks = self._checks
        other._changed = {name: node}
        return other

    def compile(self, node: Node) -> Part:
        """Compile a condition that was loaded without an error."""
        if isinstance(node, (Compare, Exists)):
            test = self._checks.get(node)
            if test is None:
                test = self._checks[node] = compile_check(self._table, node)
            return Part(CHECK, node, test)
        if isinstance(node, (And, Or)):
            parts = [self.compile(operand) for operand in node.operands]
            tests = [part.test for part in parts]
            if isinstance(node, And):
                return Part(ALL, node, all_of(tests), parts)
            return Part(ANY, node, any_of(tests), parts)
        if isinstance(node, Not):
            inner = self.compile(node.operand)
            return Part(NOT, node, opposite(inner.test), (inner,))
        return self._macro(node)  # type: ignore[arg-type]  # the grammar has nothing else

    def _macro(self, node: Macro) -> Part:
        expanded = self._expanded.get(node.name)
        if expanded is None:
            tree = self._changed.get(node.name) or self._macros[node.name].tree
            expanded = self._expanded[node.name] = self.compile(tree)
        return Part(MACRO, node, expanded.test, (expanded,))


def all_of(tests: Sequence[Test]) -> Test:
    """All of the tests hold; they are tried in order, up to the first that does not."""
    if len(tests) == 2:
        first, second = tests
        return lambda fields: first(fields) and second(fields)
    if len(tests) == 3:
        first, second, third = tests
        return lambda fields: first(fields) and second(fields) and third(fields)
    if len(tests) == 4:
        first, second, third, fourth = tests
        return lambda fields: first(fields) and second(fields) and third(fields) and fourth(fields)

    def test(fields: Fields) -> bool:
        for each in tests:  # noqa: SIM110 - a generator in all() takes twice the time
            if not each(fields):
                return False
        return True

    return test


def any_of(tests: Sequence[Test]) -> Test:
    """One of the tests holds; they are tried in order, up to the first that does."""
    if len(tests) == 2:
        first, second = tests
        return lambda fields: first(fields) or second(fields)
    if len(tests) == 3:
        first, second, third = tests
        return lambda fields: first(fields) or second(fields) or third(fields)
    if len(tests) == 4:
        first, second, third, fourth = tests
        return lambda fields: first(fields) or second(fields) or third(fields) or fourth(fields)

    def test(fields: Fields) -> bool:
        for each in tests:  # noqa: SIM110 - as above
            if each(fields):
                return True
        return False

    return test


def opposite(test: Test) -> Test:
    """The test does not hold."""
    return lambda fields: not test(fields)
