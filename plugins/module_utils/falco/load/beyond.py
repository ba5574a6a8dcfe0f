# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A ruleset that Falco refuses, loaded past its errors: what else would be refused, entry by entry, rule by rule.

Falco stops at the first error of a file. Here the entry is left out, or its faulty key, and loading goes on with what
is left; what is wrong only because of what was left out is not told.
"""

from __future__ import annotations

import copy
import re

from ..catalogue.fields import FieldTable
from ..condition.nodes import Compare, Exists, Macro, Node, walk
from ..condition.summary import Failure, Summary
from ..errors import Reason
from ..yaml.documents import read_documents
from ..yaml.nesting import deep_nesting
from ..yaml.nodes import MAP, SCALAR, SEQUENCE, Yaml, YamlError
from . import context as ctx
from .collector import Collector
from .compiler import CompiledMacro, Compiler, Memory, Parsed
from .context import Context
from .entry_values import Keys, keys_of
from .items import MacroItem, Rule
from .reader import BadConversionError, Reader
from .result import LoadError, LoadResult
from .ruleset import Loaded
from .substitution import ExceptionError, with_exceptions, words

_EMPTY_KEY = re.compile(r"Mapping for key '([\w-]+)' is empty")
_MISSING = (Reason.NO_SUCH_LIST, Reason.NO_SUCH_MACRO, Reason.NO_SUCH_RULE)
_ENTRY = re.compile(r"( *)- +[\"']?(?:rule|macro|list|required_engine_version|required_plugin_versions)[\"']? *:")
_DEFAULTS = {"output": "unknown", "desc": "unknown", "priority": "DEBUG"}
_NEUTRAL = "evt.num > 0"
MAX_APART = 500
"""Up to this number of entries each is read by itself, where they cannot be read together."""
MAX_FAULTS = 20
"""How many faulty keys of one entry, or undefined macros of one condition, are told."""


class Gaps:
    """What was left out: nothing that follows from it is told.

    Attributes:
        broken: (kind, name) of entries that were not taken.
        mentioned: words of conditions that were not taken; a macro among them is not unused.
        patched: rules of which a key was left out.
        unread: an entry was left out of which nobody knows what it refers to.
    """

    def __init__(self) -> None:
        self.broken: set[tuple[str, str]] = set()
        self.mentioned: set[str] = set()
        self.patched: set[str] = set()
        self.unread = False


def load_beyond(loaded: Loaded) -> Loaded:
    """Load the files of a ruleset once more, past each error.

    Args:
        loaded: what Falco makes of them.

    Returns:
        The ruleset with all that could be read; its results have all errors and warnings, its compiled rules are those
        that nothing was left out of.
    """
    known = loaded.compiler
    gaps = Gaps()
    collector = Collector(loaded.catalogue, known.tables)
    compiler = _Compiler(collector, known.tables, gaps, known.memory)
    reader = _Reader(collector, gaps)
    again = Loaded(loaded.catalogue, collector, compiler)
    with deep_nesting():
        for file in loaded.files:
            result = LoadResult(file.name)
            again.files.append(file)
            again.results.append(result)
            if reader.read(file.name, file.text, result) is not None:
                compiler.compile(result)
    return again


class _Reader(Reader):
    """Reads what can be read."""

    def __init__(self, collector: Collector, gaps: Gaps) -> None:
        super().__init__(collector)
        self.gaps = gaps

    def documents(self, text: str) -> list[Yaml]:
        try:
            return super().documents(text)
        except YamlError as error:
            whole = error
        lines = text.split("\n")
        starts = [number for number, line in enumerate(lines) if _ENTRY.match(line)]
        if not starts:
            self._fail_yaml(whole)
            return []
        indent = min(_ENTRY.match(lines[number]).group(1) for number in starts)  # type: ignore[union-attr]  # matched above
        starts = [number for number in starts if lines[number].startswith(f"{indent}-")]
        first: int | None = None
        for start, end in zip(starts, [*starts[1:], len(lines)]):
            part = "\n".join(lines[start:end])
            try:
                read_documents(part)
            except YamlError as error:
                if first is None:
                    # what is wrong with the whole is what is wrong with the first of them
                    first = start
                    self._fail_yaml(whole)
                    error.line = None if (whole.line or 0) >= start else error.line
                if error.line is not None:
                    self._fail_yaml(YamlError(error.message, error.line + start, error.column, error.index))
                lines[start:end] = [" " * len(one) for one in lines[start:end]]
                for kind, name in re.findall(r"^ *- +(rule|macro|list) *: *(.*?)[ \r]*$", part, re.M):
                    self.gaps.broken.add((kind, name.strip("\"'")))
                self.gaps.mentioned |= words(part)
        try:
            return read_documents("\n".join(lines))
        except YamlError:
            # each entry is YAML, and all of them together are not
            self._fail_yaml(whole)
            spans = zip(starts, [*starts[1:], len(lines)]) if len(starts) <= MAX_APART else ()
            return [one for start, end in spans for one in read_documents("\n" * start + "\n".join(lines[start:end]))]

    def _fail_yaml(self, error: YamlError) -> None:
        where = self.file
        if error.line is not None:
            where = where.at(_Mark(error), ctx.VALUE_FOR)
        message = re.sub(r"at line \d+,", f"at line {(error.line or 0) + 1},", error.message)
        self.result.fail(LoadError("LOAD_ERR_YAML_PARSE", message, where))

    def entry(self, node: Yaml) -> None:
        try:
            super().entry(node)
        except LoadError as failure:
            self._leave_out(node, failure)
        except BadConversionError as error:
            self._leave_out(node, LoadError("LOAD_ERR_VALIDATE", str(error), self.file))

    def _leave_out(self, node: Yaml, failure: LoadError) -> None:
        kind, name = failure.issue.context.item
        cause = failure.issue.cause
        if cause is None or cause.reason not in _MISSING or (kind, name) not in self.gaps.broken:
            self.result.fail(failure)
        keys = keys_of(node) if node.kind == MAP else {}
        for kind in ("rule", "macro", "list"):
            if kind in keys and keys[kind].kind == SCALAR:
                self.gaps.broken.add((kind, keys[kind].value))
        self._mention(node)
        self.gaps.unread = self.gaps.unread or ("condition" not in keys and "items" not in keys)

    def _mention(self, node: Yaml) -> None:
        """Note what an entry refers to, so that nothing is told as unused that it uses."""
        pending = [node]
        seen: set[int] = set()
        while pending:
            one = pending.pop()
            if id(one) in seen:
                continue
            seen.add(id(one))
            if one.kind == SCALAR:
                self.gaps.mentioned |= {one.value} | words(one.value)
            elif one.kind == SEQUENCE:
                pending += one.value
            elif one.kind == MAP:
                pending += [value for _key, value in one.value]

    def define(self, node: Yaml, keys: Keys, name: str, context: Context) -> None:
        known = dict(keys)
        for _fault in range(MAX_FAULTS):
            try:
                super().define(node, known, name, context)
                return
            except LoadError as failure:
                key = _faulty_key(failure, known)
                changes = key not in keys and name in self.collector.rules
                if changes or key in ("", "condition", "rule") or not _patch(known, key, failure):
                    raise
                self.result.fail(failure)
                self.gaps.patched.add(name)
                self._mention(node)
        self.gaps.broken.add(("rule", name))


def _faulty_key(failure: LoadError, keys: Keys) -> str:
    """The key of an entry that an error is about; empty when it is about the whole."""
    locations = failure.issue.context.locations
    if any(one.item_type in (ctx.EXCEPTIONS, ctx.EXCEPTION) for one in locations):
        return "exceptions"
    cause = failure.issue.cause
    if cause is not None and cause.reason is Reason.MISSING_KEY:
        return cause.subject
    found = _EMPTY_KEY.fullmatch(failure.issue.message)
    if found:
        return found.group(1)
    marks = [one.mark for one in locations]
    return next((key for key, value in keys.items() if any(value.mark is mark for mark in marks)), "")


def _patch(keys: Keys, key: str, failure: LoadError) -> bool:
    """Leave a key out, or give it a value that is right; False when that changes nothing."""
    if key == "exceptions" and keys[key].kind == SEQUENCE:
        marks = [one.mark for one in failure.issue.context.locations]
        value = keys[key]
        rest = [entry for entry in value.value if not any(entry.mark is mark for mark in marks)]
        if len(rest) < len(value.value):
            keys[key] = Yaml(SEQUENCE, rest, value.mark)
            return True
    before = keys.pop(key, None)
    if key in _DEFAULTS:
        keys[key] = Yaml(SCALAR, _DEFAULTS[key], before.mark if before else None)
        return True
    return before is not None


class _Mark:
    """The place of an error of the YAML."""

    def __init__(self, error: YamlError) -> None:
        self.line = error.line
        self.column = error.column or 0
        self.index = error.index


class _Compiler(Compiler):
    """Compiles what can be compiled."""

    def __init__(self, collector: Collector, tables: dict[str, FieldTable], gaps: Gaps, memory: Memory) -> None:
        super().__init__(collector, tables, memory)
        self.gaps = gaps
        self.neutral = Parsed(_NEUTRAL, self.language)
        self.opaque: set[str] = set()

    # macros

    def _macros(self, result: LoadResult) -> None:
        self.opaque = set()
        for kind, name in self.gaps.broken:
            if kind == "macro" and name not in self.collector.macros:
                self._stub(name, None)
        super()._macros(result)

    def _stub(self, name: str, item: MacroItem | None) -> CompiledMacro:
        """Put a macro that nothing is known of in the place of one."""
        if item is None:
            item = MacroItem(name, _NEUTRAL, Context.of_file(""), Context.of_file(""), None)
            item.index = -1
        macro = self.macros[name] = CompiledMacro(item, _NEUTRAL, self.neutral)
        macro.used = True
        self.opaque.add(name)
        return macro

    def _macro(self, item: MacroItem, result: LoadResult) -> CompiledMacro:
        try:
            return super()._macro(item, result)
        except LoadError as failure:
            result.fail(failure)
            self.gaps.mentioned |= words(item.condition)
            return self._stub(item.name, item)

    def _resolve_macro(self, macro: CompiledMacro, done: set[str], result: LoadResult) -> None:
        try:
            super()._resolve_macro(macro, done, result)
        except LoadError as failure:
            result.fail(failure)
            self.gaps.mentioned |= words(macro.condition)
            self._stub(macro.item.name, macro.item)

    def _known(self, references: tuple[Macro, ...]) -> bool:
        """Whether nothing was left out of these macros and those below them."""
        pending = [one.name for one in references]
        seen = set(pending)
        while pending:
            name = pending.pop()
            if name in self.opaque:
                return False
            macro = self.macros.get(name)
            for reference in macro.parsed.macros if macro else ():
                if reference.name not in seen:
                    seen.add(reference.name)
                    pending.append(reference.name)
        return True

    # rules

    def _rule(self, rule: Rule, result: LoadResult) -> None:
        if rule.exceptions:
            try:
                with_exceptions(rule)
            except ExceptionError as error:
                result.fail(_of_exception(error))
                self.gaps.patched.add(rule.name)
                self.gaps.mentioned |= _words_of(rule)
                rule = copy.copy(rule)
                rule.exceptions = []
        warnings = len(result.warnings)
        added: list[str] = []
        for _fault in range(MAX_FAULTS):
            try:
                super()._rule(rule, result)
                break
            except LoadError as failure:
                result.fail(failure)
                self.gaps.mentioned |= words(rule.condition)
                node = failure.issue.node
                if not isinstance(node, Macro) or node.name in self.macros:
                    break
                self._stub(node.name, None)
                added.append(node.name)
                # what was warned of already comes again
                del result.warnings[warnings:]
        compiled = self.rules.get(rule.name)
        references = self._references(compiled.condition) if compiled is not None else ()
        if compiled is not None and (rule.name in self.gaps.patched or not self._known(references)):
            del self.rules[rule.name]
            told = result.warnings[warnings:]
            result.warnings[warnings:] = [one for one in told if one.code != "LOAD_NO_EVTTYPE"]
        for name in added:
            del self.macros[name]
            self.opaque.discard(name)

    def _references(self, condition: str) -> tuple[Macro, ...]:
        parsed = self.memory.parsed.get(condition)
        return parsed.macros if parsed else ()

    def _output(self, rule: Rule, table: FieldTable, result: LoadResult) -> bool:
        try:
            return super()._output(rule, table, result)
        except LoadError as failure:
            result.fail(failure)
            self.gaps.patched.add(rule.name)
            return True

    def _condition_failure(self, rule: Rule, condition: str, parsed: str, failure: Failure, result: LoadResult) -> None:
        known = self.memory.parsed.get(parsed)
        for node in self._everywhere(known) if known else ():
            one = self.summarizers[rule.source].summarize(node, _no_macro).failure
            if one is not None:
                try:
                    super()._condition_failure(rule, condition, parsed, one, result)
                except LoadError as error:
                    result.fail(error)

    def _everywhere(self, parsed: Parsed) -> list[Node]:
        """The checks of a condition and of the macros below it, each once."""
        found: list[Node] = []
        pending = [parsed]
        seen: set[str] = set()
        while pending:
            for node in walk(pending.pop(0).node or self.neutral.node):  # type: ignore[arg-type]  # one of them parsed
                if isinstance(node, (Compare, Exists)):
                    found.append(node)
                elif isinstance(node, Macro) and node.name not in seen:
                    seen.add(node.name)
                    if node.name in self.macros:
                        pending.append(self.macros[node.name].parsed)
        return found

    def _unused(self, result: LoadResult) -> None:
        for name, macro in self.macros.items():
            macro.used = macro.used or name in self.gaps.mentioned
        self.lists.used |= self.gaps.mentioned
        if self.gaps.unread:
            result.compiled = True
        else:
            super()._unused(result)


def _words_of(rule: Rule) -> set[str]:
    """What a rule's exceptions refer to."""
    pending = [value for exception in rule.exceptions for value in exception.values]
    found: set[str] = set()
    while pending:
        entry = pending.pop()
        found |= {entry.text} | words(entry.text)
        pending += entry.items
    return found


def _no_macro(reference: Macro) -> Summary:
    raise AssertionError(f"a single check has no macro: {reference.name}")


def _of_exception(error: ExceptionError) -> LoadError:
    return LoadError(
        "LOAD_ERR_VALIDATE", str(error), error.exception.context, error.aborts, error.written, cause=error.cause
    )
