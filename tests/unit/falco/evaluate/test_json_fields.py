"""Fields of the json plugin, and the newer names of the older ones, on an audit event."""

from __future__ import annotations

import json

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import parse_event

EVENT = {
    "kind": "Event",
    "auditID": "1",
    "stageTimestamp": "2026-03-01T10:00:01Z",
    "verb": "get",
    "requestObject": {"a/b": [1, {"c~": None}], "e": {}, "l": []},
}
(PARSED,) = parse_event(json.dumps(EVENT))
WHOLE = json.dumps(EVENT, separators=(",", ":"))


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/verb", "get"),
        ("verb", "get"),
        ("/requestObject/a~1b/0", "1"),
        ("/requestObject/a~1b/1/c~0", "null"),
        ("/requestObject/e", "{}"),
        ("/nothing", None),
        ("", WHOLE),
    ],
)
@pytest.mark.parametrize("field", ["json.value", "jevt.value"])
def test_a_pointer_leads_to_a_value(field: str, pointer: str, value: str | None) -> None:
    assert PARSED.fields[f"{field}[{pointer}]"] == value


@pytest.mark.parametrize("field", ["json.obj", "jevt.obj"])
def test_the_whole_event_is_indented_as_go_does(field: str) -> None:
    assert PARSED.fields[field] == json.dumps(EVENT, indent=2)


def test_times_and_what_the_plugin_prints() -> None:
    assert [PARSED.fields[f"{name}.rawtime"] for name in ("json", "jevt")] == ["1772359201000000000"] * 2
    assert PARSED.fields["evt.plugininfo"] == WHOLE
