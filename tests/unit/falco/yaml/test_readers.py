"""The two YAML readers agree wherever the fast one is used, and rules read with it come out the same."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml import cpp
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml import documents as yaml_documents
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.nodes import (
    MAP,
    SEQUENCE,
    Yaml,
    to_bool,
    to_uint32,
)
from hypothesis import given, settings

from ..conditions import RULES, mutated_rules


def plain(node: Yaml) -> Any:
    if node.kind == SEQUENCE:
        return [plain(item) for item in node.value]
    if node.kind == MAP:
        return [(plain(key), plain(value)) for key, value in node.value]
    return node.value


def fast(text: str) -> Any:
    documents = None if yaml_documents._UNUSUAL.search(text) else yaml_documents._read_fast(text)
    return None if documents is None else [plain(document) for document in documents]


def test_the_fast_reader_is_used_for_ordinary_rules() -> None:
    pytest.importorskip("yaml._yaml", reason="PyYAML was built without libyaml, so there is one reader only")
    assert fast(RULES) == [plain(document) for document in cpp.read_documents(RULES)]


def test_a_question_mark_in_a_flow_list_is_left_to_the_other_reader() -> None:
    assert fast("- list: a\n  items: [b?c]\n") is None
    assert fast("- list: a\n  items: ['b?c', [d], e]\n  tags: x?y\n") is not None


@given(mutated_rules())
@settings(max_examples=400, deadline=None)
def test_the_readers_agree(text: str) -> None:
    quick = fast(text)
    if quick is not None:
        assert quick == [plain(document) for document in cpp.read_documents(text)]


@pytest.mark.parametrize(
    ("text", "value"),
    [("yes", True), ("OFF", False), ("True", True), ("tRue", None), ("1", None), ("y", True), ("", None), ("N", False)],
)
def test_booleans(text: str, value: bool | None) -> None:
    assert to_bool(text) is value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("0x10", 16),
        ("010", 8),
        ("08", None),
        ("-1", None),
        ("+5", 5),
        ("5 ", 5),
        ("4294967296", None),
        ("", None),
    ],
)
def test_numbers(text: str, value: int | None) -> None:
    assert to_uint32(text) == value
