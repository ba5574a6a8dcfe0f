"""What a check says besides its verdict: its subject, its whole sentence, and the data that programs read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.contained import contained
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.stages import evidence

from .cases import changed, falco, network_policies, release, respond, verify
from .test_report import check


def found(stage: str, asked: dict[str, Any], code: str, place: str = "") -> dict[str, Any]:
    """The one check with this code, and this place in its sentence."""
    (one,) = [one for one in evidence(asked, stage) if one["code"] == code and place in one["check"]]
    return one


@pytest.mark.parametrize(
    ("canary", "subject"),
    [({"enforced": True, "nodes": ["n1", "n2"]}, "nodes n1, n2"), ({"enforced": True}, "nodes unknown")],
)
def test_where_policies_are_enforced_is_told_by_node(canary: dict[str, Any], subject: str) -> None:
    asked = changed(network_policies.GOOD, canary=canary)
    assert found("network_policies", asked, "enforced")["subject"] == subject


def test_the_images_that_run_are_told_with_their_digests() -> None:
    data = found("falco", changed(falco.GOOD, **release.asked()), "images")["data"]
    assert data["images"] == release.IMAGES
    assert data["running"][release.FALCO] == {"falco": ["reg.example/falco:1@sha256:1"]}


def test_an_alert_that_is_missing_from_every_node_arrived_on_none() -> None:
    asked = verify.seen_on(verify.lost("n1"), verify.lost("n2"))
    told = found("verify", asked, "alert", "slack")
    assert told["detail"] == "did not arrive within 60 seconds after cat /etc/shadow, done on n1, n2"
    assert told["data"]["missing_on"] == ["n1", "n2"]


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        ({"least_ms": 100, "most_ms": 5000}, "; the clock of n1 is at least 100 ms ahead of the controller's"),
        ({"least_ms": -5000, "most_ms": -100}, "; the clock of n1 is at least 100 ms behind the controller's"),
        ({"least_ms": None, "most_ms": -100}, "; the clock of n1 is at least 100 ms behind the controller's"),
        ({"least_ms": 100, "most_ms": None}, "; the clock of n1 is at least 100 ms ahead of the controller's"),
        ({"least_ms": -9000, "most_ms": 9000}, ""),
        ({"least_ms": 99, "most_ms": 9000}, ""),
        ({"least_ms": None, "most_ms": None}, ""),
    ],
)
def test_how_far_a_clock_is_off_at_least_is_told(clock: dict[str, Any], words: str) -> None:
    asked = verify.seen_on(verify.node(), clocks={"n1": clock})
    assert found("verify", asked, "alert", "slack")["detail"] == f"arrived on n1 after 12.5 ms{words}"


@pytest.mark.parametrize(
    ("latency_ms", "words"),
    [(-0.5, "; it arrived before it was raised on n1: the clocks differ"), (0.0, ""), (0.5, "")],
)
def test_what_arrived_before_it_was_raised_is_told(latency_ms: float, words: str) -> None:
    asked = verify.seen_on(verify.node(slack=verify.place(latency_ms=latency_ms)))
    assert found("verify", asked, "alert", "slack")["detail"] == f"arrived on n1 after {latency_ms} ms{words}"


def test_responses_are_told_with_their_timelines_and_who_is_held() -> None:
    row = {"at": "10:00", "what": "raised", "detail": "x", "seconds": 1.5, "took": None}
    incident = {"directory": "/d", "archive": "/a", "held": {"until": "U"}, "timeline": [{**row, "other": 1}]}
    checks = [
        check(stage="respond", code="incident", subject="prod/web", data={"incident": incident}),
        check(stage="respond", code="quarantines", data={"quarantines": [respond.held(pod="p")]}),
        check(code="incident", subject="another stage's"),
    ]
    told = contained(checks)
    assert told["drill"] is None
    assert told["incidents"] == [
        {"subject": "prod/web", "directory": "/d", "archive": "/a", "until": "U", "timeline": [row]}
    ]
    assert [one["pod"] for one in told["quarantines"]] == ["p"]
    drill = {"subject": "s", "node": "n1", "pod": None, "timeline": [row]}
    told = contained([check(stage="respond", code="removed", data=drill)])
    assert told["drill"] == {"subject": "s", "node": "n1", "pod": "", "timeline": [row]}
    assert (told["incidents"], told["quarantines"]) == ([], [])
