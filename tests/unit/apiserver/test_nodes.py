"""What nodes mean as values: quotes make a text of anything."""

from __future__ import annotations

from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.nodes import is_flow, is_null, plain, text_of
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.source import Source

SOURCE = Source(
    "a: ~\nb: '~'\nc:\nd: ''\ne: null\nf: \"null\"\ng: true\nh: 'true'\ni: false\nj: \"false\"\n"
    "k: 7\nl: [a]\nm:\n- a\n",
    "f",
)
MEANT: dict[str, Any] = {
    "a": None,
    "b": "~",
    "c": None,
    "d": "",
    "e": None,
    "f": "null",
    "g": True,
    "h": "true",
    "i": False,
}
MEANT |= {"j": "false", "k": "7", "l": ["a"], "m": ["a"]}


def test_nothing_and_truth_are_what_stands_without_quotes() -> None:
    assert plain(SOURCE.root) == MEANT
    nulls = {key for key in MEANT if is_null(SOURCE.value(SOURCE.root, key) or SOURCE.root)}
    assert nulls == {"a", "c", "e"}


def test_a_collection_has_no_text_and_only_brackets_are_flow() -> None:
    nodes = [SOURCE.value(SOURCE.root, key) for key in ("k", "l", "m")]
    assert [(text_of(node), is_flow(node)) for node in nodes if node] == [("7", False), ("", True), ("", False)]
