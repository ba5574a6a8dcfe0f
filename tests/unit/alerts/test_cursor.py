"""A cursor loses no message and takes none twice, however a stream is read."""

from __future__ import annotations

from itertools import pairwise

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.alerts import AlertsError
from ansible_collections.falconet.k8s.plugins.module_utils.alerts.cursor import (
    Entry,
    Position,
    fresh,
    read_positions,
    written,
)
from hypothesis import given
from hypothesis import strategies as st

SECOND = 10**9


def test_two_messages_of_one_nanosecond_count_twice_and_then_never() -> None:
    twins = [Entry(5, "a"), Entry(5, "a"), Entry(5, "b")]
    first, position = fresh(twins[:1], None)
    second, position = fresh(twins, position)
    third, _position = fresh(twins, position)
    assert (first, second, third) == ([Entry(5, "a")], [Entry(5, "a"), Entry(5, "b")], [])


def test_what_comes_late_with_an_earlier_time_is_not_lost_within_the_span() -> None:
    _new, position = fresh([Entry(10, "a")], None)
    new, position = fresh([Entry(10, "a"), Entry(8, "late"), Entry(4, "too late")], position, 5)
    assert [entry.text for entry in new] == ["late"]
    assert fresh([Entry(10, "a"), Entry(8, "late")], position, 5)[0] == []


def test_the_span_ends_with_its_last_nanosecond() -> None:
    _new, position = fresh([Entry(5, "edge"), Entry(4, "before"), Entry(10, "a")], None, 5)
    assert position is not None
    assert {stamp for stamp, _count in position.seen.values()} == {5, 10}
    again = [Entry(5, "edge"), Entry(5, "late"), Entry(4, "too late")]
    new, position = fresh(again, position, 5)
    assert new == [Entry(5, "late")]
    assert fresh(again, position, 5)[0] == []


def test_without_a_span_nothing_earlier_is_taken() -> None:
    _new, position = fresh([Entry(10, "a")], None)
    assert fresh([Entry(9, "late"), Entry(10, "b")], position)[0] == [Entry(10, "b")]


def test_what_is_known_of_a_stream_is_kept_and_travels() -> None:
    _new, position = fresh([Entry(11, "b")], Position(10, {}, {"uid": "x"}))
    assert position is not None
    assert position.about == {"uid": "x"}
    assert read_positions(written("logs", {"pod": position}), "logs") == {"pod": position}


def test_nothing_read_is_no_position_and_leaves_one_that_there_was() -> None:
    assert fresh([], None) == ([], None)
    _new, position = fresh([Entry(10, "a")], None, 5)
    assert position is not None
    assert fresh([], position, 5) == fresh([Entry(4, "too old")], position, 5) == ([], position)


def test_what_one_read_did_not_show_is_not_taken_again_by_the_next() -> None:
    _new, position = fresh([Entry(10, "a")], None, 2)
    _new, position = fresh([Entry(12, "b")], position, 2)
    assert fresh([Entry(10, "a"), Entry(12, "b")], position, 2)[0] == []


def test_positions_are_one_text_whatever_their_order() -> None:
    one, other = Position(10), Position(11)
    assert written("logs", {"a": one, "b": other}) == written("logs", {"b": other, "a": one})


def test_a_stream_that_begins_after_the_position_is_noticed() -> None:
    _new, position = fresh([Entry(10, "a")], None)
    assert position is not None
    assert position.is_in([Entry(10, "a"), Entry(11, "b")])
    assert not position.is_in([Entry(11, "b")])
    assert Position(0).is_in([])


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab")), max_size=30),
    st.lists(st.integers(0, 30), max_size=6),
)
def test_however_a_log_is_read_each_line_is_taken_once(steps: list[tuple[int, str]], cuts: list[int]) -> None:
    """The log is only appended to, its times may stand still, and each read begins at a whole second."""
    log: list[Entry] = []
    for step, text in steps:
        log.append(Entry((log[-1].stamp_ns if log else 0) + step * SECOND // 2, text))
    taken: list[Entry] = []
    position = None
    for _before, end in pairwise([0, *sorted(cuts), len(log)]):
        start = 0 if position is None else position.last_ns // SECOND * SECOND
        new, position = fresh([one for one in log[:end] if one.stamp_ns >= start], position)
        # As it travels between two calls.
        position = read_positions(written("logs", {"x": position}), "logs")["x"] if position else None
        taken += new
    assert taken == log


@pytest.mark.parametrize("text", ["nonsense", "{}", "[]", '{"source": "logs", "format": 1, "streams": {"a": 1}}'])
def test_what_is_no_cursor_is_told(text: str) -> None:
    with pytest.raises(AlertsError, match="none that this module has returned"):
        read_positions(text, "logs")


def test_a_cursor_of_another_source_is_told() -> None:
    with pytest.raises(AlertsError, match="source=logs"):
        read_positions(written("logs", {}), "receiver")
    assert read_positions("", "logs") == {}


def test_a_cursor_of_another_version_is_told() -> None:
    assert read_positions('{"format": 1, "source": "logs", "streams": {}}', "logs") == {}
    with pytest.raises(AlertsError, match="format 2; source=logs has format 1"):
        read_positions('{"format": 2, "source": "logs", "streams": {}}', "logs")
