# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions from trees back to text, so that parsing the text gives the same tree."""

from __future__ import annotations

from .lexer import bare_argument, escape, number, quoted
from .nodes import (
    And,
    Compare,
    Exists,
    Field,
    Macro,
    Node,
    Not,
    Or,
    Transformer,
    TransformerList,
    Value,
)


def to_text(node: Node) -> str:
    """Write a condition.

    Args:
        node: as `parser.parse` makes it; parentheses are added where the tree needs them and nowhere else.
    """
    if isinstance(node, Or):
        return " or ".join(_within(part, Or) for part in node.operands)
    if isinstance(node, And):
        return " and ".join(_within(part, And) for part in node.operands)
    if isinstance(node, Not):
        # a negation of a negation needs parentheses: Falco's parser folds `not not`
        inner = to_text(node.operand)
        return f"not ({inner})" if isinstance(node.operand, (And, Or, Not)) else f"not {inner}"
    if isinstance(node, Macro):
        return node.name
    if isinstance(node, Exists):
        return f"{_operand(node.left)} exists"
    if isinstance(node, Compare):
        return f"{_operand(node.left)} {node.operator} {_right(node)}"
    return _operand(node)


def _within(node: Node, parent: type[Node]) -> str:
    text = to_text(node)
    grouped = isinstance(node, Or) or (isinstance(node, And) and parent is And)
    return f"({text})" if grouped else text


def _operand(node: Node) -> str:
    if isinstance(node, Field):
        return node.name + _argument(node.arg)
    if isinstance(node, Transformer):
        return f"{node.name}({', '.join(_operand(arg) for arg in node.args)}){_argument(node.arg)}"
    if isinstance(node, TransformerList):
        return f"({', '.join(_operand(item) for item in node.items)})"
    if isinstance(node, Value):
        match = number(node.text)
        return node.text if match and match.end() == len(node.text) else quoted(node.text)
    values = node.values  # type: ignore[attr-defined]  # a ValueList: the grammar has nothing else here
    return f"({', '.join(escape(value) for value in values)})"


def _right(node: Compare) -> str:
    right = node.right
    if isinstance(right, Value):
        if node.operator in ("<", "<=", ">", ">=", "in", "intersects", "pmatch") or " " in node.operator:
            return right.text  # a number, or the name that stands for a list
        if right.text in ("oneof", "anyof", "allof"):
            return quoted(right.text)
        return escape(right.text)
    return _operand(right)


def _argument(arg: str | None) -> str:
    if arg is None:
        return ""
    match = bare_argument(arg)
    return f"[{arg}]" if match and match.end() == len(arg) else f"[{quoted(arg)}]"
