# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
r"""`regex`: RE2's POSIX syntax, matched from start to end in time linear in the text.

A pattern becomes a nondeterministic automaton, and that a deterministic one as texts ask for its states, which are
thrown away when there are too many. In this mode `.` stands for all but a newline, `[^a]` for a newline, too, and
`^` and `$` hold at the lines' ends. Bytes that are not UTF-8 stand for U+FFFD, one for each part of a broken character,
as Falco replaces them here and in no other operator.
Source: https://github.com/google/re2/wiki/Syntax; how patterns are read: `condition/regex.py`, which refuses bad ones.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache
from typing import Union

from .constants import octets
from .regex_syntax import BEGIN, Alternation, Assertion, Characters, Expression, Repetition, Sequence, parse_regex

MAX_STATES = 2000
"""States of the deterministic automaton that are kept at a time."""

_Edge = Union["tuple[int, ...]", None]


class _Nfa:
    """States numbered from 0; each reads one character of a set, or goes on without reading, or is the end."""

    def __init__(self, expression: Expression) -> None:
        self.reads: list[tuple[Characters, int] | None] = []
        self.skips: list[tuple[int, ...]] = []
        self.asserts: list[str | None] = []
        self.accepting = self._state()
        self.start = self._add(expression, self.accepting)

    def _state(self, skips: tuple[int, ...] = (), assertion: str | None = None) -> int:
        self.reads.append(None)
        self.skips.append(skips)
        self.asserts.append(assertion)
        return len(self.reads) - 1

    def _add(self, expression: Expression, after: int) -> int:
        """Add an expression in front of a state; return where it starts."""
        if isinstance(expression, Characters):
            state = self._state()
            self.reads[state] = (expression, after)
            return state
        if isinstance(expression, Assertion):
            return self._state((after,), expression.kind)
        if isinstance(expression, Sequence):
            for part in reversed(expression.parts):
                after = self._add(part, after)
            return after
        if isinstance(expression, Alternation):
            return self._state(tuple(self._add(part, after) for part in expression.parts))
        return self._repeat(expression, after)

    def _repeat(self, expression: Repetition, after: int) -> int:
        inner, low, high = expression.inner, expression.low, expression.high
        if high is None:
            loop = self._state()
            self.skips[loop] = (self._add(inner, loop), after)
            after = loop
        else:
            end = after
            for _time in range(high - low):
                after = self._state((self._add(inner, after), end))
        for _time in range(low):
            after = self._add(inner, after)
        return after


class RegexMatcher:
    """One compiled pattern."""

    def __init__(self, pattern: str) -> None:
        nfa = _Nfa(parse_regex(pattern))
        self._nfa = nfa
        bounds = {0, ord("\n"), ord("\n") + 1, 0xD800, 0xE000}
        for read in nfa.reads:
            if read is not None:
                for low, high in read[0].ranges:
                    bounds.update((low, high + 1))
        # texts are cut into classes of characters that every set of the pattern treats alike
        self._bounds = sorted(bounds)
        self._classes: dict[str, int] = {}
        self._readers = [None if read is None else frozenset(self._class_numbers(read[0])) for read in nfa.reads]
        self._reset()

    def _class_numbers(self, characters: Characters) -> list[int]:
        numbers: list[int] = []
        for low, high in characters.ranges:
            first, last = bisect_right(self._bounds, low) - 1, bisect_right(self._bounds, high) - 1
            numbers.extend(n for n in range(first, last + 1) if not 0xD800 <= self._bounds[n] < 0xE000)
        return numbers

    def _reset(self) -> None:
        self._numbers: dict[tuple[frozenset[int], bool], int] = {}
        self._sets: list[tuple[frozenset[int], bool]] = []
        self._moves: list[dict[str, int]] = []
        self._accepts: list[bool | None] = []
        self._number(frozenset((self._nfa.start,)), True)

    def _number(self, states: frozenset[int], at_line_start: bool) -> int:
        key = (states, at_line_start)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._sets)
            self._sets.append(key)
            self._moves.append({})
            self._accepts.append(None)
        return number

    def _closure(self, states: frozenset[int], at_line_start: bool, at_line_end: bool) -> set[int]:
        """All states reachable without reading, where assertions about this place hold."""
        nfa = self._nfa
        found: set[int] = set()
        pending = list(states)
        while pending:
            state = pending.pop()
            if state in found:
                continue
            found.add(state)
            assertion = nfa.asserts[state]
            if assertion is None or (at_line_start if assertion == BEGIN else at_line_end):
                pending.extend(nfa.skips[state])
        return found

    def _move(self, number: int, char: str) -> int:
        states, at_line_start = self._sets[number]
        kind = self._classes.get(char)
        if kind is None:
            kind = self._classes[char] = bisect_right(self._bounds, ord(char)) - 1
            if len(self._classes) > MAX_STATES:
                self._classes = {char: kind}
        after = set()
        for state in self._closure(states, at_line_start, char == "\n"):
            reader = self._readers[state]
            if reader is not None and kind in reader:
                read = self._nfa.reads[state]
                if read is not None:
                    after.add(read[1])
        if not after:
            self._moves[number][char] = -1
            return -1
        if len(self._sets) >= MAX_STATES:
            self._reset()
            return self._number(frozenset(after), char == "\n")
        found = self._number(frozenset(after), char == "\n")
        self._moves[number][char] = found
        return found

    def __call__(self, text: str) -> bool:
        """Whether the whole text matches."""
        if not text.isascii():
            text = with_replacements(text)
        number = 0
        moves = self._moves
        for char in text:
            following = moves[number].get(char)
            if following is None:
                following = self._move(number, char)
                moves = self._moves
            if following < 0:
                return False
            number = following
        accepts = self._accepts[number]
        if accepts is None:
            states, at_line_start = self._sets[number]
            accepts = self._nfa.accepting in self._closure(states, at_line_start, True)
            self._accepts[number] = accepts
        return accepts


def with_replacements(text: str) -> str:
    """A text in which U+FFFD stands for what is not UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return octets(text).decode("utf-8", "replace")
    return text


@lru_cache(maxsize=512)
def regex_matcher(pattern: str) -> Callable[[str], bool]:
    """Compile a pattern that `condition/regex.py` accepts."""
    return RegexMatcher(pattern)
