# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
r"""Whether RE2 accepts a regular expression in POSIX mode, the mode in which Falco's `regex` compiles it.

In that mode there is no `(?...)`, no `\d`, `\w`, `\s`, `\b`, no lazy repetition and no `\pN`.
Source: https://github.com/google/re2/wiki/Syntax and RE2's parser (re2/parse.cc, 2022-06-01).
"""

from __future__ import annotations

import re

MAX_REPEAT = 1000
"""RE2's bound on a counted repetition, and on the product of nested ones."""

REPEAT = re.compile(r"\{(0|[1-9][0-9]{0,8})(?:(,)(0|[1-9][0-9]{0,8})?)?\}")
_CLASS_NAMES = frozenset(
    sign + name
    for sign in ("", "^")
    for name in (
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
        "word", "xdigit",
    )
)  # fmt: skip
_HEX = frozenset("0123456789abcdefABCDEF")


class _RefusedError(Exception):
    pass


def refusal(pattern: str) -> str | None:
    """Say why RE2 in POSIX mode refuses a pattern; None when it accepts it."""
    try:
        _check(pattern)
    except _RefusedError as error:
        return str(error)
    return None


def _check(pattern: str) -> None:
    # One frame per open parenthesis: the repetition product of the last item (None: nothing to repeat), and of all.
    last: int | None = None
    most = 1
    frames: list[int] = []
    index, size = 0, len(pattern)
    while index < size:
        char = pattern[index]
        if char == "(":
            frames.append(most)
            last, most = None, 1
            index += 1
        elif char == ")":
            if not frames:
                raise _RefusedError(f"unexpected ): {pattern}")
            last = most
            most = max(frames.pop(), last)
            index += 1
        elif char == "|":
            last = None
            index += 1
        elif char in "*+?":
            if last is None:
                raise _RefusedError(f"no argument for repetition operator: {char}")
            index += 1
        elif char == "{":
            match = REPEAT.match(pattern, index)
            if not match:
                last = 1
                index += 1
                continue
            last = _repeated(match, last)
            most = max(most, last)
            index = match.end()
        elif char == "[":
            index = _bracket(pattern, index)
            last = 1
        elif char == "\\":
            _code, index = escaped_character(pattern, index)
            last = 1
        else:
            _valid(char)
            last = 1
            index += 1
    if frames:
        raise _RefusedError(f"missing ): {pattern}")


def _repeated(match: re.Match[str], last: int | None) -> int:
    """The repetition product of an item after a counted repetition of it."""
    low = int(match.group(1))
    # without an end the first number is the bound
    high = int(match.group(3) or low)
    if high < low or high > MAX_REPEAT:
        raise _RefusedError(f"bad repetition operator: {match.group()}")
    if last is None:
        raise _RefusedError(f"no argument for repetition operator: {match.group()}")
    last *= max(high, 1)
    if last > MAX_REPEAT:
        raise _RefusedError(f"bad repetition operator: {match.group()}")
    return last


def _valid(char: str) -> None:
    if "\ud800" <= char <= "\udfff":
        raise _RefusedError("invalid UTF-8")


def escaped_character(pattern: str, index: int) -> tuple[int, int]:
    """Read the escape at `index`; return its code point and the offset after it."""
    start = index
    index += 1
    if index >= len(pattern):
        raise _RefusedError("trailing \\")
    char = pattern[index]
    _valid(char)
    index += 1
    if char in "01234567":
        if char != "0" and not (index < len(pattern) and pattern[index] in "01234567"):
            raise _RefusedError(f"invalid escape sequence: {pattern[start:index]}")
        code = int(char)
        for _digit in range(2):
            if index < len(pattern) and pattern[index] in "01234567":
                code = code * 8 + int(pattern[index])
                index += 1
            else:
                break
        return code, index
    if char == "x":
        if pattern.startswith("{", index):
            close = pattern.find("}", index)
            digits = pattern[index + 1 : close] if close > 0 else ""
            if not digits or not _HEX.issuperset(digits) or int(digits, 16) > 0x10FFFF:
                raise _RefusedError(f"invalid escape sequence: {pattern[start : index + 1]}")
            return int(digits, 16), close + 1
        digits = pattern[index : index + 2]
        if len(digits) < 2 or not _HEX.issuperset(digits):
            raise _RefusedError(f"invalid escape sequence: {pattern[start : index + 2]}")
        return int(digits, 16), index + 2
    simple = {"n": 10, "r": 13, "t": 9, "a": 7, "f": 12, "v": 11}
    if char in simple:
        return simple[char], index
    if char < "\x80" and not char.isalnum():
        return ord(char), index
    raise _RefusedError(f"invalid escape sequence: {pattern[start:index]}")


def _bracket(pattern: str, index: int) -> int:
    """Check the class that opens at `index`; return the offset after its closing bracket."""
    start = index
    size = len(pattern)
    index += 1
    if pattern.startswith("^", index):
        index += 1
    first = True
    while index < size and (pattern[index] != "]" or first):
        if pattern[index] == "-" and not first and not pattern.startswith("]", index + 1):
            raise _RefusedError(f"invalid character class range: {pattern[index : index + 2]}")
        first = False
        if pattern.startswith("[:", index):
            close = pattern.find(":]", index + 2)
            if close >= 0:
                if pattern[index + 2 : close] not in _CLASS_NAMES:
                    raise _RefusedError(f"invalid character class range: {pattern[index : close + 2]}")
                index = close + 2
                continue
        begin = index
        low, index = _class_character(pattern, index)
        if size - index >= 2 and pattern[index] == "-" and pattern[index + 1] != "]":
            high, index = _class_character(pattern, index + 1)
            if high < low:
                raise _RefusedError(f"invalid character class range: {pattern[begin:index]}")
    if index >= size:
        raise _RefusedError(f"missing ]: {pattern[start:]}")
    return index + 1


def _class_character(pattern: str, index: int) -> tuple[int, int]:
    if pattern[index] == "\\":
        return escaped_character(pattern, index)
    _valid(pattern[index])
    return ord(pattern[index]), index + 1
