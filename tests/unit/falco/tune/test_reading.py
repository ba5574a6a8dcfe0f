"""Alerts in every form that logs and stores write them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.reading import Alert, Lines

ALERT = {
    "rule": "R",
    "source": "syscall",
    "priority": "Notice",
    "output_fields": {"proc.name": "bash", "k8s.ns.name": "p"},
}
WANTED = Alert("R", "syscall", ALERT["output_fields"])  # type: ignore[arg-type]  # it is a mapping
TEXT = json.dumps(ALERT)


def read(*lines: Any) -> tuple[list[Alert], int]:
    reader = Lines(["proc.name", "k8s.ns.name"])
    found = list(reader.read(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
    return found, reader.skipped


@pytest.mark.parametrize(
    "line",
    [
        ALERT,
        {**ALERT, "uuid": "1", "hostname": "n"},
        {**ALERT, "output_fields": {"proc_name": "bash", "k8s_ns_name": "p"}},
        {"labels": {}, "line": TEXT, "timestamp": "t"},
        {"data": {"result": [{"stream": {}, "values": [["1", TEXT]]}]}},
        {"_index": "falco", "_source": ALERT},
        {"hits": {"hits": [{"_source": ALERT}]}},
        {"log": TEXT + "\n", "stream": "stdout"},
        json.dumps({**ALERT, "output": "a;b"}).replace(";", "\t").encode(),
        [ALERT],
        b"2026-01-01T00:00:00Z stdout F " + TEXT.encode(),
        b"[pod/falco] " + TEXT.encode(),
    ],
)
def test_an_alert_is_found_however_it_was_written(line: Any) -> None:
    assert read(line) == ([WANTED], 0)


def test_what_is_no_alert_is_passed_over_and_counted() -> None:
    found, skipped = read(b"Falco version: 0.44", b"", ALERT, {"rule": 1}, {"output_fields": {}}, b"{broken", [1, None])
    assert (found, skipped) == ([WANTED], 5)
    empty = [{"rule": "R", "output_fields": None}, {"data": {"result": None}}, {"data": {"result": [{"values": None}]}}]
    assert read(*empty) == ([], 3)
    reader = Lines(())
    assert list(reader.read([b"\n", b"x", b"y"])) == []
    assert reader.first_skipped == 2


def test_a_source_is_syscall_unless_it_is_named() -> None:
    assert read({"rule": "R", "output_fields": {}})[0][0].source == "syscall"
    assert read({"rule": "R", "source": "k8s_audit", "output_fields": {}})[0][0].source == "k8s_audit"
