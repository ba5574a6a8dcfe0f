# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which steps may be done now.

An attacker can provoke alerts, so a response that always acted would be a way to switch workloads off.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .alert import Alert
from .ladder import COLLECT, NOTE, QUARANTINE, STOP, Rung, rung_of

WAITS = "it waits for somebody who approves"
#: A clock that is ahead of another by less makes no pod younger than its alert.
CLOCKS = timedelta(seconds=2)
ALWAYS_PROTECTED = ("kube-system", "kube-public", "kube-node-lease")


@dataclass(frozen=True)
class Limits:
    """How far a response goes.

    Attributes:
        dry_run: nothing but notes is done.
        protected_namespaces: whose pods are never held or stopped, beside ALWAYS_PROTECTED.
        pods_per_hour: how many pods may be held within an hour.
        share_up: of a workload's pods, the share that stays up, from 0 to 1; a workload of one pod may always be held,
            since a replacement starts.
        oldest_minutes: alerts that are older are noted alone.
        approved: steps that somebody has approved.
    """

    dry_run: bool = True
    protected_namespaces: tuple[str, ...] = ()
    pods_per_hour: int = 10
    share_up: float = 0.5
    oldest_minutes: int = 60
    approved: frozenset[str] = frozenset()


@dataclass(frozen=True)
class State:
    """What is known when an alert comes.

    Attributes:
        now: the time.
        stopped: why nothing is done at all, such as by the kill switch; empty if it is not.
        there: whether the pod is still there.
        held_since: since when this pod is held; None if it is not, or has labels again that it gave up.
        held_within_hour: pods that were held within the last hour.
        workload_pods: pods of the pod's workload that are ready, with itself.
        host_network: whether the pod is on its node's network.
        collected: when what is known of this incident was kept; None if it was not.
        made: when the pod was made; None if it is not known.
    """

    now: datetime
    stopped: str = ""
    there: bool = True
    held_since: str | None = None
    held_within_hour: int = 0
    workload_pods: int = 1
    host_network: bool = False
    collected: datetime | None = None
    made: datetime | None = None


@dataclass(frozen=True)
class Verdict:
    """Whether a step is done, and why not."""

    step: str
    do: bool
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {"step": self.step, "do": self.do, "why": self.why}


def decide(alert: Alert, rung: Rung | None, limits: Limits, state: State) -> list[Verdict]:
    """Of each step that the rung asks for, whether it is done; a note always is.

    Args:
        alert: what happened.
        rung: of the ladder; None if none fits.
        limits: how far a response goes.
        state: what is known now.
    """
    if rung is None:
        return []
    general = next(_against_all(alert, limits, state), "")
    found = []
    for step in rung.steps:
        why = "" if step == NOTE else general or next(_against(step, alert, rung, limits, state), "")
        found.append(Verdict(step, not why, why))
    return found


def _against_all(alert: Alert, limits: Limits, state: State) -> Iterator[str]:
    """Why nothing but a note is done."""
    if state.stopped:
        yield f"responses are stopped: {state.stopped}"
    if not alert.pod:
        yield "the alert is about no pod"
    if not state.there:
        yield f"pod {alert.namespace}/{alert.pod} is gone"
    # As a StatefulSet's pods, which have the names of those before them.
    if state.made is not None and alert.time is not None and state.made - alert.time > CLOCKS:
        yield f"pod {alert.namespace}/{alert.pod} is another one, made at {state.made:%Y-%m-%dT%H:%M:%SZ}"
    if alert.time is not None and state.now - alert.time > timedelta(minutes=limits.oldest_minutes):
        yield f"the alert is older than {limits.oldest_minutes} minutes"
    if limits.dry_run:
        yield "dry run"


def _against(step: str, alert: Alert, rung: Rung, limits: Limits, state: State) -> Iterator[str]:
    """Why one step is not done."""
    if step in (QUARANTINE, STOP) and alert.namespace in (*ALWAYS_PROTECTED, *limits.protected_namespaces):
        yield f"pods of {alert.namespace} are protected"
    fresh = timedelta(minutes=limits.oldest_minutes)
    if step == COLLECT and state.collected is not None and state.now - state.collected < fresh:
        yield f"what is known was kept at {state.collected:%Y-%m-%dT%H:%M:%SZ}"
    if step == QUARANTINE:
        yield from _against_holding(alert, limits, state)
    if step == STOP and (why := _leaves_too_few(limits, state)):
        yield why
    if step in rung.approve and step not in limits.approved:
        yield WAITS


def _against_holding(alert: Alert, limits: Limits, state: State) -> Iterator[str]:
    if state.held_since is not None:
        yield f"pod {alert.namespace}/{alert.pod} is held since {state.held_since}"
    if state.host_network:
        yield "the pod is on its node's network, where no policy holds it"
    if state.held_within_hour >= limits.pods_per_hour:
        yield f"{state.held_within_hour} pods were held within the hour, and {limits.pods_per_hour} are the most"
    if why := _leaves_too_few(limits, state):
        yield why


def _leaves_too_few(limits: Limits, state: State) -> str:
    left = state.workload_pods - 1
    if state.held_since is not None or left < 1 or left >= limits.share_up * state.workload_pods:
        return ""
    return f"{left} of {state.workload_pods} pods of its workload would stay up, fewer than {limits.share_up:.0%}"


def plan(alert: Alert, ladder: Sequence[Rung], limits: Limits, state: State) -> dict[str, Any]:
    """What is done about an alert, as plain data.

    Args:
        alert: what happened.
        ladder: the rungs.
        limits: how far a response goes.
        state: what is known now.
    """
    rung = rung_of(ladder, alert)
    verdicts = decide(alert, rung, limits, state)
    return {
        "incident": alert.incident,
        "rule": alert.rule,
        "priority": alert.priority,
        "namespace": alert.namespace,
        "pod": alert.pod,
        "time": None if alert.time is None else alert.time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "rung": "" if rung is None else rung.name,
        "steps": [one.to_dict() for one in verdicts],
        "do": [one.step for one in verdicts if one.do],
    }
