# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions of a loaded ruleset, and where their parts are written.

A rule's exceptions are joined to its condition as `(condition) and not (exception) and not (...)`, so its tree has
them as the last operands of its top.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..condition.nodes import And, Compare, Exists, Node, walk
from ..judge import positions
from ..load.compiler import Compiled
from ..load.items import RuleException
from ..load.ruleset import Loaded
from .model import Place

RULE, MACRO = "rule", "macro"


class Scope(NamedTuple):
    """The rule or macro whose condition a part is in."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} '{self.name}'"


class Places:
    """Where parts of conditions are written."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        lines = {file.name: file.text.split("\n") for file in loaded.files}
        self._places = positions.Places(loaded, lambda file: lines.get(file, []))

    def of(self, scope: Scope, start: int | None = None) -> Place:
        """The place of a part, or of the rule or macro itself.

        Args:
            scope: whose condition.
            start: offset of the part in the condition's text.
        """
        compiler = self._loaded.compiler
        if scope.kind == MACRO:
            macro = compiler.macros[scope.name]
            context = macro.item.context
        else:
            rule = compiler.rules[scope.name]
            context = rule.rule.context
            if start is not None:
                for exception, node in exceptions_of(rule):
                    if node.start <= start < node.end:
                        context, start = exception.context, None
                        break
        if start is not None:
            for place in self._places.at((scope.kind, scope.name), start):
                if place.line is not None and place.column is not None:
                    return Place(place.file, place.line, place.column)
        mark = context.locations[-1].mark
        return Place(context.file, mark.line + 1, mark.column + 1)


def exceptions_of(compiled: Compiled) -> list[tuple[RuleException, Node]]:
    """The exceptions of a rule that have values, each with its negation in the rule's tree."""
    having = [exception for exception in compiled.rule.exceptions if exception.values]
    node = compiled.node
    if not having or not isinstance(node, And) or len(node.operands) <= len(having):
        return []
    return list(zip(having, node.operands[-len(having) :]))


def comparisons(node: Node) -> Iterator[Node]:
    """The comparisons of a condition, those of its macros not included."""
    for part in walk(node):
        if isinstance(part, (Compare, Exists)):
            yield part
