# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""Regular expressions of RE2's POSIX syntax as trees; the pattern is known to be one that RE2 accepts.

Source: https://github.com/google/re2/wiki/Syntax and RE2's parser (re2/parse.cc).
"""

from __future__ import annotations

from typing import NamedTuple, Union

from ..condition.regex import REPEAT, escaped_character

MAX_CODE = 0x10FFFF
BEGIN = "begin"
END = "end"
_CLASSES: dict[str, tuple[tuple[int, int], ...]] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": ((48, 57),),
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": ((48, 57), (65, 90), (95, 95), (97, 122)),
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}


class Characters(NamedTuple):
    """One character of a set: code points from and to, both included, in order."""

    ranges: tuple[tuple[int, int], ...]


class Assertion(NamedTuple):
    """Nothing, at the begin or the end of a line."""

    kind: str


class Sequence(NamedTuple):
    """The parts one after the other; none is the empty text."""

    parts: tuple[Expression, ...]


class Alternation(NamedTuple):
    """Any of the parts."""

    parts: tuple[Expression, ...]


class Repetition(NamedTuple):
    """The inner expression from low to high times; high is None for no bound."""

    inner: Expression
    low: int
    high: int | None


Expression = Union[Characters, Assertion, Sequence, Alternation, Repetition]
_ANY = Characters(((0, 9), (11, MAX_CODE)))


def parse_regex(pattern: str) -> Expression:
    """Read a pattern."""
    alternatives: list[list[Expression]] = [[]]
    stack: list[list[list[Expression]]] = []
    index, size = 0, len(pattern)
    while index < size:
        char = pattern[index]
        current = alternatives[-1]
        if char == "(":
            stack.append(alternatives)
            alternatives = [[]]
            index += 1
        elif char == ")":
            group = _alternation(alternatives)
            alternatives = stack.pop()
            alternatives[-1].append(group)
            index += 1
        elif char == "|":
            alternatives.append([])
            index += 1
        elif char in "*+?":
            low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}[char]
            current[-1] = Repetition(current[-1], low, high)
            index += 1
        elif char == "{" and (match := REPEAT.match(pattern, index)):
            low = int(match.group(1))
            high = low if match.group(2) is None else int(match.group(3)) if match.group(3) else None
            current[-1] = Repetition(current[-1], low, high)
            index = match.end()
        elif char == "[":
            characters, index = _bracket(pattern, index)
            current.append(characters)
        elif char == "\\":
            code, index = escaped_character(pattern, index)
            current.append(Characters(((code, code),)))
        else:
            current.append(_ANY if char == "." else _plain(char))
            index += 1
    return _alternation(alternatives)


def _plain(char: str) -> Expression:
    if char in "^$":
        return Assertion(BEGIN if char == "^" else END)
    return Characters(((ord(char), ord(char)),))


def _alternation(alternatives: list[list[Expression]]) -> Expression:
    parts = [part[0] if len(part) == 1 else Sequence(tuple(part)) for part in alternatives]
    return parts[0] if len(parts) == 1 else Alternation(tuple(parts))


def _bracket(pattern: str, index: int) -> tuple[Characters, int]:
    """The class that opens at `index`, and the offset after it."""
    index += 1
    negated = pattern.startswith("^", index)
    index += negated
    ranges: list[tuple[int, int]] = []
    first = True
    while pattern[index] != "]" or first:
        first = False
        if pattern.startswith("[:", index):
            close = pattern.find(":]", index + 2)
            if close >= 0:
                name = pattern[index + 2 : close]
                inside = _CLASSES[name.lstrip("^")]
                ranges.extend(_negated(inside) if name.startswith("^") else inside)
                index = close + 2
                continue
        low, index = _character(pattern, index)
        high = low
        if pattern.startswith("-", index) and index + 1 < len(pattern) and pattern[index + 1] != "]":
            high, index = _character(pattern, index + 1)
        ranges.append((low, high))
    merged = _merged(ranges)
    return Characters(_negated(merged) if negated else merged), index + 1


def _character(pattern: str, index: int) -> tuple[int, int]:
    if pattern[index] == "\\":
        return escaped_character(pattern, index)
    return ord(pattern[index]), index + 1


def _merged(ranges: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def _negated(ranges: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    rest: list[tuple[int, int]] = []
    start = 0
    for low, high in ranges:
        if low > start:
            rest.append((start, low - 1))
        start = high + 1
    if start <= MAX_CODE:
        rest.append((start, MAX_CODE))
    return tuple(rest)
