# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as people look at it: alerts with their latencies by destination, connections as a map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .check import FAILED, SKIPPED

#: Verdicts from the worst to the best, for a cell in which several meet.
_WORST_FIRST = ("violated", "unproven", "met")
#: Checks of alerts at a place, by stage and code.
_ALERTS = (("verify", "alert"), ("k8s_audit", "alert"))


def alerts(checks: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Triggers and the places at which their alerts were awaited.

    Returns:
        C(places), in the order of the report; C(triggers), each with C(subject), C(nodes), how many did it, and
        C(cells): by place the C(status), C(latency_ms) of the slowest node (None if unknown), C(detail), and C(marks):
        each node's C(node), C(latency_ms) and C(share), its latency in percent of the longest of all; C(longest_ms).
    """
    awaited = [check for check in checks if (check["stage"], check["code"]) in _ALERTS]
    longest = max((latency for check in awaited for latency in [_latency(check)] if latency is not None), default=0)
    rows: dict[str, dict[str, Any]] = {}
    for check in awaited:
        row = rows.setdefault(str(check["subject"]), {"subject": str(check["subject"]), "nodes": 0, "cells": {}})
        nodes = _nodes(check)
        row["nodes"] = max(row["nodes"], len(nodes))
        row["cells"][_place(check)] = {
            "status": check["status"],
            "latency_ms": _latency(check),
            "detail": check["detail"],
            "marks": [
                {"node": node, "latency_ms": round(latency), "share": _share(latency, longest)}
                for node, latency in nodes.items()
                if latency is not None and _latency(check) is not None
            ],
        }
    return {
        "places": list(dict.fromkeys(_place(check) for check in awaited)),
        "triggers": list(rows.values()),
        "longest_ms": longest,
    }


def connections(checks: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Connections that were tried, as a map: who connects in rows, to what in columns.

    Returns:
        C(targets), as C(<to> <port>/<protocol>); C(sources), each with C(name) and C(cells): by target C(expected),
        C(status) (C(met), C(violated) or C(unproven)) and C(flows), the names of the flows that ask for it.
    """
    cells: dict[tuple[str, str], dict[str, Any]] = {}
    for check in checks:
        if check["stage"] != "network_policies" or check["code"] != "flow":
            continue
        for row in (check.get("data") or {}).get("connections") or []:
            _mark(cells, row, str(check["subject"]))
    targets = sorted({target for _source, target in cells})
    return {
        "targets": targets,
        "sources": [
            {"name": source, "cells": {target: cell for (origin, target), cell in cells.items() if origin == source}}
            for source in sorted({source for source, _target in cells})
        ],
    }


def _mark(cells: dict[tuple[str, str], dict[str, Any]], row: Mapping[str, Any], flow: str) -> None:
    key = (str(row.get("from")), f"{row.get('to')} {row.get('port', '')}/{row.get('protocol', '')}")
    status = row.get("status") if row.get("status") in _WORST_FIRST else "unproven"
    cell = cells.setdefault(key, {"expected": str(row.get("expected")), "status": status, "flows": []})
    if _WORST_FIRST.index(str(status)) < _WORST_FIRST.index(cell["status"]):
        cell["status"] = status
    if flow not in cell["flows"]:
        cell["flows"].append(flow)


def _place(check: Mapping[str, Any]) -> str:
    return str((check.get("data") or {}).get("place") or check["check"])


def _nodes(check: Mapping[str, Any]) -> dict[str, float | None]:
    """Latency by node; one without a name where the check does not tell them apart."""
    data = check.get("data") or {}
    told = [row for row in data.get("nodes") or [] if isinstance(row, Mapping)]
    latencies = {str(row.get("node", "")): row.get("latency_ms") for row in told} or {"": data.get("latency_ms")}
    return {node: float(one) if isinstance(one, (int, float)) else None for node, one in latencies.items()}


def _share(latency: float, longest: float) -> int:
    return min(100, round(100 * latency / longest)) if longest else 0


def _latency(check: Mapping[str, Any]) -> int | None:
    latency = (check.get("data") or {}).get("latency_ms")
    known = check["status"] not in (FAILED, SKIPPED) and isinstance(latency, (int, float))
    return round(float(latency)) if known and latency is not None else None
