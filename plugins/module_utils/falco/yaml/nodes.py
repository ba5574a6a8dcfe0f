# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML as nodes with positions, and the conversions of scalars as yaml-cpp has them."""

from __future__ import annotations

import re
from typing import Any

from ..errors import FalcoError

NULL, SCALAR, SEQUENCE, MAP = 0, 1, 2, 3

MAX_BYTES = 16 * 1024 * 1024
"""The largest file that is read; the largest published ruleset has 0.1 MiB."""
MAX_NODES = 5_000_000
"""How many nodes a file may have once aliases are counted where they are used."""
MAX_DEPTH = 500
"""yaml-cpp's own bound on nesting, exclusive."""


class YamlError(FalcoError):
    """Text that is not YAML to yaml-cpp.

    Attributes:
        line, column: 0-based position, or None where there is none.
        index: offset of that position.
    """

    def __init__(self, message: str, line: int | None = None, column: int | None = None, index: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.index = index


class Mark:
    """A 0-based position: line, column and offset, in characters."""

    __slots__ = ("column", "index", "line")

    def __init__(self, line: int, column: int, index: int) -> None:
        self.line = line
        self.column = column
        self.index = index


class Yaml:
    """One YAML node.

    Attributes:
        kind: NULL, SCALAR, SEQUENCE or MAP.
        value: text, list of nodes, or list of (key, value) node pairs, by kind; None for NULL.
        mark: where it starts.
        style: for scalars the indicator `|`, `>`, `'` or `"`, or empty for plain ones.
    """

    __slots__ = ("kind", "mark", "style", "value")

    def __init__(self, kind: int, value: Any, mark: Any, style: str = "") -> None:
        self.kind = kind
        self.value = value
        self.mark = mark
        self.style = style

    def get(self, key: str) -> Yaml | None:
        """The value of a key in a map: the first one of that name, as yaml-cpp has it. None elsewhere."""
        if self.kind == MAP:
            for name, value in self.value:
                if name.kind == SCALAR and name.value == key:
                    return value  # type: ignore[no-any-return]  # pairs are nodes
        return None


def within_itself(top: Yaml) -> Yaml | None:
    """A node that contains itself, by an alias within its own anchor: what is followed to its end has none.

    Returns:
        The one that is met first, or None.
    """
    around: set[int] = set()
    seen: set[int] = set()
    waiting = [(top, False)]
    while waiting:
        node, left = waiting.pop()
        if left:
            around.discard(id(node))
            seen.add(id(node))
        elif id(node) in around:
            return node
        elif node.kind in (SEQUENCE, MAP) and id(node) not in seen:
            around.add(id(node))
            waiting.append((node, True))
            parts = node.value if node.kind == SEQUENCE else (part for pair in node.value for part in pair)
            waiting += [(part, False) for part in parts]
    return None


NULL_TEXTS = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("y", "yes", "true", "on"))
_FALSE = frozenset(("n", "no", "false", "off"))
_LEADING_INT = re.compile(r"([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)[ \t\n\v\f\r]*")


def to_bool(text: str) -> bool | None:
    """Read a boolean as yaml-cpp does: yes, on, y and their opposites, in lower, upper or title case."""
    if not (text.islower() or text.isupper() or text.istitle()):
        return None
    lower = text.lower()
    return True if lower in _TRUE else False if lower in _FALSE else None


def to_uint32(text: str) -> int | None:
    """Read an unsigned 32-bit number as yaml-cpp does: decimal, 0x hexadecimal, 0 octal, trailing blanks."""
    if text.startswith("-"):
        return None
    match = _LEADING_INT.fullmatch(text)
    if not match:
        return None
    digits = match.group(2)
    number = int(digits, 16) if digits[:2] in ("0x", "0X") else int(digits, 8 if digits[0] == "0" else 10)
    return number if number <= 0xFFFFFFFF else None
