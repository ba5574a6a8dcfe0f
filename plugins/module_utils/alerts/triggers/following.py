# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which alert is an action's: by the pod that did it, the rule, and when, by the clock that node and Falco share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from ..reading import Alert
from .script import Done

#: Falco's own log; all other places are destinations.
LOG = "falco"
#: Falcosidekick's own log, which names what it got where its C(debug) is on.
SIDEKICK = "falcosidekick"
#: How exact Falco's clock is, whose beginning it computes.
_SLACK_NS = 5_000_000
#: A difference of clocks that is less is none: an alert that close to its action's time is another one's.
_LEAST_OFFSET_NS = 500_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Action:
    """What was done of one trigger on one node.

    Attributes:
        trigger: its place in the list of triggers.
        pod: in which it was done.
        done: None if it was not, or did not end.
        error: why it was not done; empty if it was.
    """

    trigger: int
    node: str
    pod: str
    done: Done | None
    error: str = ""


def followed(
    triggers: Sequence[Mapping[str, Any]], actions: Iterable[Action], places: Mapping[str, Sequence[Alert]]
) -> list[dict[str, Any]]:
    """Each trigger with what was seen of it, by node and place.

    Args:
        triggers: each with C(rule), C(expect_alert), C(not_at) and what else it has.
        actions: of these triggers, on all nodes.
        places: alerts by place: C(LOG), the destinations, and, where it is known, C(SIDEKICK).

    Returns:
        The triggers, each with C(nodes): C(node), C(pod), C(error), C(acted) (RFC 3339, the node's clock),
        C(exit_code), C(event_ms) (from the action's beginning to Falco's event; None if there is none), C(falco_ms)
        and C(sidekick_ms) (to Falco's log line and to Falcosidekick's), C(places), by destination and C(LOG) whether
        the alert C(arrived), its C(latency_ms) from the action and its C(text), and C(alerts), the texts of all alerts
        of its action.
    """
    listed = list(actions)
    offsets = clock_offsets(triggers, listed, places.get(LOG, ()))
    found = [{**trigger, "nodes": []} for trigger in triggers]
    for action in listed:
        trigger = triggers[action.trigger]
        found[action.trigger]["nodes"].append(_seen(trigger, action, places, offsets.get(action.node, 0)))
    for entry in found:
        entry["nodes"].sort(key=lambda one: one["node"])
    return found


def complete(found: Iterable[Mapping[str, Any]], at: str | None = None) -> bool:
    """Whether every alert that was awaited is where it must be; what could not be done is awaited no longer.

    Args:
        found: as C(followed) gives it.
        at: the one place that is looked at; None for all.
    """
    return all(
        place["arrived"]
        for trigger in found
        if trigger["expect_alert"]
        for node in trigger["nodes"]
        if not node["error"]
        for name, place in node["places"].items()
        if name not in trigger["not_at"] and at in (None, name)
    )


def clock_offsets(
    triggers: Sequence[Mapping[str, Any]], actions: Sequence[Action], log: Sequence[Alert]
) -> dict[str, int]:
    """By how many nanoseconds Falco's clock is ahead of its node's, for nodes where it must be.

    Falco takes a node's time once, at its start; a clock that is set afterwards leaves it behind. Then no alert is
    within its action's time. The difference is the smallest with which most alerts are.
    """
    found = {}
    for node in dict.fromkeys(action.node for action in actions):
        loud = [
            (action, [alert for alert in log if _of(trigger["rule"], action.pod, alert)])
            for action in actions
            for trigger in [triggers[action.trigger]]
            if action.node == node and action.done and trigger["expect_alert"]
        ]
        candidates = [0] + [
            alert.time_ns - action.done.began_ns
            for action, alerts in loud
            for alert in alerts
            if alert.time_ns is not None and action.done
            if abs(alert.time_ns - action.done.began_ns) >= _LEAST_OFFSET_NS
        ]

        def hits(offset: int, loud: list[tuple[Action, list[Alert]]] = loud) -> int:
            return sum(any(_within(action, alert, offset) for alert in alerts) for action, alerts in loud)

        best = max(candidates, key=lambda offset: (hits(offset), -abs(offset)))
        if best:
            found[node] = best
    return found


def _of(rule: str, pod: str, alert: Alert) -> bool:
    """Whether an alert is of a pod, and of a rule if one is given."""
    if rule and alert.rule != rule and not (alert.rule is None and rule in alert.text):
        return False
    return pod in alert.text or any(pod in str(value) for value in alert.fields.values())


def _within(action: Action, alert: Alert, offset_ns: int) -> bool:
    """Whether an alert's event was during an action; what does not tell its time may have been."""
    if action.done is None or alert.time_ns is None:
        return action.done is not None
    moment = alert.time_ns - offset_ns
    return action.done.began_ns - _SLACK_NS <= moment < action.done.ended_ns + _SLACK_NS


def _seen(
    trigger: Mapping[str, Any], action: Action, places: Mapping[str, Sequence[Alert]], offset_ns: int
) -> dict[str, Any]:
    of_action = {
        place: [alert for alert in alerts if _of("", action.pod, alert) and _within(action, alert, offset_ns)]
        for place, alerts in places.items()
    }
    of_rule = {
        place: next((alert for alert in alerts if _of(trigger["rule"], action.pod, alert)), None)
        for place, alerts in of_action.items()
    }
    began = action.done.began_ns if action.done else None
    log = of_rule.get(LOG)
    event = log.time_ns - offset_ns if log and log.time_ns is not None else None
    return {
        "node": action.node,
        "pod": action.pod,
        "error": action.error,
        "acted": _time(began),
        "exit_code": action.done.exit_code if action.done else None,
        "event_ms": _ms(began, event),
        "falco_ms": _ms(began, log.arrived_ns if log else None),
        "sidekick_ms": _ms(began, _arrived(of_rule.get(SIDEKICK))),
        "clock_offset_ms": round(offset_ns / 1e6, 1),
        "places": {
            place: {
                "arrived": alert is not None,
                "latency_ms": _ms(began, _arrived(alert)),
                "text": alert.text if alert else None,
            }
            for place, alert in of_rule.items()
            if place != SIDEKICK
        },
        "alerts": [
            {"rule": alert.rule, "text": alert.text}
            for alert in of_action.get(LOG, ())
            if not trigger["rule"] or alert.rule == trigger["rule"]
        ],
    }


def _arrived(alert: Alert | None) -> int | None:
    return alert.arrived_ns if alert else None


def _ms(began: int | None, moment: int | None) -> float | None:
    return None if began is None or moment is None else round((moment - began) / 1e6, 1)


def _time(moment: int | None) -> str | None:
    if moment is None:
        return None
    return (_EPOCH + timedelta(microseconds=moment // 1000)).isoformat().replace("+00:00", "Z")
