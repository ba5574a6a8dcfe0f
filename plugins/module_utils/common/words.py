# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The word that a mistyped one probably means."""

from __future__ import annotations

from collections.abc import Callable, Iterable

#: How alike two words must be (0 to 1, difflib's ratio) unless a caller knows better.
RATIO = 0.6


def nearest(
    word: str, known: Iterable[str], ratio: float = RATIO, fold: Callable[[str], str] | None = None
) -> str | None:
    """The known word that is most like a mistyped one.

    Args:
        word: what was written.
        known: what could have been meant.
        ratio: how alike the two must be, 0 to 1.
        fold: makes words alike that differ in nothing that matters, such as C(str.lower).

    Returns:
        The word as it is known; None if none is close enough.
    """
    import difflib  # only on the way to an error

    spelt: dict[str, str] = {}
    for name in known:
        spelt.setdefault(fold(name) if fold else name, name)
    close = difflib.get_close_matches(fold(word) if fold else word, spelt, n=1, cutoff=ratio)
    return spelt[close[0]] if close else None


def slips(left: str, right: str) -> int:
    """How many letters are missing, too many, wrong or swapped with their neighbour; 3 stands for more.

    >>> slips("proc.nmae", "proc.name"), slips("opne", "open"), slips("a", "bcd")
    (1, 1, 3)
    """
    if abs(len(left) - len(right)) > 2:
        return 3
    before: list[int] = []
    row = list(range(len(right) + 1))
    for number, char in enumerate(left, 1):
        above, row = row, [number]
        for index, other in enumerate(right, 1):
            cost = min(above[index] + 1, row[index - 1] + 1, above[index - 1] + (char != other))
            if before and index > 1 and char == right[index - 2] and left[number - 2] == other:
                cost = min(cost, before[index - 2] + 1)
            row.append(cost)
        before = above
    return min(row[-1], 3)


def counted(number: int, one: str, more: str = "") -> str:
    """A number with its noun: `1 file`, `2 files`.

    Args:
        number: how many.
        one: the noun for one.
        more: the noun for others, if it is not made by an s.
    """
    return f"{number} {one if number == 1 else more or one + 's'}"
