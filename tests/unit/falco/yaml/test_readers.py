"""The two YAML readers agree wherever the fast one is used, and rules read with it come out the same."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml import cpp
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml import documents as yaml_documents
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.nodes import (
    MAP,
    MAX_BYTES,
    MAX_DEPTH,
    NULL,
    SEQUENCE,
    Yaml,
    YamlError,
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


@pytest.mark.parametrize("missing", ["yaml._yaml", "yaml.events"])
def test_without_libyaml_the_other_reader_does_it(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    assert fast(RULES) is None
    read = [plain(document) for document in yaml_documents.read_documents(RULES)]
    assert read == [plain(document) for document in cpp.read_documents(RULES)]


@pytest.mark.parametrize(
    "text",
    [
        "- &a b",
        "- !t b",
        "- &a [b]",
        "- !t {a: b}",
        "- {a: b}",
        "- a\n- *a",
        "--- ~\n--- a",
        "[" * 450 + "]" * 450,
        "- 'a\n\n\n'",
        '- "\n\n"',
    ],
    ids=[
        "anchor",
        "tag",
        "anchored list",
        "tagged map",
        "flow map",
        "unknown alias",
        "null document",
        "deep",
        "breaks behind a text",
        "breaks alone",
    ],
)
def test_what_the_two_may_take_differently_is_left_to_the_other_reader(text: str) -> None:
    assert fast(text) is None


def test_null_ends_the_documents_and_is_placed_where_what_follows_begins() -> None:
    assert fast("a\n--- ~\n") == ["a"]
    (document,) = yaml_documents.read_documents("- a:\n  b: c\n")
    node = document.value[0].get("a")
    assert (node.kind, node.mark.line, node.mark.column) == (NULL, 1, 2)


def test_a_file_over_the_bounds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(YamlError, match=f"the file has more than {MAX_BYTES} characters"):
        yaml_documents.read_documents("#" * (MAX_BYTES + 1))
    with pytest.raises(YamlError, match="bad file"):
        yaml_documents.read_documents("[" * MAX_DEPTH)
    monkeypatch.setattr(yaml_documents, "MAX_BYTES", 3)
    assert len(yaml_documents.read_documents("- a")) == 1


def test_a_value_is_had_by_the_first_key_of_its_name() -> None:
    (document,) = yaml_documents.read_documents("? [x]\n: y\na: b\na: c\n")
    found = document.get("a")
    assert found is not None
    assert found.value == "b"
    assert document.get("x") is None
    assert found.get("a") is None


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
