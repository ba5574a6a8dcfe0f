# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions changed one operator or literal at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..catalogue.fields import FieldTable
from ..condition.checks import check_compare
from ..condition.nodes import And, Compare, Exists, Field, Node, Not, Or, Value, ValueList
from ..condition.printer import to_text
from ..errors import FalcoError
from ..evaluate.constants import ADDRESS_TYPES, NET_TYPES, SIGNED_BITS, UNSIGNED_BITS

MAX_SHOWN = 60
_OPPOSITE = {"=": "!=", "==": "!=", "!=": "="}
_BOUNDARY = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_OTHER = {
    "startswith": "contains",
    "endswith": "contains",
    "contains": "startswith",
    "icontains": "contains",
    "iglob": "glob",
}
_MODIFIERS = {"anyof": "allof", "allof": "anyof", "oneof": "anyof"}
_NUMBERS = frozenset((*SIGNED_BITS, *UNSIGNED_BITS, "port"))


class Mutant(NamedTuple):
    """A changed condition.

    Attributes:
        change: what was changed, for people: `proc.tty != 0 → proc.tty = 0`.
        start: offset of the changed part in the text of the condition.
        node: the whole changed condition.
    """

    change: str
    start: int
    node: Node


def mutants(node: Node, table: FieldTable) -> Iterator[Mutant]:
    """Every condition that differs from this one by one operator or literal.

    Macros within are left alone: they are conditions of their own. What Falco would refuse is left out.
    """
    if isinstance(node, (And, Or)):
        other: type[And] | type[Or] = Or if isinstance(node, And) else And
        change = f"{'or' if other is Or else 'and'} in the place of {type(node).__name__.lower()}: {shown_part(node)}"
        yield Mutant(change, node.start, other(node.operands, node.start, node.end))
        for number, operand in enumerate(node.operands):
            for change, start, inner in mutants(operand, table):
                operands = (*node.operands[:number], inner, *node.operands[number + 1 :])
                yield Mutant(change, start, type(node)(operands, node.start, node.end))
    elif isinstance(node, Not):
        yield Mutant(f"without not: {shown_part(node)}", node.start, node.operand)
        for change, start, inner in mutants(node.operand, table):
            yield Mutant(change, start, Not(inner, node.start, node.end))
    elif isinstance(node, Exists):
        yield _changed(node, Not(node, node.start, node.end))
    elif isinstance(node, Compare):
        for other_node, change in _compared(node, table):
            if _accepted(other_node, table):
                yield Mutant(change, node.start, other_node)


def shown_part(node: Node) -> str:
    """A part of a condition for a message, cut where it is long."""
    text = to_text(node)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."


def _changed(before: Node, after: Node) -> Mutant:
    return Mutant(_arrow(before, after), before.start, after)


def _arrow(before: Node, after: Node) -> str:
    return f"{shown_part(before)} → {shown_part(after)}"


def _accepted(node: Node, table: FieldTable) -> bool:
    try:
        inner = node.operand if isinstance(node, Not) else node
        check_compare(table, inner, [])  # type: ignore[arg-type]  # mutants are made of comparisons alone
    except FalcoError:
        return False
    return True


def _compared(node: Compare, table: FieldTable) -> Iterator[tuple[Node, str]]:
    op, blank, modifier = node.operator.partition(" ")

    def with_operator(operator: str) -> Node:
        return Compare(node.left, operator, node.right, node.start, node.end)

    others: list[Node] = []
    if blank:
        others.append(with_operator(f"{op} {_MODIFIERS[modifier]}"))
    elif op in _OPPOSITE:
        others.append(with_operator(_OPPOSITE[op]))
    elif op in _BOUNDARY:
        others += [with_operator(_BOUNDARY[op]), Not(node, node.start, node.end)]
    else:
        others.append(Not(node, node.start, node.end))
        if op in _OTHER:
            others.append(with_operator(_OTHER[op]))
    for other in others:
        yield other, _arrow(node, other)
    kind = _kind(node.left, table)
    if isinstance(node.right, Value) and op not in _BOUNDARY:
        text = _other_value(node.right.text, op, kind)
        if text is not None:
            right = Value(text, node.right.start, node.right.end)
            other = Compare(node.left, node.operator, right, node.start, node.end)
            yield other, _arrow(node, other)
    elif isinstance(node.right, ValueList):
        yield from _fewer(node, node.right, op, kind)


def _fewer(node: Compare, right: ValueList, op: str, kind: str) -> Iterator[tuple[Node, str]]:
    """The list without each of its values; one that is alone becomes another."""
    field = to_text(node.left) if not isinstance(node.left, Field) else node.left.text
    for number, value in enumerate(right.values):
        if len(right.values) > 1:
            values = (*right.values[:number], *right.values[number + 1 :])
            change = f"{field} {node.operator} (…) without {value}"
        else:
            text = _other_value(value, op, kind)
            if text is None:
                continue
            values = (text,)
            change = f"{field} {node.operator} ({value}) → ({text})"
        yield Compare(node.left, node.operator, ValueList(values, right.start, right.end), node.start, node.end), change


def _kind(left: Node, table: FieldTable) -> str:
    if not isinstance(left, Field):
        return "charbuf"
    info = table.find(left.text)
    return info.type if info else "charbuf"


def _other_value(text: str, op: str, kind: str) -> str | None:
    """A value near to this one that is another; None where there is none."""
    if kind == "bool":
        return "false" if text == "true" else "true"
    if kind in _NUMBERS:
        return str(int(text) + 1) if text.strip().lstrip("+-").isdigit() else None
    if kind in ADDRESS_TYPES or kind in NET_TYPES:
        return _other_address(text)
    if kind in ("bytebuf", "double"):
        return None
    return f"x{text}" if op == "endswith" else f"{text}x"


def _other_address(text: str) -> str | None:
    base, slash, mask = text.partition("/")
    if slash:
        bits = 128 if ":" in base else 32
        return f"{base}/{int(mask) + 1}" if mask.isdigit() and int(mask) < bits else None
    if ":" in base:
        return None
    front, _dot, last = base.rpartition(".")
    return f"{front}.{int(last) ^ 1}" if last.isdigit() else None
