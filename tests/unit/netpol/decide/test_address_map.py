"""Which blocks hold an address is what a look at each of them says; no two ranges beside each other are alike."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.address_map import AddressMap
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.addresses import LAST, WHOLE, Range
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import BlockPeer
from hypothesis import given
from hypothesis import strategies as st

SMALL = st.tuples(st.sampled_from((4, 6)), st.integers(0, 12), st.integers(0, 12)).map(
    lambda one: Range(one[0], min(one[1:]), max(one[1:]))
)
EDGES = st.sampled_from([WHOLE[4], WHOLE[6], Range(4, LAST[4] - 1, LAST[4]), Range(6, LAST[6], LAST[6])])
BLOCKS = st.lists(st.builds(BlockPeer, st.tuples(SMALL | EDGES), st.just("any")), max_size=4)


def held(blocks: list[BlockPeer], family: int, value: int) -> int:
    """One bit for each block that holds an address."""
    return sum(
        1 << number
        for number, block in enumerate(blocks)
        if any(item.family == family and item.first <= value <= item.last for item in block.ranges)
    )


@pytest.mark.parametrize("family", [4, 6])
@given(blocks=BLOCKS)
def test_an_address_has_the_blocks_that_hold_it(family: int, blocks: list[BlockPeer]) -> None:
    divided = AddressMap(family, blocks)
    for value in (*range(14), LAST[family] - 2, LAST[family] - 1, LAST[family]):
        assert divided.signature(value) == held(blocks, family, value)


@pytest.mark.parametrize("family", [4, 6])
@given(blocks=BLOCKS)
def test_ranges_are_all_addresses_one_after_the_other(family: int, blocks: list[BlockPeer]) -> None:
    found = list(AddressMap(family, blocks).ranges())
    assert (found[0][1].first, found[-1][1].last) == (0, LAST[family])
    for (_one, before), (_other, after) in zip(found, found[1:]):
        assert before.last + 1 == after.first
    for signature, item in found:
        assert item.family == family
        assert signature == held(blocks, family, item.first) == held(blocks, family, item.last)
