# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check of policies says: a finding about a policy, workload or namespace, and how it is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...common.finding import Finding
from ..model.objects import Policy

#: Names spelled out in one message.
MAX_NAMES = 5


def on(
    item: str, code: str, severity: str, message: str, hint: str = "", source: str = "", line: int | None = None
) -> Finding:
    """A finding about an object.

    Args:
        item: full name of the policy, workload or namespace.
        code: stable name of the check.
        severity: C(error) for what cannot be meant, C(warning) for what is probably not, C(info) for what to know.
        message: what was found.
        hint: what to do about it.
        source: file or input, empty when unknown.
        line: 1-based line of the object, None when unknown.
    """
    return Finding(code, severity, source, line, None, item, message, hint)


def about(policy: Policy, code: str, severity: str, message: str, hint: str = "") -> Finding:
    """A finding about a policy, at its place."""
    return on(policy.full_name, code, severity, message, hint, policy.origin.source, policy.origin.line)


def row(finding: Finding) -> dict[str, Any]:
    """The finding as modules return it."""
    return {
        "code": finding.code,
        "severity": finding.severity,
        "object": finding.item,
        "message": finding.message,
        "hint": finding.hint,
        "source": finding.file,
        "line": finding.line,
    }


def told(finding: Finding) -> str:
    """The finding in one line for people."""
    place = f"{finding.file}:{finding.line}: " if finding.line is not None else ""
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"{place}{finding.severity}: {finding.item}: {finding.message} [{finding.code}]{hint}"


def names(items: Sequence[str]) -> str:
    """The first few of some names, and how many more there are."""
    some = ", ".join(items[:MAX_NAMES])
    return some + (f" and {len(items) - MAX_NAMES} more" if len(items) > MAX_NAMES else "")
