# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rule's output: which fields its `%` tokens name, and whether Falco accepts them.

A token is the longest text after `%` that is a field or transformer, so `%proc.aname[x]` is `proc.aname`
followed by text. `%%` is no escape. Source: `userspace/libsinsp/eventformatter.cpp` in falcosecurity/libs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..catalogue.fields import FieldTable
from ..catalogue.language import CONTAINER_INFO
from ..condition.checks import operand
from ..condition.dialect import parse_operand_in
from ..condition.nodes import Node
from ..errors import Cause, CheckError, ConditionSyntaxError, EngineAbortError

_TOKEN = re.compile(r"%(?P<width>[0-9]*)(?P<word>[a-zA-Z0-9_.]*(?:\[[^\]\s]*\]?|\([^()\s]*\))?)")


def output_tokens(table: FieldTable, output: str) -> list[tuple[int, Node]]:
    """Split an output into its tokens.

    Args:
        table: the fields of the rule's source.
        output: the rule's output, as Falco formats it.

    Returns:
        (offset of the token's `%`, its field or transformer) in order.

    Raises:
        CheckError: Falco refuses the output; its message is Falco's.
    """
    if not output:
        raise CheckError("empty formatting token")
    shift = 1 if output.startswith("*") else 0
    text = output[shift:]
    tokens: list[tuple[int, Node]] = []
    size = len(text)
    index = text.find("%")
    while index >= 0:
        percent = index
        if index == size - 1:
            raise CheckError("invalid formatting syntax: formatting cannot end with a %")
        while text[index + 1] in "0123456789":
            index += 1
            if index == size - 1:
                raise CheckError("invalid formatting syntax: formatting cannot end with a number")
        node, length = _token(table, text[index + 1 :])
        tokens.append((percent + shift, node))
        index = text.find("%", index + 1 + length)
    return tokens


class Continued(NamedTuple):
    """A token that goes on after its field as a longer name would: its offset, all of it, and the field."""

    offset: int
    text: str
    field: str


def output_words(table: FieldTable, output: str) -> Iterator[Continued]:
    """The tokens of an accepted output that are no field as a whole: Falco takes the longest field they start with."""
    for match in _TOKEN.finditer(output):
        word = match.group("word").rstrip(".")
        if "." not in word or word.endswith(")"):
            continue
        end = table.ends.get(word)
        if end is None:
            try:
                end = table.ends[word] = _token(table, word)[1]
            except CheckError:
                end = table.ends[word] = len(word)
        if end < len(word):
            yield Continued(match.start(), word, word[:end])


class Refused(NamedTuple):
    """A token that Falco refuses: the offset of its `%`, what follows it, and why."""

    offset: int
    word: str
    cause: Cause | None


def refused_tokens(table: FieldTable, output: str) -> list[Refused]:
    """Every token of an output that Falco would refuse; it tells the first alone, and not where."""
    found = []
    for match in _TOKEN.finditer(output):
        if output.startswith(CONTAINER_INFO, match.start()):
            continue
        try:
            if not output[match.end("width") :]:
                raise CheckError("formatting cannot end here")
            _token(table, output[match.end("width") :])
        except CheckError as error:
            found.append(Refused(match.start(), match.group("word"), error.cause))
    return found


def _token(table: FieldTable, text: str) -> tuple[Node, int]:
    size = len(text)
    cause: Cause | None = None  # of the whole token; Falco's message is that of the shortest it tries
    while True:
        try:
            node, end = parse_operand_in(text[:size], table.catalogue.language)
            operand(table, node)
            return node, end
        except ConditionSyntaxError as error:
            message, cause = error.message, cause or error.cause
            # text beyond the point of failure does not change the outcome
            size = min(size, error.index + 1) - 1
        except CheckError as error:
            message, cause = str(error), cause or error.cause
            size = min(size, end) - 1
        except EngineAbortError as error:
            raise CheckError(str(error)) from error
        if size <= 0:
            raise CheckError(f"unknown filter: {message}", cause)
