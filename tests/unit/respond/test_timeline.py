"""A timeline has each step with the time since the event and since the step before, as far as both are known."""

from __future__ import annotations

from ansible_collections.falconet.k8s.plugins.module_utils.respond.timeline import timeline

EVENT = "2026-03-01T10:00:00.250Z"


def test_each_step_has_what_it_took_and_the_time_since_the_event() -> None:
    marks = [
        {"at": "2026-03-01T10:00:01Z", "what": "alert", "detail": "seen"},
        {"at": "2026-03-01T10:00:04.5Z", "what": "held"},
    ]
    assert timeline({"time": EVENT, "rule": "Shell"}, marks) == [
        {"at": EVENT, "what": "event", "detail": "Shell", "seconds": 0.0, "took": 0.0},
        {"at": "2026-03-01T10:00:01Z", "what": "alert", "detail": "seen", "seconds": 0.75, "took": 0.75},
        {"at": "2026-03-01T10:00:04.5Z", "what": "held", "detail": "", "seconds": 4.25, "took": 3.5},
    ]


def test_seconds_are_told_to_the_millisecond() -> None:
    rows = timeline({"time": EVENT}, [{"at": "2026-03-01T10:00:01.0006Z", "what": "alert"}])
    assert (rows[1]["seconds"], rows[1]["took"]) == (0.751, 0.751)


def test_a_step_without_a_time_is_passed_over_by_what_comes_after_it() -> None:
    marks = [{"what": "alert"}, {"at": "2026-03-01T10:00:02.250Z", "what": "held"}]
    rows = timeline({"time": EVENT}, marks)
    assert [(row["seconds"], row["took"], row["detail"]) for row in rows] == [
        (0.0, 0.0, ""),
        (None, None, ""),
        (2, 2, ""),
    ]


def test_without_the_event_s_time_only_steps_are_measured() -> None:
    marks = [{"at": "2026-03-01T10:00:01Z", "what": "a"}, {"at": "2026-03-01T10:00:02Z", "what": "b"}]
    rows = timeline({}, marks)
    assert [(row["at"], row["seconds"], row["took"]) for row in rows] == [
        (None, None, None),
        ("2026-03-01T10:00:01Z", None, None),
        ("2026-03-01T10:00:02Z", None, 1.0),
    ]


def test_nothing_in_a_mark_is_a_template() -> None:
    (_event, row) = timeline({}, [{"what": "{{ y }}", "detail": "{{ z }}"}])
    assert (row["what"], row["detail"]) == ("(( y ))", "(( z ))")
