# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts in quotes as YAML has them: escapes, and lines that are folded into one."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_KEY = 1024
"""Characters of a key at most. Source: https://yaml.org/spec/1.2.2/#742-flow-mappings"""
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_HEX = {"x": 2, "u": 4, "U": 8}
_BREAK = re.compile(r"[ \t]*(?:\r?\n[ \t]*)+")
_JOINED = re.compile(r"\\(?:\r?\n[ \t]*)+")
_MARKER = re.compile(r"\n(?:---|\.\.\.)(?:[ \t\r\n]|\Z)")


@dataclass(frozen=True)
class Quoted:
    """A text in quotes that was read.

    Attributes:
        value: the text.
        end: index behind the closing quote, or of what is wrong.
        wrong: what is wrong, or nothing.
    """

    value: str
    end: int
    wrong: str = ""


def _folded(space: str) -> str:
    breaks = space.count("\n") - 1
    return "\n" * breaks or " "


def single_quoted(text: str, start: int) -> Quoted:
    """The text in single quotes that begins at an index."""
    pieces: list[str] = []
    at = start + 1
    while at < len(text):
        char = text[at]
        if char == "'":
            if text[at + 1 : at + 2] != "'":
                return Quoted("".join(pieces), at + 1)
            pieces.append("'")
            at += 2
            continue
        space = _BREAK.match(text, at)
        if space:
            if _MARKER.search(text, at, space.end() + 4):
                return Quoted("", at, "another document begins within quotes")
            pieces.append(_folded(space[0]))
            at = space.end()
            continue
        pieces.append(char)
        at += 1
    return Quoted("", start, "this quote is never closed")


def double_quoted(text: str, start: int) -> Quoted:
    """The text in double quotes that begins at an index."""
    pieces: list[str] = []
    at = start + 1
    while at < len(text):
        char = text[at]
        if char == '"':
            return Quoted("".join(pieces), at + 1)
        if char == "\\":
            joined = _JOINED.match(text, at)
            if joined:
                pieces.append("\n" * (joined[0].count("\n") - 1))
                at = joined.end()
                continue
            escape = text[at + 1 : at + 2]
            if escape in _ESCAPES and escape:
                pieces.append(_ESCAPES[escape])
                at += 2
                continue
            digits = text[at + 2 : at + 2 + _HEX.get(escape, 0)]
            if escape not in _HEX or not re.fullmatch(rf"[0-9a-fA-F]{{{_HEX[escape]}}}", digits):
                return Quoted("", at, "an escape that YAML does not know")
            if int(digits, 16) > 0x10FFFF:
                return Quoted("", at, "an escape of no character")
            pieces.append(chr(int(digits, 16)))
            at += 2 + len(digits)
            continue
        space = _BREAK.match(text, at)
        if space:
            if _MARKER.search(text, at, space.end() + 4):
                return Quoted("", at, "another document begins within quotes")
            pieces.append(_folded(space[0]))
            at = space.end()
            continue
        pieces.append(char)
        at += 1
    return Quoted("", start, "this quote is never closed")
