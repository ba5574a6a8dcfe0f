# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report in a few lines of Markdown, for a ticket or a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..common.markdown import code, first, plain
from .check import FAILED, SKIPPED

#: Failed checks that are told; a ticket is no report.
_MOST = 20


def markdown(report: Mapping[str, Any]) -> str:
    """What a ticket needs: the verdict, what failed and why, what turned, what was skipped.

    Args:
        report: as C(report.report) returns it.
    """
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {plain(report['headline'])}"
    yield ""
    yield f"Cluster {code(report['cluster'])}, {plain(report['time'])}."
    for note in report["notes"]:
        yield f"> {plain(note)}"
    yield ""
    yield "| Stage | passed | failed | skipped |"
    yield "|---|---:|---:|---:|"
    for stage in report["stages"]:
        yield f"| {plain(stage['title'])} | {stage['passed']} | {stage['failed']} | {stage['skipped']} |"
    yield from _contained(report.get("contained") or {})
    for title, status in (("Failed", FAILED), ("Skipped", SKIPPED)):
        chosen = [check for check in report["checks"] if check["status"] == status]
        if chosen:
            yield ""
            yield f"### {title}"
            yield ""
            yield from first([_check(check) for check in chosen], _MOST)
    turned = report["changes"]["turned"]
    if turned:
        yield ""
        yield f"### Turned since {plain(report['changes']['since'])}"
        yield ""
        yield from first([f"{check['before']} → {check['status']}: {_check(check)}" for check in turned], _MOST)


def _contained(about: Mapping[str, Any]) -> Iterator[str]:
    """The timelines of the fire drill and of incidents, and who is in quarantine."""
    drill = about.get("drill")
    if drill:
        yield from _timeline(f"Fire drill: {plain(drill['subject'])}", drill)
    for one in (about.get("incidents") or ())[:_MOST]:
        yield from _timeline(f"Incident: {plain(one['subject'])}", one)
    if about.get("quarantines"):
        yield ""
        yield "### In quarantine"
        yield ""
        rows = [f"{code(str(one['namespace']) + '/' + str(one['pod']))}: {_until(one)}" for one in about["quarantines"]]
        yield from first(rows, _MOST)


def _timeline(title: str, about: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"### {title}"
    yield ""
    yield "| What | seconds since the system call | since the step before |"
    yield "|---|---:|---:|"
    for row in about["timeline"]:
        yield f"| {plain(row['what'])} | {_seconds(row['seconds'])} | {_seconds(row['took'])} |"


def _seconds(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"


def _until(one: Mapping[str, Any]) -> str:
    over = "; its time is over" if one["expired"] else ""
    return f"until {plain(one['until'] or 'it is released')}{over}"


def _check(check: Mapping[str, Any]) -> str:
    return f"{plain(check['check'])} ({code(check['subject'])}): {plain(check['detail'])}"
