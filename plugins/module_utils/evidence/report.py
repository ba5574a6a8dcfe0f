# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report's data: the checks of all stages, how many passed, what the cluster is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..common.words import counted
from .causes import explained, first_cause
from .changes import changes, previous_report
from .check import FAILED, PASSED, SKIPPED, STATUSES, Check, EvidenceError
from .contained import contained
from .coverage import coverage
from .running import running
from .stages import STAGES

#: Grows when a key changes its meaning; new keys do not change it.
FORMAT = 1


def report(
    checks: Iterable[Mapping[str, Any]],
    cluster: str,
    time: str,
    notes: Iterable[str] = (),
    nodes: Iterable[Mapping[str, Any]] = (),
    stages: Iterable[str] = (),
    machines: Iterable[str] = (),
    previous: str | Mapping[str, Any] = "",
    observed: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What report.json holds, and what the page and the JUnit file are made of.

    Args:
        checks: of all stages, as C(evidence) returned them.
        cluster: its name in the inventory.
        time: RFC 3339, UTC.
        notes: what a reader must know first, such as stand-ins.
        nodes: Node objects of the API.
        stages: that must have given evidence.
        machines: of the cluster's inventory, each of which node_prep should have been asked about.
        previous: text of the report of before, with which this one is compared; empty if there is none.
        observed: what C(causes.explained) reads besides the checks.

    Raises:
        EvidenceError: a check has no stage or another status than C(STATUSES).
    """
    listed = [dict(check) for check in checks]
    for check in listed:
        if check.get("status") not in STATUSES or not check.get("stage"):
            raise EvidenceError(f"not a check: {check.get('check') or check}")
    listed += _not_told(listed, stages, machines)
    order = {stage: place for place, stage in enumerate(STAGES)}
    listed.sort(key=lambda check: order.get(str(check["stage"]), len(order)))
    listed = explained(listed, observed or {})
    counts = {status: sum(check["status"] == status for check in listed) for status in STATUSES}
    return {
        "format": FORMAT,
        "cluster": cluster,
        "time": time,
        "notes": [str(note) for note in notes],
        "nodes": [_node(node) for node in sorted(nodes, key=lambda node: str(node["metadata"]["name"]))],
        "verdict": verdict(counts),
        "headline": headline(cluster, counts, listed),
        "summary": counts,
        "stages": _stages(listed),
        "checks": listed,
        "coverage": coverage((observed or {}).get("rules") or {}, listed),
        "running": running(listed),
        "contained": contained(listed),
        "changes": changes(previous_report(previous, cluster, FORMAT), listed),
    }


def _not_told(
    checks: Iterable[Mapping[str, Any]], stages: Iterable[str], machines: Iterable[str]
) -> list[dict[str, Any]]:
    """Checks about what nothing was said of: silence is no proof."""
    told = {str(check["stage"]) for check in checks}
    asked = {str(check["subject"]) for check in checks if check["stage"] == "node_prep"}
    silent = [
        Check("evidence", "Stage gives evidence", stage, FAILED, "it left no check").to_dict(stage)
        for stage in stages
        if stage not in told
    ]
    why = "this run did not ask it: see --limit and the play for kube_nodes"
    silent += [
        Check("evidence", "Node is asked", machine, SKIPPED, why).to_dict("node_prep")
        for machine in machines
        if machine not in asked
    ]
    return silent


def verdict(counts: Mapping[str, int]) -> str:
    """C(failed) if a check failed or nothing at all was proven, else C(passed)."""
    return FAILED if counts[FAILED] or not counts[PASSED] else PASSED


def headline(cluster: str, counts: Mapping[str, int], checks: Sequence[Mapping[str, Any]]) -> str:
    """The verdict in one sentence, with the first failed check that follows from no other."""
    if not counts[PASSED] and not counts[FAILED]:
        return f"Nothing is proven on {cluster}: no check passed."
    skipped = f", {counts[SKIPPED]} {'was' if counts[SKIPPED] == 1 else 'were'} skipped" if counts[SKIPPED] else ""
    if not counts[FAILED]:
        return f"Proven on {cluster}: {counted(counts[PASSED], 'check')} passed{skipped}."
    first = first_cause(checks)
    failed = f"{counts[FAILED]} of {counted(sum(counts.values()), 'check')} failed{skipped}"
    return f"Not proven on {cluster}: {failed}. First: {first['check']} ({first['subject']})."


def _stages(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = dict.fromkeys(str(check["stage"]) for check in checks)
    return [
        {
            "name": stage,
            "title": STAGES[stage][0] if stage in STAGES else stage,
            **{status: _count(checks, stage, status) for status in (PASSED, FAILED, SKIPPED)},
        }
        for stage in found
    ]


def _count(checks: list[dict[str, Any]], stage: str, status: str) -> int:
    return sum(check["stage"] == stage and check["status"] == status for check in checks)


def _node(node: Mapping[str, Any]) -> dict[str, Any]:
    status = node.get("status") or {}
    conditions = {entry.get("type"): entry.get("status") for entry in status.get("conditions") or []}
    info = status.get("nodeInfo") or {}
    return {
        "name": node["metadata"]["name"],
        "ready": conditions.get("Ready") == "True",
        "kubelet": info.get("kubeletVersion", ""),
        "os": info.get("osImage", ""),
        "kernel": info.get("kernelVersion", ""),
        "runtime": info.get("containerRuntimeVersion", ""),
    }
