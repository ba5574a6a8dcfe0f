# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""Sides of comparisons, compiled: what yields the value of a field, a transformer or a constant on an event.

Falco hands texts around as a pointer and a length. A transformed text's length counts its terminating NUL, a plain
one's does not, and some comparisons look at the length: `Operand.terminated` says which it is.
Source: `userspace/libsinsp/sinsp_filtercheck.cpp`, `sinsp_filtercheck_rawstring.cpp`,
`sinsp_filtercheck_multivalue_transformer.cpp` and `sinsp_filter_transformers/` in falcosecurity/libs.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from ..catalogue.fields import FieldTable
from ..condition.checks import operand as checked_operand
from ..condition.nodes import Field, Node, Transformer, TransformerList, Value
from .constants import SIGNED_BITS, STRING_TYPES, UNSIGNED_BITS, address, octets
from .glob import byte_text
from .times import TIME_FIELDS, time_text
from .transform import basename, decode_base64, option_table, scan_options, size_bytes, to_lower, to_upper

Fields = dict[str, Any]
Getter = Callable[[Fields], Any]
HEXADECIMAL = "fd.dev"
"""The one number that Falco records in base 16."""


class Operand(NamedTuple):
    """A side of a comparison.

    Attributes:
        get: its value on an event: text, number, boolean, bytes (addresses, buffers), or a list; None for no value.
        kind: Falco's type in lower case, after transformers.
        is_list: the value is a list.
        terminated: a text's length counts a NUL after it, where it does not end in one.
        clean: no text holds a NUL.
        base: the name of the field before transformers; empty for constants and for what joins several.
        key: the field's text when there are no transformers, else empty.
    """

    get: Getter
    kind: str
    is_list: bool = False
    terminated: bool = False
    clean: bool = True
    base: str = ""
    key: str = ""


def compile_operand(table: FieldTable, node: Node) -> Operand:
    """Compile one side of a comparison, or a token of an output; the loader has accepted it."""
    if isinstance(node, Field):
        return field_operand(table, node.text)
    if isinstance(node, Value):
        text = node.text
        return Operand(lambda fields: text, "charbuf", clean="\0" not in text)
    if isinstance(node, TransformerList):
        return _list_of(table, node.items)
    return _transformed(table, node)  # type: ignore[arg-type]  # the grammar has nothing else here


def field_operand(table: FieldTable, text: str) -> Operand:
    """A field, by its text with the argument."""
    info = table.need(text)
    if info.name == "evt.type.is":
        return Operand(_is_type(text), info.type, base=info.name)
    return Operand(typed_getter(text, info.type, info.is_list), info.type, info.is_list, base=info.name, key=text)


def _is_type(text: str) -> Getter:
    """`evt.type.is.NAME`: 1 or 0."""
    recorded = typed_getter(text, "uint32")
    wanted = text[len("evt.type.is.") :]

    def get(fields: Fields) -> Any:
        value = recorded(fields)
        event_type = fields["evt.type"]
        return value if value is not None or event_type is None else int(event_type == wanted)

    return get


def typed_getter(key: str, kind: str, is_list: bool = False) -> Getter:
    """What reads a recorded field as its type."""
    convert = _time_as_text(key) if key in TIME_FIELDS else from_hexadecimal if key == HEXADECIMAL else converter(kind)
    expected = str if kind in STRING_TYPES else bool if kind == "bool" else int
    if is_list:

        def get_list(fields: Fields) -> Any:
            values = fields[key]
            if values is None:
                return None
            if values.__class__ is not list:
                values = [values]
            return [convert(value) for value in values] or None

        return get_list
    if kind in STRING_TYPES or kind == "bool" or kind in SIGNED_BITS or kind in UNSIGNED_BITS or kind == "port":

        def get(fields: Fields) -> Any:
            value = fields[key]
            return value if value is None or value.__class__ is expected else convert(value)

        return get

    def get_converted(fields: Fields) -> Any:
        value = fields[key]
        return None if value is None else convert(value)

    return get_converted


def converter(kind: str) -> Callable[[Any], Any]:
    """What makes a recorded value, which is JSON's, one of a type; None where it is none."""
    if kind in STRING_TYPES:
        return as_text
    if kind == "bool":
        return _as_bool
    if kind in ("ipaddr", "ipv4addr", "ipv6addr"):
        return lambda value: address(value) if isinstance(value, str) else None
    if kind == "bytebuf":
        return lambda value: octets(value) if isinstance(value, str) else None
    if kind == "double":
        return _as_float
    if kind in SIGNED_BITS or kind in UNSIGNED_BITS or kind == "port":
        return _as_int
    return lambda value: value


def as_text(value: Any) -> str | None:
    """A recorded value as Falco prints it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None or isinstance(value, (list, dict)) else str(value)


def _time_as_text(field: str) -> Callable[[Any], Any]:
    return lambda value: time_text(value, field) if value.__class__ is int else as_text(value)


def _as_bool(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value)
    return bool(value) if isinstance(value, (bool, int)) else None


def _as_int(value: Any) -> int | None:
    if isinstance(value, (bool, int, float)):
        return int(value)
    if isinstance(value, str):
        digits = value[1:] if value.startswith(("-", "+")) else value
        return int(value) if digits.isascii() and digits.isdigit() else None
    return None


def from_hexadecimal(value: Any) -> int | None:
    """A number of 32 bits that Falco prints in base 16."""
    if not isinstance(value, str):
        return _as_int(value)
    try:
        number = int(value, 16)
    except ValueError:
        return None
    return number - (1 << 32) if number >> 31 == 1 else number


def _as_float(value: Any) -> float | None:
    try:
        return None if isinstance(value, (list, dict)) else float(value)
    except ValueError:
        return None


def cut(text: str) -> str:
    """A text as C sees it: up to its first NUL."""
    end = text.find("\0")
    return text if end < 0 else text[:end]


def measured(text: str, terminated: bool) -> str:
    """A text with the NUL that its length counts."""
    return text + "\0" if terminated and not text.endswith("\0") else text


def texts(value: bytes) -> str:
    """Bytes as text."""
    return value.decode("utf-8", "surrogateescape")


def _transformed(table: FieldTable, node: Transformer) -> Operand:
    if node.name in ("join", "concat", "getopt") and len(node.args) > 1:
        return _combined(table, node)
    inner = compile_operand(table, node.args[0])
    if node.name == "val":
        return inner
    if node.name == "len":
        return _length(inner, is_list=checked_operand(table, node.args[0]).base.is_list)
    if node.name == "b64":
        return _decoded(inner)
    change = {"tolower": to_lower, "toupper": to_upper, "basename": basename}[node.name]
    if not inner.clean:
        plain = change

        def change(text: str) -> str:
            return plain(text.rstrip("\0"))

    get = inner.get
    if inner.is_list:

        def get_list(fields: Fields) -> Any:
            values = get(fields)
            return None if values is None else [None if value is None else change(value) for value in values]

        return inner._replace(get=get_list, terminated=True, key="")

    def get_one(fields: Fields) -> Any:
        value = get(fields)
        return None if value is None else change(value)

    return inner._replace(get=get_one, terminated=True, key="")


def _decoded(inner: Operand) -> Operand:
    """`b64`; one text that is not base64 leaves no value at all."""
    get, binary = inner.get, inner.kind == "bytebuf"

    def decode(value: Any) -> Any:
        text = texts(value) if binary else value
        decoded = decode_base64(text.rstrip("\0"))
        if decoded is None or not binary:
            return decoded if decoded is None else texts(decoded)
        return decoded if decoded.endswith(b"\0") else decoded + b"\0"

    if inner.is_list:

        def get_list(fields: Fields) -> Any:
            values = get(fields)
            if values is None:
                return None
            decoded = [decode(value) for value in values]
            return None if None in decoded else decoded

        return inner._replace(get=get_list, terminated=True, clean=False, key="")

    def get_one(fields: Fields) -> Any:
        value = get(fields)
        return None if value is None else decode(value)

    return inner._replace(get=get_one, terminated=True, clean=False, key="")


def _length(inner: Operand, is_list: bool) -> Operand:
    """`len`: of a list its items, of a text its bytes up to a NUL.

    Of a list that `getopt` made it is the length of the first item: Falco forgets there that it is a list.
    """
    get, binary = inner.get, inner.kind == "bytebuf"

    def get_count(fields: Fields) -> Any:
        values = get(fields)
        return None if values is None else len(values)

    def get_size(fields: Fields) -> Any:
        value = _first(get(fields))
        if value is None:
            return None
        return len(value) if binary else size_bytes(cut(value))

    return Operand(get_count if is_list else get_size, "uint64", base=inner.base)


def _combined(table: FieldTable, node: Transformer) -> Operand:
    args = [compile_operand(table, arg) for arg in node.args]
    if node.name == "join":
        return _joined(args[0], args[1])
    if node.name == "concat":
        getters = [(arg.get, arg.clean) for arg in args]

        def get(fields: Fields) -> Any:
            parts = []
            for getter, clean in getters:
                value = _first(getter(fields))
                if value is None:
                    return None
                if value.__class__ is not str:  # a number, as its bytes
                    value = pointed_text(value)
                parts.append(value if clean else cut(value))
            return "".join(parts)

        return Operand(get, "charbuf")
    return _getopt(args[0], args[1], node.arg)


def _joined(separator: Operand, items: Operand) -> Operand:
    get_separator, get_items, terminated, clean = separator.get, items.get, separator.terminated, items.clean

    def get(fields: Fields) -> Any:
        between = _first(get_separator(fields))
        values = None if between is None else get_items(fields)
        if values is None:
            return None
        if between.__class__ is not str:
            between = pointed_text(between, whole=True)
        if values.__class__ is not list:
            values = [values]
        if any(value.__class__ is not str for value in values):
            values = [value if value.__class__ is str else pointed_text(value) for value in values]
        return measured(between, terminated).join(values if clean else map(cut, values))

    return Operand(get, "charbuf", clean=separator.clean and not terminated and separator.kind in STRING_TYPES)


def _first(value: Any) -> Any:
    """The first of a list, as where Falco forgets that `getopt` makes one."""
    return (value[0] if value else None) if value.__class__ is list else value


def _getopt(arguments: Operand, optstring: Operand, selected: str | None) -> Operand:
    get_arguments, get_optstring = arguments.get, optstring.get
    ends, option_ends = arguments.terminated, optstring.terminated
    wanted = None if selected is None else byte_text(selected)

    def get(fields: Fields) -> Any:
        letters = get_optstring(fields)
        words = None if letters is None else get_arguments(fields)
        if words is None:
            return None
        if words.__class__ is not list:  # a length, which Falco still takes for the list
            words = [pointed_text(words, whole=True)]
        options = option_table(byte_text(measured(letters, option_ends)))
        found = scan_options([byte_text(measured(word, ends)) for word in words], options, wanted)
        if found is None:
            return None
        found = [texts(item.encode("latin-1")) for item in found]
        return found if wanted is None else found[0]

    return Operand(get, "charbuf", selected is None, clean=arguments.clean and not ends)


def _list_of(table: FieldTable, nodes: tuple[Node, ...]) -> Operand:
    """A list of fields, constants and transformers; one without a value leaves the list without one."""
    members: list[tuple[Getter, bool, bool]] = []
    clean = True
    for node in nodes:
        member = compile_operand(table, node)
        base = checked_operand(table, node).base
        printed = base.type in ("pid", "int64", "uint64")
        clean = clean and member.clean and not member.terminated
        members.append((member.get, member.terminated, printed))

    def get(fields: Fields) -> Any:
        found: list[str] = []
        for getter, terminated, printed in members:
            value = getter(fields)
            if value is None:
                return None
            for item in value if value.__class__ is list else (value,):
                if item.__class__ is str:
                    found.append(measured(item, terminated))
                else:
                    found.append(str(int(item)) if printed else pointed_text(item))
        return found

    return Operand(get, "charbuf", True, clean=clean)


def pointed_text(value: Any, whole: bool = False) -> str:
    """What Falco sees where it takes a value that is no text for one: its bytes in memory.

    Args:
        value: a number, a boolean or bytes.
        whole: the length counts, too, rather than the first NUL ending it.
    """
    if isinstance(value, bytes):
        raw = value
    elif isinstance(value, bool):
        raw = int(value).to_bytes(4, "little")
    elif isinstance(value, float):
        raw = struct.pack("<d", value)
    else:
        raw = (int(value) & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little")
    return texts(raw) if whole else cut(texts(raw))
