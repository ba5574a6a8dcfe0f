# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of one entry's keys, by the type that Falco wants: text, booleans, numbers, lists of text, priorities.

Source: the `decode_*` functions of `userspace/engine/rule_loader_reader.cpp` in falcosecurity/falco. Each raises
`LoadError` with the place of what cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Cause, Reason
from ..yaml.nodes import MAP, NULL, SCALAR, SEQUENCE, Yaml, to_bool, to_uint32
from . import context as ctx
from .context import Context
from .items import Written
from .result import LoadError

_PRIORITIES = frozenset(
    ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "info", "debug")
)

Keys = dict[str, Yaml]


def invalid(message: str, context: Context, cause: Cause | None = None, written: Written | None = None) -> LoadError:
    """The error of an entry that is not as Falco's format has it."""
    return LoadError("LOAD_ERR_YAML_VALIDATE", message, context, written=written, cause=cause)


def missing(key: str, context: Context) -> LoadError:
    """The error of an entry that lacks a key."""
    return invalid(f"Item has no mapping for key '{key}'", context, Cause(Reason.MISSING_KEY, key))


def keys_of(node: Yaml) -> Keys:
    """A map's values by key; of equal keys the first counts."""
    found: Keys = {}
    for key, value in node.value:
        if key.kind == SCALAR and key.value not in found:
            found[key.value] = value
    return found


def required(keys: Keys, key: str, context: Context) -> str:
    """Text that must be there."""
    node = keys.get(key)
    if node is None:
        raise missing(key, context)
    return scalar(node, key, context)


def scalar(node: Yaml, key: str, context: Context) -> str:
    """Text that must not be empty."""
    if node.kind == SCALAR and node.value:
        return node.value  # type: ignore[no-any-return]  # a scalar's value is text
    if node.kind == NULL:
        raise invalid(f"Mapping for key '{key}' is empty", context)
    where = context.at(node.mark, ctx.VALUE_FOR, key)
    if node.kind != SCALAR:
        raise invalid("Value is not a scalar value", where)
    raise invalid("Value must be non-empty", where)


def named_entries(
    node: Yaml, context: Context, kind: str, words: tuple[str, str], parent: Context | None = None
) -> Iterator[tuple[Keys, str, Context]]:
    """The maps of a sequence, each with its name and its place.

    Args:
        node: the sequence.
        context: of the sequence.
        kind: of each map, for its place.
        words: what is wrong where there is no sequence, and where something in it is no map.
        parent: what the place of a named map is told from, if not from the sequence.
    """
    if node.kind != SEQUENCE:
        raise invalid(words[0], context)
    for entry in node.value:
        where = context.at(entry.mark, kind)
        if entry.kind != MAP:
            raise invalid(words[1], where)
        keys = keys_of(entry)
        name = required(keys, "name", where)
        yield keys, name, (parent or context).at(entry.mark, kind, name)


def boolean(keys: Keys, key: str, context: Context, default: bool = False) -> bool:
    """A boolean by any of the spellings that yaml-cpp knows; *default* when the key is not there."""
    node = keys.get(key)
    if node is None:
        return default
    value = to_bool(scalar(node, key, context))
    if value is None:
        raise invalid("Can't decode YAML scalar value", context.at(node.mark, ctx.VALUE_FOR, key))
    return value


def number(keys: Keys, key: str, context: Context, default: int = 0) -> int:
    """A whole number of 32 bits; *default* when the key is not there."""
    node = keys.get(key)
    if node is None:
        return default
    value = to_uint32(scalar(node, key, context))
    if value is None:
        raise invalid("Can't decode YAML scalar value", context.at(node.mark, ctx.VALUE_FOR, key))
    return value


def texts(keys: Keys, key: str, context: Context) -> list[str]:
    """A list of text."""
    node = keys.get(key)
    if node is None:
        raise missing(key, context)
    where = context.at(node.mark, ctx.VALUE_FOR, key)
    if node.kind != SEQUENCE:
        raise invalid(
            "Value is not a sequence", where, Cause(Reason.NO_SEQUENCE, node.value if node.kind == SCALAR else "")
        )
    values = []
    for entry in node.value:
        if entry.kind != SCALAR:
            raise invalid("sequence value is not scalar", where.at(entry.mark, ctx.LIST_ITEM))
        values.append(entry.value)
    return values


def priority(keys: Keys, key: str, context: Context) -> str:
    """A priority, spelt as in the file."""
    text = required(keys, key, context)
    if text.lower() not in _PRIORITIES or not text.isascii():
        raise invalid(
            "Invalid priority", context.at(keys[key].mark, ctx.RULE_PRIORITY), Cause(Reason.UNKNOWN_PRIORITY, text)
        )
    return text
