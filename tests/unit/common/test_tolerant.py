"""What of a document that somebody else made has the form that is asked for; the rest is left out."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.tolerant import mapping, mappings


@pytest.mark.parametrize("other", [None, [], "a", 1, [{"a": 1}]], ids=repr)
def test_what_is_no_mapping_is_an_empty_one(other: object) -> None:
    assert mapping(other) == {}
    assert mapping({"a": 1}) == {"a": 1}


def test_mappings_of_a_list_are_taken_and_others_left() -> None:
    assert mappings([{"a": 1}, None, "a", [{}], {}]) == [{"a": 1}, {}]
    assert [mappings(other) for other in (None, {"a": 1}, "a", 1)] == [[], [], [], []]
