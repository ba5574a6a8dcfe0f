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


def counted(number: int, one: str, more: str = "") -> str:
    """A number with its noun: `1 file`, `2 files`.

    Args:
        number: how many.
        one: the noun for one.
        more: the noun for others, if it is not made by an s.
    """
    return f"{number} {one if number == 1 else more or one + 's'}"
