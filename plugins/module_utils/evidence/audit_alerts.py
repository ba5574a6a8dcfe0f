# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether API servers hand their audit events over, and each request that was sent raised its rule, where, how fast."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..common.priorities import below
from ..common.words import counted
from .asked import Asked, Result
from .check import FAILED, SKIPPED, Check, passed_if
from .verify import LOG

#: The rule that tells of C(kubectl exec).
SESSION = "Attach/Exec Pod"
#: What an API server's audit plugin counts as an error, by its name.
_LOST = {
    "webhook": "could not be sent to Falco",
    "buffered": "were dropped, since more waited than the buffer holds",
    "log": "could not be written to the log; is its disk full?",
}
Entry = Mapping[str, Any]


def check_audit_alerts(asked: Asked) -> Iterator[Check]:
    """One check for the way from the API server, one for each rule and place, one for sessions and each place.

    Args:
        asked: C(before) and C(after), what kube_audit_counters_info returned (empty where none was asked);
            C(tried), what kube_audit_trigger returned; C(places), each with its C(name) and, as C(result), what
            falco_alerts_info returned; C(timeout_seconds), how long was waited; C(session_namespace), where a session
            was opened (empty for none), and C(session_seconds), within which it is to be told; C(about), of each rule
            its C(enabled) and C(priority); C(outputs), by place Falcosidekick's settings.

    Raises:
        EvidenceError: something of this is missing or of another type.
    """
    tried, subject = asked.result("tried"), f"{asked.text('namespace')}/{asked.text('release')}"
    if not tried.answered:
        yield Check("triggers", "Requests that raise rules can be sent", subject, FAILED, tried.why_not)
        return
    left = [str(text) for text in tried.get("left", [])]
    words = "; ".join(left) or f"{counted(len(tried.get('sent', [])), 'request')}, nothing of them is left"
    yield Check("triggers", "Requests that raise rules can be sent", subject, passed_if(not left), words)
    if asked.flag("webhook"):
        yield _handed_over(asked.result("before"), asked.result("after"))
    sent = dict.fromkeys(str(one["rule"]) for one in tried.get("sent", []))
    for place in asked.items("places"):
        found = Result(place["result"])
        matches = list(found.get("matches", []))
        for rule in sent:
            own = [one for one in matches if one["rule"] == rule]
            yield _alert(asked, rule, str(place["name"]), found, own)
        if SESSION in sent and asked.text("session_namespace"):
            told = [one for one in matches if one["rule"] == SESSION]
            yield _session(asked, str(place["name"]), told)


def _handed_over(before: Result, after: Result) -> Check:
    """What the API server counted since the requests; only of one process the difference means something."""
    sentence, subject = "The API server hands its events over", "API server"
    if not before.answered or not after.answered:
        why = before.why_not if not before.answered else after.why_not
        return Check("handover", sentence, subject, SKIPPED, why)
    if before.get("started") != after.get("started"):
        why = "another API server answered, or it has started again, so that its counters say nothing"
        return Check("handover", sentence, subject, SKIPPED, why)
    events = after.get("events", 0) - before.get("events", 0)
    growth = {
        str(name): count - before.get("errors", {}).get(name, 0) for name, count in after.get("errors", {}).items()
    }
    lost = {name: count for name, count in growth.items() if count > 0}
    wrong = [
        f"{counted(int(count), 'event')} of its plugin {name} {_LOST.get(name, 'failed')}"
        for name, count in sorted(lost.items())
    ]
    rejected = after.get("rejected", 0) - before.get("rejected", 0)
    if rejected > 0:
        wrong.append(f"{counted(int(rejected), 'request')} rejected, since the audit backend failed")
    if not events:
        wrong.append("it audits nothing: it runs without an audit policy, or without a backend")
    data = {"events": events, "errors": lost, "rejected": rejected}
    detail = "; ".join(wrong) or f"{counted(int(events), 'event')}, none of them lost"
    return Check("handover", sentence, subject, passed_if(not wrong), detail, data)


def _alert(asked: Asked, rule: str, place: str, found: Result, matches: Sequence[Entry]) -> Check:
    sentence, subject = f"Alert arrives at {place}", f"{rule}, asked of the API"
    latencies = _latencies(matches)
    arrived = [one for one in matches if one["arrived"]]
    waited, off = asked.number("timeout_seconds"), _about(asked, rule).get("enabled") is False
    too_low = _too_low(asked, rule, place)
    data = {
        "place": place,
        "latency_ms": max(latencies, default=None),
        "text": arrived[0]["text"] if arrived else None,
        "sent": len(matches),
        "arrived": len(arrived),
    }
    if not found.answered:
        return Check("alert", sentence, subject, FAILED, f"{place} cannot be read: {found.why_not}", data)
    missing = len(matches) - len(arrived)
    if matches and not missing:
        after = f" after {max(latencies)} ms" if latencies else ""
        times = f" {len(matches)} times, the last" if len(matches) > 1 else ""
        return Check("alert", sentence, subject, passed_if(True), f"arrived{times}{after}", data)
    if too_low:
        return Check("alert", sentence, subject, SKIPPED, too_low, data)
    why = f"{missing} of {len(matches)} did not arrive within {waited:.0f} seconds"
    if place == LOG and off:
        why += "; the rule is switched off"
    return Check("alert", sentence, subject, FAILED, why, data)


def _about(asked: Asked, rule: str) -> Entry:
    found: Entry = asked.mapping("about").get(rule) or {}
    return found


def _too_low(asked: Asked, rule: str, place: str) -> str:
    """Why a place does not get a rule's alerts; empty if it does."""
    least = str((asked.mapping("outputs").get(place) or {}).get("minimumpriority") or "")
    priority = str(_about(asked, rule).get("priority") or "")
    words = f"not awaited here: the rule's priority {priority} is below that of {place}, {least}"
    return words if below(priority, least) else ""


def _session(asked: Asked, place: str, matches: Sequence[Entry]) -> Check:
    """How fast a session in a pod is told: from the API server's event to its arrival."""
    limit, namespace = asked.number("session_seconds"), asked.text("session_namespace")
    sentence, subject = f"A session in a pod is told within {limit:g} seconds", f"{place}, {namespace}"
    latencies = _latencies(matches)
    if not latencies:
        arrived = any(one["arrived"] for one in matches)
        why = f"{place} does not say when an alert arrived" if arrived else _too_low(asked, SESSION, place)
        status = SKIPPED if why else FAILED
        return Check("session", sentence, subject, status, why or "no alert of it arrived", {"place": place})
    median, worst = statistics.median(latencies), max(latencies)
    data = {"place": place, "median_ms": median, "worst_ms": worst, "sessions": len(latencies)}
    detail = f"{counted(len(latencies), 'session')}: median {median:g} ms, worst {worst:g} ms"
    return Check("session", sentence, subject, passed_if(worst <= 1000 * limit), detail, data)


def _latencies(matches: Sequence[Entry]) -> list[float]:
    return [float(one["latency_ms"]) for one in matches if one["latency_ms"] is not None]
