"""Masks of ports are the ports that they were made of, and are told briefly."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import LAST_PORT, PROTOCOLS
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.ports import (
    Interval,
    PortSpace,
    describe,
    summary,
)
from hypothesis import given
from hypothesis import strategies as st

SMALL = st.tuples(st.sampled_from(PROTOCOLS), st.integers(1, 12), st.integers(1, 12)).map(
    lambda one: (one[0], min(one[1:]), max(one[1:]))
)
#: The first and the last port there are.
EDGES = st.sampled_from([("TCP", 1, 1), ("UDP", LAST_PORT, LAST_PORT), ("SCTP", 1, LAST_PORT), ("TCP", 10, LAST_PORT)])
ANY = st.lists(SMALL | EDGES, max_size=6)
WEB, HIGH = ("TCP", 80, 80), ("TCP", 8000, 8100)


def members(intervals: list[Interval] | tuple[Interval, ...]) -> set[tuple[str, int]]:
    """Ports of these intervals, of those between the edges one alone."""
    kept = {*range(1, 16), LAST_PORT - 1, LAST_PORT}
    return {(protocol, port) for protocol, first, last in intervals for port in kept if first <= port <= last}


def union(space: PortSpace, intervals: list[Interval]) -> int:
    mask = 0
    for interval in intervals:
        mask |= space.mask(*interval)
    return mask


@given(ANY, ANY)
def test_masks_join_and_meet_as_their_ports_do(one: list[Interval], other: list[Interval]) -> None:
    space = PortSpace([*one, *other])
    left, right = union(space, one), union(space, other)
    assert members(space.intervals(left)) == members(one)
    assert members(space.intervals(left | right)) == members(one) | members(other)
    assert members(space.intervals(left & right)) == members(one) & members(other)
    assert members(space.intervals(left & ~right)) == members(one) - members(other)


@given(ANY)
def test_a_space_has_every_port_once_in_its_atoms(intervals: list[Interval]) -> None:
    space = PortSpace(intervals)
    atoms = list(space.atoms())
    assert sum(last - first + 1 for _protocol, first, last in atoms) == len(PROTOCOLS) * LAST_PORT
    assert sum(space.mask(*atom) for atom in atoms) == space.full
    for interval in intervals:
        inside = [atom for atom in atoms if space.mask(*atom) & space.mask(*interval)]
        assert members(inside) == members([interval])


@given(ANY)
def test_intervals_of_a_mask_are_as_few_as_can_be(intervals: list[Interval]) -> None:
    space = PortSpace(intervals)
    found = space.intervals(union(space, intervals))
    for (protocol, _first, last), (after, first, _last) in zip(found, found[1:]):
        assert protocol != after or last + 1 < first


def test_a_protocol_without_bounds_is_all_of_its_ports() -> None:
    space = PortSpace([("TCP", 1, 1), WEB])
    assert space.mask("TCP") == space.mask("TCP", 1, LAST_PORT)
    assert space.texts(space.mask("TCP")) == (("TCP", "all"),)


def test_ports_of_a_protocol_that_policies_do_not_have_are_none() -> None:
    """A rule for ICMP (Cilium, Calico) opens no port."""
    space = PortSpace([("ICMP", 8, 8), WEB])
    assert space.mask("ICMP", 8, 8) == 0
    assert list(space.atoms()) == list(PortSpace([WEB]).atoms())


@pytest.mark.parametrize(
    ("intervals", "texts", "line"),
    [
        ([], (), "nothing"),
        ([WEB], (("TCP", "80"),), "TCP 80"),
        ([HIGH, WEB], (("TCP", "80,8000-8100"),), "TCP 80,8000-8100"),
        ([("UDP", 1, LAST_PORT)], (("UDP", "all"),), "UDP"),
        ([("UDP", 53, 53), WEB], (("TCP", "80"), ("UDP", "53")), "TCP 80; UDP 53"),
        ([(one, 1, LAST_PORT) for one in PROTOCOLS], (("all", "all"),), "all"),
    ],
    ids=["none", "one", "a-range", "a-protocol", "two-protocols", "all"],
)
def test_ports_are_told_briefly(intervals: list[Interval], texts: tuple[tuple[str, str], ...], line: str) -> None:
    space = PortSpace(intervals)
    assert space.texts(union(space, intervals)) == texts
    assert describe(space.intervals(union(space, intervals))) == texts
    assert summary(texts) == line
