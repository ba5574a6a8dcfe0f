# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was decided about an alert, and what happened when, in files that only their owner can read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .archive import private

ALERT, TIMELINE, QUESTION = "alert.json", "timeline.json", "question.json"
#: Responses that one incident's file keeps, the last of them.
MOST = 100


def note(
    directory: Path, alert: object, response: Mapping[str, Any], question: Mapping[str, Any] | None = None
) -> None:
    """Keep an alert, and add what was done about it. The first alert of an incident stays.

    Args:
        directory: the incident's; it is made if it is not there.
        alert: as it came.
        response: what was decided and done.
        question: what somebody is asked to sign; None leaves the one that is there.

    Raises:
        OSError: it cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (directory / ALERT).exists():
        private(directory / ALERT, _json(alert))
    if question is not None:
        private(directory / QUESTION, _json(question))
    private(directory / TIMELINE, _json([*responses(directory), response][-MOST:]))


def responses(directory: Path) -> Sequence[Any]:
    """What is kept of an incident already; what somebody broke is begun anew."""
    try:
        found = json.loads((directory / TIMELINE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []


def _json(data: Any) -> bytes:
    return json.dumps(data, indent=2, sort_keys=True).encode() + b"\n"
