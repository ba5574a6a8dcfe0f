"""Who is told that the proof turned: when, and what; also when the last alert got lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.filter.evidence import evidence_alert
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.alert import alert
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.report import report
from hypothesis import given
from hypothesis import strategies as st

from .test_report import ABOUT, check

GREEN, RED = report([check()], **ABOUT), report([check("failed", detail="no pod"), check()], **ABOUT)
TOLD_RED, TOLD_GREEN = json.dumps({"verdict": "failed"}), json.dumps({"verdict": "passed"})


@pytest.mark.parametrize(
    ("made", "told", "when", "priority"),
    [
        (GREEN, "", "turned", None),
        (RED, "", "turned", "Critical"),
        (RED, TOLD_GREEN, "turned", "Critical"),
        (RED, TOLD_RED, "turned", None),
        (GREEN, TOLD_RED, "turned", "Notice"),
        (GREEN, TOLD_GREEN, "turned", None),
        (RED, TOLD_RED, "failed", "Critical"),
        (RED, "", "failed", "Critical"),
        (GREEN, TOLD_RED, "failed", "Notice"),
        (GREEN, "", "failed", None),
        (RED, "", "never", None),
        (GREEN, TOLD_RED, "never", None),
        (RED, "half a {", "turned", "Critical"),
        (RED, "[]", "turned", "Critical"),
        (RED, {"verdict": "failed"}, "turned", None),
    ],
)
def test_it_is_told_when_it_turned(made: dict[str, Any], told: Any, when: str, priority: str | None) -> None:
    event = alert(made, told, when)
    assert event.get("priority") == priority
    assert (event != {}) == (priority is not None)


def test_the_event_says_what_failed_and_why() -> None:
    event = alert(RED, "", priority="Warning")
    assert event["rule"] == "Proof of falconet.k8s failed"
    assert event["output"].endswith(f"{RED['headline']} | It holds (a): no pod")
    assert event["output_fields"]["falconet.failed"] == 1
    assert (event["priority"], event["hostname"], event["time"]) == ("Warning", "production", ABOUT["time"])


def test_an_alert_is_no_report() -> None:
    many = report([check("failed", subject=f"s{number}") for number in range(9)], **ABOUT)
    output = alert(many, "")["output"]
    assert "(s4)" in output
    assert "(s5)" not in output
    assert output.endswith(" | and 4 more")
    five = report([check("failed", subject=f"s{number}") for number in range(5)], **ABOUT)
    assert "more" not in alert(five, "")["output"]


@given(st.lists(st.sampled_from(["passed", "failed"]), max_size=8), st.data())
def test_who_reads_the_alerts_knows_the_verdict(verdicts: list[str], data: st.DataObject) -> None:
    """Whatever got lost on the way: if nothing is due, the reader's last news are right."""
    told, news = "", "passed"
    for verdict in verdicts:
        event = alert(RED if verdict == "failed" else GREEN, told)
        arrives = data.draw(st.booleans())
        if event and arrives:
            news = event["output_fields"]["falconet.verdict"]
            told = json.dumps({"verdict": news})
        assert event or news == verdict


def test_another_time_is_an_error() -> None:
    with pytest.raises(AnsibleFilterError, match="'always' is no time to send an alert"):
        evidence_alert(RED, told="", when="always")
    assert evidence_alert(RED, told="")["tags"] == ["falconet", "proof"]
