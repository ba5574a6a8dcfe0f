# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advice on a mistake: what would be right in words, and what to write in its place where only one mend is likely."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ...common.words import nearest, slips

_LONG = 8
"""A word of this length may be two slips away from the one that is meant."""


class Advice(NamedTuple):
    """What would be right.

    Attributes:
        hint: in words.
        wrong, right: what stands at the place and what to write there; both empty where more than one mend is likely.
        at: line and column (1-based) of what is to be mended, where that is not the place of the finding.
        back: how many characters of the condition before the place the mistake begins.
        mend_at: line and column (1-based) of `wrong`, where it stands elsewhere in the same file.
    """

    hint: str = ""
    wrong: str = ""
    right: str = ""
    at: tuple[int, int] | None = None
    back: int = 0
    mend_at: tuple[int, int] | None = None


def did_you_mean(word: str, names: Iterable[str], ratio: float = 0.7) -> str:
    """A hint with the nearest name, or nothing."""
    name = nearest(word, names, ratio, str.lower)
    return f"did you mean '{name}'?" if name and name != word else ""


def meant(word: str, names: Iterable[str], ratio: float = 0.7) -> Advice:
    """Advice with the nearest name; with a mend if it is a slip away and no other is."""
    known = list(names)
    hint = did_you_mean(word, known, ratio)
    if not hint:
        return Advice()
    close = [name for name in dict.fromkeys(known) if slips(word, name) <= (2 if len(word) >= _LONG else 1)]
    best = min((slips(word, name) for name in close), default=0)
    close = [name for name in close if slips(word, name) == best]
    if len(close) == 1 and f"'{close[0]}'" in hint:
        return Advice(hint, word, close[0])
    return Advice(hint)
