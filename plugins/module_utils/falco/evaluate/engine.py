# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""A loaded ruleset, compiled: which rules fire on an event, with which output.

Rules of syscall events are looked up by the event's type: one that cannot hold for it is not tried.
Source: `falco_engine::process_event`, `evttype_index_ruleset.cpp` and `rule_loader_compiler.cpp` in `userspace/engine`
of falcosecurity/falco.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..catalogue.catalogue import PRIORITIES, Catalogue
from ..catalogue.fields import FieldTable
from ..catalogue.language import CONTAINER_INFO
from ..errors import CheckError, FalcoError
from ..load.items import Rule
from ..load.ruleset import Loaded
from ..yaml.nesting import deep_nesting
from .conditions import ConditionCompiler, Part
from .events import SYSCALL, Event
from .output import CompiledOutput, extra_output, prefix
from .reasons import Reason, reasons
from .times import iso_text

FIRST, ALL = "first", "all"
APPEND_OUTPUT: Sequence[Mapping[str, Any]] = ({"suggested_output": True},)
"""Falco's default of `append_output`: the fields that plugins suggest."""
OPTIONAL_PLUGINS = ("k8smeta",)
"""Falco's image has them and its configuration does not load them: they count where rules name their fields."""


class Alert(NamedTuple):
    """A rule that fired, as Falco reports it in JSON.

    Attributes:
        rule, priority, source: of the rule; the priority as Falco writes it (Warning).
        tags: sorted.
        output: time, priority and the formatted output.
        output_fields: values of the fields in the output, null where there is none.
        time: of the event in ISO 8601, or None when it is not known.
    """

    rule: str
    priority: str
    source: str
    tags: tuple[str, ...]
    output: str
    output_fields: dict[str, Any]
    time: str | None


class Explanation(NamedTuple):
    """Why a rule fires or not.

    Attributes:
        rule: its name.
        fires: whether Falco would report it.
        holds: whether its condition holds.
        why_not: what keeps it from firing besides its condition, or None.
        reasons: the parts of its condition that decided.
    """

    rule: str
    fires: bool
    holds: bool
    why_not: str | None
    reasons: list[Reason]


class CompiledRule:
    """A rule ready to be evaluated.

    Attributes:
        rule: as loaded.
        name: of the rule.
        condition: its text, exceptions joined, lists substituted.
        part: the compiled condition.
        test: whether it holds for an event's fields.
        events: codes of the event types for which it can hold, as bits.
        fires: False when it is disabled or less urgent than the threshold.
    """

    __slots__ = ("_further", "_output", "condition", "events", "fires", "name", "part", "priority", "rule", "test")

    def __init__(self, rule: Rule, condition: str, part: Part, events: int, fires: bool) -> None:
        self.rule = rule
        self.name = rule.name
        self.condition = condition
        self.part = part
        self.test = part.test
        self.events = events
        self.fires = fires
        self.priority = PRIORITIES[priority_number(rule.priority)].capitalize()
        self._output: CompiledOutput | None = None
        self._further: list[tuple[str, CompiledOutput | None]] = []

    def compile_output(self, table: FieldTable, entries: Sequence[Mapping[str, Any]], suggested: Sequence[str]) -> None:
        """Compile the output with what `append_output` adds, the fields that plugins suggest among it."""
        rule = self.rule
        appended, further = extra_output(entries, suggested, rule.name, rule.source, rule.tags)
        text = " ".join((rule.output, *appended)).replace(CONTAINER_INFO, table.catalogue.language.container_info)
        try:
            self._output = CompiledOutput(table, text)
            self._further = [
                (key, None if form is None else CompiledOutput(table, form)) for key, form in further.items()
            ]
        except CheckError as error:
            raise FalcoError(f"rule '{self.name}': append_output does not fit its source: {error}") from error

    def alert(self, event: Event) -> Alert:
        """What Falco would report of this rule on an event for which it holds."""
        if self._output is None:
            raise FalcoError(f"rule '{self.name}': its output was not compiled")
        fields = event.fields
        values: dict[str, Any] = {"evt.time": fields["evt.time"] if event.time_ns is None else event.time_ns}
        values.update(self._output.values(fields))
        for key, form in self._further:
            values[key] = fields[key] if form is None else form.text(fields)
        return Alert(
            self.name,
            self.priority,
            self.rule.source,
            tuple(sorted(self.rule.tags)),
            prefix(event.time_ns, self.priority) + self._output.text(fields),
            values,
            None if event.time_ns is None else iso_text(event.time_ns),
        )


def priority_number(name: str) -> int:
    """The place of a priority among `PRIORITIES`, 0 being the most urgent.

    Raises:
        FalcoError: there is no such priority.
    """
    wanted = name.upper()
    if wanted == "INFO":
        wanted = "INFORMATIONAL"
    if wanted not in PRIORITIES:
        raise FalcoError(f"unknown priority '{name}'; there are {', '.join(PRIORITIES)}")
    return PRIORITIES.index(wanted)


def _suggested(table: FieldTable, loaded: Loaded) -> list[str]:
    """The fields that the plugins of a source suggest for outputs, of those plugins that are taken as loaded."""
    missing = tuple(f"{name}." for name in OPTIONAL_PLUGINS if not any(f"{name}." in one.text for one in loaded.files))
    return [name for name in table.source.suggested if not name.startswith(missing)]


class Engine:
    """Evaluates events against a ruleset.

    Attributes:
        rules: every rule that loaded, by name, in the order in which they are tried.
        rule_matching: FIRST or ALL.
    """

    @deep_nesting()
    def __init__(
        self,
        loaded: Loaded,
        rule_matching: str = FIRST,
        priority: str = "DEBUG",
        append_output: Sequence[Mapping[str, Any]] = APPEND_OUTPUT,
    ) -> None:
        """Compile a ruleset.

        Args:
            loaded: a ruleset that loads.
            rule_matching: `first` reports the first rule that holds (Falco's default), `all` reports each.
            priority: rules less urgent than this one never fire.
            append_output: as in falco.yaml.

        Raises:
            FalcoError: the ruleset does not load, or an option is not one of Falco's.
        """
        if not loaded.successful:
            errors = [issue.message for result in loaded.results for issue in result.errors]
            raise FalcoError(f"the rules do not load: {errors[0] if errors else 'unknown error'}")
        if rule_matching not in (FIRST, ALL):
            raise FalcoError(f"rule_matching is '{FIRST}' or '{ALL}', not '{rule_matching}'")
        self.rule_matching = rule_matching
        self.rules: dict[str, CompiledRule] = {}
        self._catalogue: Catalogue = loaded.catalogue
        self._by_source: dict[str, list[CompiledRule]] = {}
        self._by_type: dict[str | None, list[CompiledRule]] = {}
        threshold = priority_number(priority)
        tables = loaded.compiler.tables
        suggested = {source: _suggested(table, loaded) for source, table in tables.items()}
        compilers = {source: ConditionCompiler(table, loaded.compiler.macros) for source, table in tables.items()}
        for compiled in loaded.compiler.rules.values():
            rule = compiled.rule
            fires = rule.enabled and priority_number(rule.priority) <= threshold
            part = compilers[rule.source].compile(compiled.node)
            ready = CompiledRule(rule, compiled.condition, part, compiled.summary.events, fires)
            ready.compile_output(tables[rule.source], append_output, suggested[rule.source])
            self.rules[rule.name] = ready
            if fires:
                self._by_source.setdefault(rule.source, []).append(ready)

    def candidates(self, source: str, event_type: str | None) -> list[CompiledRule]:
        """The rules that can fire on a type of event, in order.

        Args:
            source: the event source.
            event_type: `evt.type` of a syscall event; None when it is not known, which leaves every rule.
        """
        rules = self._by_source.get(source, [])
        if source != SYSCALL or event_type is None:
            return rules
        found = self._by_type.get(event_type)
        if found is None:
            codes = self._codes(event_type)
            found = rules if codes is None else [rule for rule in rules if rule.events & codes]
            self._by_type[event_type] = found
        return found

    def _codes(self, event_type: str) -> int | None:
        """The event codes of a type, as bits; None when every rule sees it, as it does plugins' asynchronous events."""
        catalogue = self._catalogue
        if any(event_type in plugin.events for plugin in catalogue.plugins.values()):
            return None
        codes = catalogue.events.get(event_type, 0)
        if event_type in catalogue.syscalls:
            codes |= 3  # the generic system call
        return codes or None

    def matches(self, event: Event, rule_matching: str | None = None) -> list[CompiledRule]:
        """The rules that fire on an event.

        Args:
            event: the event.
            rule_matching: other than the engine's own.
        """
        fields = event.fields
        event_type = fields["evt.type"] if event.source == SYSCALL else None
        rules = self.candidates(event.source, event_type if isinstance(event_type, str) else None)
        if (rule_matching or self.rule_matching) == ALL:
            return [rule for rule in rules if rule.test(fields)]
        for rule in rules:
            if rule.test(fields):
                return [rule]
        return []

    def alerts(self, event: Event) -> list[Alert]:
        """What Falco would report of an event."""
        return [rule.alert(event) for rule in self.matches(event)]

    def explain(self, name: str, event: Event) -> Explanation:
        """Why a rule fires on an event, or why not.

        Raises:
            FalcoError: there is no such rule among those that loaded.
        """
        rule = self.rules.get(name)
        if rule is None:
            raise FalcoError(f"no rule '{name}' among those that loaded")
        why_not = None
        if rule.rule.source != event.source:
            why_not = f"the rule sees events of source '{rule.rule.source}', this one is of '{event.source}'"
        elif not rule.rule.enabled:
            why_not = "the rule is not enabled"
        elif not rule.fires:
            why_not = f"its priority {rule.priority} is below the threshold"
        holds = bool(rule.test(event.fields))
        if why_not is None and holds and self.rule_matching == FIRST:
            first = self.matches(event)
            if first and first[0] is not rule:
                why_not = f"'{first[0].name}' comes first, and rule_matching is '{FIRST}'"
        return Explanation(name, holds and why_not is None, holds, why_not, reasons(rule.part, event.fields))
