"""Ranges do what sets of addresses do, at each bound, and blocks are read up to their last number."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations_with_replacement

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.addresses import (
    Range,
    merge,
    parse_address,
    parse_block,
    parse_cidr,
    subtract,
    touch,
)

RANGES = [Range(4, first, last) for first, last in combinations_with_replacement(range(4), 2)]
OTHER = Range(6, 0, 9)


def addresses(ranges: Iterable[Range]) -> set[tuple[int, int]]:
    return {(one.family, value) for one in ranges for value in range(one.first, one.last + 1)}


@pytest.mark.parametrize("one", RANGES, ids=lambda one: f"{one.first} to {one.last}")
def test_two_ranges_are_as_two_sets(one: Range) -> None:
    for two in RANGES:
        rest = subtract(one, [two, OTHER])
        assert addresses(rest) == addresses([one]) - addresses([two])
        assert all(part.first <= part.last for part in rest)
        assert touch([one], [OTHER, two]) is bool(addresses([one]) & addresses([two]))
        merged = merge([two, OTHER, one])
        assert addresses(merged) == addresses([one, two, OTHER])
        assert len(merged) == 2 + (one.last + 1 < two.first or two.last + 1 < one.first)


def test_numbers_of_an_address_go_up_to_255_without_leading_zeros() -> None:
    assert parse_address("0.100.255.255") == (4, 0x0064FFFF)
    for text in ("0.0.0.256", "0.0.0.1000", "0.0.0.00", "01.0.0.0", "0.0.0", "0.0.0.0.0", "0.0.0.", "0.0.0.\u0661"):
        assert parse_address(text) is None, text


def test_a_length_is_a_number_after_a_slash() -> None:
    assert parse_cidr("10.1.2.3/8") == Range(4, 10 << 24, (11 << 24) - 1)
    for text in ("10.0.0.0", "10.0.0.0/", "10.0.0.0/\u0661", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/33", "x/8"):
        assert parse_cidr(text) is None, text
    assert parse_block("10.0.0.1") == Range(4, (10 << 24) + 1, (10 << 24) + 1)
    assert parse_block("::1") == Range(6, 1, 1)
    assert parse_block("x") is None
