# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule language of one version of Falco: its words, its keys, its codes, and how it behaves.

All that differs between versions besides fields and event types is asked here, and nowhere by comparing versions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from .language_facts import CHANGED_FIELDS, LANGUAGE
from .versions import NEWEST, order

CONTAINER_INFO = "%container.info"
"""What stood for name and id of a container in an output."""


@dataclass(frozen=True)
class Language:
    """What one version's rule language has.

    Attributes:
        falco: the version, major.minor.
        operators: comparisons, in Falco's order.
        modifiers: words after an operator that a list follows.
        transformers: functions of fields, besides `val`.
        appendable, replaceable: keys of a rule that `override` may append to, or replace, in alphabetical order.
        missing_schema_keys: keys that the JSON schema of rules files did not permit yet.
        codes: Falco's codes that came after the oldest known version.
        deprecated_fields: fields whose use is reported as LOAD_DEPRECATED_ITEM, in Falco's order.
        newest: this version knows everything that any known one does.
        enter_events: system calls are seen when they begin, too.
        latency: `evt.latency` and its like have values.
        schema_check: rules files are compared with a JSON schema.
        schema_requires_exception_values: that schema wants `values` of each exception.
        blank_of_any_kind: a line break or a tab may follow `contains` and other words.
        one_source_per_rule: what appends to a rule or overrides it must not name another source.
        container_info_is_nothing: `%container.info` expands to nothing and is reported.
        invalid_regex_is_refused: otherwise it loads and never matches.
        modified_exception_comps: comps of exceptions may have modifiers, and blanks around them.
        many_arguments: transformers take several arguments, and constants.
    """

    falco: str
    operators: tuple[str, ...]
    modifiers: tuple[str, ...]
    transformers: tuple[str, ...]
    appendable: tuple[str, ...]
    replaceable: tuple[str, ...]
    missing_schema_keys: frozenset[str]
    codes: frozenset[str]
    deprecated_fields: tuple[str, ...]
    newest: bool
    enter_events: bool
    latency: bool
    schema_check: bool
    schema_requires_exception_values: bool
    blank_of_any_kind: bool
    one_source_per_rule: bool
    container_info_is_nothing: bool
    invalid_regex_is_refused: bool
    modified_exception_comps: bool
    many_arguments: bool

    @property
    def container_info(self) -> str:
        """What `%container.info` in an output is replaced by."""
        return "" if self.container_info_is_nothing else "%container.name (id=%container.id)"

    @property
    def rule_keys(self) -> frozenset[str]:
        """Keys of a rule."""
        return frozenset(("rule", "source", "override", "append", *self.replaceable))


class ChangedField(NamedTuple):
    """A built-in field that is deprecated or gone in some version.

    Attributes:
        name: of the field.
        deprecated, gone: the version since when; empty when it is not, or was always.
        replacement: in words, empty when nothing replaces it.
    """

    name: str
    deprecated: str
    gone: str
    replacement: str


CHANGED: dict[str, ChangedField] = {row[0]: ChangedField(*row) for row in CHANGED_FIELDS}


@cache
def language_of(falco: str) -> Language:
    """The rule language of a version.

    Args:
        falco: major.minor, one of `versions.VERSIONS`.
    """
    now = order(falco)

    def has(since: str, until: str) -> bool:
        return (not since or order(since) <= now) and (not until or now < order(until))

    words: dict[str, list[str]] = {}
    missing: dict[str, list[str]] = {}
    for kind, name, since, until in LANGUAGE:
        (words if has(since, until) else missing).setdefault(kind, []).append(name)
        (missing if has(since, until) else words).setdefault(kind, [])
    behaviours = dict.fromkeys(words["behaviour"], True)
    behaviours.update(dict.fromkeys(missing["behaviour"], False))
    return Language(
        falco=falco,
        operators=tuple(words["operator"]),
        modifiers=tuple(words["modifier"]),
        transformers=tuple(words["transformer"]),
        appendable=tuple(words["appendable"]),
        replaceable=tuple(words["replaceable"]),
        missing_schema_keys=frozenset(missing["schema_key"]),
        codes=frozenset(words["code"]),
        deprecated_fields=tuple(words["deprecated_field"]),
        newest=falco == NEWEST,
        **behaviours,
    )
