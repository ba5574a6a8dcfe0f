"""Checks that are joined: all of them, one of them, and how far they are tried."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.comparisons import Test
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.conditions import all_of, any_of, opposite
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.operands import Fields


def check(holds: bool, tried: list[bool]) -> Test:
    """A check that holds or not, and notes that it was tried."""

    def test(fields: Fields) -> bool:
        tried.append(holds)
        return holds

    return test


@pytest.mark.parametrize("size", range(1, 7))
def test_checks_are_tried_in_order_up_to_the_one_that_decides(size: int) -> None:
    for answers in itertools.product((True, False), repeat=size):
        for join, whole, decides in ((all_of, all(answers), False), (any_of, any(answers), True)):
            tried: list[bool] = []
            joined = join([check(holds, tried) for holds in answers])
            assert joined({}) is whole
            assert tried == list(answers[: answers.index(decides) + 1 if decides in answers else size])
            assert opposite(joined)({}) is not whole
