# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads alerts from JSON lines: Falco's own (stdout), Falcosidekick's, and those of a receiver that wraps what it was
sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

_MOMENT = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)"
_TIME = re.compile(_MOMENT + "$")
_SOMEWHERE = re.compile(_MOMENT)
#: What Falcosidekick logs of each event that it got, where its setting C(debug) is on.
_PAYLOAD = "Falco's payload : "


class AlertsError(ValueError):
    """Anything that is wrong with alerts or expectations; the message says what would be right."""


@dataclass(frozen=True)
class Alert:
    """One alert at one place.

    Attributes:
        time_ns: when the event happened, in nanoseconds since the epoch; None when the message does not tell.
        arrived_ns: when the destination got it, likewise; in a log when it was written there; None if it is not known.
        destination: ``falco`` for Falco's log, else what the receiver calls the channel (``slack`` ...).
        text: everything human-readable in it.
    """

    rule: str | None
    priority: str | None
    source: str | None
    time_ns: int | None
    arrived_ns: int | None
    destination: str
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


def read_time(text: str) -> int:
    """Nanoseconds since the epoch of an RFC 3339 time, whose fraction may have nine digits.

    Raises:
        AlertsError: when it is no such time.
    """
    found = _TIME.match(text)
    if not found:
        raise AlertsError(f"'{text}' is not an RFC 3339 time such as 2026-01-31T12:00:00.000000000Z")
    whole, fraction, zone = found.groups()
    moment = datetime.fromisoformat(whole + ("+00:00" if zone == "Z" else zone))
    nanoseconds = int(((fraction or "") + "000000000")[:9])
    return int((moment - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds()) * 10**9 + nanoseconds


def _time_or_none(value: Any) -> int | None:
    try:
        return read_time(value) if isinstance(value, str) else None
    except AlertsError:
        return None


def _time_within(text: str) -> int | None:
    """The first time in a message, which Falcosidekick's messages for people have as the event's."""
    found = _SOMEWHERE.search(text)
    return _time_or_none(found.group(0)) if found else None


def _falco_alert(document: Mapping[str, Any], destination: str, arrived_ns: int | None, text: str) -> Alert:
    fields, tags = document.get("output_fields"), document.get("tags")
    return Alert(
        rule=_text_or_none(document.get("rule")),
        priority=_text_or_none(document.get("priority")),
        source=_text_or_none(document.get("source")),
        time_ns=_time_or_none(document.get("time")),
        arrived_ns=arrived_ns,
        destination=destination,
        text=text or str(document.get("output", "")),
        fields=fields if isinstance(fields, dict) else {},
        tags=tuple(tag for tag in tags if tag and isinstance(tag, str)) if isinstance(tags, list) else (),
    )


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _alert(document: Any) -> Alert | None:
    if not isinstance(document, dict):
        return None
    if "received" in document and "destination" in document:
        arrived_ns = _time_or_none(document["received"])
        text, inner = str(document.get("text") or ""), document.get("alert")
        if isinstance(inner, dict):
            return _falco_alert(inner, str(document["destination"]), arrived_ns, text)
        rule = _text_or_none(document.get("rule"))
        return Alert(rule, None, None, _time_within(text), arrived_ns, str(document["destination"]), text)
    if "rule" in document and "output" in document:
        return _falco_alert(document, "falco", None, "")
    return None


def read_lines(lines: Iterable[str]) -> list[Alert]:
    """The alerts among *lines*, in their order; every other line (Falco logs start-up messages too) is passed over.

    Two forms are read: Falco's own (https://falco.org/docs/concepts/outputs/formatting/, ``json_output``) and a
    receiver's: ``{"received": time, "destination": name, "rule": ..., "text": ..., "alert": {...} or null}``.
    """
    return [alert for alert in map(read_line, lines) if alert is not None]


def read_line(line: str, logged_ns: int | None = None) -> Alert | None:
    """The alert in a line, None if there is none.

    Args:
        line: as C(read_lines) takes it, or a line of Falcosidekick's log.
        logged_ns: when it was written to a log, in nanoseconds since the epoch; that is when a log got it.
    """
    destination = "falco"
    if _PAYLOAD in line:
        line, destination = line.partition(_PAYLOAD)[2], "falcosidekick"
    if not line.lstrip().startswith("{"):
        return None
    try:
        alert = _alert(json.loads(line))
    except (ValueError, RecursionError):  # the latter: nested too deeply to be an alert
        return None
    if alert is None or alert.arrived_ns is not None or alert.destination != "falco":
        return alert
    return replace(alert, arrived_ns=logged_ns, destination=destination)
