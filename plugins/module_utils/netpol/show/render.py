# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A matrix for people: aligned text, Markdown, CSV, Mermaid and DOT graphs. The heat map is in L(heatmap)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from ..errors import NetpolError
from ..model.ports import summary
from .heatmap import heatmap
from .table import Table, namespace_of, read_table

#: More ends than this on one side, and a grid is told as a list.
MAX_GRID = 12


def render(data: object, form: str = "text", title: str = "Connectivity", layout: str = "") -> str:
    """A table in one of the forms.

    Args:
        data: what netpol_analyze returned, or its list of connections.
        form: text, markdown, csv, mermaid, dot or svg.
        title: headline of the SVG, and name of the DOT graph.
        layout: C(grid) or C(list) for text and Markdown; by default a grid while it is narrow enough to read.

    Raises:
        NetpolError: an unknown form or layout, or data that is no matrix.
    """
    if layout not in ("", "grid", "list"):
        raise NetpolError(f"unknown layout {layout!r}: grid or list")
    table = read_table(data)
    forms: dict[str, Callable[[], str]] = {
        "text": lambda: _text(table, layout),
        "markdown": lambda: _markdown(table, layout),
        "csv": lambda: _csv(table),
        "mermaid": lambda: _mermaid(table),
        "dot": lambda: _dot(table, title),
        "svg": lambda: heatmap(table, title),
    }
    if form not in forms:
        raise NetpolError(f"unknown form {form!r}: one of {', '.join(forms)}")
    return forms[form]()


def _rows(table: Table, layout: str) -> list[list[str]]:
    """A headline and lines, as a grid of pairs or as a list of connections."""
    if not layout:
        layout = "grid" if len(table.destinations) <= MAX_GRID else "list"
    if layout == "list":
        lines = [["from", "to", "ports"]]
        for source in table.sources:
            for destination in table.destinations:
                if (source, destination) in table.cells:
                    lines.append([source, destination, summary(table.cells[(source, destination)])])
        return lines
    grid = [["from \\ to", *table.destinations]]
    for source in table.sources:
        line = [source]
        for destination in table.destinations:
            texts = table.cells.get((source, destination))
            line.append(summary(texts) if texts else "-" if source != destination else ".")
        grid.append(line)
    return grid


def _text(table: Table, layout: str) -> str:
    rows = _rows(table, layout)
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join(lines) + "\n"


def _markdown(table: Table, layout: str) -> str:
    rows = [[cell.replace("\\", "\\\\").replace("|", "\\|") for cell in row] for row in _rows(table, layout)]
    widths = [max(3, *(len(row[index]) for row in rows)) for index in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines) + "\n"


def _csv(table: Table) -> str:
    """RFC 4180; cells that a spreadsheet would take for a formula cannot occur in names and ports."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\r\n")
    writer.writerow(["from", "to", "protocol", "ports"])
    for (source, destination), texts in sorted(table.cells.items()):
        for protocol, ports in texts:
            writer.writerow([source, destination, protocol, ports])
    return output.getvalue()


def _groups(table: Table) -> dict[str, list[str]]:
    """Ends by namespace, those without one under an empty name."""
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys([*table.sources, *table.destinations]):
        groups.setdefault(namespace_of(name), []).append(name)
    return groups


def _mermaid(table: Table) -> str:
    ids = {name: f"n{index}" for index, name in enumerate(dict.fromkeys([*table.sources, *table.destinations]))}

    def quoted(text: str) -> str:
        return '"' + text.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;") + '"'

    lines = ["flowchart LR"]
    for number, (namespace, names) in enumerate(_groups(table).items()):
        if namespace:
            lines.append(f"  subgraph g{number}[{quoted(namespace)}]")
            lines.extend(f"    {ids[name]}[{quoted(name.split('/', 1)[1])}]" for name in names)
            lines.append("  end")
        else:
            lines.extend(f"  {ids[name]}({quoted(name)})" for name in names)
    for (source, destination), texts in sorted(table.cells.items()):
        lines.append(f"  {ids[source]} -->|{quoted(summary(texts))}| {ids[destination]}")
    return "\n".join(lines) + "\n"


def _dot(table: Table, title: str) -> str:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    lines = [f"digraph {quoted(title)} {{", "  rankdir=LR;", "  node [shape=box, style=rounded];"]
    for number, (namespace, names) in enumerate(_groups(table).items()):
        if namespace:
            lines.append(f"  subgraph cluster_{number} {{")
            lines.append(f"    label={quoted(namespace)};")
            lines.extend(f"    {quoted(name)} [label={quoted(name.split('/', 1)[1])}];" for name in names)
            lines.append("  }")
        else:
            lines.extend(f"  {quoted(name)} [shape=ellipse];" for name in names)
    for (source, destination), texts in sorted(table.cells.items()):
        lines.append(f"  {quoted(source)} -> {quoted(destination)} [label={quoted(summary(texts))}];")
    return "\n".join([*lines, "}"]) + "\n"
