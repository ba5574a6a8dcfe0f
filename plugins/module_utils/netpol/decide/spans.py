# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of many places lie in a range: each place has a member, and the members of a range come as one set."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

#: Sets are kept for every so many places; the few between are added one by one.
_STEP = 64


class Spans:
    """Places in order, with the sets of members up to some of them.

    Args:
        places: (place, member) pairs; members are numbers from 0, which usually have one place each.
    """

    def __init__(self, places: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(places)
        self._places = [place for place, _member in ordered]
        self._members = [member for _place, member in ordered]
        # The members before place 0, place 64, place 128, ...
        self._before = [0]
        bits = 0
        # With several places a member may be before a range and in it, so nothing can be taken away.
        for number, member in enumerate(self._members if len(set(self._members)) == len(ordered) else (), 1):
            bits |= 1 << member
            if number % _STEP == 0:
                self._before.append(bits)

    def within(self, first: int, last: int) -> int:
        """The members whose place is from first to last, both inclusive."""
        start, end = bisect_left(self._places, first), bisect_right(self._places, last)
        if end - start <= _STEP or len(self._before) == 1:
            return self._between(start, end)
        low, high = -(-start // _STEP), end // _STEP
        bits = self._before[high] & ~self._before[low]
        return bits | self._between(start, low * _STEP) | self._between(high * _STEP, end)

    def _between(self, start: int, end: int) -> int:
        bits = 0
        for member in self._members[start:end]:
            bits |= 1 << member
        return bits
