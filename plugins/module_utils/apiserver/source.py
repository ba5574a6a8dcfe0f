# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML text as nodes with positions, and edits that leave all the rest of the text as it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .errors import ApiServerError
from .nodes import MappingNode, Node, ScalarNode, SequenceNode, is_null
from .reader import Reader

ADDED = "# falconet.k8s: added"
"""Stands behind a key that the collection has put in, so that removal takes the key out again."""
REPLACED = "# falconet.k8s: replaced: "
"""Stands before a line that the collection has put out of use, so that removal brings it back."""


@dataclass(frozen=True)
class Edit:
    """Characters from start to end (exclusive) become another text."""

    start: int
    end: int
    text: str = ""


class Source:
    """A text whose root is one mapping.

    Args:
        text: all of it.
        file: its name in messages.

    Raises:
        ApiServerError: it is no YAML, more of YAML than is read here, or no single mapping; with line and column.
    """

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.eol = "\r\n" if "\r\n" in text else "\n"
        root = Reader(text, file).root()
        if not isinstance(root, MappingNode):
            raise ApiServerError(f"{file}: must hold one mapping")
        self.root = root

    def place(self, node: Node) -> str:
        """File, line and column of a node."""
        return f"{self.file}:{node.line}:{node.column + 1}"

    def pair(self, mapping: Node, key: str) -> tuple[ScalarNode, Node] | None:
        """A key of a mapping and its value, or None where there is no such key.

        Raises:
            ApiServerError: it is no mapping, or has the key twice.
        """
        if not isinstance(mapping, MappingNode):
            raise ApiServerError(f"{self.place(mapping)}: must be a mapping, with the key {key}")
        found = [(name, value) for name, value in mapping.pairs if name.value == key]
        if len(found) > 1:
            raise ApiServerError(f"{self.place(found[1][0])}: the key {key} stands here a second time")
        return found[0] if found else None

    def value(self, mapping: Node, key: str) -> Node | None:
        """The value of a key, or None where there is no such key; raises as pair does."""
        found = self.pair(mapping, key)
        return found[1] if found else None

    def items(self, mapping: Node, key: str) -> list[Node]:
        """The items of a sequence in a mapping, none where the key is missing or empty.

        Raises:
            ApiServerError: the value is something else.
        """
        node = self.value(mapping, key)
        if node is None or is_null(node):
            return []
        if not isinstance(node, SequenceNode):
            raise ApiServerError(f"{self.place(node)}: {key} must be a list")
        return list(node.items)

    def line_start(self, index: int) -> int:
        """Where the line of a character begins."""
        return self.text.rfind("\n", 0, index) + 1

    def after(self, node: Node) -> int:
        """Where the line after a node's last one begins, or where the text ends."""
        newline = self.text.find("\n", node.end)
        return len(self.text) if newline < 0 else newline + 1

    def insertion(self, index: int, lines: Iterable[str]) -> Edit:
        """Whole lines put in at the beginning of a line, or after a last line that no newline ends."""
        lines = list(lines)
        if index == len(self.text) and not self.text.endswith("\n"):
            return Edit(index, index, "".join(self.eol + line for line in lines))
        return Edit(index, index, "".join(line + self.eol for line in lines))

    def edited(self, edits: Iterable[Edit]) -> str:
        """The text after edits, which must not overlap; those at one place come in their order."""
        pieces = []
        done = 0
        for edit in sorted(edits, key=lambda one: (one.start, one.end)):
            pieces += [self.text[done : edit.start], edit.text]
            done = edit.end
        return "".join([*pieces, self.text[done:]])

    def without(self, spans: Iterable[tuple[int, int]]) -> str:
        """The text without these spans; a last line that loses all that follows it ends as it did before."""
        merged: list[list[int]] = []
        for start, end in sorted(spans):
            if merged and start <= merged[-1][1]:
                merged[-1][1] = max(end, merged[-1][1])
            else:
                merged.append([start, end])
        if merged and merged[-1][1] == len(self.text) and not self.text.endswith("\n"):
            start = merged[-1][0]
            if start and self.text[start - 1] == "\n":
                merged[-1][0] -= 2 if self.text[:start].endswith("\r\n") else 1
        return self.edited(Edit(start, end) for start, end in merged)
