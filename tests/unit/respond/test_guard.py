"""Each bound of a limit, at it and beside it; and who is spared whatever the rung says."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.respond.alert import Alert
from ansible_collections.falconet.k8s.plugins.module_utils.respond.guard import Limits, State, decide
from ansible_collections.falconet.k8s.plugins.module_utils.respond.ladder import STEPS, Rung

NOW = datetime(2026, 3, 1, 10, tzinfo=timezone.utc)
MOMENT = timedelta(microseconds=1)
ALERT = Alert("Shell", "warning", frozenset(), NOW - timedelta(minutes=5), "prod", "web-1")
RUNG = Rung("shells", steps=STEPS)
LIMITS = Limits(dry_run=False)
STATE = State(NOW)


def done(alert: Alert = ALERT, rung: Rung | None = RUNG, limits: Limits = LIMITS, **state: Any) -> list[str]:
    return [one.step for one in decide(alert, rung, limits, replace(STATE, **state)) if one.do]


def why(step: str, **state: Any) -> str:
    return next(one.why for one in decide(ALERT, RUNG, LIMITS, replace(STATE, **state)) if one.step == step)


def test_of_what_nobody_said_anything_nothing_is_held_against_a_step() -> None:
    assert State(NOW) == State(NOW, "", True, None, 0, 1, False, None, None)


def test_where_nothing_is_against_it_everything_is_done() -> None:
    assert done() == list(STEPS)
    assert done(rung=None) == []


def test_a_pod_made_after_its_alert_is_another_one_beyond_what_clocks_differ_by() -> None:
    same = NOW - timedelta(minutes=5) + timedelta(seconds=2)
    assert done(made=same) == list(STEPS)
    assert done(made=same + MOMENT) == ["note"]
    assert why("collect", made=same + MOMENT) == "pod prod/web-1 is another one, made at 2026-03-01T09:55:02Z"
    assert done(replace(ALERT, time=None), made=NOW) == list(STEPS)


def test_an_alert_is_old_after_its_last_moment() -> None:
    assert done(replace(ALERT, time=NOW - timedelta(minutes=60))) == list(STEPS)
    assert done(replace(ALERT, time=NOW - timedelta(minutes=60) - MOMENT)) == ["note"]
    assert done(replace(ALERT, time=None)) == list(STEPS)


def test_what_is_known_is_kept_again_when_it_is_as_old_as_an_alert_may_be() -> None:
    kept = NOW - timedelta(minutes=60)
    assert "collect" in done(collected=kept)
    assert done(collected=kept + MOMENT) == ["note", "quarantine", "stop"]
    assert why("collect", collected=kept + timedelta(seconds=1)) == "what is known was kept at 2026-03-01T09:00:01Z"


@pytest.mark.parametrize(
    ("share_up", "pods", "held"),
    [
        (0.5, 1, True),
        (1.0, 1, True),
        (0.5, 2, True),
        (0.51, 2, False),
        (0.75, 4, True),
        (0.76, 4, False),
        (1.0, 9, False),
    ],
)
def test_the_last_pod_that_may_go_is_the_one_that_leaves_the_share(share_up: float, pods: int, held: bool) -> None:
    limits = replace(LIMITS, share_up=share_up)
    assert done(limits=limits, workload_pods=pods) == (list(STEPS) if held else ["note", "collect"])


def test_the_last_pod_within_the_hour_is_the_one_that_reaches_the_number() -> None:
    assert "quarantine" in done(held_within_hour=9)
    assert done(held_within_hour=10) == ["note", "collect", "stop"]


def test_a_pod_that_is_held_is_not_held_again_and_may_be_stopped_whatever_stays_up() -> None:
    assert done(held_since="noon", workload_pods=9, limits=replace(LIMITS, share_up=1)) == ["note", "collect", "stop"]


@pytest.mark.parametrize("namespace", ["kube-system", "kube-public", "kube-node-lease", "mine"])
def test_of_protected_namespaces_no_pod_is_held_or_stopped(namespace: str) -> None:
    limits = replace(LIMITS, protected_namespaces=("mine",))
    assert done(replace(ALERT, namespace=namespace), limits=limits) == ["note", "collect"]


def test_what_waits_is_done_once_it_is_approved_and_nothing_else_waits() -> None:
    rung = replace(RUNG, approve=frozenset(["quarantine"]))
    assert done(rung=rung) == ["note", "collect", "stop"]
    assert done(rung=rung, limits=replace(LIMITS, approved=frozenset(["quarantine"]))) == list(STEPS)
