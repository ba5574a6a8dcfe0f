# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries put into a list or a mapping of a YAML text and taken out of it, in the style in which it is written."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .errors import ApiServerError
from .nodes import MappingNode, Node, SequenceNode, is_flow, is_null, text_of
from .source import ADDED, Edit, Source

# Stands between a key and its value where the collection has put both into braces, which hold no comment.
_MADE = ":  "
_PLAIN = re.compile(r"[A-Za-z/-][A-Za-z0-9_./=@%+,:-]*[A-Za-z0-9_./=@%+-]")


@dataclass(frozen=True)
class Entry:
    """What is put in.

    Attributes:
        lines: in block style, without indentation; those of a list begin with a dash.
        flow: in flow style.
    """

    lines: tuple[str, ...]
    flow: str


def quoted(text: str) -> str:
    """A text as it may stand on either side of YAML."""
    return json.dumps(text, ensure_ascii=False)


def scalar(text: str) -> str:
    """A text as a scalar of a block collection, in quotes where it needs them."""
    return text if _PLAIN.fullmatch(text) else quoted(text)


def append(source: Source, parent: Node, key: str, entries: Sequence[Entry]) -> Edit:
    """Entries behind the last one of a collection, which is made where it is missing.

    Args:
        source: the text.
        parent: the mapping that holds the collection.
        key: of the collection.
        entries: at least one.

    Raises:
        ApiServerError: the text is written in a way in which that cannot be done.
    """
    found = source.pair(parent, key)
    if found is None:
        if is_flow(parent):
            return _within_braces(source, parent, key, entries)
        indent = " " * parent.column
        inner = indent if entries[0].lines[0].startswith("- ") else indent + "  "
        lines = [f"{indent}{key}: {ADDED}", *(inner + line for entry in entries for line in entry.lines)]
        return source.insertion(source.after(parent), lines)
    name, node = found
    if is_null(node):
        if text_of(node) or is_flow(parent):
            raise ApiServerError(f"{source.place(node)}: {key} is null; remove it, or write a list")
        indent = " " * name.column
        inner = indent if entries[0].lines[0].startswith("- ") else indent + "  "
        return source.insertion(source.after(node), [inner + line for entry in entries for line in entry.lines])
    if not isinstance(node, (MappingNode, SequenceNode)):
        raise ApiServerError(f"{source.place(node)}: {key} must be a list or a mapping")
    if node.flow:
        text = ", ".join(entry.flow for entry in entries)
        inside = _pairs(node)
        if not inside:
            return Edit(node.start + 1, node.start + 1, text)
        end = inside[-1][1].end
        return Edit(end, end, f", {text}")
    indent = " " * node.column
    return source.insertion(source.after(node), [indent + line for entry in entries for line in entry.lines])


def _pairs(node: Node) -> list[tuple[Node, Node]]:
    """First and last node of each entry of a collection."""
    if isinstance(node, MappingNode):
        return list(node.pairs)
    return [(item, item) for item in node.items] if isinstance(node, SequenceNode) else []


def _within_braces(source: Source, parent: Node, key: str, entries: Sequence[Entry]) -> Edit:
    text = ", ".join(entry.flow for entry in entries)
    text = f"[{text}]" if entries[0].lines[0].startswith("- ") else f"{{{text}}}"
    inside = _pairs(parent)
    if not inside:
        return Edit(parent.start + 1, parent.start + 1, f'"{key}"{_MADE}{text}')
    end = inside[-1][1].end
    return Edit(end, end, f', "{key}"{_MADE}{text}')


def spans(source: Source, parent: Node, key: str, chosen: Sequence[Node]) -> list[tuple[int, int]]:
    """What is to be taken out so that a collection loses entries, and its key with the last one if we have put it in.

    Args:
        source: the text.
        parent: the mapping that holds the collection.
        key: of the collection.
        chosen: items of a list, or keys of a mapping.

    Raises:
        ApiServerError: the parent is no mapping, or has the key twice.
    """
    found = source.pair(parent, key)
    if not chosen or found is None:
        return []
    name, node = found
    pairs = _pairs(node)
    gone = [any(first is one for one in chosen) for first, _last in pairs]
    if is_flow(parent) and all(gone) and source.text[name.end : node.start] == _MADE:
        return _flow_spans(_pairs(parent), [first is name for first, _last in _pairs(parent)])
    if is_flow(node):
        return _flow_spans(pairs, gone)
    removed = [_block_span(source, node, *pair) for pair, out in zip(pairs, gone) if out]
    if all(gone):
        line = source.line_start(name.start)
        end = source.text.find("\n", line) + 1
        if source.text[line:end].rstrip().endswith(ADDED):
            removed.append((line, end))
    return removed


def _flow_spans(pairs: Sequence[tuple[Node, Node]], gone: Sequence[bool]) -> list[tuple[int, int]]:
    removed = []
    for number, out in enumerate(gone):
        first, last = pairs[number]
        if not out:
            continue
        if not all(gone[:number]):
            removed.append((pairs[number - 1][1].end, last.end))
        elif number + 1 < len(pairs):
            removed.append((first.start, pairs[number + 1][0].start))
        else:
            removed.append((first.start, last.end))
    return removed


def _block_span(source: Source, node: Node, first: Node, last: Node) -> tuple[int, int]:
    """Whole lines: those of an item from its dash on, which comments and blank lines may part from it."""
    start = source.line_start(first.start)
    if isinstance(node, SequenceNode):
        dash = " " * node.column + "-"
        while not source.text.startswith(dash, start):
            start = source.line_start(start - 1)
    return start, source.after(last)
