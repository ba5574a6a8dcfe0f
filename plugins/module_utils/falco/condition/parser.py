# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parser of Falco conditions: recursive descent without a token stream, with Falco's own depth limit.

Specification: the grammar at the top of `userspace/libsinsp/filter/parser.h` in falcosecurity/libs. It is
lenient in places, and those are kept: `existsand`, `fd.num<5and` and `contains oneof` are all accepted.
The depth counts what Falco's parser counts, so that a condition is refused at the same nesting here.
"""

from __future__ import annotations

from ..errors import Cause, ConditionSyntaxError, Reason
from . import lexer
from .lexer import BLANKS, quoted_end, unescape
from .nodes import (
    And,
    Compare,
    Exists,
    Field,
    Macro,
    Node,
    Not,
    Or,
    Transformer,
    TransformerList,
    Value,
    ValueList,
)

MAX_DEPTH = 1000
"""Falco's bound on its parser's depth, exclusive; a parenthesis takes five levels."""

_BLANKS = frozenset(BLANKS)
_blank = lexer.blank
_field = lexer.field
_identifier = lexer.identifier
_negation = lexer.negation
_number = lexer.number
_bare = lexer.bare_string
_transformer = lexer.transformer
_operator = lexer.operator
_modifier = lexer.modifier
_NUMERIC = lexer.NUMERIC_OPERATORS
_LISTS = lexer.LIST_OPERATORS


def parse(text: str) -> Node:
    """Parse a condition whose lists were already substituted.

    Raises:
        ConditionSyntaxError: with what was expected and where.
    """
    if not text:
        raise ConditionSyntaxError("filter input string is empty", 0)
    parser = _Parser(text)
    node, end = parser.disjunction(0, 1)
    if end != len(text):
        before = text[:end].rstrip(BLANKS).split(" ")[-1]
        raise ConditionSyntaxError(
            f"unexpected token after '{before}', expecting 'or', 'and'", end, Cause(Reason.TEXT_AFTER_END)
        )
    return node


def parse_operand(text: str) -> tuple[Node, int]:
    """Parse one field or transformer at the start of `text`, as an output's `%` token needs it.

    Returns:
        The node and the offset after it; what follows is ignored.

    Raises:
        ConditionSyntaxError: neither a field nor a transformer starts there.
    """
    parser = _Parser(text)
    match = _field(text, 0)
    if match:
        return parser.field_rest(match.group(), 0, match.end(), 2)
    match = _transformer(text, 0)
    if match:
        return parser.transformer_rest(match.group(1), 0, match.end(), 2)
    raise ConditionSyntaxError("expected a field or a transformer", 0)


def _deep(index: int) -> ConditionSyntaxError:
    return ConditionSyntaxError(f"exceeded max depth limit of {MAX_DEPTH}", index, Cause(Reason.TOO_DEEP))


class _Parser:
    """Parsing functions over one text; each takes an offset and a depth and returns a node and the next offset.

    In Falco each of them refuses what is too deep. Here those do not that call one which refuses it at the same offset.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def skip(self, index: int) -> int:
        return _blank(self.text, index).end()  # type: ignore[union-attr]  # the expression always matches

    def disjunction(self, start: int, depth: int) -> tuple[Node, int]:
        """One or more conjunctions joined by `or`."""
        text = self.text
        node, index = self.conjunction(start, depth + 1)
        if not text.startswith("or", index):
            return node, index
        operands = [node]
        while text.startswith("or", index):
            after = index + 2
            index = self.skip(after)
            if index > after:
                node, index = self.conjunction(index, depth + 1)
            elif text.startswith("(", index):
                node, index = self.embedded(index + 1, depth + 1)
                index = self.skip(index)
            else:
                raise ConditionSyntaxError("expected blank or '(' after 'or'", index)
            operands.append(node)
        return Or(tuple(operands), start, index), index

    def conjunction(self, start: int, depth: int) -> tuple[Node, int]:
        """One or more possibly negated checks joined by `and`; blanks after the last are consumed."""
        text = self.text
        operands: list[Node] | None = None
        index = self.skip(start)
        start = index
        while True:
            node, index = self.negatable(index, depth)
            index = self.skip(index)
            while True:
                if operands is not None:
                    operands.append(node)
                if not text.startswith("and", index):
                    if operands is None:
                        return node, index
                    return And(tuple(operands), start, index), index
                if operands is None:
                    operands = [node]
                after = index + 3
                index = self.skip(after)
                if index > after:
                    break
                if not text.startswith("(", index):
                    raise ConditionSyntaxError("expected blank or '(' after 'and'", index)
                node, index = self.embedded(index + 1, depth + 1)
                index = self.skip(index)

    def negatable(self, begin: int, depth: int) -> tuple[Node, int]:
        """A check or what stands in parentheses, with any number of `not` before it."""
        # the negations and the check itself are parse_not and parse_check in Falco: one level each
        if depth + 2 >= MAX_DEPTH:
            raise _deep(begin)
        text = self.text
        index = begin
        negated = False
        if text.startswith("not", index):
            match = _negation(text, index)
            while match:
                negated = not negated
                index = match.end()
                match = _negation(text, index)
        if text.startswith("not(", index):
            negated = not negated
            node, index = self.embedded(index + 4, depth + 2)
        else:
            index = self.skip(index)
            if text.startswith("(", index):
                node, index = self.embedded(index + 1, depth + 3)
            else:
                node, index = self.check(index, depth + 2)
        return (Not(node, begin, index) if negated else node), index

    def embedded(self, index: int, depth: int) -> tuple[Node, int]:
        """What follows an opening parenthesis, up to and with the closing one."""
        if depth >= MAX_DEPTH:
            raise _deep(index)
        node, index = self.disjunction(self.skip(index), depth + 1)
        if not self.text.startswith(")", index):
            raise ConditionSyntaxError("expected a ')' token", index, Cause(Reason.TEXT_AFTER_END))
        return node, index + 1

    def check(self, start: int, depth: int) -> tuple[Node, int]:
        """A comparison or a macro's name."""
        text = self.text
        match = _field(text, start)
        if match:
            index = match.end()
            if text.startswith("[", index):
                left, index = self.field_rest(match.group(), start, index, depth + 1)
            else:
                left = Field(match.group(), None, start, index)
        else:
            match = _transformer(text, start)
            if not match:
                match = _identifier(text, start)
                if match:
                    return Macro(match.group(), start, match.end()), match.end()
                raise ConditionSyntaxError(
                    "expected a '(' token, a field check, or an identifier", start, Cause(Reason.NO_VALUE)
                )
            left, index = self.transformer_rest(match.group(1), start, self.skip(match.end()), depth + 1)
        return self.comparison(left, start, index, depth + 1)

    def comparison(self, left: Node, start: int, index: int, depth: int) -> tuple[Node, int]:
        """The operator and the right-hand side."""
        if depth >= MAX_DEPTH:
            raise _deep(index)
        text = self.text
        index = self.skip(index)
        match = _operator(text, index)
        if not match:
            names = ", ".join(f"'{name}'" for name in lexer.OPERATORS)
            raise ConditionSyntaxError(
                f"expected a valid check operator: one of {names}", index, Cause(Reason.NO_OPERATOR)
            )
        operator = match.group()
        index = match.end()
        right: Node
        if operator == "exists":
            return Exists(left, start, index), index
        if operator in _NUMERIC:
            right, index = self.number_value(index, depth + 1)
        elif operator in _LISTS:
            right, index = self.list_value(index, depth + 1, True)
        else:
            after = self.skip(index)
            modified = _modifier(text, after) if after > index else None
            if modified:
                operator = f"{operator} {modified.group(1)}"
                right, index = self.list_value(modified.end(), depth + 1, False)
            else:
                right, index = self.string_value(after, depth + 1, True)
        return Compare(left, operator, right, start, index), index

    def number_value(self, index: int, depth: int) -> tuple[Node, int]:
        if depth >= MAX_DEPTH:
            raise _deep(index)
        index = self.skip(index)
        found = self.function_value(index, depth + 1)
        if found:
            return found
        match = _number(self.text, index)
        if match:
            return Value(match.group(), index, match.end()), match.end()
        raise ConditionSyntaxError(
            "expected a number value or a field with a valid transformer", index, Cause(Reason.NO_VALUE)
        )

    def string_value(self, index: int, depth: int, functions: bool) -> tuple[Node, int]:
        if depth >= MAX_DEPTH:
            raise _deep(index)
        text = self.text
        index = self.skip(index)
        if functions:
            found = self.function_value(index, depth + 1)
            if found:
                return found
        if text.startswith(("'", '"'), index):
            end = quoted_end(text, index)
            if end > 0:
                return Value(unescape(text[index:end], index), index, end), end
        match = _bare(text, index)
        if match:
            return Value(match.group(), index, match.end()), match.end()
        raise ConditionSyntaxError(
            "expected a string value or a field with a valid transformer" if functions else "expected a string value",
            index,
            Cause(Reason.NO_VALUE),
        )

    def list_value(self, index: int, depth: int, functions: bool) -> tuple[Node, int]:
        """A parenthesised list, a function where allowed, or a bare name."""
        if depth >= MAX_DEPTH:
            raise _deep(index)
        text = self.text
        index = self.skip(index)
        start = index
        if text.startswith("(", index):
            values: list[str] = []
            index = self.skip(index + 1)
            try:
                node, index = self.string_value(index, depth + 1, False)
            except ConditionSyntaxError as error:
                # Falco takes any failure of the first value for an empty list and goes on where it stopped.
                index = error.index
            else:
                values.append(node.text)  # type: ignore[attr-defined]  # without functions it is a Value
                index = self.skip(index)
                while text.startswith(",", index):
                    node, index = self.string_value(index + 1, depth + 1, False)
                    values.append(node.text)  # type: ignore[attr-defined]  # as above
                    index = self.skip(index)
            if not text.startswith(")", index):
                raise ConditionSyntaxError("expected a ')' token", index, Cause(Reason.NO_VALUE))
            return ValueList(tuple(values), start, index + 1), index + 1
        if functions:
            found = self.function_value(index, depth + 1)
            if found:
                return found
        match = _identifier(text, index)
        if match:
            return Value(match.group(), index, match.end()), match.end()
        raise ConditionSyntaxError("expected a list or an identifier", index, Cause(Reason.NO_VALUE))

    def function_value(self, index: int, depth: int) -> tuple[Node, int] | None:
        """`val(field)` or a transformer on the right-hand side; None when there is neither."""
        if depth >= MAX_DEPTH:
            raise _deep(index)
        text = self.text
        start = index
        if text.startswith("val(", index):
            index = self.skip(index + 4)
            match = _field(text, index)
            if not match:
                raise ConditionSyntaxError("expected a field within 'val' transformer", index)
            child, index = self.field_rest(match.group(), index, match.end(), depth + 1)
            index = self.skip(index)
            if not text.startswith(")", index):
                raise ConditionSyntaxError("expected a ')' token closing the transformer", index)
            arg, index = self.argument(index + 1)
            return Transformer("val", (child,), arg, start, index), index
        match = _transformer(text, index)
        if match:
            return self.transformer_rest(match.group(1), start, self.skip(match.end()), depth + 1)
        return None

    def field_rest(self, name: str, start: int, index: int, depth: int) -> tuple[Node, int]:
        if depth >= MAX_DEPTH:
            raise _deep(index)
        arg, index = self.argument(index)
        return Field(name, arg, start, index), index

    def argument(self, index: int) -> tuple[str | None, int]:
        """An optional `[argument]`, quoted or bare."""
        text = self.text
        if not text.startswith("[", index):
            return None, index
        index += 1
        arg: str | None = None
        if text.startswith(("'", '"'), index):
            end = quoted_end(text, index)
            if end > 0:
                arg = unescape(text[index:end], index)
                index = end
        if arg is None:
            match = lexer.bare_argument(text, index)
            if not match:
                raise ConditionSyntaxError("expected a valid field argument: a quoted string or a bare string", index)
            arg = match.group()
            index = match.end()
        if not text.startswith("]", index):
            raise ConditionSyntaxError("expected a ']' token", index)
        return arg, index + 1

    def transformer_rest(self, name: str, start: int, index: int, depth: int) -> tuple[Node, int]:
        """A transformer's arguments, its closing parenthesis and its own optional argument."""
        args: list[Node] = []
        while True:
            node, index = self.transformer_argument(index, depth + 1)
            args.append(node)
            index = self.skip(index)
            if not self.text.startswith(",", index):
                break
            index += 1
        if not self.text.startswith(")", index):
            raise ConditionSyntaxError("expected a ')' token closing the transformer", index)
        arg, index = self.argument(index + 1)
        return Transformer(name, tuple(args), arg, start, index), index

    def transformer_argument(self, index: int, depth: int) -> tuple[Node, int]:
        if depth >= MAX_DEPTH:
            raise _deep(index)
        text = self.text
        index = self.skip(index)
        if not text.startswith("(", index):
            return self.transformer_operand(
                index, depth, "expected a field, a transformer, a quoted string, a number or a list as argument"
            )
        start = index
        items: list[Node] = []
        index = self.skip(index + 1)
        if text.startswith(")", index):
            return TransformerList((), start, index + 1), index + 1
        while True:
            node, index = self.transformer_operand(
                index, depth, "expected a field, a transformer, a quoted string or a number as list argument"
            )
            items.append(node)
            index = self.skip(index)
            if not text.startswith(",", index):
                break
            index = self.skip(index + 1)
        if not text.startswith(")", index):
            raise ConditionSyntaxError("expected ')'", index)
        return TransformerList(tuple(items), start, index + 1), index + 1

    def transformer_operand(self, index: int, depth: int, expected: str) -> tuple[Node, int]:
        text = self.text
        match = _field(text, index)
        if match:
            return self.field_rest(match.group(), index, match.end(), depth + 1)
        match = _transformer(text, index)
        if match:
            return self.transformer_rest(match.group(1), index, match.end(), depth + 1)
        if text.startswith(("'", '"'), index):
            end = quoted_end(text, index)
            if end > 0:
                return Value(unescape(text[index:end], index), index, end), end
        match = _number(text, index)
        if match:
            return Value(match.group(), index, match.end()), match.end()
        raise ConditionSyntaxError(expected, index)
