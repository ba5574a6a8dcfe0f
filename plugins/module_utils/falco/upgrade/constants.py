# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields that are the same for every event in a version of Falco, and what that makes of a condition.

Since enter events are gone every system call is seen once, when it has ended: `evt.dir` is `<`, and there is nothing
to measure a latency from.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase

from ..catalogue.catalogue import Catalogue
from ..catalogue.language import Language
from ..condition.logic import Resolve, joined_truth
from ..condition.nodes import And, Compare, Exists, Field, Node, Not, Or, Value, ValueList

DIRECTION = "evt.dir"
_LATENCIES = (
    "evt.latency",
    "evt.latency.s",
    "evt.latency.ns",
    "evt.latency.quantized",
    "evt.wait_latency",
)


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda value, other: value == other,
    "==": lambda value, other: value == other,
    "!=": lambda value, other: value != other,
    "startswith": lambda value, other: value.startswith(other),
    "endswith": lambda value, other: value.endswith(other),
    "contains": lambda value, other: other in value,
    "glob": fnmatchcase,
}
_ORDERS: dict[str, Callable[[int, int], bool]] = {
    "=": lambda value, other: value == other,
    "==": lambda value, other: value == other,
    "!=": lambda value, other: value != other,
    "<": lambda value, other: value < other,
    "<=": lambda value, other: value <= other,
    ">": lambda value, other: value > other,
    ">=": lambda value, other: value >= other,
}


def constant(name: str, language: Language) -> str | None:
    """What a field is for every system call in a version; None when it depends."""
    if name == DIRECTION and not language.enter_events:
        return "<"
    if not language.latency:
        if name in _LATENCIES:
            return "0"
        if name == "evt.latency.human":
            return "0ns"
    return None


def settled(node: Node, known: Catalogue) -> bool | None:
    """Whether one check of a condition is true or false for every system call in a version; None when it depends.

    Args:
        node: a comparison or `exists`; anything else depends.
        known: the version.
    """
    if not isinstance(node, (Compare, Exists)) or not isinstance(node.left, Field) or node.left.arg is not None:
        return None
    name = node.left.name
    if isinstance(node, Exists):
        return None if constant(name, known.language) is None else True
    if isinstance(node.right, ValueList):
        values = node.right.values
    elif isinstance(node.right, Value):
        values = (node.right.text,)
    else:
        return None
    if name == "evt.type" and node.operator in ("=", "==", "in") and values:
        return False if all(value in known.obsolete_events for value in values) else None
    value = constant(name, known.language)
    if value is None:
        return None
    if node.operator in ("in", "intersects"):
        return value in values
    if value == "0":
        test = _ORDERS.get(node.operator)
        return test(0, int(values[0])) if test and values[0].isdigit() else None
    return _TESTS[node.operator](value, values[0]) if node.operator in _TESTS else None


def truth(node: Node, known: Catalogue, resolve: Resolve, macros: dict[str, bool | None]) -> bool | None:
    """Whether a condition is true or false for every system call in a version; None when it depends.

    Args:
        node: the condition.
        known: the version.
        resolve: gives a macro's tree by name; None when it is unknown.
        macros: what was found of macros so far, by name; each is looked at once.
    """
    return joined_truth(node, resolve, lambda check: settled(check, known), lambda _joined: None, macros)


def without_direction(node: Node) -> Node | None:
    """A condition without its checks of `evt.dir`; None when nothing else was in it.

    A check for enter events goes like one for exit events: the exit event carries what the enter event carried.
    """
    if isinstance(node, Not):
        inner = without_direction(node.operand)
        return node if inner is node.operand else None if inner is None else Not(inner)
    if isinstance(node, (And, Or)):
        parts = [without_direction(part) for part in node.operands]
        left = tuple(part for part in parts if part is not None)
        if len(left) == len(parts) and all(one is other for one, other in zip(left, node.operands)):
            return node
        if not left:
            return None
        return left[0] if len(left) == 1 else type(node)(left)
    if isinstance(node, (Compare, Exists)) and isinstance(node.left, Field) and node.left.name == DIRECTION:
        return None
    return node
