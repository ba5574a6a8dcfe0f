# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that Falco puts together before it parses: list names replaced by their items, exceptions added.

Lists are replaced as text, wherever their name stands between blanks, parentheses, commas, equals signs or
the ends of the condition: inside quoted strings, too. Source: `rule_loader_compiler.cpp` in falcosecurity/falco.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..condition.lexer import LIST_OPERATORS, MODIFIERS, STRING_OPERATORS
from ..errors import Cause, Reason
from .items import Entry, Rule, RuleException, Written

_BLANKS = " \t\n\r"
_DELIMITERS = frozenset(" \t\n\r(),=")
_WORD = re.compile(r"[^ \t\n\r(),=]+")
_PARENTHESISED = LIST_OPERATORS | {f"{operator} {modifier}" for operator in STRING_OPERATORS for modifier in MODIFIERS}

MAX_CONDITION = 8 * 1024 * 1024
"""Characters a condition may grow to by substitution; Falco has no bound and would run out of memory."""


def quote_item(item: str) -> str:
    """Quote an item that holds a space and is not quoted already."""
    if " " in item and item[0] not in "\"'":
        return f'"{item}"'
    return item


def words(text: str) -> set[str]:
    """The stretches of text between delimiters: every list that can be replaced in it is among them."""
    return set(_WORD.findall(text))


class Lists:
    """The lists of a ruleset, ready to be substituted into conditions.

    Attributes:
        items: what each list has, lists in it resolved.
        used: names that were replaced somewhere or that another list refers to.
    """

    def __init__(self, items: Mapping[str, Sequence[str]], used: set[str]) -> None:
        self.order = {name: number for number, name in enumerate(items)}
        self.names = list(items)
        self.used = used
        self.items = items
        self._text: dict[str, str] = {}
        self._inner: dict[str, frozenset[str]] = {}
        self._odd = [name for name in items if not name or any(char in _DELIMITERS for char in name)]

    def text(self, name: str) -> str:
        """What a list's name is replaced by."""
        found = self._text.get(name)
        if found is None:
            # Falco leaves the comma out while nothing but empty items came so far
            found = ""
            parts: list[str] = []
            for item in self.items[name]:
                quoted = quote_item(item)
                if parts:
                    parts.append(", ")
                if quoted or parts:
                    parts.append(quoted)
            found = "".join(parts)
            self._text[name] = found
        return found

    def _names_within(self, name: str) -> frozenset[str]:
        found = self._inner.get(name)
        if found is None:
            found = frozenset(word for word in words(self.text(name)) if word in self.order)
            self._inner[name] = found
        return found

    def apply(self, condition: str, edits: list[Edit] | None = None) -> str:
        """Replace every list's name in a condition, list by list in the order of definition.

        Args:
            condition: the text.
            edits: takes what is done to the text, step by step.

        Raises:
            OverflowError: the text would grow beyond `MAX_CONDITION`.
        """
        order = self.order
        hits = [order[word] for word in set(_WORD.findall(condition)) if word in order]
        if self._odd:
            hits.extend(order[name] for name in self._odd if name)
        if not hits:
            return condition
        hits = list(set(hits))
        heapq.heapify(hits)
        seen = set(hits)
        while hits:
            number = heapq.heappop(hits)
            name = self.names[number]
            replaced = substitute(condition, name, self.text(name), edits)
            if replaced is None:
                continue
            condition = replaced
            self.used.add(name)
            for inner in self._names_within(name):
                later = order[inner]
                if later > number and later not in seen:
                    seen.add(later)
                    heapq.heappush(hits, later)
        return condition


class Edit(NamedTuple):
    """One replacement of a list's name, which stood at *at*: from *start* to *end*, and whether a blank came first."""

    start: int
    end: int
    at: int
    blank: bool
    name: str


def substitute(condition: str, name: str, text: str, edits: list[Edit] | None = None) -> str | None:
    """Replace one list's name; None when it is not there. *edits* takes what is done, step by step."""
    used = False
    start = condition.find(name)
    while start >= 0:
        end = start + len(name)
        if (start == 0 or condition[start - 1] in _DELIMITERS) and (
            end >= len(condition) or condition[end] in _DELIMITERS
        ):
            at = start
            while start > 0 and condition[start - 1] in _BLANKS:
                start -= 1
            while end < len(condition) and condition[end] in _BLANKS:
                end += 1
            if not text:
                if start > 0 and condition[start - 1] == ",":
                    start -= 1
                elif end < len(condition) and condition[end] == ",":
                    end += 1
            if edits is not None:
                edits.append(Edit(start, end, at, start > 0, name))
            before = f"{condition[:start]} " if start > 0 else ""
            condition = f"{before}{text} {condition[end:]}"
            start += len(text) + 1
            used = True
            if len(condition) > MAX_CONDITION:
                raise OverflowError(f"the condition grows beyond {MAX_CONDITION} characters")
        start = condition.find(name, start + 1)
    return condition if used else None


class ExceptionError(Exception):
    """An exception's values do not fit its fields."""

    def __init__(
        self,
        message: str,
        exception: RuleException,
        aborts: bool = False,
        written: Written | None = None,
        cause: Cause | None = None,
    ) -> None:
        super().__init__(message)
        self.cause = cause
        self.exception = exception
        self.written = written
        self.aborts = aborts


Part = tuple[str, "Entry | None"]
"""A stretch of text, and the entry of an exception that it was written in."""


def with_exceptions(rule: Rule) -> str:
    """A rule's condition with its exceptions joined to it, as text.

    Raises:
        ExceptionError: see there.
    """
    if not rule.exceptions:
        return rule.condition
    return "".join([f"({rule.condition})", *[part[0] for _exception, part in exception_parts(rule)]])


def exception_parts(rule: Rule) -> list[tuple[RuleException, Part]]:
    """What a rule's exceptions add behind its condition, which then stands in parentheses.

    Raises:
        ExceptionError: see there.
    """
    parts: list[tuple[RuleException, Part]] = []
    for exception in rule.exceptions:
        found = _exception_parts(exception)
        if found:
            parts.append((exception, (" and not ", None)))
            parts.extend((exception, part) for part in found)
    return parts


def _exception_parts(exception: RuleException) -> list[Part]:
    fields, comps = exception.fields, exception.comps
    parts: list[Part] = []
    if not fields.is_list:
        for value in exception.values:
            if value.is_list:
                raise ExceptionError(
                    "Expected values array to contain a list of strings", exception, written=value.written
                )
            parts.append((", " if parts else "(", None))
            parts.append((quote_item(value.text), value))
        return [("(", None), (fields.text, fields), (f" {comps.text} ", comps), *parts, ("))", None)] if parts else []
    for value in exception.values:
        if len(fields.items) != len(value.items):
            raise ExceptionError(
                "Fields and values lists must have equal length",
                exception,
                written=value.written,
                cause=Cause(Reason.UNEQUAL_VALUES, counts(fields, value)),
            )
        parts.append((" or (" if parts else "((", None))
        for number, field in enumerate(fields.items):
            entry = value.items[number]
            comp = _comp(exception, number)
            if number:
                parts.append((" and ", None))
            parts.append((" ", None))
            parts.append((field.text, field))
            parts.append((f" {comp.text} ", comp))
            if entry.is_list:
                parts.append(("(", None))
                inner = ""
                for item in entry.items:
                    if inner:
                        parts.append((", ", None))
                    inner += quote_item(item.text)
                    parts.append((quote_item(item.text), item))
                parts.append((")", None))
                continue
            text = quote_item(entry.text)
            if comp.text in _PARENTHESISED:
                text = entry.text if entry.text.startswith("(") else f"({entry.text})"
            parts.append((text, entry))
        parts.append((")", None))
    if parts:
        parts.append((")", None))
    return parts


def counts(fields: Entry, value: Entry, what: str = "this entry has") -> str:
    """How many fields an exception has, and how many of something else."""
    names = ", ".join(field.text for field in fields.items)
    count = len(value.items) if value.is_list else "no list of"
    return f"{len(fields.items)} ({names}), and {what} {count}"


def _comp(exception: RuleException, number: int) -> Entry:
    try:
        return exception.comps.items[number]
    except IndexError:
        # Falco reads past the end of the list here, which ends it
        raise ExceptionError(
            f"exception '{exception.name}' has no comparison for field {number + 1}: "
            "replaced exceptions need their 'comps' written out",
            exception,
            True,
        ) from None
