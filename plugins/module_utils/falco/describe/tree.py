# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions as trees whose parts know where they were written, and through which lists and exceptions they came."""

from __future__ import annotations

from typing import NamedTuple

from ..condition.nodes import And, Macro, Node, Not, Or
from ..condition.printer import to_text
from ..judge.positions import Place, Places
from ..load.ruleset import Loaded

AND, OR, NOT, MACRO, CHECK = "and", "or", "not", "macro", "check"


class Branch(NamedTuple):
    """A part of a condition.

    Attributes:
        kind: AND, OR, NOT, MACRO or CHECK.
        text: a comparison as text, or a macro's name; empty for the others.
        place: where its first character was written, or None.
        way: (kind, name) of the lists and the exception that it came through, each once.
        parts: what is below it; of a macro nothing, since its own tree says that.
    """

    kind: str
    text: str
    place: Place | None
    way: tuple[tuple[str, str], ...]
    parts: tuple[Branch, ...] = ()


class Trees:
    """Makes the trees of one loaded ruleset."""

    def __init__(self, loaded: Loaded) -> None:
        lines = {file.name: file.text.split("\n") for file in loaded.files}
        self._places = Places(loaded, lambda file: lines.get(file, []))

    def of(self, owner: tuple[str, str], node: Node) -> Branch:
        """The tree of a rule or macro.

        Args:
            owner: `rule` or `macro`, and its name.
            node: what its condition was parsed to.
        """
        if isinstance(node, (And, Or)):
            parts = tuple(self.of(owner, part) for part in node.operands)
            return Branch(AND if isinstance(node, And) else OR, "", None, (), parts)
        if isinstance(node, Not):
            return Branch(NOT, "", None, (), (self.of(owner, node.operand),))
        kind, text = (MACRO, node.name) if isinstance(node, Macro) else (CHECK, to_text(node))
        return Branch(kind, text, *self._places.written(owner, node))
