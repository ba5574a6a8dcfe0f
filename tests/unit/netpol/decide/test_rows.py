"""Rows say of each source which ports it may use, however they were put together."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.rows import (
    Row,
    add_union,
    disjoint,
    gather,
    intersect,
    put,
    size,
    spread,
    width,
)
from hypothesis import given
from hypothesis import strategies as st

MASKS, SOURCES = st.integers(0, 15), st.integers(0, 255)
#: As rules give them: no source without a port, sources in several sets.
ROWS = st.dictionaries(st.integers(1, 15), st.integers(1, 255), max_size=6)
SEPARATE = ROWS.map(disjoint)


def ports(row: Row) -> dict[int, int]:
    """What each source has, looked up one by one."""
    found: dict[int, int] = {}
    for source in range(8):
        for mask, sources in row.items():
            if sources >> source & 1:
                found[source] = found.get(source, 0) | mask
    return found


def is_separate(row: Row) -> bool:
    """Whether each source is there once, with a port, and no set is empty."""
    return all(row) and all(row.values()) and sum(map(size, row.values())) == len(ports(row))


@given(SEPARATE, MASKS, SOURCES)
def test_ports_are_added_to_sources(row: Row, mask: int, sources: int) -> None:
    expected = ports(row)
    for source in range(8):
        if sources >> source & 1 and mask:
            expected[source] = expected.get(source, 0) | mask
    add_union(row, mask, sources)
    assert ports(row) == expected
    assert is_separate(row)


@pytest.mark.parametrize(("mask", "sources"), [(0, 6), (6, 0), (0, 0)], ids=["no-port", "no-source", "nothing"])
def test_nothing_is_added_without_a_port_or_a_source(mask: int, sources: int) -> None:
    row: Row = {1: 1}
    add_union(row, mask, sources)
    put(row, mask, sources)
    assert row == {1: 1}


def test_what_is_put_joins_what_is_there() -> None:
    row: Row = {1: 1}
    put(row, 1, 2)
    put(row, 4, 8)
    assert row == {1: 3, 4: 8}


@given(SEPARATE, SEPARATE)
def test_two_rows_have_the_ports_in_common_that_their_sources_have(left: Row, right: Row) -> None:
    mine, theirs = ports(left), ports(right)
    both = {source: mine[source] & theirs[source] for source in mine.keys() & theirs.keys()}
    found = intersect(left, right)
    assert ports(found) == {source: mask for source, mask in both.items() if mask}
    assert is_separate(found)


@given(ROWS)
def test_a_row_is_the_same_row_however_it_is_divided(row: Row) -> None:
    assert spread(row) == ports(row)
    assert ports(disjoint(row)) == ports(gather(spread(row))) == ports(row)
    assert is_separate(disjoint(row))
    assert is_separate(gather(spread(row)))
    assert width(row) == len(ports(row))


def test_a_source_without_a_port_is_gathered_nowhere() -> None:
    assert gather({0: 1, 3: 1, 4: 0, 70: 2}) == {1: 0b1001, 2: 1 << 70}


@pytest.mark.parametrize("number", [2, 8, 9, 40])
def test_many_sets_of_few_sources_are_divided_as_few_of_many_are(number: int) -> None:
    """Two ways lead there, by what is quicker."""
    row = {1 << mask: 1 << mask % 5 | 1 for mask in range(number)}
    found = disjoint(row)
    assert spread(found) == spread(row)
    assert sum(map(size, found.values())) == width(row)
