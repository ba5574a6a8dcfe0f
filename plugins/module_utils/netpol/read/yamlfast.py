# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A quick reader for the plain block YAML that nearly all manifests are.

It understands block mappings and sequences of plain or simply quoted scalars, and empty or one-line flow collections
of plain scalars. Anything else (anchors, tags, block scalars, comments behind values, continued lines, ...) makes it
give up on the document, which libyaml then reads. Where it does not give up its result is libyaml's: tests prove that.
It is about four times as fast, because lines of manifests repeat and each is understood once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

_UNUSUAL = re.compile(r"[^\n\x20-\x7e]|^(?:---.|\.\.\.|%)", re.MULTILINE)
_KEY = re.compile(r"([A-Za-z0-9_./-]+):(?: +(.*))?\Z")
_PLAIN = re.compile(r"(?:[A-Za-z0-9_/.]|-(?=[A-Za-z0-9-]))[\w./:@%+=,()~^$* -]*\Z")
_WORD = re.compile(r"[A-Za-z0-9_][\w./@%+=-]*\Z")
#: What begins with a digit and is a string all the same: versions, addresses, quantities such as 100Mi.
_STRING = re.compile(r"\d+(?:\.\d+){2,}\Z|[1-9]\d*[A-Za-z]+\Z")
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]*)\Z")
#: The only plain scalars that begin with a letter and are no strings.
_WORDS: dict[str, bool | None] = {
    word: value
    for value, words in ((True, "yes true on"), (False, "no false off"), (None, "null"))
    for lower in words.split()
    for word in (lower, lower.capitalize(), lower.upper())
}
#: Lines remembered between documents.
_MEMORY = 200_000


class NotSimpleError(Exception):
    """The document needs a whole YAML parser."""


class _Line(NamedTuple):
    """What one line says. C(column) is that of the key, or of the item for a bare sequence item.

    C(kind): C(=) has a value, C(:) waits for one, C({) is an empty mapping, C([) a list of scalars in C(value).
    """

    indent: int
    column: int
    dash: bool
    key: str | None
    kind: str
    value: Any


class Reader:
    """Reads documents; remembers the lines and scalars it has seen.

    Args:
        resolve: the value of a plain scalar as the whole parser has it; called once for each unclear text.
    """

    def __init__(self, resolve: Callable[[str], Any]) -> None:
        self._resolve = resolve
        self._scalars: dict[str, Any] = {}
        self._lines: dict[str, _Line | None] = {}

    def read(self, text: str) -> Any:  # noqa: C901 - the inner loop of reading, kept in one frame
        """The value of one document; its separator line may stand first.

        Raises:
            NotSimpleError: the document needs a whole YAML parser.
        """
        if text.startswith("---"):
            end = text.find("\n")
            if end < 0 or text[3:end].strip():
                raise NotSimpleError
            text = text[end + 1 :]
        if _UNUSUAL.search(text):
            raise NotSimpleError
        known = self._lines
        root: Any = None
        # Open collections, the innermost last, with their columns.
        columns: list[int] = []
        open_: list[Any] = []
        # The mapping, key and column that wait for a value.
        waiting: Any = None
        waiting_key = ""
        waiting_column = 0
        for line in text.split("\n"):
            try:
                parsed = known[line]
            except KeyError:
                parsed = self._line(line)
                if len(known) < _MEMORY:
                    known[line] = parsed
            if parsed is None:
                continue
            indent, column, dash, key, kind, value = parsed
            if waiting is not None:
                if dash and indent >= waiting_column:
                    opened: Any = []
                elif indent > waiting_column:
                    opened = {}
                else:
                    opened = None
                waiting[waiting_key] = opened
                waiting = None
                if opened is not None:
                    columns.append(indent)
                    open_.append(opened)
            elif root is None:
                root = [] if dash else {}
                columns.append(indent)
                open_.append(root)
            wanted = list if dash else dict
            while columns and (columns[-1] > indent or (columns[-1] == indent and not isinstance(open_[-1], wanted))):
                columns.pop()
                open_.pop()
            if not columns or columns[-1] != indent:
                raise NotSimpleError
            top = open_[-1]
            if dash:
                if key is None:
                    top.append({} if kind == "{" else list(value) if kind == "[" else value)
                    continue
                item: dict[str, Any] = {}
                top.append(item)
                columns.append(column)
                open_.append(item)
                top = item
            if kind == "=":
                top[key] = value
            elif kind == ":":
                waiting, waiting_key, waiting_column = top, key or "", column
            else:
                top[key] = {} if kind == "{" else list(value)
        if waiting is not None:
            waiting[waiting_key] = None
        return root

    def _line(self, line: str) -> _Line | None:
        content = line.strip(" ")
        if not content or content[0] == "#":
            return None
        indent = len(line) - len(line.lstrip(" "))
        dash = content.startswith("- ")
        column = indent
        if dash:
            rest = content[1:].lstrip(" ")
            column += len(content) - len(rest)
            content = rest
        match = _KEY.match(content)
        if match is None:
            if not dash:
                raise NotSimpleError
            kind, value = self._value(content)
            return _Line(indent, column, dash, None, kind, value)
        key, text = match.groups()
        if not isinstance(self._scalar(key), str) or key == "-":
            raise NotSimpleError
        if not text:
            return _Line(indent, column, dash, key, ":", None)
        kind, value = self._value(text)
        return _Line(indent, column, dash, key, kind, value)

    def _value(self, text: str) -> tuple[str, Any]:
        if text == "{}":
            return "{", None
        if text[0] == "[" and text[-1] == "]":
            inner = text[1:-1].strip(" ")
            items = [item.strip(" ") for item in inner.split(",")] if inner else []
            if not all(_WORD.match(item) for item in items):
                raise NotSimpleError
            return "[", tuple(self._scalar(item) for item in items)
        quote = text[0]
        if quote in "'\"":
            inner = text[1:-1]
            if len(text) < 2 or text[-1] != quote or quote in inner or "\\" in inner:
                raise NotSimpleError
            return "=", inner
        if not _PLAIN.match(text) or ": " in text or text[-1] == ":":
            raise NotSimpleError
        return "=", self._scalar(text)

    def _scalar(self, text: str) -> Any:
        try:
            return self._scalars[text]
        except KeyError:
            pass
        if text.startswith(("...", "---")):
            raise NotSimpleError  # alone these end or begin a document; here they are text
        value: Any = text
        if text[0].isalpha():
            value = _WORDS.get(text, text)
        elif _DECIMAL.match(text):
            value = int(text)
        elif "/" not in text and not _STRING.match(text):
            value = self._resolve(text)
        if len(self._scalars) < _MEMORY:
            self._scalars[text] = value
        return value
