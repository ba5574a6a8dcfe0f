# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would be right: nearest names and short advice for each of Falco's findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from ..catalogue.catalogue import PRIORITIES, FieldInfo
from ..catalogue.history import of_word
from ..catalogue.language import CONTAINER_INFO, Language
from ..condition.checks import OPERATORS_BY_KIND, kind_of, operand
from ..condition.nodes import Compare, Field, Node, ValueList, walk
from ..condition.printer import to_text
from ..errors import Cause, CheckError, Reason
from ..load.reader import ITEM_KEYS, LIST_KEYS, MACRO_KEYS
from ..load.result import Issue
from ..load.ruleset import Loaded
from .advice import Advice, did_you_mean, meant
from .begun import label
from .entry_hints import key_meant, on_missing_key, on_redefinition, priority_meant, version_meant
from .name_hints import (
    argument_meant,
    field_meant,
    had_it,
    maintained_meant,
    on_address,
    on_bare_list,
    on_output,
    source_of,
)
from .positions import Place, Places
from .typed import escaped, in_posix, typed
from .yaml_hints import TEMPLATE, on_yaml

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


class Asked(NamedTuple):
    """What advice is asked on: the mistake, the issue, its place, and where else things stand in the ruleset."""

    cause: Cause
    issue: Issue
    place: Place
    places: Places

    @property
    def loaded(self) -> Loaded:
        return self.places.loaded

    @property
    def subject(self) -> str:
        return self.cause.subject

    @property
    def language(self) -> Language:
        return self.loaded.catalogue.language

    @property
    def before_and_after(self) -> tuple[str, str]:
        """A condition's text up to where Falco stopped, and from there; empty outside a condition."""
        condition, index = self.issue.context.condition, self.issue.context.index
        return ("", "") if condition is None or index is None else (condition[:index], condition[index:])


def advice_on(issue: Issue, place: Place, places: Places) -> Advice:
    """Advice on one of Falco's findings; empty when there is none.

    Args:
        issue: what Falco says.
        place: where it is.
        places: finds places in the ruleset.
    """
    loaded = places.loaded
    if issue.code == "LOAD_NO_EVTTYPE" and place.word:
        return Advice(f"'{place.word}' holds for every event: put parentheses around what 'and' shall bind to")
    if issue.code == "LOAD_DEPRECATED_ITEM" and place.word == CONTAINER_INFO:
        return Advice("remove it: Falco writes nothing in its place", CONTAINER_INFO, "")
    if issue.code == "LOAD_DEPRECATED_ITEM" and issue.deprecated_field and issue.context.condition is None:
        return Advice(f"leave '%{issue.deprecated_field}' out: it is the same for every event")
    known = _on_text(issue, place, places.lines(place.file))
    if known.hint:
        return known
    static = _STATIC.get(issue.code)
    if static:
        return Advice(static)
    if issue.code == "LOAD_UNKNOWN_ITEM":
        return Advice("an entry has one of the keys " + ", ".join(ITEM_KEYS))
    if issue.code == "LOAD_ERR_COMPILE_OUTPUT" or (place.word and issue.code == "LOAD_UNKNOWN_FILTER"):
        return on_output(place, loaded, issue.context.item[1])
    cause = issue.cause
    if cause is None:
        return Advice(_unfinished(issue))
    given = _HINTS[cause.reason](Asked(cause, issue, place, places))
    return Advice(given) if isinstance(given, str) else given


def _on_text(issue: Issue, place: Place, lines: Sequence[str]) -> Advice:
    """Advice by what stands at the place, whatever it was taken for."""
    if place.line is None or place.column is None or place.line > len(lines) or not issue.code.startswith("LOAD_ERR_"):
        return Advice()
    if issue.code == "LOAD_ERR_YAML_PARSE":
        return on_yaml(issue.message, place.line, place.column, lines)
    return Advice(TEMPLATE) if "{{" in lines[place.line - 1] else Advice()


def _unfinished(issue: Issue) -> str:
    """Advice on a condition that ends with a word after which something must come."""
    condition, index = issue.context.condition, issue.context.index
    if issue.code != "LOAD_ERR_COMPILE_CONDITION" or condition is None or index is None or condition[index:].strip():
        return ""
    last = condition[:index].split()[-1:]
    if last not in (["and"], ["or"], ["not"]):
        return ""
    return f"the condition ends after '{last[0]}': remove the word, or write what it is to join"


def _unknown_key(asked: Asked) -> str | Advice:
    known = {"rule": asked.language.rule_keys, "macro": MACRO_KEYS, "list": LIST_KEYS}
    return key_meant(asked.subject, asked.issue.context.item[0], known.get(asked.issue.context.item[0], ITEM_KEYS))


def _missing_key(asked: Asked) -> str | Advice:
    return on_missing_key(
        asked.subject, asked.issue.context, asked.loaded, asked.places.lines(asked.issue.context.file)
    )


def _unknown_source(asked: Asked) -> str | Advice:
    sources = asked.loaded.catalogue.sources
    close = meant(asked.subject, sources)
    needs = "another one needs its plugin: name that in required_plugin_versions, or describe it in plugin_descriptions"
    return close if close.hint else f"known sources: {', '.join(sources)}; {needs}"


def _unknown_field(asked: Asked) -> str | Advice:
    return field_meant(asked.subject, asked.loaded, source_of(asked.issue.context, asked.loaded))


def _missing_argument(asked: Asked) -> str | Advice:
    # the field itself, where the subject is only what stands in its brackets; it may stand in a macro
    fields = [part for part in walk(asked.issue.node) if isinstance(part, Field)] if asked.issue.node else []
    text = next((field.text for field in fields if asked.subject in (field.text, field.arg)), "")
    name, _bracket, argument = (text or asked.subject).rstrip("]").partition("[")
    if name == "evt.arg" and argument:
        return Advice(f"write 'evt.arg.{argument}'", f"evt.arg[{argument}]", f"evt.arg.{argument}")
    argued = argument_meant(name, asked.loaded)
    if argued.hint:
        return argued
    return f"give it its argument, as in '{name}[...]'" if text else ""


def _unknown_parameter(asked: Asked) -> str | Advice:
    close = meant(asked.subject, asked.loaded.catalogue.parameters)
    place = asked.place
    line = asked.places.lines(place.file)[(place.line or 1) - 1][(place.column or 1) - 1 :]
    field = line.partition(asked.subject)[0]
    if not close.wrong or field not in ("evt.arg.", "evt.rawarg."):
        return Advice(close.hint)
    return Advice(close.hint, field + close.wrong, field + close.right)


def _bare_list(asked: Asked) -> Advice:
    place = asked.place
    before = asked.places.lines(place.file)[(place.line or 1) - 1][: (place.column or 1) - 1]
    return on_bare_list(place.word, place.cause is not None, before)


def _undefined_macro(asked: Asked) -> str | Advice:
    name = asked.subject
    if asked.place.word:
        return _bare_list(asked)
    if name in asked.loaded.collector.macros:
        return f"macro '{name}' is defined further below; a macro sees only those before it"
    words = typed("", name, asked.language)
    if words.hint:
        return words
    close = meant(name, asked.loaded.collector.macros)
    return close if close.hint else had_it("macro", name) or maintained_meant("macro", name)


def _operator_of_other_type(asked: Asked) -> str | Advice:
    node = asked.issue.node
    info = _type_of(node.left, asked.loaded) if isinstance(node, Compare) else None
    if not isinstance(node, Compare) or info is None:
        return ""
    kind = kind_of(info)
    what = f"{to_text(node.left)} {'is a list' if info.is_list else f'has type {info.type}'}"
    if kind is None:
        return f"{what}, which nothing is compared with: ask 'exists'"
    return f"{what}; it allows exists, {', '.join(sorted(OPERATORS_BY_KIND[kind]))}"


def _type_of(node: Node, loaded: Loaded) -> FieldInfo | None:
    """What a field or what is made of it is, by the first source that has it; a macro may be for any."""
    for table in loaded.compiler.tables.values():
        try:
            return operand(table, node).info
        except CheckError:
            continue
    return None


def _no_operator(asked: Asked) -> str | Advice:
    before, after = asked.before_and_after
    words = label(before, after) or typed(before, after, asked.language)
    match = re.match(r"\S+", after)
    if words.hint and match:
        return words
    if asked.issue.context.condition is None:
        return ""
    if not match:
        return "the condition ends where an operator should be"
    return of_word(match.group(), asked.language) or meant(match.group(), asked.language.operators)


def _unreadable(asked: Asked) -> str | Advice:
    """Where a condition cannot be read any further: what people type, lists without parentheses, later words."""
    if asked.place.word:
        return _bare_list(asked)
    before, after = asked.before_and_after
    if before.strip().lower() in ("and", "or"):
        tag = _tag_for_not(asked)
        if tag is not None:
            return tag
        known = on_redefinition(asked.issue.context, asked.loaded, asked.places.lines(asked.issue.context.file))
        if known.hint:
            return known._replace(back=len(before.lstrip()))
    # the word itself, or that before what it makes unexpected
    words = [*re.findall(r"[a-z0-9]+", before)[-1:], *re.findall(r"^[a-z0-9]+", after)]
    later = next(filter(None, (of_word(word, asked.language) for word in words)), "")
    return later or typed(before, after, asked.language)


def _tag_for_not(asked: Asked) -> Advice | None:
    """Advice on a condition that begins with `!`, which YAML takes for a tag."""
    mark = asked.issue.context.locations[-2].mark
    text = asked.places.lines(asked.place.file)[mark.line][mark.column :]
    if not re.match(r"![a-z]", text):
        return None
    return Advice(
        "'!' at the beginning is a tag of YAML and no part of the condition: write 'not'", "!", "not ", _at(mark)
    )


def _at(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _bad_address(asked: Asked) -> str | Advice:
    advice = on_address(asked.subject, asked.before_and_after[1], asked.loaded)
    node = asked.issue.node
    if not advice.wrong or advice.wrong == asked.subject or not isinstance(node, Compare):
        return advice
    # the field is to be changed, and only where every value is a network
    values = node.right.values if isinstance(node.right, ValueList) else (asked.subject,)
    field = asked.places.of_node(node.left, asked.issue.context.item)
    if field is None or field.file != asked.place.file or not all("/" in value for value in values):
        return Advice(advice.hint)
    return advice._replace(mend_at=(field.line or 0, field.column or 0))


def _no_sequence(asked: Asked) -> str | Advice:
    given = asked.subject
    if given and re.fullmatch(r"[\w./-]+", given):
        return Advice("a list stands in brackets, or has a hyphen before each item", given, f"[{given}]")
    return "a list stands in brackets, or has a hyphen before each item"


def _bad_regex(asked: Asked) -> str | Advice:
    return in_posix(asked.subject)


def _unmet_version(asked: Asked) -> str:
    known = asked.loaded.catalogue
    if asked.subject == "engine":
        return (
            f"Falco {known.falco} has engine {known.engine}: judge with a newer falco_version, or lower the requirement"
        )
    plugin = known.plugins.get(asked.subject)
    if plugin is None:
        close = did_you_mean(asked.subject, known.plugins)
        missing = f"the plugin '{asked.subject}' is not among those that are loaded"
        return close or f"{missing}: add it to plugins or to plugin_descriptions, or remove the requirement"
    return f"the plugin '{plugin.name}' that is loaded has version {plugin.version}: load a newer one, or lower this"


def _not_overridable(asked: Asked) -> str | Advice:
    verb = "append" if asked.cause.reason is Reason.NOT_APPENDABLE else "replace"
    allowed = asked.language.appendable if verb == "append" else asked.language.replaceable
    kind = asked.issue.context.item[0]
    allowed = {"list": ("items",), "macro": ("condition",)}.get(kind, allowed)
    close = key_meant(asked.subject, kind, allowed)
    return close if close.hint else f"{verb} works for {', '.join(allowed)}"


def _nothing_to_change(asked: Asked) -> str | Advice:
    collector = asked.loaded.collector
    kinds: dict[Reason, tuple[str, Iterable[str]]] = {
        Reason.NO_SUCH_LIST: ("list", collector.lists),
        Reason.NO_SUCH_MACRO: ("macro", collector.macros),
        Reason.NO_SUCH_RULE: ("rule", collector.rules),
    }
    kind, names = kinds[asked.cause.reason]
    close = did_you_mean(asked.subject, names) or had_it(kind, asked.subject)
    return close or f"load the file that defines the {kind} before this one"


def _unknown_comparison(asked: Asked) -> str | Advice:
    later = next(filter(None, (of_word(word, asked.language) for word in asked.subject.split())), "")
    return later or meant(asked.subject, asked.language.operators)


_Hint = Callable[[Asked], "str | Advice"]
_HINTS: dict[Reason, _Hint] = {
    Reason.UNKNOWN_FIELD: _unknown_field,
    Reason.UNKNOWN_EVENT_TYPE: lambda asked: meant(asked.subject, asked.loaded.catalogue.event_types),
    Reason.UNKNOWN_PARAMETER: _unknown_parameter,
    Reason.UNDEFINED_MACRO: _undefined_macro,
    Reason.OPERATOR_OF_OTHER_TYPE: _operator_of_other_type,
    Reason.NO_OPERATOR: _no_operator,
    Reason.UNKNOWN_TRANSFORMER: _unreadable,
    Reason.TEXT_AFTER_END: _unreadable,
    Reason.NO_VALUE: _unreadable,
    Reason.UNKNOWN_ESCAPE: lambda asked: escaped(asked.subject, asked.before_and_after[0]),
    Reason.BAD_REGEX: _bad_regex,
    Reason.BAD_ADDRESS: _bad_address,
    Reason.MISSING_ARGUMENT: _missing_argument,
    Reason.NO_SEQUENCE: _no_sequence,
    Reason.UNEQUAL_VALUES: lambda asked: f"fields: {asked.subject}; write one value for each field, in its order",
    Reason.UNEQUAL_COMPARISONS: lambda asked: (
        f"fields: {asked.subject}; write one comparison for each field, in its order"
    ),
    Reason.NO_VERSION: lambda asked: version_meant(asked.subject),
    Reason.UNMET_VERSION: _unmet_version,
    Reason.TOO_DEEP: lambda asked: "use fewer nested parentheses, or macros",
    Reason.UNKNOWN_KEY: _unknown_key,
    Reason.MISSING_KEY: _missing_key,
    Reason.UNKNOWN_SOURCE: _unknown_source,
    Reason.UNKNOWN_PRIORITY: lambda asked: priority_meant(asked.subject, PRIORITIES),
    Reason.UNKNOWN_COMPARISON: _unknown_comparison,
    Reason.NOT_APPENDABLE: _not_overridable,
    Reason.NOT_REPLACEABLE: _not_overridable,
    Reason.NO_SUCH_LIST: _nothing_to_change,
    Reason.NO_SUCH_MACRO: _nothing_to_change,
    Reason.NO_SUCH_RULE: _nothing_to_change,
    Reason.NO_LIST_OF_ENTRIES: lambda asked: (
        "a rules file is a list: each entry starts with '- rule:', '- macro:' or '- list:'"
    ),
}
"""Advice on each kind of mistake; a test holds that none is missing."""
