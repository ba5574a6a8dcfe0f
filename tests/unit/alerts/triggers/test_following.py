"""Which alert is an action's, at which place it arrived, and how long it took."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.alerts import Alert
from ansible_collections.falconet.k8s.plugins.module_utils.alerts.triggers.following import (
    LOG,
    SIDEKICK,
    Action,
    clock_offsets,
    complete,
    followed,
)
from ansible_collections.falconet.k8s.plugins.module_utils.alerts.triggers.script import Done

MS = 10**6
START = 1_795_800_000 * 10**9
READ = {"name": "read", "rule": "R", "expect_alert": True, "not_at": {}}
OTHER = {**READ, "name": "other", "rule": "S"}
QUIET = {**READ, "name": "quiet", "rule": "", "expect_alert": False}


def alert(
    at_ms: float, rule: str | None = "R", place: str = LOG, pod: str = "p1", arrived_ms: float | None = None
) -> Alert:
    moment = int(START + at_ms * MS)
    arrived = None if arrived_ms is None else int(START + arrived_ms * MS)
    return Alert(rule, None, None, moment, arrived, place, f"{rule} in {pod}", {"k8s.pod.name": pod})


def action(trigger: int, at_ms: int, node: str = "n1", pod: str = "p1") -> Action:
    return Action(trigger, node, pod, Done(START + at_ms * MS, START + (at_ms + 50) * MS, 0))


def node_of(found: list[dict[str, Any]], trigger: int = 0, node: int = 0) -> dict[str, Any]:
    entry: dict[str, Any] = found[trigger]["nodes"][node]
    return entry


def test_an_alert_is_followed_with_its_latencies() -> None:
    places = {
        LOG: [alert(2, arrived_ms=5)],
        SIDEKICK: [alert(2, arrived_ms=9)],
        "webhook": [alert(2, place="webhook", arrived_ms=14.5)],
    }
    found = followed([READ], [action(0, 0)], places)
    seen = node_of(found)
    assert (seen["event_ms"], seen["falco_ms"], seen["sidekick_ms"]) == (2.0, 5.0, 9.0)
    assert seen["places"] == {
        LOG: {"arrived": True, "latency_ms": 5.0, "text": "R in p1"},
        "webhook": {"arrived": True, "latency_ms": 14.5, "text": "R in p1"},
    }
    assert seen["acted"] == "2026-11-27T17:20:00Z"
    assert complete(found)


@pytest.mark.parametrize(
    "other",
    [
        alert(2, rule="S"),
        alert(2, pod="p2"),
        alert(60),
        alert(-20),
        replace(alert(2, rule="S"), text="R in p1"),
        Alert(None, None, None, START, None, LOG, "no rule in p1"),
    ],
)
def test_another_alert_is_not_its_own(other: Alert) -> None:
    found = followed([READ], [action(0, 0), action(0, 500, "n2", "p9")], {LOG: [other]})
    assert [one["places"][LOG]["arrived"] for one in found[0]["nodes"]] == [False, False]
    assert not complete(found)


def test_the_same_rule_twice_in_one_pod_is_told_apart_by_time() -> None:
    found = followed([READ, {**READ, "name": "again"}], [action(0, 0), action(1, 100)], {LOG: [alert(101)]})
    assert not node_of(found)["places"][LOG]["arrived"]
    assert node_of(found, 1)["places"][LOG]["arrived"]


def test_a_message_without_a_rule_of_its_own_names_it_in_its_text() -> None:
    text = Alert(None, None, None, None, START + 9 * MS, "slack", "rule: R\npod: p1")
    found = followed([READ], [action(0, 0)], {LOG: [alert(1)], "slack": [text]})
    assert node_of(found)["places"]["slack"] == {"arrived": True, "latency_ms": 9.0, "text": text.text}


def test_nothing_may_come_of_what_is_harmless() -> None:
    noise = [alert(1, "X"), alert(2, "X", pod="p2"), alert(101)]
    found = followed([QUIET, READ], [action(0, 0), action(1, 100)], {LOG: noise})
    assert node_of(found)["alerts"] == [{"rule": "X", "text": "X in p1"}]
    assert node_of(found, 1)["alerts"] == [{"rule": "R", "text": "R in p1"}]
    assert complete(found)


def test_what_is_not_awaited_or_was_not_done_is_not_waited_for() -> None:
    undone = Action(0, "n2", "p2", None, "no image")
    there = {LOG: [alert(1)], "slack": []}
    assert not complete(followed([READ], [action(0, 0), undone], there))
    found = followed([{**READ, "not_at": {"slack": "below"}}], [action(0, 0), undone], there)
    assert complete(found)
    assert node_of(found, 0, 1)["error"] == "no image"
    assert node_of(found, 0, 1)["places"][LOG]["arrived"] is False


def test_a_pod_that_only_a_field_names_is_the_alert_s() -> None:
    found = followed([READ], [action(0, 0)], {LOG: [replace(alert(1), text="R in a container")]})
    assert node_of(found)["places"][LOG]["arrived"]


@pytest.mark.parametrize("behind_ms", [0, -3200, 4000])
def test_a_clock_of_falco_that_was_left_behind_is_noticed(behind_ms: int) -> None:
    log = [alert(2 + behind_ms), alert(103 + behind_ms, "S")]
    triggers, actions = [READ, OTHER], [action(0, 0), action(1, 100)]
    offset = clock_offsets(triggers, actions, log).get("n1", 0)
    assert abs(offset - behind_ms * MS) <= 50 * MS
    found = followed(triggers, actions, {LOG: log})
    assert complete(found)
    assert abs(node_of(found)["clock_offset_ms"] - behind_ms) <= 50


def test_an_event_is_its_action_s_from_five_milliseconds_before_until_five_after() -> None:
    begin, end, nanosecond = -5.0, 55.0, 1e-6
    arrived = []
    for at_ms in (begin - nanosecond, begin, end - nanosecond, end):
        one = alert(0)
        moved = replace(one, time_ns=START + round(at_ms * MS))
        arrived.append(node_of(followed([READ], [action(0, 0)], {LOG: [moved]}))["places"][LOG]["arrived"])
    assert arrived == [False, True, True, False]


def test_half_a_second_is_the_least_by_which_clocks_differ() -> None:
    def offset(moment_ns: int) -> int:
        found = replace(alert(0), time_ns=START + moment_ns)
        return clock_offsets([READ], [action(0, 0)], [found]).get("n1", 0)

    least = 500 * MS
    assert [offset(one) for one in (least - 1, least, -least, 1 - least)] == [0, least, -least, 0]


def test_no_clock_is_judged_by_what_must_raise_nothing() -> None:
    assert clock_offsets([QUIET], [action(0, 0)], [alert(900)]) == {}


def test_one_place_is_complete_by_itself() -> None:
    found = followed([READ], [action(0, 0)], {LOG: [alert(1)], "slack": []})
    assert (complete(found), complete(found, LOG), complete(found, "slack")) == (False, True, False)


def test_times_are_in_tenths_of_a_millisecond_and_none_where_they_are_not_known() -> None:
    seen = node_of(followed([READ], [action(0, 0)], {LOG: [alert(2.34, arrived_ms=5.67)]}))
    assert (seen["event_ms"], seen["falco_ms"], seen["sidekick_ms"]) == (2.3, 5.7, None)
    timeless = replace(alert(0), time_ns=None)
    seen = node_of(followed([READ], [action(0, 0)], {LOG: [timeless]}))
    assert (seen["event_ms"], seen["falco_ms"], seen["places"][LOG]["arrived"]) == (None, None, True)
    late = followed([READ], [action(0, 0)], {LOG: [alert(900.06)]})
    assert (node_of(late)["clock_offset_ms"], node_of(late)["event_ms"]) == (900.1, 0.0)
    undone = node_of(followed([READ], [Action(0, "n1", "p1", None, "no image")], {LOG: [alert(1)]}))
    assert (undone["acted"], undone["exit_code"], undone["event_ms"], undone["alerts"]) == (None, None, None, [])


def test_the_clock_is_each_node_s_own() -> None:
    triggers = [READ]
    actions = [action(0, 0), action(0, 0, "n2", "p2")]
    assert set(clock_offsets(triggers, actions, [alert(1), alert(900, pod="p2")])) == {"n2"}
