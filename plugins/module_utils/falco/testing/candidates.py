# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values with which a comparison holds, or does not: what is worth trying, near to its constants.

Nothing here is certain; whoever takes a value asks the evaluator whether it does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..catalogue.fields import FieldTable
from ..condition.nodes import Compare, Exists, Field, Node, walk
from ..errors import CheckError
from ..evaluate.comparisons import constants_of
from ..evaluate.constants import ADDRESS_TYPES, NET_TYPES, SIGNED_BITS, STRING_TYPES, UNSIGNED_BITS
from ..evaluate.regex_syntax import Alternation, Assertion, Characters, Expression, Sequence, parse_regex

COMPUTED = {
    "fd.ip": "fd.sip",
    "fd.net": "fd.sip",
    "fd.cnet": "fd.cip",
    "fd.snet": "fd.sip",
    "fd.lnet": "fd.lip",
    "fd.rnet": "fd.rip",
    "fd.port": "fd.sport",
    "fd.proto": "fd.sport",
    "proc.aname": "proc.pname",
    "proc.apid": "proc.ppid",
    "proc.aexe": "proc.pexe",
    "proc.aexepath": "proc.pexepath",
    "proc.acmdline": "proc.pcmdline",
}
"""Fields that are computed, each with one that it can be computed from."""
ORDINARY = {
    "evt.type": "close",
    "proc.name": "program",
    "container.id": "3f2a1b0c9d8e",
    "fd.name": "/srv/file",
    "user.name": "user",
}
"""What fields have on an event that is nothing special."""
_NUMBERS = frozenset((*SIGNED_BITS, *UNSIGNED_BITS, "port"))
_PARTIAL = ("startswith", "endswith", "contains", "icontains", "glob", "iglob", "regex")
_READABLE = "aA0-_ /."


def target(field: Field) -> str:
    """The field that is to be given a value, so that this one has one."""
    return COMPUTED.get(field.text, field.text)


def targets(node: Node) -> list[str]:
    """The fields that a comparison depends on, in order."""
    return list(dict.fromkeys(target(part) for part in walk(node) if isinstance(part, Field)))


def candidates(node: Node, table: FieldTable, before: Any = None) -> Iterator[Any]:
    """Values for the field of a comparison, those that make it hold first.

    Args:
        node: a comparison.
        table: the fields of the rule's source.
        before: what the field has so far, to be kept as a part where that can be.

    Yields:
        Values as in JSON; lists for fields that are lists. None is no value.
    """
    field = next((part for part in walk(node) if isinstance(part, Field)), None)
    if field is None or not isinstance(node, (Compare, Exists)):
        return
    name = target(field)
    try:
        info = table.find(name)
    except CheckError:
        info = None
    if info is None:
        return
    kind = info.type
    if isinstance(node, Exists):
        values: Iterator[Any] = iter((ordinary(name, kind),))
    else:
        op = node.operator.partition(" ")[0]
        constants = constants_of(node.right)
        values = _near(op, constants or (), kind, before) if constants is not None else iter(())
    found = [*values]
    if isinstance(node, Compare) and node.operator.startswith("!="):
        found.insert(0, ordinary(name, kind))  # reads better than what is made of the constant
    seen: list[Any] = []
    for value in (*found, ordinary(name, kind), *_others(kind), None):
        wrapped = [value] if info.is_list and value is not None else value
        if wrapped not in seen:
            seen.append(wrapped)
            yield wrapped


def ordinary(name: str, kind: str) -> Any:
    """A value that is nothing special."""
    if kind in STRING_TYPES:
        return ORDINARY.get(name, "other")
    if kind == "bool":
        return True
    if kind in _NUMBERS:
        return 1
    if kind in ADDRESS_TYPES:
        return "192.0.2.1"
    return "192.0.2.0/24" if kind in NET_TYPES else "00" if kind == "bytebuf" else 1.0 if kind == "double" else "other"


def _others(kind: str) -> tuple[Any, ...]:
    return (False,) if kind == "bool" else (0,) if kind in _NUMBERS else ()


def _near(op: str, constants: tuple[str, ...], kind: str, before: Any) -> Iterator[Any]:
    for text in constants:
        if kind == "bool":
            yield from ((text == "true"), (text != "true"))
        elif kind in _NUMBERS:
            if text.strip().lstrip("+-").isdigit():
                number = int(text)
                wanted = {"<": number - 1, ">": number + 1}.get(op, number)
                yield from (wanted, number, number + 1, *(() if number < 1 else (number - 1,)))
            else:
                yield text
        elif kind in ADDRESS_TYPES or kind in NET_TYPES:
            yield text.partition("/")[0]
        else:
            yield from _texts(op, text, before)


def _texts(op: str, text: str, before: Any) -> Iterator[str]:
    sample = sample_regex(text) if op == "regex" else _sample_glob(text) if op in ("glob", "iglob") else text
    yield sample
    if isinstance(before, str) and op in _PARTIAL:
        yield from (sample + before, before + sample)
    if op in ("startswith", "endswith", "contains", "icontains", "pmatch"):
        # next to it: longer at one end, so that contains is told from the others
        yield from (f"{sample}/x" if op == "pmatch" else f"{sample}-more", f"more-{sample}")
    if op in ("icontains", "iglob"):
        yield sample.swapcase()
    if op != "in":  # every value of a list is near to the others
        yield sample + "x"


def _sample_glob(pattern: str) -> str:
    """A text that a pattern fits, but for the oddest of patterns."""
    text = re.sub(r"\[!.*?\]", "~", pattern)
    return re.sub(r"\\(.)", r"\1", re.sub(r"\[(.).*?\]", r"\1", text).replace("*", "").replace("?", "a"))


def sample_regex(pattern: str) -> str:
    """A short text that a regular expression fits."""
    return _sample(parse_regex(pattern))


def _sample(node: Expression) -> str:
    if isinstance(node, Characters):
        for char in _READABLE:
            if any(low <= ord(char) <= high for low, high in node.ranges):
                return char
        return chr(node.ranges[0][0]) if node.ranges else ""
    if isinstance(node, Assertion):
        return ""
    if isinstance(node, Sequence):
        return "".join(map(_sample, node.parts))
    if isinstance(node, Alternation):
        return min(map(_sample, node.parts), key=len)
    return _sample(node.inner) * node.low
