# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML as nodes that know where they stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

NULL_TEXTS = frozenset(("", "~", "null", "Null", "NULL"))


@dataclass
class Node:
    """What stands at one place of a text.

    Attributes:
        start: index of its first character.
        end: index behind its last character.
        line: counted from 1.
        column: of its first character, counted from 0.
    """

    start: int
    end: int
    line: int
    column: int


@dataclass
class ScalarNode(Node):
    """One value.

    Attributes:
        value: its text, without quotes; that of a block scalar is not read.
        style: of the first character: a quote, a bar, an angle, or nothing for plain text.
    """

    value: str = ""
    style: str = ""


@dataclass
class SequenceNode(Node):
    """A list, in lines or in brackets."""

    items: list[Node] = field(default_factory=list)
    flow: bool = False


@dataclass
class MappingNode(Node):
    """Keys and values in their order, in lines or in braces; a key may repeat."""

    pairs: list[tuple[ScalarNode, Node]] = field(default_factory=list)
    flow: bool = False


def is_null(node: Node) -> bool:
    """Whether nothing stands there, or null."""
    return isinstance(node, ScalarNode) and not node.style and node.value in NULL_TEXTS


def is_flow(node: Node) -> bool:
    """Whether a collection is written in brackets or braces."""
    return isinstance(node, (SequenceNode, MappingNode)) and node.flow


def text_of(node: Node) -> str:
    """The text of a scalar, nothing of a collection."""
    return node.value if isinstance(node, ScalarNode) else ""


def plain(node: Node) -> Any:
    """A node as Python's values: texts, truth values, None, lists, dicts. Numbers stay texts."""
    if isinstance(node, MappingNode):
        return {key.value: plain(value) for key, value in node.pairs}
    if isinstance(node, SequenceNode):
        return [plain(item) for item in node.items]
    if is_null(node):
        return None
    text = text_of(node)
    if isinstance(node, ScalarNode) and not node.style and text in {"true", "false"}:
        return text == "true"
    return text
