"""A picture of a matrix: where its cells and words are, and what they say."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from itertools import combinations
from typing import NamedTuple

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.show.heatmap import (
    CELL,
    CHARACTER,
    MAX_LABELS,
    SMALL_CELL,
    STEPS,
    WORDS,
)
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.show.render import render

from .test_table import line

SVG = "{http://www.w3.org/2000/svg}"
LINES = [
    line("prod/Deployment/web", "prod/Deployment/api"),
    line("ops/Deployment/tool", "prod/Deployment/web", "all", "all"),
    line("10.0.0.0/8", "prod/Deployment/web"),
    line("10.0.0.0/8", "ops/Deployment/tool"),
    line("192.0.2.1-192.0.2.9", "prod/Deployment/web"),
    line("fd00::/8", "prod/Deployment/web"),
    line("prod/Deployment/web", "192.0.2.0/24"),
]


class Box(NamedTuple):
    """A rectangle with its tooltip."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    tip: str

    def overlaps(self, other: Box) -> bool:
        across = self.x < other.x + other.width and other.x < self.x + self.width
        return across and self.y < other.y + other.height and other.y < self.y + self.height


def boxes(root: ElementTree.Element) -> list[Box]:
    """All rectangles but the background."""
    found = []
    for one in root.iter(f"{SVG}rect"):
        if "x" in one.attrib:
            x, y, width, height = (float(one.attrib[name]) for name in ("x", "y", "width", "height"))
            found.append(Box(x, y, width, height, one.attrib["fill"], one.findtext(f"{SVG}title") or ""))
    return found


def picture(lines: list[dict[str, str]] = LINES) -> ElementTree.Element:
    return ElementTree.fromstring(render(lines, "svg"))


def size(root: ElementTree.Element) -> tuple[float, float]:
    return float(root.attrib["width"]), float(root.attrib["height"])


def many(number: int) -> list[dict[str, str]]:
    return [line("prod/web", f"prod/db-{one:03}") for one in range(number)]


@pytest.mark.parametrize("lines", [LINES, many(MAX_LABELS), many(MAX_LABELS + 1)], ids=["few", "many", "small"])
def test_everything_is_within_the_picture_and_nothing_over_another(lines: list[dict[str, str]]) -> None:
    root = picture(lines)
    width, height = size(root)
    found = boxes(root)
    for one in found:
        assert 0 <= one.x < one.x + one.width <= width
        assert 0 <= one.y < one.y + one.height <= height
    several = found if len(found) < 300 else [*found[:150], *found[-150:]]
    assert not any(one.overlaps(other) for one, other in combinations(several, 2))
    for text in root.iter(f"{SVG}text"):
        if "x" in text.attrib:
            assert 0 <= float(text.attrib["x"]) <= width
            assert 0 <= float(text.attrib["y"]) <= height


def test_names_stand_beside_their_rows_and_over_their_columns_and_have_room() -> None:
    root = picture([*LINES, line("prod/Deployment/web", f"prod/Deployment/{'w' * 90}")])
    width, _height = size(root)
    cells = [one for one in boxes(root) if one.tip]
    rows = {one.tip.split(" → ")[0]: one for one in cells}
    columns = {one.tip.split(" → ")[1].rpartition(": ")[0]: one for one in cells}
    first_x, first_y = min(one.x for one in cells), min(one.y for one in cells)
    seen = 0
    for text in root.iter(f"{SVG}text"):
        name = text.text or ""
        if text.attrib.get("text-anchor") == "end":
            box, seen = rows[name], seen + 1
            assert box.y < float(text.attrib["y"]) < box.y + box.height
            assert len(name) * CHARACTER <= float(text.attrib["x"]) < first_x
        elif "transform" in text.attrib:
            placed = re.match(r"translate\(([0-9.]+) ([0-9.]+)\)", text.attrib["transform"])
            assert placed is not None
            box, seen = columns[name], seen + 1
            assert box.x < float(placed[1]) < box.x + box.width
            assert len(name) * CHARACTER * 0.7 <= float(placed[2]) < first_y
            assert float(placed[1]) + len(name) * CHARACTER * 0.7 <= width
    assert seen == len(rows) + len(columns)


def test_a_picture_without_names_leaves_no_room_for_them() -> None:
    cells = [one for one in boxes(picture(many(MAX_LABELS + 1))) if one.tip]
    assert (min(one.x for one in cells), min(one.y for one in cells)) == (24, 64)
    assert {one.width for one in cells} < {float(number) for number in range(1, SMALL_CELL)}


def test_namespaces_stand_apart_and_the_ends_of_one_do_not() -> None:
    columns = [
        line("a/web", name) for name in ("a/db", "a/web", "b/x", "b/y", "10.0.0.0/8", "1.1.1.1-1.1.1.9", "fd00::/8")
    ]
    places = sorted({one.x for one in boxes(picture(columns)) if one.tip.startswith("a/web")})
    steps = [round(after - before, 1) for before, after in zip(places, places[1:])]
    apart = round(CELL * 4 / 3, 1)
    assert steps == pytest.approx([CELL, apart, CELL, apart, CELL, CELL], abs=0.11)
    plain = [line("prod", name) for name in ("dev", "ops", "prod")]
    places = sorted({one.x for one in boxes(picture(plain)) if one.tip})
    assert [places[1] - places[0], places[2] - places[1]] == pytest.approx([CELL, CELL])


def test_every_pair_says_what_may_connect() -> None:
    tips = {one.tip: one.fill for one in boxes(picture()) if one.tip}
    assert tips["prod/Deployment/web → prod/Deployment/api: TCP 80"] == STEPS[1]
    assert tips["prod/Deployment/web → ops/Deployment/tool: nothing"] == STEPS[0]
    assert tips["prod/Deployment/web → prod/Deployment/web: itself"] == "#ffffff"
    assert tips["prod/Deployment/web → 192.0.2.0/24: TCP 80"] == STEPS[1]
    assert tips["ops/Deployment/tool → 192.0.2.0/24: nothing"] == STEPS[0]
    assert not any(tip.startswith("10.0.0.0/8 → 192.0.2.0/24") for tip in tips)


def test_the_key_says_what_each_step_is() -> None:
    root = picture()
    key = [one for one in boxes(root) if not one.tip]
    assert [one.fill for one in key] == list(STEPS)
    assert min(one.y for one in key) > max(one.y + one.height for one in boxes(root) if one.tip)
    words = {text.text: float(text.attrib["y"]) for text in root.iter(f"{SVG}text") if text.text in WORDS}
    assert [box.y < words[word] < box.y + box.height for box, word in zip(key, WORDS)] == [True] * len(WORDS)
