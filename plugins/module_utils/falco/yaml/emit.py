# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules written as YAML, so that Falco's reader gets back exactly what went in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .nodes import NULL, NULL_TEXTS, SCALAR, SEQUENCE, Yaml, YamlError, within_itself

_PLAIN = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_./-]*(?: [A-Za-z0-9_/.(][A-Za-z0-9_./()-]*)*")
_SINGLE = re.compile(r"[\x20-\x26\x28-\x7e]+")
_LITERAL = re.compile(r"[\x21-\x7e][\x20-\x7e]*(?:\n(?:[\x21-\x7e][\x20-\x7e]*)?)*")


def emit_items(items: Sequence[Any]) -> str:
    """Write a list of entries.

    Args:
        items: YAML nodes, or plain mappings of text, lists and mappings.

    Raises:
        YamlError: a node contains itself, by an alias within its own anchor.
    """
    return "".join(_block(item, 0, "- ") for item in items)


def _plain(value: Any) -> Any:
    """A YAML node as plain data; a map as a list of pairs, because keys may repeat."""
    if not isinstance(value, Yaml):
        return value
    endless = within_itself(value)
    if endless is not None:
        line, column = endless.mark.line, endless.mark.column
        where = f"line {line + 1}, column {column + 1}"
        raise YamlError(f"{where}: what is anchored here contains itself, which cannot be written", line, column)
    return _data(value)


def _data(node: Yaml) -> Any:
    if node.kind == NULL:
        return None
    if node.kind == SCALAR:
        return str(node.value)
    if node.kind == SEQUENCE:
        return [_data(item) for item in node.value]
    return _Pairs([(_data(key), _data(item)) for key, item in node.value])


class _Pairs(list):  # type: ignore[type-arg]  # of pairs
    """A map's pairs in order."""


def _pairs(value: Any) -> list[tuple[Any, Any]] | None:
    if isinstance(value, _Pairs):
        return value
    return list(value.items()) if isinstance(value, Mapping) else None


def _block(value: Any, indent: int, lead: str) -> str:
    value = _plain(value)
    pairs = _pairs(value)
    if pairs:
        out = ""
        for key, item in pairs:
            out += f"{' ' * indent}{lead}{_inline(key)}:{_value(item, indent + len(lead))}"
            lead = " " * len(lead)
        return out
    return f"{' ' * indent}{lead}{_inline(value)}\n"


def _value(value: Any, indent: int) -> str:
    value = _plain(value)
    if isinstance(value, str):
        literal = _literal(value, indent + 2)
        return f" {literal}\n" if literal else f" {_inline(value)}\n"
    pairs = _pairs(value)
    if pairs:
        return "\n" + _block(value, indent + 2, "")
    if isinstance(value, list) and any(_pairs(item) for item in value):
        return "\n" + "".join(_block(item, indent + 2, "- ") for item in value)
    return f" {_inline(value)}\n"


def _literal(text: str, indent: int) -> str:
    """A text of several lines as a literal block, where that is exact and no line starts or ends with a blank."""
    body = text[:-1] if text.endswith("\n") else text
    if "\n" not in body or not _LITERAL.fullmatch(body) or " \n" in text or body.endswith((" ", "\n")):
        return ""
    lines = [" " * indent + line if line else "" for line in body.split("\n")]
    return ("|" if text.endswith("\n") else "|-") + "\n" + "\n".join(lines)


def _inline(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value not in NULL_TEXTS:
            return value
        if '"' in value and _SINGLE.fullmatch(value):
            return f"'{value}'"  # Nothing has to be escaped.
        return _quoted(value)
    pairs = _pairs(value)
    if pairs is not None:
        return "{" + ", ".join(f"{_inline(key)}: {_inline(item)}" for key, item in pairs) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_inline(_plain(item)) for item in value) + "]"
    return str(value)


def _quoted(text: str) -> str:
    written = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else _escaped(ord(char)) for char in written)


def _escaped(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:
        code = 0xFFFD  # a byte that was not UTF-8 has no way of being written
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
