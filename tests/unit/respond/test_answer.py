"""A signed answer approves the steps that it names, of its incident, until its time."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.respond.answer import approved, question
from ansible_collections.falconet.k8s.plugins.module_utils.respond.errors import RespondError
from ansible_collections.falconet.k8s.plugins.module_utils.respond.guard import WAITS

PLAN: dict[str, Any] = {
    "incident": "a1",
    "rule": "Shell",
    "namespace": "prod",
    "pod": "web-1",
    "steps": [
        {"step": "note", "why": ""},
        {"step": "quarantine", "why": WAITS},
        {"step": "collect", "why": "dry run"},
        {"step": "stop", "why": WAITS},
    ],
}
NOW = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
ANSWER: dict[str, Any] = {"incident": "a1", "approve": ["quarantine"], "until": "2026-01-31T12:00:00Z"}


def read(**other: Any) -> frozenset[str]:
    return approved(json.dumps({**ANSWER, **other}).encode(), "a1", NOW)


def test_it_counts_to_the_second_that_it_names() -> None:
    assert read() == {"quarantine"}
    with pytest.raises(RespondError, match="sign a new one"):
        read(until="2026-01-31T11:59:59Z")


@pytest.mark.parametrize("until", [None, "", "tomorrow", "2026-02-31T12:00:00Z", 5])
def test_one_without_a_time_does_not_count(until: object) -> None:
    with pytest.raises(RespondError, match="the answer counted until"):
        read(until=until)


@pytest.mark.parametrize("approve", [None, "quarantine", [5], {"quarantine": 1}, ["quarantine", None]])
def test_steps_are_a_list_of_texts(approve: object) -> None:
    with pytest.raises(RespondError, match="has no list of steps"):
        read(approve=approve)


def test_an_unknown_step_and_another_incident_are_refused() -> None:
    with pytest.raises(RespondError, match="approves 'shout'; no step is called so"):
        read(approve=["quarantine", "shout"])
    with pytest.raises(RespondError, match="about another incident than a1"):
        read(incident="a2")
    with pytest.raises(RespondError, match="is no JSON"):
        approved(b"{", "a1", NOW)
    with pytest.raises(RespondError, match="has no list of steps"):
        approved(b"[]", "a1", NOW)


def test_the_question_is_the_answer_once_it_is_signed_and_counts_as_long_as_it_says() -> None:
    asked = question(PLAN, NOW, 30)
    assert asked == {
        "incident": "a1",
        "rule": "Shell",
        "namespace": "prod",
        "pod": "web-1",
        "approve": ["quarantine", "stop"],
        "until": "2026-01-31T12:30:00Z",
    }
    text = json.dumps(asked).encode()
    assert approved(text, "a1", NOW + timedelta(minutes=30)) == {"quarantine", "stop"}
    with pytest.raises(RespondError, match="sign a new one"):
        approved(text, "a1", NOW + timedelta(minutes=30, seconds=1))


def test_where_no_step_waits_nobody_is_asked() -> None:
    assert question({**PLAN, "steps": PLAN["steps"][:1]}, NOW, 30) is None
