"""Edits of a text: what is taken out and put in, down to the last line and its end."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.errors import ApiServerError
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.source import Edit, Source


@pytest.mark.parametrize(
    ("text", "gone", "left"),
    [
        ("a: 1\nb: 2\nc: 3\n", ["b: 2\n"], "a: 1\nc: 3\n"),
        ("a: 1\nb: 2\nc: 3\n", ["b: 2\n", "c: 3\n"], "a: 1\n"),
        # a last line that no newline ends
        ("a: 1\nb: 2", ["b: 2"], "a: 1"),
        ("a: 1\r\nb: 2", ["b: 2"], "a: 1"),
        ("a: 1\nb: 2\nc: 3", ["b: 2\n", "c: 3"], "a: 1"),
        ("a: 1", ["a: 1"], ""),
        ("a: 1 # why", [" # why"], "a: 1"),
        # one within another
        ("a: [1, 2, 3]\n", ["1, 2", "2, 3"], "a: []\n"),
        ("a: [1, 2, 3]\n", ["1, 2, 3", "2, "], "a: []\n"),
    ],
)
def test_what_is_taken_out_leaves_the_rest_as_it_was(text: str, gone: list[str], left: str) -> None:
    spans = [(text.index(one), text.index(one) + len(one)) for one in gone]
    assert Source(text, "f").without(spans) == left


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: 1\n", "a: 1\nb: 2\nc: 3\n"),
        ("a: 1", "a: 1\nb: 2\nc: 3"),
        ("a: 1\r\n", "a: 1\r\nb: 2\r\nc: 3\r\n"),
    ],
)
def test_lines_that_are_put_in_end_as_the_others_do(text: str, found: str) -> None:
    source = Source(text, "f")
    assert source.edited([source.insertion(len(text), ["b: 2", "c: 3"])]) == found


def test_edits_are_made_in_the_order_of_the_text() -> None:
    source = Source("a: 1\n", "f")
    assert source.edited([Edit(3, 4, "2"), Edit(0, 0, "# why\n"), Edit(0, 0, "# how\n")]) == "# why\n# how\na: 2\n"


def test_what_should_be_a_mapping_and_is_none_is_told_with_the_key() -> None:
    source = Source("items:\n- text\n", "f")
    [item] = source.items(source.root, "items")
    with pytest.raises(ApiServerError, match=r"^f:2:3: must be a mapping, with the key name$"):
        source.value(item, "name")


def test_a_text_may_begin_with_an_empty_line() -> None:
    assert [Source("\na: 1\n", "f").line_start(index) for index in (0, 1, 4)] == [0, 1, 1]
