# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.

"""Whether a name is another one misspelt, or a name of its own.

How alike two names are as a whole says little: C(falco_version) and C(falco_priority) share most of their letters, and
mean different things. So only what differs is compared, word by word, and how many slips it may have depends on its
length.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

#: One slip may be made in so many letters of what differs. Shorter parts are different words: uid and gid, ui and db.
LETTERS_PER_SLIP = 4
#: And this many at most.
SLIPS = 2


def slips(one: str, other: str) -> int:
    """How often a finger slipped between two words: letters that are missing, doubled, wrong, or swapped with the next.

    Args:
      one: a word, any length.
      other: another.

    Returns:
      The optimal string alignment distance (Damerau and Levenshtein; no part is edited twice).
    """
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        now = [row]
        for column, against in enumerate(other, 1):
            least = min(last[column] + 1, now[column - 1] + 1, last[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                least = min(least, before[column - 2] + 1)
            now.append(least)
        before, last = last, now
    return last[-1]


def differing(one: str, other: str) -> tuple[str, str]:
    """What is left of two names without the words that both begin and end with."""
    mine, theirs = one.split("_"), other.split("_")
    while mine and theirs and mine[0] == theirs[0]:
        del mine[0], theirs[0]
    while mine and theirs and mine[-1] == theirs[-1]:
        del mine[-1], theirs[-1]
    return "_".join(mine), "_".join(theirs)


def _singular(word: str) -> str:
    return word[:-3] + "y" if word.endswith("ies") else word[:-1] if word.endswith("s") else word


@cache
def _letters(name: str) -> frozenset[str]:
    return frozenset(name)


@cache
def _words(name: str) -> list[str]:
    return sorted(_singular(word) for word in name.split("_"))


def is_misspelling(name: str, meant: str) -> bool:
    """Whether a name is most likely another one misspelt.

    It is if both have the same words, in another order or number (C(network_policy_mode)), or if what differs has at
    most one slip in four letters and two in all (C(falco_chart_vresion), C(falco_name_space)), or two letters swapped.

    Args:
      name: what was written.
      meant: what may have been meant; equal names are no misspelling.
    """
    if name == meant:
        return False
    if _words(name) == _words(meant):
        return True
    # Most names are told apart by their lengths or letters alone.
    if abs(len(name) - len(meant)) > SLIPS or len(_letters(name) ^ _letters(meant)) > 2 * SLIPS:
        return False
    mine, theirs = differing(name, meant)
    found = slips(mine, theirs)
    swapped = found == 1 and sorted(mine) == sorted(theirs)
    return swapped or found <= min(SLIPS, max(len(mine), len(theirs)) // LETTERS_PER_SLIP)


def misspelling_of(name: str, known: Iterable[str]) -> str | None:
    """The known name that another one is a misspelling of, the likeliest one; None if it is a name of its own."""
    likely = [meant for meant in known if is_misspelling(name, meant)]
    return min(likely, key=lambda meant: (slips(name, meant), meant), default=None)
