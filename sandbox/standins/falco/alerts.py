"""Alerts as Falco writes them: a line of text, or of JSON with sorted keys."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.engine import Alert
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.output import prefix
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.times import iso_text, time_text

from .config import Config

INTERNAL = "internal"


def alert_line(alert: Alert, config: Config, hostname: str) -> str:
    """An alert in the form that is configured, without a line's end.

    Args:
        alert: what a rule says.
        config: decides about JSON, its members, and how times are written.
        hostname: of the node.
    """
    output = alert.output
    time_ns = alert.output_fields["evt.time"]
    if config.time_format_iso_8601 and isinstance(time_ns, int):
        usual = prefix(time_ns, alert.priority)
        output = f"{time_text(time_ns, 'evt.time.iso8601')}: {alert.priority} {output[len(usual) :]}"
    return _line(alert, output, config, hostname)


def internal_line(rule: str, priority: str, text: str, fields: Mapping[str, Any], config: Config, hostname: str) -> str:
    """What Falco tells of itself, such as lost events; it has no rule's output, and `source: internal`."""
    alert = Alert(rule, priority, INTERNAL, (), text, dict(fields), iso_text(time.time_ns()))
    return _line(alert, text, config, hostname)


def _line(alert: Alert, output: str, config: Config, hostname: str) -> str:
    if not config.json_output:
        return _printable(output)
    document: dict[str, Any] = {
        "hostname": hostname,
        "priority": alert.priority,
        "rule": alert.rule,
        "source": alert.source,
        "time": alert.time,
    }
    if config.json_include_output_property:
        document["output"] = output
    if config.json_include_output_fields_property:
        document["output_fields"] = alert.output_fields
    if config.json_include_tags_property:
        document["tags"] = list(alert.tags)
    return _printable(json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True))


def _printable(text: str) -> str:
    """Text that UTF-8 can hold: bytes that were none are replaced."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
