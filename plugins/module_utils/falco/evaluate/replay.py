# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""A ruleset on recorded events, line by line, and what a change of the ruleset would add, lose and reword."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from ..yaml.nesting import deep_nesting
from .engine import Alert, Engine, Explanation
from .events import parse_event

MOST_LINES = 5
"""Lines that are remembered of each rule."""
EVERY, ALERTS = "all", "alerts"
"""Of which events results are kept; of none with any other word, so that a long recording needs little memory."""


@deep_nesting()
def replay(
    engine: Engine,
    lines: Iterable[bytes],
    source: str | None = None,
    limit: int | None = None,
    before: Engine | None = None,
    explain: Sequence[str] = (),
    keep: str = EVERY,
    told: Callable[[dict[str, Any]], object] = lambda alert: None,
) -> dict[str, Any]:
    """Evaluate recorded events.

    Args:
        engine: the ruleset.
        lines: JSON, one field map, audit event (or several) or alert each; blank lines are skipped.
        source: of field maps and alerts that do not name theirs; None means syscall.
        limit: how many lines with events are read at most.
        before: another ruleset, to compare this one with.
        explain: names of rules of which each event's result says why they fire or not.
        keep: EVERY, ALERTS, or another word for none.
        told: gets each alert as plain data.

    Returns:
        `events` (how many), `dropped` (numbers of lines whose audit event the plugin drops), `results` for each event
        that is kept, `counts` by rule, `first_lines` by rule (at most MOST_LINES), and with `before` also `changes`
        (added, lost, reworded).

    Raises:
        FalcoError: a line is no event, or there is no rule to explain.
    """
    results: list[dict[str, Any]] = []
    dropped: list[int] = []
    counts: dict[str, int] = {}
    first: dict[str, list[int]] = {}
    evaluated = 0
    changes: dict[str, list[dict[str, Any]]] = {"added": [], "lost": [], "reworded": []}
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    for number, line in islice(numbered, limit):
        events = parse_event(line, number, source)
        if not events:
            dropped.append(number)
        if not events and keep == EVERY:
            results.append({"event": number, "rules": [], "alerts": []})
        for event in events:
            alerts = engine.alerts(event)
            evaluated += 1
            data = list(map(alert_data, alerts))
            result: dict[str, Any] = {
                "event": number,
                "rules": [alert.rule for alert in alerts],
                "alerts": data,
            }
            if explain:
                result["explanations"] = [explanation_data(engine.explain(name, event)) for name in explain]
            if keep == EVERY or (keep == ALERTS and alerts):
                results.append(result)
            for alert in data:
                told(alert)
                counts[alert["rule"]] = counts.get(alert["rule"], 0) + 1
                if counts[alert["rule"]] <= MOST_LINES:
                    first.setdefault(alert["rule"], []).append(number)
            if before is not None:
                _compare(number, before.alerts(event), alerts, changes)
    found: dict[str, Any] = {"events": evaluated, "dropped": dropped, "results": results, "first_lines": first}
    found["counts"] = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    if before is not None:
        found["changes"] = changes
    return found


def _compare(
    number: int, before: Sequence[Alert], after: Sequence[Alert], changes: dict[str, list[dict[str, Any]]]
) -> None:
    old = {alert.rule: alert for alert in before}
    new = {alert.rule: alert for alert in after}
    for rule, alert in old.items():
        if rule not in new:
            changes["lost"].append({"event": number, **alert_data(alert)})
        elif (alert.output, alert.priority) != (new[rule].output, new[rule].priority):
            changes["reworded"].append(
                {"event": number, "rule": rule, "before": alert_data(alert), "after": alert_data(new[rule])}
            )
    changes["added"].extend({"event": number, **alert_data(alert)} for rule, alert in new.items() if rule not in old)


def alert_data(alert: Alert) -> dict[str, Any]:
    """An alert as plain data."""
    return {
        "rule": alert.rule,
        "priority": alert.priority,
        "source": alert.source,
        "tags": list(alert.tags),
        "output": alert.output,
        "output_fields": alert.output_fields,
        "time": alert.time,
    }


def explanation_data(explanation: Explanation) -> dict[str, Any]:
    """An explanation as plain data, each reason also as a sentence."""
    return {
        "rule": explanation.rule,
        "fires": explanation.fires,
        "holds": explanation.holds,
        "why_not": explanation.why_not,
        "reasons": [
            {
                "text": reason.text,
                "holds": reason.holds,
                "negated": reason.negated,
                "values": reason.values,
                "macros": list(reason.macros),
                "says": str(reason),
            }
            for reason in explanation.reasons
        ],
    }
