#!/usr/bin/env python3
"""Writes the data tables of plugins/module_utils/falco_chart from Falco's schema and Falcosidekick's chart.

Usage:
  tools/falco_chart_tables.py config CONFIG_JSON_SCHEMA_H FALCO_VERSION > .../config_keys.py
  tools/falco_chart_tables.py outputs FALCOSIDEKICK_CHART_DIR > .../output_settings.py
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

HEADER = """# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

\"\"\"{subject}

Made by tools/falco_chart_tables.py; do not edit.
\"\"\"

from __future__ import annotations

"""


def config_tree(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Keys of one object of the schema; a leaf is its JSON type."""
    tree: dict[str, Any] = {}
    for key, reference in (node.get("properties") or {}).items():
        value = reference
        while "$ref" in value:
            value = schema["definitions"][value["$ref"].rsplit("/", 1)[-1]]
        closed = value.get("type") == "object" and value.get("properties")
        tree[key] = config_tree(schema, value) if closed else value.get("type", "any")
    return tree


def write_config(source: Path, version: str) -> None:
    """Prints config_keys.py."""
    text = source.read_text()
    schema = json.loads(text[text.index("LONG_STRING_CONST(\n") + len("LONG_STRING_CONST(") : text.rindex(");")])
    print(
        HEADER.format(
            subject=f"Keys of falco.yaml as Falco {version} accepts them: nested mappings, leaves are JSON types."
        ),
        end="",
    )
    print("from typing import Any")
    print()
    print(f"CONFIG_KEYS: dict[str, Any] = {config_tree(schema, schema['definitions']['FalcoConfig'])!r}")


def write_outputs(chart: Path) -> None:
    """Prints output_settings.py."""
    version = yaml.safe_load((chart / "Chart.yaml").read_text())["version"]
    template = (chart / "templates" / "secrets.yaml").read_text()
    found = re.findall(r'^\s*([A-Z0-9_]+):\s*"\{\{[-\s]*\.Values\.config\.([A-Za-z0-9_.]+)', template, re.M)
    outputs: dict[str, dict[str, str]] = {}
    for variable, path in found:
        output, _, setting = path.partition(".")
        outputs.setdefault(output, {})[setting] = variable
    subject = f"Settings of Falcosidekick's outputs and the environment variables that carry them (chart {version})."
    print(HEADER.format(subject=subject), end="")
    print("#: Output, then setting (dotted where nested) to the variable of Falcosidekick's environment.")
    print(f"OUTPUT_VARIABLES: dict[str, dict[str, str]] = {dict(sorted(outputs.items()))!r}")


def main(arguments: list[str]) -> int:
    """Entry point."""
    if arguments[:1] == ["config"] and len(arguments) == 3:
        write_config(Path(arguments[1]), arguments[2])
    elif arguments[:1] == ["outputs"] and len(arguments) == 2:
        write_outputs(Path(arguments[1]))
    else:
        sys.stderr.write(__doc__ or "")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
