# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where each character of a resolved condition was written: through appends, overrides, lists and exceptions.

Loading notes only which YAML nodes a condition was put together from. What is here does the same work again for the
conditions that something is found in, as pieces of text that were each written in one go: a character's origin is
computed when it is asked for.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from .compiler import Compiler
from .items import Entry, ListItem, MacroItem, Rule, Written
from .substitution import Edit, exception_parts, quote_item, with_exceptions

_WORD = re.compile(r"[^\s(),=]+")


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


class _Piece(NamedTuple):
    """A stretch of text of one origin.

    Attributes:
        size: characters.
        written: the scalar that it stands in; None for what the loader put in.
        shift: what is added to a character's number in the piece to get its offset in the scalar.
        last: the offset that no character goes beyond.
        way: as in `Origin`.
    """

    size: int
    written: Written | None = None
    shift: int = 0
    last: int = 0
    way: tuple[tuple[str, str], ...] = ()


class Traced(ABC):
    """A text, and for each of its characters where it was written; None for what the loader put in."""

    def __init__(self, text: str) -> None:
        self.text = text

    @abstractmethod
    def origin(self, index: int) -> Origin | None:
        """Where the very character was written."""

    def at(self, index: int) -> Origin | None:
        """The origin of a character; of the nearest before it where it has none; behind the last, what would follow."""
        index = max(index, 0)
        origin = self.origin(index)
        if origin is not None:
            return origin
        index = min(index, len(self.text))
        while index > 0:
            index -= 1
            origin = self.origin(index)
            if origin is not None and not self.text[index].isspace():
                return origin._replace(offset=origin.offset + 1)
        return next(filter(None, map(self.origin, range(len(self.text)))), None)

    def ways(self, start: int, end: int) -> Iterator[tuple[str, str]]:
        """The steps of the ways of all words from *start* to before *end*."""
        for word in _WORD.finditer(self.text, start, end):
            origin = self.origin(word.start())
            yield from origin.way if origin is not None else ()


class _Joined(Traced):
    """A text that was put together from pieces; *further* gives those behind the first, where they are asked for."""

    def __init__(self, text: str, pieces: list[_Piece], further: Callable[[], list[_Piece]] | None = None) -> None:
        super().__init__(text)
        self._pieces = pieces
        self._further = further

    def origin(self, index: int) -> Origin | None:
        for piece in self._pieces:
            if index < piece.size:
                if piece.written is None:
                    return None
                return Origin(piece.written, min(max(index + piece.shift, 0), piece.last), piece.way)
            index -= piece.size
        if self._further is None:
            return None
        index += sum(piece.size for piece in self._pieces)
        self._pieces, self._further = [*self._pieces, *self._further()], None
        return self.origin(index)


class _Substituted(Traced):
    """A text in which the names of lists were replaced; each edit is followed back to what it was made in."""

    def __init__(self, text: str, before: Traced, edits: Sequence[tuple[Edit, Traced]]) -> None:
        super().__init__(text)
        self._before = before
        self._edits = edits

    def origin(self, index: int) -> Origin | None:
        return self._back(index, len(self._edits))

    def _back(self, index: int, count: int) -> Origin | None:
        """The origin of a character of the text after the first *count* edits."""
        while count:
            count -= 1
            edit, items = self._edits[count]
            start = edit.start + edit.blank
            behind = start + len(items.text) + 1
            if index < edit.start:
                continue
            if index >= behind:
                index += edit.end - behind
                continue
            if index == behind - 1:
                return None
            name = self._back(edit.at, count)
            if index < start or name is None:
                return name
            found = items.origin(index - start)
            return found._replace(way=(*name.way, *found.way)) if found else name
        return self._before.origin(index)


class Tracer:
    """Traces the conditions of one compiled ruleset; what lists are replaced by is put together once."""

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler
        self._lists: dict[str, Traced] = {}

    def macro(self, macro: MacroItem) -> Traced:
        """A macro's condition as it is parsed."""
        return self._substituted(joined(macro.written))

    def rule(self, rule: Rule) -> Traced:
        """A rule's condition as it is parsed, with its exceptions.

        Raises:
            ExceptionError: the exceptions cannot be joined to it.
        """
        return self._substituted(_excepted(rule) if rule.exceptions else joined(rule.written))

    def _substituted(self, traced: Traced) -> Traced:
        edits: list[Edit] = []
        text = self._compiler.lists.apply(traced.text, edits)
        return _Substituted(text, traced, [(edit, self._items(edit.name)) for edit in edits]) if edits else traced

    def _items(self, name: str) -> Traced:
        found = self._lists.get(name)
        if found is None:
            found = self._lists[name] = _of_list(name, self._compiler)
        return found


def _excepted(rule: Rule) -> Traced:
    """A rule's condition in parentheses, and its exceptions behind it."""
    condition = _written(rule.written)

    def exceptions() -> list[_Piece]:
        return [
            _of_entry(text, entry, ("exception", exception.name)) for exception, (text, entry) in exception_parts(rule)
        ]

    return _Joined(with_exceptions(rule), [_Piece(1), *condition, _Piece(1)], exceptions)


def trace_output(rule: Rule) -> Traced:
    """A rule's output."""
    return joined(rule.written_output)


def joined(parts: Sequence[Written]) -> Traced:
    """What was written in several places, with blanks between."""
    return _Joined(" ".join([part.node.value for part in parts]), _written(parts))


def _written(parts: Sequence[Written]) -> list[_Piece]:
    pieces: list[_Piece] = []
    for part in parts:
        if pieces:
            pieces.append(_Piece(1))
        size = len(part.node.value)
        pieces.append(_Piece(size, part, 0, size))
    return pieces


def _of_entry(text: str, entry: Entry | None, way: tuple[str, str]) -> _Piece:
    """The origin of an exception's entry, which may have got quotes or parentheses around it."""
    if entry is None or entry.written is None:
        return _Piece(len(text))
    return _of_quoted(text, entry.text, entry.written, (way,))


def _of_quoted(text: str, value: str, written: Written, way: tuple[tuple[str, str], ...]) -> _Piece:
    return _Piece(len(text), written, -max(text.find(value), 0), max(len(value) - 1, 0), way)


def _of_list(name: str, compiler: Compiler) -> Traced:
    """What a list's name is replaced by."""
    lists = compiler.collector.lists
    texts: list[str] = []
    pieces: list[_Piece] = []
    for value, written, way in _items_of(lists[name], lists, name):
        quoted = quote_item(value)
        if texts:
            pieces.append(_Piece(2))
        if quoted or texts:
            pieces.append(_of_quoted(quoted, value, written, way) if written else _Piece(len(quoted)))
            texts.append(quoted)
    return _Joined(", ".join(texts), pieces)


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
