# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a ruleset while its entries come in, file by file: definitions, appends and replacements.

Source: `userspace/engine/rule_loader_collector.cpp` in falcosecurity/falco.
"""

from __future__ import annotations

import re
from typing import Any

from ..catalogue.catalogue import SYSCALL, Catalogue
from ..catalogue.fields import FieldTable
from ..condition.checks import operand
from ..condition.dialect import parse_operand_in
from ..condition.lexer import STRING_OPERATORS
from ..errors import Cause, CheckError, ConditionSyntaxError, EngineAbortError, Reason
from .context import Context
from .items import Change, Entry, ListItem, MacroItem, PluginRequirement, Rule, RuleException, RuleUpdate, Written
from .result import LoadError, LoadResult
from .substitution import counts

_VERSION = re.compile(r"\s*([+-]?)([0-9]+)\.\s*([+-]?)([0-9]+)\.\s*([+-]?)([0-9]+)")
_SINGLE_COMPS = frozenset(("in", "pmatch", "intersects"))
_BLANKS = " \t\r\n"

Version = tuple[int, int, int]


def parse_version(text: str) -> Version | None:
    """Read x.y.z as Falco does: what follows the third number does not matter. None when it is none."""
    match = _VERSION.match(text)
    if not match:
        return None
    numbers = []
    for sign, digits in ((1, 2), (3, 4), (5, 6)):
        number = min(int(match.group(digits)), 0xFFFFFFFFFFFFFFFF)
        numbers.append((-number if match.group(sign) == "-" else number) & 0xFFFFFFFF)
    return numbers[0], numbers[1], numbers[2]


def compatible(have: Version, want: Version) -> bool:
    """Whether a version satisfies a requirement: same major version, not older."""
    return have[0] == want[0] and have >= want


def _error(message: str, context: Context, written: Written | None = None, cause: Cause | None = None) -> LoadError:
    return LoadError("LOAD_ERR_VALIDATE", message, context, written=written, cause=cause)


class Collector:
    """Rules, macros and lists by name, in order of their first definition."""

    def __init__(self, catalogue: Catalogue, tables: dict[str, FieldTable]) -> None:
        self.catalogue = catalogue
        self.language = catalogue.language
        self.tables = tables
        self._operators = frozenset(self.language.operators)
        self._modified = frozenset(
            f"{operator} {modifier}" for operator in STRING_OPERATORS for modifier in self.language.modifiers
        )
        self.lists: dict[str, ListItem] = {}
        self.macros: dict[str, MacroItem] = {}
        self.rules: dict[str, Rule] = {}
        self.requirements: list[PluginRequirement] = []
        self.required_engine: Version | None = None
        self.changes: list[Change] = []
        self.duplicates: list[tuple[Context, str, Any]] = []
        self._next = 0

    def _tick(self) -> int:
        self._next += 1
        return self._next - 1

    def _note(
        self, kind: str, action: str, name: str, keys: tuple[str, ...], node: Any, file: str, effect: bool = True
    ) -> None:
        self.changes.append(Change(kind, action, name, keys, node, file, effect))

    # versions

    def require_engine(self, version: Version, context: Context, written: Written) -> None:
        have = parse_version(self.catalogue.engine) or (0, 0, 0)
        if not compatible(have, version):
            wanted = ".".join(str(number) for number in version)
            raise _error(
                f"Rules require engine version {wanted}, but engine version is {self.catalogue.engine}",
                context,
                written,
                Cause(Reason.UNMET_VERSION, "engine"),
            )
        if self.required_engine is None or self.required_engine < version:
            self.required_engine = version

    def require_plugin(self, requirement: PluginRequirement) -> None:
        seen: set[str] = set()
        for (name, version), written in zip(requirement.alternatives, requirement.written):
            if parse_version(version) is None:
                raise _error(
                    f"Invalid required version '{version}' for plugin '{name}'",
                    requirement.context,
                    written,
                    Cause(Reason.NO_VERSION, version),
                )
            if name in seen:
                raise _error(
                    f"Defined multiple alternative version requirements for plugin '{name}'", requirement.context
                )
            seen.add(name)
        self.requirements.append(requirement)

    def unmet_requirement(self, file: str) -> PluginRequirement | None:
        """The first plugin requirement of a file that the loaded plugins do not satisfy."""
        plugins = self.catalogue.plugins
        for requirement in self.requirements:
            if requirement.context.file != file:
                continue
            for name, version in requirement.alternatives:
                plugin = plugins.get(name)
                have = parse_version(plugin.version) if plugin else None
                want = parse_version(version)
                if have and want and compatible(have, want):
                    break
            else:
                return requirement
        return None

    # lists and macros

    def define_list(self, item: ListItem, node: Any) -> None:
        previous = self.lists.get(item.name)
        tick = self._tick()
        item.index = previous.index if previous else tick
        item.visibility = tick
        self.lists[item.name] = item
        self._note("list", "redefine" if previous else "define", item.name, ("items",), node, item.context.file)

    def append_list(self, item: ListItem, node: Any) -> None:
        previous = self.lists.get(item.name)
        if previous is None:
            raise _error(
                "List uses 'append' or 'override.items: append' but no list by that name already exists",
                item.context,
                cause=Cause(Reason.NO_SUCH_LIST, item.name),
            )
        previous.items = previous.items + item.items
        previous.written = previous.written + item.written
        previous.visibility = self._tick()
        self._note("list", "append", item.name, ("items",), node, item.context.file, bool(item.items))

    def define_macro(self, item: MacroItem) -> None:
        previous = self.macros.get(item.name)
        tick = self._tick()
        item.index = previous.index if previous else tick
        item.visibility = tick
        self.macros[item.name] = item
        action = "redefine" if previous else "define"
        self._note("macro", action, item.name, ("condition",), item.node, item.context.file)

    def append_macro(self, item: MacroItem) -> None:
        previous = self.macros.get(item.name)
        if previous is None:
            raise _error(
                "Macro uses 'append' or 'override.condition: append' but no macro by that name already exists",
                item.context,
                cause=Cause(Reason.NO_SUCH_MACRO, item.name),
            )
        # the macro keeps its place and context; what came earlier must stay as it was for other readers of it
        merged = MacroItem(
            previous.name,
            f"{previous.condition} {item.condition}",
            previous.context,
            previous.condition_context,
            previous.node,
            previous.written + item.written,
        )
        merged.index = previous.index
        merged.visibility = self._tick()
        self.macros[item.name] = merged
        self._note("macro", "append", item.name, ("condition",), item.node, item.context.file)
        self.changes[-1].before = previous.condition
        self.changes[-1].added = item.condition

    # rules

    def _previous(self, name: str, source: str, context: Context) -> Rule | None:
        previous = self.rules.get(name)
        if previous is not None and source and previous.source != source:
            raise _error("Rule has been re-defined with a different source", context)
        return previous

    def define_rule(self, rule: Rule, result: LoadResult) -> None:
        previous = self._previous(rule.name, rule.source, rule.context)
        table = self.tables.get(rule.source)
        if table is None:
            rule.unknown_source = True
            result.warn(
                "LOAD_UNKNOWN_SOURCE",
                f"Unknown source {rule.source}, skipping",
                rule.context,
                cause=Cause(Reason.UNKNOWN_SOURCE, rule.source),
            )
        for exception in rule.exceptions:
            if not exception.fields.present:
                raise _error("Rule exception item must have fields property with a list of fields", exception.context)
            self._check_exception(table, exception)
        tick = self._tick()
        rule.index = previous.index if previous else tick
        rule.visibility = tick
        self.rules[rule.name] = rule
        action = "redefine" if previous else "define"
        self._note("rule", action, rule.name, (), rule.nodes.get(""), rule.context.file)

    def enable_rule(self, rule: Rule) -> None:
        previous = self.rules.get(rule.name)
        if previous is None:
            raise _error(
                "Rule has 'enabled' key but no rule by that name already exists",
                rule.context,
                cause=Cause(Reason.NO_SUCH_RULE, rule.name),
            )
        effect = previous.enabled != rule.enabled
        previous.enabled = rule.enabled
        self._note("rule", "enable", rule.name, ("enabled",), rule.nodes.get(""), rule.context.file, effect)

    def _append_exception(self, table: FieldTable | None, rule: Rule, exception: RuleException) -> bool:
        """Append an exception, or values to the one of that name; tell whether that changes anything."""
        known = next((one for one in rule.exceptions if one.name == exception.name), None)
        if known is None:
            if not exception.fields.present:
                raise _error("Rule exception must have fields property with a list of fields", exception.context)
            if not exception.values:
                raise _error("Rule exception must have values property with a list of values", exception.context)
            self._check_exception(table, exception)
            rule.exceptions.append(exception)
            return True
        if exception.fields.present:
            raise _error("Can not append exception fields to existing exception, only values", exception.context)
        if exception.comps.present:
            raise _error("Can not append exception comps to existing exception, only values", exception.context)
        known.values = known.values + exception.values
        return bool(exception.values)

    def append_rule(self, update: RuleUpdate) -> None:
        previous = self._previous(
            update.name, update.source if self.language.one_source_per_rule else "", update.context
        )
        if previous is None:
            raise _error(
                "Rule uses 'append' or 'override.<key>: append' but no rule by that name already exists",
                update.context,
                cause=Cause(Reason.NO_SUCH_RULE, update.name),
            )
        if not update.says_something:
            raise _error("Appended rule must have exceptions or condition property", update.context)
        table = self.tables.get(previous.source)  # of an unknown source nothing is checked
        keys = []
        before = previous.condition
        if update.condition:
            previous.condition = f"{previous.condition} {update.condition}"
            previous.written = previous.written + update.written
            keys.append("condition")
        if update.output:
            previous.output = f"{previous.output} {update.output}"
            previous.written_output = previous.written_output + update.written_output
            keys.append("output")
        if update.desc:
            previous.desc = f"{previous.desc} {update.desc}"
            keys.append("desc")
        if update.tags is not None:
            if not update.tags <= previous.tags:
                keys.append("tags")
            previous.tags = previous.tags | update.tags
        for exception in update.exceptions or ():
            if self._append_exception(table, previous, exception):
                keys.append("exceptions")
        previous.visibility = self._tick()
        self._note(
            "rule",
            "append",
            update.name,
            tuple(dict.fromkeys(keys)),
            update.nodes.get(""),
            update.context.file,
            bool(keys),
        )
        if update.condition:
            self.changes[-1].before = before
            self.changes[-1].added = update.condition

    def replace_rule(self, update: RuleUpdate) -> None:
        previous = self._previous(
            update.name, update.source if self.language.one_source_per_rule else "", update.context
        )
        if previous is None:
            raise _error(
                "An 'override.<key>: replace' to a rule was requested but no rule by that name already exists",
                update.context,
                cause=Cause(Reason.NO_SUCH_RULE, update.name),
            )
        if not update.says_something:
            raise _error("The rule must have at least one field that can be replaced", update.context)
        keys = []
        effect = False
        for key in _REPLACEABLE:
            value = getattr(update, key)
            if value is None:
                continue
            keys.append(key)
            if key == "exceptions" or getattr(previous, key) != value:
                effect = True
            setattr(previous, key, value)
        if update.condition is not None:
            previous.written = update.written
        if update.output is not None:
            previous.written_output = update.written_output
        previous.visibility = self._tick()
        self._note("rule", "replace", update.name, tuple(keys), update.nodes.get(""), update.context.file, effect)

    # exceptions

    def _check_exception(self, table: FieldTable | None, exception: RuleException) -> None:
        fields, comps = exception.fields, exception.comps
        if not fields.is_list:
            if not comps.present:
                comps.is_list = False
                comps.text = "in"
            if comps.is_list:
                raise _error("Fields and comps must both be strings", exception.context)
            comps.text = self._stripped(comps.text)
            if comps.text not in _SINGLE_COMPS and comps.text not in self._modified:
                words = "When fields is a single value, comps must be one of (in, pmatch, intersects)"
                if self._modified:
                    words += " or a modifier operator (e.g. startswith oneof)"
                raise _error(words, exception.context)
            if table is not None:
                self._check_exception_field(table, fields, exception.context)
            return
        if not comps.present:
            comps.is_list = True
            comps.items = [type(comps)("=") for _field in fields.items]
        if len(fields.items) != len(comps.items):
            raise _error(
                "Fields and comps lists must have equal length",
                exception.context,
                comps.written,
                Cause(Reason.UNEQUAL_COMPARISONS, counts(fields, comps, "comps has")),
            )
        for comp in comps.items:
            comp.text = self._stripped(comp.text)
            if comp.text not in self._operators and comp.text not in self._modified:
                raise _error(
                    f"'{comp.text}' is not a supported comparison operator",
                    exception.context,
                    comp.written,
                    Cause(Reason.UNKNOWN_COMPARISON, comp.text),
                )
        if table is not None:
            for field in fields.items:
                self._check_exception_field(table, field, exception.context)

    def _stripped(self, comparison: str) -> str:
        return comparison.strip(_BLANKS) if self.language.modified_exception_comps else comparison

    def _check_exception_field(self, table: FieldTable, field: Entry, context: Context) -> None:
        text = field.text
        if "(" in text:
            try:
                node, end = parse_operand_in(text, self.language)
                if text[end:].strip(_BLANKS + "\b"):
                    raise CheckError("more than one field")
                operand(table, node)
                valid = True
            except (CheckError, ConditionSyntaxError, EngineAbortError):
                valid = False
        else:
            try:
                valid = table.find(text) is not None
            except CheckError as error:
                # Falco lets this one escape to the file, not to the exception it is in
                raise _error(str(error), Context(context.locations[:1]), field.written, error.cause) from error
        if not valid:
            raise _error(
                f"'{text}' is not a supported filter field",
                context,
                field.written,
                Cause(Reason.UNKNOWN_FIELD, text),
            )


_REPLACEABLE = (
    "condition",
    "output",
    "desc",
    "tags",
    "exceptions",
    "priority",
    "capture",
    "capture_duration",
    "enabled",
    "warn_evttypes",
    "skip_if_unknown_filter",
)

DEFAULT_SOURCE = SYSCALL
