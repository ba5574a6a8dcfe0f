# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a parsed condition an older version of Falco cannot read.

The parser reads the grammar of the newest version, of which the older ones are subsets; so what came later is looked
for in the tree.
"""

from __future__ import annotations

from ..catalogue.language import Language
from ..errors import Cause, ConditionSyntaxError, Reason
from .lexer import BLANKS, STRING_OPERATORS
from .nodes import Compare, Node, Transformer, TransformerList, Value, walk
from .parser import parse, parse_operand

_NO_OPERATOR = Cause(Reason.NO_OPERATOR)
_WORDS = frozenset(operator for operator in STRING_OPERATORS if operator.isalpha())


def parse_in(text: str, language: Language) -> Node:
    """Parse a condition as one version of Falco does.

    Raises:
        ConditionSyntaxError: as `parser.parse`, and for what came with a later version.
    """
    node = parse(text)
    if not language.newest:
        refuse_newer(node, text, language)
    return node


def parse_operand_in(text: str, language: Language) -> tuple[Node, int]:
    """Parse one field or transformer at the start of a text, as one version of Falco does.

    Raises:
        ConditionSyntaxError: as `parser.parse_operand`, and for what came with a later version.
    """
    node, end = parse_operand(text)
    if not language.newest:
        refuse_newer(node, text, language)
    return node, end


def refuse_newer(node: Node, text: str, language: Language) -> None:
    """Refuse the first thing in a condition that a version does not know.

    Args:
        node: the parsed condition.
        text: what it was parsed from.
        language: of the version.

    Raises:
        ConditionSyntaxError: at that thing.
    """
    for part in walk(node):
        if isinstance(part, Compare):
            _comparison(part, text, language)
        elif isinstance(part, Transformer):
            _transformer(part, language)


def _comparison(node: Compare, text: str, language: Language) -> None:
    operator, _blank, modifier = node.operator.partition(" ")
    index = node.left.end
    while text[index] in BLANKS:
        index += 1
    after = index + len(operator)
    if operator not in language.operators:
        raise ConditionSyntaxError(_expected(language), index, _NO_OPERATOR)
    if not language.blank_of_any_kind and operator in _WORDS and text[after] != " ":
        raise ConditionSyntaxError(
            f"{_expected(language)}; in Falco {language.falco} one space has to follow '{operator}'",
            index,
            _NO_OPERATOR,
        )
    if modifier and modifier not in language.modifiers:
        while text[after] in BLANKS:
            after += 1
        raise ConditionSyntaxError(
            f"unexpected token after '{modifier}', expecting 'or', 'and'",
            after + len(modifier) + 1,
            Cause(Reason.TEXT_AFTER_END),
        )


def _expected(language: Language) -> str:
    names = ", ".join(f"'{name}'" for name in language.operators)
    return f"expected a valid check operator: one of {names}"


def _transformer(node: Transformer, language: Language) -> None:
    if node.name == "val":
        return
    if node.name not in language.transformers:
        known = ", ".join(("val", *language.transformers))
        raise ConditionSyntaxError(
            f"'{node.name}' is no field transformer of Falco {language.falco}, which has {known}",
            node.start,
            Cause(Reason.UNKNOWN_TRANSFORMER),
        )
    if language.many_arguments:
        return
    if len(node.args) > 1:
        raise ConditionSyntaxError("expected a ')' token closing the transformer", node.args[0].end)
    if isinstance(node.args[0], (Value, TransformerList)):
        raise ConditionSyntaxError("expected a field or a valid transformer", node.args[0].start)
    if node.arg is not None:
        raise ConditionSyntaxError("expected a valid check operator", node.args[0].end + 1, _NO_OPERATOR)
