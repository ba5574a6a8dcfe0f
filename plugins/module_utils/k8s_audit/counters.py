# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an API server counts of its audit events, out of its metrics.

Source: https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/#audit-backends and the metrics' own HELP lines in
https://github.com/kubernetes/apiserver/blob/master/pkg/audit/metrics.go
"""

from __future__ import annotations

import re
from typing import Any

_SAMPLE = re.compile(
    r"^(apiserver_audit_event_total|apiserver_audit_error_total|apiserver_audit_requests_rejected_total"
    r'|process_start_time_seconds)(?:\{(?:plugin="([^"]*)")?[^}]*\})? (\S+)',
    re.MULTILINE,
)


def read_audit_counters(text: str) -> dict[str, Any]:
    """The counters of one API server's process.

    Args:
      text: answer of C(/metrics) in Prometheus' text format.

    Returns:
      C(events), those that went to a backend; C(errors), by plugin (C(webhook), C(log), C(buffered) for those that
      found the buffer full) the events that failed; C(rejected), requests that were refused because of it; C(started),
      when the process started, as it tells it. All but the last are 0 where nothing, or no number, is counted.
    """
    found: dict[str, Any] = {"events": 0, "errors": {}, "rejected": 0, "started": ""}
    for name, plugin, value in _SAMPLE.findall(text):
        if name == "process_start_time_seconds":
            found["started"] = value
            continue
        try:
            count = int(float(value))
        except (ValueError, OverflowError):
            continue
        if name == "apiserver_audit_error_total":
            found["errors"][plugin] = count
        else:
            found["events" if name == "apiserver_audit_event_total" else "rejected"] = count
    return found
