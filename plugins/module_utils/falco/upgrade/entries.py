# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What another version of Falco makes of one entry of a rules file: its condition, output, exceptions and source.

Falco stops at a file's first error. Here each part is asked by itself, so that all of them are told at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ...common.finding import Finding
from ..catalogue.catalogue import Catalogue
from ..catalogue.fields import FieldTable
from ..catalogue.history import of_field, of_word
from ..catalogue.language import CONTAINER_INFO
from ..codes import severity
from ..condition.checks import check_compare, check_exists
from ..condition.dialect import refuse_newer
from ..condition.nodes import And, Compare, Exists, Field, Node, Not, Or, walk
from ..condition.parser import parse
from ..condition.printer import to_text
from ..errors import CheckError, ConditionSyntaxError, EngineAbortError
from ..judge.findings import Texts
from ..load.entry_values import Keys, keys_of
from ..load.items import Change
from ..load.ruleset import Loaded
from ..yaml.nodes import MAP, SCALAR, SEQUENCE, Yaml
from ..yaml.places import place_in
from .constants import DIRECTION, settled, without_direction
from .steps import CHANGED, DEPRECATED, REFUSED, Step

_JOINED = re.compile(r"\s*(and|or)\b")
_TOKEN = re.compile(r"%\d*((?:[a-z0-9]+\()*)([a-zA-Z]\w*(?:\.[a-zA-Z]\w*)+(?:\[[^\]]*\])?)", re.ASCII)


class Entries:
    """The entries of a ruleset, asked one by one.

    Args:
        old: the ruleset as the version that runs loads it.
        new: the catalogue of the version to come.
        ruleset: its name, for findings.
    """

    def __init__(self, old: Loaded, new: Catalogue, ruleset: str) -> None:
        self.old = old
        self.old_tables = old.compiler.tables
        self.new = new
        self.new_tables = {name: FieldTable(new, source) for name, source in new.sources.items()}
        self.ruleset = ruleset
        self.texts = Texts(old)
        before = old.catalogue.language
        self.deprecated = frozenset(new.language.deprecated_fields) - frozenset(before.deprecated_fields)
        self.expands_container_info = not before.container_info_is_nothing and new.language.container_info_is_nothing
        self.sources_count = new.language.one_source_per_rule and not before.one_source_per_rule

    def steps(self, change: Change) -> Iterator[Step]:
        """What the new version makes of one entry."""
        if change.kind == "list" or change.node is None:
            return
        keys = keys_of(change.node)
        sources = self._sources(change)
        if sources is None:
            return
        condition = keys.get("condition")
        if condition is not None and condition.kind == SCALAR:
            yield from self._condition(change, condition, sources)
        if change.kind == "rule":
            output = keys.get("output")
            if output is not None and output.kind == SCALAR:
                yield from self._output(change, output, sources)
            yield from self._exceptions(change, keys, sources)
            yield from self._source(change, keys)

    def _sources(self, change: Change) -> Sequence[str] | None:
        """The sources that an entry may be about; None when the rule's is unknown."""
        if change.kind == "macro":
            return tuple(self.old_tables)
        rule = self.old.collector.rules.get(change.name)
        return (rule.source,) if rule and rule.source in self.old_tables and rule.source in self.new_tables else None

    def finding(
        self, code: str, change: Change, place: tuple[int | None, int | None], words: str, hint: str
    ) -> Finding:
        """A finding on an entry."""
        excerpt = self.texts.excerpt(change.file, *place)
        item = f"{change.kind} '{change.name}'"
        return Finding(code, severity(code), change.file, *place, item, words, hint, excerpt, self.ruleset)

    # conditions

    def _condition(self, change: Change, value: Yaml, sources: Sequence[str]) -> Iterator[Step]:
        text = str(value.value)
        joined = _JOINED.match(text)
        blanked = " " * joined.end() + text[joined.end() :] if joined and change.action == "append" else text
        try:
            node = parse(blanked)
        except ConditionSyntaxError:
            return  # what the version that runs refuses is told as such

        def place(index: int) -> tuple[int | None, int | None]:
            line, column = place_in(self.texts.lines(change.file), value, index) or (value.mark.line, value.mark.column)
            return line + 1, column + 1

        later = self._later(node, blanked)
        if later is not None:
            words = re.findall(r"[a-z0-9]+", blanked[: later.index])[-1:] + re.findall(
                r"^[a-z0-9]+", blanked[later.index :]
            )
            hint = next(filter(None, (of_word(word, self.new.language) for word in words)), "")
            yield Step(self.finding(REFUSED, change, place(later.index), later.message, hint))
        rest = without_direction(node)
        instead = ""
        if rest is not None and rest is not node:
            instead = (joined.group().lstrip() + " " if joined and change.action == "append" else "") + to_text(rest)
        for part, positive in _checks(node, True):
            yield from self._check(change, part, positive, sources, place(part.start), instead)

    def _check(
        self,
        change: Change,
        part: Compare | Exists,
        positive: bool,
        sources: Sequence[str],
        place: tuple[int | None, int | None],
        instead: str,
    ) -> Iterator[Step]:
        shown = to_text(part)
        refusal = _refusal([self.new_tables[name] for name in sources if name in self.new_tables], part)
        if refusal and not _refusal([self.old_tables[name] for name in sources], part):
            yield Step(self.finding(REFUSED, change, place, refusal, self._field_hint(part)))
            return
        direction = any(isinstance(one, Field) and one.name == DIRECTION for one in walk(part))
        value = settled(part, self.new) if "syscall" in sources else None
        if value is not None and settled(part, self.old.catalogue) is None:
            words = f"'{shown}' is always {'true' if value else 'false'} with Falco {self.new.falco}"
            holds = value == positive
            if direction:
                words += ", which sees system calls when they have ended"
                hint = (
                    "leave it out" if holds else "leave it out: the event of the end carries what that of the start had"
                )
                code = DEPRECATED if holds else CHANGED
                key = "condition" if instead else ""
                yield Step(self.finding(code, change, place, words, hint), key, instead, holds)
            else:
                hint = "leave it out; nothing replaces it"
                yield Step(self.finding(CHANGED, change, place, words, hint), holds=holds)
            return
        for one in walk(part):
            if isinstance(one, Field) and one.name in self.deprecated:
                words = f"'{one.name}' is deprecated with Falco {self.new.falco}"
                if one.name == DIRECTION:
                    key = "condition" if instead else ""
                    yield Step(self.finding(DEPRECATED, change, place, words, "leave it out"), key, instead)
                else:
                    yield Step(self.finding(DEPRECATED, change, place, words, "it is always 0; nothing replaces it"))

    def _later(self, node: Node, text: str) -> ConditionSyntaxError | None:
        """What the version that runs can read and the version to come cannot."""
        found: list[ConditionSyntaxError | None] = []
        for language in (self.old.catalogue.language, self.new.language):
            try:
                refuse_newer(node, text, language)
                found.append(None)
            except ConditionSyntaxError as error:
                found.append(error)
        return found[1] if found[0] is None else None

    def _field_hint(self, part: Node) -> str:
        for one in walk(part):
            if isinstance(one, Field):
                hint = of_field(one.name, self.new.language)
                if hint:
                    return hint
        return ""

    # outputs

    def _output(self, change: Change, value: Yaml, sources: Sequence[str]) -> Iterator[Step]:
        text = str(value.value)
        place = (value.mark.line + 1, value.mark.column + 1)
        if self.expands_container_info and CONTAINER_INFO in text:
            words = f"%container.info is replaced by nothing with Falco {self.new.falco}; before it was name and id"
            hint = "name the fields, or leave it out: the container plugin suggests fields that are appended"
            instead = text.replace(CONTAINER_INFO, self.old.catalogue.language.container_info)
            yield Step(self.finding(CHANGED, change, place, words, hint), "output", instead)
        told: set[str] = set()
        for match in _TOKEN.finditer(text):
            functions, field = match.group(1), match.group(2)
            if field in told:
                continue
            told.add(field)
            name = field.split("[", 1)[0]
            if self._knows(self.old_tables, sources, field) and not self._knows(self.new_tables, sources, field):
                words = f"Falco {self.new.falco} knows no field '{name}', which the output names"
                yield Step(self.finding(REFUSED, change, place, words, of_field(name, self.new.language)))
            elif name in self.deprecated:
                words = f"'{name}' in the output is deprecated with Falco {self.new.falco}"
                hint = "leave it out: it is always " + ("<" if name == DIRECTION else "0")
                yield Step(self.finding(DEPRECATED, change, place, words, hint))
            for function in functions.split("(")[:-1]:
                hint = of_word(function, self.new.language)
                if hint and not of_word(function, self.old.catalogue.language):
                    words = f"Falco {self.new.falco} knows no transformer '{function}', which the output uses"
                    yield Step(self.finding(REFUSED, change, place, words, hint))

    def _knows(self, tables: dict[str, FieldTable], sources: Sequence[str], field: str) -> bool:
        for name in sources:
            for text in (field, field.split("[", 1)[0]):
                try:
                    if tables[name].find(text) is not None:
                        return True
                except CheckError:
                    continue
        return False

    # exceptions and source

    def _exceptions(self, change: Change, keys: Keys, sources: Sequence[str]) -> Iterator[Step]:
        exceptions = keys.get("exceptions")
        for entry in exceptions.value if exceptions is not None and exceptions.kind == SEQUENCE else ():
            fields = keys_of(entry).get("fields") if entry.kind == MAP else None
            if fields is None:
                continue
            for field in fields.value if fields.kind == SEQUENCE else [fields]:
                text = str(field.value)
                if (
                    field.kind == SCALAR
                    and "(" not in text
                    and self._knows(self.old_tables, sources, text)
                    and not self._knows(self.new_tables, sources, text)
                ):
                    place = (field.mark.line + 1, field.mark.column + 1)
                    words = f"Falco {self.new.falco} knows no field '{text}', which an exception names"
                    yield Step(self.finding(REFUSED, change, place, words, of_field(text, self.new.language)))

    def _source(self, change: Change, keys: Keys) -> Iterator[Step]:
        source: Any = keys.get("source")
        rule = self.old.collector.rules.get(change.name)
        if not self.sources_count or change.action not in ("append", "replace") or source is None or rule is None:
            return
        if source.kind == SCALAR and source.value and source.value != rule.source:
            place = (source.mark.line + 1, source.mark.column + 1)
            words = f"source '{source.value}' is not that of the rule, '{rule.source}'"
            yield Step(self.finding(REFUSED, change, place, words, f"source: {rule.source}"), "source", rule.source)


def _checks(node: Node, positive: bool) -> Iterator[tuple[Compare | Exists, bool]]:
    """The single checks of a condition, and whether each counts as it stands (or negated)."""
    if isinstance(node, Not):
        yield from _checks(node.operand, not positive)
    elif isinstance(node, (And, Or)):
        for part in node.operands:
            yield from _checks(part, positive)
    elif isinstance(node, (Compare, Exists)):
        yield node, positive


def _refusal(tables: Sequence[FieldTable], node: Compare | Exists) -> str:
    """Why every one of some sources refuses a check; empty when one accepts it."""
    first = ""
    for table in tables:
        try:
            if isinstance(node, Compare):
                check_compare(table, node, [])
            else:
                check_exists(table, node)
            return ""
        except (CheckError, EngineAbortError) as error:
            first = first or str(error)
    return first
