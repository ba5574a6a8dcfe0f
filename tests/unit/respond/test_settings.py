"""Limits of responses are refused with everything that is wrong, whatever kind their values have."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.live_respond.options import ARGUMENTS
from ansible_collections.falconet.k8s.plugins.module_utils.respond.errors import RespondError
from ansible_collections.falconet.k8s.plugins.module_utils.respond.guard import Limits
from ansible_collections.falconet.k8s.plugins.module_utils.respond.settings import read_limits, read_state


def test_without_a_word_nothing_is_done() -> None:
    assert read_limits({}) == Limits() == Limits(True, (), 10, 0.5, 60, frozenset())
    assert ARGUMENTS["limits"]["options"]["dry_run"]["default"] is True


def test_what_is_given_counts_up_to_its_bounds() -> None:
    given = {"pods_per_hour": 0, "share_up": 1, "oldest_minutes": 0, "dry_run": False, "approved": ["quarantine"]}
    assert read_limits({**given, "protected_namespaces": ["a"]}) == Limits(
        False, ("a",), 0, 1, 0, frozenset(["quarantine"])
    )
    assert read_limits({"share_up": 0}).share_up == 0


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"pods_per_hour": -1}, "pods_per_hour: a number of 0 or more, not -1"),
        ({"pods_per_hour": True}, "pods_per_hour: a number of 0 or more, not True"),
        ({"oldest_minutes": 1.5}, "oldest_minutes: a number of 0 or more, not 1.5"),
        ({"oldest_minutes": "1"}, "oldest_minutes: a number of 0 or more, not '1'"),
        ({"share_up": -0.1}, "share_up: a number from 0 to 1, not -0.1"),
        ({"share_up": 1.1}, "share_up: a number from 0 to 1, not 1.1"),
        ({"share_up": "half"}, "share_up: a number from 0 to 1, not 'half'"),
        ({"dry_run": "no"}, "dry_run: true or false, not 'no'"),
        ({"protected_namespaces": "a"}, "protected_namespaces: a list of texts"),
        ({"protected_namespaces": [5]}, "protected_namespaces: a list of texts"),
        ({"dry-run": False}, "dry-run: no such limit; did you mean 'dry_run'?"),
    ],
)
def test_each_limit_is_held_to_its_kind_and_bounds(limits: dict[str, Any], message: str) -> None:
    with pytest.raises(RespondError) as told:
        read_limits(limits)
    assert str(told.value) == message


@pytest.mark.parametrize("odd", [5, True, {"hold": 1}, "hold", [5]])
def test_a_list_of_steps_that_is_none_is_refused(odd: Any) -> None:
    with pytest.raises(RespondError, match="approved: a list of texts"):
        read_limits({"approved": odd})


def test_a_step_that_there_is_not_is_refused_beside_the_rest() -> None:
    with pytest.raises(RespondError) as told:
        read_limits({"approved": ["quarantine", "shout"], "share_up": 2})
    assert "approved: no step is called 'shout'" in str(told.value)
    assert "share_up: a number from 0 to 1, not 2" in str(told.value)


NOW = datetime(2026, 3, 1, 10, tzinfo=timezone.utc)


def held(since: str | None, **more: Any) -> dict[str, Any]:
    return {"namespace": "prod", "pod": "web-1", "since": since, **more}


@pytest.mark.parametrize(
    ("since", "counted"),
    [
        ("2026-03-01T10:00:00Z", 1),
        ("2026-03-01T09:00:00.000001Z", 1),
        ("2026-03-01T09:00:00Z", 0),
        ("2026-03-01T08:30:00Z", 0),
        (None, 0),
    ],
)
def test_what_was_held_counts_for_an_hour(since: str | None, counted: int) -> None:
    assert read_state({"quarantines": [held(since)]}, NOW).held_within_hour == counted


def test_pods_of_the_workload_count_that_are_ready_whatever_else_they_are() -> None:
    def pod(*conditions: tuple[str, str]) -> dict[str, Any]:
        found = [{"type": kind, "status": status} for kind, status in conditions]
        return {"metadata": {"ownerReferences": [{"controller": True, "uid": "web"}]}, "status": {"conditions": found}}

    ready, other = pod(("Initialized", "True"), ("Ready", "True")), pod(("Initialized", "True"), ("Ready", "False"))
    assert read_state({"pod": ready, "siblings": [ready, ready, other, pod()]}, NOW).workload_pods == 2


def test_a_pod_is_held_while_its_policy_and_its_labels_are_there() -> None:
    pod = {"metadata": {"namespace": "prod", "name": "web-1"}}
    since = "2026-03-01T09:30:00Z"

    def state(quarantine: dict[str, Any]) -> tuple[str | None, int]:
        found = read_state({"pod": pod, "quarantines": [quarantine]}, NOW)
        return found.held_since, found.held_within_hour

    assert state(held(since)) == (since, 1)
    assert state(held(None)) == ("an unknown time", 0)
    assert state({**held(since), "pod": "web-2"}) == (None, 1)
    assert state({**held(since), "namespace": "other"}) == (None, 1)
    assert state(held(since, slipped=True)) == (None, 1)
    assert state(held(since, there=False)) == (None, 0)
