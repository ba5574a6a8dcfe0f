# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was collected, compiled: lists and macros resolved, conditions and outputs checked, in Falco's order.

Falco compiles everything anew after each file. Here the work on a condition is remembered by its text and by
the macros it refers to, so that only what changed is done again.
Source: `userspace/engine/rule_loader_compiler.cpp` and `filter_macro_resolver.cpp` in falcosecurity/falco.
"""

from __future__ import annotations

from ..catalogue.catalogue import SYSCALL
from ..catalogue.fields import FieldTable
from ..catalogue.language import CONTAINER_INFO, Language
from ..condition.dialect import parse_in
from ..condition.nodes import Macro, Node, walk
from ..condition.summary import MAX_WARNINGS, Failure, Summarizer, Summary
from ..errors import Cause, CheckError, ConditionSyntaxError, Reason
from ..yaml.nodes import Yaml
from .collector import Collector
from .context import Context
from .items import MacroItem, Rule
from .output import output_tokens
from .result import LoadError, LoadResult
from .substitution import ExceptionError, Lists, with_exceptions

MAX_EVENTS_QUIET = 100
"""A syscall rule that may hold for more event codes than this is reported as LOAD_NO_EVTTYPE."""

_UNKNOWN = ("nonexistent field", "invalid formatting token", "unknown event type", "unknown filter:")
_DEPRECATED_HELP = {
    "evt.dir": "enter events are gone, so 'evt.dir = <' always holds and 'evt.dir = >' never does; leave it out",
}
_LATENCY_HELP = "the field is always 0, because enter events are gone"


class Parsed:
    """A parsed condition: the tree, or the syntax error, and the macros it refers to in order."""

    __slots__ = ("error", "macros", "node")

    def __init__(self, text: str, language: Language) -> None:
        self.node: Node | None = None
        self.error: ConditionSyntaxError | None = None
        self.macros: tuple[Macro, ...] = ()
        try:
            self.node = parse_in(text, language)
        except ConditionSyntaxError as error:
            self.error = error
            return
        self.macros = tuple(part for part in walk(self.node) if isinstance(part, Macro))


class Compiled:
    """A rule that compiled: its condition after list substitution, the tree and the summary."""

    __slots__ = ("condition", "node", "rule", "summary")

    def __init__(self, rule: Rule, condition: str, node: Node, summary: Summary) -> None:
        self.rule = rule
        self.condition = condition
        self.node = node
        self.summary = summary


class CompiledMacro:
    """A macro: its condition after list substitution, and the tree."""

    __slots__ = ("condition", "item", "parsed", "used")

    def __init__(self, item: MacroItem, condition: str, parsed: Parsed) -> None:
        self.item = item
        self.condition = condition
        self.parsed = parsed
        self.used = False

    @property
    def tree(self) -> Node:
        """What the condition was parsed to; one that cannot be parsed is no compiled macro."""
        return self.parsed.node  # type: ignore[return-value]  # as said


def is_unknown(message: str) -> bool:
    """Whether a refusal is of the kind that `skip-if-unknown-filter` forgives.

    Here the words decide, since they do so in Falco: a name that holds these words is forgiven there as well
    (`err_is_unknown_type_or_field` in `userspace/engine/rule_loader_compiler.cpp`).
    """
    return any(words in message for words in _UNKNOWN)


class Compiler:
    """Compiles a collector's content, any number of times.

    Attributes:
        rules, macros, lists: of the last compilation; rules that were left out are missing.
    """

    def __init__(self, collector: Collector, tables: dict[str, FieldTable], memory: Memory) -> None:
        self.collector = collector
        self.language = collector.language
        self.tables = tables
        self.memory = memory
        self.summarizers = {name: Summarizer(table) for name, table in tables.items()}
        self.rules: dict[str, Compiled] = {}
        self.macros: dict[str, CompiledMacro] = {}
        self.lists = Lists({}, set())
        self._fresh: dict[tuple[str, str], Summary] = {}

    def compile(self, result: LoadResult) -> None:
        """Compile everything into `result`, up to the first error."""
        self.rules = {}
        self.macros = {}
        try:
            self._lists()
            self._macros(result)
            self._rules(result)
        except LoadError as failure:
            result.fail(failure)
            return
        self._unused(result)

    def _unused(self, result: LoadResult) -> None:
        result.compiled = True
        for macro in self.macros.values():
            if not macro.used:
                result.warn("LOAD_UNUSED_MACRO", "Macro not referred to by any other rule/macro", macro.item.context)
        for name, item in self.collector.lists.items():
            if name not in self.lists.used:
                result.warn("LOAD_UNUSED_LIST", "List not referred to by any other rule/macro", item.context)

    # lists and macros

    def _lists(self) -> None:
        collected = self.collector.lists
        used: set[str] = set()
        resolved: dict[str, list[str]] = {}
        for name, item in collected.items():
            items: list[str] = []
            for value in item.items:
                other = collected.get(value)
                if other is not None and other.index < item.visibility:
                    used.add(other.name)
                    items.extend(other.items)
                else:
                    items.append(value)
            resolved[name] = items
        self.lists = Lists(resolved, used)

    def _parse(self, condition: str, context: Context) -> tuple[str, Parsed]:
        try:
            text = self.lists.apply(condition)
        except OverflowError as error:
            raise LoadError("LOAD_ERR_COMPILE_CONDITION", str(error), context) from error
        parsed = self.memory.parsed.get(text)
        if parsed is None:
            parsed = self.memory.parsed[text] = Parsed(text, self.language)
        if parsed.error is not None:
            raise LoadError(
                "LOAD_ERR_COMPILE_CONDITION",
                parsed.error.message,
                context.in_condition(parsed.error.index, text),
                cause=parsed.error.cause,
            )
        return text, parsed

    def _macros(self, result: LoadResult) -> None:
        for name, item in self.collector.macros.items():
            self.macros[name] = self._macro(item, result)
        done: set[str] = set()
        for name, macro in self.macros.items():
            if macro.parsed.macros:
                self._resolve_macro(macro, done, result)
            done.add(name)

    def _macro(self, item: MacroItem, _result: LoadResult) -> CompiledMacro:
        text, parsed = self._parse(item.condition, item.condition_context)
        return CompiledMacro(item, text, parsed)

    def _resolve_macro(self, macro: CompiledMacro, done: set[str], _result: LoadResult) -> None:
        item = macro.item
        self._resolve(macro.parsed.macros, item.visibility, done, item.condition, macro.condition, item.context)

    def _resolve(
        self,
        references: tuple[Macro, ...],
        visibility: int | None,
        done: set[str],
        condition: str,
        parsed: str,
        context: Context,
    ) -> None:
        """Follow macro references as Falco's resolver does, and mark what was resolved as used.

        Args:
            references: of the condition, in order.
            visibility: only macros defined before it are seen; None means all.
            done: macros whose own references were resolved already.
            condition, parsed: the condition as written, and as parsed after list substitution.
            context: where a failure is reported.
        """
        macros = self.macros
        first_error: tuple[str, Macro] | None = None
        first_unknown: Macro | None = None
        path: list[str] = []
        followed: set[str] = set()
        stack = [iter(references)]
        while stack:
            reference = next(stack[-1], None)
            if reference is None:
                stack.pop()
                if path:
                    path.pop()
                continue
            name = reference.name
            macro = macros.get(name)
            if macro is None or (visibility is not None and macro.item.index >= visibility):
                first_unknown = first_unknown or reference
                continue
            if name in path:
                first_error = first_error or (f"reference loop in macro '{name}'", reference)
                continue
            macro.used = True
            if name in done or name in followed or not macro.parsed.macros:
                continue
            followed.add(name)
            path.append(name)
            stack.append(iter(macro.parsed.macros))
        if first_error:
            raise LoadError(
                "LOAD_ERR_VALIDATE",
                first_error[0],
                context.in_condition(first_error[1].start, condition, parsed=parsed),
                node=first_error[1],
            )
        if first_unknown:
            raise LoadError(
                "LOAD_ERR_VALIDATE",
                f"Undefined macro '{first_unknown.name}' used in filter.",
                context.in_condition(first_unknown.start, condition, parsed=parsed),
                node=first_unknown,
                cause=Cause(Reason.UNDEFINED_MACRO, first_unknown.name),
            )

    def macro_summary(self, name: str, source: str) -> Summary:
        """The summary of a macro for one source, with those of the macros below it."""
        memory = self.memory.summaries
        pending = [name]
        fresh = self._fresh
        while pending:
            current = pending[-1]
            key = (current, source)
            if key in fresh:
                pending.pop()
                continue
            macro = self.macros[current]
            missing = [reference.name for reference in macro.parsed.macros if (reference.name, source) not in fresh]
            if missing:
                pending.extend(missing)
                continue
            pending.pop()
            parts = tuple(fresh[(reference.name, source)] for reference in macro.parsed.macros)
            known = memory.get((id(macro.parsed), source))
            if known is None or known[1] != parts:
                known = (macro.parsed, parts, self._summarize(macro.parsed, source))
                memory[(id(macro.parsed), source)] = known
            fresh[key] = known[2]
        return fresh[(name, source)]

    def _summarize(self, parsed: Parsed, source: str) -> Summary:
        fresh = self._fresh
        if parsed.node is None:
            raise AssertionError("only conditions that parsed are summarized")
        return self.summarizers[source].summarize(parsed.node, lambda reference: fresh[(reference.name, source)])

    # rules

    def _rules(self, result: LoadResult) -> None:
        self._fresh = {}
        for rule in self.collector.rules.values():
            if not rule.unknown_source:
                self._rule(rule, result)

    def _rule(self, rule: Rule, result: LoadResult) -> None:
        table = self.tables[rule.source]
        try:
            condition = with_exceptions(rule)
        except ExceptionError as error:
            raise LoadError(
                "LOAD_ERR_VALIDATE",
                str(error),
                error.exception.context,
                error.aborts,
                error.written,
                cause=error.cause,
            ) from None
        if not self._output(rule, table, result):
            return
        text, parsed = self._parse(condition, rule.condition_context)
        if parsed.macros:
            self._resolve(parsed.macros, None, _EVERYTHING, condition, text, rule.context)
            for reference in parsed.macros:
                self.macro_summary(reference.name, rule.source)
            fresh = self._fresh
            parts = tuple(fresh[(reference.name, rule.source)] for reference in parsed.macros)
        else:
            parts = ()
        known = self.memory.summaries.get((id(parsed), rule.source))
        if known is None or known[1] != parts:
            known = (parsed, parts, self._summarize(parsed, rule.source))
            self.memory.summaries[(id(parsed), rule.source)] = known
        summary = known[2]
        self._warn_of_fields(rule, condition, summary, result)
        if summary.failure is not None:
            self._condition_failure(rule, condition, text, summary.failure, result)
            return
        for node, message in summary.warnings[:MAX_WARNINGS]:
            result.warn(
                "LOAD_COMPILE_CONDITION",
                message,
                rule.condition_context.in_condition(node.start, condition, parsed=text),
                node=node,
            )
        if rule.source == SYSCALL:
            self._check_events(rule, condition, summary, result)
        if parsed.node is not None:
            self.rules[rule.name] = Compiled(rule, text, parsed.node, summary)

    def _warn_of_fields(self, rule: Rule, condition: str, summary: Summary, result: LoadResult) -> None:
        if not summary.unsafe_na and not summary.deprecated:
            return
        where = rule.condition_context.in_condition(0, condition, whole=True)
        if summary.unsafe_na:
            result.warn("LOAD_UNSAFE_NA_CHECK", "", where)
        for field in self.language.deprecated_fields:
            if field in summary.deprecated:
                help_text = _DEPRECATED_HELP.get(field, _LATENCY_HELP)
                result.warn("LOAD_DEPRECATED_ITEM", f"{field}: {help_text}", where, field)

    def _check_events(self, rule: Rule, condition: str, summary: Summary, result: LoadResult) -> None:
        if summary.event_failure is not None:
            raise LoadError(
                "LOAD_ERR_COMPILE_CONDITION",
                summary.event_failure,
                rule.condition_context.in_condition(0, condition),
                aborts=True,
            )
        if rule.warn_evttypes and bin(summary.events).count("1") > MAX_EVENTS_QUIET:
            result.warn(
                "LOAD_NO_EVTTYPE",
                "Rule matches too many evt.type values. This has a significant performance penalty.",
                rule.context,
            )

    def _condition_failure(self, rule: Rule, condition: str, parsed: str, failure: Failure, result: LoadResult) -> None:
        where = rule.condition_context.in_condition(failure.node.start, condition, parsed=parsed)
        if rule.skip_if_unknown_filter and not failure.aborts and is_unknown(failure.message):
            result.warn("LOAD_UNKNOWN_FILTER", failure.message, where, node=failure.node, cause=failure.cause)
            return
        raise LoadError(
            "LOAD_ERR_COMPILE_CONDITION", failure.message, where, failure.aborts, node=failure.node, cause=failure.cause
        )

    def _output(self, rule: Rule, table: FieldTable, result: LoadResult) -> bool:
        """Check a rule's output; False when the rule is to be left out."""
        output = rule.output
        if CONTAINER_INFO in output and self.language.container_info_is_nothing:
            result.warn(
                "LOAD_DEPRECATED_ITEM",
                "%container.info is deprecated and no more useful, and will be dropped by Falco 1.0.0. "
                "The container plugin will automatically add required fields to the output message.",
                rule.context,
            )
        output = output.replace(CONTAINER_INFO, self.language.container_info)
        key = (output, rule.source)
        try:
            refusal = self.memory.outputs[key]
        except KeyError:
            refusal = self.memory.outputs[key] = _output_refusal(table, output)
        if refusal is not None:
            message = str(refusal)
            if rule.skip_if_unknown_filter and is_unknown(message):
                result.warn("LOAD_UNKNOWN_FILTER", message, rule.output_context, cause=refusal.cause)
                return False
            raise LoadError("LOAD_ERR_COMPILE_OUTPUT", message, rule.output_context, cause=refusal.cause)
        if "evt." in output:
            for field in self.language.deprecated_fields:
                if field in output:
                    result.warn(
                        "LOAD_DEPRECATED_ITEM",
                        f"usage of deprecated field '{field}' has been detected in the rule output",
                        rule.output_context,
                        field,
                    )
        return True


class _Everything:
    """A set that holds every name."""

    def __contains__(self, name: object) -> bool:
        return True


_EVERYTHING: set[str] = _Everything()  # type: ignore[assignment]  # only asked whether it contains something

_Known = tuple[Parsed, tuple[Summary, ...], Summary]


class Memory:
    """What is remembered between compilations, and between rulesets with the same catalogue."""

    __slots__ = ("documents", "outputs", "parsed", "summaries")

    def __init__(self) -> None:
        self.documents: dict[str, list[Yaml]] = {}
        self.parsed: dict[str, Parsed] = {}
        self.summaries: dict[tuple[int, str], _Known] = {}
        self.outputs: dict[tuple[str, str], CheckError | None] = {}


def _output_refusal(table: FieldTable, output: str) -> CheckError | None:
    # Falco appends the suggested fields by default, which matters to outputs that end in the middle of a token; those
    # that are empty it refuses all the same
    suggested = table.source.suggested
    text = output
    if suggested and output and output[-1] in "%0123456789":
        text = " ".join((output, *(f"{name.replace('.', '_')}=%{name}" for name in suggested)))
    try:
        output_tokens(table, text)
    except CheckError as error:
        return error
    return None
