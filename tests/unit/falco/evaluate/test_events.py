"""Events: field maps, audit events, alerts; what is none of them; audit events that the plugin drops."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import parse_event
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.json_text import get, parse, to_text
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.times import iso_text, nanoseconds, time_text
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.uri import query_parameters

AUDIT = {"kind": "Event", "auditID": "1", "stageTimestamp": "2026-03-01T10:00:01.000002Z"}


def test_a_field_map() -> None:
    (event,) = parse_event('{"fields": {"evt.type": "open", "proc.name": "a\\u0000b"}}', 3)
    assert (event.source, event.number, event.kind) == ("syscall", 3, "fields")
    assert event.fields["proc.name"] == "a"  # as C has it
    assert event.fields["proc.exe"] is None
    assert event.fields["evt.dir"] == "<"


def test_an_alert() -> None:
    (event,) = parse_event(
        json.dumps(
            {
                "rule": "R",
                "source": "k8s_audit",
                "time": "2026-03-01T10:00:01.000002000Z",
                "output_fields": {"ka.verb": "get"},
            }
        )
    )
    assert (event.source, event.kind, event.fields["ka.verb"]) == ("k8s_audit", "alert", "get")
    assert event.time_ns == 1772359201000002000


def test_an_alert_of_falco_itself_has_no_fields() -> None:
    (event,) = parse_event('{"rule": "Falco internal: x", "source": "internal", "output_fields": null}')
    assert (event.source, event.kind, event.fields["proc.name"]) == ("internal", "alert", None)


def test_an_audit_event_computes_its_fields() -> None:
    (event,) = parse_event(json.dumps({**AUDIT, "verb": "get", "requestURI": "/x?a=1&a=2&b=%20c+d"}), 5)
    fields = event.fields
    assert fields["ka.verb"] == "get"
    assert fields["ka.uri.param[a]"] == "1"
    assert fields["ka.uri.param[b]"] == " c d"
    assert fields["jevt.rawtime"] == "1772359201000002000"
    assert fields["evt.source"] == "k8s_audit"
    assert fields["evt.num"] == 5
    assert json.loads(fields["jevt.obj"])["verb"] == "get"


@pytest.mark.parametrize(
    "event",
    [
        {"auditID": "1", "stageTimestamp": "2026-03-01T10:00:01Z"},
        {**AUDIT, "kind": None},
        {**AUDIT, "stageTimestamp": None},
        {**AUDIT, "stageTimestamp": "yesterday"},
        {**AUDIT, "stageTimestamp": "2026-03-01T10:00:01"},
        {**AUDIT, "stageTimestamp": "2026-W09-7T10:00:01Z"},
        [],
        [AUDIT, {**AUDIT, "kind": "Other"}],
        {"kind": "EventList", "items": None},
    ],
)
def test_audit_events_that_the_plugin_drops(event: Any) -> None:
    assert parse_event(json.dumps(event)) == []


def test_several_audit_events_in_one_line() -> None:
    assert len(parse_event(json.dumps([AUDIT, [AUDIT]]))) == 2
    assert len(parse_event(json.dumps({"kind": "EventList", "items": [AUDIT, {}, AUDIT]}))) == 2


@pytest.mark.parametrize("line", ["", "{", "5", "{}", '{"fields": 5}', '{"output_fields": []}', '"x"'])
def test_what_is_no_event_is_an_error_with_its_number(line: str) -> None:
    with pytest.raises(FalcoError, match="event 4"):
        parse_event(line, 4)


def test_json_keeps_how_things_were_written() -> None:
    text = '{"a":1e+21,"b":1.50,"a":2,"c":"\\u003cx\\u003e","d":[true,null,{}],"e":"é\\n"}'
    value = parse(text)
    assert to_text(value) == text
    assert get(value, "a") == "1e+21"  # the first of equal keys
    assert get(value, "c") == "<x>"
    assert get(value, "d", "00") is True
    assert get(value, "d", "+0") is True
    assert not get(value, "d", "+")
    assert not get(value, "d", "-1")
    assert not get(value, "c", "x")


@pytest.mark.parametrize(
    ("uri", "parameters"),
    [
        ("/a?b=c", {"b": "c"}),
        ("/a", {}),
        ("/a?b&c=", {"b": "", "c": ""}),
        ("/a?b=%C3%A9", {"b": "é"}),
        ("/a?b=%zz", None),
        ("/a?b;c", None),
        ("/a%zz?b=c", None),
        ("/a?b=c#d=e", {"b": "c"}),
        ("/a?b=\x01", None),
    ],
)
def test_queries(uri: str, parameters: dict[str, str] | None) -> None:
    assert query_parameters(uri) == parameters


@pytest.mark.parametrize("stamp", ["yesterday", "2026-13-01T10:00:00Z", "2026-02-30T10:00:00Z", "2026-03-01T25:00:00Z"])
def test_a_time_that_no_calendar_has_is_none(stamp: str) -> None:
    assert nanoseconds(stamp) is None


def test_times() -> None:
    moment = nanoseconds("2026-03-01T10:00:01.5+02:00")
    assert moment == 1772352001500000000
    assert time_text(moment) == "08:00:01.500000000"
    assert time_text(moment, "evt.datetime.s") == "2026-03-01 08:00:01"
    assert time_text(moment, "evt.time.iso8601") == "2026-03-01T08:00:01.500000000+0000"
    assert iso_text(moment) == "2026-03-01T08:00:01.500000000Z"
    assert nanoseconds("2026-03-01T10:00:01.Z") is None
