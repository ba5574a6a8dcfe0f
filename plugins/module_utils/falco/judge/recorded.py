# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a recording shows of rules, as findings at the rules, and as a JUnit suite with a case for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...common.finding import Finding, place
from ...common.junit import Case, Suite
from ..codes import ADDED, DROPPED, FIRES, LOST, REWORDED, severity
from ..evaluate.replay import MOST_LINES
from ..load.context import Context
from ..load.ruleset import Loaded
from .junit import line_of


def finding_at(code: str, context: Context, item: str, message: str, hint: str = "") -> Finding:
    """A finding at an entry."""
    mark = context.locations[-1].mark
    return Finding(code, severity(code), context.file, mark.line + 1, mark.column + 1, item, message, hint)


def finding_in(code: str, file: str, line: int | None, item: str, message: str, hint: str = "") -> Finding:
    """A finding in a file that is none of rules."""
    return Finding(code, severity(code), file, line, None, item, message, hint)


def replay_findings(
    found: Mapping[str, Any], events: str, loaded: Loaded, before: Loaded | None = None
) -> list[Finding]:
    """What a replay shows: with another ruleset what the change does, else which rules fire; a finding a rule.

    Args:
        found: of `evaluate.replay.replay`.
        events: name of the file with the events.
        loaded: the ruleset.
        before: the other one.
    """
    found_at: list[Finding] = []
    kinds: tuple[tuple[str, str, str], ...] = (
        (LOST, "lost", "no longer alerts on"),
        (ADDED, "added", "newly alerts on"),
        (REWORDED, "reworded", "alerts in other words or with another priority on"),
    )
    if before is None:
        kinds = ((FIRES, "fires", "alerts on"),)
    for code, kind, words in kinds:
        by_rule: dict[str, list[int]] = {}
        for alert in found["changes"][kind] if before is not None else ():
            by_rule.setdefault(alert["rule"], []).append(alert["event"])
        counts = {rule: len(lines) for rule, lines in by_rule.items()}
        if before is None:
            by_rule, counts = found["first_lines"], found["counts"]
        for rule, lines in sorted(by_rule.items(), key=lambda item: (-counts[item[0]], item[0])):
            compiled = loaded.compiler.rules.get(rule) or (before and before.compiler.rules.get(rule))
            if not compiled:
                raise KeyError(rule)
            gone = " (the rule is no longer there)" if rule not in loaded.compiler.rules else ""
            message = f"{words} {_events(counts[rule], lines)} of {events}{gone}"
            found_at.append(finding_at(code, compiled.rule.context, f"rule '{rule}'", message))
    for line in found["dropped"]:
        message = "the k8saudit plugin drops this event, so no rule sees it"
        found_at.append(finding_in(DROPPED, events, line, "", message, "it has no 'kind' or no valid 'stageTimestamp'"))
    return found_at


def _events(count: int, lines: Sequence[int]) -> str:
    named = ", ".join(map(str, lines[:MOST_LINES]))
    more = f" and {count - MOST_LINES} more" if count > MOST_LINES else ""
    return f"{count} event{'s' if count > 1 else ''} (line{'s' if count > 1 else ''} {named}{more})"


def suite_of(
    tool: str, names: Iterable[str], findings: Sequence[Finding], failing: Iterable[Finding], classname: str
) -> Suite:
    """One test suite: a case for each rule, and one more for each item besides that a finding is on.

    Args:
        tool: name of what looked.
        names: of the rules that were looked at.
        findings: all of them.
        failing: those that count as failures; the others become output of their case.
        classname: what the cases belong to.
    """
    counted = set(failing)
    of_item: dict[str, list[Finding]] = {f"rule '{name}'": [] for name in names}
    for one in findings:
        of_item.setdefault(one.item or place(one), []).append(one)
    cases = []
    for item, mine in of_item.items():
        bad = [one for one in mine if one in counted]
        cases.append(
            Case(
                item,
                classname,
                failure=f"{bad[0].code}: {bad[0].message}" if bad else None,
                text="\n".join(map(line_of, bad)),
                output="\n".join(line_of(one) for one in mine if one not in counted),
            )
        )
    return Suite(tool, cases)
