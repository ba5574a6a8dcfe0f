# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks tell of responses: the timelines of the fire drill and of incidents, and who is held until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_ROW = ("at", "what", "detail", "seconds", "took")
_HELD = ("namespace", "pod", "there", "since", "until", "expired", "by", "reason", "alert")


def contained(checks: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What the report has of responses; empty parts where nothing was asked.

    Returns:
        C(drill), with C(subject), C(node), C(pod) and C(timeline), each row with C(at), C(what), C(detail), C(seconds)
        since the system call and C(took) since the row before; None without a drill. C(incidents), each with
        C(subject), C(directory), C(archive), C(until) and such a C(timeline). C(quarantines), each with C(namespace),
        C(pod), C(there), C(since), C(until), C(expired), C(by), C(reason) and C(alert).
    """
    mine = [check for check in checks if check["stage"] == "respond"]
    data = {check["code"]: check.get("data") or {} for check in mine}
    drill, held = data.get("removed"), data.get("quarantines") or {}
    return {
        "drill": None
        if drill is None
        else {
            **{name: str(drill.get(name) or "") for name in ("subject", "node", "pod")},
            "timeline": _rows(drill),
        },
        "incidents": [
            _incident(str(check["subject"]), (check.get("data") or {}).get("incident") or {})
            for check in mine
            if check["code"] == "incident"
        ],
        "quarantines": [{name: row.get(name) for name in _HELD} for row in held.get("quarantines") or ()],
    }


def _rows(about: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{name: row.get(name) for name in _ROW} for row in about.get("timeline") or ()]


def _incident(subject: str, about: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "subject": subject,
        **{name: str(about.get(name) or "") for name in ("directory", "archive")},
        "until": (about.get("held") or {}).get("until"),
        "timeline": _rows(about),
    }
