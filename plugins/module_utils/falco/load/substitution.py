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

from ..condition.lexer import LIST_OPERATORS, MODIFIERS, STRING_OPERATORS
from .items import Rule, RuleException

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
        used: names that were replaced somewhere or that another list refers to.
    """

    def __init__(self, items: Mapping[str, Sequence[str]], used: set[str]) -> None:
        self.order = {name: number for number, name in enumerate(items)}
        self.names = list(items)
        self.used = used
        self._items = items
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
            for item in self._items[name]:
                quoted = quote_item(item) if item else item
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

    def apply(self, condition: str) -> str:
        """Replace every list's name in a condition, list by list in the order of definition.

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
            replaced = substitute(condition, name, self.text(name))
            if replaced is None:
                continue
            condition = replaced
            if len(condition) > MAX_CONDITION:
                raise OverflowError(f"the condition grows beyond {MAX_CONDITION} characters")
            self.used.add(name)
            for inner in self._names_within(name):
                later = order[inner]
                if later > number and later not in seen:
                    seen.add(later)
                    heapq.heappush(hits, later)
        return condition


def substitute(condition: str, name: str, text: str) -> str | None:
    """Replace one list's name; None when it is not there."""
    used = False
    start = condition.find(name)
    while start >= 0:
        end = start + len(name)
        if (start == 0 or condition[start - 1] in _DELIMITERS) and (
            end >= len(condition) or condition[end] in _DELIMITERS
        ):
            while start > 0 and condition[start - 1] in _BLANKS:
                start -= 1
            while end < len(condition) and condition[end] in _BLANKS:
                end += 1
            if not text:
                if start > 0 and condition[start - 1] == ",":
                    start -= 1
                elif end < len(condition) and condition[end] == ",":
                    end += 1
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

    def __init__(self, message: str, exception: RuleException, aborts: bool = False) -> None:
        super().__init__(message)
        self.exception = exception
        self.aborts = aborts


def with_exceptions(rule: Rule) -> str:
    """A rule's condition with its exceptions joined to it, as text.

    Raises:
        ExceptionError: see there.
    """
    if not rule.exceptions:
        return rule.condition
    parts = [f"({rule.condition})"]
    for exception in rule.exceptions:
        text = _exception_text(exception)
        if text:
            parts.append(f" and not {text}")
    return "".join(parts)


def _exception_text(exception: RuleException) -> str:
    fields, comps = exception.fields, exception.comps
    if not fields.is_list:
        values = []
        for value in exception.values:
            if value.is_list:
                raise ExceptionError("Expected values array to contain a list of strings", exception)
            values.append(quote_item(value.text) if value.text else "")
        return f"({fields.text} {comps.text} ({', '.join(values)}))" if values else ""
    groups = []
    for value in exception.values:
        if len(fields.items) != len(value.items):
            raise ExceptionError("Fields and values lists must have equal length", exception)
        checks = []
        for number, field in enumerate(fields.items):
            entry = value.items[number]
            if entry.is_list:
                inner = ""
                for item in entry.items:
                    inner += (", " if inner else "") + quote_item(item.text)
                text = f"({inner})"
                comp = _comp(exception, number)
            else:
                comp = _comp(exception, number)
                text = entry.text
                if comp in _PARENTHESISED:
                    text = text if text.startswith("(") else f"({text})"
                elif text:
                    text = quote_item(text)
            checks.append(f" {field.text} {comp} {text}")
        groups.append(f"({' and '.join(checks)})")
    return f"({' or '.join(groups)})" if groups else ""


def _comp(exception: RuleException, number: int) -> str:
    try:
        return exception.comps.items[number].text
    except IndexError:
        # Falco reads past the end of the list here, which ends it
        raise ExceptionError(
            f"exception '{exception.name}' has no comparison for field {number + 1}: "
            "replaced exceptions need their 'comps' written out",
            exception,
            True,
        ) from None
