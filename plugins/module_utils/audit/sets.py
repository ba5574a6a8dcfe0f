# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of words and of groups, also endless ones: what a request's part may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple


class Check(NamedTuple):
    """What a word must be like, or must not be.

    Attributes:
        operator: startswith, endswith, contains or icontains.
        text: with what it is compared.
        holds: whether it must hold or must not.
    """

    operator: str
    text: str
    holds: bool

    def of(self, word: str) -> bool:
        """Whether a word is as the test wants it."""
        return _OPERATORS[self.operator](word, self.text) is self.holds

    def against(self, other: Check) -> bool:
        """Whether no word passes both. What cannot be told counts as no."""
        if self.operator == other.operator and self.text == other.text:
            return self.holds is not other.holds
        if not self.operator == other.operator == "startswith":
            return False
        one, two = self.text, other.text
        if self.holds and other.holds:
            return not one.startswith(two) and not two.startswith(one)
        if self.holds:
            return one.startswith(two)
        return other.holds and two.startswith(one)


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "startswith": lambda word, text: word.startswith(text),
    "endswith": lambda word, text: word.endswith(text),
    "contains": lambda word, text: text in word,
    "icontains": lambda word, text: text.lower() in word.lower(),
}
OPERATORS = frozenset(_OPERATORS)


class Words(NamedTuple):
    """Words: those that are named, or all others that pass the tests.

    Attributes:
        names: the words, or those that are left out.
        others: whether it is all words but `names`.
        tests: what all of them must pass; only where it is others.
    """

    names: frozenset[str] = frozenset()
    others: bool = True
    tests: frozenset[Check] = frozenset()

    def has(self, word: str) -> bool:
        """Whether a word is among them."""
        return (word in self.names) is not self.others and all(test.of(word) for test in self.tests)

    def also(self, other: Words) -> Words:
        """What is in both."""
        if not self.others:
            return Words(frozenset(word for word in self.names if other.has(word)), False)
        if not other.others:
            return other.also(self)
        return Words(self.names | other.names, True, self.tests | other.tests)

    def without(self, other: Words) -> list[Words]:
        """What is not in the other, in parts that share no word."""
        if not other.others:
            if self.others:
                return [self._replace(names=self.names | other.names)]
            return [Words(self.names - other.names, False)]
        parts = [self.also(Words(other.names, False))]
        rest = self.also(Words(other.names))
        for test in sorted(other.tests):
            parts.append(rest.also(Words(tests=frozenset((test._replace(holds=not test.holds),)))))
            rest = rest.also(Words(tests=frozenset((test,))))
        return parts

    @property
    def empty(self) -> bool:
        """Whether no word is among them, as far as it can be told."""
        if not self.others:
            return not self.names
        tests = list(self.tests)
        return any(one.against(two) for number, one in enumerate(tests) for two in tests[number + 1 :])


ALL = Words()


def only(words: Iterable[str]) -> Words:
    """These words alone."""
    return Words(frozenset(words), False)


def but(words: Iterable[str]) -> Words:
    """All other words."""
    return Words(frozenset(words))


def like(operator: str, text: str, holds: bool = True) -> Words:
    """All words that are like a text, or are not."""
    return Words(tests=frozenset((Check(operator, text, holds),)))


class Groups(NamedTuple):
    """Sets of groups that a user may be in.

    Attributes:
        one_of: of each of these the user is in one at least.
        none_of: the user is in none of these.
    """

    one_of: frozenset[frozenset[str]] = frozenset()
    none_of: frozenset[str] = frozenset()

    def has(self, groups: frozenset[str]) -> bool:
        """Whether a user may be in these groups and no other."""
        return not groups & self.none_of and all(groups & some for some in self.one_of)

    def also(self, other: Groups) -> Groups:
        """What both allow."""
        return Groups(self.one_of | other.one_of, self.none_of | other.none_of)

    def without(self, other: Groups) -> list[Groups]:
        """What the other does not allow, in parts that share nothing."""
        parts = []
        rest = self
        for some in sorted(other.one_of, key=sorted):
            parts.append(rest.also(Groups(none_of=some)))
            rest = rest.also(Groups(frozenset((some,))))
        for group in sorted(other.none_of):
            parts.append(rest.also(Groups(frozenset((frozenset((group,)),)))))
            rest = rest.also(Groups(none_of=frozenset((group,))))
        return parts

    @property
    def empty(self) -> bool:
        """Whether nobody can be in such groups."""
        return any(some <= self.none_of for some in self.one_of)
