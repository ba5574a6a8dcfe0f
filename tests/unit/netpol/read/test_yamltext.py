"""Reading manifests: the quick reader says what libyaml says, and everything has its line."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read import yamltext
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.yamlfast import NotSimpleError, Reader
from hypothesis import given, settings
from hypothesis import strategies as st

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 70000),
    st.sampled_from(
        ["", "on", "No", "1.5", "1e3", "0x1F", "017", "1_000", "~", "null", "Null", "nullable", "true.x", "-"]
    ),
    st.sampled_from(
        ["a: b", "a #b", "x:", "- x", "10.0.0.0/8", "::/0", "2026-01-01", "8:30", "'q'", '"', "{a}", "[b", "*"]
    ),
    st.sampled_from(
        ["prod", "kubernetes.io/metadata.name", "v1", "--flag=1", "a,b", "y", "=", "<<", ".5", "é", "tab\there"]
    ),
    st.text(alphabet="ab1-:.#{}[]\"' \n", max_size=6),
)
keys = st.one_of(
    st.sampled_from(["a", "app", "k8s.io/x", "on", "1", "true", "x y", "-", "~"]), st.text("ab.-/:", max_size=4)
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=8,
)


def whole(text: str) -> Any:
    return yamltext._load_whole(text)


@settings(max_examples=400, deadline=None)
@given(values, st.booleans(), st.sampled_from([2, 4]))
def test_the_quick_reader_agrees_with_libyaml_on_what_it_reads(value: Any, flow: bool, indent: int) -> None:
    text = yaml.safe_dump(value, default_flow_style=None if flow else False, indent=indent, allow_unicode=True)
    try:
        quick = Reader(whole).read(text)
    except NotSimpleError:
        return
    slow = whole(text)
    assert (quick, repr(quick)) == (slow, repr(slow))


@pytest.mark.parametrize(
    "text",
    [
        "a:\n- b\n-  c: 1\n   d: 2\n-\n",
        "a: 1\n  b: 2\n",
        "a:\n    b: 1\n  c: 2\n",
        "- - a\n",
        "a: >\n  text\n",
        "a: &x 1\nb: *x\n",
        "a: 1 # why\n",
        "a: 'it''s'\n",
        "---\n",
        "--- a\n",
        "a: b\n...\n",
        "a:\nb:\n  - c\n- d\n",
        "? a\n: b\n",
        "key: value\n continued\n",
        "a:\n\n  # comment\n  b: [x, y]\n  c: {}\n",
    ],
)
def test_unusual_documents_are_read_like_libyaml_or_left_to_it(text: str) -> None:
    try:
        quick = Reader(whole).read(text)
    except NotSimpleError:
        return
    assert quick == whole(text)


def test_documents_are_numbered_and_a_broken_one_does_not_hide_the_rest() -> None:
    found = list(yamltext.read("# Source: chart\n---\na: 1\n---\n---\nb: [\n---\nc: 3\n"))
    assert [(d.number, d.line, d.value) for d in found if isinstance(d, yamltext.Document)] == [
        (1, 3, {"a": 1}),
        (4, 8, {"c": 3}),
    ]
    broken = next(d for d in found if isinstance(d, yamltext.TextError))
    assert (broken.number, broken.line) == (3, 7)


def test_dates_and_times_are_strings_as_for_the_api_server() -> None:
    (document,) = yamltext.read("a: 2026-01-01\nb: 8:30\nc: 0o17\nd: 1_0\ne: 010\n")
    assert document.value == {"a": "2026-01-01", "b": "8:30", "c": "0o17", "d": 10, "e": 8}


def test_json_is_read_too() -> None:
    (document,) = yamltext.read('{"kind": "List", "items": []}')
    assert document.value == {"kind": "List", "items": []}


def test_a_path_has_its_line() -> None:
    text = "---\nkind: A\n---\nspec:\n  ingress:\n  - from:\n    - podSelector: {}\n"
    text += "    ports:\n    - port: 80\n      endPort: 70\n"
    assert yamltext.locate(text, 2, "spec.ingress[0].ports[0].endPort") == 10
    assert yamltext.locate(text, 2, "spec.ingress[0].ports[7]") == 8
    assert yamltext.locate(text, 2, "metadata.name") == 4


@pytest.mark.parametrize("text", ["a: ...\n", "a:\n  - ...\n", "a: ...b\n", "a: [...]\n", "a: ---\n"])
def test_marks_of_documents_may_be_values(text: str) -> None:
    (document,) = yamltext.read(text)
    assert document.value == yaml.safe_load(text)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a: 1\nb: [\n", 3, 1, "did not find expected node content (while parsing a flow node)"),
        ("a: 1\n\tb: 2\n", 2, 1, "found a tab character that violates indentation (while scanning a plain scalar)"),
        ("a: \x07\n", 1, 1, "unacceptable character #x0007: control characters are not allowed"),
        ("a: !!int x\n", 1, 1, "invalid literal for int() with base 10: 'x'"),
    ],
    ids=["an-open-bracket", "a-tab", "a-control-character", "no-number"],
)
def test_what_is_no_yaml_is_told_with_its_place(text: str, line: int, column: int, message: str) -> None:
    (found,) = yamltext.read(text)
    assert (found.line, found.column, found.message) == (line, column, message)
    assert str(found) == f"line {line}, column {column}: {message}"


def test_a_document_that_cannot_be_read_has_no_lines() -> None:
    assert yamltext.locate("a: [\n", 1, "a") is None
    assert yamltext.locate("a: 1\n", 2, "a") is None


def test_the_place_of_what_is_not_there_is_that_of_what_is_around_it() -> None:
    text = "a:\n  b: text\nc: null\n"
    assert yamltext.locate(text, 1, "a.b.c") == 2
    assert yamltext.locate(text, 1, "a[0]") == 1
    assert yamltext.locate(text, 1, "") == 1
    assert yamltext.locate("\ufeff\n", 1, "a") == 1


def test_a_document_begins_where_it_says_something() -> None:
    (document,) = yamltext.read("---\n# why\n\n# and how\na: 1\n")
    assert document.line == 5
    assert list(yamltext.read("---\n# nothing")) == []


def test_without_libyaml_texts_are_read_alike_and_what_nests_too_deep_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    monkeypatch.setattr(yamltext, "_LOADER", None)
    (document,) = yamltext.read("a: &x [2026-01-01, 8:30]\nb: *x\n")
    assert document.value == {"a": ["2026-01-01", "8:30"], "b": ["2026-01-01", "8:30"]}
    deep = "[" * 600
    (found,) = [one for one in yamltext.read(f"a: 1\n---\na: {deep}") if isinstance(one, yamltext.TextError)]
    assert (found.number, found.line, found.message) == (2, 2, "nested too deeply")
    assert yamltext.locate(f"a: {deep}", 1, "a") is None
