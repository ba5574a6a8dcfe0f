# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an offset in a YAML scalar's value back to line and column of the file that it was read from.

The value and the file's text are walked side by side, by the scalar's style: folding, indentation, quotes and escapes
are what the two differ by. A reader need not note a place for each character, so this costs only where it is asked.
`place_in` goes word by word and tells one place, `places_in` goes character by character and tells all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .nodes import SCALAR, Yaml

_PROPERTIES = re.compile(r"(?:[&!][^ \t\n]*[ \t\n]+)+")
_HEADER = re.compile(r"[|>][^\n]*\n?")
_BLANKS = " \t\r\n"
_WORD = re.compile("[^ \t\r\n]+")
_ODD = re.compile('["\\\\]')
"""What stands as an escape within double quotes, or may."""
_SET = frozenset(_BLANKS)
_BLANK = re.compile("[ \t\r\n]*")
_ESCAPE_LENGTH = {"x": 4, "u": 6, "U": 10}


def place_in(lines: Sequence[str], node: Yaml, offset: int) -> tuple[int, int] | None:
    """Where one character of a scalar's value stands.

    Args:
        lines: of the file.
        node: a scalar with text.
        offset: of the character; the value's length for the place where it ends.

    Returns:
        0-based line and column, the same as `places_in` has; None where it has none.
    """
    found = _by_words(lines, node, offset)
    if found is None:
        places = places_in(lines, node)
        found = places[min(offset, len(places) - 1)] if places else None
    return found


def _by_words(lines: Sequence[str], node: Yaml, offset: int) -> tuple[int, int] | None:
    """The same, where words alone tell it: a character of a word or behind it, and no escape before it."""
    line, column = node.mark.line, node.mark.column
    if node.kind != SCALAR or not 0 <= line < len(lines):
        return None
    style = lines[line][column : column + 1]
    if style in ("|", ">"):
        line, column = line + 1, 0
    elif style in ("'", '"'):
        column += 1
    elif style in ("&", "!"):
        return None
    value = node.value
    for match in _WORD.finditer(value):
        start, end = match.span()
        if start > offset:
            return None
        word = match.group()
        while True:
            if line >= len(lines):
                return None
            found = _WORD.search(lines[line], column)
            if found:
                break
            line, column = line + 1, 0
        column = found.start()
        if (
            not lines[line].startswith(word, column)
            or (style == "'" and "'" in word)
            or (style == '"' and _ODD.search(word))
        ):
            return None
        if offset <= end:
            return line, column + offset - start
        column += end - start
    return None


def places_in(lines: Sequence[str], node: Yaml) -> list[tuple[int, int]] | None:
    """Where each character of a scalar's value stands, and last where the value ends.

    Args:
        lines: of the file.
        node: a scalar with text.

    Returns:
        0-based lines and columns, one more than the value has characters; None where they do not fit the text.
    """
    if node.kind != SCALAR or not 0 <= node.mark.line < len(lines):
        return None
    text = _text(lines, node)
    offsets = _offsets(text, node)
    if offsets is None:
        return None
    places = []
    line, start, passed = node.mark.line, 0, 0
    for offset in offsets:
        newline = text.find("\n", passed, offset)
        while newline >= 0:
            line += 1
            start = newline + 1
            newline = text.find("\n", start, offset)
        passed = max(passed, offset)
        places.append((line, offset - start))
    return places


def _text(lines: Sequence[str], node: Yaml) -> str:
    """The lines that the value may stand in: no more with text in them than it has words, header and quotes apart."""
    words = len(node.value.split()) + 3
    taken = []
    for line in lines[node.mark.line :]:
        taken.append(line)
        words -= bool(line.strip())
        if words <= 0:
            break
    return "\n".join(taken)


def _offsets(text: str, node: Yaml) -> list[int] | None:
    """The offset of each character of the value in the text, and last that behind it."""
    spot = node.mark.column
    match = _PROPERTIES.match(text, spot)
    if match:
        spot = match.end()
    # not every reader notes the style; none of these can start a plain scalar
    style = text[spot : spot + 1]
    if style in ("|", ">"):
        spot = _HEADER.match(text, spot).end()  # type: ignore[union-attr]  # matches each style
    elif style in ("'", '"'):
        spot += 1
    offsets = []
    for char in node.value:
        escape = _escape_at(text, spot, char) if style == '"' else None
        if escape:
            spot, length = escape
        elif char in _BLANKS:
            # it may be a line's end and what indents the next line, which the next character skips
            length = 1 if text[spot : spot + 1] in _SET else 0
        else:
            spot = _skip(text, spot)
            if not text.startswith(char, spot):
                return None
            length = 2 if style == char == "'" else 1
        offsets.append(spot)
        spot += length
    offsets.append(spot)
    return offsets


def _skip(text: str, spot: int) -> int:
    return _BLANK.match(text, spot).end()  # type: ignore[union-attr]  # always matches


def _escape_at(text: str, spot: int, char: str) -> tuple[int, int] | None:
    """Offset and length of an escape in double quotes that stands for a character, if one does."""
    while text.startswith("\\\n", spot):
        spot = _skip(text, spot + 1)
    ahead = spot if char in _BLANKS else _skip(text, spot)
    while text.startswith("\\\n", ahead):
        ahead = _skip(text, ahead + 1)
    if not text.startswith("\\", ahead):
        return (spot, 1) if text.startswith(char, spot) else None
    return ahead, _ESCAPE_LENGTH.get(text[ahead + 1 : ahead + 2], 2)
