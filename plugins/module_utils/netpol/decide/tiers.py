# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One direction of all connections to a destination, by the tiers of policies in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..model.objects import ADMIN, ALLOW, BASELINE, DENY, NAMESPACED
from .rows import Row, disjoint, gather, put
from .universe import bit_indices


class Term(NamedTuple):
    """A rule as seen from one destination.

    Attributes:
        action: Allow, Deny or Pass.
        mask: the ports that it is about, names resolved for the destination.
        sources: the sources that it is about.
        sure: whether it is known to match them; else it may or may not.
    """

    action: str
    mask: int
    sources: int
    sure: bool = True


def in_order(tiers: Mapping[str, Sequence[Term]], isolated: int, sources: int, full: int, possible: bool) -> Row:
    """One direction: admin tier, then NetworkPolicies where they isolate, else baseline tier, else allowed.

    Args:
        tiers: the rules of each tier, in their order.
        isolated: the sources for which NetworkPolicies isolate, theirs or the destination's.
        sources: all sources.
        full: the mask of all ports.
        possible: whether to give what is allowed for some of the addresses that pods without a known one may have.
    """
    if ADMIN not in tiers and BASELINE not in tiers:
        return _namespaced(tiers, isolated, sources, full)
    # (allowed ports, ports still undecided, ports that left the tier by Pass) -> sources
    state: dict[tuple[int, int, int], int] = {(0, full, 0): sources}
    for term in tiers.get(ADMIN, ()):
        state = _apply(state, term)
    merged: dict[tuple[int, int], int] = {}
    for (allowed, undecided, passed), members in state.items():
        key = (allowed, undecided | passed)
        merged[key] = merged.get(key, 0) | members
    row = _Outcomes(tiers, possible)
    namespaced: Row = {}
    for term in tiers.get(NAMESPACED, ()):
        namespaced[term.mask] = namespaced.get(term.mask, 0) | (term.sources & isolated)
    namespaced = disjoint(namespaced)
    free: dict[tuple[int, int, int], int] = {}
    for (allowed, undecided), members in merged.items():
        inside = members & isolated
        if inside:
            rest = inside
            for mask, given in namespaced.items():
                both = given & inside
                if both:
                    row.put(allowed | (undecided & mask), both)
                    rest &= ~both
            row.put(allowed, rest)
        _put_state(free, (allowed, undecided, 0), members & ~isolated)
    for term in tiers.get(BASELINE, ()):
        free = _apply(free, term)
    for (allowed, undecided, passed), members in free.items():
        row.put(allowed | undecided | passed, members)
    return row.joined()


def _namespaced(tiers: Mapping[str, Sequence[Term]], isolated: int, sources: int, full: int) -> Row:
    row: Row = {}
    if isolated:
        for term in tiers.get(NAMESPACED, ()):
            members = term.sources & isolated
            if members:
                row[term.mask] = row.get(term.mask, 0) | members
        row = disjoint(row)
    put(row, full, sources & ~isolated)
    return row


class _Outcomes:
    """What each source may come to. Sources that a rule may or may not match have several outcomes."""

    def __init__(self, tiers: Mapping[str, Sequence[Term]], possible: bool) -> None:
        self._row: Row = {}
        self._possible = possible
        self._forked = 0
        for terms in tiers.values():
            for term in terms:
                if not term.sure:
                    self._forked |= term.sources
        self._several: list[tuple[int, int]] = []

    def put(self, mask: int, sources: int) -> None:
        forked = sources & self._forked
        if forked:
            self._several.append((mask, forked))
            sources ^= forked
        put(self._row, mask, sources)

    def joined(self) -> Row:
        """The row: of several outcomes what some of them allow (if that is asked), or what all of them allow."""
        masks: dict[int, int] = {}
        for mask, sources in self._several:
            for source in bit_indices(sources):
                if self._possible:
                    masks[source] = masks.get(source, 0) | mask
                else:
                    masks[source] = masks.get(source, mask) & mask
        for mask, sources in gather(masks).items():
            put(self._row, mask, sources)
        return self._row


def _put_state(state: dict[tuple[int, int, int], int], key: tuple[int, int, int], sources: int) -> None:
    if sources:
        state[key] = state.get(key, 0) | sources


def _apply(state: dict[tuple[int, int, int], int], term: Term) -> dict[tuple[int, int, int], int]:
    """One ordered rule: it decides what it matches and no earlier rule decided."""
    result: dict[tuple[int, int, int], int] = {}
    for key, members in state.items():
        allowed, undecided, passed = key
        matched = undecided & term.mask
        both = members & term.sources if matched else 0
        if both:
            # What a rule may match is also left as it was.
            _put_state(result, key, members ^ both if term.sure else members)
            undecided ^= matched
            if term.action == ALLOW:
                allowed |= matched
            elif term.action != DENY:
                passed |= matched
            _put_state(result, (allowed, undecided, passed), both)
        else:
            _put_state(result, key, members)
    return result
