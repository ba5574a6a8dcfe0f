"""Stage respond."""

from __future__ import annotations

from typing import Any

from tests.unit.evidence.cases import Case, changed

RULE, SUBJECT = "Read of etc shadow", "Read of etc shadow, fire drill in prod"
WORDS = ("collected", "held, proven by analysis", "held, proven on the live network", "released", "removed")
DETAILS = ("14 files", "until 2026-03-01T10:15:00Z", "8 of 8 connections are closed", "with its labels", "")


def place(arrived: bool = True, latency_ms: float | None = 12.5) -> dict[str, Any]:
    return {"arrived": arrived, "latency_ms": latency_ms if arrived else None, "text": "x" if arrived else None}


def row(what: str, detail: str, seconds: float | None) -> dict[str, Any]:
    took = None if seconds is None else 1.0
    return {"at": "2026-03-01T10:00:00Z", "what": what, "detail": detail, "seconds": seconds, "took": took}


def trigger(error: str = "", **places: dict[str, Any]) -> dict[str, Any]:
    node = {"node": "n1", "error": error, "places": {"falco": place(), "slack": place(), **places}}
    about = {"name": "fire drill", "rule": RULE, "namespace": "prod", "command": ["cat", "/etc/shadow"]}
    return {**about, "nodes": [node]}


DO = [{"step": step, "do": True, "why": ""} for step in ("note", "collect", "quarantine")]
TIMELINE = [row(what, detail, 2.0 + n) for n, (what, detail) in enumerate(zip(WORDS, DETAILS))]
RUN: dict[str, Any] = {
    "node": "n1",
    "namespace": "prod",
    "pod": "falconet-trigger-1-0",
    "trigger": trigger(),
    "unread": {},
    "plan": {"steps": DO},
    "archive": "a.tar.gz",
    "held": {"proven": True},
    "shown": {"tried": 8, "closed": 8, "open": []},
    "problems": [],
    "released": {"labels": True, "error": ""},
    "left": "",
    "timeline": TIMELINE,
}
NOBODY: dict[str, Any] = {"quarantines": []}
GOOD: dict[str, Any] = {"run": RUN, "incidents": {"incidents": []}, "quarantines": NOBODY, "timeout_seconds": "30"}


def ran(**more: Any) -> dict[str, Any]:
    """What is asked after a drill that went otherwise."""
    return changed(GOOD, run={**RUN, **more})


def kept_off(step: str, why: str) -> dict[str, Any]:
    """A plan that leaves one step out."""
    return {"steps": [{**one, "do": False, "why": why} if one["step"] == step else one for one in DO]}


def held(**more: Any) -> dict[str, Any]:
    """A pod in quarantine."""
    about = {"namespace": "prod", "pod": "web-1", "there": True, "since": "S", "until": "U", "expired": False}
    return {**about, "by": "", "reason": "", "alert": "", **more}


def listed(*rows: dict[str, Any], run: dict[str, Any] | None = None) -> dict[str, Any]:
    return changed(GOOD, run=run or {"skipped": True}, quarantines={"quarantines": list(rows)})


def incident(**more: Any) -> dict[str, Any]:
    """An incident whose pod was collected, held and proven to be."""
    about: dict[str, Any] = {"directory": "1f2e", "rule": "Shell", "namespace": "prod", "pod": "web-1", "responses": 1}
    about.update(do=["note", "collect", "quarantine"], why=[], archive="a.tar.gz", problems=[], timeline=TIMELINE[:3])
    about.update(held={"proven": True, "until": "U"}, shown={"tried": 8, "closed": 8, "open": []})
    return {**about, **more}


def kept(*incidents: dict[str, Any]) -> dict[str, Any]:
    return changed(GOOD, run={"skipped": True}, incidents={"incidents": list(incidents)})


def verdicts(*statuses: str, alerts: tuple[str, ...] = ("passed", "passed"), action: str = "passed") -> Any:
    steps = zip(("collected", "held", "proven", "released", "removed"), statuses)
    return (("action", action), *(("alert", one) for one in alerts), *steps, ("quarantines", "passed"))


ALL = ("passed",) * 5
GONE = {"plan": {}, "archive": "", "held": {}, "shown": {}, "released": {}}
SKIPPED = ("skipped",) * 4
LEFT_OUT = ("quarantines", "skipped")
CASES = [
    Case(
        "all of it",
        GOOD,
        verdicts(*ALL),
        (
            "cat /etc/shadow, done on n1",
            "arrives at Falco's log: arrived after 12.5 ms\n",
            "arrives at slack: arrived after 12.5 ms\n",
            "collected: 14 files, 2.00 s after the system call, 1.00 s after the step before\n",
            "let go as it was: with its labels, 5.00 s",
            "pod prod/falconet-trigger-1-0 is gone, 6.00 s",
            "Who is in quarantine is known: nobody\n",
        ),
    ),
    Case(
        "no times are known",
        ran(
            timeline=[row("collected", "", None)],
            trigger=trigger(falco=place(True, None)),
        ),
        verdicts(*ALL),
        ("log: arrived\n", "collected: done\n", "analysis: done\n", "is gone\n"),
    ),
    Case(
        "it cannot be done",
        ran(failed=True, msg="no pods"),
        (("drill", "failed"), ("quarantines", "passed")),
        ("no pods",),
    ),
    Case("no drill, nobody held", changed(GOOD, run={"skipped": True}), ()),
    Case(
        "the pod does not start",
        ran(**GONE, trigger=trigger("its pod does not start")),
        verdicts(*SKIPPED, "passed", alerts=(), action="failed"),
        ("on n1: its pod does not start\n", "not reached, see 'The action of the fire drill is done'"),
    ),
    Case(
        "no alert",
        ran(**GONE, trigger=trigger(falco=place(False), slack=place(False)), unread={"slack": "away"}),
        verdicts(*SKIPPED, "passed", alerts=("failed", "failed")),
        (
            "log: did not arrive within 30 seconds\n",
            "slack: did not arrive within 30 seconds; slack cannot be read: away\n",
            "not reached, see 'Alert of the fire drill arrives at Falco's log'",
        ),
    ),
    Case(
        "the log cannot be read",
        ran(**GONE, trigger=trigger(falco=place(False), slack=place(False)), unread={"falco": "forbidden"}),
        verdicts(*SKIPPED, "passed", alerts=("failed", "failed")),
        ("Falco's log cannot be read: forbidden\n",),
    ),
    Case(
        "a destination alone",
        ran(trigger=trigger(slack=place(False))),
        verdicts(*ALL, alerts=("passed", "failed")),
    ),
    Case(
        "not collected",
        ran(archive="", problems=["collect: disk is full", "probe: other"], timeline=[]),
        verdicts("failed", "passed", "passed", "passed", "passed"),
        ("collected: disk is full\n",),
    ),
    Case(
        "responses are stopped",
        ran(archive="", held={}, shown={}, released={}, plan=kept_off("quarantine", "responses are stopped: x")),
        verdicts("failed", "failed", "skipped", "skipped", "passed"),
        (
            "collected: it is not known why\n",
            "analysis: responses are stopped: x\n",
            "see 'The pod is held, proven by analysis'",
        ),
    ),
    Case(
        "not collected by the plan",
        ran(archive="", plan=kept_off("collect", "dry run")),
        verdicts("failed", "passed", "passed", "passed", "passed"),
        ("collected: dry run\n",),
    ),
    Case(
        "not held",
        ran(held={"proven": False}, shown={}, released={}, problems=["quarantine: a connection is open", "collect: x"]),
        verdicts("passed", "failed", "skipped", "skipped", "passed"),
        ("analysis: a connection is open\n",),
    ),
    Case(
        "no response at all",
        ran(**GONE, problems=["response: the alert names no pod"]),
        verdicts("failed", "failed", "skipped", "skipped", "passed"),
        ("collected: the alert names no pod\n", "analysis: the alert names no pod\n"),
    ),
    Case(
        "the network lets something pass",
        ran(shown={"tried": 8, "closed": 7, "open": ["a to b"]}, problems=["probe: a to b passes"]),
        verdicts("passed", "passed", "failed", "passed", "passed"),
        ("network: a to b passes\n",),
    ),
    Case(
        "nothing could be tried",
        ran(shown={"tried": 8, "closed": 0, "open": []}, problems=["probe: none"]),
        verdicts("passed", "passed", "failed", "passed", "passed"),
    ),
    Case(
        "not let go",
        ran(released={"labels": False, "error": "away"}),
        verdicts("passed", "passed", "passed", "failed", "passed"),
        ("let go as it was: away\n",),
    ),
    Case(
        "let go with other labels",
        ran(released={"labels": False, "error": ""}),
        verdicts("passed", "passed", "passed", "failed", "passed"),
        ("its labels are other than before",),
    ),
    Case("something is left", ran(left="a policy"), verdicts(*ALL[1:], "failed"), ("is left: a policy\n",)),
    Case(
        "who is held cannot be asked",
        changed(GOOD, run={"skipped": True}, quarantines={"failed": True, "msg": "no"}),
        (LEFT_OUT,),
        ("known: no\n",),
    ),
    Case(
        "held within its time",
        listed(held(by="b", alert="a"), held(pod="web-2", since=None, until=None)),
        (("quarantines", "passed"), ("quarantine", "passed"), ("quarantine", "passed")),
        (
            "known: 2 pods\n",
            "held since S until U, by b, because of a\n",
            "since an unknown time until it is released\n",
        ),
    ),
    Case(
        "labels are back",
        listed(held(slipped=["app", "tier"]), held(pod="web-2", slipped=[])),
        (("quarantines", "passed"), ("quarantine", "passed"), ("slipped", "failed"), ("quarantine", "passed")),
        ("without its labels: somebody has put back app, tier; the next alert's response takes it again\n",),
    ),
    Case(
        "held too long, and a pod that is gone",
        listed(held(expired=True), held(pod="web-2", there=False)),
        (("quarantines", "passed"), ("quarantine", "failed"), ("quarantine", "passed")),
        ("it was to end at U; playbooks/release.yml", "its pod is gone and its policies are left"),
    ),
    Case(
        "incidents that were contained, noted, and stopped",
        kept(
            incident(),
            incident(do=["note"], why=["dry run"], held={}, shown={}, timeline=[]),
            incident(do=["note"], pod="", held={}, shown={}, timeline=[]),
            incident(shown={}, held={"proven": True}, timeline=[row("held, proven by analysis", "", None)]),
            incident(do=["note", "collect"], held={}, shown={}, timeline=TIMELINE[:1]),
            incident(do=["stop"], held={}, shown={}, timeline=[row("stopped", "Pod web-1 is deleted", 1.0)]),
        ),
        (("incident", "passed"),) * 6,
        (
            "do: collected 14 files; held, proven on the live network 4.00 s after the event; 8 of 8 connections are",
            "; until U\n",
            "noted: dry run\n",
            "noted: nothing else was asked for\n",
            "held, proven by analysis; until it is released\n",
            "do: collected 14 files\n",
            "Pod web-1 is deleted\n",
        ),
    ),
    Case(
        "incidents that were not contained",
        kept(incident(problems=["probe: it lets a to b pass"], held={}), incident(held={})),
        (("incident", "failed"), ("incident", "failed")),
        ("do: probe: it lets a to b pass\n", "the pod was to be held, and it is not known that it was\n"),
    ),
    Case(
        "incidents cannot be read",
        changed(GOOD, run={"skipped": True}, incidents={"failed": True, "msg": "no"}),
        (("incidents", "skipped"),),
        ("known: no\n",),
    ),
    Case("incidents are not asked for", changed(GOOD, run={"skipped": True}, incidents={"skipped": True}), ()),
]
