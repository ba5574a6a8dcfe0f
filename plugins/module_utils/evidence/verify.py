# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stage verify: each trigger's alert is where it must arrive, and a trigger outside of a rule's scope raises none."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..common.words import nearest
from .asked import Asked, Result
from .check import FAILED, PASSED, SKIPPED, Check, EvidenceError, passed_if
from .delivery import check_delivery

#: How Falco's own log is called where destinations are named.
LOG = "Falco's log"


def judge(asked: Asked) -> Iterator[Check]:
    """The checks of the triggers that were fired.

    Args:
        asked: C(triggers), with C(name), C(rule), C(namespace), C(command) and C(expect_alert); C(pods), the names of
            the pods in which they ran, in the same order; C(stopped), why they could not be fired (empty if they
            were), and C(stopped_at), the step; C(log), what falco_alerts_info returned for Falco's log;
            C(destinations), what it returned for each, as a loop over destinations registers it;
            C(timeout_seconds), how long was waited; C(rules), whether each rule that Falco loads is switched on, by its
            name (empty if they are not known); and what C(check_delivery) reads.

    Raises:
        EvidenceError: something of this is missing or of another type.
    """
    if asked.text("stopped"):
        subject = asked.text("stopped_at") or "triggers"
        yield Check("triggers", "Triggers can be fired", subject, FAILED, asked.text("stopped"))
        return
    yield from check_delivery(asked)
    log = asked.result("log")
    places = [
        (LOG, log),
        *((str(place["destination"]["name"]), Result(place)) for place in asked.items("destinations")),
    ]
    triggers, pods = asked.items("triggers"), asked.items("pods")
    if len(triggers) != len(pods):
        raise EvidenceError(f"verify: {len(triggers)} triggers ran in {len(pods)} pods")
    seen = {trigger["rule"] for trigger in triggers if _alerts(trigger) and _match(trigger, log).get("arrived")}
    rules = asked.mapping("rules")
    for trigger, pod in zip(triggers, pods):
        if _alerts(trigger):
            for place, answer in places:
                yield _arrived(trigger, place, answer, asked.number("timeout_seconds"))
        else:
            yield _silent(trigger, str(pod), log, seen, rules)


def _alerts(trigger: Mapping[str, Any]) -> bool:
    return str(trigger.get("expect_alert", True)).lower() not in ("false", "no", "0")


def subject_of(trigger: Mapping[str, Any]) -> str:
    """How checks name a trigger, from its C(rule), C(name) and C(namespace)."""
    return f"{trigger['rule']}, {trigger['name']} in {trigger['namespace']}"


def _match(trigger: Mapping[str, Any], answer: Result) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(
        (match for match in answer.get("matches", []) if match.get("name") == trigger["name"]), {}
    )
    return found


def _arrived(trigger: Mapping[str, Any], place: str, answer: Result, timeout_seconds: float) -> Check:
    sentence, subject = f"Alert arrives at {place}", subject_of(trigger)
    if not answer.answered:
        return Check("alert", sentence, subject, FAILED, answer.why_not, {"place": place})
    match = _match(trigger, answer)
    latency = match.get("latency_ms")
    data = {"place": place, "latency_ms": latency, "text": match.get("text")}
    if not match.get("arrived"):
        command = " ".join(map(str, trigger["command"]))
        detail = f"did not arrive within {timeout_seconds:.0f} seconds after {command}"
        return Check("alert", sentence, subject, FAILED, detail, data)
    return Check(
        "alert", sentence, subject, PASSED, "arrived" + ("" if latency is None else f" after {latency} ms"), data
    )


def _silent(
    trigger: Mapping[str, Any], pod: str, log: Result, seen: Collection[str], rules: Mapping[str, Any]
) -> Check:
    sentence, subject = "No alert outside of the rule's scope", subject_of(trigger)
    if not log.answered:
        return Check("silence", sentence, subject, FAILED, log.why_not)
    # By its pod: other pods may raise the same rule meanwhile.
    wrong = [
        str(alert.get("text"))
        for alert in log.get("alerts", [])
        if alert.get("rule") == trigger["rule"] and _mentions(alert, pod)
    ]
    if wrong:
        return Check("silence", sentence, subject, FAILED, wrong[0])
    if rules and trigger["rule"] not in rules:
        near = nearest(trigger["rule"], rules)
        hint = f"; did you mean '{near}'?" if near else ""
        return Check("silence", sentence, subject, FAILED, f"Falco loads no rule of this name{hint}")
    if not seen:
        why = "nothing else arrived either, so silence proves nothing"
        return Check("silence", sentence, subject, SKIPPED, why)
    if trigger["rule"] not in {*seen, *rules}:
        why = "this rule alerted nowhere, and it is not known whether Falco has it, so silence proves nothing"
        return Check("silence", sentence, subject, SKIPPED, why)
    return Check("silence", sentence, subject, passed_if(True), "no alert while others arrived")


def _mentions(alert: Mapping[str, Any], pod: str) -> bool:
    return pod in str(alert.get("text")) or pod in map(str, (alert.get("fields") or {}).values())
