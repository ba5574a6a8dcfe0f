"""A node is watched by what the selector says, or by a group that it belongs to by name or labels."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.watched import belongs, watched

NODE = {"metadata": {"name": "n1", "labels": {"os": "linux", "disk": "ssd", "size": "1"}}}


@pytest.mark.parametrize(
    ("selector", "groups", "found"),
    [
        ({}, [], True),
        ({"os": "linux"}, [], True),
        ({"os": "linux", "disk": "ssd"}, [], True),
        ({"os": "linux", "disk": "hdd"}, [], False),
        ({"size": 1}, [], True),
        ({"gpu": "yes"}, [], False),
        ({"gpu": "yes"}, [{"nodes": ["n2"]}, {"nodes": ["n1"]}], True),
        ({"gpu": "yes"}, [{"nodes": ["n2"]}, {"node_labels": {"disk": "ssd"}}], True),
        ({"gpu": "yes"}, [{"nodes": ["n2"]}, {"node_labels": {"disk": "hdd"}}], False),
    ],
)
def test_a_node_is_watched_by_some_falco(selector: dict[str, Any], groups: list[dict[str, Any]], found: bool) -> None:
    assert watched(NODE, selector, groups) is found


def test_a_node_without_labels_is_selected_by_nothing_alone() -> None:
    bare = {"metadata": {"name": "n1"}}
    assert watched(bare, {}, [])
    assert not watched(bare, {"os": "linux"}, [])


@pytest.mark.parametrize("group", [{}, {"nodes": None, "node_labels": None}, {"nodes": [], "node_labels": {}}])
def test_to_a_group_without_nodes_and_labels_none_belongs(group: dict[str, Any]) -> None:
    assert belongs("n1", {"os": "linux"}, group) is False
