# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between two reports of a cluster: verdicts that turned, checks that came and checks that went."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .check import FAILED

#: What tells one check from another within a report.
_IDENTITY = ("stage", "code", "check", "subject")


def previous_report(text: str | Mapping[str, Any], cluster: str, version: int) -> Mapping[str, Any] | None:
    """The report of before, or None where there is none to compare with: another cluster's, another format, no report.

    Args:
        text: what report.json holds; empty where there is none. Before 2.19 ansible-core reads text that looks like a
            mapping as one.
        cluster: whose report it must be.
        version: its format.
    """
    try:
        found = text if isinstance(text, Mapping) else json.loads(text or "null")
    except (ValueError, RecursionError):
        return None
    fits = isinstance(found, Mapping) and found.get("format") == version and found.get("cluster") == cluster
    checks = found.get("checks") if fits else None
    return found if isinstance(checks, list) and all(isinstance(check, Mapping) for check in checks) else None


def changes(before: Mapping[str, Any] | None, checks: list[dict[str, Any]]) -> dict[str, Any]:
    """What is other than in the report of before.

    Args:
        before: as C(report.report) returned it; None if there is none.
        checks: of now.

    Returns:
        C(since), the time of the report of before (None without one); C(turned), checks whose status is another, with
        C(before) and C(status); C(came) and C(went), checks that one report has and the other has not. What got worse
        comes first.
    """
    if before is None:
        return {"since": None, "turned": [], "came": [], "went": []}
    old, new = _by_identity(before["checks"]), _by_identity(checks)
    turned = [
        {**_told(check), "before": str(old[key].get("status"))}
        for key, check in new.items()
        if key in old and old[key].get("status") != check["status"]
    ]
    turned.sort(key=lambda check: check["status"] != FAILED)
    return {
        "since": before.get("time"),
        "turned": turned,
        "came": [_told(check) for key, check in new.items() if key not in old],
        "went": [_told(check) for key, check in old.items() if key not in new],
    }


def _by_identity(checks: list[dict[str, Any]]) -> dict[tuple[str, ...], dict[str, Any]]:
    """Checks by what tells them apart; of several that are alike, such as of one flow, the one that failed."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for check in checks:
        key = tuple(str(check.get(name)) for name in _IDENTITY)
        if key not in found or check.get("status") == FAILED:
            found[key] = check
    return found


def _told(check: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(check.get(name, "")) for name in ("stage", "check", "subject", "status", "detail")}
