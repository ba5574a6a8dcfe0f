# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts as a JUnit suite: one test case per ruleset or, of a single ruleset, per file."""

from __future__ import annotations

from collections.abc import Sequence

from ...common.finding import Finding, place
from ...common.junit import Case, Suite
from .validate import Verdict


def suite_of(verdicts: Sequence[Verdict], failing: Sequence[Finding], tool: str) -> Suite:
    """One test suite.

    Args:
        verdicts: of the rulesets.
        failing: the findings that count as failures; all others become output of their test case.
        tool: name of what judged.
    """
    counted = set(failing)
    cases = []
    for verdict in verdicts:
        names = [verdict.name] if verdict.name else [str(result["name"]) for result in verdict.results]
        for name in names:
            mine = [one for one in verdict.findings if verdict.name or one.file == name]
            bad = [one for one in mine if one in counted]
            rest = [one for one in mine if one not in counted]
            cases.append(
                Case(
                    name,
                    "falco_rules",
                    failure=f"{bad[0].code}: {bad[0].message}" if bad else None,
                    text="\n".join(map(line_of, bad)),
                    output="\n".join(map(line_of, rest)),
                )
            )
    return Suite(tool, cases)


def line_of(finding: Finding) -> str:
    """A finding in one line."""
    hint = f" ({finding.hint})" if finding.hint else ""
    beyond = " [Falco stops before it]" if finding.beyond else ""
    return f"{place(finding)}: {finding.severity}: {finding.code}: {finding.message}{hint}{beyond}"
