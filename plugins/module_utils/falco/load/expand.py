# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A loaded condition with its macros written out, and the names that it uses."""

from __future__ import annotations

from collections.abc import Iterator

from ..condition.nodes import And, Field, Macro, Node, Not, Or, walk
from .compiler import Compiler

MAX_NODES = 20_000
"""Nodes a written-out condition may have; nested macros could multiply them without end."""


class _Budget:
    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


def expand(node: Node, compiler: Compiler) -> Node | None:
    """Replace every macro by its condition; None when the result is too large."""
    budget = _Budget(MAX_NODES)
    result = _expand(node, compiler, budget)
    return result if budget.left > 0 else None


def _expand(node: Node, compiler: Compiler, budget: _Budget) -> Node:
    budget.left -= 1
    if budget.left <= 0:
        return node
    if isinstance(node, Macro):
        macro = compiler.macros.get(node.name)
        return node if macro is None else _expand(macro.tree, compiler, budget)
    if isinstance(node, Not):
        return Not(_expand(node.operand, compiler, budget))
    if isinstance(node, (And, Or)):
        kind = type(node)
        parts: list[Node] = []
        for operand in node.operands:
            inner = _expand(operand, compiler, budget)
            # as Falco flattens them: `a and (b and c)` means the same
            parts.extend(inner.operands if isinstance(inner, kind) else (inner,))
        return kind(tuple(parts))
    return node


def macros_of(node: Node, compiler: Compiler) -> list[str]:
    """Names of the macros that a condition uses, directly or through others, in order."""
    found: dict[str, None] = {}
    stack = [part.name for part in walk(node) if isinstance(part, Macro)][::-1]
    while stack:
        name = stack.pop()
        if name in found:
            continue
        found[name] = None
        macro = compiler.macros.get(name)
        if macro:
            stack.extend(reference.name for reference in reversed(macro.parsed.macros))
    return list(found)


def fields_of(node: Node, compiler: Compiler) -> list[str]:
    """Names of the fields that a condition uses, its macros included, sorted."""
    names: set[str] = set()
    for tree in _trees(node, compiler):
        names.update(part.name for part in walk(tree) if isinstance(part, Field))
    return sorted(names)


def _trees(node: Node, compiler: Compiler) -> Iterator[Node]:
    yield node
    for name in macros_of(node, compiler):
        macro = compiler.macros.get(name)
        if macro:
            yield macro.tree
