"""Nodes of a condition are the same where kind and parts are, wherever they stand."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.nodes import (
    And,
    Compare,
    Exists,
    Field,
    Macro,
    Node,
    Not,
    Or,
    Transformer,
    TransformerList,
    Value,
    ValueList,
)

NODES: list[Node] = [
    And((Macro("a"), Macro("b"))),
    Or((Macro("a"), Macro("b"))),
    Or((Macro("b"), Macro("a"))),
    Not(Macro("a")),
    Macro("a"),
    Macro("b"),
    Field("a.b"),
    Field("a.b", "c"),
    Transformer("len", (Field("a.b"),)),
    Transformer("len", (Field("a.b"),), "c"),
    TransformerList((Field("a.b"),)),
    Value("a"),
    ValueList(("a",)),
    Exists(Field("a.b")),
    Compare(Field("a.b"), "=", Value("a")),
    Compare(Field("a.b"), "!=", Value("a")),
]


@pytest.mark.parametrize("place", range(len(NODES)))
def test_a_node_is_like_no_other(place: int) -> None:
    assert [number for number, other in enumerate(NODES) if NODES[place] == other] == [place]


def test_where_a_node_stands_makes_no_difference() -> None:
    assert Macro("a", 3, 4) == Macro("a", 5, 6)
    assert hash(Macro("a", 3, 4)) == hash(Macro("a", 5, 6))


@pytest.mark.parametrize("node", NODES, ids=lambda node: type(node).__name__)
def test_what_was_not_read_stands_nowhere(node: Node) -> None:
    assert (node.start, node.end) == (0, 0)
