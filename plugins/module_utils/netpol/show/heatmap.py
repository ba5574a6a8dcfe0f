# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A matrix as one self-contained SVG: a row for each source, a column for each destination, darker is more open.

No scripts, fonts or references to anything outside. Every cell carries its words as a tooltip, the steps differ in
lightness so that they survive greyscale, and nothing in names can leave the text it stands in.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from ..errors import NetpolError
from ..model.ports import summary
from .table import Table, is_address, namespace_of, openness

#: Fill of each step of openness.
STEPS = ("#f3f4f6", "#bfdbf7", "#6ea8dc", "#2c6fad", "#0b2f57")
WORDS = ("nothing", "one or two ports", "some ports", "many ports or a whole protocol", "everything")
#: Pixels of a cell, a label's line, and one character of a label.
CELL, SMALL_CELL, CHARACTER = 22, 6, 6.6
#: Beyond this many ends on a side, cells are small and have no labels.
MAX_LABELS = 120
MAX_ENDS = 600


def heatmap(table: Table, title: str) -> str:
    """The SVG document.

    Raises:
        NetpolError: more ends than a picture can show.
    """
    if max(len(table.sources), len(table.destinations)) > MAX_ENDS:
        raise NetpolError(f"more than {MAX_ENDS} ends: group the matrix by namespace for a picture")
    labelled = max(len(table.sources), len(table.destinations)) <= MAX_LABELS
    cell = CELL if labelled else SMALL_CELL
    left = 24 + (max((len(name) for name in table.sources), default=4) * CHARACTER if labelled else 0)
    top = 64 + (max((len(name) for name in table.destinations), default=4) * CHARACTER * 0.72 if labelled else 0)
    columns = _places(table.destinations, cell, left)
    rows = _places(table.sources, cell, top)
    slope = max((len(name) for name in table.destinations), default=0) * CHARACTER * 0.72 if labelled else 0
    width = max([left + 320, *(x + cell + slope + 16 for x in columns.values())])
    bottom = max([top, *(y + cell for y in rows.values())])
    height = bottom + 28 + 18 * len(STEPS) + 12
    open_pairs = len(table.cells)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" font-family="system-ui, sans-serif" font-size="11">',
        f"<title>{escape(title)}</title>",
        f"<desc>{len(table.sources)} sources in rows, {len(table.destinations)} destinations in columns, "
        f"{open_pairs} pairs may connect.</desc>",
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
        f'<text x="24" y="30" font-size="16" font-weight="600" fill="#111827">{escape(title)}</text>',
        '<text x="24" y="48" fill="#4b5563">rows send, columns receive; darker is more open</text>',
    ]
    if labelled:
        for name, x in columns.items():
            anchor = f"{x + cell / 2 + 4:.1f} {top - 6:.1f}"
            parts.append(
                f'<text transform="translate({anchor}) rotate(-45)" fill="#111827"'
                f"{_italic(is_address(name))}>{escape(name)}</text>"
            )
        for name, y in rows.items():
            parts.append(
                f'<text x="{left - 8:.1f}" y="{y + cell / 2 + 4:.1f}" text-anchor="end" fill="#111827"'
                f"{_italic(is_address(name))}>{escape(name)}</text>"
            )
    gap = 2 if labelled else 1
    for source, y in rows.items():
        for destination, x in columns.items():
            texts = table.cells.get((source, destination), ())
            if source == destination and not texts:
                fill, words = "#ffffff", "itself"
            elif is_address(source) and is_address(destination):
                continue
            else:
                fill, words = STEPS[openness(texts)], summary(texts)
            place = f'x="{x:.1f}" y="{y:.1f}" width="{cell - gap}" height="{cell - gap}" fill="{fill}"'
            tip = f"{source} → {destination}: {words}"
            parts.append(f"<rect {place}><title>{escape(tip)}</title></rect>")
    for step, (fill, words) in enumerate(zip(STEPS, WORDS)):
        y = bottom + 22 + 18 * step
        parts.append(f'<rect x="24" y="{y:.1f}" width="14" height="14" fill="{fill}" stroke="#9ca3af"/>')
        parts.append(f'<text x="46" y="{y + 11:.1f}" fill="#374151">{words}</text>')
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _italic(address: bool) -> str:
    return ' font-style="italic"' if address else ""


def _places(names: Sequence[str], cell: float, start: float) -> dict[str, float]:
    """Where each row or column begins, with a gap between namespaces, and between these and addresses."""
    places: dict[str, float] = {}
    position = start
    before = (False, "")
    for name in names:
        kind = is_address(name), namespace_of(name)
        if places and kind != before:
            position += cell / 3
        before = kind
        places[name] = position
        position += cell
    return places
