"""The reader that stands for yaml-cpp: what it takes, and what it refuses with yaml-cpp's message, and where.

Messages: `include/yaml-cpp/exceptions.h` of https://github.com/jbeder/yaml-cpp.
"""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.cpp import read_documents
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.nodes import MAP, SEQUENCE, Yaml, YamlError


def plain(node: Yaml) -> Any:
    if node.kind == SEQUENCE:
        return [plain(item) for item in node.value]
    if node.kind == MAP:
        return {plain(key): plain(value) for key, value in node.value}
    return node.value


def read(text: str) -> list[Any]:
    return [plain(document) for document in read_documents(text)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", []),
        ("a", ["a"]),
        ("--- a\n...\n--- b\n", ["a", "b"]),
        ("a\n--- ~\n--- b\n", ["a"]),  # a null document is the end
        ("%YAML 1.2\n---\na", ["a"]),
        ("%TAG ! tag:x,2026:\n---\na", ["a"]),
        ("- a\n-\n- ~\n- ''\n-", [["a", None, None, "", None]]),
        ("a: b\nc:\nd: null", [{"a": "b", "c": None, "d": None}]),
        ("a:\n- b\n- c: d\n  e: f\n", [{"a": ["b", {"c": "d", "e": "f"}]}]),
        ("? a\n: b\n? c\n", [{"a": "b", "c": None}]),
        (": b\n", [{None: "b"}]),
        ("[a, [b], {c: d, e}, f: g, 'h', ]", [["a", ["b"], {"c": "d", "e": None}, {"f": "g"}, "h"]]),
        ("[? a : b]", [[{"a": "b"}]]),
        ("{'a':b, ? c : d}", [{"a": "b", "c": "d"}]),
        ("- &x [a]\n- *x\n- &y !!str ~\n- *y\n- &z\n", [[["a"], ["a"], "~", "~", None]]),
        ("- !t\n- !<tag:x> a\n- !a!b c\n", [["", "a", "c"]]),
        ("a: b # c\n# d\ne: f#g\n", [{"a": "b", "e": "f#g"}]),
        ("a: b\n  c\n\n  d\n", [{"a": "b c\nd"}]),
        ("a: |\n  b\n   c\n\nd: >-\n  e\n  f\n\n", [{"a": "b\n c\n", "d": "e f"}]),
        ("a: |+\n  b\n\n", [{"a": "b\n\n"}]),
        ("a: |1-  # two blanks stay one\n  b\n", [{"a": " b"}]),
        ("'it''s'", ["it's"]),
        ('"a\\tb\\x41\\u00e9\\U0001F600\\\n  c\\"\\\\"', ["a\tbA\u00e9\U0001f600c\"\\"]),
        ("a: b\r\nc: d\r\n", [{"a": "b", "c": "d"}]),
        ("\ufeffa: b", [{"a": "b"}]),
        ("%FOO bar\n---\na", ["a"]),  # a directive that nobody knows is passed over
        ("%YAML 1.2 # c\n---\na", ["a"]),
        ("[: b]", [[{None: "b"}]]),
        ("- &x {a: [b]}\n- *x\n", [[{"a": ["b"]}, {"a": ["b"]}]]),
        ("- !t", [[""]]),
        ("!t", []),
        ("- !a!b", [[""]]),
        ("' '", [" "]),
        ("'a\n\n\n'", ["a\n"]),  # of the line breaks at the end one is left
        ("a: b\n # c\nd: e", [{"a": "b", "d": "e"}]),
        ("- a\n \tb", [["a b"]]),
        ("a: |\n  b\0nc\n", [{"a": "b\nc\n"}]),  # NUL begins an escape where nothing else does
        ("a: |", [{"a": ""}]),
        ("|\n b\n", ["b\n"]),
        ("a: >\n  b\n\n    c\n\n  d\n  e\n", [{"a": "b\n\n  c\n\nd e\n"}]),
        ("a: |\n  b", [{"a": "b"}]),
        # Only behind what is quoted, or a flow, does a colon need no blank.
        ("[:b, :c, &a :d, !t :e]", [[":b", ":c", ":d", ":e"]]),
        ("[{f: :g}, ? :h, 'i':j]", [[{"f": ":g"}, {":h": None}, {"i": "j"}]]),
        ("a: |\n\n\n", [{"a": ""}]),
        ("'a \n b'", ["a b"]),
        ("- 'a\n", [["a "]]),  # a text that ends behind a line break closes what is quoted, by accident
        ('"a\n\n b \n c"', ["a\nb c"]),
        ('"\n\n"', [""]),
        ('"\\n"', ["\n"]),
        ("[&a , b]", [[None, "b"]]),
        (f"{'a' * 1024}: b", [{"a" * 1024: "b"}]),
    ],
)  # fmt: skip
def test_what_is_read(text: str, value: list[Any]) -> None:
    assert read(text) == value


def test_a_key_that_is_there_twice_is_kept_twice() -> None:
    (document,) = read_documents("a: b\na: c\n")
    assert [(plain(key), plain(value)) for key, value in document.value] == [("a", "b"), ("a", "c")]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_in_another_encoding_is_known_by_its_first_bytes(encoding: str, mark: str) -> None:
    raw = f"{mark}- caf\u00e9\n".encode(encoding)
    assert read(raw.decode("utf-8", "surrogateescape")) == [["caf\u00e9"]]


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("%YAML\n---\na", 1, 1, "YAML directives must have exactly one argument"),
        ("%YAML 1.2\n%YAML 1.2\n---\na", 2, 1, "repeated YAML directive"),
        ("%YAML x\n---\na", 1, 1, "bad YAML version: x"),
        ("%YAML 2.0\n---\na", 1, 1, "YAML major version too large"),
        ("%TAG !\n---\na", 1, 1, "TAG directives must have exactly two arguments"),
        ("%TAG ! a\n%TAG ! b\n---\na", 2, 1, "repeated TAG directive"),
        ("- !a !b c", 1, 6, "cannot assign multiple tags to the same node"),
        ("- &a &b c", 1, 6, "cannot assign multiple anchors to the same node"),
        ("- *a", 1, 3, "the referenced anchor is not defined: a"),
        ("- & a", 1, 4, "anchor not found after &"),
        ("- *", 1, 4, "alias not found after *"),
        ("- &a[", 1, 5, "illegal character found while scanning anchor"),
        # At the end of a text yaml-cpp begins to count columns anew.
        ("[a, b", 1, 1, "end of sequence flow not found"),
        ("[a, 'b' 'c']", 1, 9, "end of sequence flow not found"),
        ("{a: b", 1, 1, "end of map flow not found"),
        ("[a}", 1, 3, "illegal flow end"),
        ("]", 1, 1, "illegal flow end"),
        ("[a,\n, b]", 2, 1, "illegal block entry"),
        ("a: - b", 1, 4, "illegal block entry"),
        ("[- a]", 1, 2, "illegal block entry"),
        (f"{'a' * 1025}: b", 1, 1026, "illegal map value"),
        ("!t - a", 1, 4, "illegal block entry"),
        ("'a' 'b'", 1, 5, "unexpected scalar"),
        ("a: b: c", 1, 5, "illegal map value"),
        ("a: ? b", 1, 4, "illegal map key"),
        # After a document's mark, a flow's end, a quoted value and a tab no key and no entry can begin.
        ("--- a: 1", 1, 6, "illegal map value"),
        ("--- - a", 1, 5, "illegal block entry"),
        ("[a] - c", 1, 5, "illegal block entry"),
        ("[a] ? c", 1, 5, "illegal map key"),
        ("a: 'b': c", 1, 7, "illegal map value"),
        ("'b' - c", 1, 5, "illegal block entry"),
        ("a:\n\tb: 1", 2, 3, "illegal map value"),
        ("a:\n\t- b", 2, 2, "illegal block entry"),
        ("a: @b", 1, 4, "unknown token"),
        ("a: |0\n  b", 1, 6, "cannot set zero indentation for a block scalar"),
        ("a: | b\n", 1, 6, "unexpected character in block scalar"),
        ("a: b\n- c\n", 2, 1, "end of map not found"),
        ("{a: ", 1, 1, "end of map flow not found"),
        ("{a: b,", 1, 1, "end of map flow not found"),
        ("{a: 'b' 'c'}", 1, 9, "end of map flow not found"),
        ("[&a", 1, 1, "end of sequence flow not found"),
        ("- , a", 1, 3, "end of sequence not found"),
        ("'a', b", 1, 4, "unexpected scalar"),
        ("'a\n--- b'", 2, 1, "illegal document indicator in scalar"),
        ('"a', 1, 3, "illegal EOF in scalar"),
        ('"\\q"', 1, 4, "unknown escape character: q"),
        ('"\\xg0"', 1, 6, "bad character found while scanning hex number"),
        ('"\\x4', 1, 5, "bad character found while scanning hex number"),
        ('"\\ud800"', 1, 8, "invalid unicode: 55296"),
        ('"\\U00110000"', 1, 12, "invalid unicode: 1114112"),
        ("a: b\n\tc\n", 2, 1, "illegal tab when looking for indentation"),
        ("a: |2\n\tb\n", 2, 1, "illegal tab when looking for indentation"),
        ("- !a.b!c d", 1, 5, "illegal character found while scanning tag handle"),
        ("- !<a b> c", 1, 6, "end of verbatim tag not found"),
        ("- !<a", 1, 6, "end of verbatim tag not found"),
        ("- !a! b", 1, 6, "tag handle with no suffix"),
    ],
)
def test_what_is_refused_and_where(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(YamlError) as caught:
        read(text)
    found = caught.value
    assert found.message == f"yaml-cpp: error at line {line}, column {column}: {message}"
    assert (found.line, found.column) == (line - 1, column - 1)
