# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether somebody is told that the proof turned, and what: an event as Falco sends one to Falcosidekick.

Source: https://falco.org/docs/concepts/outputs/channels/ (``http_output`` with ``json_output``)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .check import FAILED, PASSED, EvidenceError

#: When an alert is sent: at no time, when the verdict is another than the one told last, at each failed proof.
NEVER, TURNED, EACH = "never", "turned", "failed"
WHEN = (NEVER, TURNED, EACH)
#: Priority of the event that says that the proof passes again. The failed one's is given.
RECOVERED_PRIORITY = "Notice"
#: Failed checks that the event names; the others are in the report.
_MOST = 5


def alert(
    report: Mapping[str, Any], told: str | Mapping[str, Any], when: str = TURNED, priority: str = "Critical"
) -> dict[str, Any]:
    """The event to send; empty if nobody is to be told.

    Args:
        report: as C(report.report) returns it.
        told: text of what was sent last (C(verdict) is read); empty if nothing was. What could not be sent was not
            told, so the next run tries again. Before 2.19 ansible-core reads text that looks like a mapping as one.
        when: one of C(WHEN).
        priority: of the event if the proof failed, as Falco names it.

    Raises:
        EvidenceError: C(when) is none of these.
    """
    if when not in WHEN:
        raise EvidenceError(f"{when!r} is no time to send an alert; those are {', '.join(WHEN)}")
    last, verdict = _told_last(told), report["verdict"]
    if when == NEVER or (verdict == PASSED and last != FAILED) or (when == TURNED and verdict == last):
        return {}
    failed = [check for check in report["checks"] if check["status"] == FAILED]
    named = [f"{check['check']} ({check['subject']}): {check['detail']}" for check in failed[:_MOST]]
    more = [f"and {len(failed) - _MOST} more"] if len(failed) > _MOST else []
    rule = "Proof of falconet.k8s failed" if verdict == FAILED else "Proof of falconet.k8s passes again"
    return {
        "rule": rule,
        "priority": priority if verdict == FAILED else RECOVERED_PRIORITY,
        "source": "falconet",
        "time": str(report["time"]),
        "hostname": str(report["cluster"]),
        "tags": ["falconet", "proof"],
        "output": " | ".join([f"{report['time']}: {report['headline']}", *named, *more]),
        "output_fields": {
            "falconet.cluster": str(report["cluster"]),
            "falconet.verdict": verdict,
            "falconet.passed": report["summary"][PASSED],
            "falconet.failed": report["summary"][FAILED],
        },
    }


def _told_last(told: str | Mapping[str, Any]) -> str:
    """The verdict that was sent last. What cannot be read was told to nobody."""
    try:
        found = told if isinstance(told, Mapping) else json.loads(told or "null")
    except (ValueError, RecursionError):
        return ""
    return str(found.get("verdict", "")) if isinstance(found, Mapping) else ""
