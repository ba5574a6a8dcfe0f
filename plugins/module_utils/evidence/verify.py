# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage verify: each trigger's alert is where it must arrive, from every node, and what must raise none raises none."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ..common.words import counted, nearest
from .asked import Asked, Result
from .check import FAILED, PASSED, SKIPPED, Check, passed_if
from .delivery import check_delivery

#: How Falco's own log is called where destinations are named, and what the module calls it.
LOG, LOG_PLACE = "Falco's log", "falco"
#: A clock that differs by less is not told; a latency of it would not be read wrongly.
CLOCK_MS = 100
Entry = Mapping[str, Any]


def judge(asked: Asked) -> Iterator[Check]:
    """The checks of the triggers that were done.

    Args:
        asked: C(run), what falco_triggers_run returned; C(destinations), names of the destinations in their order;
            C(timeout_seconds), how long was waited; C(rules), whether each rule that Falco loads is switched on, by its
            name (empty if they are not known); and what C(check_delivery) reads.

    Raises:
        EvidenceError: something of this is missing or of another type.
    """
    run, rules = asked.result("run"), asked.mapping("rules")
    if not run.answered:
        yield Check("triggers", "Triggers can be done", "triggers", FAILED, run.why_not)
        return
    yield from check_delivery(asked)
    triggers = list(run.get("triggers", []))
    places = [LOG_PLACE, *(str(name) for name in asked.items("destinations"))]
    seen = {trigger["rule"] for trigger in triggers if trigger["expect_alert"] and _arrived_somewhere(trigger)}
    heard = {
        node["node"]
        for trigger in triggers
        if trigger["expect_alert"]
        for node in trigger["nodes"]
        if _place(node, LOG_PLACE).get("arrived")
    }
    for trigger in triggers:
        if trigger["skipped"]:
            data = {"place": LOG, "latency_ms": None}
            sentence = f"Alert arrives at {LOG}"
            yield Check("alert", sentence, subject_of(trigger), SKIPPED, f"not done: {trigger['skipped']}", data)
        elif trigger["expect_alert"]:
            for place in places:
                yield _arrived(trigger, place, run, min(asked.number("timeout_seconds"), _waited(run)))
        else:
            yield _silent(trigger, run, heard, seen, rules)


def subject_of(trigger: Entry) -> str:
    """How checks name a trigger, from its C(rule), C(name) and C(namespace)."""
    return ", ".join(filter(None, (str(trigger["rule"] or ""), f"{trigger['name']} in {trigger['namespace']}")))


def _waited(run: Result) -> float:
    """How long alerts were awaited: less than asked for where nobody could send them on."""
    return float(run.get("waited_seconds", math.inf))


def _place(node: Entry, place: str) -> Entry:
    found: Entry = node["places"].get(place) or {}
    return found


def _arrived_somewhere(trigger: Entry) -> bool:
    return any(_place(node, LOG_PLACE).get("arrived") for node in trigger["nodes"])


def _arrived(trigger: Entry, place: str, run: Result, timeout_seconds: float) -> Check:
    called = LOG if place == LOG_PLACE else place
    sentence, subject, nodes = f"Alert arrives at {called}", subject_of(trigger), list(trigger["nodes"])
    told = [{**_without_places(node), **_place(node, place)} for node in nodes]
    latencies = [one["latency_ms"] for one in told if one.get("latency_ms") is not None]
    missing = [one for one in told if not one.get("arrived")]
    data = {
        "place": called,
        "latency_ms": max(latencies, default=None),
        "text": next((one["text"] for one in told if one.get("text")), None),
        "missing_on": [one["node"] for one in missing],
        "nodes": told,
    }
    not_here = trigger["not_at"].get(place)
    if not_here:
        return Check("alert", sentence, subject, SKIPPED, f"not awaited here: {not_here}", data)
    if not nodes:
        return Check("alert", sentence, subject, FAILED, "it was done on no node", data)
    if not missing:
        detail = f"arrived{_on(nodes)}{_after(latencies)}{_of_clocks(told, run)}"
        return Check("alert", sentence, subject, PASSED, detail, data)
    undone = [f"it could not be done on {one['node']}: {one['error']}" for one in missing if one["error"]]
    lost = [one for one in missing if not one["error"]]
    why = []
    if lost:
        command = " ".join(map(str, trigger["command"]))
        why.append(f"did not arrive within {timeout_seconds:.0f} seconds after {command}, done{_on(lost)}")
        why += _refused_to_run(lost)
    why += undone
    if len(missing) < len(nodes):
        arrived = [one for one in told if one.get("arrived")]
        why.append(f"it arrived{_on(arrived)}{_after(latencies)}")
    if run.get("unread", {}).get(place):
        why.append(f"{called} cannot be read: {run.get('unread')[place]}")
    return Check("alert", sentence, subject, FAILED, "; ".join(why), data)


def _without_places(node: Entry) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key not in ("places", "alerts")}


def _on(nodes: Sequence[Entry]) -> str:
    return f" on {', '.join(str(node['node']) for node in nodes)}"


def _after(latencies: Sequence[float]) -> str:
    if not latencies:
        return ""
    least, most = min(latencies), max(latencies)
    return f" after {least} ms" if least == most else f" after {least} to {most} ms"


def _refused_to_run(nodes: Sequence[Entry]) -> Iterator[str]:
    """What a shell says of a program that is not there."""
    words = {126: "its program may not be executed", 127: "a program of it is not in the image"}
    for code, text in words.items():
        if all(node.get("exit_code") == code for node in nodes):
            yield f"the command ended with {code}: {text}"


def _of_clocks(nodes: Sequence[Entry], run: Result) -> str:
    """Clocks that differ so that latencies are to be read with care."""
    behind = [
        f"Falco's clock on {node['node']} is {abs(node['clock_offset_ms'])} ms "
        f"{'ahead of' if node['clock_offset_ms'] > 0 else 'behind'} its node's"
        for node in nodes
        if abs(node["clock_offset_ms"]) >= CLOCK_MS
    ]
    clocks = run.get("clocks", {})
    apart = [
        f"the clock of {node['node']} is {difference} the controller's"
        for node in nodes
        for difference in [_difference(clocks.get(node["node"]) or {})]
        if difference
    ]
    before = [str(node["node"]) for node in nodes if (node.get("latency_ms") or 0) < 0]
    early = [f"it arrived before it was raised on {', '.join(before)}: the clocks differ"] if before else []
    return "".join(f"; {text}" for text in [*behind, *apart, *early])


def _difference(clock: Entry) -> str:
    """How far a clock is from the controller's at least, from the bounds of what is known."""
    apart = max(clock.get("least_ms") or 0, 0) + min(clock.get("most_ms") or 0, 0)
    if abs(apart) < CLOCK_MS:
        return ""
    return f"at least {abs(apart)} ms {'ahead of' if apart > 0 else 'behind'}"


def _silent(
    trigger: Entry, run: Result, heard: Collection[str], seen: Collection[str], rules: Mapping[str, Any]
) -> Check:
    rule, subject, nodes = str(trigger["rule"] or ""), subject_of(trigger), list(trigger["nodes"])
    sentence = "No alert outside of the rule's scope" if rule else "No alert of what is harmless"
    data = {"nodes": [_without_places(node) for node in nodes]}
    wrong = [alert for node in nodes for alert in node["alerts"]]
    if wrong:
        detail = f"{wrong[0]['rule']}: {wrong[0]['text']}" if not rule else str(wrong[0]["text"])
        return Check("silence", sentence, subject, FAILED, detail, data)
    if run.get("unread", {}).get(LOG_PLACE):
        return Check("silence", sentence, subject, FAILED, f"{LOG} cannot be read: {run.get('unread')[LOG_PLACE]}")
    undone = [f"it could not be done on {node['node']}: {node['error']}" for node in nodes if node["error"]]
    if undone or not nodes:
        return Check("silence", sentence, subject, FAILED, "; ".join(undone) or "it was done on no node", data)
    if rule and rules and rule not in rules:
        near = nearest(rule, rules)
        hint = f"; did you mean '{near}'?" if near else ""
        return Check("silence", sentence, subject, FAILED, f"Falco loads no rule of this name{hint}", data)
    deaf = [str(node["node"]) for node in nodes if node["node"] not in heard]
    if deaf:
        why = f"nothing else arrived from {', '.join(deaf)} either, so silence there proves nothing"
        return Check("silence", sentence, subject, SKIPPED, why, data)
    if rule and rule not in {*seen, *rules}:
        why = "this rule alerted nowhere, and it is not known whether Falco has it, so silence proves nothing"
        return Check("silence", sentence, subject, SKIPPED, why, data)
    detail = f"no alert on {counted(len(nodes), 'node')} while others arrived"
    return Check("silence", sentence, subject, passed_if(True), detail, data)
