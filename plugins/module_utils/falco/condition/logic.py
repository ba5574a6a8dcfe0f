# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be told of a condition without events: that it never or always holds, and what it implies.

Everything here errs on the side of not knowing. A field that is missing makes every comparison false in Falco,
`!=` included, so `a = 1 or a != 1` does not always hold, while `x or not x` does.
`evt.num` checks such as `evt.num = 0` and empty lists are the rulesets' own way to leave a place for settings,
and count as unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple, Optional

from ..catalogue.fields import FieldTable
from ..errors import CheckError
from .nodes import And, Compare, Exists, Field, Macro, Node, Not, Or, Value, ValueList

Resolve = Callable[[str], Optional[Node]]
"""Gives a macro's tree by name; None when it is unknown."""

MAX_PARTS = 500


class Allowed(NamedTuple):
    """The only values a field can have where a condition holds."""

    left: Node
    values: frozenset[str]


def conjuncts(node: Node, resolve: Resolve) -> list[Node]:
    """Split a condition into the parts that must all hold, looking into macros.

    Of a condition with more than `MAX_PARTS` of them the rest is left whole.
    """
    parts: list[Node] = []
    stack = [node]
    while stack:
        current = stack.pop()
        if len(parts) + len(stack) < MAX_PARTS:
            if isinstance(current, And):
                stack.extend(reversed(current.operands))
                continue
            if isinstance(current, Macro):
                inner = resolve(current.name)
                if inner is not None:
                    stack.append(inner)
                    continue
            elif isinstance(current, Not):
                if isinstance(current.operand, Or):
                    stack.extend(Not(operand) for operand in reversed(current.operand.operands))
                    continue
                if isinstance(current.operand, Not):
                    stack.append(current.operand.operand)
                    continue
        parts.append(current)
    return parts


def allowed_values(node: Node, table: FieldTable) -> Allowed | None:
    """The values that a check leaves to its field, when it is an equality with constants on a text field."""
    if not isinstance(node, Compare) or not isinstance(node.left, Field):
        return None
    if node.operator in ("=", "==") and isinstance(node.right, Value):
        values = frozenset((node.right.text,))
    elif node.operator in ("in", "= anyof", "== anyof") and isinstance(node.right, ValueList):
        values = frozenset(node.right.values)
    else:
        return None
    try:
        info = table.find(node.left.text)
    except CheckError:
        return None
    if info is None or info.is_list or info.type not in ("charbuf", "fspath", "fsrelpath", "bool"):
        return None
    return Allowed(node.left, values)


def truth(node: Node, table: FieldTable, resolve: Resolve, known: dict[str, bool | None] | None = None) -> bool | None:
    """Whether a condition always (True) or never (False) holds; None when it depends or cannot be told.

    Args:
        known: what was found of macros so far, by name; each is looked at once.
    """

    def undecided(part: And | Or) -> bool | None:
        if isinstance(part, And):
            return False if contradiction(conjuncts(part, resolve), table) else None
        return True if _tautology(part.operands) else None

    return joined_truth(node, resolve, lambda _check: None, undecided, {} if known is None else known)


def joined_truth(
    node: Node,
    resolve: Resolve,
    check: Callable[[Node], bool | None],
    undecided: Callable[[And | Or], bool | None],
    known: dict[str, bool | None],
) -> bool | None:
    """Whether a condition always (True) or never (False) holds, by what its checks do; None when it depends.

    Args:
        node: the condition.
        resolve: gives a macro's tree by name; None when it is unknown.
        check: the same of one check.
        undecided: the same of a conjunction or disjunction that its parts, each by itself, do not decide.
        known: what was found of macros so far, by name; each is looked at once.
    """
    if isinstance(node, Not):
        inner = joined_truth(node.operand, resolve, check, undecided, known)
        return None if inner is None else not inner
    if isinstance(node, Macro):
        if node.name not in known:
            known[node.name] = None  # for a macro within itself, which Falco refuses anyway
            body = resolve(node.name)
            known[node.name] = None if body is None else joined_truth(body, resolve, check, undecided, known)
        return known[node.name]
    if not isinstance(node, (And, Or)):
        return check(node)
    decides = isinstance(node, Or)
    values = [joined_truth(part, resolve, check, undecided, known) for part in node.operands]
    if decides in values:
        return decides
    return undecided(node) if None in values else not decides


def contradiction(parts: Iterable[Node], table: FieldTable) -> tuple[Node, Node] | None:
    """Two parts of a conjunction that exclude each other, or None."""
    positive: dict[Node, Node] = {}
    allowed: dict[Node, tuple[frozenset[str], Node]] = {}
    negative: list[Not] = []
    for part in parts:
        if isinstance(part, Not):
            negative.append(part)
            continue
        positive[part] = part
        values = allowed_values(part, table)
        if values is None:
            continue
        earlier = allowed.get(values.left)
        rest = values.values & earlier[0] if earlier else values.values
        if earlier and not rest:
            return earlier[1], part
        allowed[values.left] = (rest, part)
    for part in negative:
        inner = part.operand
        if inner in positive:
            return positive[inner], part
        values = allowed_values(inner, table)
        if values is not None and values.left in allowed and allowed[values.left][0] <= values.values:
            return allowed[values.left][1], part
    return None


def _tautology(parts: Iterable[Node]) -> bool:
    seen = set(parts)
    return any(isinstance(part, Not) and part.operand in seen for part in seen)


class Facts:
    """What is known where a conjunction holds."""

    def __init__(self, parts: Iterable[Node], table: FieldTable) -> None:
        self.table = table
        self.parts = set(parts)
        self.allowed: dict[Node, frozenset[str]] = {}
        for part in self.parts:
            values = allowed_values(part, table)
            if values is not None:
                earlier = self.allowed.get(values.left)
                self.allowed[values.left] = values.values & earlier if earlier is not None else values.values

    def imply(self, node: Node) -> bool:
        """Whether a condition holds wherever the facts do."""
        if node in self.parts:
            return True
        if isinstance(node, And):
            return all(self.imply(part) for part in node.operands)
        if isinstance(node, Or):
            return any(self.imply(part) for part in node.operands)
        if isinstance(node, Exists):
            return bool(self.allowed.get(node.left))
        if not isinstance(node, Compare):
            return False
        values = self.allowed.get(node.left)
        if not values:
            return False
        if isinstance(node.right, Value):
            wanted: tuple[str, ...] = (node.right.text,)
        elif isinstance(node.right, ValueList):
            wanted = node.right.values
        else:
            return False
        operator = node.operator.split(" ", 1)[0]
        if operator in ("in", "intersects"):
            return values <= frozenset(wanted)
        test = _TESTS.get(operator)
        if test is None or " oneof" in node.operator or not wanted:
            return False
        if " allof" in node.operator:
            return all(test(value, other) for value in values for other in wanted)
        return all(any(test(value, other) for other in wanted) for value in values)


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda value, other: value == other,
    "==": lambda value, other: value == other,
    "!=": lambda value, other: value != other,
    "startswith": lambda value, other: value.startswith(other),
    "endswith": lambda value, other: value.endswith(other),
    "contains": lambda value, other: other in value,
    "icontains": lambda value, other: other.lower() in value.lower(),
    "glob": lambda value, other: "[" not in other and fnmatchcase(value, other),
    "pmatch": lambda value, other: value == other or value.startswith(other.rstrip("/") + "/"),
}


def matches_anything(node: Node) -> bool:
    """Whether a check holds for every value its field can have."""
    if not isinstance(node, Compare) or not isinstance(node.right, Value):
        return False
    text = node.right.text
    if node.operator in ("startswith", "endswith", "contains", "icontains"):
        return not text
    return node.operator in ("glob", "iglob") and text.strip("*") == "" and text != ""
