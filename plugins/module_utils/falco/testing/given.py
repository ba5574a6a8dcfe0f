# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a case gives: fixtures and further values, merged from left to right into one event.

A mapping whose keys are all fields (they have a dot) is a field map; anything else is an event as it was recorded: a
field map with its source, an audit event, an alert.
"""

from __future__ import annotations

from typing import Any

from ...common.words import nearest
from ..catalogue.fields import FieldTable
from ..errors import CheckError
from ..evaluate.constants import ADDRESS_TYPES, SIGNED_BITS, STRING_TYPES, UNSIGNED_BITS, address
from ..evaluate.operands import HEXADECIMAL
from ..yaml.nodes import MAP, NULL, SCALAR, SEQUENCE, Yaml

MADE_UP = {
    "fd.ip": "fd.cip, fd.sip, fd.lip or fd.rip",
    "fd.net": "fd.cip, fd.sip, fd.lip or fd.rip",
    "fd.cnet": "fd.cip",
    "fd.snet": "fd.sip",
    "fd.lnet": "fd.lip",
    "fd.rnet": "fd.rip",
    "fd.port": "fd.cport, fd.sport, fd.lport or fd.rport",
}
"""Fields that are computed from others, which are to be given instead."""
_NUMBERS = frozenset((*SIGNED_BITS, *UNSIGNED_BITS, "port"))


class GivenError(Exception):
    """A value that cannot be part of an event, with its node and what would be right."""

    def __init__(self, node: Yaml, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.node = node
        self.message = message
        self.hint = hint


def is_field_map(node: Yaml) -> bool:
    """Whether all keys of a mapping are fields."""
    return node.kind == MAP and all(key.kind == SCALAR and "." in key.value for key, _value in node.value)


def fields_of(node: Yaml, table: FieldTable) -> dict[str, Any]:
    """A field map, its values read by their fields' types.

    Raises:
        GivenError: a key is no field, or a value is none of its.
    """
    found: dict[str, Any] = {}
    for key, value in node.value:
        if key.kind != SCALAR:
            raise GivenError(key, "a field's name is a text")
        if key.value in found:
            raise GivenError(key, f"the field {key.value} stands here twice")
        found[key.value] = field_value(key, value, table)
    return found


def field_value(key: Yaml, node: Yaml, table: FieldTable) -> Any:
    """The value of a field, by the field's type.

    Raises:
        GivenError: there is no such field, or it has no such value.
    """
    name = str(key.value)
    try:
        info = table.find(name)
    except CheckError as error:
        raise GivenError(key, f"{name}: {error}") from error
    if info is None:
        close = nearest(name, table.source.names())
        hint = f"did you mean '{close}'?" if close else ""
        raise GivenError(key, f"source {table.source.name} has no field {name}", hint)
    if name in MADE_UP:
        raise GivenError(key, f"{name} is computed and cannot be given", f"give {MADE_UP[name]}")
    if node.kind == NULL:
        return None
    if node.kind == SEQUENCE and info.is_list:
        return [_scalar(name, item, info.type) for item in node.value]
    if node.kind != SCALAR:
        raise GivenError(node, f"{name}: expected one value" if not info.is_list else f"{name}: expected a list")
    value = _scalar(name, node, info.type)
    return [value] if info.is_list else value


def _scalar(name: str, node: Yaml, kind: str) -> Any:
    if node.kind == NULL:
        return None
    if node.kind != SCALAR:
        raise GivenError(node, f"{name}: expected one value")
    text = str(node.value)
    if kind in STRING_TYPES or name == HEXADECIMAL:
        return text
    if kind == "bool":
        if text not in ("true", "false"):
            raise GivenError(node, f"{name} is a boolean, '{text}' is none", "write true or false")
        return text == "true"
    if kind in _NUMBERS or kind == "double":
        return _number(name, node, text, float if kind == "double" else int)
    if kind in ADDRESS_TYPES and address(text) is None:
        raise GivenError(node, f"{name} is an address, '{text}' is none")
    return text


def _number(name: str, node: Yaml, text: str, read: type[int] | type[float]) -> float:
    try:
        return read(text)
    except ValueError:
        raise GivenError(node, f"{name} is a number, '{text}' is none") from None


_WORDS = {"true": True, "false": False}


def plain(node: Yaml) -> Any:
    """A node as JSON has it: plain numbers, true and false are what they look like, quoted ones are texts."""
    if node.kind == NULL:
        return None
    if node.kind == SEQUENCE:
        return [plain(item) for item in node.value]
    if node.kind == MAP:
        return {str(key.value): plain(value) for key, value in node.value}
    text = str(node.value)
    if node.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    for read in (int, float):
        try:
            return read(text) if text[-1:].isdigit() and "_" not in text else text
        except ValueError:
            continue
    return text


def merged(before: Any, after: Any) -> Any:
    """An event with what a later part says otherwise: mappings are merged, everything else is replaced."""
    if isinstance(before, dict) and isinstance(after, dict):
        both = {key: merged(value, after[key]) if key in after else value for key, value in before.items()}
        return {**both, **{key: value for key, value in after.items() if key not in before}}
    return after
