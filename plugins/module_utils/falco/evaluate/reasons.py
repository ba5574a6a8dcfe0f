# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""Why a rule fired or did not: the parts of its condition that decided, with the event's values.

Of `and` that failed the first failing part decided, of `and` that held every part; of `or` the other way round.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..condition.nodes import Field, Macro, Node, walk
from ..condition.printer import to_text
from .conditions import ALL, ANY, CHECK, MACRO, NOT, Part
from .operands import Fields
from .special import seen_value


class Reason(NamedTuple):
    """A comparison that decided.

    Attributes:
        text: the comparison.
        holds: whether it holds on the event.
        negated: whether a `not` turns it round.
        values: what the event has for each field in it; None is no value.
        macros: the macros through which the condition got there, outermost first.
        start, end: its place in the text of the innermost macro's condition, or of the rule's; end exclusive.
    """

    text: str
    holds: bool
    negated: bool
    values: dict[str, Any]
    macros: tuple[str, ...]
    start: int
    end: int

    def __str__(self) -> str:
        seen = ", ".join(
            f"{field} has no value" if value is None else f"{field} is {value!r}"
            for field, value in self.values.items()
        )
        through = f" (in {' → '.join(self.macros)})" if self.macros else ""
        return f"{'not ' if self.negated else ''}{self.text}{through}: {seen}"


def reasons(part: Part, fields: Fields) -> list[Reason]:
    """The comparisons that decided about a compiled condition, left to right."""
    return list(_deciding(part, fields, part.test(fields), False, ()))


def _deciding(part: Part, fields: Fields, holds: bool, negated: bool, macros: tuple[str, ...]) -> Iterator[Reason]:
    if part.kind == CHECK:
        yield Reason(
            to_text(part.node), holds, negated, _values(part.node, fields), macros, part.node.start, part.node.end
        )
    elif part.kind == NOT:
        yield from _deciding(part.parts[0], fields, not holds, not negated, macros)
    elif part.kind == MACRO:
        name = part.node.name if isinstance(part.node, Macro) else ""
        yield from _deciding(part.parts[0], fields, holds, negated, (*macros, name))
    elif holds == (part.kind == ALL):
        for inner in part.parts:
            yield from _deciding(inner, fields, holds, negated, macros)
    else:
        # the first that went the other way ended the evaluation
        wanted = part.kind == ANY
        for inner in part.parts:
            if inner.test(fields) == wanted:
                yield from _deciding(inner, fields, wanted, negated, macros)
                return


def _values(node: Node, fields: Fields) -> dict[str, Any]:
    return {part.text: seen_value(fields, part) for part in walk(node) if isinstance(part, Field)}
