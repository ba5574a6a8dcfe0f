# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cases of a test file tried on a ruleset; what fails says which part of the condition was not met, and where."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from ...common.finding import Finding
from ...common.words import nearest
from ..codes import ERROR, TEST_FAILED, TEST_FORMAT
from ..errors import FalcoError
from ..evaluate.engine import ALL, Alert, CompiledRule, Engine
from ..evaluate.events import Event, events_of
from ..evaluate.reasons import Reason
from ..load.ruleset import Loaded
from .conditions import MACRO, RULE, Places, Scope
from .model import ANYTHING, Case, Expected, Place, RuleTests

MAX_REASONS = 8
"""Reasons that a failure shows; a condition that holds may have hundreds."""


class Ruleset:
    """A ruleset under test.

    Attributes:
        name: what it is called in reports.
        loaded: as loaded.
        places: where its parts are written.
    """

    def __init__(self, name: str, loaded: Loaded) -> None:
        """Compile a ruleset; outputs are as written, nothing is appended to them.

        Raises:
            FalcoError: it does not load.
        """
        self.name = name
        self.loaded = loaded
        self.places = Places(loaded)
        self._engines = {ALL: Engine(loaded, ALL, append_output=())}

    def engine(self, rule_matching: str = ALL) -> Engine:
        """The compiled rules; what is asked of single rules does not depend on `rule_matching`."""
        found = self._engines.get(rule_matching)
        if found is None:
            found = self._engines[rule_matching] = Engine(self.loaded, rule_matching, append_output=())
        return found


class Outcome(NamedTuple):
    """What became of a case on a ruleset.

    Attributes:
        case: the case.
        ruleset: the ruleset.
        rule_matching: first or all.
        events: its events; audit events may be several.
        failures: what is wrong, empty when it passed or was skipped.
    """

    case: Case
    ruleset: Ruleset
    rule_matching: str
    events: list[Event]
    failures: list[Finding]

    @property
    def passed(self) -> bool:
        return not self.failures and self.case.skip is None


def check_names(tests: RuleTests, name: str, ruleset: Ruleset) -> list[Finding]:
    """Rules that cases name and the ruleset, which the tests call by a name, does not have."""
    known = ruleset.engine().rules
    found: dict[tuple[str, Place], Finding] = {}
    for case in tests.cases:
        if case.rulesets and name not in case.rulesets:
            continue
        for one in (*case.expect, *case.expect_not):
            if one.rule not in known:
                close = nearest(one.rule, known)
                hint = f"did you mean '{close}'?" if close else ""
                message = f"the ruleset '{name}' has no rule '{one.rule}'"
                found[one.rule, one.place] = _finding(TEST_FORMAT, one.place, case, message, hint)
    return list(found.values())


def _finding(code: str, place: Place, case: Case, message: str, hint: str = "") -> Finding:
    return Finding(code, ERROR, place.file, place.line, place.column, f"case '{case.name}'", message, hint)


def run(tests: RuleTests, name: str, ruleset: Ruleset) -> list[Outcome]:
    """Try every case that is meant for a ruleset.

    Args:
        tests: without findings of the reader or of `check_names`.
        name: what the tests call the ruleset.
        ruleset: the ruleset.
    """
    chosen = (case for case in tests.cases if not case.rulesets or name in case.rulesets)
    return [_tried(case, tests, ruleset) for case in chosen]


def _tried(case: Case, tests: RuleTests, ruleset: Ruleset) -> Outcome:
    def outcome(events: list[Event], *failures: Finding) -> Outcome:
        return Outcome(case, ruleset, tests.rule_matching, events, list(failures))

    try:
        events = events_of(case.event, 1, tests.source)
    except FalcoError as error:
        return outcome([], _finding(TEST_FORMAT, case.place, case, str(error)))
    if case.skip is not None:
        return outcome(events)
    if not events:
        message = "the k8saudit plugin drops this event: it has no kind, or no stageTimestamp"
        return outcome(events, _finding(TEST_FAILED, case.place, case, message))
    engine = ruleset.engine(tests.rule_matching)
    alerts: dict[str, tuple[Alert, Event]] = {}
    for event in events:
        for alert in engine.alerts(event):
            alerts.setdefault(alert.rule, (alert, event))
    return outcome(events, *_failures(case, ruleset, engine, events, alerts))


def _failures(
    case: Case, ruleset: Ruleset, engine: Engine, events: list[Event], alerts: dict[str, tuple[Alert, Event]]
) -> Iterable[Finding]:
    for wanted in case.expect:
        if wanted.rule in alerts:
            for message in _unlike(wanted, alerts[wanted.rule][0]):
                yield _finding(TEST_FAILED, wanted.place, case, message)
        else:
            yield _finding(TEST_FAILED, wanted.place, case, _silent(wanted.rule, ruleset, engine, events))
    refused = {one.rule: one.place for one in case.expect_not}
    if case.only:
        expected = {one.rule for one in case.expect}
        refused.update((rule, case.place) for rule in alerts if rule not in expected)
    for rule, place in refused.items():
        if rule in alerts:
            yield _finding(TEST_FAILED, place, case, _loud(rule, ruleset, alerts[rule][1]))


def _unlike(wanted: Expected, alert: Alert) -> Iterable[str]:
    """How an alert differs from what is expected of it."""
    output = alert.output.partition(f": {alert.priority} ")[2]
    if wanted.output is not None and not fits(wanted.output, output):
        yield f"rule '{wanted.rule}' fired with another output: {output!r} is not {wanted.output!r}"
    if wanted.priority is not None and wanted.priority.lower() != alert.priority.lower():
        yield f"rule '{wanted.rule}' fired with priority {alert.priority}, not {wanted.priority}"


def fits(pattern: str, text: str) -> bool:
    """Whether a text is as a pattern says, in which `*` stands for any text and all else for itself.

    How many blanks stand between two words does not count: YAML folds them.
    """
    parts = re.sub(r"\s+", " ", pattern.strip()).split(ANYTHING)
    return re.fullmatch(".*".join(map(re.escape, parts)), " ".join(text.split()), re.DOTALL) is not None


def _silent(rule: str, ruleset: Ruleset, engine: Engine, events: list[Event]) -> str:
    """Why a rule that was expected did not fire."""
    explanation = engine.explain(rule, events[0])
    if explanation.why_not is not None:
        return f"rule '{rule}' did not fire: {explanation.why_not}"
    return f"rule '{rule}' did not fire:{_told(rule, explanation.reasons, ruleset)}"


def _loud(rule: str, ruleset: Ruleset, event: Event) -> str:
    """Why a rule that was not expected fired."""
    return f"rule '{rule}' fired:{_told(rule, ruleset.engine().explain(rule, event).reasons, ruleset)}"


def _told(rule: str, reasons: list[Reason], ruleset: Ruleset) -> str:
    lines = []
    for reason in reasons[:MAX_REASONS]:
        lines.append(f"\n  {ruleset.places.of(scope_of(rule, reason), reason.start)}: {reason}")
    if len(reasons) > MAX_REASONS:
        lines.append(f"\n  and {len(reasons) - MAX_REASONS} more")
    return "".join(lines)


def scope_of(rule: str, reason: Reason) -> Scope:
    """The rule or macro that a reason of a rule stands in."""
    return Scope(MACRO, reason.macros[-1]) if reason.macros else Scope(RULE, rule)


def asserted(outcome: Outcome) -> dict[str, bool]:
    """The rules about which a case says something: whether each is to fire."""
    case = outcome.case
    said = {one.rule: False for one in case.expect_not}
    if case.only:
        said.update(dict.fromkeys((name for name, rule in outcome.ruleset.engine().rules.items() if rule.fires), False))
    said.update({one.rule: True for one in case.expect})
    return said


def sees(rule: CompiledRule, event: Event) -> bool:
    """Whether a rule is enabled and made for an event's source."""
    return rule.fires and rule.rule.source == event.source
