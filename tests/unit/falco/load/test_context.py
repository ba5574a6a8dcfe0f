"""Where something is as Falco prints it: lines, columns and offsets, which count bytes, also within a condition."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.context import Context
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.nodes import Mark

RULE = Context.of_file("f").at(Mark(1, 2, 9), "rule", "R")
CONDITION = RULE.at(Mark(2, 13, 30), "rule condition")


@pytest.mark.parametrize(
    ("condition", "index", "name", "place"),
    [
        ("evt.type = open", 0, '"evt.type = open"', (3, 14, 30)),
        ("evt.type = open", 5, '"evt.type = open"', (3, 19, 35)),
        # behind its end it counts on
        ("evt.type = open", 17, '"evt.type = open"', (3, 31, 47)),
        ("a\nbcd", 3, '"a bcd"', (4, 15, 33)),
        ("a\r\nb", 4, '"a  b"', (5, 15, 34)),
        ("\u00e9 = x", 3, '"\u00e9 = x"', (3, 18, 34)),
        # up to 20 bytes are shown
        ("x" * 20, 0, f'"{"x" * 20}"', (3, 14, 30)),
        ("x" * 21, 0, f'"{"x" * 17}..."', (3, 14, 30)),
        ("\u00e9" * 11, 0, '"' + "\u00e9" * 8 + '\ufffd..."', (3, 14, 30)),
    ],
)
def test_a_place_in_a_condition(condition: str, index: int, name: str, place: tuple[int, int, int]) -> None:
    found = CONDITION.in_condition(index, condition).locations[-1]
    assert (found.name, (found.mark.line, found.mark.column, found.mark.index)) == (name, place)


def test_a_condition_as_a_whole_is_counted_from_nought() -> None:
    mark = CONDITION.in_condition(0, "a = b", whole=True).locations[-1].mark
    assert (mark.line, mark.column, mark.index) == (2, 13, 30)


def test_the_text_that_lists_made_is_counted_in() -> None:
    found = CONDITION.in_condition(12, "in (l)", parsed="in (a, b, c)").locations[-1]
    assert (found.name, found.mark.line, found.mark.column, found.mark.index) == ('"in (l)"', 3, 26, 42)


def test_places_in_a_file_are_those_of_its_bytes() -> None:
    text = "a: \u00e9\u00e9\n- \u00e9: b = c\n"
    start = text.index("b = c")
    context = Context.of_file("f").at(Mark(1, start - text.index("- "), start), "rule condition")
    printed = context.in_condition(4, "b = c").to_json({"f": text})["locations"]
    assert [(one["position"]["line"], one["position"]["column"], one["position"]["offset"]) for one in printed] == [
        (0, 0, 0),
        (1, 6, len(text[:start].encode())),
        (2, 11, len(text[:start].encode()) + 4),
    ]
    assert [(one["item_type"], one["position"]["name"]) for one in printed][2] == ("condition expression", '"b = c"')


def test_the_outermost_thing_that_has_a_name_is_what_is_told() -> None:
    assert RULE.at(Mark(0, 0, 0), "exception", "e").item == ("rule", "R")
    assert Context.of_file("f").item == ("rules content", "")
    assert Context.of_file("f").at(Mark(0, 0, 0), "rule").item == ("rule", "")
