# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of incidents, read again: of each what was decided, done and proven, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from .note import responses


def incidents(directory: Path, since: datetime, most: int) -> list[dict[str, Any]]:
    """The incidents that came after a time, the last of them first.

    Args:
        directory: in which each has its own.
        since: with its zone; what was noted before is left out.
        most: of them.

    Returns:
        Of each C(directory), C(rule), C(namespace), C(pod), C(responses) (how many alerts were responded to), C(do)
        (the steps that were to be done), C(why) (why others were not, without doubles), C(archive), C(held), C(shown),
        C(problems) and C(timeline): those of the response that held the pod, else of the last one.

    Raises:
        OSError: the directory is there and cannot be read.
    """
    if not directory.is_dir():
        return []
    found = [(one["timeline"][-1]["at"], one) for one in _all(directory)]
    kept = [one for at, one in sorted(found, key=lambda pair: pair[0], reverse=True) if at >= _written(since)]
    return kept[:most]


def _all(directory: Path) -> Iterator[dict[str, Any]]:
    for place in sorted(one for one in directory.iterdir() if one.is_dir()):
        noted = [one for one in responses(place) if _is_response(one)]
        if noted:
            yield _told(place.name, noted)


def _told(name: str, noted: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    one = next((one for one in reversed(noted) if one.get("held")), noted[-1])
    plan = one.get("plan") or {}
    steps = plan.get("steps") or []
    return {
        "directory": name,
        **{key: str(plan.get(key) or "") for key in ("rule", "namespace", "pod")},
        "responses": len(noted),
        "do": list(plan.get("do") or []),
        "why": list(dict.fromkeys(str(step["why"]) for step in steps if step.get("why"))),
        "archive": str(one.get("archive") or ""),
        "held": dict(one.get("held") or {}),
        "shown": dict(one.get("shown") or {}),
        "problems": [str(problem) for problem in one.get("problems") or []],
        "timeline": [dict(row) for row in one["timeline"]],
    }


def _written(time: datetime) -> str:
    """As a timeline has it, so that texts compare as times do."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _is_response(one: object) -> bool:
    """Whether it has the form in which responses are noted. What somebody broke since then is left out."""
    if not isinstance(one, Mapping):
        return False
    plan, rows, shown = one.get("plan") or {}, one.get("timeline"), one.get("shown") or {}
    if not all(isinstance(part, Mapping) for part in (plan, one.get("held") or {}, shown)):
        return False
    lists = (rows, plan.get("do") or [], plan.get("steps") or [], one.get("problems") or [])
    if not rows or not all(isinstance(part, list) for part in lists):
        return False
    counts = (shown.get("tried", 0), shown.get("closed", 0))
    return (
        all(isinstance(step, Mapping) for step in plan.get("steps") or [])
        and all(map(_is_row, rows))
        and isinstance(rows[-1]["at"], str)
        and all(isinstance(count, int) for count in counts)
    )


def _is_row(row: object) -> bool:
    return (
        isinstance(row, Mapping)
        and isinstance(row.get("at"), (str, type(None)))
        and "at" in row
        and all(isinstance(row.get(key), str) for key in ("what", "detail"))
        and all(isinstance(row.get(key), (int, float, type(None))) for key in ("seconds", "took"))
    )
