# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks beyond Falco's own, on rulesets that Falco accepts."""

from __future__ import annotations

from collections.abc import Sequence

from .findings import Finding
from .ruleset import Loaded


def lint_findings(loaded: Loaded, ruleset: str, optional: Sequence[str]) -> list[Finding]:
    """Everything found beyond Falco's own findings."""
    return []
