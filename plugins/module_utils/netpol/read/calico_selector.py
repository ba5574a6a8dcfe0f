# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's selector expressions, as label selectors: C(has(app) && tier in {'a', 'b'} || !all()).

An expression becomes alternatives, each of which is requirements that all must be met. What label selectors cannot say
(C(contains), C(starts with), C(ends with)) is refused by name.

Source: https://docs.tigera.io/calico/latest/reference/resources/networkpolicy#selectors
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..model.selectors import DOES_NOT_EXIST, EXISTS, IN, NOT_IN, Requirement

#: More alternatives than this are not worked out.
MAX_ALTERNATIVES = 64
_TOKEN = re.compile(r"\s*(?:(?P<text>'[^']*'|\"[^\"]*\")|(?P<word>[A-Za-z0-9_./-]+)|(?P<sign>==|!=|&&|\|\||[!(){},]))")
_OPPOSITE = {IN: NOT_IN, NOT_IN: IN, EXISTS: DOES_NOT_EXIST, DOES_NOT_EXIST: EXISTS}

#: Alternatives of requirements; none is nobody, an empty one everybody.
Alternatives = list[tuple[Requirement, ...]]


class SelectorError(Exception):
    """The text is no expression."""


class UnknownSelectorError(Exception):
    """It cannot be told from labels whom the expression selects."""


class _Token(NamedTuple):
    kind: str
    text: str


def alternatives(text: str) -> Alternatives:
    """What an expression selects.

    Raises:
        SelectorError: the text is no expression.
        UnknownSelectorError: it needs more than label selectors can say.
    """
    parser = _Parser(text)
    found = parser.any_of(False)
    if parser.rest:
        raise SelectorError(f"unexpected {parser.rest[0].text!r}")
    return found


def meet(left: Alternatives, right: Alternatives) -> Alternatives:
    """Both."""
    if len(left) * len(right) > MAX_ALTERNATIVES:
        raise UnknownSelectorError(f"more than {MAX_ALTERNATIVES} alternatives")
    return [one + other for one in left for other in right]


def opposite(text: str) -> Alternatives:
    """What an expression does not select."""
    parser = _Parser(text)
    found = parser.any_of(True)
    if parser.rest:
        raise SelectorError(f"unexpected {parser.rest[0].text!r}")
    return found


def _tokens(text: str) -> list[_Token]:
    found = []
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise SelectorError(f"unexpected {text[position:].strip()[0]!r}")
        kind = match.lastgroup or ""
        value = match[kind]
        found.append(_Token(kind, value[1:-1] if kind == "text" else value))
        position = match.end()
    return found


class _Parser:
    """Reads an expression or, where asked, its opposite."""

    def __init__(self, text: str) -> None:
        self.rest: Sequence[_Token] = _tokens(text)

    def any_of(self, denied: bool) -> Alternatives:
        return self._joined("||", self._all_of, denied)

    def _all_of(self, denied: bool) -> Alternatives:
        return self._joined("&&", self._one, denied)

    def _joined(self, sign: str, read: Callable[[bool], Alternatives], denied: bool) -> Alternatives:
        found = read(denied)
        while self._take(sign):
            other = read(denied)
            # The opposite of either is neither.
            found = meet(found, other) if (sign == "&&") != denied else found + other
            if len(found) > MAX_ALTERNATIVES:
                raise UnknownSelectorError(f"more than {MAX_ALTERNATIVES} alternatives")
        return found

    def _one(self, denied: bool) -> Alternatives:
        if self._take("!"):
            return self._one(not denied)
        if self._take("("):
            found = self.any_of(denied)
            self._need(")")
            return found
        word = self._next("word", "a label or all(), has(...)").text
        if self._take("("):
            if word in ("all", "global"):
                self._need(")")
                return [()] if (word == "all") != denied else []
            if word != "has":
                raise SelectorError(f"unknown function {word}()")
            key = self._next("word", "a label").text
            self._need(")")
            return self._requirement(Requirement(key, EXISTS), denied)
        return self._requirement(self._comparison(word), denied)

    def _comparison(self, key: str) -> Requirement:
        if self._take("=="):
            return Requirement(key, IN, (self._next("text", "a text in quotes").text,))
        if self._take("!="):
            return Requirement(key, NOT_IN, (self._next("text", "a text in quotes").text,))
        word = self._next("word", "a comparison").text
        if word in ("contains", "starts", "ends"):
            raise UnknownSelectorError(f"{key} {word}")
        operator = IN
        if word == "not":
            word = self._next("word", "in").text
            operator = NOT_IN
        if word != "in":
            raise SelectorError(f"unexpected {word!r}")
        self._need("{")
        values = [self._next("text", "a text in quotes").text]
        while self._take(","):
            values.append(self._next("text", "a text in quotes").text)
        self._need("}")
        return Requirement(key, operator, tuple(sorted(set(values))))

    @staticmethod
    def _requirement(found: Requirement, denied: bool) -> Alternatives:
        if denied:
            found = Requirement(found.key, _OPPOSITE[found.operator], found.values)
        return [(found,)]

    def _take(self, sign: str) -> bool:
        if self.rest and self.rest[0] == _Token("sign", sign):
            self.rest = self.rest[1:]
            return True
        return False

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise SelectorError(f"expected {sign!r} {self._place()}")

    def _next(self, kind: str, expected: str) -> _Token:
        if not self.rest or self.rest[0].kind != kind:
            raise SelectorError(f"expected {expected} {self._place()}")
        token, self.rest = self.rest[0], self.rest[1:]
        return token

    def _place(self) -> str:
        return f"before {self.rest[0].text!r}" if self.rest else "at the end"
