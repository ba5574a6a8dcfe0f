# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries put into a list or a mapping of a YAML text and taken out of it, in the style in which it is written."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from .errors import ApiServerError
from .source import ADDED, Edit, Source, end_of, is_flow, is_null

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


def append(source: Source, parent: yaml.Node, key: str, entries: Sequence[Entry]) -> Edit:
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
            raise ApiServerError(
                f"{source.place(parent)}: a mapping in braces; write it in lines, so that {key} can be added to it"
            )
        indent = " " * parent.value[0][0].start_mark.column
        inner = indent if entries[0].lines[0].startswith("- ") else indent + "  "
        lines = [f"{indent}{key}: {ADDED}", *(inner + line for entry in entries for line in entry.lines)]
        return source.insertion(source.after(parent), lines)
    name, node = found
    if is_null(node):
        if node.value or is_flow(parent):
            raise ApiServerError(f"{source.place(node)}: {key} is null; remove it, or write a list")
        indent = " " * name.start_mark.column
        inner = indent if entries[0].lines[0].startswith("- ") else indent + "  "
        return source.insertion(source.after(node), [inner + line for entry in entries for line in entry.lines])
    if is_flow(node):
        text = ", ".join(entry.flow for entry in entries)
        if not node.value:
            start = node.start_mark.index + 1
            return Edit(start, start, text)
        last = node.value[-1]
        end = end_of(last[1] if isinstance(node, yaml.MappingNode) else last)
        return Edit(end, end, f", {text}")
    indent = " " * node.start_mark.column
    return source.insertion(source.after(node), [indent + line for entry in entries for line in entry.lines])


def spans(source: Source, parent: yaml.Node, key: str, chosen: Sequence[yaml.Node]) -> list[tuple[int, int]]:
    """What is to be taken out so that a collection loses entries, and its key with the last one if we have put it in.

    Args:
        source: the text.
        parent: the mapping that holds the collection.
        key: of the collection.
        chosen: items of a list, or keys of a mapping.

    Raises:
        ApiServerError: the text is written in a way in which that cannot be done.
    """
    found = source.pair(parent, key)
    if not chosen or found is None:
        return []
    name, node = found
    pairs = node.value if isinstance(node, yaml.MappingNode) else [(item, item) for item in node.value]
    gone = [any(first is one for one in chosen) for first, _ in pairs]
    if is_flow(node):
        return _flow_spans(pairs, gone)
    removed = [_block_span(source, node, *pair) for pair, out in zip(pairs, gone) if out]
    if all(gone):
        line = source.line_start(name.start_mark.index)
        end = source.text.find("\n", line) + 1
        if source.text[line:end].rstrip().endswith(ADDED):
            removed.append((line, end))
    return removed


def _flow_spans(pairs: Sequence[tuple[yaml.Node, yaml.Node]], gone: Sequence[bool]) -> list[tuple[int, int]]:
    removed = []
    for number, out in enumerate(gone):
        first, last = pairs[number]
        if not out:
            continue
        if not all(gone[:number]):
            removed.append((end_of(pairs[number - 1][1]), end_of(last)))
        elif number + 1 < len(pairs):
            removed.append((first.start_mark.index, pairs[number + 1][0].start_mark.index))
        else:
            removed.append((first.start_mark.index, end_of(last)))
    return removed


def _block_span(source: Source, node: yaml.Node, first: yaml.Node, last: yaml.Node) -> tuple[int, int]:
    index = first.start_mark.index
    if isinstance(node, yaml.SequenceNode):
        index = source.text.rfind("-", 0, index)
    start = source.line_start(index)
    if source.text[start:index].strip():
        raise ApiServerError(f"{source.place(first)}: this does not begin on a line of its own")
    return start, source.after(last)
