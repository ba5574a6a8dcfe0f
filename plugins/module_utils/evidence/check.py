# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One check of the evidence: what was asked of which subject, the verdict, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PASSED = "passed"
FAILED = "failed"
SKIPPED = "skipped"
STATUSES = (PASSED, FAILED, SKIPPED)


class EvidenceError(ValueError):
    """A role gave something else than what its stage is judged by; the message names it."""


@dataclass(frozen=True)
class Check:
    """One verdict.

    Attributes:
        code: what is asked, for programs; unique within a stage, such as C(clock).
        check: what is asked, for people: a sentence that is true if it passed.
        subject: what it is asked of; never empty.
        status: one of C(STATUSES).
        detail: why, in words.
        data: what the verdict rests on, as JSON can carry it.
    """

    code: str
    check: str
    subject: str
    status: str
    detail: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise EvidenceError(f"{self.code}: {self.status!r} is no verdict; those are {', '.join(STATUSES)}")
        if not self.subject.strip():
            raise EvidenceError(f"{self.code}: a check needs a subject")

    def to_dict(self, stage: str) -> dict[str, Any]:
        """As facts and reports carry it."""
        return {
            "stage": stage,
            "code": self.code,
            "check": self.check,
            "subject": self.subject,
            "status": self.status,
            "detail": self.detail,
            "data": dict(self.data),
        }


def passed_if(condition: bool) -> str:
    """C(PASSED) or C(FAILED)."""
    return PASSED if condition else FAILED
