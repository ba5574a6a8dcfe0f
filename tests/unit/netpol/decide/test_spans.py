"""Members of ranges of places, against looking at each of them."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.spans import Spans
from hypothesis import given
from hypothesis import strategies as st


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 300)), max_size=300),
    st.booleans(),
    st.integers(-5, 510),
    st.integers(0, 510),
)
def test_members_of_a_range(places: list[tuple[int, int]], once: bool, first: int, length: int) -> None:
    if once:
        places = [(place, member) for member, (place, _member) in enumerate(places)]
    expected = 0
    for place, member in places:
        if first <= place <= first + length:
            expected |= 1 << member
    assert Spans(places).within(first, first + length) == expected


@pytest.mark.parametrize("first", [0, 1, 63, 64, 65, 127, 128])
@pytest.mark.parametrize("last", [127, 128, 129, 191, 192, 299, 400])
def test_members_of_a_long_range_are_those_of_each_of_its_places(first: int, last: int) -> None:
    """Sets are kept for every 64th place; ranges begin and end at these and beside them."""
    places = [(place, 299 - place) for place in range(300)]
    expected = sum(1 << 299 - place for place in range(first, min(last, 299) + 1))
    assert Spans(places).within(first, last) == expected
