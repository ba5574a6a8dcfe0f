# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The syntax tree of Falco conditions: immutable by convention, each node with its span in the condition text.

Plain slotted classes rather than dataclasses: a large ruleset makes hundreds of thousands of nodes, and
a frozen dataclass costs three times as much to build. Equality compares structure and ignores spans.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


class Node:
    """One node. `start` and `end` are 0-based character offsets into the condition, `end` exclusive."""

    __slots__ = ("_hash", "end", "start")
    start: int
    end: int
    _hash: int

    def _key(self) -> tuple[Any, ...]:
        return ()

    def children(self) -> Sequence[Node]:
        """The node's direct parts, left to right."""
        return ()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            self._hash = hash((type(self).__name__, self._key()))
            return self._hash

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self._key()!r}"


class _Compound(Node):
    __slots__ = ("operands",)

    def __init__(self, operands: tuple[Node, ...], start: int = 0, end: int = 0) -> None:
        self.operands = operands
        self.start = start
        self.end = end

    def _key(self) -> tuple[Any, ...]:
        return (self.operands,)

    def children(self) -> Sequence[Node]:
        return self.operands


class And(_Compound):
    """All of the operands, two or more."""

    __slots__ = ()


class Or(_Compound):
    """Any of the operands, two or more."""

    __slots__ = ()


class Not(Node):
    """The opposite of the operand."""

    __slots__ = ("operand",)

    def __init__(self, operand: Node, start: int = 0, end: int = 0) -> None:
        self.operand = operand
        self.start = start
        self.end = end

    def _key(self) -> tuple[Any, ...]:
        return (self.operand,)

    def children(self) -> Sequence[Node]:
        return (self.operand,)


class Macro(Node):
    """A reference to a macro by name."""

    __slots__ = ("name",)

    def __init__(self, name: str, start: int = 0, end: int = 0) -> None:
        self.name = name
        self.start = start
        self.end = end

    def _key(self) -> tuple[Any, ...]:
        return (self.name,)


class Field(Node):
    """A field, with its argument when it has one: `proc.aname[2]`."""

    __slots__ = ("arg", "name")

    def __init__(self, name: str, arg: str | None = None, start: int = 0, end: int = 0) -> None:
        self.name = name
        self.arg = arg
        self.start = start
        self.end = end

    def _key(self) -> tuple[Any, ...]:
        return (self.name, self.arg)

    @property
    def text(self) -> str:
        """Name and argument as Falco's field lookup sees them."""
        return self.name if self.arg is None else f"{self.name}[{self.arg}]"


class Transformer(Node):
    """A function of fields and values: `tolower(proc.name)`, `val(proc.exe)`, `join(",", (a.b, c.d))`."""

    __slots__ = ("arg", "args", "name")

    def __init__(self, name: str, args: tuple[Node, ...], arg: str | None = None, start: int = 0, end: int = 0) -> None:
        self.name = name
        self.args = args
        self.arg = arg
        self.start = start
        self.end = end

    def _key(self) -> tuple[Any, ...]:
        return (self.name, self.args, self.arg)

    def children(self) -> Sequence[Node]:
        return self.args


class TransformerList(Node):
    """A parenthesised list of fields, values and transformers as a transformer's argument."""

    __slots__ = ("items",)

    def __init__(self, items: tuple[Node, ...], start: int = 0, end: int = 0) -> None:
        self.items = items
        self.start = start
        self.end = end

    def _key(self) -> tuple[Any, ...]:
        return (self.items,)

    def children(self) -> Sequence[Node]:
        return self.items


class Value(Node):
    """A constant, unescaped. Numbers stay text, as in Falco, and are read by the field's type."""

    __slots__ = ("text",)

    def __init__(self, text: str, start: int = 0, end: int = 0) -> None:
        self.text = text
        self.start = start
        self.end = end

    def _key(self) -> tuple[Any, ...]:
        return (self.text,)


class ValueList(Node):
    """A parenthesised list of constants."""

    __slots__ = ("values",)

    def __init__(self, values: tuple[str, ...], start: int = 0, end: int = 0) -> None:
        self.values = values
        self.start = start
        self.end = end

    def _key(self) -> tuple[Any, ...]:
        return (self.values,)


class Exists(Node):
    """`field exists`."""

    __slots__ = ("left",)

    def __init__(self, left: Node, start: int = 0, end: int = 0) -> None:
        self.left = left
        self.start = start
        self.end = end

    def _key(self) -> tuple[Any, ...]:
        return (self.left,)

    def children(self) -> Sequence[Node]:
        return (self.left,)


class Compare(Node):
    """`left operator right`; the operator carries its modifier, as in `startswith anyof`."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, left: Node, operator: str, right: Node, start: int = 0, end: int = 0) -> None:
        self.left = left
        self.operator = operator
        self.right = right
        self.start = start
        self.end = end

    def _key(self) -> tuple[Any, ...]:
        return (self.left, self.operator, self.right)

    def children(self) -> Sequence[Node]:
        return (self.left, self.right)


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and everything below it, depth first, left to right, without recursion."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        below = current.children()
        if below:
            stack.extend(reversed(below))
