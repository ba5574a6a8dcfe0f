# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage respond: a fire drill went from the system call to a pod that is held, proven and let go; who is held still."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..common.words import counted
from .asked import Asked, Result
from .check import FAILED, PASSED, SKIPPED, Check, passed_if
from .incidents import of_incidents
from .verify import LOG, LOG_PLACE, subject_of

Entry = Mapping[str, Any]
#: What the drill proves after its alert: code, sentence, and how its timeline calls it.
COLLECTED = ("collected", "What is known of the pod is collected", "collected")
HELD = ("held", "The pod is held, proven by analysis", "held, proven by analysis")
PROVEN = ("proven", "The pod is held, proven on the live network", "held, proven on the live network")
RELEASED = ("released", "The pod is let go as it was", "released")
REMOVED = ("removed", "Nothing of the drill is left", "removed")
#: By code how the response names the step, in what it decided and in what it could not do.
_STEPS = {"collected": ("collect", "collect"), "held": ("quarantine", "quarantine"), "proven": ("", "probe")}


def judge(asked: Asked) -> Iterator[Check]:
    """The checks of a fire drill, where one was asked for, of incidents, and of the pods that are in quarantine.

    Args:
        asked: C(run), what incident_drill returned; C(incidents), what incident_info did; C(quarantines), what
            netpol_quarantine listed after them; C(timeout_seconds), how long the alert was awaited.

    Raises:
        EvidenceError: something of this is missing or of another type.
    """
    run, quarantines, timeout_seconds = (
        asked.result("run"),
        asked.result("quarantines"),
        asked.number("timeout_seconds"),
    )
    if run.answered:
        yield from _drill(run, timeout_seconds)
    elif not run.skipped:
        yield Check("drill", "The fire drill can be done", "fire drill", FAILED, run.why_not)
    yield from of_incidents(asked.result("incidents"))
    yield from _quarantines(quarantines, not run.skipped)


def _drill(run: Result, timeout_seconds: float) -> Iterator[Check]:
    trigger, subject = run.get("trigger"), subject_of(run.get("trigger"))
    node: Entry = trigger["nodes"][0]
    sentence = "The action of the fire drill is done"
    if node["error"]:
        yield Check("action", sentence, subject, FAILED, f"on {run.get('node')}: {node['error']}")
        unreached = sentence
    else:
        yield Check("action", sentence, subject, PASSED, f"{' '.join(trigger['command'])}, done on {run.get('node')}")
        yield from (_alert(run, node, place, subject, timeout_seconds) for place in node["places"])
        unreached = "" if run.get("plan") or run.get("problems") else f"Alert of the fire drill arrives at {LOG}"
    for step, done in (
        (COLLECTED, bool(run.get("archive"))),
        (HELD, bool(run.get("held", {}).get("proven"))),
        (PROVEN, _is_proven(run.get("shown", {}))),
        (RELEASED, bool(run.get("released", {}).get("labels"))),
    ):
        code, sentence, _word = step
        if unreached:
            yield Check(code, sentence, subject, SKIPPED, f"not reached, see '{unreached}'")
            continue
        yield _step(run, step, subject, done)
        if step is HELD and not done:
            unreached = sentence
    code, sentence, word = REMOVED
    left = str(run.get("left", ""))
    data = {"timeline": run.get("timeline"), "node": run.get("node"), "pod": run.get("pod"), "subject": subject}
    detail = left or f"pod {run.get('namespace')}/{run.get('pod')} is gone{_when(run, word)}"
    yield Check(code, sentence, subject, passed_if(not left), detail, data)


def _alert(run: Result, node: Entry, place: str, subject: str, timeout_seconds: float) -> Check:
    found, called = node["places"][place], LOG if place == LOG_PLACE else place
    data: dict[str, Any] = {"place": called, "latency_ms": found["latency_ms"]}
    data["trigger"] = {name: str(run.get("trigger")[name]) for name in ("rule", "namespace")}
    sentence = f"Alert of the fire drill arrives at {called}"
    if found["arrived"]:
        after = "" if found["latency_ms"] is None else f" after {found['latency_ms']} ms"
        return Check("alert", sentence, subject, PASSED, f"arrived{after}", data)
    data["missing_on"] = [node["node"]]
    unread = run.get("unread", {}).get(place)
    why = f"; {called} cannot be read: {unread}" if unread else ""
    return Check("alert", sentence, subject, FAILED, f"did not arrive within {timeout_seconds:.0f} seconds{why}", data)


def _is_proven(shown: Entry) -> bool:
    return bool(shown.get("closed")) and not shown.get("open")


def _step(run: Result, step: tuple[str, str, str], subject: str, done: bool) -> Check:
    code, sentence, word = step
    row = _row(run, word)
    data = {"seconds": row.get("seconds"), "took": row.get("took")}
    if done:
        told = f"{row['detail']}" if row.get("detail") else "done"
        return Check(code, sentence, subject, PASSED, f"{told}{_when(run, word)}", data)
    return Check(code, sentence, subject, FAILED, "; ".join(_why_not(run, code)) or "it is not known why", data)


def _why_not(run: Result, code: str) -> Iterator[str]:
    """What kept a step from being done."""
    if code == "released":
        error = run.get("released", {}).get("error")
        yield str(error) if error else "its labels are other than before"
        return
    decided, act = _STEPS[code]
    for one in run.get("plan", {}).get("steps") or ():
        if one["step"] == decided and not one["do"]:
            yield str(one["why"])
    for problem in run.get("problems", []):
        who, _colon, why = str(problem).partition(": ")
        if who in (act, "response"):
            yield why


def _row(run: Result, what: str) -> Entry:
    found: Entry = next((row for row in run.get("timeline", []) if row["what"] == what), {})
    return found


def _when(run: Result, what: str) -> str:
    """How long after the system call, and after what was before."""
    row = _row(run, what)
    if row.get("seconds") is None:
        return ""
    return f", {row['seconds']:.2f} s after the system call, {row['took']:.2f} s after the step before"


def _quarantines(listed: Result, drilled: bool) -> Iterator[Check]:
    sentence = "Who is in quarantine is known"
    if not listed.answered:
        yield Check("quarantines", sentence, "cluster", SKIPPED, listed.why_not)
        return
    rows = listed.get("quarantines", [])
    if rows or drilled:
        held = f"{counted(len(rows), 'pod')}" if rows else "nobody"
        yield Check("quarantines", sentence, "cluster", PASSED, held, {"quarantines": rows})
    for row in rows:
        subject = f"{row['namespace']}/{row['pod']}"
        yield Check("quarantine", "Quarantine is within its time", subject, passed_if(not row["expired"]), _until(row))
        if row.get("slipped"):
            detail = f"somebody has put back {', '.join(row['slipped'])}; the next alert's response takes it again"
            yield Check("slipped", "A pod in quarantine stays without its labels", subject, FAILED, detail)


def _until(row: Entry) -> str:
    if row["expired"]:
        return f"it was to end at {row['until']}; playbooks/release.yml lets it go"
    if not row["there"]:
        return "its pod is gone and its policies are left; playbooks/release.yml removes them"
    about = "".join(f", {word} {row[name]}" for word, name in (("by", "by"), ("because of", "alert")) if row[name])
    return f"held since {row['since'] or 'an unknown time'} until {row['until'] or 'it is released'}{about}"
