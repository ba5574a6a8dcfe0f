# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML with the place of everything in it, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from ..common.finding import Finding
from ..common.words import nearest
from .codes import CODES, IGNORED, REFUSED
from .model import Place

_INT = re.compile(r"^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+)$")
_KINDS = {"str": "a text", "int": "a number", "float": "a number", "bool": "true or false", "null": "nothing"}


@lru_cache(maxsize=1)
def _loader() -> Any:
    """Reads scalars as the API server does: dates and C(8:30) are texts, unlike in YAML 1.1."""
    import yaml  # a library that a module must be able to be imported without

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader: Any = type("PolicyLoader", (base,), {})
    loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in found if not tag.endswith((":timestamp", ":int", ":value"))]
        for first, found in base.yaml_implicit_resolvers.items()
    }
    loader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))
    return loader


class Source:
    """A policy's text and what was found wrong with it so far."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.findings: list[Finding] = []
        self._lines = text.split("\n")

    def tell(self, code: str, place: Place | None, item: str, message: str, hint: str = "") -> None:
        """Note a finding."""
        self.findings.append(self.finding(code, place, item, message, hint))

    def finding(self, code: str, place: Place | None, item: str, message: str, hint: str = "") -> Finding:
        """A finding at its place, with the line that it stands in."""
        line, column = place or (None, None)
        return Finding(code, CODES[code][0], self.name, line, column, item, message, hint, self._excerpt(place))

    def _excerpt(self, place: Place | None) -> str:
        if place is None or place.line > len(self._lines):
            return ""
        text = self._lines[place.line - 1].rstrip("\r").replace("\t", " ")
        return f"{text}\n{' ' * (place.column - 1)}^"

    def documents(self, text: str) -> list[Any]:
        """The YAML documents, as nodes; what is not YAML is noted."""
        import yaml  # as above

        try:
            return [node for node in yaml.compose_all(text, Loader=_loader()) if node is not None]
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = Place(mark.line + 1, mark.column + 1) if mark else None
            message = " ".join(filter(None, (error.problem, error.context)))
            self.tell(REFUSED, where, "", f"this is not YAML: {message}", "mend the YAML")
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            self.tell(REFUSED, None, "", f"this is not YAML: {str(error).splitlines()[0]}", "mend the YAML")
        return []


def place_of(node: Any) -> Place:
    """Where a node begins."""
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def kind_of(node: Any) -> str:
    """What a node is, for people."""
    if node.id == "mapping":
        return "a mapping"
    if node.id == "sequence":
        return "a list"
    return _KINDS.get(node.tag.rpartition(":")[2], "a text")


def is_null(node: Any) -> bool:
    """Whether nothing is said, as by a key without a value."""
    return bool(node.id == "scalar" and node.tag.endswith(":null"))


class _UnreadableError(Exception):
    """A mapping of which a key or a merge cannot be read: the node, what it is, what it must be."""


def _pairs(node: Any, within: tuple[Any, ...] = ()) -> list[tuple[Any, Any]]:
    """Keys and values of a mapping; what `<<` takes from others stands behind its own, which count."""
    own = [pair for pair in node.value if not pair[0].tag.endswith(":merge")]
    for key, _value in own:
        if key.id != "scalar":
            raise _UnreadableError(key, "a key", "a text")
    taken = [value for key, value in node.value if key.tag.endswith(":merge")]
    names = {key.value for key, _value in own}
    for value in taken:
        for other in value.value if value.id == "sequence" else [value]:
            if other.id != "mapping" or other in (*within, node):
                raise _UnreadableError(other, "what << takes", "another mapping")
            more = [pair for pair in _pairs(other, (*within, node)) if pair[0].value not in names]
            names |= {key.value for key, _value in more}
            own += more
    return own


class Reader:
    """Reads one mapping, key by key, and says where in the policy it is."""

    def __init__(self, source: Source, node: Any, item: str, known: Iterable[str] | None) -> None:
        self.source = source
        self.item = item
        self.keys: dict[str, Any] = {}
        self.place = place_of(node)
        if node.id != "mapping":
            self._wrong(node, item or "the policy", "a mapping")
            return
        names = None if known is None else list(known)
        try:
            pairs = _pairs(node)
        except _UnreadableError as error:
            self._wrong(*error.args)
            return
        for key, value in pairs:
            if key.value in self.keys:
                self.source.tell(
                    IGNORED, place_of(key), item, f"the key '{key.value}' stands twice, and one of them is not read",
                    "keep one of them",
                )  # fmt: skip
            elif names is not None and key.value not in names:
                near = nearest(key.value, names, fold=str.lower)
                hint = f"did you mean '{near}'?" if near else f"known here are {', '.join(names)}"
                self.source.tell(
                    IGNORED, place_of(key), item, f"the API server passes over the key '{key.value}', as if the line "
                    "were not there", hint,
                )  # fmt: skip
                continue
            self.keys[key.value] = value

    def _wrong(self, node: Any, what: str, wanted: str) -> None:
        self.source.tell(
            REFUSED, place_of(node), self.item, f"{what} is {kind_of(node)}, and must be {wanted}", f"write {wanted}"
        )

    def text(self, key: str) -> str:
        """A text; empty where the key is not there or has another kind, which is noted."""
        node = self.keys.get(key)
        if node is None or is_null(node):
            return ""
        if node.id != "scalar" or kind_of(node) != "a text":
            self._wrong(node, f"'{key}'", "a text")
            return ""
        return str(node.value)

    def at(self, key: str) -> Place:
        """Where a key's value stands, or what should have the key."""
        return place_of(self.keys[key]) if key in self.keys else self.place

    def switch(self, key: str) -> None:
        """Note what is neither true nor false."""
        node = self.keys.get(key)
        if node is not None and not is_null(node) and kind_of(node) != "true or false":
            self._wrong(node, f"'{key}'", "true or false")

    def nodes(self, key: str) -> list[Any]:
        """The items of a list; none where the key is not there or is no list, which is noted."""
        node = self.keys.get(key)
        if node is None or is_null(node):
            return []
        if node.id != "sequence":
            self._wrong(node, f"'{key}'", "a list")
            return []
        return list(node.value)

    def texts(self, key: str) -> Iterator[tuple[str, Place]]:
        """The texts of a list with their places; what is no text is noted, and left out or empty."""
        for node in self.nodes(key):
            if is_null(node):
                self.empty(node, f"an item of '{key}'", "as an empty text")
                yield "", place_of(node)
            elif node.id == "scalar" and kind_of(node) == "a text":
                yield str(node.value), place_of(node)
            else:
                self._wrong(node, f"an item of '{key}'", "a text")

    def empty(self, node: Any, what: str, taken: str) -> None:
        """Note an item that says nothing, which the API server takes for something."""
        message = f"{what} has no value, and the API server takes it {taken}"
        self.source.tell(IGNORED, place_of(node), self.item, message, "write what is meant, or take the item out")

    def words(self, key: str) -> tuple[str, ...]:
        """The texts of a list."""
        return tuple(text for text, _place in self.texts(key))
