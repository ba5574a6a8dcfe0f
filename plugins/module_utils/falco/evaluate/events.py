# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""Events to evaluate rules on: field maps, Kubernetes audit events, recorded alerts.

- A field map is `{"fields": {...}}`, with `source` when it is not a system call: names as in conditions, arguments
  included (`proc.aname[2]`), values as in Falco's `output_fields`; null and a missing name both mean no value.
- An audit event has `kind: Event`; lists of events and `kind: EventList` hold several.
- An alert has `rule` and `output_fields`; nothing is known but what its output named.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import FalcoError
from .audit_fields import audit_field
from .json_fields import indented, pointer_value
from .json_text import Json, Object, from_value, get, parse, to_text
from .times import TIME_FIELDS, nanoseconds

SYSCALL = "syscall"
K8S_AUDIT = "k8s_audit"
FIELD_MAP, AUDIT, ALERT = "fields", "audit", "alert"


_OF_KIN = (
    ("name", "pname", "aname"), ("pid", "ppid", "apid"), ("exe", "pexe", "aexe"), ("exepath", "pexepath", "aexepath"),
    ("cmdline", "pcmdline", "acmdline"),
)  # fmt: skip
"""What Falco tells of a process, of its parent, and of ancestors by number, of which 0 is itself and 1 its parent."""
_SAME = {
    field: other
    for own, parent, ancestor in _OF_KIN
    for one, two in ((f"proc.{own}", f"proc.{ancestor}[0]"), (f"proc.{parent}", f"proc.{ancestor}[1]"))
    for field, other in ((one, two), (two, one))
}
"""Fields that have a second name."""


class FieldMap(dict[str, Any]):
    """The fields of an event by their text in conditions; one that is not there has no value.

    One that has another name as well, such as `proc.pname` and `proc.aname[1]`, may be there by either.
    """

    __slots__ = ()

    def __missing__(self, key: str) -> Any:
        other = _SAME.get(key)
        value = self[key] = None if other is None else self.get(other)  # the next rule that asks finds it at once
        return value


class AuditFields(FieldMap):
    """The fields of an audit event, computed when they are asked for."""

    __slots__ = ("event",)

    def __init__(self, event: Json, known: Mapping[str, Any]) -> None:
        super().__init__(known)
        self.event = event

    def __missing__(self, key: str) -> Any:
        value = self[key] = _computed(self.event, key)
        return value


class Event:
    """One event.

    Attributes:
        source: the event source, which decides the rules that see it.
        fields: its fields.
        number: its place in the input, from 1.
        kind: FIELD_MAP, AUDIT or ALERT.
        time_ns: nanoseconds since 1970 in UTC, or None.
    """

    __slots__ = ("fields", "kind", "number", "source", "time_ns")

    def __init__(
        self, source: str, fields: Mapping[str, Any], number: int = 0, kind: str = FIELD_MAP, time_ns: int | None = None
    ) -> None:
        self.source = source
        self.fields: FieldMap = fields if isinstance(fields, FieldMap) else FieldMap(_without_nul(fields))
        self.number = number
        self.kind = kind
        self.time_ns = time_ns


def _without_nul(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Texts end at a NUL, as in C."""
    if not any(value.__class__ is str and "\0" in value for value in fields.values()):
        return fields
    return {key: value.split("\0")[0] if isinstance(value, str) else value for key, value in fields.items()}


def parse_event(line: str | bytes, number: int = 1, source: str | None = None) -> list[Event]:
    """Read the events of one line of JSON.

    Args:
        line: a field map, an audit event or several, or an alert.
        number: the line's number, for the events and for errors.
        source: the source of field maps and alerts that do not name theirs; None means syscall.

    Returns:
        The events; none for an audit event that the plugin would drop.

    Raises:
        FalcoError: it is none of these.
    """
    text = line.decode("utf-8", "surrogateescape") if isinstance(line, bytes) else line
    try:
        value = json.loads(text, strict=False)
        if is_audit(value):
            return audit_events(parse(text), number)
    except ValueError as error:
        raise FalcoError(f"event {number}: not JSON: {error}") from error
    except RecursionError as error:
        raise FalcoError(f"event {number}: nested too deeply to be read") from error
    return [event_of(value, number, source)]


def events_of(value: Any, number: int = 1, source: str | None = None) -> list[Event]:
    """The same from plain values; numbers of audit events are then written as Python writes them."""
    if is_audit(value):
        return audit_events(from_value(value), number)
    return [event_of(value, number, source)]


def is_audit(value: Any) -> bool:
    """Whether a value is an audit event, or several."""
    if isinstance(value, list):
        return all(map(is_audit, value))
    if not isinstance(value, dict) or "output_fields" in value or "fields" in value:
        return False
    return "auditID" in value or value.get("kind") in ("Event", "EventList")


def event_of(value: Any, number: int, source: str | None) -> Event:
    """A field map or an alert.

    Raises:
        FalcoError: it is neither.
    """
    if isinstance(value, dict):
        kind = FIELD_MAP if "fields" in value else ALERT
        fields = value.get("fields") if kind == FIELD_MAP else value.get("output_fields", ())
        if kind == ALERT and fields is None:
            fields = {}
        named = value.get("source", source or SYSCALL)
        if isinstance(fields, dict) and isinstance(named, str):
            return Event(named, _completed(fields, named), number, kind, _time_of(fields, value))
    raise FalcoError(
        f"event {number}: expected a field map ('fields'), an audit event ('kind: Event') or an alert ('output_fields')"
    )


def _completed(fields: Mapping[str, Any], source: str) -> Mapping[str, Any]:
    """What holds for every event of a source."""
    constant: dict[str, Any] = {"evt.source": source, "evt.is_async": False}
    if source == SYSCALL:
        constant["evt.dir"] = "<"
    return {**constant, **fields}


def _time_of(fields: Mapping[str, Any], value: Mapping[str, Any]) -> int | None:
    for key in ("evt.rawtime", "evt.time", "evt.time.iso8601"):
        if isinstance(fields.get(key), int):
            return int(fields[key])
    return nanoseconds(value["time"]) if isinstance(value.get("time"), str) else None


def audit_events(value: Json, number: int) -> list[Event]:
    """The audit events of a value that the k8saudit plugin would deliver; one that it does not know spoils them all."""
    return _recognized(value, number) or []


def _recognized(value: Json, number: int) -> list[Event] | None:
    if isinstance(value, list):
        found: list[Event] = []
        for item in value:
            events = _recognized(item, number)
            if events is None:
                return None
            found.extend(events)
        return found
    kind, items = get(value, "kind"), get(value, "items")
    if kind == "EventList" and isinstance(items, list):
        return [event for item in items for event in _delivered(item, number)]
    return list(_delivered(value, number)) if kind == "Event" else None


def _delivered(value: Json, number: int) -> Iterator[Event]:
    stamp = get(value, "stageTimestamp")
    time_ns = nanoseconds(stamp) if isinstance(stamp, str) else None
    if time_ns is None or not isinstance(value, Object):
        return
    known = {
        "evt.source": K8S_AUDIT,
        "evt.pluginname": "k8saudit",
        "evt.is_async": False,
        "evt.num": number,
        **dict.fromkeys(TIME_FIELDS, time_ns),
        "evt.rawtime": time_ns,
        "evt.rawtime.s": time_ns // 1_000_000_000,
        "evt.rawtime.ns": time_ns % 1_000_000_000,
    }
    yield Event(K8S_AUDIT, AuditFields(value, known), number, AUDIT, time_ns)


def _computed(event: Json, key: str) -> Any:
    name, bracket, argument = key.partition("[")
    value: Any = None
    if name.startswith("ka."):
        value = audit_field(event, name, argument[:-1] if bracket else None)
    elif name in ("json.value", "jevt.value"):
        value = pointer_value(event, argument[:-1])
    elif name in ("json.obj", "jevt.obj"):
        value = indented(event)
    elif name in ("json.rawtime", "jevt.rawtime"):
        stamp = get(event, "stageTimestamp")
        value = str(nanoseconds(stamp)) if isinstance(stamp, str) else None
    elif name == "evt.plugininfo":
        value = to_text(event)
    if isinstance(value, list):
        return [item.split("\0")[0] for item in value]
    return value.split("\0")[0] if isinstance(value, str) else value
