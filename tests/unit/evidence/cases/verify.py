"""Stage verify."""

from __future__ import annotations

from typing import Any

from tests.unit.evidence.cases import Case, changed
from tests.unit.evidence.cases.delivery import DELIVERIES

READ = {"name": "read", "rule": "Read of etc shadow", "namespace": "prod", "command": ["cat", "/etc/shadow"]}
BESIDE = {**READ, "name": "beside", "namespace": "default", "expect_alert": False}
ARRIVED = {"name": "read", "arrived": True, "latency_ms": 12.5, "text": "cat read it"}
ALERT = {
    "rule": READ["rule"],
    "text": "cat in falconet-trigger-x-0",
    "fields": {"k8s.pod.name": "falconet-trigger-x-0"},
}
MATCHES = {"matches": [ARRIVED], "alerts": [ALERT]}
GOOD: dict[str, Any] = {
    "stopped": "",
    "stopped_at": "",
    "triggers": [READ, BESIDE],
    "pods": ["falconet-trigger-x-0", "falconet-trigger-x-1"],
    "log": MATCHES,
    "destinations": [{**MATCHES, "destination": {"name": "slack"}}],
    "timeout_seconds": "60",
    "rules": {READ["rule"]: True},
    "delivery": {"skipped": True},
}
MISSED = {"matches": [{"name": "read", "arrived": False}], "alerts": []}
ALL = ("alert", "passed"), ("alert", "passed"), ("silence", "passed")
WRONG = [
    {"rule": READ["rule"], "text": "cat in falconet-trigger-x-1", "fields": {}},
    {"rule": READ["rule"], "text": "cat", "fields": {"k8s.pod.name": "falconet-trigger-x-1"}},
]
CASES = [
    Case("all arrived", GOOD, ALL, ("arrived after 12.5 ms", "no alert while others arrived")),
    Case(
        "no latency is known",
        changed(GOOD, log={**MATCHES, "matches": [{**ARRIVED, "latency_ms": None}]}),
        ALL,
    ),
    Case(
        "not at the destination",
        changed(GOOD, destinations=[{**MISSED, "destination": {"name": "slack"}}]),
        (ALL[0], ("alert", "failed"), ALL[2]),
        ("did not arrive within 60 seconds after cat /etc/shadow",),
    ),
    Case(
        "not in the log, so silence proves nothing",
        changed(GOOD, log=MISSED, destinations=[]),
        (("alert", "failed"), ("silence", "skipped")),
        ("proves nothing",),
    ),
    Case(
        "it only came from what must not alert",
        changed(GOOD, log={**MATCHES, "matches": [{**ARRIVED, "name": "beside"}]}, destinations=[]),
        (("alert", "failed"), ("silence", "skipped")),
    ),
    Case(
        "nobody matched it",
        changed(GOOD, log={"alerts": []}, destinations=[]),
        (("alert", "failed"), ("silence", "skipped")),
    ),
    Case(
        "only triggers that must not alert",
        changed(GOOD, triggers=[BESIDE], pods=["p"], destinations=[]),
        (("silence", "skipped"),),
    ),
    *(
        Case(
            f"an alert outside of the scope, {number}",
            changed(GOOD, log={**MATCHES, "alerts": [ALERT, alert]}, destinations=[]),
            (ALL[0], ("silence", "failed")),
            ("cat",),
        )
        for number, alert in enumerate(WRONG)
    ),
    Case(
        "Falco has no such rule",
        changed(GOOD, triggers=[READ, {**BESIDE, "rule": "Read of ect shadow"}]),
        (*ALL[:2], ("silence", "failed")),
        ("Falco loads no rule of this name; did you mean 'Read of etc shadow'?",),
    ),
    Case(
        "Falco has no such rule and none like it",
        changed(GOOD, triggers=[READ, {**BESIDE, "rule": "x"}]),
        (*ALL[:2], ("silence", "failed")),
        ("Falco loads no rule of this name",),
    ),
    Case(
        "whether Falco has such a rule is not known",
        changed(GOOD, triggers=[READ, {**BESIDE, "rule": "Read of ect shadow"}], rules={}),
        (*ALL[:2], ("silence", "skipped")),
        ("it is not known whether Falco has it",),
    ),
    Case("the rule alerted elsewhere, so Falco has it", changed(GOOD, rules={}), ALL),
    Case(
        "another rule alerted there",
        changed(GOOD, log={**MATCHES, "alerts": [{**WRONG[0], "rule": "Other"}]}, destinations=[]),
        (ALL[0], ALL[2]),
    ),
    Case(
        "the log cannot be read",
        changed(GOOD, log={"failed": True, "msg": "403", **MATCHES}, destinations=[]),
        (("alert", "failed"), ("silence", "failed")),
        ("403",),
    ),
    Case(
        "spelt as text",
        changed(GOOD, triggers=[{**READ, "expect_alert": "true"}, {**BESIDE, "expect_alert": "False"}]),
        ALL,
    ),
    Case(
        "they could not be fired",
        changed(GOOD, stopped="no such image", stopped_at="Pods run"),
        (("triggers", "failed"),),
        ("no such image",),
    ),
    *(
        Case(name, changed(GOOD, triggers=[], pods=[], delivery=delivery), verdicts, words)
        for name, delivery, verdicts, words in DELIVERIES
    ),
    Case("they could not be fired, nobody knows where", {"stopped": "x", "stopped_at": ""}, (("triggers", "failed"),)),
]
