# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""`glob` and `iglob`: C's `fnmatch` without flags, over bytes, in time linear in text times pattern.

Falco sets no locale, so `?` is one byte and only ASCII letters have two cases; `*` also spans `/`.
Source: POSIX 2.13 (pattern matching notation) and glibc's `posix/fnmatch_loop.c`, whose leniencies are kept:
`[^...]` negates, too, a `[` that nothing closes is itself, and a backslash at the end matches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .constants import octets

_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": " \\t", "cntrl": "\\x00-\\x1f\\x7f", "digit": "0-9",
    "graph": "!-~", "lower": "a-z", "print": " -~", "punct": "!-/:-@\\[-`{-~", "space": " \\t-\\r", "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_BYTES = frozenset(map(chr, range(256)))
_NEVER = "(?!)"

Matcher = Callable[[str], bool]


def byte_text(text: str) -> str:
    """Text whose characters are the bytes of another's UTF-8; the same text when it is ASCII."""
    return text if text.isascii() else octets(text).decode("latin-1")


def glob_matcher(pattern: str, fold_case: bool = False) -> Matcher:
    """Compile a pattern.

    Args:
        pattern: as written in the condition.
        fold_case: ignore the case of ASCII letters (`iglob`).

    Returns:
        A function that says whether a text matches from its start to its end.
    """
    segments = _segments(byte_text(pattern), fold_case)
    compiled = [re.compile("".join(segment), re.DOTALL) for segment in segments]
    if len(compiled) == 1:
        whole = compiled[0].fullmatch
        return lambda text: whole(byte_text(text)) is not None
    first, last = compiled[0].match, compiled[-1].fullmatch
    first_size, last_size = len(segments[0]), len(segments[-1])
    middle = [expression.search for expression, segment in zip(compiled[1:-1], segments[1:-1]) if segment]

    def match(text: str) -> bool:
        text = byte_text(text)
        end = len(text) - last_size
        if end < first_size or first(text) is None or last(text, end) is None:
            return False
        position = first_size
        for search in middle:
            found = search(text, position, end)
            if found is None:
                return False
            position = found.end()
        return True

    return match


def _segments(pattern: str, fold_case: bool) -> list[list[str]]:
    """Split at each `*` into lists of one-byte expressions."""
    segments: list[list[str]] = [[]]
    index, size = 0, len(pattern)
    while index < size:
        char = pattern[index]
        index += 1
        if char == "*":
            segments.append([])
        elif char == "?":
            segments[-1].append(".")
        elif char == "\\":
            segments[-1].append(_literal(pattern[index], fold_case) if index < size else _NEVER)
            index += 1
        elif char == "[":
            expression, index = _bracket(pattern, index, fold_case)
            segments[-1].append(expression)
        else:
            segments[-1].append(_literal(char, fold_case))
    return segments


def _literal(char: str, fold_case: bool) -> str:
    if fold_case and char.isascii() and char.isalpha():
        return f"[{char.lower()}{char.upper()}]"
    return re.escape(char)


def _lower(char: str) -> str:
    return char.lower() if char.isascii() else char


def _one_of(members: frozenset[str]) -> str:
    if not members:
        return _NEVER
    if len(members) > 128:
        rest = _BYTES - members
        return f"[^{''.join(map(re.escape, sorted(rest)))}]" if rest else "."
    return f"[{''.join(map(re.escape, sorted(members)))}]"


class _Members:
    """The bytes of a bracket expression. Case is folded for characters and ranges, not for what is named."""

    def __init__(self, fold_case: bool) -> None:
        self.fold_case = fold_case
        self.found: set[str] = set()
        self.lost: frozenset[str] = frozenset()

    def exact(self, expression: str) -> None:
        self.found.update(char for char in _BYTES - self.lost if re.fullmatch(expression, char, re.DOTALL))

    def between(self, low: str, high: str) -> None:
        fold = _lower if self.fold_case else str
        self.found.update(char for char in _BYTES - self.lost if fold(low) <= fold(char) <= fold(high))

    def unknown(self) -> None:
        """A class that does not exist: bytes that nothing before it matched can match no more."""
        self.lost |= _BYTES - self.found

    def broken(self) -> None:
        """What is no end: bytes that something before it matched can match no more."""
        self.lost |= self.found
        self.found.clear()

    def expression(self, negated: bool) -> str:
        found = frozenset(self.found)
        return _one_of(_BYTES - found - self.lost if negated else found)


def _bracket(pattern: str, index: int, fold_case: bool) -> tuple[str, int]:
    """The bracket expression whose `[` ends at `index`; the offset after it."""
    start, size = index, len(pattern)
    negated = pattern.startswith(("!", "^"), index)
    index += negated
    members = _Members(fold_case)
    begin = index
    while True:
        if index >= size:  # nothing closes it: a bracket like any other character
            return (_NEVER if "[" in members.lost else re.escape("[")), start
        char = pattern[index]
        if char == "]" and index > begin:
            return members.expression(negated), index + 1
        if char == "[" and pattern.startswith(":", index + 1):
            close = pattern.find(":]", index + 2)
            name = pattern[index + 2 : close] if close >= 0 else ""
            if name.isascii() and name.isalpha() and name.islower():
                if name in _CLASSES:
                    members.exact(f"[{_CLASSES[name]}]")
                else:
                    members.unknown()
                index = close + 2
                continue
        if char == "[" and pattern.startswith("=", index + 1) and pattern.startswith("=]", index + 3):
            members.exact(re.escape(pattern[index + 2]))
            index += 5
            continue
        if pattern.startswith("[=", index):
            members.broken()
        named = char == "[" and pattern.startswith(".", index + 1)
        low, index = _element(pattern, index)
        if not low or (pattern.startswith("-", index) and index + 1 == size and "[" not in {*members.found, low}):
            return _NEVER, size
        if pattern.startswith("-", index) and index + 1 < size and pattern[index + 1] != "]":
            high, index = _element(pattern, index + 1)
            if not high:
                return _NEVER, size
            members.between(low, high)
        elif named:
            members.exact(re.escape(low))
        else:
            members.between(low, low)


def _element(pattern: str, index: int) -> tuple[str, int]:
    """A single character, escaped or `[.x.]`, and the offset after it; no character when it is broken."""
    char = pattern[index]
    if char == "\\":
        return pattern[index + 1 : index + 2], index + 2
    if char == "[" and pattern.startswith(".", index + 1):
        close = pattern.find(".]", index + 2)
        return (pattern[index + 2], index + 5) if close == index + 3 else ("", index)
    return char, index + 1
