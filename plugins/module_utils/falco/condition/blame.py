# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which part of a comparison Falco refuses: its field, its operator, or which of its values.

Falco tells a comparison only; here its checks are asked one by one, on the comparison that was refused.
"""

from __future__ import annotations

from ..catalogue.fields import FieldTable
from ..errors import CheckError, EngineAbortError
from . import lexer
from .checks import check_constant, check_operator, operand
from .lexer import quoted_end
from .nodes import Compare, Exists, Node, ValueList, walk

_REFUSED = (CheckError, EngineAbortError)


def blamed(table: FieldTable, node: Node, text: str) -> int:
    """Where in a condition the part that Falco refuses starts.

    Args:
        table: fields of the source.
        node: the check that is refused.
        text: the condition that it was parsed from.

    Returns:
        An offset into the text; the check's own start when no part can be told.
    """
    if isinstance(node, Exists):
        return _operand(table, node.left)
    if not isinstance(node, Compare):
        return node.start
    try:
        left = operand(table, node.left)
    except _REFUSED:
        return _operand(table, node.left)
    operator = node.operator.split(" ", 1)[0]
    try:
        check_operator(operator, left.info)
    except _REFUSED:
        return _behind_blanks(text, node.left.end)
    right = node.right
    if isinstance(right, ValueList):
        for number, value in enumerate(right.values):
            try:
                check_constant(table, left, operator, value)
            except _REFUSED:
                return value_start(right, number, text)
        return node.start
    return _operand(table, right)


def _operand(table: FieldTable, node: Node) -> int:
    """The innermost part of an operand that is refused by itself."""
    for part in walk(node):
        inner = any(_refused(table, child) for child in part.children())
        if not inner and _refused(table, part):
            return part.start
    return node.start


def _refused(table: FieldTable, node: Node) -> bool:
    try:
        operand(table, node)
    except _REFUSED:
        return True
    return False


def value_start(node: ValueList, number: int, text: str) -> int:
    """Where one value of a parenthesised list starts."""
    index = _behind_blanks(text, node.start + 1)
    for _value in range(number):
        # The list was parsed from this text, so that each value but the last has an end and a comma.
        bare = lexer.bare_string(text, index)
        index = bare.end() if bare else quoted_end(text, index)
        index = _behind_blanks(text, text.index(",", index) + 1)
    return index


def _behind_blanks(text: str, index: int) -> int:
    return lexer.blank(text, index).end()  # type: ignore[union-attr]  # always matches
