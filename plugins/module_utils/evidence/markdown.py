# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report in a few lines of Markdown, for a ticket or a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

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
    yield f"## {_plain(report['headline'])}"
    yield ""
    yield f"Cluster {_code(report['cluster'])}, {_plain(report['time'])}."
    for note in report["notes"]:
        yield f"> {_plain(note)}"
    yield ""
    yield "| Stage | passed | failed | skipped |"
    yield "|---|---:|---:|---:|"
    for stage in report["stages"]:
        yield f"| {_plain(stage['title'])} | {stage['passed']} | {stage['failed']} | {stage['skipped']} |"
    for title, status in (("Failed", FAILED), ("Skipped", SKIPPED)):
        chosen = [check for check in report["checks"] if check["status"] == status]
        if chosen:
            yield ""
            yield f"### {title}"
            yield ""
            yield from _first([_check(check) for check in chosen])
    turned = report["changes"]["turned"]
    if turned:
        yield ""
        yield f"### Turned since {_plain(report['changes']['since'])}"
        yield ""
        yield from _first([f"{check['before']} → {check['status']}: {_check(check)}" for check in turned])


def _first(entries: list[str]) -> Iterator[str]:
    """A list of the first of these, and how many more there are."""
    yield from (f"- {entry}" for entry in entries[:_MOST])
    if len(entries) > _MOST:
        yield f"- and {len(entries) - _MOST} more"


def _check(check: Mapping[str, Any]) -> str:
    return f"{_plain(check['check'])} ({_code(check['subject'])}): {_plain(check['detail'])}"


def _plain(text: object) -> str:
    """Text that stays text: one line, and nothing in it that Markdown or HTML would read."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~&@-])", r"\\\1", " ".join(str(text).split()))


def _code(text: object) -> str:
    """Text as code; a backtick would end it."""
    return "`" + " ".join(str(text).split()).replace("`", "'").replace("|", "\\|") + "`"
