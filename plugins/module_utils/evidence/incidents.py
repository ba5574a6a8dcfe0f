# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage respond, incidents: what was to be done about each was done, and the pod is proven to have been cut off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..common.words import counted
from .asked import Result
from .check import FAILED, PASSED, SKIPPED, Check

Entry = Mapping[str, Any]
_SENTENCE = "The response to an incident did what it was to do"
PROVEN = ("held, proven on the live network", "held, proven by analysis")


def of_incidents(known: Result) -> Iterator[Check]:
    """The checks of incidents.

    Args:
        known: what incident_info returned.
    """
    if not known.answered:
        if not known.skipped:
            yield Check("incidents", "What was done about incidents is known", "cluster", SKIPPED, known.why_not)
        return
    for one in known.get("incidents", []):
        subject = f"{one['rule']}, {one['namespace']}/{one['pod']}".rstrip(", /")
        problems = list(one["problems"])
        if "quarantine" in one["do"] and not problems and not one["held"].get("proven"):
            problems.append("the pod was to be held, and it is not known that it was")
        detail = "; ".join(problems or _done(one))
        yield Check("incident", _SENTENCE, subject, FAILED if problems else PASSED, detail, {"incident": dict(one)})


def _done(one: Entry) -> Iterator[str]:
    """What was done, in words."""
    if not set(one["do"]) - {"note"}:
        yield f"noted: {', '.join(one['why']) or 'nothing else was asked for'}"
        return
    rows = {row["what"]: row for row in one["timeline"]}
    if "collected" in rows:
        yield f"collected {rows['collected']['detail']}"
    proven = next((rows[what] for what in PROVEN if what in rows), None)
    if proven:
        after = "" if proven["seconds"] is None else f" {proven['seconds']:.2f} s after the event"
        yield f"{proven['what']}{after}"
        shown = one["shown"]
        if shown.get("tried"):
            yield f"{shown['closed']} of {counted(int(shown['tried']), 'connection')} are proven to be closed"
        yield f"until {one['held'].get('until') or 'it is released'}"
    if "stopped" in rows:
        yield str(rows["stopped"]["detail"])
