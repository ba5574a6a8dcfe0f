# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened when, from the event to the pod that reaches nobody, with the time that each step took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .alert import plain, time_of


def timeline(plan: Mapping[str, Any], marks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The steps in their order.

    Args:
        plan: what was decided, as `guard.plan` returns it.
        marks: each with C(at) (RFC 3339, UTC), C(what), and C(detail) where there is one.

    Returns:
        Each with C(seconds) since the event and C(took) since what stands before; None where a time is missing.
    """
    first = {"at": plan.get("time"), "what": "event", "detail": str(plan.get("rule", ""))}
    event = time_of(plan.get("time"))
    before, rows = event, []
    for mark in (first, *marks):
        at = time_of(mark.get("at"))
        rows.append(
            {
                "at": mark.get("at"),
                "what": plain(mark["what"]),
                "detail": plain(mark.get("detail", "")),
                "seconds": _between(event, at),
                "took": _between(before, at),
            }
        )
        before = at or before
    return rows


def _between(start: Any, end: Any) -> float | None:
    return None if start is None or end is None else round((end - start).total_seconds(), 3)
