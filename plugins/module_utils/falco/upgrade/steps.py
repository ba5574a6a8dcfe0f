# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thing to do before an upgrade: a finding, and what to write in place of what stands there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...common.finding import Finding

REFUSED, SILENT, DEPRECATED, CHANGED, BROKEN = "FN101", "FN102", "FN103", "FN104", "FN105"


@dataclass(frozen=True)
class Step:
    """What an upgrade asks for.

    Attributes:
        finding: what happens, and where.
        key: the key of the entry whose value is to be replaced (condition, output, source); empty when none is.
        instead: the value to write there; empty when nothing takes its place.
        holds: of a check that became constant, whether its part of the condition always holds (or never); else None.
    """

    finding: Finding
    key: str = ""
    instead: str = ""
    holds: bool | None = None

    def to_dict(self) -> dict[str, Any]:
        """The finding's keys, `key` and `instead`."""
        return {**self.finding.to_dict(), "key": self.key, "instead": self.instead}
