# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where each character of a resolved condition was written: through appends, overrides, lists and exceptions.

Loading notes only which YAML nodes a condition was put together from. What is here does the same work again, with an
origin for each character, for the few conditions that something is found in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .compiler import Compiler
from .items import Entry, ListItem, MacroItem, Rule, Written
from .substitution import Edit, exception_parts, quote_item


class Origin(NamedTuple):
    """Where a character was written.

    Attributes:
        written: the scalar that it stands in.
        offset: in the scalar's value; as long as the value for what would follow it.
        way: (kind, name) of what it came through: lists, and the exception; the outermost first.
    """

    written: Written
    offset: int
    way: tuple[tuple[str, str], ...] = ()


Origins = list["Origin | None"]


class Traced:
    """A text, and for each of its characters where it was written; None for what the loader put in."""

    __slots__ = ("origins", "text")

    def __init__(self, text: str, origins: Origins) -> None:
        self.text = text
        self.origins = origins

    def at(self, index: int) -> Origin | None:
        """The origin of a character; of the nearest before it where it has none; behind the last, what would follow."""
        index = max(index, 0)
        if index < len(self.text) and self.origins[index] is not None:
            return self.origins[index]
        index = min(index, len(self.text))
        while index > 0:
            index -= 1
            origin = self.origins[index]
            if origin is not None and not self.text[index].isspace():
                return origin._replace(offset=origin.offset + 1)
        return next((origin for origin in self.origins if origin is not None), None)


def trace_macro(macro: MacroItem, compiler: Compiler) -> Traced:
    """A macro's condition as it is parsed."""
    return _substituted(joined(macro.written), compiler)


def trace_rule(rule: Rule, compiler: Compiler) -> Traced:
    """A rule's condition as it is parsed, with its exceptions.

    Raises:
        ExceptionError: the exceptions cannot be joined to it.
    """
    traced = joined(rule.written)
    if rule.exceptions:
        texts = ["(", traced.text, ")"]
        origins: Origins = [None, *traced.origins, None]
        for exception, (text, entry) in exception_parts(rule):
            texts.append(text)
            origins += _of_entry(text, entry, ("exception", exception.name))
        traced = Traced("".join(texts), origins)
    return _substituted(traced, compiler)


def trace_output(rule: Rule) -> Traced:
    """A rule's output."""
    return joined(rule.written_output)


def joined(parts: Sequence[Written]) -> Traced:
    """What was written in several places, with blanks between."""
    texts: list[str] = []
    origins: Origins = []
    for part in parts:
        if texts:
            origins.append(None)
        texts.append(part.node.value)
        origins += [Origin(part, offset) for offset in range(len(part.node.value))]
    return Traced(" ".join(texts), origins)


def _of_entry(text: str, entry: Entry | None, way: tuple[str, str]) -> Origins:
    """The origins of an exception's entry, which may have got quotes or parentheses around it."""
    if entry is None or entry.written is None:
        return [None] * len(text)
    return _of_quoted(text, entry.text, entry.written, (way,))


def _of_quoted(text: str, value: str, written: Written, way: tuple[tuple[str, str], ...]) -> Origins:
    lead = max(text.find(value), 0)
    last = max(len(value) - 1, 0)
    return [Origin(written, min(max(offset - lead, 0), last), way) for offset in range(len(text))]


def _substituted(traced: Traced, compiler: Compiler) -> Traced:
    edits: list[Edit] = []
    text = compiler.lists.apply(traced.text, edits)
    origins = traced.origins
    known: dict[str, list[Origin | None]] = {}
    for edit in edits:
        name = origins[edit.at] if edit.at < len(origins) else None
        inner = known.get(edit.name)
        if inner is None:
            inner = known[edit.name] = _of_list(edit.name, compiler)
        outer = name.way if name else ()
        placed: Origins = [one._replace(way=(*outer, *one.way)) if one else name for one in inner]
        origins = [*origins[: edit.start], *([name] if edit.blank else []), *placed, None, *origins[edit.end :]]
    return Traced(text, origins)


def _of_list(name: str, compiler: Compiler) -> Origins:
    """The origins of what a list's name is replaced by."""
    lists = compiler.collector.lists
    item = lists[name]
    origins: Origins = []
    parts = 0
    for value, written, way in _items_of(item, lists, name):
        quoted = quote_item(value) if value else value
        if parts:
            origins += [None, None]
        if quoted or parts:
            origins += _of_quoted(quoted, value, written, way) if written else [None] * len(quoted)
            parts += 1
    return origins


def _items_of(
    item: ListItem, lists: dict[str, ListItem], name: str
) -> list[tuple[str, Written | None, tuple[tuple[str, str], ...]]]:
    found: list[tuple[str, Written | None, tuple[tuple[str, str], ...]]] = []
    for value, written in _written_items(item):
        other = lists.get(value)
        if other is not None and other.index < item.visibility:
            way = (("list", name), ("list", value))
            found += [(inner, where, way) for inner, where in _written_items(other)]
        else:
            found.append((value, written, (("list", name),)))
    return found


def _written_items(item: ListItem) -> list[tuple[str, Written | None]]:
    nodes: list[Written | None] = [Written(part.file, node) for part in item.written for node in part.node.value]
    nodes += [None] * (len(item.items) - len(nodes))
    return list(zip(item.items, nodes))
