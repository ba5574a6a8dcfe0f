# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of a module's code, one place at a time, for tests that want each of them noticed.

A condition is turned round, a comparison is turned round, one operand of C(and)/C(or) is left out.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator

Variants = Callable[[ast.AST], Iterator[tuple[str, ast.AST]]]

TURNED = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.GtE,
    ast.Gt: ast.LtE,
}


def is_default(node: ast.AST) -> bool:
    """Whether a value is what stands for nothing: an empty one, or a text."""
    empty = isinstance(node, (ast.Dict, ast.List)) and ast.unparse(node) in ("{}", "[]")
    return empty or isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def variants(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What can stand in a node's place, each with a name."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in TURNED:
        yield "comparison is turned round", ast.Compare(node.left, [TURNED[type(node.ops[0])]()], node.comparators)
    elif isinstance(node, ast.BoolOp) and not is_default(node.values[-1]):
        for left_out in range(len(node.values)):
            rest = [value for place, value in enumerate(node.values) if place != left_out]
            yield f"operand {left_out} is left out", rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


NEAR = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.Mult: ast.Add}


def further(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What else can stand in a node's place: bounds, numbers, signs, and/or, truth."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in NEAR:
        yield "bound is moved", ast.Compare(node.left, [NEAR[type(node.ops[0])]()], node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield "and/or is turned", ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not is left out", node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield "sign is turned", ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "truth is turned", ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield "number is one more", ast.Constant(node.value + 1)


def mutants(source: str, more: Variants) -> Iterator[tuple[str, ast.Module]]:
    """(name, changed module) for each place of a module's functions.

    Args:
        source: text of the module.
        more: what else can stand in a node's place, with a name for each.
    """
    for name, tree in in_turn(ast.parse(source), more):
        yield name, copy.deepcopy(tree)


def in_turn(tree: ast.Module, more: Variants) -> Iterator[tuple[str, ast.Module]]:
    """(name, the tree itself) for each place, which is as it was again when the next is asked for."""
    # What types are written with is never run. That values are frozen is held for all cores at once.
    left = [getattr(node, name, None) for node in ast.walk(tree) for name in ("annotation", "returns")]
    left += [node.value for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "frozen"]
    left += [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "TYPE_CHECKING"]
    left_out = {id(part) for one in left if one is not None for part in ast.walk(one)}
    places: list[tuple[ast.AST, str, int | None]] = [
        (parent, field, index)
        for parent in ast.walk(tree)
        for field, value in ast.iter_fields(parent)
        for index, part in (enumerate(value) if isinstance(value, list) else [(None, value)])
        if isinstance(part, ast.expr) and id(part) not in left_out
    ]
    for parent, field, index in places:
        value = getattr(parent, field)
        node = value[index] if index is not None else value
        found = [*variants(node), *more(node)]
        if field == "test" and isinstance(parent, (ast.If, ast.IfExp)):
            found += [("condition is turned round", ast.UnaryOp(ast.Not(), node))]
        for name, other in found:
            if index is None:
                setattr(parent, field, other)
            else:
                value[index] = other
            yield f"line {node.lineno}: {name}: {ast.unparse(node)}", ast.fix_missing_locations(tree)
            if index is None:
                setattr(parent, field, node)
            else:
                value[index] = node
