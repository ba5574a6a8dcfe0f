#!/usr/bin/env python3
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the table of triggers in docs/triggers.md from the catalogue.

Usage:
    python3 tools/trigger_table.py          write nothing; exit 1 if the page differs
    python3 tools/trigger_table.py --write  put the table into the page
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = ROOT / "plugins" / "module_utils" / "alerts" / "triggers" / "catalogue.py"
PAGE = ROOT / "docs" / "triggers.md"
BEGIN, END = "<!-- catalogue: by tools/trigger_table.py -->", "<!-- end of catalogue -->"


def catalogue() -> ModuleType:
    """The catalogue, which imports nothing of the collection, so that it needs no path of collections."""
    spec = importlib.util.spec_from_file_location("trigger_catalogue", CATALOGUE)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(CATALOGUE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def rows() -> Iterator[str]:
    """Lines of the table."""
    yield "| Trigger | Rule | What is done |"
    yield "|---|---|---|"
    for entry in catalogue().CATALOGUE:
        rule = f"`{entry.rule}`" if entry.rule else "none"
        needs = f" Needs {entry.needs}." if entry.needs else ""
        yield f"| `{entry.name}` | {rule} | {entry.does}{needs} |"


def page(text: str) -> str:
    """The page with the table as it is now."""
    before, _mark, rest = text.partition(BEGIN)
    _old, _mark, after = rest.partition(END)
    return "\n\n".join([before + BEGIN, "\n".join(rows()), END]) + after


def main(arguments: list[str]) -> int:
    """Entry point."""
    text = PAGE.read_text()
    wanted = page(text)
    if "--write" in arguments:
        PAGE.write_text(wanted)
    elif text != wanted:
        print("docs/triggers.md differs from the catalogue: python3 tools/trigger_table.py --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
