"""Addresses and ranges as the standard library's module has them, but for the texts that Kubernetes refuses."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.addresses import (
    LAST,
    WHOLE,
    Range,
    blocks,
    format_block,
    format_range,
    holds,
    merge,
    parse_address,
    parse_block,
    parse_cidr,
    subtract,
    touch,
    within,
)
from hypothesis import given
from hypothesis import strategies as st

SMALL = st.tuples(st.sampled_from((4, 6)), st.integers(0, 20), st.integers(0, 20)).map(
    lambda one: Range(one[0], min(one[1:]), max(one[1:]))
)


def members(ranges: list[Range]) -> set[tuple[int, int]]:
    return {(one.family, number) for one in ranges for number in range(one.first, one.last + 1)}


@given(st.ip_addresses())
def test_an_address_is_its_number(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        return
    assert parse_address(str(address)) == (address.version, int(address))


@pytest.mark.parametrize("text", ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.-4", "1.2.3.x", "1.2.3.²", "01.2.3.4",
                                  "1.2.3.0004", "1..2.3", "::g", ":", "1:2", "fe80::1%eth0"])  # fmt: skip
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse_address(text) is None
    assert parse_block(text) is None
    assert parse_cidr(f"{text}/8") is None


@given(st.ip_addresses(), st.integers(0, 128))
def test_a_block_is_all_that_share_its_beginning(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, length: int
) -> None:
    text = str(address).partition("%")[0]
    if length > address.max_prefixlen:
        assert parse_cidr(f"{text}/{length}") is None
        return
    network = ipaddress.ip_network(f"{text}/{length}", strict=False)
    found = parse_cidr(f"{text}/{length}")
    assert found == Range(network.version, int(network[0]), int(network[-1]))
    assert parse_block(format_range(found)) == found


@pytest.mark.parametrize(
    "text",
    ["10.0.0.0", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/08", "10.0.0.0/33", "10.0.0.0/٨", "10.0.0.0/²", "::/129", "/8"],
)
def test_what_is_no_block_is_none(text: str) -> None:
    assert parse_cidr(text) is None


def test_more_digits_than_python_converts_are_no_block_and_no_address() -> None:
    digits = "9" * 5000
    assert parse_cidr(f"10.0.0.0/{digits}") is None
    assert parse_address(f"10.0.0.{digits}") is None


def test_the_whole_of_a_family_is_its_shortest_block() -> None:
    assert parse_cidr("0.0.0.0/0") == WHOLE[4]
    assert parse_cidr("::/0") == WHOLE[6]


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (Range(4, 0, LAST[4]), "0.0.0.0/0"),
        (Range(6, 0, LAST[6]), "::/0"),
        (Range(4, 1, 1), "0.0.0.1"),
        (Range(4, 2, 3), "0.0.0.2/31"),
        (Range(4, 1, 2), "0.0.0.1-0.0.0.2"),
        (Range(4, 0, 2), "0.0.0.0-0.0.0.2"),
    ],
    ids=range(6),
)
def test_a_range_is_written_as_a_block_where_it_is_one(block: Range, text: str) -> None:
    assert str(block) == text


@given(SMALL, st.lists(SMALL, max_size=4))
def test_what_is_left_of_a_range_is_what_no_hole_has(item: Range, holes: list[Range]) -> None:
    rest = subtract(item, holes)
    assert members(rest) == members([item]) - members(holes)
    assert rest == merge(rest)


@given(st.lists(SMALL, max_size=5))
def test_merged_ranges_are_the_same_addresses_apart_from_each_other(items: list[Range]) -> None:
    found = merge(items)
    assert members(found) == members(items)
    for one, other in zip(found, found[1:]):
        assert one.family < other.family or one.last + 1 < other.first


@given(st.sampled_from((4, 6)), st.data())
def test_a_range_is_its_blocks_and_no_fewer_are(family: int, data: st.DataObject) -> None:
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, LAST[family])] * 2)))
    address: Any = {4: ipaddress.IPv4Address, 6: ipaddress.IPv6Address}[family]
    expected = [str(block) for block in ipaddress.summarize_address_range(address(first), address(last))]
    assert [format_block(block) for block in blocks(Range(family, first, last))] == expected


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0", "10.0.0.7/32", "2001:db8::1/128"])
def test_a_block_is_one_block_and_has_its_length(text: str) -> None:
    block = parse_cidr(text)
    assert block is not None
    assert [format_block(one) for one in blocks(block)] == [text]


@given(st.lists(SMALL, max_size=3), st.lists(SMALL, max_size=3))
def test_ranges_lie_in_others_or_touch_them_as_their_addresses_do(parts: list[Range], ranges: list[Range]) -> None:
    mine, theirs = members(parts), members(ranges)
    assert within(parts, ranges) == (mine <= theirs)
    assert touch(parts, ranges) == bool(mine & theirs)
    assert all(holds(ranges, family, value) == ((family, value) in theirs) for family, value in mine)
