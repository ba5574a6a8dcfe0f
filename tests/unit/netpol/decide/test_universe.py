"""Which addresses outside are told apart, and what of a range each class of them holds."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.universe import Universe
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.addresses import Range, parse_cidr

from ..clusters import build
from ..lint.test_hints import both
from ..lint.test_lint import pod, policy


def universe(address: str, *blocks: str) -> Universe:
    pods = [both("web", *address.split(" "))] if address else [pod("web")]
    peers = ", ".join(f"{{ipBlock: {{cidr: '{block}'}}}}" for block in blocks)
    model = build(
        [*pods, policy(f"{{podSelector: {{}}, ingress: [{{from: [{peers}]}}]}}" if peers else "{podSelector: {}}")]
    )
    return Universe(model, [model.policies])


@pytest.mark.parametrize(
    ("address", "blocks", "families"),
    [
        ("", [], {4}),
        ("10.0.0.1", ["192.0.2.0/24"], {4}),
        ("10.0.0.1", ["2001:db8::/32"], {4, 6}),
        ("fd00::1", [], {6}),
        ("fd00::1", ["2001:db8::/32"], {6}),
        ("fd00::1", ["192.0.2.0/24"], {4, 6}),
        ("10.0.0.1 fd00::1", [], {4, 6}),
    ],
)
def test_families_outside_are_those_of_pods_and_of_blocks(address: str, blocks: list[str], families: set[int]) -> None:
    assert {item.family for ranges in universe(address, *blocks).outside for item in ranges} == families


@pytest.mark.parametrize(
    ("asked", "parts"),
    [
        ("10.0.0.4/30", ["10.0.0.4/30"]),
        ("10.0.0.8/30", ["10.0.0.8/30"]),
        ("10.0.0.0/28", ["10.0.0.0/30", "10.0.0.4/30", "10.0.0.8/29"]),
        ("fd00::/64", []),
    ],
)
def test_a_range_is_divided_as_the_outside_is(asked: str, parts: list[str]) -> None:
    found = universe("10.1.0.1", "10.0.0.4/30")
    block = parse_cidr(asked)
    assert block is not None
    pieces = sorted(found.outside_parts(block), key=lambda one: one[1].first)
    assert [part for _number, part in pieces] == [parse_cidr(one) for one in parts]
    for number, part in pieces:
        inside = found.outside[number - found.pod_classes]
        assert any(one.first <= part.first and part.last <= one.last for one in inside)


@pytest.mark.parametrize("value", [(10 << 24) + 3, (10 << 24) + 4, (10 << 24) + 7, (10 << 24) + 8])
def test_a_single_address_is_of_one_class(value: int) -> None:
    found = universe("10.1.0.1", "10.0.0.4/30")
    ((number, part),) = found.outside_parts(Range(4, value, value))
    assert part == Range(4, value, value)
    assert any(one.first <= value <= one.last for one in found.outside[number - found.pod_classes])
