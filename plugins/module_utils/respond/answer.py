# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The question that a step waits with, and the answer of somebody who approves: the same text, signed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from .alert import time_of
from .errors import RespondError
from .guard import WAITS
from .ladder import STEPS

_TIME = "%Y-%m-%dT%H:%M:%SZ"


def question(plan: Mapping[str, Any], now: datetime, minutes: int) -> dict[str, Any] | None:
    """What somebody is asked to sign; None if no step waits.

    Args:
        plan: what was decided, as `guard.plan` returns it.
        now: the time.
        minutes: how long an answer counts.
    """
    waiting = [one["step"] for one in plan["steps"] if one["why"] == WAITS]
    if not waiting:
        return None
    return {
        "incident": plan["incident"],
        "rule": plan["rule"],
        "namespace": plan["namespace"],
        "pod": plan["pod"],
        "approve": waiting,
        "until": (now + timedelta(minutes=minutes)).strftime(_TIME),
    }


def approved(text: bytes, incident: str, now: datetime) -> frozenset[str]:
    """The steps that an answer approves, whose signature was checked before.

    Args:
        text: the answer, the JSON of `question`.
        incident: which the answer must be about.
        now: the time.

    Raises:
        RespondError: it is none, is about another incident, or came too late.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise RespondError(["the answer is no JSON"]) from None
    steps = data.get("approve") if isinstance(data, dict) else None
    if not isinstance(steps, list) or not all(isinstance(one, str) for one in steps):
        raise RespondError(["the answer has no list of steps (approve)"])
    unknown = [one for one in steps if one not in STEPS]
    if unknown:
        raise RespondError([f"the answer approves {unknown[0]!r}; no step is called so"])
    if data.get("incident") != incident:
        raise RespondError([f"the answer is about another incident than {incident}"])
    until = time_of(data.get("until"))
    if until is None or until < now:
        raise RespondError([f"the answer counted until {data.get('until')!r}: sign a new one"])
    return frozenset(steps)
