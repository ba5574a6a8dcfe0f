# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings on rules to the disk, in the forms that code scanning and CI servers read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .rules import write_if_changed

if TYPE_CHECKING:
    from ..common.finding import Finding
    from ..common.junit import Suite


def write_reports(
    params: Mapping[str, Any],
    tool: str,
    findings: Sequence[Finding],
    suites: Callable[[], Sequence[Suite]],
    describe: Callable[[str], tuple[str, str]] | None = None,
) -> bool:
    """Write the reports that were asked for; tell whether a file changed.

    Args:
        params: `sarif_path` and `junit_path`; empty or None for none.
        tool: name of what found them.
        findings: in the order of the report.
        suites: makes the suites of the JUnit report; called only for it.
        describe: gives a code's severity and title; None takes those of rules.

    Raises:
        OSError: a file cannot be written.
    """
    changed = False
    if params["sarif_path"]:
        # what writes a report is read for those who want it
        from ..common.sarif import to_sarif
        from ..falco.codes import described

        changed = write_if_changed(params["sarif_path"], to_sarif(findings, tool, describe or described))
    if params["junit_path"]:
        # as above; the XML library is the larger part
        from ..common.junit import to_junit

        changed = write_if_changed(params["junit_path"], to_junit("falconet.k8s", suites())) or changed
    return changed
