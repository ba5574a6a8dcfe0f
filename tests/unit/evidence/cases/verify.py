"""Stage verify."""

from __future__ import annotations

from typing import Any

from tests.unit.evidence.cases import Case, changed
from tests.unit.evidence.cases.delivery import DELIVERIES

RULE = "Read of etc shadow"


def place(arrived: bool = True, latency_ms: float | None = 12.5, text: str | None = "cat read it") -> dict[str, Any]:
    return {"arrived": arrived, "latency_ms": latency_ms if arrived else None, "text": text if arrived else None}


def node(name: str = "n1", **places: dict[str, Any]) -> dict[str, Any]:
    """What was seen of a trigger on one node."""
    return {
        "node": name,
        "pod": f"falconet-trigger-{name}",
        "error": "",
        "exit_code": 0,
        "clock_offset_ms": 0.0,
        "places": {"falco": place(), "slack": place(), **places},
        "alerts": [],
    }


def lost(name: str = "n1", *at: str, **more: Any) -> dict[str, Any]:
    """A node from which an alert is missing, at some places or at all."""
    return {**node(name, **{one: place(False) for one in at or ("falco", "slack")}), **more}


READ = {"name": "read", "rule": RULE, "namespace": "prod", "command": ["cat", "/etc/shadow"], "expect_alert": True}
READ |= {"skipped": "", "not_at": {}, "nodes": [node()]}
BESIDE = {**READ, "name": "beside", "namespace": "default", "expect_alert": False, "nodes": [node()]}
HARMLESS = {**BESIDE, "name": "harmless", "rule": ""}
RUN: dict[str, Any] = {"triggers": [READ, BESIDE, HARMLESS], "unread": {}, "clocks": {}}
GOOD: dict[str, Any] = {"run": RUN, "destinations": ["slack"], "timeout_seconds": "60", "rules": {RULE: True}}
GOOD["delivery"] = {"skipped": True}


def ran(*triggers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What is asked where these triggers were done."""
    values = {name: more.pop(name) for name in ("rules", "destinations") if name in more}
    return changed(GOOD, run={**RUN, "triggers": list(triggers), **more}, **values)


def seen_on(*nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return ran({**READ, "nodes": list(nodes)}, **more)


ARRIVED, MISSED = ("alert", "passed"), ("alert", "failed")
SILENT, LOUD, UNHEARD = ("silence", "passed"), ("silence", "failed"), ("silence", "skipped")
WRONG = {"rule": RULE, "text": "cat in default"}
CASES = [
    Case("all arrived", GOOD, (ARRIVED, ARRIVED, SILENT, SILENT), ("after 12.5 ms", "no alert on 1 node while others")),
    Case(
        "no latency is known",
        seen_on(node(falco=place(latency_ms=None), slack=place(latency_ms=None))),
        (ARRIVED, ARRIVED),
        ("arrived on n1",),
    ),
    Case(
        "on two nodes",
        seen_on(node(), node("n2", slack=place(latency_ms=40.0))),
        (ARRIVED, ARRIVED),
        ("arrived on n1, n2 after 12.5 to 40.0 ms",),
    ),
    Case(
        "not at the destination",
        seen_on(lost("n1", "slack")),
        (ARRIVED, MISSED),
        ("did not arrive within 60 seconds after cat /etc/shadow, done on n1",),
    ),
    Case(
        "awaited no longer, for nobody could send it on",
        seen_on(lost("n1", "slack"), waited_seconds=5.2),
        (ARRIVED, MISSED),
        ("did not arrive within 5 seconds after cat /etc/shadow, done on n1",),
    ),
    Case(
        "from one of two nodes",
        seen_on(node(), lost("n2")),
        (MISSED, MISSED),
        ("done on n2; it arrived on n1 after 12.5 ms",),
    ),
    Case(
        "a program that the image does not have",
        seen_on(lost(exit_code=127)),
        (MISSED, MISSED),
        ("the command ended with 127: a program of it is not in the image",),
    ),
    Case(
        "a program that may not be run",
        seen_on(lost(exit_code=126)),
        (MISSED, MISSED),
        ("the command ended with 126: its program may not be executed",),
    ),
    Case(
        "a code that means this on one node alone",
        seen_on(lost(exit_code=127), lost("n2", exit_code=1)),
        (MISSED, MISSED),
        ("done on n1, n2",),
    ),
    Case(
        "not done on a node",
        seen_on(node(), lost("n2", error="its pod does not start: ErrImagePull")),
        (MISSED, MISSED),
        ("it could not be done on n2: its pod does not start: ErrImagePull; it arrived on n1",),
    ),
    Case("done nowhere", seen_on(), (MISSED, MISSED), ("it was done on no node",)),
    Case(
        "a place that cannot be read",
        seen_on(lost("n1", "slack"), unread={"slack": "503 away"}),
        (ARRIVED, MISSED),
        ("slack cannot be read: 503 away",),
    ),
    Case(
        "the log cannot be read",
        ran({**READ, "nodes": [lost()]}, BESIDE, unread={"falco": "no pod"}),
        (MISSED, MISSED, LOUD),
        ("Falco's log cannot be read: no pod",),
    ),
    Case(
        "what cannot alert is not done",
        ran({**READ, "skipped": "the rule is switched off", "nodes": []}),
        (("alert", "skipped"),),
        ("not done: the rule is switched off",),
    ),
    Case(
        "not awaited at a destination",
        ran({**READ, "not_at": {"slack": "below"}, "nodes": [lost("n1", "slack")]}),
        (ARRIVED, ("alert", "skipped")),
        ("not awaited here: below",),
    ),
    Case(
        "Falco's clock is behind",
        seen_on({**node(), "clock_offset_ms": -3200.0}),
        (ARRIVED, ARRIVED),
        ("; Falco's clock on n1 is 3200.0 ms behind its node's",),
    ),
    Case(
        "Falco's clock is ahead",
        seen_on({**node(), "clock_offset_ms": 100}),
        (ARRIVED, ARRIVED),
        ("; Falco's clock on n1 is 100 ms ahead of its node's",),
    ),
    Case(
        "clocks that hardly differ",
        seen_on({**node(), "clock_offset_ms": 99}, clocks={"n1": {"least_ms": -20, "most_ms": 99}}),
        (ARRIVED, ARRIVED),
        ("after 12.5 ms",),
    ),
    Case(
        "the node's clock is ahead",
        seen_on(node(), clocks={"n1": {"least_ms": 100, "most_ms": 180}}),
        (ARRIVED, ARRIVED),
        ("; the clock of n1 is at least 100 ms ahead of the controller's",),
    ),
    Case(
        "the node's clock is behind",
        seen_on(node(), clocks={"n1": {"least_ms": -190, "most_ms": -100}}),
        (ARRIVED, ARRIVED),
        ("; the clock of n1 is at least 100 ms behind the controller's",),
    ),
    Case(
        "it arrived before it was raised",
        seen_on(node(slack=place(latency_ms=-3.0)), node("n2", slack=place(latency_ms=0.0))),
        (ARRIVED, ARRIVED),
        ("; it arrived before it was raised on n1: the clocks differ",),
    ),
    Case(
        "not in the log, so silence proves nothing",
        ran({**READ, "nodes": [lost("n1", "falco")]}, BESIDE),
        (MISSED, ARRIVED, UNHEARD),
        ("nothing else arrived from n1 either, so silence there proves nothing",),
    ),
    Case(
        "nothing else arrived from one of two nodes",
        ran(READ, {**HARMLESS, "nodes": [node(), node("n2")]}),
        (ARRIVED, ARRIVED, UNHEARD),
        ("nothing else arrived from n2 either",),
    ),
    Case("only triggers that must not alert", ran(BESIDE), (UNHEARD,), ("proves nothing",)),
    Case(
        "an alert outside of the scope",
        ran(READ, {**BESIDE, "nodes": [{**node(), "alerts": [WRONG]}]}),
        (ARRIVED, ARRIVED, LOUD),
        ("No alert outside of the rule's scope", "cat in default"),
    ),
    Case(
        "an alert of what is harmless",
        ran(READ, {**HARMLESS, "nodes": [node("n0"), {**node(), "alerts": [WRONG]}]}),
        (ARRIVED, ARRIVED, LOUD),
        ("No alert of what is harmless", "Read of etc shadow: cat in default"),
    ),
    Case(
        "what must be silent could not be done",
        ran(READ, {**HARMLESS, "nodes": [lost(error="no image")]}),
        (ARRIVED, ARRIVED, LOUD),
        ("it could not be done on n1: no image",),
    ),
    Case(
        "what must be silent was done nowhere",
        ran(READ, {**HARMLESS, "nodes": []}),
        (ARRIVED, ARRIVED, LOUD),
        ("it was done on no node",),
    ),
    Case(
        "Falco has no such rule",
        ran(READ, {**BESIDE, "rule": "Read of ect shadow"}),
        (ARRIVED, ARRIVED, LOUD),
        ("Falco loads no rule of this name; did you mean 'Read of etc shadow'?",),
    ),
    Case(
        "Falco has no such rule and none like it",
        ran(READ, {**BESIDE, "rule": "x"}),
        (ARRIVED, ARRIVED, LOUD),
        ("Falco loads no rule of this name",),
    ),
    Case(
        "whether Falco has such a rule is not known",
        ran(READ, {**BESIDE, "rule": "Read of ect shadow"}, rules={}),
        (ARRIVED, ARRIVED, UNHEARD),
        ("it is not known whether Falco has it",),
    ),
    Case(
        "the rule alerted nowhere, though others did",
        ran({**READ, "nodes": [lost()]}, {**READ, "rule": "Other"}, BESIDE, rules={}),
        (MISSED, MISSED, ARRIVED, ARRIVED, UNHEARD),
        ("this rule alerted nowhere",),
    ),
    Case("the rule alerted elsewhere, so Falco has it", ran(READ, BESIDE, rules={}), (ARRIVED, ARRIVED, SILENT)),
    *(Case(name, changed(ran(), delivery=delivery), verdicts, words) for name, delivery, verdicts, words in DELIVERIES),
    Case(
        "they could not be done",
        changed(GOOD, run={"failed": True, "msg": "no such image"}),
        (("triggers", "failed"),),
        ("no such image",),
    ),
]
