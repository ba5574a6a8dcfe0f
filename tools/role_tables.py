#!/usr/bin/env python3
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the tables of variables in the roles' README.md from what the roles declare in meta/argument_specs.yml.

Usage:
    python3 tools/role_tables.py          write nothing; exit 1 and name the pages that differ from what is declared
    python3 tools/role_tables.py --write  put the tables into the pages

A test compares defaults/main.yml with the same declarations, so nothing of a variable is written by hand twice but its
default.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- variables: by tools/role_tables.py -->", "<!-- end of variables -->"
#: Ansible's marks in descriptions that are shown as code: constants, values, options, plugins.
MARK = re.compile(r"\b[CVOM]\(((?:[^()\\]|\\.)*)\)")


def text_of(description: str | Iterable[str]) -> str:
    """A description as Markdown within a table's cell."""
    text = description if isinstance(description, str) else " ".join(description)
    return MARK.sub(r"`\1`", text).replace("|", "\\|").replace("\n", " ")


def type_of(option: Mapping[str, Any]) -> str:
    """The type as people say it; elements with keys of their own are read by the role, which declares them raw."""
    if option["type"] == "raw":
        return "any"
    elements = "dict" if "options" in option else option.get("elements", "raw")
    return f"list of {elements}" if option["type"] == "list" and elements != "raw" else str(option["type"])


def value_of(value: Any) -> str:
    """A value as one writes it in an inventory, in one line."""
    if isinstance(value, str):
        try:
            plain = value == yaml.safe_load(value) and not value.startswith("{{")
        except yaml.YAMLError:
            plain = False
        return value if plain else json.dumps(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {value_of(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(value_of, value)) + "]"
    return json.dumps(value)


def default_of(option: Mapping[str, Any]) -> str:
    """The column of defaults."""
    if "default" in option:
        text = value_of(option["default"]).replace("|", "\\|")
        return f"`{text}`"
    return "required" if option.get("required") else "none"


def meaning_of(option: Mapping[str, Any]) -> str:
    """What a variable means, which values it takes, and the same of the keys in it."""
    parts = [text_of(option["description"])]
    if option.get("choices"):
        several = "Any" if option["type"] == "list" else "One"
        parts.append(f"{several} of " + ", ".join(f"`{choice}`" for choice in option["choices"]) + ".")
    keys = []
    for key, inner in option.get("options", {}).items():
        default = default_of(inner)
        said = {"none": "", "required": ", required"}.get(default, f", default {default}")
        keys.append(f"<br>`{key}` ({type_of(inner)}{said}): {meaning_of(inner)}")
    return " ".join(parts) + "".join(keys)


def table(options: Mapping[str, Mapping[str, Any]]) -> str:
    """The table of a role's variables."""
    lines = ["| Variable | Type | Default | Meaning |", "|---|---|---|---|"]
    for name, option in options.items():
        lines.append(f"| `{name}` | {type_of(option)} | {default_of(option)} | {meaning_of(option)} |")
    return "\n".join(lines)


def page(text: str, options: Mapping[str, Mapping[str, Any]]) -> str:
    """A role's page with the table of now.

    Raises:
        ValueError: there is no place for it.
    """
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no lines '{BEGIN}' and '{END}'")
    return f"{before}{BEGIN}\n\n{table(options)}\n\n{END}{after}"


def pages() -> dict[Path, tuple[str, str]]:
    """Each role's page as it is, and as it should be."""
    found = {}
    for specs in sorted((ROOT / "roles").glob("*/meta/argument_specs.yml")):
        options = yaml.safe_load(specs.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
        path = specs.parents[1] / "README.md"
        text = path.read_text(encoding="utf-8")
        found[path] = (text, page(text, options))
    return found


def main() -> int:
    stale = {path: new for path, (old, new) in pages().items() if old != new}
    for path, new in stale.items():
        if "--write" in sys.argv[1:]:
            path.write_text(new, encoding="utf-8")
        else:
            sys.stderr.write(
                f"{path.relative_to(ROOT)} does not say what meta/argument_specs.yml declares: "
                "python3 tools/role_tables.py --write\n"
            )
    return 1 if stale and "--write" not in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
