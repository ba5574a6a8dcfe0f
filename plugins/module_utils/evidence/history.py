# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports that are kept, each with what changed since the one before it: what a page of differences shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .changes import previous_report

_LISTS = ("turned", "came", "went")


def history(texts: Iterable[str | Mapping[str, Any]], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """This report and those of the same cluster and form that are kept, the newest first, each time once.

    Args:
        texts: contents of kept reports; what is no report, or another cluster's, is passed over. Before 2.19
            ansible-core reads text that looks like a mapping as one.
        now: the report that is being made, as C(report.report) returned it.

    Returns:
        Each with C(time), C(verdict), C(headline), C(summary) and C(changes).
    """
    kept = (previous_report(text, str(now["cluster"]), int(now["format"])) for text in texts)
    found = {str(one["time"]): one for one in kept if one is not None and _whole(one)}
    found[str(now["time"])] = now
    keys = ("time", "verdict", "headline", "summary", "changes")
    return [{key: found[time][key] for key in keys} for time in sorted(found, reverse=True)]


def _whole(report: Mapping[str, Any]) -> bool:
    changes = report.get("changes")
    return (
        all(isinstance(report.get(key), str) for key in ("time", "verdict", "headline"))
        and isinstance(report.get("summary"), Mapping)
        and isinstance(changes, Mapping)
        and all(isinstance(changes.get(name), list) for name in _LISTS)
    )
