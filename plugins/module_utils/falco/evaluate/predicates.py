# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""Comparisons of one value with constants, or with another value: the inner loop, one small function each.

Source: `userspace/libsinsp/filter_compare.cpp` and `compare_rhs*` of `sinsp_filtercheck.cpp` in falcosecurity/libs.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from .constants import STRING_TYPES, Net, constant, octets
from .glob import glob_matcher
from .paths import PathSet
from .regex import regex_matcher
from .transform import to_lower

Predicate = Callable[[Any], bool]
SET_OPERATORS = ("in", "intersects", "pmatch")
ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def pair_test(op: str, kind: str) -> Callable[[Any, Any], bool]:
    """A comparison of two values of a type: texts up to their first NUL, numbers, addresses, buffers."""
    if op in ("=", "==", "in", "intersects"):
        return (lambda left, right: right.holds(left)) if kind.endswith("net") else operator.eq
    if op == "!=":
        return (lambda left, right: not right.holds(left)) if kind.endswith("net") else operator.ne
    if op in ORDER:
        return _ordered(ORDER[op]) if kind in STRING_TYPES else ORDER[op]
    if op in ("contains", "bcontains"):
        return _by_bytes(operator.contains)
    if op in ("startswith", "bstartswith"):
        return _by_bytes(lambda left, right: bool(left.startswith(right)))
    if op == "endswith":
        return _by_bytes(lambda left, right: bool(left.endswith(right)))
    if op == "icontains":
        return _by_bytes(lambda left, right: right.lower() in left.lower())
    if op in ("glob", "iglob"):
        return lambda left, right: glob_matcher(right, op == "iglob")(left)
    raise ValueError(f"no comparison of two values: {op}")


def _by_bytes(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """A test of a part, which need not be whole characters where it is no UTF-8."""

    def compare(left: Any, right: Any) -> bool:
        if right.__class__ is str and not (right.isascii() and left.isascii()):
            left, right = octets(left), octets(right)
        return test(left, right)

    return compare


def constant_test(comparison: str, kind: str, constants: Sequence[str]) -> Predicate:
    """A comparison with constants, for a left-hand side that is no list.

    Args:
        comparison: the operator, with its modifier as in `startswith anyof`.
        kind: Falco's type of the left-hand side.
        constants: as written.
    """
    op, _blank, modifier = comparison.partition(" ")
    if modifier:
        return modified_test(op, modifier, kind, constants)
    if op in SET_OPERATORS:
        return set_test(op, kind, constants)
    return value_test(op, kind, constants[0])


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    # code points have the order of their UTF-8; bytes that are none, which stand as surrogates, have not
    return lambda left, right: test(octets(left), octets(right))


def value_test(op: str, kind: str, text: str) -> Predicate:
    """A comparison with one constant, without a modifier.

    Args:
        op: the operator.
        kind: Falco's type of the left-hand side.
        text: the constant as written.
    """
    if op == "regex":
        return regex_matcher(text)
    if op in ("glob", "iglob"):
        return _glob(text, op == "iglob")
    if op in ("bcontains", "bstartswith"):
        wanted: Any = bytes.fromhex(text)
    else:
        wanted = constant(text, kind)
    if isinstance(wanted, str) and any("\udc80" <= char <= "\udcff" for char in wanted):
        return _of_bytes(op, octets(wanted))
    return _plain_test(op, wanted)


def _plain_test(op: str, wanted: Any) -> Predicate:
    """A comparison with a value of Python's."""
    if op in ("=", "==", "in", "intersects"):
        return wanted.holds if isinstance(wanted, Net) else lambda value: bool(value == wanted)
    if op == "!=":
        if isinstance(wanted, Net):
            holds = wanted.holds
            return lambda value: not holds(value)
        return lambda value: bool(value != wanted)
    if op in ("contains", "bcontains"):
        return lambda value: wanted in value
    if op in ("startswith", "bstartswith"):
        return lambda value: bool(value.startswith(wanted))
    if op == "endswith":
        return lambda value: bool(value.endswith(wanted))
    if op == "icontains":
        lowered = to_lower(wanted)
        return lambda value: lowered in to_lower(value)
    if op == "<":
        return lambda value: bool(value < wanted)
    if op == "<=":
        return lambda value: bool(value <= wanted)
    if op == ">":
        return lambda value: bool(value > wanted)
    if op == ">=":
        return lambda value: bool(value >= wanted)
    raise ValueError(f"no comparison: {op}")


def _of_bytes(op: str, wanted: bytes) -> Predicate:
    """A constant that is no UTF-8, which may be part of a character."""
    test = pair_test(op, "bytebuf")
    return lambda value: bool(test(octets(value), wanted))


def _glob(pattern: str, fold_case: bool) -> Predicate:
    """Patterns whose only special characters are stars at their ends need no matcher."""
    inner = pattern.strip("*")
    if not fold_case and inner and not set("*?[\\") & set(inner) and not _has_odd_bytes(inner):
        before, after = pattern.startswith("*"), pattern.endswith("*")
        if before and after:
            return lambda value: inner in value
        if before:
            return lambda value: bool(value.endswith(inner))
        if after:
            return lambda value: bool(value.startswith(inner))
        return lambda value: bool(value == inner)
    return glob_matcher(pattern, fold_case)


def _has_odd_bytes(text: str) -> bool:
    return any("\udc80" <= char <= "\udcff" for char in text)


def set_test(op: str, kind: str, values: Sequence[str]) -> Predicate:
    """`in`, `intersects` and `pmatch` with constants, for a left-hand side that is no list."""
    if op == "pmatch":
        return PathSet(values).__contains__
    members: list[Any] = [constant(text, kind) for text in values]
    if kind.endswith("net"):
        return lambda value: any(net.holds(value) for net in members)
    if len(members) == 1:
        only = members[0]
        return lambda value: bool(value == only)
    return frozenset(members).__contains__


def modified_test(op: str, modifier: str, kind: str, values: Sequence[str]) -> Predicate:
    """`oneof`, `anyof` and `allof`.

    Falco answers `= anyof` and `!= allof` by looking the value up in a set, where an address never equals a network.
    Other operators on networks are taken as equality.
    """
    if not values:
        return lambda value: False
    if op in ("=", "==") and modifier == "anyof":
        if kind.endswith("net"):
            return lambda value: False
        return frozenset(constant(text, kind) for text in values).__contains__
    if op == "!=" and modifier == "allof":
        if kind.endswith("net"):
            return lambda value: True
        members = frozenset(constant(text, kind) for text in values)
        return lambda value: value not in members
    tests = [value_test(op, kind, text) for text in values]
    if modifier == "anyof":
        return lambda value: any(test(value) for test in tests)
    if modifier == "allof":
        return lambda value: all(test(value) for test in tests)

    def exactly_one(value: Any) -> bool:
        found = False
        for test in tests:
            if test(value):
                if found:
                    return False
                found = True
        return found

    return exactly_one
