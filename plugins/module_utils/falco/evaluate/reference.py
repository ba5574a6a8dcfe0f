# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""The evaluator as slow and as obvious as can be: a walk over the parsed condition, in Falco's own terms.

Values are what Falco passes around: bytes in memory with a length, numbers in their width, texts without the NUL that
ends them unless a transformer counted it. Nothing is prepared: constants, patterns and types are read at each
comparison. The tests compare `engine` with it, the benchmark measures how much faster `engine` is.
Source: `compare_nocache`, `compare_rhs`, `craft_filter_value` of `userspace/libsinsp/sinsp_filtercheck.cpp`,
`filter_compare.cpp` and `sinsp_filter_transformers/` in falcosecurity/libs.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from typing import Any, Optional

from ..catalogue.catalogue import FieldInfo
from ..catalogue.fields import FieldTable
from ..condition.checks import operand
from ..condition.nodes import (
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
    ValueList,
)
from ..load.compiler import CompiledMacro
from . import regex_syntax as rx
from .constants import ADDRESS_TYPES, SIGNED_BITS, STRING_TYPES, UNSIGNED_BITS, Net, address, constant, octets
from .glob import byte_text, glob_matcher
from .operands import HEXADECIMAL, Fields, as_text, from_hexadecimal
from .paths import PathSet
from .predicates import SET_OPERATORS
from .special import special_test
from .times import TIME_FIELDS, time_text
from .transform import option_table, scan_options

Values = Optional["list[bytes]"]
"""What an extraction yields; None when there is no value."""


def reference_holds(table: FieldTable, macros: dict[str, CompiledMacro], node: Node, fields: Fields) -> bool:
    """Whether a condition holds.

    Args:
        table: the fields of the rule's source.
        macros: what references stand for.
        node: the condition, which the loader has accepted.
        fields: the event's.
    """
    if isinstance(node, And):
        return all(reference_holds(table, macros, part, fields) for part in node.operands)
    if isinstance(node, Or):
        return any(reference_holds(table, macros, part, fields) for part in node.operands)
    if isinstance(node, Not):
        return not reference_holds(table, macros, node.operand, fields)
    if isinstance(node, Macro):
        tree = macros[node.name].parsed.node
        return tree is not None and reference_holds(table, macros, tree, fields)
    return _check_holds(table, node, fields)  # type: ignore[arg-type]  # the grammar has nothing else


def _check_holds(table: FieldTable, node: Compare | Exists, fields: Fields) -> bool:
    special = special_test(table, node)
    if special is not None:
        return special(fields)
    info = operand(table, node.left).info
    left = _extract(table, node.left, fields)
    if left is None:
        return False
    raw_buffer = info.name == "evt.rawarg" and info.type == "bytebuf"
    if raw_buffer and not left[0]:
        return False
    if isinstance(node, Exists):
        return True
    if raw_buffer:
        left = [b""]  # its length is not handed on
    return _compare(table, node, info, left, fields)


# extraction


def _extract(table: FieldTable, node: Node, fields: Fields) -> Values:
    if isinstance(node, Value):
        return [octets(node.text)]
    if isinstance(node, TransformerList):
        return _extract_list(table, node, fields)
    if isinstance(node, Field):
        info = table.need(node.text)
        value = fields[node.text]
        if value is None and info.name == "evt.type.is" and fields["evt.type"] is not None:
            value = int(fields["evt.type"] == node.text.rpartition(".")[2])
        if value is None:
            return None
        if node.text in TIME_FIELDS and isinstance(value, int):
            value = time_text(value, node.text)
        if node.text == HEXADECIMAL:
            value = from_hexadecimal(value)
        items = value if isinstance(value, list) else [value]
        packed = [_pack(item, info.type) for item in items]
        return None if None in packed or not packed else [item for item in packed if item is not None]
    return _extract_transformed(table, node, fields)  # type: ignore[arg-type]  # the grammar has nothing else here


def _extract_transformed(table: FieldTable, node: Transformer, fields: Fields) -> Values:
    if len(node.args) > 1:
        return _extract_combined(table, node, fields)
    values = _extract(table, node.args[0], fields)
    if values is None or node.name == "val":
        return values
    checked = operand(table, node.args[0])
    if node.name == "len":
        return _measure(values, checked.base.is_list, checked.info.type == "bytebuf")
    return _transform_each(node.name, values)


def _pack(value: Any, kind: str) -> bytes | None:
    """A recorded value as Falco has it in memory; None when it is none of the type."""
    if kind in STRING_TYPES:
        text = as_text(value)
        return None if text is None else octets(text)
    if kind == "bytebuf":
        return octets(value) if isinstance(value, str) else None
    if kind in ADDRESS_TYPES:
        return address(value) if isinstance(value, str) else None
    if kind.endswith("net"):
        return None
    if isinstance(value, str):
        if kind == "double":
            try:
                value = float(value)
            except ValueError:
                return None
        elif kind == "bool" and value in ("true", "false"):
            value = value == "true"
        elif value.lstrip("+-").isascii() and value.lstrip("+-").isdigit() and len(value) - len(value.lstrip("+-")) < 2:
            value = int(value)
        else:
            return None
    if not isinstance(value, (bool, int, float)):
        return None
    if kind == "bool":
        return int(bool(value)).to_bytes(4, "little")
    if kind == "double":
        return repr(float(value)).encode()
    return _pack_number(int(value))


def _pack_number(value: int) -> bytes:
    return value.to_bytes(24, "little", signed=True)


def _number(value: bytes) -> int:
    return int.from_bytes(value, "little", signed=len(value) == 24)


def _extract_list(table: FieldTable, node: TransformerList, fields: Fields) -> Values:
    found: list[bytes] = []
    for item in node.items:
        values = _extract(table, item, fields)
        if values is None:
            return None
        base, info = operand(table, item).base, operand(table, item).info
        if base.type in ("pid", "int64", "uint64"):
            found.extend(str(_number(value)).encode() for value in values)
        elif info.type in STRING_TYPES:
            found.extend(values)
        else:
            found.extend(_c_string(_memory(value, info.type)) for value in values)
    return found


def _memory(value: bytes, kind: str = "") -> bytes:
    """A number in eight bytes; anything else is in memory as it is here."""
    if kind == "double":
        return struct.pack("<d", float(value))
    return (_number(value) % (1 << 64)).to_bytes(8, "little") if len(value) == 24 else value


def _extract_combined(table: FieldTable, node: Transformer, fields: Fields) -> Values:
    if node.name == "getopt":
        letters = _extract(table, node.args[1], fields)
        words = None if letters is None else _extract(table, node.args[0], fields)
        if letters is None or words is None:
            return None
        if operand(table, node.args[0]).info.type not in STRING_TYPES:
            words = [_memory(word) for word in words]
        found = scan_options(
            [word.decode("latin-1") for word in words],
            option_table(letters[0].decode("latin-1")),
            None if node.arg is None else byte_text(node.arg),
        )
        return None if found is None else [item.encode("latin-1") for item in found]
    parts: list[list[bytes]] = []
    for arg in node.args:
        values = _extract(table, arg, fields)
        if values is None:
            return None
        kind = operand(table, arg).info.type
        parts.append([_memory(value, kind) for value in values])
    if not all(parts if node.name == "concat" else parts[:1]):
        return None
    if node.name == "concat":
        return [b"".join(_c_string(part[0]) for part in parts)]
    return [parts[0][0].join(_c_string(item) for item in parts[1])]


def _transform_each(name: str, values: list[bytes]) -> Values:
    found: list[bytes] = []
    for value in values:
        text = value.rstrip(b"\0")
        changed = _transform(name, text)
        if changed is None:
            return None
        found.append(changed if changed.endswith(b"\0") else changed + b"\0")
    return found


def _transform(name: str, text: bytes) -> bytes | None:
    if name == "tolower":
        return text.lower()
    if name == "toupper":
        return text.upper()
    if name == "basename":
        return text.split(b"/")[-1]
    body = text[:-1] if text.endswith(b"=") else text
    body = body[:-1] if body != text and body.endswith(b"=") else body
    if not text:
        return b""
    try:
        decoded = base64.b64decode(body + b"=" * (-len(body) % 4), validate=True)
    except ValueError:
        return None
    return decoded if body and base64.b64encode(decoded).rstrip(b"=") == body else None


def _measure(values: list[bytes], is_list: bool, binary: bool) -> Values:
    if is_list:
        return [_pack_number(len(values))]
    if not values:
        return None
    return [_pack_number(len(values[0] if binary else _c_string(values[0])))]


def _c_string(value: bytes) -> bytes:
    return value.split(b"\0")[0]


# comparison


def _compare(table: FieldTable, node: Compare, info: FieldInfo, left: list[bytes], fields: Fields) -> bool:
    op, _blank, modifier = node.operator.partition(" ")
    right = node.right
    if isinstance(right, (Value, ValueList)):
        texts: Sequence[str] = right.values if isinstance(right, ValueList) else (right.text,)
        constants = [_constant(op, text, info.type) for text in texts]
    else:
        if operand(table, node.left).base.name == "NA":  # join, concat and getopt forget the right-hand side
            return info.is_list and op == "in" and not left
        extracted = _extract(table, right, fields)
        if extracted is None:
            return False
        texts, constants = (), list(extracted)
    if info.is_list:
        return _compare_list(op, left, constants)
    value = left[0]
    if not modifier or info.name == "evt.rawarg":
        return _compare_one(op, info.type, value, constants, info)
    if not constants:
        return False
    return _compare_with_modifier(op, modifier, info.type, value, constants)


def _constant(op: str, text: str, kind: str) -> Any:
    if op in ("bcontains", "bstartswith"):
        return bytes.fromhex(text)
    value = constant(text, kind)
    if isinstance(value, str):
        return octets(value)
    if isinstance(value, (Net, bytes)):
        return value
    if kind == "bool":
        return int(value).to_bytes(4, "little")
    return repr(value).encode() if kind == "double" else _pack_number(int(value))


def _compare_list(op: str, left: list[bytes], constants: list[Any]) -> bool:
    found = [any(_same(value, each) for each in constants) for value in left]
    return all(found) if op == "in" else any(found)


def _same(value: bytes, other: Any) -> bool:
    return other.holds(value) if isinstance(other, Net) else bool(value == other)


def _crafted(kind: str, value: bytes) -> bytes:
    return value.rstrip(b"\0") if kind in STRING_TYPES else value


def _compare_one(op: str, kind: str, value: bytes, constants: list[Any], info: FieldInfo) -> bool:
    if not constants or (info.name == "evt.rawarg" and op in SET_OPERATORS and kind not in (*STRING_TYPES, "bytebuf")):
        return False
    if op in ("in", "intersects"):
        return any(_same(_crafted(kind, value), each) for each in constants)
    if op == "pmatch":
        return _is_below(_crafted(kind, value), constants)
    if op == "regex":
        return _regex(constants[0], _crafted(kind, value))
    return _compare_pair(op, kind, value, constants[0])


def _compare_with_modifier(op: str, modifier: str, kind: str, value: bytes, constants: list[Any]) -> bool:
    value = _crafted(kind, value)
    if op in ("=", "==") and modifier == "anyof":
        return any(value == each for each in constants)
    if op == "!=" and modifier == "allof":
        return all(value != each for each in constants)
    if op == "regex":
        found = [_regex(each, value) for each in constants]
    else:
        found = [_compare_pair(op, kind, value, each) for each in constants]
    return {"oneof": sum(found) == 1, "anyof": any(found), "allof": all(found)}[modifier]


def _compare_pair(op: str, kind: str, left: bytes, right: Any) -> bool:
    if isinstance(right, Net):
        return right.holds(left) != (op == "!=")
    if kind == "double":
        return _ordered(op, float(left), float(right))
    if kind in SIGNED_BITS or kind in UNSIGNED_BITS or kind == "port":
        return _ordered(op, _number(left), _number(right))
    if kind in STRING_TYPES:
        left, right = _c_string(left), _c_string(right)
    if op == "icontains":
        return right.lower() in left.lower()
    if op in ("contains", "bcontains"):
        return right in left
    if op in ("startswith", "bstartswith"):
        return left.startswith(right)
    if op == "endswith":
        return left.endswith(right)
    if op in ("glob", "iglob"):
        return glob_matcher(_text(right), op == "iglob")(_text(left))
    return _ordered(op, left, right)


def _ordered(op: str, left: Any, right: Any) -> bool:
    return bool(
        {
            "=": left == right,
            "==": left == right,
            "in": left == right,
            "intersects": left == right,
            "!=": left != right,
            "<": left < right,
            "<=": left <= right,
            ">": left > right,
            ">=": left >= right,
        }[op]
    )


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _is_below(path: bytes, prefixes: list[bytes]) -> bool:
    if any(set(b"?*[") & set(prefix) for prefix in prefixes):
        return _text(path) in PathSet(map(_text, prefixes))
    parts = [part for part in path.split(b"/") if part]
    for prefix in prefixes:
        wanted = [part for part in prefix.split(b"/") if part]
        if parts[: len(wanted)] == wanted:
            return True
    return False


def _regex(pattern: bytes, value: bytes) -> bool:
    text = value.decode("utf-8", "replace")
    return len(text) in _ends(rx.parse_regex(_text(pattern)), text, {0})


def _ends(expression: rx.Expression, text: str, starts: set[int]) -> set[int]:
    """Where a match can end that starts at one of some places."""
    if isinstance(expression, rx.Characters):
        return {
            at + 1
            for at in starts
            if at < len(text) and any(low <= ord(text[at]) <= high for low, high in expression.ranges)
        }
    if isinstance(expression, rx.Assertion):
        if expression.kind == rx.BEGIN:
            return {at for at in starts if at == 0 or text[at - 1] == "\n"}
        return {at for at in starts if at == len(text) or text[at] == "\n"}
    if isinstance(expression, rx.Sequence):
        for part in expression.parts:
            starts = _ends(part, text, starts)
        return starts
    if isinstance(expression, rx.Alternation):
        return set().union(*(_ends(part, text, starts) for part in expression.parts))
    for _time in range(expression.low):
        starts = _ends(expression.inner, text, starts)
    found = set(starts)
    for _time in range(len(text) + 1 if expression.high is None else expression.high - expression.low):
        starts = _ends(expression.inner, text, starts) - found
        found |= starts
        if not starts:
            break
    return found
