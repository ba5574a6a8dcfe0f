#!/usr/bin/env python3
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw the packages of module_utils and their rooms in docs/architecture.md, from the imports themselves.

Usage:
    python3 tools/rooms.py          print the pictures
    python3 tools/rooms.py --write  put them into docs/architecture.md

An arrow means: imports. One that a longer way says already is left out.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UTILS = ROOT / "plugins" / "module_utils"
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- rooms: by tools/rooms.py -->", "<!-- end of rooms -->"
#: Packages whose rooms are drawn.
WITH_ROOMS = ("falco", "netpol", "probe")
#: Packages of module_utils that talk to a cluster, read a node or a disk; every other one is a core.
IMPURE = frozenset(
    {
        "kube",
        "node",
        "files",
        "live_apiserver",
        "live_falco",
        "live_netpol",
        "live_objects",
        "probe",
        "gate",
        "incident",
        "live_respond",
    }
)

Arrows = dict[str, set[str]]


def cores() -> list[str]:
    """The packages of module_utils that are cores, by name."""
    return sorted(path.parent.name for path in UTILS.glob("*/__init__.py") if path.parent.name not in IMPURE)


def arrows(top: Path) -> Arrows:
    """Each folder (or file) right below a folder, with those beside it that it imports, late imports included."""
    names = {path.stem for path in top.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    names -= {"__init__", "errors", "codes"}
    found: Arrows = {name: set() for name in names}
    for path in top.rglob("*.py"):
        inside = path.relative_to(top).parts
        own = inside[0].removesuffix(".py")
        if own not in found:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            # Names as seen from the folder: as many dots as there are folders between lead to it.
            if not isinstance(node, ast.ImportFrom) or node.level != len(inside):
                continue
            targets = [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
            found[own] |= {target for target in targets if target in names and target != own}
    return found


def reduced(graph: Arrows) -> Arrows:
    """The arrows that no longer way says already."""

    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = list(graph[start])
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += graph[name]
        return seen

    return {
        name: {one for one in targets if not any(one in reach(other) for other in targets - {one})}
        for name, targets in graph.items()
    }


def mermaid(graph: Arrows) -> str:
    """A Mermaid graph; what nothing leads to or from stands alone."""
    lines = ["```mermaid", "graph TD"]
    linked = {name for name, targets in graph.items() if targets} | {one for some in graph.values() for one in some}
    for name, targets in sorted(reduced(graph).items()):
        lines += [f"  {name} --> {target}" for target in sorted(targets)]
        if name not in linked:
            lines.append(f"  {name}")
    return "\n".join([*lines, "```"])


def door(package: Path) -> str:
    """The first line of what a package says of itself."""
    return (ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or "").split("\n")[0]


def pictures() -> str:
    """All pictures and the list of rooms as Markdown."""
    parts = [mermaid(arrows(UTILS))]
    for name in WITH_ROOMS:
        parts.append(f"`{name}`: {door(UTILS / name)}\n\n{mermaid(arrows(UTILS / name))}")
        rooms = sorted(path.parent for path in (UTILS / name).glob("*/__init__.py"))
        parts.append("\n".join(["| Room | |", "|---|---|", *(f"| `{room.name}` | {door(room)} |" for room in rooms)]))
    return "\n\n".join(parts)


def page(text: str) -> str:
    """The page with the pictures of now."""
    before, _begin, rest = text.partition(BEGIN)
    _old, _end, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{pictures()}\n\n{END}{after}"


def main() -> None:
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page(PAGE.read_text()))
    else:
        print(pictures())


if __name__ == "__main__":
    main()
