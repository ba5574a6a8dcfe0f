"""The quick reader reads what manifests are made of, and says of it what libyaml says."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read import yamltext
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.yamlfast import NotSimpleError, Reader

WORDS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False, "null": None}


def whole(text: str) -> Any:
    return yamltext._load_whole(text)


@pytest.mark.parametrize(("word", "value"), WORDS.items())
def test_words_that_are_no_text(word: str, value: object) -> None:
    for spelled in (word, word.capitalize(), word.upper()):
        text = f"a: {spelled}\nb: [{spelled}]\nc: '{spelled}'\n"
        assert Reader(whole).read(text) == {"a": value, "b": [value], "c": spelled} == whole(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("---\na: 1\n", {"a": 1}),
        ("a:\n  b: 1\nc: 2\n", {"a": {"b": 1}, "c": 2}),
        ("a:\n  b:\n    c: 1\n  d: 2\n", {"a": {"b": {"c": 1}, "d": 2}}),
        ("a:\n- b: 1\n  c: 2\n- d\ne: 3\n", {"a": [{"b": 1, "c": 2}, "d"], "e": 3}),
        ("a:\n  - b\n  - c: 1\nd:\n", {"a": ["b", {"c": 1}], "d": None}),
        ("- a\n- b: {}\n- [x, 1]\n- {}\n", ["a", {"b": {}}, ["x", 1], {}]),
        ("a: []\nb: [x]\nc: [x, 10.0.0.0/8, 2]\n", {"a": [], "b": ["x"], "c": ["x", "10.0.0.0/8", 2]}),
        ("a: 'x: y'\nb: \"[z]\"\nc: ''\n", {"a": "x: y", "b": "[z]", "c": ""}),
        ("a: 0\nb: 10\nc: 1.2.3\nd: 100Mi\ne: 1.5\n", {"a": 0, "b": 10, "c": "1.2.3", "d": "100Mi", "e": 1.5}),
        ("# why\na: 1\n\n  # more\nb: 2\n", {"a": 1, "b": 2}),
    ],
)
def test_a_plain_document_is_read(text: str, value: object) -> None:
    assert Reader(whole).read(text) == value == whole(text)


@pytest.mark.parametrize(
    "text",
    [
        "--- a\n",
        "a:\n    b: 1\n  c: 2\n",
        "a: 1\n  b: 2\n",
        "a: 1 # why\n",
        "a: [x\n",
        "a: [x, [y]]\n",
        "a: 'it''s'\n",
        "a: 'x\n",
        "a: {b: 1}\n",
        "-: 1\n",
        "1: a\n",
        "true: a\n",
        "a: &x 1\n",
        "a: x: y\n",
        "a: x:\n",
        "é: 1\n",
        "text\n",
    ],
)
def test_what_is_not_plain_is_left_to_libyaml(text: str) -> None:
    with pytest.raises(NotSimpleError):
        Reader(whole).read(text)


def test_a_reader_that_has_seen_lines_before_reads_them_alike() -> None:
    reader = Reader(whole)
    lines = ["a:", "  b: [x]", "  c: {}", "- d", "e: no"]
    for first, second in product(lines, lines):
        text = f"{first}\n{second}\n"
        answers = []
        for one in (reader, Reader(whole), reader):
            try:
                answers.append(one.read(text))
            except NotSimpleError:
                answers.append("left")
        assert answers == [answers[0]] * 3
