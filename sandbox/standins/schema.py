"""Schemas of the stand-in chart's values, made from its values.yaml: a key that is not there is refused by Helm."""

# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parent / "charts" / "falco"
SUBCHART = CHART / "charts" / "falcosidekick"

# Mappings whose keys are the user's or Kubernetes' own: not closed, although their defaults are not empty.
OPEN = {
    "falco",  # the document falco.yaml: any key of Falco's
    "falcosidekick",  # has a schema of its own in the subchart
    "resources",
    "healthChecks",
    "podSecurityContext",
    "webui.podSecurityContext",
    "controller.daemonset.updateStrategy",
    "collectors.containerEngine.engines",
    "driver",  # templates/checks.yaml names the successors of what was dropped
}


def schema_of(values: dict[str, Any], path: str = "") -> dict[str, Any]:
    """Return a JSON schema (draft 7) that knows only the keys of ``values``; empty and OPEN mappings stay open."""
    properties: dict[str, Any] = {}
    for key, value in values.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, dict) and value and here not in OPEN:
            properties[key] = schema_of(value, here)
        elif isinstance(value, dict):
            properties[key] = {"type": ["object", "null"]}
        else:
            properties[key] = {}
    if not path:
        properties["global"] = {"type": "object"}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def render(chart: Path) -> str:
    """Return the text of ``values.schema.json`` for one chart directory."""
    values = yaml.safe_load((chart / "values.yaml").read_text(encoding="utf-8"))
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the stand-in; made by sandbox/standins/schema.py from values.yaml",
        **schema_of(values),
    }
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def main() -> None:
    """Write the schemas of the chart and of its subchart."""
    for chart in (CHART, SUBCHART):
        (chart / "values.schema.json").write_text(render(chart), encoding="utf-8")


if __name__ == "__main__":
    main()
