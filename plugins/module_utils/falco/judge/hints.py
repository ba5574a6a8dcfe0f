# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would be right: nearest names and short advice for each of Falco's findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ...common.words import nearest
from ..catalogue.catalogue import PRIORITIES
from ..catalogue.history import of_field, of_word
from ..condition.checks import OPERATORS_BY_KIND, kind_of
from ..errors import Cause, CheckError, Reason
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
    static = _STATIC.get(issue.code)
    if static:
        return static
    if issue.code == "LOAD_UNKNOWN_ITEM":
        return "an entry has one of the keys " + ", ".join(ITEM_KEYS)
    if issue.cause is None:
        return ""
    return _HINTS[issue.cause.reason](issue.cause, issue, loaded)


def _unknown_key(cause: Cause, issue: Issue, loaded: Loaded) -> str:
    known = {"rule": loaded.catalogue.language.rule_keys, "macro": MACRO_KEYS, "list": LIST_KEYS}
    return did_you_mean(cause.subject, known.get(issue.context.item[0], frozenset(ITEM_KEYS)))


def _unknown_source(cause: Cause, issue: Issue, loaded: Loaded) -> str:
    sources = loaded.catalogue.sources
    close = did_you_mean(cause.subject, sources)
    return close or f"known sources: {', '.join(sources)}; another one needs its plugin"


def _unknown_field(cause: Cause, issue: Issue, loaded: Loaded) -> str:
    name = cause.subject.split("[", 1)[0]
    sources = loaded.catalogue.sources.values()
    for source in sources:
        if name in source.builtin or name in source.plugin:
            if "[" in cause.subject:
                return f"'{name}' takes no argument, or not this one"
            return f"'{name}' exists for source {source.name} only"
    return of_field(name, loaded.catalogue.language) or did_you_mean(
        name, [known for source in sources for known in source.names()]
    )


def _undefined_macro(cause: Cause, issue: Issue, loaded: Loaded) -> str:
    name = cause.subject
    if name in loaded.collector.lists:
        return f"'{name}' is a list: compare a field with it, as in 'proc.name in ({name})'"
    if name in loaded.collector.macros:
        return f"macro '{name}' is defined further below; a macro sees only those before it"
    return did_you_mean(name, loaded.collector.macros)


def _before_and_after(issue: Issue) -> tuple[str, str]:
    """A condition's text up to where Falco stopped, and from there; empty outside a condition."""
    condition, index = issue.context.condition, issue.context.index
    return ("", "") if condition is None or index is None else (condition[:index], condition[index:])


def _operator_of_other_type(cause: Cause, issue: Issue, loaded: Loaded) -> str:
    match = _FIELD_AT_START.match(_before_and_after(issue)[1])
    if not match:
        return ""
    for table in loaded.compiler.tables.values():
        try:
            info = table.find(match.group(1))
        except CheckError:
            continue
        kind = kind_of(info) if info else None
        if info and kind:
            return f"{info.name} has type {info.type}; it allows exists, {', '.join(sorted(OPERATORS_BY_KIND[kind]))}"
    return ""


def _no_operator(cause: Cause, issue: Issue, loaded: Loaded) -> str:
    if issue.context.condition is None:
        return ""
    match = re.match(r"\S+", _before_and_after(issue)[1])
    if not match:
        return "the condition ends where an operator should be"
    language = loaded.catalogue.language
    return of_word(match.group(), language) or did_you_mean(match.group(), language.operators)


def _later_word(cause: Cause, issue: Issue, loaded: Loaded) -> str:
    before, after = _before_and_after(issue)
    # the word itself, or that before what it makes unexpected
    words = [*re.findall(r"[a-z0-9]+", before)[-1:], *re.findall(r"^[a-z0-9]+", after)]
    return next(filter(None, (of_word(word, loaded.catalogue.language) for word in words)), "")


def _not_overridable(cause: Cause, issue: Issue, loaded: Loaded) -> str:
    language = loaded.catalogue.language
    verb, allowed = (
        ("append", language.appendable) if cause.reason is Reason.NOT_APPENDABLE else ("replace", language.replaceable)
    )
    return did_you_mean(cause.subject, allowed) or f"{verb} works for {', '.join(allowed)}"


def _nothing_to_change(cause: Cause, issue: Issue, loaded: Loaded) -> str:
    collector = loaded.collector
    kinds: dict[Reason, tuple[str, Iterable[str]]] = {
        Reason.NO_SUCH_LIST: ("list", collector.lists),
        Reason.NO_SUCH_MACRO: ("macro", collector.macros),
        Reason.NO_SUCH_RULE: ("rule", collector.rules),
    }
    kind, names = kinds[cause.reason]
    return did_you_mean(cause.subject, names) or f"load the file that defines the {kind} before this one"


def _unknown_comparison(cause: Cause, issue: Issue, loaded: Loaded) -> str:
    language = loaded.catalogue.language
    later = next(filter(None, (of_word(word, language) for word in cause.subject.split())), "")
    return later or did_you_mean(cause.subject, language.operators)


_Hint = Callable[[Cause, Issue, Loaded], str]
_HINTS: dict[Reason, _Hint] = {
    Reason.UNKNOWN_FIELD: _unknown_field,
    Reason.UNKNOWN_EVENT_TYPE: lambda cause, issue, loaded: did_you_mean(cause.subject, loaded.catalogue.event_types),
    Reason.UNKNOWN_PARAMETER: lambda cause, issue, loaded: did_you_mean(cause.subject, loaded.catalogue.parameters),
    Reason.UNDEFINED_MACRO: _undefined_macro,
    Reason.OPERATOR_OF_OTHER_TYPE: _operator_of_other_type,
    Reason.NO_OPERATOR: _no_operator,
    Reason.UNKNOWN_TRANSFORMER: _later_word,
    Reason.TEXT_AFTER_END: _later_word,
    Reason.TOO_DEEP: lambda cause, issue, loaded: "use fewer nested parentheses, or macros",
    Reason.UNKNOWN_KEY: _unknown_key,
    Reason.MISSING_KEY: lambda cause, issue, loaded: f"add '{cause.subject}:'",
    Reason.UNKNOWN_SOURCE: _unknown_source,
    Reason.UNKNOWN_PRIORITY: lambda cause, issue, loaded: "priorities: " + ", ".join(PRIORITIES),
    Reason.UNKNOWN_COMPARISON: _unknown_comparison,
    Reason.NOT_APPENDABLE: _not_overridable,
    Reason.NOT_REPLACEABLE: _not_overridable,
    Reason.NO_SUCH_LIST: _nothing_to_change,
    Reason.NO_SUCH_MACRO: _nothing_to_change,
    Reason.NO_SUCH_RULE: _nothing_to_change,
    Reason.NO_LIST_OF_ENTRIES: lambda cause, issue, loaded: (
        "a rules file is a list: each entry starts with '- rule:', '- macro:' or '- list:'"
    ),
}
"""Advice on each kind of mistake; a test holds that none is missing."""
