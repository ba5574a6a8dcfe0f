# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""One comparison, compiled: a function of an event's fields that says whether it holds.

A side without a value makes every comparison false, `!=` among them.
Source: `sinsp_filter_check::compare_nocache` and `compare_rhs*` in `userspace/libsinsp/sinsp_filtercheck.cpp` of
falcosecurity/libs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..catalogue.fields import FieldTable
from ..condition.nodes import Compare, Exists, Field, Node, Value, ValueList
from .constants import STRING_TYPES, constant
from .operands import Fields, Operand, compile_operand, cut, measured
from .predicates import SET_OPERATORS, Predicate, constant_test, pair_test, set_test, value_test
from .special import special_test

Test = Callable[[Fields], bool]
RAW_ARGUMENT = "evt.rawarg"


def compile_check(table: FieldTable, node: Exists | Compare) -> Test:
    """Compile a comparison that the loader has accepted."""
    if isinstance(node.left, Field):
        special = special_test(table, node)
        if special is not None:
            return special
    left = compile_operand(table, node.left)
    if isinstance(node, Exists):
        return _exists(left)
    op, _blank, modifier = node.operator.partition(" ")
    if left.base == RAW_ARGUMENT:
        return _of_raw_argument(left, op, constants_of(node.right) or ())
    constants = constants_of(node.right)
    if constants is None:
        return _with_field(left, op, compile_operand(table, node.right))
    if left.is_list:
        return _list_with_constants(left, op, constants)
    predicate = constant_test(node.operator, left.kind, constants)
    if not left.clean and left.kind in STRING_TYPES:
        predicate = _of_text_with_nul(predicate, op, modifier)
    return _holds(left, predicate)


def constants_of(right: Node) -> tuple[str, ...] | None:
    """The constants on the right-hand side; None when there is a field."""
    if isinstance(right, ValueList):
        return right.values
    return (right.text,) if isinstance(right, Value) else None


def never(fields: Fields) -> bool:
    """A comparison that holds on no event."""
    return False


def _exists(left: Operand) -> Test:
    if left.base == RAW_ARGUMENT and left.kind == "bytebuf":
        return lambda fields: bool(left.get(fields))
    get = left.get
    return lambda fields: get(fields) is not None


def _of_raw_argument(left: Operand, op: str, constants: tuple[str, ...]) -> Test:
    """A raw argument, which Falco compares without its length and without the operator's modifier.

    So it is compared with the first constant alone; only texts, which end by themselves, are found in a set; and a
    buffer is taken as empty. A buffer without a byte has no value.
    """
    if not constants or (op in SET_OPERATORS and left.kind not in (*STRING_TYPES, "bytebuf")):
        return never
    in_set = op in SET_OPERATORS
    predicate = set_test(op, left.kind, constants) if in_set else value_test(op, left.kind, constants[0])
    if left.kind == "bytebuf":
        if not predicate(b""):
            return never
        return lambda fields: bool(left.get(fields))
    return _holds(left, predicate)


def by_length(op: str, modifier: str) -> bool:
    """Whether Falco compares texts by their length rather than up to a NUL; NULs at the end do not count then."""
    if op in ("in", "intersects", "pmatch", "regex"):
        return True
    return (op in ("=", "==") and modifier == "anyof") or (op == "!=" and modifier == "allof")


def _of_text_with_nul(predicate: Predicate, op: str, modifier: str) -> Predicate:
    if by_length(op, modifier):
        return lambda value: predicate(value.rstrip("\0"))
    return lambda value: predicate(cut(value))


def _holds(left: Operand, predicate: Predicate) -> Test:
    key, get = left.key, left.get
    if key and left.kind in STRING_TYPES:

        def test_text(fields: Fields) -> bool:
            value = fields[key]
            if value.__class__ is not str:
                value = get(fields)
                if value is None:
                    return False
            return predicate(value)

        return test_text

    def test(fields: Fields) -> bool:
        value = get(fields)
        return value is not None and predicate(value)

    return test


def _list_with_constants(left: Operand, op: str, constants: tuple[str, ...]) -> Test:
    get, kind = left.get, left.kind
    if left.terminated:
        # the terminator counts, and no constant has one; an empty list of constants holds nothing either
        return _of_measured(left, op, () if left.clean else constants)
    if kind.endswith("net"):
        holds = set_test("in", kind, constants)
    else:
        holds = frozenset(constant(text, kind) for text in constants).__contains__
    every = op == "in"

    def test(fields: Fields) -> bool:
        values = get(fields)
        if values is None:
            return False
        return all(map(holds, values)) if every else any(map(holds, values))

    return test


def _of_measured(left: Operand, op: str, constants: tuple[str, ...]) -> Test:
    get, members, every = left.get, frozenset(constants), op == "in"

    def test(fields: Fields) -> bool:
        values = get(fields)
        if values is None:
            return False
        found = (measured(value, True) in members for value in values)
        return all(found) if every else any(found)

    return test


def _with_field(left: Operand, op: str, right: Operand) -> Test:
    """A comparison with another field, whose type is the same."""
    get_left, get_right = left.get, right.get
    if not left.base:
        return _with_nothing(left, op)
    if left.is_list:
        every = op == "in"

        def test_lists(fields: Fields) -> bool:
            values = get_left(fields)
            others = None if values is None else get_right(fields)
            if others is None:
                return False
            members = [_measured(other, right) for other in others]
            found = (_measured(value, left) in members for value in values)
            return all(found) if every else any(found)

        return test_lists
    compare = pair_test(op, left.kind)
    clean = left.clean and right.clean
    texts = left.kind in STRING_TYPES
    if texts and op in ("in", "intersects"):

        def test_in(fields: Fields) -> bool:
            value = get_left(fields)
            other = None if value is None else get_right(fields)
            return other is not None and value.rstrip("\0") == measured(other, right.terminated)

        return test_in

    def test(fields: Fields) -> bool:
        value = get_left(fields)
        if value is None:
            return False
        other = get_right(fields)
        if other is None:
            return False
        if texts and not clean:
            value, other = cut(value), cut(other)
        return bool(compare(value, other))

    return test


def _with_nothing(left: Operand, op: str) -> Test:
    """What `join`, `concat` and `getopt` make forgets the field that it is to be compared with.

    Falco compares it with no constants at all, which `in` of an empty list survives and nothing else; other operators
    end Falco.
    """
    get = left.get
    return (lambda fields: get(fields) == []) if left.is_list and op == "in" else never


def _measured(value: Any, operand: Operand) -> Any:
    return measured(value, operand.terminated) if value.__class__ is str else value
