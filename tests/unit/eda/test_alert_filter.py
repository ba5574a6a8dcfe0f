"""The event filter of rulebooks: each pod and cause once, a bounded memory, and nothing that a template would run."""

from __future__ import annotations

import json
import runpy
import tracemalloc
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[3]
#: As ansible-rulebook loads it: no package, no collection.
LOADED = runpy.run_path(str(ROOT / "extensions" / "eda" / "plugins" / "event_filter" / "alert.py"))
HOSTILE = "{{ lookup('pipe', 'id') }}"


def alert(**more: Any) -> dict[str, Any]:
    fields = {"k8s.ns.name": "prod", "k8s.pod.name": "web-1", "proc.cmdline": HOSTILE}
    return {"rule": "Shell", "priority": "Warning", "time": "2026-03-01T10:00:00Z", "output_fields": fields, **more}


class Filter:
    """The filter with a clock of the test."""

    def __init__(self) -> None:
        self.now = 0.0
        self.seen = LOADED["Seen"](lambda: self.now)

    def __call__(self, payload: object, **options: Any) -> Any:
        found = LOADED["main"]({"payload": payload, "meta": {"uuid": "u"}}, seen=self.seen, **options)
        return found["falcosidekick_alert"] if found else None


@pytest.fixture
def kept() -> Filter:
    return Filter()


def test_what_a_rulebook_sees_has_no_text_that_a_template_would_run(kept: Filter) -> None:
    told = kept(alert(rule=HOSTILE, tags=[HOSTILE], output=HOSTILE))
    assert "{" not in json.dumps(list(told.values()))
    assert json.loads(unquote(told["encoded"]))["output"] == HOSTILE
    assert (told["namespace"], told["pod"], told["about_pod"]) == ("prod", "web-1", True)
    assert (told["priority"], told["urgency"]) == ("warning", 4)


def test_the_event_s_own_payload_goes_no_further() -> None:
    event = {"payload": alert(), "meta": {"uuid": "u"}}
    assert set(LOADED["main"](event, seen=LOADED["Seen"]())) == {"falcosidekick_alert", "meta"}


def test_a_pod_and_cause_come_once_within_the_time_and_what_was_dropped_is_told(kept: Filter) -> None:
    assert kept(alert()) is not None
    kept.now = 299
    assert kept(alert(time="2026-03-01T10:01:00Z")) is None
    assert kept(alert(rule="Other")) is not None
    kept.now = 301
    assert kept(alert())["dropped"] == 0
    kept.now = 302
    assert [kept(alert()), kept("no alert"), kept({"rule": "x"})] == [None, None, None]
    assert kept(alert(rule="Third"))["dropped"] == 3


def test_no_more_is_remembered_than_is_said(kept: Filter) -> None:
    for number in range(1000):
        kept(alert(rule=f"rule {number}"), most=10)
    assert len(kept.seen.last) == 10
    assert kept(alert(rule="rule 0"), most=10) is not None
    assert kept(alert(rule="rule 999"), most=10) is None


def test_a_minute_of_a_thousand_alerts_a_second_is_one_event_and_costs_no_memory(kept: Filter) -> None:
    tracemalloc.start()
    told = []
    for number in range(60_000):
        kept.now = number / 1000
        told.append(kept(alert()) is not None)
    grown, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (sum(told), kept.seen.dropped) == (1, 59_999)
    assert grown < 2_000_000  # the list of the test itself is half a megabyte


def test_what_is_too_long_keeps_its_pod_and_loses_its_text(kept: Filter) -> None:
    told = kept(alert(output="x" * 100_000), longest_bytes=1000)
    short = json.loads(unquote(told["encoded"]))
    assert len(told["encoded"]) < 2000
    assert short["output_fields"] == {"k8s.ns.name": "prod", "k8s.pod.name": "web-1"}
    assert (short["rule"], short["time"]) == ("Shell", "2026-03-01T10:00:00Z")


@pytest.mark.parametrize("name", ["../x", "a b", "", None, 7, "<NA>", "UPPER"])
def test_what_is_no_name_of_a_pod_is_about_none(kept: Filter, name: object) -> None:
    told = kept(alert(output_fields={"k8s.ns.name": "prod", "k8s.pod.name": name}))
    assert (told["pod"], told["about_pod"]) == ("", False)


@pytest.mark.parametrize(
    "payload", [None, [], "x", {}, {"rule": "", "priority": "Error"}, {"rule": 1, "priority": "Error"}]
)
def test_what_is_no_alert_is_no_event(kept: Filter, payload: object) -> None:
    assert kept(payload) is None
    assert kept.seen.dropped == 1
