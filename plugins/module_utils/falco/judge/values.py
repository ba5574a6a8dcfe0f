# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparisons that Falco accepts and that do not hold as they were meant: values, names of lists, empty fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ...common.words import slips
from ..catalogue.maintained import COMMENT, MAINTAINED
from ..condition import lexer
from ..condition.blame import value_start
from ..condition.nodes import Compare, Field, Node, Value, ValueList, walk
from .advice import Advice

MAX_NAME_BYTES = 15
"""What the kernel keeps of a process's name (`TASK_COMM_LEN`, less the byte that ends it)."""
_NAMES = frozenset(("proc.name", "proc.pname", "proc.aname", "proc.vpgid.name", "proc.sname", "proc.pgid.name"))
_WHOLE = frozenset(("=", "==", "!=", "in", "intersects"))
_PARTS = frozenset(("startswith", "endswith", "contains"))
_PATHS = ("fd.", "fs.", "proc.exe", "proc.pexe", "evt.arg.path", "evt.arg.name", "evt.arg.filename", "evt.arg.target")
_OF_EVENTS = frozenset(("evt.type", "evt.type.is", "syscall.type"))
"""Fields of events' names: macros are called after events."""
_NAME = re.compile(r"[A-Za-z0-9.]*[_-][A-Za-z0-9._-]*")
"""A word that may be the name of a list: any without one of these signs may be a process's name."""
_GLOB = re.compile(r"[^*?\s]*/[^*?\s]*\*|\*[^*?\s]*/[^*?\s]*|\*\.[a-z0-9]+")
_CURLY = {"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'"}
_SHORTEST, _LONG = 5, 10
"""Letters of a word that may be a list's name with one slip, or with two."""
_JOINED = re.compile(r"[a-z0-9_.-]+(?:,? +[a-z0-9_.-]+)+")
_JOINED_NAMES = re.compile(r"[a-z0-9_./:@-]+(?:,? +[a-z0-9_./:@-]+)+")
_JOINED_PATHS = re.compile(r"[^\s,]*/[^\s,]+(?:,? +[^\s,]*/[^\s,]+)+")
_WITHOUT_BLANKS = ("container.image", "container.name", "k8s.ns.name", "k8s.pod.name", "ka.target.namespace")
_LINES = (
    "proc.cmdline",
    "proc.pcmdline",
    "proc.acmdline",
    "proc.args",
    "proc.aargs",
    "proc.exeline",
    "evt.args",
    "evt.info",
)
"""Fields of whole lines, which have blanks."""
EMPTY_KINDS = ("k8s.deployment.", "k8s.rs.", "k8s.rc.", "k8s.svc.", "k8s.ns.label", "k8s.ns.id")
"""Fields that nothing fills since Falco asks no API server any more; the plugin k8smeta has fields in their place."""

DEAD_VALUE, NAME_AS_VALUE, EMPTY_FIELD = "FN012", "FN013", "FN014"


class Flaw(NamedTuple):
    """What is wrong with a comparison.

    Attributes:
        code, message: of the finding.
        offset: in the condition.
        advice: what would be right.
        bare: it is right where its author wrote it in quotes.
    """

    code: str
    message: str
    offset: int
    advice: Advice
    bare: bool = False


def flaws(node: Node, text: str, names: Names) -> Iterator[Flaw]:
    """Look through the checks of a condition.

    Args:
        node: the condition's tree, macros closed.
        text: what it was parsed from.
        names: the names of macros and lists.
    """
    for part in walk(node):
        if isinstance(part, Field):
            if part.name.startswith(EMPTY_KINDS):
                yield empty_field(part.name, part.start)
        elif isinstance(part, Compare) and isinstance(part.left, Field):
            right = part.right
            if isinstance(right, ValueList):
                for number, value in enumerate(right.values):
                    flaw = names.flaw(value, part.left) or _of_value(part, part.left, value)
                    if flaw is not None:
                        yield flaw._replace(offset=value_start(right, number, text))
            elif isinstance(right, Value):
                flaw = names.of_one(right.text) or _of_value(part, part.left, right.text)
                if flaw is not None:
                    yield flaw._replace(offset=_operator(part, text) if flaw.advice.wrong in _WHOLE else right.start)


def _operator(node: Compare, text: str) -> int:
    return lexer.blank(text, node.left.end).end()  # type: ignore[union-attr]  # always matches


def empty_field(name: str, offset: int) -> Flaw:
    """A field that nothing fills, where it stands."""
    hint = "remove it"
    instead = name.replace("k8s.", "k8smeta.", 1).replace(".id", ".uid")
    if instead != name and ".labels" not in instead:
        hint = f"load the plugin k8smeta, whose field is '{instead}'"
    return Flaw(EMPTY_FIELD, f"'{name}' is always empty: Falco asks no API server for it", offset, Advice(hint))


def _of_value(node: Compare, field: Field, value: str) -> Flaw | None:
    operator = node.operator.split(" ", 1)[0]
    if any(sign in value for sign in _CURLY):
        return _curly(value)
    if isinstance(node.right, ValueList):
        joined = _joined(field, value)
        if joined is not None:
            return joined
    if field.name in _NAMES:
        size = len(value.encode("utf-8", "surrogateescape"))
        if size > MAX_NAME_BYTES and operator in _WHOLE | _PARTS and "," not in value:
            cut = value.encode("utf-8", "surrogateescape")[:MAX_NAME_BYTES].decode("utf-8", "ignore")
            verb = "always" if operator == "!=" else "never"
            right = cut if operator in _WHOLE else ""
            return Flaw(
                DEAD_VALUE,
                f"'{value}' has {size} letters, and the kernel keeps {MAX_NAME_BYTES} of a process's name: this "
                f"{verb} holds",
                0,
                Advice(f"write '{cut}', or compare 'proc.exepath'", value if right else "", right),
            )
        start = re.split(r"[*?\[]", value, maxsplit=1)[0].encode("utf-8", "surrogateescape")
        if operator in ("glob", "iglob") and len(start) > MAX_NAME_BYTES:
            message = (
                f"'{value}' begins with {len(start)} letters, and the kernel keeps {MAX_NAME_BYTES} of a process's name"
            )
            return Flaw(DEAD_VALUE, f"{message}: this never holds", 0, Advice("compare 'proc.exepath'"))
    if field.name.startswith(_PATHS) and _GLOB.fullmatch(value):
        return _glob(operator, value)
    return None


def _joined(field: Field, value: str) -> Flaw | None:
    """Two values that a missing comma made one: names have no blanks, and two paths or images are not one."""
    apart = (
        _JOINED if field.name in _NAMES else _JOINED_NAMES if field.name.startswith(_WITHOUT_BLANKS) else _JOINED_PATHS
    )
    if field.name.startswith(_LINES) or not apart.fullmatch(value):
        return None
    parts = re.split(r",? +", value)
    right = ", ".join(parts)
    message = f"'{value}' is one value with a blank in it: a comma is missing"
    return Flaw(DEAD_VALUE, message, 0, Advice(f"write them apart: {right}", value, right), True)


def _glob(operator: str, value: str) -> Flaw | None:
    message = f"'*' stands for itself here, so '{value}' is no pattern"
    if operator in ("=", "=="):
        return Flaw(DEAD_VALUE, message, 0, Advice("compare with 'glob'", operator, "glob"))
    if operator == "startswith" and value.endswith("*"):
        return Flaw(DEAD_VALUE, message, 0, Advice(f"write '{value[:-1]}'", value, value[:-1]))
    if operator == "endswith" and value.startswith("*"):
        return Flaw(DEAD_VALUE, message, 0, Advice(f"write '{value[1:]}'", value, value[1:]))
    if operator in ("in", "intersects", "!="):
        return Flaw(DEAD_VALUE, message, 0, Advice("compare with 'glob' by itself, or prefixes with 'pmatch'"))
    return None


def _curly(value: str) -> Flaw:
    straight = "".join(_CURLY.get(char, char) for char in value)
    return Flaw(
        DEAD_VALUE,
        f"the quotes of '{value}' are curly and belong to the value, which never occurs",
        0,
        Advice("write straight quotes", value, straight),
    )


class Names:
    """The names of macros and lists, of a ruleset and of the maintained ones."""

    def __init__(self, lists: frozenset[str], macros: Mapping[str, str]) -> None:
        """*macros* are conditions by their macro's name."""
        self.lists = {name: frozenset(name) for name in lists}
        self.macros = macros
        self._known: dict[str, Flaw | None] = {}

    def flaw(self, value: str, field: Field) -> Flaw | None:
        """Whether a value of a list is a name that was meant to be replaced."""
        if value in self.macros and field.name not in _OF_EVENTS and not self._is_word(value):
            hint = "a macro is written by itself, as a check of its own"
            return Flaw(NAME_AS_VALUE, f"'{value}' is compared as a word, and is the name of a macro", 0, Advice(hint))
        return self._remembered(value)

    def of_one(self, value: str) -> Flaw | None:
        """Whether the value of an operator that takes one was meant as a list."""
        flaw = self._remembered(value)
        if flaw is None or not flaw.advice.hint.startswith("did you mean"):
            return None
        return flaw._replace(advice=Advice(f"{flaw.advice.hint} A list is compared with 'in (...)'"))

    def _is_word(self, name: str) -> bool:
        """Whether a macro is called after the very word that it compares with: `docker` of `proc.name = docker`."""
        return name in re.findall(r"[^\s()\"',=]+", self.macros[name])

    def _remembered(self, value: str) -> Flaw | None:
        if value not in self._known:
            self._known[value] = self._flaw(value)
        return self._known[value]

    def _flaw(self, value: str) -> Flaw | None:
        message = f"'{value}' is compared as a word: no list is called that"
        if not _NAME.fullmatch(value) or len(value) < _SHORTEST or value in self.macros:
            return None
        allowed = 2 if len(value) >= _LONG else 1
        allowed = allowed if "_" in value else 1
        # comparing letter by letter is dear; a slip changes two letters of a name's set at most
        letters = frozenset(value)
        near = [
            name
            for name, others in self.lists.items()
            if abs(len(name) - len(value)) <= allowed
            and len(letters ^ others) <= 2 * allowed
            and 0 < slips(value, name) <= allowed
        ]
        if near:
            right = near[0] if len(near) == 1 else ""
            return Flaw(NAME_AS_VALUE, message, 0, Advice(f"did you mean '{near[0]}'?", value if right else "", right))
        known = MAINTAINED.get(("list", value))
        if known is None:
            return None
        file, last = known
        if last == COMMENT:
            return Flaw(NAME_AS_VALUE, message, 0, Advice(f"{file} has one in a comment: define it in your own file"))
        where = f"{file} of {last} was the last to have one" if last else f"{file} has one: load that before this file"
        return Flaw(NAME_AS_VALUE, message, 0, Advice(where))
