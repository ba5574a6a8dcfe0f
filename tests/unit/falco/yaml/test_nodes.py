"""What a node contains."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.documents import read_documents
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.nodes import within_itself


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("a", None),
        ("{a: &a [1, {b: c}], d: [*a, *a], *a : *a}", None),
        ("&a [1, *a]", 0),
        ("{a: 1, b: &b {c: [{d: *b}]}}", 10),
        ("{a: &b {*b : 1}}", 4),
        ("[&a [1], &b [*a, *b]]", 9),
    ],
)
def test_a_node_contains_itself_only_by_an_alias_within_its_anchor(text: str, column: int | None) -> None:
    found = within_itself(read_documents(text)[0])
    assert (None if found is None else found.mark.column) == column
