# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits from variables, and what is known of the cluster from its objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from ..common.words import nearest
from .alert import time_of
from .errors import RespondError
from .guard import Limits, State
from .ladder import STEPS

_HOUR = timedelta(hours=1)


def read_limits(data: Mapping[str, Any]) -> Limits:
    """Read limits.

    Args:
        data: the fields of `Limits`, all of them optional.

    Raises:
        RespondError: with everything that is wrong.
    """
    known = [one.name for one in fields(Limits)]
    problems = []
    for key in data:
        if key not in known:
            near = nearest(str(key), known)
            problems.append(f"{key}: no such limit" + (f"; did you mean {near!r}?" if near else ""))
    given = {key: data[key] for key in known if data.get(key) is not None}
    for key in ("pods_per_hour", "oldest_minutes"):
        if not _is_number(given.get(key, 1), int) or given.get(key, 1) < 0:
            problems.append(f"{key}: a number of 0 or more, not {given[key]!r}")
    if not _is_number(given.get("share_up", 0), (int, float)) or not 0 <= given.get("share_up", 0) <= 1:
        problems.append(f"share_up: a number from 0 to 1, not {given['share_up']!r}")
    if not isinstance(given.get("dry_run", True), bool):
        problems.append(f"dry_run: true or false, not {given['dry_run']!r}")
    for key in ("protected_namespaces", "approved"):
        value = given.get(key, [])
        if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) for one in value):
            problems.append(f"{key}: a list of texts")
    if not any(problem.startswith("approved:") for problem in problems):
        problems += [f"approved: no step is called {one!r}" for one in given.get("approved", []) if one not in STEPS]
    if problems:
        raise RespondError(problems)
    if "approved" in given:
        given["approved"] = frozenset(given["approved"])
    if "protected_namespaces" in given:
        given["protected_namespaces"] = tuple(given["protected_namespaces"])
    return Limits(**given)


def _is_number(value: object, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def read_state(data: Mapping[str, Any], now: datetime) -> State:
    """What is known when an alert comes.

    Args:
        data: `stopped`, `pod` (its object, or nothing), `siblings` (pods of its namespace), `quarantines`, `collected`
            (a time with its zone, or nothing).
        now: the time.
    """
    pod: Mapping[str, Any] = data.get("pod") or {}
    metadata = pod.get("metadata") or {}
    # What a killed run left is a policy without a pod: that one is not held yet. Nor is one whose labels are back.
    held = [one for one in data.get("quarantines") or [] if one.get("there", True)]
    whole = [one for one in held if not one.get("slipped")]
    mine = next(
        (one for one in whole if (one["namespace"], one["pod"]) == (metadata.get("namespace"), metadata.get("name"))),
        None,
    )
    times = [time_of(one.get("since")) for one in held]
    owner = _owner(pod)
    ready = [one for one in data.get("siblings") or [] if _is_ready(one) and owner is not None and _owner(one) == owner]
    return State(
        now=now,
        stopped=str(data.get("stopped") or ""),
        there=bool(metadata),
        held_since=None if mine is None else str(mine.get("since") or "an unknown time"),
        held_within_hour=sum(1 for time in times if time is not None and now - time < _HOUR),
        workload_pods=max(1, len(ready)),
        host_network=bool((pod.get("spec") or {}).get("hostNetwork")),
        collected=data.get("collected"),
        made=time_of(metadata.get("creationTimestamp")),
    )


def _owner(pod: Mapping[str, Any]) -> str | None:
    references = (pod.get("metadata") or {}).get("ownerReferences") or []
    return next((str(one.get("uid")) for one in references if one.get("controller")), None)


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
