"""What an API server does not count is none, and how often an alert arrived is told where it was more than once."""

from __future__ import annotations

from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.evidence.asked import Asked
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.audit_alerts import check_audit_alerts
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.check import Check

from .cases import changed
from .cases.k8s_audit import GOOD, POD, counted, matched, place, sent


def checks(code: str, **other: Any) -> list[Check]:
    return [one for one in check_audit_alerts(Asked("k8s_audit", changed(GOOD, **other))) if one.code == code]


def test_an_api_server_that_counts_nothing_audits_nothing_and_loses_nothing() -> None:
    (handover,) = checks("handover", before={"started": "1"}, after={"started": "1"})
    assert handover.detail == "it audits nothing: it runs without an audit policy, or without a backend"
    assert handover.data == {"events": 0, "errors": {}, "rejected": 0}


def test_what_it_counts_for_the_first_time_is_counted_from_none() -> None:
    (handover,) = checks("handover", before={"started": "1"}, after=counted(2, {"webhook": 1}, rejected=1))
    assert handover.data == {"events": 2, "errors": {"webhook": 1}, "rejected": 1}
    assert "1 event of its plugin webhook could not be sent" in handover.detail


def test_how_often_an_alert_arrived_is_told_from_the_second_on() -> None:
    told = [
        checks("alert", tried=sent(*[POD] * times), places=[place(*[matched(POD)] * times)])[0].detail
        for times in (1, 2)
    ]
    assert told == ["arrived after 100.0 ms", "arrived 2 times, the last after 100.0 ms"]
