# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would be right: nearest names and short advice for each of Falco's findings."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...common.words import nearest
from ..catalogue.catalogue import PRIORITIES
from ..catalogue.history import of_field, of_word
from ..condition.checks import OPERATORS_BY_KIND, kind_of
from ..errors import CheckError
from ..load.reader import ITEM_KEYS, LIST_KEYS, MACRO_KEYS
from ..load.result import Issue
from ..load.ruleset import Loaded

_FIELD_AT_START = re.compile(r"(?:[a-z0-9]+\()*([a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+(?:\[[^\]]*\])?)")

_STATIC = {
    "LOAD_UNSAFE_NA_CHECK": "write 'FIELD exists' or 'not FIELD exists' in place of a comparison with <NA>",
    "LOAD_NO_EVTTYPE": "add a check such as 'evt.type in (execve, execveat)', or 'warn_evttypes: false' if it is meant",
    "LOAD_UNUSED_MACRO": "use it in a rule, or remove it",
    "LOAD_UNUSED_LIST": "use it in a condition or another list, or remove it",
    "LOAD_APPEND_NO_VALUES": "give the exception 'values'",
    "LOAD_EXCEPTION_NAME_NOT_UNIQUE": "give each exception of a rule its own name",
    "LOAD_INVALID_MACRO_NAME": "start with a letter and use letters, digits and underscores only",
    "LOAD_INVALID_LIST_NAME": "leave out blanks, quotes, parentheses, commas and equals signs",
    "LOAD_ERR_YAML_PARSE": "check indentation, quotes and colons at this place",
}


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """A hint with the nearest name, or nothing."""
    name = nearest(word, names, 0.7, str.lower)
    return f"did you mean '{name}'?" if name and name != word else ""


def hint_for(issue: Issue, loaded: Loaded) -> str:
    """Advice on one of Falco's findings; empty when there is none."""
    message = issue.message
    static = _STATIC.get(issue.code)
    if static:
        return static
    if issue.code == "LOAD_UNKNOWN_KEY":
        match = re.search(r"Unknown key '(.*)'\. The key", message, re.S)
        kind = issue.context.item[0]
        known = {"rule": loaded.catalogue.language.rule_keys, "macro": MACRO_KEYS, "list": LIST_KEYS}.get(
            kind, frozenset(ITEM_KEYS)
        )
        return did_you_mean(match.group(1), known) if match else ""
    if issue.code == "LOAD_UNKNOWN_ITEM":
        return "an entry has one of the keys " + ", ".join(ITEM_KEYS)
    if issue.code == "LOAD_UNKNOWN_SOURCE":
        match = re.search(r"Unknown source (.*), skipping", message)
        sources = ", ".join(loaded.catalogue.sources)
        close = did_you_mean(match.group(1), loaded.catalogue.sources) if match else ""
        return close or f"known sources: {sources}; another one needs its plugin"
    if issue.code == "LOAD_DEPRECATED_ITEM":
        return ""
    for test in (_field_hint, _macro_hint, _operator_hint, _structure_hint):
        hint = test(issue, message, loaded)
        if hint:
            return hint
    return ""


def _all_fields(loaded: Loaded) -> list[str]:
    return [name for source in loaded.catalogue.sources.values() for name in source.names()]


def _field_hint(issue: Issue, message: str, loaded: Loaded) -> str:
    match = re.search(r"nonexistent field (\S+)|'(\S+)' is not a supported filter field", message)
    if not match:
        if "unknown event type" in message:
            return did_you_mean(message.rsplit(" ", 1)[-1], loaded.catalogue.event_types)
        if "unknown event argument" in message:
            return did_you_mean(message.rsplit(" ", 1)[-1], loaded.catalogue.parameters)
        return ""
    text = match.group(1) or match.group(2)
    name = text.split("[", 1)[0]
    for source in loaded.catalogue.sources.values():
        if name in source.builtin or name in source.plugin:
            if "[" in text:
                return f"'{name}' takes no argument, or not this one"
            return f"'{name}' exists for source {source.name} only"
    return of_field(name, loaded.catalogue.language) or did_you_mean(name, _all_fields(loaded))


def _macro_hint(issue: Issue, message: str, loaded: Loaded) -> str:
    match = re.search(r"Undefined macro '(.*)' used in filter", message)
    if not match:
        return ""
    name = match.group(1)
    if name in loaded.collector.lists:
        return f"'{name}' is a list: compare a field with it, as in 'proc.name in ({name})'"
    if name in loaded.collector.macros:
        return f"macro '{name}' is defined further below; a macro sees only those before it"
    return did_you_mean(name, loaded.collector.macros)


def _operator_hint(issue: Issue, message: str, loaded: Loaded) -> str:
    condition, index = issue.context.condition, issue.context.index
    if condition is None or index is None:
        return ""
    if "operator not supported" in message:
        match = _FIELD_AT_START.match(condition, index)
        if match:
            for table in loaded.compiler.tables.values():
                try:
                    info = table.find(match.group(1))
                except CheckError:
                    continue
                kind = kind_of(info) if info else None
                if info and kind:
                    allowed = ", ".join(sorted(OPERATORS_BY_KIND[kind]))
                    return f"{info.name} has type {info.type}; it allows exists, {allowed}"
    if "expected a valid check operator" in message:
        match = re.match(r"\S+", condition[index:])
        if not match:
            return "the condition ends where an operator should be"
        language = loaded.catalogue.language
        return of_word(match.group(), language) or did_you_mean(match.group(), language.operators)
    if "is no field transformer" in message or "unexpected token" in message:
        # the word itself, or that before what it makes unexpected
        words = [*re.findall(r"[a-z0-9]+", condition[:index])[-1:], *re.findall(r"^[a-z0-9]+", condition[index:])]
        return next(filter(None, (of_word(word, loaded.catalogue.language) for word in words)), "")
    return ""


def _structure_hint(issue: Issue, message: str, loaded: Loaded) -> str:
    if "Invalid priority" in message:
        return "priorities: " + ", ".join(PRIORITIES)
    match = re.search(r"Key '(.*)' cannot be (appended to|replaced)", message)
    if match:
        language = loaded.catalogue.language
        allowed = language.appendable if match.group(2) == "appended to" else language.replaceable
        verb = "append" if match.group(2) == "appended to" else "replace"
        return did_you_mean(match.group(1), allowed) or f"{verb} works for {', '.join(allowed)}"
    if "no rule by that name already exists" in message:
        return _known_name(issue.context.item[1], loaded.collector.rules, "rule")
    if "no macro by that name already exists" in message:
        return _known_name(issue.context.item[1], loaded.collector.macros, "macro")
    if "no list by that name already exists" in message:
        return _known_name(issue.context.item[1], loaded.collector.lists, "list")
    if "is not a supported comparison operator" in message:
        comparison = message.split("'")[1]
        language = loaded.catalogue.language
        for word in comparison.split():
            later = of_word(word, language)
            if later:
                return later
        return did_you_mean(comparison, language.operators)
    match = re.search(r"Item has no mapping for key '(.*)'", message)
    if match:
        return f"add '{match.group(1)}:'"
    if "exceeded max depth limit" in message:
        return "use fewer nested parentheses, or macros"
    if "Rules content is not yaml" in message:
        return "a rules file is a list: each entry starts with '- rule:', '- macro:' or '- list:'"
    return ""


def _known_name(name: str, names: Iterable[str], kind: str) -> str:
    return did_you_mean(name, names) or f"load the file that defines the {kind} before this one"
