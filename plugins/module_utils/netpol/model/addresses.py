# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IPv4 and IPv6 addresses as integers, and sets of them as sorted, disjoint, inclusive ranges.

A range is a triple (family, first, last) with family 4 or 6. The two families never mix: C(0.0.0.0/0) holds no IPv6
address and C(::/0) no IPv4 address (RFC 4632, RFC 4291).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

LAST = {4: (1 << 32) - 1, 6: (1 << 128) - 1}
BITS = {4: 32, 6: 128}


class Range(NamedTuple):
    """An inclusive range of addresses of one family."""

    family: int
    first: int
    last: int

    def __str__(self) -> str:
        return format_range(self)


WHOLE = {4: Range(4, 0, LAST[4]), 6: Range(6, 0, LAST[6])}


def _parse_v4(text: str) -> int | None:
    parts = text.split(".")
    if len(parts) != 4:
        return None
    value = 0
    for part in parts:
        # Leading zeros are refused as Kubernetes refuses them (they read as octal elsewhere).
        if not part.isascii() or not part.isdigit() or len(part) > 3 or (len(part) > 1 and part[0] == "0"):
            return None
        number = int(part)
        if number > 255:
            return None
        value = value << 8 | number
    return value


def parse_address(text: str) -> tuple[int, int] | None:
    """Family and integer value of an address, or None when the text is not one."""
    if ":" not in text:
        value = _parse_v4(text)
        return None if value is None else (4, value)
    import ipaddress  # only where IPv6 is used: it costs more to import than a query costs to answer

    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return None
    if address.scope_id is not None:
        return None
    return (6, int(address))


def parse_cidr(text: str) -> Range | None:
    """The range of a CIDR block, or None when the text is not one.

    Host bits are accepted and ignored, as the API server does (10.1.2.3/8 is 10.0.0.0/8).
    """
    address, _slash, length = text.partition("/")
    parsed = parse_address(address)
    if parsed is None or not length.isascii() or not length.isdigit():
        return None
    # Python converts no text of more than 4300 digits.
    if len(length) > 3 or (len(length) > 1 and length[0] == "0"):
        return None
    family, value = parsed
    if int(length) > BITS[family]:
        return None
    shift = BITS[family] - int(length)
    first = value >> shift << shift
    return Range(family, first, first | ((1 << shift) - 1))


def parse_block(text: str) -> Range | None:
    """The range of a CIDR block or of a single address, or None."""
    if "/" in text:
        return parse_cidr(text)
    parsed = parse_address(text)
    return None if parsed is None else Range(parsed[0], parsed[1], parsed[1])


def format_address(family: int, value: int) -> str:
    """An address in its usual form (RFC 5952 for IPv6)."""
    if family == 4:
        return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
    import ipaddress  # as above

    return str(ipaddress.IPv6Address(value))


def format_range(item: Range) -> str:
    """A CIDR block where the range is one, C(first-last) otherwise, and the bare address for a single one."""
    size = item.last - item.first + 1
    if size == 1:
        return format_address(item.family, item.first)
    if size & (size - 1) == 0 and item.first % size == 0:
        return f"{format_address(item.family, item.first)}/{BITS[item.family] - size.bit_length() + 1}"
    return f"{format_address(item.family, item.first)}-{format_address(item.family, item.last)}"


def format_block(item: Range) -> str:
    """A block as policies are written: with its length, also where it is a single address."""
    text = format_range(item)
    return text if "/" in text else f"{text}/{BITS[item.family]}"


def blocks(item: Range) -> list[Range]:
    """The fewest CIDR blocks that are just the addresses of a range, sorted."""
    found = []
    first = item.first
    while first <= item.last:
        size = first & -first or 1 << BITS[item.family]
        while size > item.last - first + 1:
            size >>= 1
        found.append(Range(item.family, first, first + size - 1))
        first += size
    return found


def subtract(item: Range, holes: Iterable[Range]) -> list[Range]:
    """What is left of a range without the given ranges, sorted and disjoint."""
    rest: list[Range] = []
    first = item.first
    for hole in sorted(h for h in holes if h.family == item.family):
        if hole.last < first:
            continue
        if hole.first > item.last:
            break
        if hole.first > first:
            rest.append(Range(item.family, first, hole.first - 1))
        first = hole.last + 1
        if first > item.last:
            return rest
    rest.append(Range(item.family, first, item.last))
    return rest


def merge(items: Iterable[Range]) -> list[Range]:
    """The same addresses as the fewest ranges, sorted."""
    merged: list[Range] = []
    for item in sorted(items):
        if merged and merged[-1].family == item.family and item.first <= merged[-1].last + 1:
            if item.last > merged[-1].last:
                merged[-1] = Range(item.family, merged[-1].first, item.last)
        else:
            merged.append(item)
    return merged


def within(parts: Iterable[Range], ranges: Sequence[Range]) -> bool:
    """Whether all addresses of some ranges lie in others."""
    return not any(subtract(part, ranges) for part in parts)


def touch(parts: Iterable[Range], ranges: Sequence[Range]) -> bool:
    """Whether some ranges have an address in common with others."""
    return any(p.family == r.family and p.first <= r.last and r.first <= p.last for p in parts for r in ranges)


def holds(ranges: Iterable[Range], family: int, value: int) -> bool:
    """Whether the address lies in one of the ranges."""
    return any(r.family == family and r.first <= value <= r.last for r in ranges)
