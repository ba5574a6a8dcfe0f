# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a recording's noise, as findings at the rules and their exceptions."""

from __future__ import annotations

from ...common.finding import Finding
from ..codes import DEAD, REFUSED, SUGGESTED, UNKNOWN
from ..judge.recorded import finding_at, finding_in
from ..load.ruleset import Loaded
from .suggest import Suggestion, Suggestions


def tuning_findings(found: Suggestions, alerts: str, loaded: Loaded) -> list[Finding]:
    """One finding for each exception that is suggested, noise that none is for, dead exception and unknown rule.

    Args:
        found: what came out.
        alerts: name of the file with the alerts.
        loaded: the ruleset that raised them.
    """
    rules = {name: compiled.rule for name, compiled in loaded.compiler.rules.items()}
    findings = [
        finding_in(UNKNOWN, alerts, None, f"rule '{rule}'", "no given rules file has the rule of these alerts")
        for rule in found.unknown
    ]
    for refused in found.refused:
        who = " of ".join(filter(None, (refused.program and f"'{refused.program}'", refused.workload)))
        by = f" by {who}" if who else ""
        message = f"{refused.alerts} alerts{by} are noise, and nothing is suggested: {refused.reason}"
        findings.append(finding_at(REFUSED, rules[refused.rule].context, f"rule '{refused.rule}'", message))
    for dead in found.dead:
        exception = next(one for one in rules[dead.rule].exceptions if one.name == dead.exception)
        message = f"no recorded alert meets the exception '{dead.exception}'"
        hint = "remove it, unless the Falco that recorded had it"
        findings.append(finding_at(DEAD, exception.context, f"rule '{dead.rule}'", message, hint))
    for one in found.suggestions:
        findings.append(finding_at(SUGGESTED, rules[one.rule].context, f"rule '{one.rule}'", _suggested(one)))
    return findings


def _suggested(one: Suggestion) -> str:
    rows = "; ".join(", ".join(f"{name} = {value}" for name, value in zip(one.fields, row)) for row in one.values)
    also = f", {one.others} of them other than the noise" if one.others else ""
    proof = f"{one.tests} tests pass and {one.kept} events that must fire do"
    return f"the exception '{one.name}' ({rows}) would silence {one.silenced} alerts{also}; {proof}"
