"""The reader of YAML: what it accepts, PyYAML reads in the same way; what it refuses, it names with its place."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.errors import ApiServerError
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.nodes import (
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    is_null,
    plain,
)
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.reader import Reader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .manifests import KUBEADM, texts


def ours(node: Node) -> Any:
    """A node with its place, its kind and its texts; block scalars without theirs."""
    if isinstance(node, MappingNode):
        return ("map", node.line, node.column, [(ours(key), ours(value)) for key, value in node.pairs])
    if isinstance(node, SequenceNode):
        return ("list", node.line, node.column, [ours(item) for item in node.items])
    assert isinstance(node, ScalarNode)
    if node.style in {"|", ">"}:
        return ("block", node.line, node.column)
    # Where nothing stands, PyYAML tells the place of what comes next.
    return ("null",) if is_null(node) and not node.value else ("text", node.line, node.column, node.value)


def theirs(node: Any) -> Any:
    """The same of PyYAML's."""
    line, column = node.start_mark.line + 1, node.start_mark.column
    if isinstance(node, yaml.MappingNode):
        return ("map", line, column, [(theirs(key), theirs(value)) for key, value in node.value])
    if isinstance(node, yaml.SequenceNode):
        return ("list", line, column, [theirs(item) for item in node.value])
    if node.style in {"|", ">"}:
        return ("block", line, column)
    return ("null",) if not node.value and node.style is None else ("text", line, column, node.value)


def agrees(text: str) -> bool:
    """Whether the text is accepted, in which case PyYAML has to accept it with the same nodes."""
    try:
        root = Reader(text, "f").root()
    except ApiServerError:
        return False
    reference = yaml.compose(text.removeprefix("\ufeff"), yaml.SafeLoader)
    nothing = ("null",)  # where PyYAML finds no document, or an empty one
    assert (ours(root) if root else nothing) == (theirs(reference) if reference else nothing)
    return True


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(texts())
def test_what_people_write_is_read(written: tuple[dict[str, Any], str]) -> None:
    pod, text = written
    assert agrees(text)
    root = Reader(text, "f").root()
    assert root is not None
    assert plain(root) == pod


PIECES = [
    "a", "b c", "- ", "-", "  ", "\n", "\n  ", "\n    ", "\n- ", ": ", ":", "#", " # x", "'", '"', "''", '\\"', "\\n",
    "\\\n", "[", "]", "{", "}", ", ", ",", "|", "|-\n", ">", ">+\n", "|2\n", "? ", "?", "& ", "*a", "!!str ", "---\n",
    "...\n", "\t", "\r\n", "null", "~", "0", "%", "@", "`", "\ufeff", "\x85", "a: b\n", "c:\n", "é", "<<", "=",
]  # fmt: skip


@settings(max_examples=1500, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_no_text_is_read_otherwise_than_pyyaml_reads_it(text: str) -> None:
    agrees(text)


@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.integers(0, len(KUBEADM)), st.integers(0, 6), st.lists(st.sampled_from(PIECES), max_size=3).map("".join))
def test_nor_is_a_manifest_with_a_wrong_spot(at: int, gone: int, put: str) -> None:
    agrees(KUBEADM[:at] + put + KUBEADM[at + gone :])


@pytest.mark.parametrize(
    "text",
    [
        "a: 'it''s'\nb: \"x\\ty\\u00e9\\\n  z\"\n",
        "a: one\n  two\n\n  three # why\nb:\n- x\n- - y\n  - z\n-\nc: [a, {b: c, d: }, ]\n",
        "a: |\n  # text\n\n  more\n\nb: >-\n    x\n   \nc: |2\n   y\n",
        "a: |+\n  text\n\n\nb: >+\n  text\n\n",
        '{"a" : 1, b : 2}',
        '{"a": [1, "b"],\n# why\n"c":"d"}',
        "---\n# top\na:\n  - b:\n      c\n    d: e\n",
        "- 'a\n  b'\n- http://a:80/x#y\n-   a: b\n    c: d\n",
        "",
        "# nothing\n",
        'a: "\\x41\\u00e9\\U0001F600\\U0010FFFF"',
        "a" * 1024 + ": b",
        "[" * 99 + "]" * 99,
        "- " * 99 + "a",
        "- a\n" * 101,
        "[" + "[], " * 101 + "]",
        "a:",
        "-",
        "{a:, b: [http://a:80]}\n",
        "a: b:,c\nd: -,e\n",
        "a: b# c\nd: e #f\n",
        "a: b\n  --- c\n",
        "a: |\n b\nc: d\n",
        "a: |\n  \n  b\nc: |\nd: e\n",
        "a: |\n  \nb:\n  c: |\n  d: e\n",
        "a : b\n",
        "a: 'x\n\n  y'\n",
        "'a' : b\n",
        "a: b, c [d] {e}\n",
        "a: |2\n    b\n  c\nd: e\n",
        'a: "x\\\n\n  y"\n',
        "\ufeffa: b\n",
        "a\nb\n",
    ],
    ids=lambda text: text[:12],
)
def test_these_are_accepted(text: str) -> None:
    assert agrees(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &b c", "f:1:4: an anchor; write the value out where it is used"),
        ("a: b\nc: *b", "f:2:4: an alias; write the value out"),
        ("a: !!str b", "f:1:4: a tag; leave it out"),
        ("%YAML 1.2\n---\na: b", "f:1:1: a text cannot begin with %"),
        ("a: @b", "f:1:4: a text cannot begin with @"),
        ("a: `b", "f:1:4: a text cannot begin with `"),
        ("a: b\n---\nc: d", "f:2:1: another document, or the end of one"),
        ("a: [b\n---\n", "f:2:1: another document, or the end of one"),
        ("--- a\n", "f:1:4: text behind ---"),
        ("a: b\n  c: d", "f:2:4: a key within a text of several lines"),
        ("a: 'b'\n  c: d", "f:2:3: this does not belong to what stands before it: look at its indentation"),
        ("a:\n- b\n  - c: d", "f:3:6: a key within a text of several lines"),
        ("a: b\n- c", "f:2:1: this does not belong to what stands before it: look at its indentation"),
        ("a: b: c", "f:1:5: a second key on one line"),
        ("\na: b: c", "f:2:5: a second key on one line"),
        ("a: - b", "f:1:4: a list must begin on a line of its own"),
        ("a: b\nc", "f:2:1: a key with a colon and a space behind it is missing"),
        ("a: b\nc: 'd' e", "f:2:8: this does not belong to what stands before it"),
        ("a:\n\t- b", "f:2:1: a tab; use spaces"),
        ("a: b\tc", "f:1:5: a tab; use spaces, or put the text in quotes"),
        ("a: \x07", "f:1:4: a character that YAML does not allow"),
        ("a: b\rc: d", "f:1:5: a lone return"),
        ("a: [b", "f:1:4: this bracket is never closed"),
        ("a: [b c: d]", "f:1:8: a comma or ] is missing before this"),
        ("a: {b}", "f:1:5: a key with a colon behind it is missing"),
        ("a: [b?]", "f:1:6: a question mark within brackets"),
        ("a: 'b", "f:1:4: this quote is never closed"),
        ('a: "b', "f:1:4: this quote is never closed"),
        ("a: 'b\n---\n'", "f:1:6: another document begins within quotes"),
        ('a: "b\n...\n"', "f:1:6: another document begins within quotes"),
        ('a: "\\q"', "f:1:5: an escape that YAML does not know"),
        ('a: "\\U00110000"', "f:1:5: an escape of no character"),
        ('"a\n b": c', "f:1:1: a key must stand on one line"),
        ("<<: a", "f:1:1: a merge of mappings"),
        ("? a", "f:1:1: ? does not belong here"),
        ("[a]: b", "f:1:1: a key must be a simple text"),
        ("b: c\n[a]: d", "f:2:1: a key with a colon and a space behind it is missing"),
        ("a\n---\nb", "f:2:1: another document, or the end of one"),
        ("|\n---\n", "f:2:1: another document, or the end of one"),
        ("a: [-]", "f:1:5: - does not belong here"),
        ("a: b\n  # c\n  d", "f:3:3: this does not belong to what stands before it"),
        ("a: |x\n  b", "f:1:4: | and > are followed by"),
        ("a: | b", "f:1:5: text behind | or >"),
        ("a: |\n    \n  b\n", "f:3:3: blank lines above it are indented deeper"),
        ("a: 'b'#c", "f:1:7: a comment needs a space before it"),
        ("a" * 1025 + ": b", "f:1:1: a key must stand on one line"),
        ("[" * 101, "f:1:100: more than 100 levels"),
        ("[[], [], " + "[" * 99, "f:1:108: more than 100 levels"),
        ("- a\n" * 9 + "- " * 101, "f:10:201: more than 100 levels"),
        ("- " * 101, "f:1:201: more than 100 levels"),
        ("a: b\n# c\n  d", "f:3:3: this does not belong to what stands before it: look at its indentation"),
        ("'a'\nb", "f:2:1: this does not belong to what stands before it: look at its indentation"),
        ("a: b\n \tc", "f:2:2: a tab; use spaces"),
        ("a:\n  b: c\n - d", "f:3:2: this does not belong to what stands before it: look at its indentation"),
    ],
)
def test_what_is_refused_is_told_with_its_place(text: str, words: str) -> None:
    with pytest.raises(ApiServerError) as told:
        Reader(text, "f").root()
    assert words in str(told.value)
