"""A list is read as one, and a task that did not answer says why as it can."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.asked import Asked, Result
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.check import EvidenceError


@pytest.mark.parametrize(("value", "read"), [(["a"], ["a"]), (("a", "b"), ["a", "b"]), ([], []), (None, []), ("", [])])
def test_a_list_is_what_holds_others_in_their_order_and_nothing_is_an_empty_one(value: Any, read: list[str]) -> None:
    assert Asked("falco", {"names": value}).items("names") == read


@pytest.mark.parametrize(("value", "kind"), [("a", "str"), ({"a": 1}, "dict"), (5, "int"), (True, "bool")])
def test_a_text_and_a_mapping_are_no_lists(value: Any, kind: str) -> None:
    with pytest.raises(EvidenceError) as told:
        Asked("falco", {"names": value}).items("names")
    assert str(told.value) == f"falco: names must be a list, not {kind}"


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ({}, "was not asked"),
        ({"skipped": True}, "was not asked"),
        ({"skipped": True, "skip_reason": "Conditional result was False"}, "Conditional result was False"),
        ({"skipped": True, "skip_reason": "x", "msg": "it is off"}, "it is off"),
        ({"failed": True}, "cannot be asked"),
        ({"failed": True, "msg": "403"}, "403"),
    ],
)
def test_why_there_is_no_answer_is_what_the_task_said(result: dict[str, Any], why: str) -> None:
    assert Result(result).why_not == why
    assert not Result(result).answered


def test_a_command_without_an_exit_code_has_failed() -> None:
    assert [Result(one).code for one in ({}, {"rc": None}, {"rc": 0}, {"rc": 2})] == [1, 1, 0, 2]
