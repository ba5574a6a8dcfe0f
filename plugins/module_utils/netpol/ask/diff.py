# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change does: connections gained, lost and changed between two matrices over the same names.

The two may differ in policies, pods and labels; how they are made comparable is in L(sides).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..decide.matrix import Matrix
from ..decide.rows import Row, size, spread, width
from ..decide.universe import bit_indices, from_indices
from ..model.ports import summary


class Change(NamedTuple):
    """One pair whose connections differ.

    Attributes:
        source: name of the source.
        destination: name of the destination.
        before: the ports that were allowed, as (protocol, ports) pairs.
        after: the ports that will be.
    """

    source: str
    destination: str
    before: tuple[tuple[str, str], ...]
    after: tuple[tuple[str, str], ...]

    @property
    def kind(self) -> str:
        """C(gained) for a pair that had nothing, C(lost) for one that has nothing left, else C(changed)."""
        return "gained" if not self.before else "lost" if not self.after else "changed"

    def as_dict(self) -> dict[str, object]:
        return {
            "from": self.source,
            "to": self.destination,
            "before": [{"protocol": protocol, "ports": ports} for protocol, ports in self.before],
            "after": [{"protocol": protocol, "ports": ports} for protocol, ports in self.after],
        }

    def __str__(self) -> str:
        pair = f"{self.source} -> {self.destination}"
        if self.kind == "changed":
            return f"{pair}: {summary(self.before)} => {summary(self.after)}"
        return f"{pair}: {summary(self.after or self.before)}"


class ChangeBlock(NamedTuple):
    """All pairs of some sources and some destinations (sets of member indices) with the same change of masks."""

    sources: int
    destinations: int
    before: int
    after: int


def change_blocks(before: Matrix, after: Matrix) -> Iterator[ChangeBlock]:
    """The difference in as few pieces as the policies have.

    Args:
        before: the matrix of one policy set.
        after: the matrix of the other, over groups of the same names.
    """
    rows_before = _rows(before)
    rows_after = _rows(after)
    joined: dict[tuple[int, int, int], int] = {}
    for member, row in rows_before.items():
        other = rows_after.get(member, {})
        if row is other or row == other:
            continue
        for sources, old, new in _compare(row, other):
            key = (sources, old, new)
            joined[key] = joined.get(key, 0) | 1 << member
    for member, row in rows_after.items():
        if member not in rows_before:
            for mask, sources in row.items():
                joined[(sources, 0, mask)] = joined.get((sources, 0, mask), 0) | 1 << member
    for (sources, old, new), destinations in joined.items():
        yield ChangeBlock(sources, destinations, old, new)


def _rows(matrix: Matrix) -> dict[int, Row]:
    allowed = -1 if matrix.outside else (1 << matrix.groups.count) - 1
    rows: dict[int, Row] = {}
    for destinations, row in matrix.member_rows():
        kept = {mask: sources & allowed for mask, sources in row.items() if sources & allowed}
        for destination in destinations:
            rows[destination] = kept
    return rows


def _compare(before: Row, after: Row) -> Iterator[tuple[int, int, int]]:
    """Sources with their masks before and after, where these differ."""
    pairs_of_sets = len(before) * len(after)
    if pairs_of_sets > 64 and pairs_of_sets > width(before) + width(after):
        left, right = spread(before), spread(after)
        pairs: dict[tuple[int, int], list[int]] = {}
        for source in {**left, **right}:
            change = (left.get(source, 0), right.get(source, 0))
            if change[0] != change[1]:
                pairs.setdefault(change, []).append(source)
        for (old, new), members in pairs.items():
            yield from_indices(members), old, new
        return
    covered = 0
    for old, old_sources in before.items():
        rest = old_sources
        for new, new_sources in after.items():
            both = old_sources & new_sources
            if both:
                rest ^= both
                if old != new:
                    yield both, old, new
        if rest:
            yield rest, old, 0
        covered |= old_sources
    for new, new_sources in after.items():
        rest = new_sources & ~covered
        if rest:
            yield rest, 0, new


def _single(before: Matrix, after: Matrix) -> list[bool]:
    """Which groups have one pod at most on either side; its way to itself is no connection."""
    return [one and other for one, other in zip(before.groups.single, after.groups.single)]


def members(before: Matrix, after: Matrix, block: ChangeBlock) -> Iterator[tuple[str, str]]:
    """The pairs of a block, by name."""
    groups = before.groups
    single = _single(before, after)
    inner = (1 << groups.count) - 1
    for index in bit_indices(block.destinations & inner):
        sources = block.sources & ~(1 << index) if single[index] else block.sources
        for source in groups.listed(sources):
            yield source, groups.names[index]
    outside = block.destinations & ~inner
    if outside:
        for destination in groups.listed(outside):
            for source in groups.listed(block.sources):
                yield source, destination


def changes(before: Matrix, after: Matrix) -> list[Change]:
    """Every pair that differs, sorted by source and destination."""
    texts = before.ports.texts
    found: dict[tuple[str, str, int, int], None] = {}
    for block in change_blocks(before, after):
        for source, destination in members(before, after, block):
            found[(source, destination, block.before, block.after)] = None
    return [Change(source, to, texts(old), texts(new)) for source, to, old, new in sorted(found)]


def compact(before: Matrix, after: Matrix) -> Iterator[dict[str, object]]:
    """The difference as products: what changes for all of C(from) towards all of C(to), a lone pod not itself."""
    groups = before.groups
    texts = before.ports.texts
    everyone = before.engine.universe.everyone
    isolated = before.engine.isolated("egress") | after.engine.isolated("egress")
    free = groups.of_classes(everyone & ~isolated) | after.groups.of_classes(everyone & ~isolated)
    joined: dict[tuple[int, int, int], int] = {}
    for block in change_blocks(before, after):
        for sources in (block.sources & free, block.sources & ~free):
            if sources:
                key = (sources, block.before, block.after)
                joined[key] = joined.get(key, 0) | block.destinations
    for (sources, old, new), destinations in joined.items():
        yield {
            "from": groups.listed(sources),
            "to": groups.listed(destinations),
            "before": [{"protocol": protocol, "ports": ports} for protocol, ports in texts(old)],
            "after": [{"protocol": protocol, "ports": ports} for protocol, ports in texts(new)],
        }


def count(before: Matrix, after: Matrix) -> dict[str, int]:
    """How many pairs of members were gained, lost and changed, without listing them."""
    groups = before.groups
    inner = (1 << groups.count) - 1
    single = from_indices(index for index, lone in enumerate(_single(before, after)) if lone)
    totals = {"gained": 0, "lost": 0, "changed": 0}
    for block in change_blocks(before, after):
        kind = "gained" if not block.before else "lost" if not block.after else "changed"
        sources = size(block.sources & inner) + len(groups.listed(block.sources & ~inner))
        totals[kind] += sources * size(block.destinations & inner)
        totals[kind] -= size(block.sources & block.destinations & single)
        if block.destinations & ~inner:
            totals[kind] += sources * len(groups.listed(block.destinations & ~inner))
    return totals
