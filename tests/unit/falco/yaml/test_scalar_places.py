"""Places of a scalar's characters in the file, against both readers and every style."""

from __future__ import annotations

from typing import Callable

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml import cpp
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.documents import read_documents
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.nodes import Yaml
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.places import place_in, places_in
from hypothesis import given
from hypothesis import strategies as st

STYLES = (
    "{}",
    "'{}'",
    '"{}"',
    "|\n    {}",
    ">-\n    {}",
    "|2\n    {}",
    "> # why\n\n\n    {}",
)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("read", [read_documents, cpp.read_documents], ids=["fast", "cpp"])
@given(words=st.lists(st.sampled_from(["a", "bb", "a.b", "(x,", "aa)"]), min_size=1, max_size=8), blanks=st.data())
def test_each_word_is_found(
    read: Callable[[str], list[Yaml]], style: str, words: list[str], blanks: st.DataObject
) -> None:
    gaps = st.sampled_from([" ", "  ", "\n    ", " \n\n    "])
    body = words[0] + "".join(blanks.draw(gaps) + word for word in words[1:])
    text = f"- k: {style.format(body)}\n  z: 1\n"
    node = read(text)[0].value[0].get("k")
    lines = text.split("\n")
    places = places_in(lines, node)
    assert places is not None
    assert len(places) == len(node.value) + 1
    assert [place_in(lines, node, offset) for offset in range(len(places))] == places
    found = [(lines[line][column], char) for (line, column), char in zip(places, node.value) if not char.isspace()]
    assert all(there == char for there, char in found)
    assert len({place for place, char in zip(places, node.value) if not char.isspace()}) == len(found)


@pytest.mark.parametrize(
    ("text", "word", "line", "column"),
    [
        ('- k: "a \\"b\\" c"', "c", 0, 14),
        ('- k: "a\\x41 b"', "b", 0, 12),
        ('- k: "a \\\n    b"', "b", 1, 4),
        ('- k: "a \\\n    \\\n    b"', "b", 2, 4),
        ('- k: "a\\\n    \\\n    b"', "b", 2, 4),
        # only as many of the lines behind it are looked at as it may stand in
        ("- k: |\n    a\n    b\n" + "  z: 1\n" * 20, "b", 2, 4),
        ("- k: 'it''s b'", "b", 0, 12),
        ("- k: !!str a b", "b", 0, 13),
        ("- k: &name a b", "b", 0, 13),
        ("- k: b", "", 0, 6),
    ],
)
def test_escapes_and_properties(text: str, word: str, line: int, column: int) -> None:
    node = read_documents(text)[0].value[0].get("k")
    assert node is not None
    places = places_in(text.split("\n"), node)
    assert places == [place_in(text.split("\n"), node, offset) for offset in range(len(node.value) + 1)]
    assert places is not None
    assert places[node.value.rindex(word)] == (line, column)


def test_what_has_no_text_or_is_not_in_the_lines_has_no_place() -> None:
    text = "- k: a b\n  l: [c]\n"
    entry = read_documents(text)[0].value[0]
    scalar, sequence = entry.get("k"), entry.get("l")
    assert places_in(text.split("\n"), scalar) == [(0, 5), (0, 6), (0, 7), (0, 8)]
    for lines, node in [
        (text.split("\n"), sequence),
        ([], scalar),  # the file was cut
        (["- k: a", ""], scalar),
        (["- k: a x", ""], scalar),  # the file was changed
    ]:
        assert places_in(lines, node) is None
        assert place_in(lines, node, 2) is None
