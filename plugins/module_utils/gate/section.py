# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one part of the gate says: passed, failed or skipped, why, and what the change does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..common.finding import Finding, refusal
from ..common.junit import Case, Suite

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclass(frozen=True)
class Changes:
    """What is different from the revision before, of one kind.

    Attributes:
        title: the kind, such as C(Connections lost).
        lines: one a change.
    """

    title: str
    lines: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"title": self.title, "lines": list(self.lines)}


@dataclass(frozen=True)
class Section:
    """One part of the gate on one of its entries.

    Attributes:
        kind: C(rules), C(policies) or C(charts).
        name: of the entry.
        reasons: why it failed, the most urgent first; nothing if it did not.
        findings: all that was found, also what does not count as failure.
        changes: beside the revision before; kinds without a change are left out.
        counts: what was looked at, by what it is called.
        notes: what a reader must know beside the verdict.
        skipped: why nothing was looked at; empty if it was.
        suites: what was tried, for JUnit.
    """

    kind: str
    name: str
    reasons: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    changes: tuple[Changes, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    skipped: str = ""
    suites: tuple[Suite, ...] = ()

    @property
    def status(self) -> str:
        """Failed with a reason, else skipped with one, else passed."""
        return FAILED if self.reasons else SKIPPED if self.skipped else PASSED

    def suite(self) -> Suite:
        """The verdict as a case of its own, beside what was tried."""
        case = Case(
            self.name,
            f"gate.{self.kind}",
            failure=self.reasons[0].split("\n")[0] if self.reasons else None,
            text="\n".join(self.reasons),
            skipped=self.skipped or None,
        )
        return Suite(f"{self.kind} {self.name}", [case])

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "status": self.status,
            "reasons": list(self.reasons),
            "changes": [one.to_dict() for one in self.changes],
            "counts": dict(self.counts),
            "notes": list(self.notes),
            "skipped": self.skipped,
            "findings": len(self.findings),
        }


def counted(findings: Sequence[Finding]) -> tuple[str, ...]:
    """The reason that findings are which count as failures; none without one."""
    return (refusal(findings),) if findings else ()


def changes_of(groups: Mapping[str, Sequence[str]]) -> tuple[Changes, ...]:
    """The kinds that have a change."""
    return tuple(Changes(title, tuple(lines)) for title, lines in groups.items() if lines)
