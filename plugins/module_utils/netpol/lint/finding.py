# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check of policies says: a code, how grave it is, about what, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..model.objects import Policy

#: Names spelled out in one message.
MAX_NAMES = 5


class Finding(NamedTuple):
    """One thing to look at.

    Attributes:
        code: stable name of the check.
        severity: C(error) for what cannot be meant, C(warning) for what is probably not, C(info) for what to know.
        object: full name of the policy, workload or namespace.
        message: what was found.
        hint: what to do about it.
        source: file or input, empty when unknown.
        line: 1-based line of the object, None when unknown.
    """

    code: str
    severity: str
    object: str
    message: str
    hint: str = ""
    source: str = ""
    line: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return self._asdict()

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}: " if self.line is not None else ""
        return f"{place}{self.severity}: {self.object}: {self.message} [{self.code}]" + (
            f" ({self.hint})" if self.hint else ""
        )


def about(policy: Policy, code: str, severity: str, message: str, hint: str = "") -> Finding:
    """A finding about a policy, at its place."""
    origin = policy.origin
    return Finding(code, severity, policy.full_name, message, hint, origin.source, origin.line)


def names(items: Sequence[str]) -> str:
    """The first few of some names, and how many more there are."""
    told = ", ".join(items[:MAX_NAMES])
    return told + (f" and {len(items) - MAX_NAMES} more" if len(items) > MAX_NAMES else "")
