"""YAML that is written: read again it is the same, by either reader, and it is as plain as can be."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.documents import read_documents
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.emit import emit_items
from hypothesis import given, settings
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20) | st.sampled_from(
    ["null", "~", "", " x", "x ", "a: b", "- a", "# c", "true", "a\nb", "a\n\nb\n", " a\nb", "[", "'", '"', "\\", "%x"]
)


@given(st.dictionaries(TEXT.filter(bool), TEXT | st.lists(TEXT, max_size=3), min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
def test_what_is_written_is_read_again(entry: dict[str, object]) -> None:
    node = read_documents(emit_items([entry]))[0].value[0]
    back = {
        key.value: [item.value for item in value.value] if isinstance(value.value, list) else value.value
        for key, value in node.value
    }
    assert back == entry


@pytest.mark.parametrize(
    ("item", "written"),
    [
        ({"rule": "A b", "enabled": False, "capture": True}, "- rule: A b\n  enabled: false\n  capture: true\n"),
        ({"items": ["a", "b c", "-d", 5]}, '- items: [a, b c, "-d", 5]\n'),
        ({"desc": "a\nb\n"}, "- desc: |\n    a\n    b\n"),
        ({"desc": "a\nb"}, "- desc: |-\n    a\n    b\n"),
        # what a block would change is quoted
        ({"desc": "a \nb"}, '- desc: "a \\nb"\n'),
        ({"desc": " a\nb"}, '- desc: " a\\nb"\n'),
        ({"desc": "null", "output": ""}, '- desc: "null"\n  output: ""\n'),
        ({"output": 'a "b"'}, "- output: 'a \"b\"'\n"),
        ({"output": "\x01\u2028\U0001f9ff"}, '- output: "\\u0001\\u2028\U0001f9ff"\n'),
        # a byte that was not UTF-8 has no way of being written
        ({"output": "a\udcff"}, '- output: "a\\ufffd"\n'),
        ({"override": {"tags": "append"}}, "- override:\n    tags: append\n"),
        ({"exceptions": [{"name": "x"}, {"name": "y"}]}, "- exceptions:\n    - name: x\n    - name: y\n"),
        ({"exceptions": [{"name": "x"}, "y"]}, "- exceptions:\n    - name: x\n    - y\n"),
        ({"values": [[{}, None]]}, "- values: [[{}, null]]\n"),
        ("only a text", "- only a text\n"),
    ],
)
def test_what_is_written(item: Any, written: str) -> None:
    assert emit_items([item]) == written


@pytest.mark.parametrize(
    "text",
    [
        "- rule: A\n  source:\n  tags: [a, b]\n",
        "- rule: A\n  desc: a\n  desc: b\n",  # Falco takes the first of equal keys
        "- exceptions:\n    - name: x\n      values: [[a, [b, c]]]\n",
        "- a: [{b: c}]\n",
        "- [a, [b]]\n",
    ],
)
def test_what_was_read_is_written_with_all_its_keys(text: str) -> None:
    items = read_documents(text)[0].value
    again = read_documents(emit_items(items))[0].value
    assert emit_items(again) == emit_items(items)
    assert [len(item.value) for item in again] == [len(item.value) for item in items]


def test_a_key_without_a_value_is_written_as_null() -> None:
    assert emit_items(read_documents("- rule: A\n  source:\n")[0].value) == "- rule: A\n  source: null\n"
