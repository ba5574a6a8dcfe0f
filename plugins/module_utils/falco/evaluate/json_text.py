# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""JSON that remembers how it was written, for plugins that print parts of an event as they stand.

The plugins read events with a parser that keeps numbers and strings as written until someone asks for their value, and
finds the first of equal keys. Source: github.com/valyala/fastjson, which the k8saudit and json plugins use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, Union


class Raw(str):
    """A number as it was written."""

    __slots__ = ()


class Object:
    """An object: its members in order, equal keys included."""

    __slots__ = ("_first", "members")

    def __init__(self, members: Iterable[tuple[str, Json]]) -> None:
        self.members = list(members)
        self._first: dict[str, Json] = {}
        for key, value in self.members:
            self._first.setdefault(key, value)

    def get(self, key: str) -> Json | Missing:
        return self._first.get(key, MISSING)


class Text(str):
    """A string or a key, with the text between its quotes where that is not the string itself."""

    __slots__ = ("written",)
    written: str


class Missing:
    """There is no such value; JSON's null is None."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False


MISSING = Missing()
Json = Union[None, bool, Raw, str, "list[Any]", Object]


_BLANKS = re.compile(r"[ \t\n\r]*")
_HALF = re.compile("[\ud800-\udc7f\udd00-\udfff]")


class _Decoder(json.JSONDecoder):
    def __init__(self) -> None:
        super().__init__(object_pairs_hook=Object, parse_int=Raw, parse_float=Raw, parse_constant=Raw, strict=False)


class _ExactDecoder(_Decoder):
    """Keeps the spelling of strings and keys that hold escapes; slower."""

    def __init__(self) -> None:
        super().__init__()
        self.parse_string = _scan_string
        self.parse_object = _scan_object
        self.scan_once = json.scanner.py_make_scanner(self)  # type: ignore[attr-defined]  # not in the stubs


def _scan_string(text: str, end: int, strict: bool = False) -> tuple[str, int]:
    """Read the string whose quote is before `end`; the offset after it."""
    value: str
    value, after = json.decoder.scanstring(text, end, False)  # type: ignore[attr-defined]  # not in the stubs
    if text.find("\\", end, after) < 0:
        return value, after
    # half of a character outside the BMP stays as it was written
    exact = Text(_HALF.sub(lambda half: f"\\u{ord(half.group()):04x}", value))
    exact.written = text[end : after - 1]
    return exact, after


def _scan_object(opened: tuple[str, int], strict: bool, scan: Callable[[str, int], Any], *_hooks: Any) -> Any:
    """Read the object whose brace is before an offset of a text; the offset after it."""
    text, end = opened
    members: list[tuple[str, Json]] = []
    end = _after_blanks(text, end)
    if text.startswith("}", end):
        return Object(members), end + 1
    while True:
        if not text.startswith('"', end):
            raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, end)
        key, end = _scan_string(text, end + 1)
        end = _after_blanks(text, end)
        if not text.startswith(":", end):
            raise json.JSONDecodeError("Expecting ':' delimiter", text, end)
        try:
            value, end = scan(text, _after_blanks(text, end + 1))
        except StopIteration as error:
            raise json.JSONDecodeError("Expecting value", text, error.value) from None
        members.append((key, value))
        end = _after_blanks(text, end)
        if text.startswith("}", end):
            return Object(members), end + 1
        if not text.startswith(",", end):
            raise json.JSONDecodeError("Expecting ',' delimiter", text, end)
        end = _after_blanks(text, end + 1)


def _after_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


_FAST = _Decoder()


def parse(text: str) -> Json:
    """Read JSON.

    Raises:
        ValueError: it is none.
    """
    parsed: Json = (_ExactDecoder() if "\\" in text else _FAST).decode(text)
    return parsed


def from_value(value: Any) -> Json:
    """The same from plain Python values; how they were written is lost."""
    if isinstance(value, dict):
        return Object((str(key), from_value(inner)) for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return [from_value(inner) for inner in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Raw(json.dumps(value))
    return value if value is None or isinstance(value, (bool, str)) else str(value)


def to_text(value: Json) -> str:
    """Write a value without blanks, each part as it stood."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, Text):
        return f'"{value.written}"'
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{','.join(map(to_text, value))}]"
    if isinstance(value, Object):
        return f"{{{','.join(f'{to_text(key)}:{to_text(inner)}' for key, inner in value.members)}}}"
    return {None: "null", True: "true", False: "false"}[value]


def as_string(value: Json) -> str:
    """A string itself, anything else as it is written."""
    return str(value) if isinstance(value, str) else to_text(value)


def get(value: Json | Missing, *keys: str) -> Json | Missing:
    """Follow keys; a list's keys are its indexes. No key gives the value itself."""
    for key in keys:
        if isinstance(value, Object):
            value = value.get(key)
        elif isinstance(value, list):
            value = value[index] if 0 <= (index := _index(key)) < len(value) else MISSING
        else:
            return MISSING
    return value


def _index(key: str) -> int:
    digits = key[1:] if key.startswith(("+", "-")) else key
    return int(key) if digits.isascii() and digits.isdigit() else -1
