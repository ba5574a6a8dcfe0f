"""Where two documents differ: what anything but equal is told, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.difference import differences
from hypothesis import given
from hypothesis import strategies as st

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=2), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("now", "declared", "told"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": "x"}}, {"a": {"b": "y"}}, ["a.b is x, declared is y"]),
        ({"a": 1}, {}, ["a is 1, declared is nothing"]),
        ({}, {"a": {"b": [True, "c"]}}, ["a is nothing, declared is {b: [true, c]}"]),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, ["a[1].b is 2, declared is 3"]),
        ({"a": [1]}, {"a": [1, 2]}, ["a is [1], declared is [1, 2]"]),
        ({"a": "xy"}, {"a": "xz"}, ["a is xy, declared is xz"]),
        ({"a": 1, "b": 2}, {"b": 3, "a": 4}, ["a is 1, declared is 4", "b is 2, declared is 3"]),
    ],
)
def test_each_place_is_told_with_both_values(now: Any, declared: Any, told: list[str]) -> None:
    assert [str(one) for one in differences(now, declared)] == told


def without_nothing(value: Any) -> Any:
    """A document in which a name without a value is no name."""
    if isinstance(value, dict):
        return {name: without_nothing(one) for name, one in value.items() if one is not None}
    return [without_nothing(one) for one in value] if isinstance(value, list) else value


@given(DOCUMENTS, DOCUMENTS)
def test_nothing_is_told_of_what_is_equal_and_something_of_anything_else(one: Any, other: Any) -> None:
    assert list(differences(one, one)) == []
    if without_nothing(one) != without_nothing(other):
        assert list(differences(one, other))
