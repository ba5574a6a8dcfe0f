"""The sensor as a child: what it is asked for, and what comes of what it tells."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import Event

from sandbox.standins.falco.sensor import FOLLOWING, Sensor, SensorError, SensorFields

FAKE = (sys.executable, str(Path(__file__).with_name("fake_sensor.py")))


def test_events_have_what_was_asked_for_and_what_follows_from_their_time() -> None:
    sensor = Sensor(FAKE, "worker01")
    assert sensor.types == ["execve", "openat", "connect"]
    wanted = {"execve": ["proc.aname[*]", "proc.cmdline", "proc.name"]}
    assert sensor.want(wanted) == 1
    found: list[Event] = []

    def handle(event: Event) -> None:
        found.append(event)
        if len(found) == 2:
            assert sensor.want(wanted) == 2
        if len(found) == 4:
            sensor.close()

    numbers: list[int] = []

    def announced(number: int) -> dict[str, list[str]]:
        numbers.append(number)
        return wanted

    sensor.events(announced, handle)
    assert numbers == [1, 2]
    assert [event.number for event in found] == [1, 2, 3, 4]
    fields = found[1].fields
    assert fields["proc.cmdline"] == "sh \udcff"
    assert fields["proc.aname[*]"] == ["bash", "sshd"]
    assert fields["proc.pname"] is None
    assert found[1].time_ns == 1795251527573375272
    assert (sensor.seen, sensor.dropped) == (20, 1)


def test_fields_that_follow_from_time_and_type() -> None:
    fields = SensorFields({}, "open", 5_000_000_007, 3, "n")
    told: dict[str, Any] = {
        "evt.type": "open",
        "evt.num": 3,
        "evt.hostname": "n",
        "evt.source": "syscall",
        "evt.is_async": False,
        "evt.dir": "<",
        "evt.rawtime": 5_000_000_007,
        "evt.rawtime.s": 5,
        "evt.rawtime.ns": 7,
        "evt.datetime": 5_000_000_007,
        "evt.cpu": None,
    }
    assert {name: fields[name] for name in told} == told
    assert all(fields[name] is not None for name in FOLLOWING)


def test_one_that_does_not_start() -> None:
    with pytest.raises(SensorError, match="ended with code 3 instead of starting"):
        Sensor((sys.executable, "-c", "raise SystemExit(3)"), "n")
