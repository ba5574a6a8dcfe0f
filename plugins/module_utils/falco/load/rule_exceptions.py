# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exceptions of a rule's entry: their names, fields, comparisons and values, in every form that Falco takes.

Source: `read_rule_exceptions` of `userspace/engine/rule_loader_reader.cpp` in falcosecurity/falco.
"""

from __future__ import annotations

from ..yaml.nodes import NULL, SCALAR, SEQUENCE, Yaml
from . import context as ctx
from .context import Context
from .entry_values import Keys, invalid, missing, named_entries
from .items import Entry, RuleException, Written
from .result import LoadResult


def read_exceptions(keys: Keys, parent: Context, append: bool, result: LoadResult) -> list[RuleException]:
    """The exceptions of one rule's entry.

    Args:
        keys: the entry's keys.
        parent: the rule's context.
        append: the entry adds to exceptions that stand already, so fields may be left out.
        result: takes warnings.

    Raises:
        LoadError: an exception is not as Falco's format has it.
    """
    found: list[RuleException] = []
    node = keys.get("exceptions")
    if node is None or node.kind == NULL:
        return found
    context = parent.at(node.mark, ctx.EXCEPTIONS)
    words = ("Rule exceptions must be a sequence", "Rule exception must be a mapping")
    for entry_keys, name, where in named_entries(node, context, ctx.EXCEPTION, words, parent):
        exception = RuleException(name, where)
        for other in found:
            if other.name == name:
                result.warn(
                    "LOAD_EXCEPTION_NAME_NOT_UNIQUE",
                    f"Multiple definitions of exception '{name}' in the same rule",
                    where,
                )
        fields = entry_keys.get("fields")
        if fields is None and not append:
            raise missing("fields", where)
        if fields is not None:
            exception.fields = _entry(fields, "fields", where)
        comps = entry_keys.get("comps")
        if comps is not None:
            exception.comps = _entry(comps, "comps", where)
        values = entry_keys.get("values")
        if values is not None:
            spot = where.at(values.mark, ctx.EXCEPTION_VALUES)
            if values.kind != SEQUENCE:
                raise invalid("Rule exception values must be a sequence", spot)
            for value in values.value:
                exception.values.append(_entry(value, "", spot.at(value.mark, ctx.EXCEPTION_VALUE)))
        elif append:
            result.warn("LOAD_APPEND_NO_VALUES", "Overriding/appending exception with no values", where)
        found.append(exception)
    return found


def _entry(node: Yaml, key: str, context: Context) -> Entry:
    if node.kind == SCALAR:
        if not node.value:
            raise invalid("Value must be non-empty", context.at(node.mark, ctx.VALUE_FOR, key))
        return Entry(node.value, None, Written(context.file, node))
    if node.kind == SEQUENCE:
        where = context
        return Entry("", [_entry(item, "", where) for item in node.value], Written(context.file, node))
    return Entry("", None, Written(context.file, node))
