# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single checks of a condition: which field, which operator, which value, and what Falco says of them.

Source: `userspace/libsinsp/filter.cpp`, `filter_compare.cpp`, `sinsp_filtercheck.cpp` and
`sinsp_filtercheck_multivalue_transformer.cpp` in falcosecurity/libs.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ..catalogue.catalogue import FieldInfo
from ..catalogue.fields import FieldTable
from ..errors import Cause, CheckError, EngineAbortError, Reason
from .nodes import Compare, Exists, Field, Node, Transformer, TransformerList, Value, ValueList
from .regex import refusal
from .values import check_value

_NUMERIC_TYPES = frozenset(
    (
        "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "errno", "fd", "pid", "syscallid",
        "sigtype", "reltime", "abstime", "port", "flags8", "flags16", "flags32", "double", "mode", "enumflags8",
        "enumflags16", "enumflags32",
    )
)  # fmt: skip
_STRING_TYPES = frozenset(("charbuf", "fspath", "fsrelpath"))
_NET_TYPES = frozenset(("ipv4addr", "ipv4net", "ipv6addr", "ipv6net", "ipaddr", "ipnet"))

_EQUALITY = frozenset(("=", "==", "!=", "in", "intersects"))
OPERATORS_BY_KIND: dict[str, frozenset[str]] = {
    "numeric": _EQUALITY | {"<", "<=", ">", ">="},
    "bool": _EQUALITY,
    "network": _EQUALITY,
    "string": _EQUALITY
    | {"<", "<=", ">", ">=", "contains", "icontains", "startswith", "endswith", "glob", "iglob", "pmatch", "regex"},
    "buffer": _EQUALITY | {"contains", "startswith", "endswith", "bcontains", "bstartswith"},
    "list": frozenset(("in", "intersects")),
}
"""Operators that Falco allows by kind of field, besides `exists`, which every field has."""

_TRANSFORMABLE: dict[str, frozenset[str]] = {
    "tolower": _STRING_TYPES,
    "toupper": _STRING_TYPES,
    "basename": _STRING_TYPES,
    "b64": frozenset(("charbuf", "bytebuf")),
    "len": _STRING_TYPES | {"bytebuf"},
}
_OTHER_TYPE = Cause(Reason.OPERATOR_OF_OTHER_TYPE)
_INTERNAL = FieldInfo("NA", "charbuf")
_INTERNAL_LIST = FieldInfo("NA", "charbuf", is_list=True)
_GETOPT_LIST = FieldInfo("INTERNAL", "charbuf", is_list=True)


class Operand(NamedTuple):
    """One side of a comparison that is not constant: the field before and after its transformers."""

    base: FieldInfo
    info: FieldInfo


def kind_of(info: FieldInfo) -> str | None:
    """Return the kind of field by which operators are allowed; None when no operator is."""
    if info.is_list:
        return "list"  # no field has a list of a type that Falco cannot compare
    if info.type in _STRING_TYPES:
        return "string"
    if info.type in _NUMERIC_TYPES:
        return "numeric"
    if info.type == "bool":
        return "bool"
    if info.type in _NET_TYPES:
        return "network"
    if info.type == "bytebuf":
        return "buffer"
    return None


def operand(table: FieldTable, node: Node) -> Operand:
    """Resolve a field, a transformer or a transformer's argument.

    Raises:
        CheckError: Falco refuses it.
        EngineAbortError: Falco ends without a report on it.
    """
    if isinstance(node, Field):
        info = table.need(node.text)
        return Operand(info, info)
    if isinstance(node, Value):
        return Operand(_INTERNAL, _INTERNAL)
    if isinstance(node, TransformerList):
        for item in node.items:
            operand(table, item)
        return Operand(_INTERNAL_LIST, _INTERNAL_LIST)
    return _transformed(table, node)  # type: ignore[arg-type]  # the grammar has nothing else here


def _transformed(table: FieldTable, node: Transformer) -> Operand:
    args = [operand(table, child) for child in node.args]
    if node.name == "val":
        if node.arg is not None:
            raise CheckError("filter error: transformer 'val' does not support field arguments")
        return args[0]
    if len(args) > 1:
        return _combined(node, args)
    if node.arg is not None:
        raise CheckError(f"filter error: transformer '{node.name}' does not support field arguments")
    base, info = args[0]
    types = _TRANSFORMABLE.get(node.name)
    if types is None:
        raise CheckError(f"unknown field transfomer '{node.name}'")
    if base.no_transformer:
        raise CheckError(f"field '{base.name}' does not support transformers")
    if node.name == "len" and info.is_list:
        return Operand(base, replace(info, type="uint64", is_list=False))
    if info.type not in types:
        listed = "list " if info.is_list else ""
        raise CheckError(
            f"can't add field transformer: type '{info.type}' is not supported by '{node.name}' transformer "
            f"applied on {listed}field '{base.name}'"
        )
    return Operand(base, replace(info, type="uint64") if node.name == "len" else info)


def _combined(node: Transformer, args: list[Operand]) -> Operand:
    """`join`, `concat` and `getopt`; they look at their arguments' types before any transformer."""
    bases = [arg.base for arg in args]
    if node.name == "join":
        if len(args) != 2:
            raise CheckError("join() requires exactly 2 arguments: separator and list")
        if bases[0].is_list:
            raise CheckError("join() first argument (separator) must be a single value, not a list")
        if not bases[1].is_list:
            raise CheckError("join() second argument must be a list")
    elif node.name == "concat":
        if any(base.type != "charbuf" or base.is_list for base in bases):
            raise CheckError("concat() arguments must be strings")
    elif node.name == "getopt":
        return _getopt(node.arg, bases)
    else:
        raise EngineAbortError("unknown multivalue transformer")
    if node.arg is not None:
        raise CheckError(f"transformer '{node.name}' does not support field arguments")
    return Operand(_INTERNAL, _INTERNAL)


def _getopt(option: str | None, bases: Sequence[FieldInfo]) -> Operand:
    if len(bases) != 2:
        raise CheckError("getopt() requires exactly 2 arguments: args list and optstring")
    if not bases[0].is_list:
        raise CheckError("getopt() first argument must be a list")
    if bases[1].is_list:
        raise CheckError("getopt() second argument (optstring) must be a single value")
    if bases[0].type != "charbuf" or bases[1].type != "charbuf":
        raise CheckError("getopt() arguments must be strings")
    if option is None:
        return Operand(_INTERNAL, _GETOPT_LIST)
    if len(option.encode("utf-8", "surrogateescape")) != 1:
        raise CheckError("getopt() field argument must be a single option character")
    return Operand(_INTERNAL, _INTERNAL)


def check_exists(table: FieldTable, node: Exists) -> None:
    """Check `field exists`: only the field can be wrong."""
    operand(table, node.left)


def check_compare(table: FieldTable, node: Compare, warnings: list[tuple[Node, str]]) -> None:
    """Check a comparison as Falco compiles it, appending its warnings as (node, message).

    Raises:
        CheckError, EngineAbortError: as for `operand`.
    """
    left = operand(table, node.left)
    operator = node.operator.split(" ", 1)[0]
    check_operator(operator, left.info)
    right = node.right
    if isinstance(right, ValueList):
        values: tuple[str, ...] = right.values
    elif isinstance(right, Value):
        values = (right.text,)
    else:
        _check_right(operator, left, operand(table, right))
        return
    for value in values:
        _warn_of_value(table, operator, value, right, warnings)
        check_constant(table, left, operator, value)


def check_operator(operator: str, info: FieldInfo) -> None:
    """Refuse an operator that a kind of field does not have.

    Raises:
        CheckError: with Falco's message.
    """
    kind = kind_of(info)
    if kind is not None and operator in OPERATORS_BY_KIND[kind]:
        return
    shown = "=" if operator == "==" else operator
    if kind == "list":
        raise CheckError(f"filter error: '{shown}' operator not supported list filters", _OTHER_TYPE)
    if kind is None:
        raise CheckError(f"filter error: '{shown}' operator not supported for type '{info.type}'", _OTHER_TYPE)
    words = {"bool": "numeric", "network": "ip address and network"}
    raise CheckError(f"filter error: '{shown}' operator not supported for {words.get(kind, kind)} filters", _OTHER_TYPE)


def check_constant(table: FieldTable, left: Operand, operator: str, value: str) -> None:
    """Check one constant against the left-hand side."""
    info = left.info
    if operator in ("bcontains", "bstartswith"):
        if len(value) % 2 or not set(value) <= set(string.hexdigits):
            raise CheckError("filter error: bcontains and bstartswith operator support hex strings only")
        check_value("x" * (len(value) // 2), info.type)
        return
    check_value(value, info.type)
    if left.base.name == "evt.type":
        # Falco looks the parsed bytes up, so for len(evt.type) nothing matches
        # and the empty name is that of event codes without one
        if info.type != "charbuf" or (value and value not in table.catalogue.event_types):
            raise CheckError(f"unknown event type {value}", Cause(Reason.UNKNOWN_EVENT_TYPE, value))
    elif left.base.name == "evt.around" and operator not in ("=", "=="):
        raise CheckError("evt.around supports only '=' comparison operator")
    if operator == "regex" and table.catalogue.language.invalid_regex_is_refused:
        reason = refusal(value)
        if reason:
            raise CheckError(f"invalid regex pattern: {reason}", Cause(Reason.BAD_REGEX, value))


def _check_right(operator: str, left: Operand, right: Operand) -> None:
    """Check a field on the right-hand side."""
    info, other = left.info, right.info
    if operator in ("pmatch", "regex"):
        raise CheckError(f"operator '{operator.upper()}' doesn't support right-hand side fields")
    if info.type in ("ipnet", "ipv4net", "ipv6net"):
        raise CheckError("field type 'IPNET' doesn't support right-hand side fields")
    if info.no_rhs:
        raise CheckError(f"field '{info.name}' doesn't support right-hand side fields")
    if other.no_rhs:
        raise CheckError(f"field '{other.name}' can't be used as a right-hand side field")
    if left.base is _INTERNAL:
        return  # what joins several values forgets to compare the types
    if info.type != other.type or info.is_list != other.is_list:
        raise CheckError(
            f"field '{info.name}' has type '{_type_name(info)}' while the right-hand side field '{other.name}' "
            f"has incompatible type '{_type_name(other)}'"
        )


def _type_name(info: FieldInfo) -> str:
    return f"{info.type.upper()} (list)" if info.is_list else info.type.upper()


def _warn_of_value(table: FieldTable, operator: str, value: str, node: Node, warnings: list[tuple[Node, str]]) -> None:
    if operator == "regex" and _regex_is_plain(value):
        warnings.append(
            (
                node,
                f"regex check with '{value}' may be optimized with simpler operators such as "
                "'=', 'contains', 'startswith', 'endswith'",
            )
        )
    if "." not in value and "(" not in value:
        return  # neither a field nor a transformer
    bare = "".join(char for char in value if char not in " \t\n\v\f\r")
    try:
        if table.find(bare) is not None:
            warnings.append((node, f"'{value}' may be a valid field misused as a const string value"))
    except CheckError:
        return
    for name in ("val", *table.catalogue.language.transformers):
        if bare.startswith(f"{name}(") and bare.endswith(")"):
            warnings.append((node, f"'{value}' may be a valid field transformer misused as a const string value"))


def _regex_is_plain(value: str) -> bool:
    """Whether Falco's heuristic sees nothing in the expression that needs an expression."""
    size = len(value)
    index = 0
    while index < size:
        char = value[index]
        if (index == 0 and char == "^") or (index == size - 1 and char == "$"):
            index += 1
        elif index in (0, size - 2) and char == "." and value[index + 1 : index + 2] in ("+", "*", "?", "\0"):
            index += 2
        elif char in ".+*?^$()[]{}|\\\0":
            return False
        else:
            index += 1
    return True
