# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One direction of all connections to a destination, by the tiers of policies in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..model.objects import ADMIN, ALLOW, BASELINE, DENY, NAMESPACED
from .rows import Row, add_union, disjoint, gather, intersect, put
from .universe import bit_indices


class Term(NamedTuple):
    """A rule as seen from one destination.

    Attributes:
        action: Allow, Deny or Pass.
        mask: the ports that it is about, names resolved for the destination.
        sources: the sources that it is about.
        sure: whether it is known to match them; else it may or may not.
        inside: where the address is not known, the places at which it matches them.
        reach: the places where the address may be; empty where it is known.
    """

    action: str
    mask: int
    sources: int
    sure: bool = True
    inside: int = 0
    reach: int = 0


#: Where more rules times places than this are to be looked at, what depends on an address is left open.
_MANY = 100_000


def in_order(tiers: Mapping[str, Sequence[Term]], isolated: int, sources: int, full: int, possible: bool) -> Row:
    """One direction: admin tier, then NetworkPolicies where they isolate, else baseline tier, else allowed.

    Args:
        tiers: the rules of each tier, in their order.
        isolated: the sources for which NetworkPolicies isolate, theirs or the destination's.
        sources: all sources.
        full: the mask of all ports.
        possible: whether to give what is allowed for some of the addresses that pods without a known one may have.
    """
    scattered: dict[int, int] = {}
    for terms in tiers.values():
        for term in terms:
            if term.reach and term.sources:
                scattered[term.reach] = scattered.get(term.reach, 0) | term.sources
    if not scattered:
        return _settled(tiers, isolated, sources, full, possible)
    row: Row = {}
    for reach, some in scattered.items():
        members = some & sources
        sources &= ~members
        for mask, found in _at_each_place(tiers, isolated & members, members, full, possible, reach).items():
            put(row, mask, found)
    for mask, found in _settled(tiers, isolated & sources, sources, full, possible).items():
        put(row, mask, found)
    return row


def _at_each_place(
    tiers: Mapping[str, Sequence[Term]], isolated: int, sources: int, full: int, possible: bool, reach: int
) -> Row:
    """What is allowed at all of the places where an address may be, or at some of them."""
    terms = [term for some in tiers.values() for term in some if term.reach and term.sources & sources]
    only_allows = ADMIN not in tiers and BASELINE not in tiers
    if only_allows and possible:
        return _settled(tiers, isolated, sources, full, possible)
    covered = 0
    for term in terms:
        covered |= term.inside
    if only_allows and covered & reach != reach:
        return _settled(_at(tiers, 0), isolated, sources, full, possible)
    parts = [reach]
    for term in terms:
        parts = [part for whole in parts for part in (whole & term.inside, whole & ~term.inside) if part]
        if len(parts) * len(terms) > _MANY:
            maybe = {tier: [_either(term) for term in some] for tier, some in tiers.items()}
            return _settled(_at(tiers, 0) if only_allows else maybe, isolated, sources, full, possible)
    row: Row | None = None
    for part in parts:
        found = _settled(_at(tiers, part), isolated, sources, full, possible)
        if row is None:
            row = found
        elif possible:
            for mask, members in found.items():
                add_union(row, mask, members)
        else:
            row = intersect(row, found)
    return row or {}


def _either(term: Term) -> Term:
    """A rule that is about an address at some places, as one of which it is not known whether it matches."""
    return term._replace(sure=False) if term.reach else term


def _at(tiers: Mapping[str, Sequence[Term]], place: int) -> dict[str, list[Term]]:
    """The rules that match at a place."""
    return {tier: [term for term in terms if not term.reach or term.inside & place] for tier, terms in tiers.items()}


def _settled(tiers: Mapping[str, Sequence[Term]], isolated: int, sources: int, full: int, possible: bool) -> Row:
    """As L(in_order), for sources that each rule is about or not."""
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
