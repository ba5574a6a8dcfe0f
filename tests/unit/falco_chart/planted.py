"""Outputs with something planted in every setting that Falcosidekick has, in the forms that it takes."""

from __future__ import annotations

from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.output_settings import OUTPUT_VARIABLES
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.outputs import CHART_SETTINGS

PLANTED = "planted-in-every-channel"
_BOOLEANS = {"checkcert", "mutualtls", "tls"}


def every_output() -> dict[str, dict[str, Any]]:
    """Output to all of its settings, nested as in Falcosidekick's configuration."""
    return {output: _settings(output) for output in OUTPUT_VARIABLES}


def _settings(output: str) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for dotted in OUTPUT_VARIABLES[output]:
        if dotted in CHART_SETTINGS.get(output, {}):
            continue  # the chart reads it itself: an account's name, no secret
        *parents, last = dotted.split(".")
        node = settings
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = _value(output, dotted, last)
    return settings


def _value(output: str, dotted: str, last: str) -> Any:
    if last == "minimumpriority":
        return "warning"
    if last in _BOOLEANS:
        return True
    if (output, dotted) == ("telegram", "token"):
        return f"1:{PLANTED}"
    if (output, dotted) == ("telegram", "chatid"):
        return "-100"
    return f"https://example.org/{PLANTED}/{output}/{dotted}"
