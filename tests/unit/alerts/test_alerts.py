"""Alerts are read in both forms and matched with what was expected."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.alerts import (
    AlertsError,
    Expectation,
    match,
    read_line,
    read_lines,
    read_time,
)
from hypothesis import given
from hypothesis import strategies as st

FALCO = {
    "hostname": "worker01",
    "output": "12:00:00.000000000: Warning shadow read | file=/etc/shadow k8s_pod_name=probe",
    "output_fields": {"fd.name": "/etc/shadow", "k8s.pod.name": "probe", "proc.aname[2]": None},
    "priority": "Warning",
    "rule": "Read of etc shadow",
    "source": "syscall",
    "tags": [""],
    "time": "2026-01-31T12:00:00.000000000Z",
}
WEBHOOK = {"received": "2026-01-31T12:00:00.012500000Z", "destination": "webhook", "text": "", "alert": FALCO}
SLACK = {
    "received": "2026-01-31T12:00:00.020Z",
    "destination": "slack",
    "rule": None,
    "text": "Rule: Read of etc shadow k8s.pod.name probe",
    "alert": None,
}


def lines(*documents: object) -> list[str]:
    return [json.dumps(d) for d in documents]


def test_other_lines_of_a_log_are_passed_over() -> None:
    noise = ["Fri Nov 21 Falco initialized", "{not json", "[]", "{}", '{"level": "info"}', ""]
    noise += ['{"rule": "R"}', '{"output": "o"}', '{"received": "now", "text": "t"}', '{"destination": "slack"}']
    assert [a.rule for a in read_lines([*noise, *lines(FALCO)])] == ["Read of etc shadow"]


def test_empty_tags_are_none() -> None:
    assert read_lines(lines(FALCO))[0].tags == ()


@pytest.mark.parametrize("odd", [5, 0.5, True, {"a": 1}, "text", [5, None, ["a"]]])
def test_what_has_another_kind_than_falcos_is_none(odd: object) -> None:
    names = ("rule", "priority", "source") if not isinstance(odd, str) else ()
    (alert,) = read_lines(lines({**FALCO, "tags": odd, **dict.fromkeys(names, odd)}))
    assert alert.tags == ()
    assert [getattr(alert, name) for name in names] == [None] * len(names)


def test_a_time_that_is_none_is_left_out_and_a_line_in_a_log_tells_when_it_arrived() -> None:
    (alert,) = read_lines(lines({**FALCO, "time": "noon"}))
    assert (alert.rule, alert.time_ns, alert.arrived_ns) == ("Read of etc shadow", None, None)
    logged, received = (read_line(line, 5) for line in lines(FALCO, WEBHOOK))
    assert logged is not None and logged.arrived_ns == 5
    assert received is not None and received.arrived_ns == read_time("2026-01-31T12:00:00.0125Z")
    named_falco = read_line(lines({**WEBHOOK, "destination": "falco"})[0], 5)
    assert named_falco is not None and named_falco.arrived_ns == received.arrived_ns


def test_a_receiver_tells_when_it_got_an_alert_and_no_log_does() -> None:
    (line,) = lines({**SLACK, "received": "noon"})
    found = read_line(line, 5)
    assert found is not None
    assert (found.destination, found.arrived_ns) == ("slack", None)


def test_a_receiver_s_text_is_the_alert_s_and_the_first_time_in_it_the_event_s() -> None:
    said = "A shadow read at 2026-01-31T12:00:00.5Z, told at 2026-01-31T12:00:09Z"
    for inner in (None, {"rule": "R", "output": "another text", "time": "2026-01-31T12:00:00.5Z"}):
        (found,) = read_lines(lines({**SLACK, "text": said, "alert": inner}))
        assert (found.text, found.time_ns) == (said, read_time("2026-01-31T12:00:00.5Z"))
    (found,) = read_lines(lines(WEBHOOK, SLACK))[:1]
    assert found.text == FALCO["output"]
    assert read_lines(lines(SLACK))[0].time_ns is None


def test_what_falcosidekick_logs_of_an_event_is_an_alert_that_reached_it() -> None:
    (line,) = lines(FALCO)
    found = read_line(f"2026/01/31 12:00:01 [DEBUG] : Falco's payload : {line}", 7)
    assert found is not None
    assert (found.rule, found.destination, found.arrived_ns) == ("Read of etc shadow", "falcosidekick", 7)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)), st.integers(0, 10**9 - 1))
def test_times_keep_their_nanoseconds(moment: datetime, nanoseconds: int) -> None:
    moment = moment.replace(microsecond=0, tzinfo=timezone.utc)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + f".{nanoseconds:09d}Z"
    assert read_time(text) == int(moment.timestamp()) * 10**9 + nanoseconds


def test_a_zone_counts() -> None:
    assert read_time("2026-01-31T12:00:00+02:00") == read_time("2026-01-31T10:00:00Z")


def test_what_is_no_time_is_told() -> None:
    with pytest.raises(AlertsError, match="yesterday"):
        read_time("yesterday")


@pytest.mark.parametrize(
    "wanted",
    [
        {"rule": "Read of etc shadow"},
        {"rule": "Read of etc shadow", "contains": "probe", "destination": "slack"},
        {"fields": {"fd.name": "/etc/shadow"}},
        {"contains": ["/etc/shadow", "probe"]},
    ],
)
def test_expectations_that_are_met(wanted: dict[str, object]) -> None:
    (found,) = match([Expectation.from_dict(wanted)], read_lines(lines(FALCO, WEBHOOK, SLACK)))
    assert found.alert is not None


@pytest.mark.parametrize(
    "wanted",
    [
        {"rule": "Another rule"},
        {"rule": "Read of etc shadow", "contains": "another-pod"},
        {"rule": "Read of etc shadow", "destination": "telegram"},
        {"fields": {"fd.name": "/etc/passwd"}},
        {"fields": {"fd.name": "/etc/shadow", "k8s.pod.name": "another-pod"}},
        # An alert that tells its rule is of no other, whatever its text says.
        {"rule": "shadow read"},
    ],
)
def test_expectations_that_are_not_met(wanted: dict[str, object]) -> None:
    (found,) = match([Expectation.from_dict(wanted)], read_lines(lines(FALCO, WEBHOOK, SLACK)))
    assert found.alert is None
    assert found.to_dict()["arrived"] is False


def test_an_expectation_is_called_by_its_name_its_rule_or_what_it_contains() -> None:
    named = {"name": "n", "rule": "R", "contains": ["a", "b"]}
    assert Expectation.from_dict(named).name == "n"
    assert Expectation.from_dict({**named, "name": ""}).name == "R"
    assert Expectation.from_dict({"contains": ["a", "b"]}).name == "a b"


def test_a_match_as_data_says_where_it_arrived() -> None:
    wanted = Expectation.from_dict({"rule": FALCO["rule"]})
    (met,) = match([wanted], read_lines(lines(WEBHOOK)))
    same = {"name": FALCO["rule"], "rule": FALCO["rule"]}
    told = {"destination": "webhook", "arrived": True, "latency_ms": 12.5, "text": FALCO["output"]}
    assert met.to_dict() == {**same, **told}
    missing = {"arrived": False, "latency_ms": None, "text": None}
    assert match([wanted], [])[0].to_dict() == {**same, **missing, "destination": None}
    (elsewhere,) = match([Expectation.from_dict({"rule": FALCO["rule"], "destination": "slack"})], [])
    assert elsewhere.to_dict() == {**same, **missing, "destination": "slack"}


def test_without_the_one_time_or_the_other_there_is_no_latency() -> None:
    wanted = Expectation.from_dict({"rule": FALCO["rule"]})
    unknown = [lines(FALCO), lines({**WEBHOOK, "alert": {**FALCO, "time": None}})]
    assert [match([wanted], read_lines(one))[0].latency_ms for one in unknown] == [None, None]


def test_latency_is_in_tenths_of_a_millisecond() -> None:
    late = lines({**WEBHOOK, "received": "2026-01-31T12:00:00.012345678Z"})
    assert match([Expectation.from_dict({"rule": FALCO["rule"]})], read_lines(late))[0].latency_ms == 12.3


def test_latency_is_from_event_to_arrival() -> None:
    (found,) = match(
        [Expectation.from_dict({"rule": FALCO["rule"], "destination": "webhook"})], read_lines(lines(WEBHOOK))
    )
    assert found.latency_ms == 12.5


@pytest.mark.parametrize(("wanted", "word"), [({"rle": "x"}, "rle"), ({"name": "x"}, "any alert would do")])
def test_a_wrong_expectation_is_told(wanted: dict[str, object], word: str) -> None:
    with pytest.raises(AlertsError, match=word):
        Expectation.from_dict(wanted)
