# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of ports as bit masks over the intervals that the policies at hand tell apart.

All ports of all protocols that no policy distinguishes are one bit, so that union, intersection and comparison of
port sets are single integer operations whatever the ranges are. Masks mean something only within their space.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from .objects import LAST_PORT, PROTOCOLS

#: (protocol, first port, last port), inclusive.
Interval = tuple[str, int, int]

ALL = "all"


class PortSpace:
    """The intervals of ports that a set of policies can tell apart.

    Args:
        intervals: every interval that will be asked for with C(mask).
    """

    def __init__(self, intervals: Iterable[Interval]) -> None:
        cuts: dict[str, set[int]] = {protocol: {1, LAST_PORT + 1} for protocol in PROTOCOLS}
        for protocol, first, last in intervals:
            if protocol in cuts:
                cuts[protocol].add(first)
                cuts[protocol].add(last + 1)
        self._starts: dict[str, list[int]] = {}
        self._offset: dict[str, int] = {}
        offset = 0
        for protocol in PROTOCOLS:
            self._starts[protocol] = sorted(cuts[protocol])
            self._offset[protocol] = offset
            offset += len(self._starts[protocol]) - 1
        self.full = (1 << offset) - 1
        self._masks: dict[Interval, int] = {}
        self._intervals: dict[int, tuple[Interval, ...]] = {}
        self._texts: dict[int, tuple[tuple[str, str], ...]] = {}

    def mask(self, protocol: str, first: int = 1, last: int = LAST_PORT) -> int:
        """The mask of an interval that was announced to the constructor."""
        key = (protocol, first, last)
        mask = self._masks.get(key)
        if mask is None:
            starts = self._starts.get(protocol)
            if starts is None:
                return 0
            low = bisect_left(starts, first)
            high = bisect_left(starts, last + 1)
            mask = self._masks[key] = ((1 << (high - low)) - 1) << (self._offset[protocol] + low)
        return mask

    def atoms(self) -> Iterable[Interval]:
        """The intervals that the space tells apart, all of them."""
        for protocol in PROTOCOLS:
            starts = self._starts[protocol]
            for first, after in zip(starts, starts[1:]):
                yield protocol, first, after - 1

    def intervals(self, mask: int) -> tuple[Interval, ...]:
        """The maximal intervals of a mask, by protocol (TCP, UDP, SCTP), then port."""
        found = self._intervals.get(mask)
        if found is None:
            result: list[Interval] = []
            for protocol in PROTOCOLS:
                starts = self._starts[protocol]
                part = mask >> self._offset[protocol] & ((1 << (len(starts) - 1)) - 1)
                index = 0
                while part >> index:
                    rest = part >> index
                    index += (rest & -rest).bit_length() - 1
                    run = part >> index
                    length = (~run & (run + 1)).bit_length() - 1
                    result.append((protocol, starts[index], starts[index + length] - 1))
                    index += length
            found = self._intervals[mask] = tuple(result)
        return found

    def texts(self, mask: int) -> tuple[tuple[str, str], ...]:
        """The mask as (protocol, ports) pairs for people: C((("TCP", "80,8000-8100"),)).

        All ports of all protocols are the one pair C(("all", "all")), all ports of one protocol C(("TCP", "all")).
        """
        found = self._texts.get(mask)
        if found is None:
            found = self._texts[mask] = describe(self.intervals(mask))
        return found


def describe(intervals: Iterable[Interval]) -> tuple[tuple[str, str], ...]:
    """Intervals as (protocol, ports) pairs; see L(PortSpace.texts)."""
    by_protocol: dict[str, list[str]] = {}
    whole = 0
    for protocol, first, last in intervals:
        if (first, last) == (1, LAST_PORT):
            by_protocol[protocol] = [ALL]
            whole += 1
        else:
            by_protocol.setdefault(protocol, []).append(str(first) if first == last else f"{first}-{last}")
    if whole == len(PROTOCOLS):
        return ((ALL, ALL),)
    return tuple((protocol, ",".join(by_protocol[protocol])) for protocol in PROTOCOLS if protocol in by_protocol)


def summary(texts: Iterable[tuple[str, str]]) -> str:
    """One line for people: C(TCP 80,443; UDP 53), C(all) or C(nothing)."""
    parts = [protocol if ports == ALL else f"{protocol} {ports}" for protocol, ports in texts]
    return "; ".join(parts) or "nothing"
