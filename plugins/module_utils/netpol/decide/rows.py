# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows: which sources may use which ports, and what can be done with them."""

from __future__ import annotations

from collections.abc import Mapping

from .universe import bit_indices, from_indices

#: Port mask -> sources that may use exactly these ports. Sources with no port at all are left out.
Row = dict[int, int]


def add_union(row: Row, mask: int, sources: int) -> None:
    """Adds ports to sources, keeping the row's source sets disjoint."""
    if not sources or not mask:
        return
    for known in list(row):
        both = row[known] & sources
        if both:
            rest = row[known] ^ both
            if rest:
                row[known] = rest
            else:
                del row[known]
            row[known | mask] = row.get(known | mask, 0) | both
            sources ^= both
            if not sources:
                return
    row[mask] = row.get(mask, 0) | sources


def intersect(left: Row, right: Row) -> Row:
    """Ports that both rows give, by source."""
    result: Row = {}
    for left_mask, left_sources in left.items():
        for right_mask, right_sources in right.items():
            mask = left_mask & right_mask
            if mask:
                sources = left_sources & right_sources
                if sources:
                    result[mask] = result.get(mask, 0) | sources
    return result


def put(row: Row, mask: int, sources: int) -> None:
    if mask and sources:
        row[mask] = row.get(mask, 0) | sources


def disjoint(row: Row) -> Row:
    """The same permissions with disjoint source sets: a source in several sets gets all their ports."""
    if len(row) < 2:
        return row
    # Splitting sets costs the square of their number; walking their members costs their sizes.
    if len(row) > 8 and sum(map(size, row.values())) < len(row) ** 2 * 4:
        return gather(spread(row))
    result: Row = {}
    for mask, sources in row.items():
        add_union(result, mask, sources)
    return result


def size(bits: int) -> int:
    """How many members a set has."""
    return bin(bits).count("1")


def width(row: Row) -> int:
    """How many sources a row with disjoint sets has."""
    every = 0
    for sources in row.values():
        every |= sources
    return size(every)


def spread(row: Row) -> dict[int, int]:
    """Source to ports; sources in several sets get the ports of all of them."""
    found: dict[int, int] = {}
    for mask, sources in row.items():
        for source in bit_indices(sources):
            found[source] = found.get(source, 0) | mask
    return found


def gather(masks: Mapping[int, int]) -> Row:
    """The row in which each source has its ports."""
    members: dict[int, list[int]] = {}
    for source, mask in masks.items():
        if mask:
            members.setdefault(mask, []).append(source)
    return {mask: from_indices(sources) for mask, sources in members.items()}
