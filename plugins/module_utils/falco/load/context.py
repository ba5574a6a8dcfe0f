# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where something is, in Falco's terms: a chain of locations from the file down to the spot.

The chain is what `falco -V` prints in JSON (`context.locations`, `context.snippet`). Lines and columns in it
are 0-based, or count on from the condition's own; findings made from it are 1-based.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..yaml.nodes import Mark

VALUE_FOR = "value for"
EXCEPTIONS = "exceptions"
EXCEPTION = "exception"
EXCEPTION_VALUES = "exception values"
EXCEPTION_VALUE = "exception value"
RULES_CONTENT = "rules content"
RULES_CONTENT_ITEM = "rules content item"
ENGINE_VERSION = "required_engine_version"
PLUGIN_VERSIONS = "required plugin versions"
PLUGIN_VERSION = "required plugin versions entry"
PLUGIN_ALTERNATIVE = "required plugin versions alternative"
LIST = "list"
LIST_ITEM = "list item"
MACRO = "macro"
MACRO_CONDITION = "macro condition"
RULE = "rule"
RULE_CONDITION = "rule condition"
CONDITION = "condition expression"
RULE_OUTPUT = "rule output"
RULE_PRIORITY = "rule priority"
OVERRIDE = "overrides"

SNIPPET_WIDTH = 160
_START = Mark(0, 0, 0)


class Location(NamedTuple):
    """One link of the chain: whose text, where in it, what kind of thing, its name."""

    name: str
    mark: Any
    item_type: str
    item_name: str


class Context:
    """A chain of locations; the last one is the spot. `condition` replaces the file for what is inside one."""

    __slots__ = ("condition", "index", "locations")

    def __init__(self, locations: tuple[Location, ...], condition: str | None = None, index: int | None = None) -> None:
        self.locations = locations
        self.condition = condition
        self.index = index

    @classmethod
    def of_file(cls, name: str) -> Context:
        return cls((Location(name, _START, RULES_CONTENT, ""),))

    @property
    def file(self) -> str:
        """The file the chain starts in."""
        return self.locations[0].name

    @property
    def item(self) -> tuple[str, str]:
        """Kind and name of the outermost named thing: ("rule", "Terminal shell")."""
        for location in self.locations[1:]:
            if location.item_name:
                return location.item_type, location.item_name
        return (self.locations[1].item_type, "") if len(self.locations) > 1 else (RULES_CONTENT, "")

    def at(self, mark: Any, item_type: str, item_name: str = "") -> Context:
        """Extend the chain by a YAML node's mark."""
        return Context((*self.locations, Location(self.locations[0].name, mark, item_type, item_name)))

    def in_condition(self, index: int, condition: str, whole: bool = False, parsed: str | None = None) -> Context:
        """Extend the chain by an offset into a condition's text.

        Args:
            index: offset in characters.
            condition: the text; the location is named after its first 20 bytes.
            parsed: the text that the offset counts in, where lists made it another one.
            whole: it is about the whole condition; Falco counts lines and columns from 0 then, otherwise from 1.
        """
        raw = as_bytes(condition)
        shown = f'"{as_text(raw[:17])}..."' if len(raw) > 20 else f'"{condition}"'
        text = condition if parsed is None else parsed
        before = as_bytes(text[:index]) + " " * (index - len(text))
        line = column = 0 if whole else 1
        for char in before:
            if char in "\r\n":
                line += 1
                column = 1
            else:
                column += 1
        base = self.locations[-1].mark
        mark = Mark(line + base.line, column + base.column, len(before) + base.index)
        location = Location(shown.replace("\n", " ").replace("\r", " "), mark, CONDITION, "")
        return Context((*self.locations, location), condition, index)

    def to_json(self, contents: Mapping[str, str]) -> dict[str, Any]:
        """The chain in the shape that Falco prints, whose columns and offsets count bytes."""
        marks = [location.mark for location in self.locations]
        content = contents.get(self.file, "")
        if not content.isascii():
            columns = bytes_before = 0
            for number, location in enumerate(self.locations):
                old = location.mark
                if location.item_type == CONDITION:
                    marks[number] = Mark(old.line, old.column + columns, old.index + bytes_before)
                    continue
                marks[number] = byte_mark(content, old)
                columns = marks[number].column - old.column
                bytes_before = marks[number].index - old.index
        return {
            "locations": [
                {
                    "item_type": location.item_type,
                    "item_name": location.item_name,
                    "position": {
                        "name": location.name,
                        "line": mark.line,
                        "column": mark.column,
                        "offset": mark.index,
                    },
                }
                for location, mark in zip(self.locations, marks)
            ],
            "snippet": self._snippet(content, marks[-1].index),
        }

    def _snippet(self, content: str, pos: int, width: int = SNIPPET_WIDTH) -> str:
        """The line of the spot with a caret below it, cut to `width` bytes, as Falco prints it."""
        content = self.condition or content
        if not content:
            return "<No context available>\n"
        content = as_bytes(content)
        half = width // 2
        size = len(content)
        while pos > 0 and (pos >= size or content[pos] == "\n"):
            pos -= 1
        if content[pos] == "\n":
            # only at the start of the text; Falco's own arithmetic goes round the corner here
            rest = content[1:]
            return as_text(f"...{rest[3:-3]}...\n") if rest else "<No context available>\n"
        begin = pos
        while begin > 0 and content[begin] != "\n" and pos - begin < half:
            begin -= 1
        end = pos
        while end < size - 1 and content[end] != "\n" and end - pos < half:
            end += 1
        if content[begin] == "\n":
            begin += 1
        if content[end] == "\n":
            end -= 1
        shown = content[begin : end + 1]
        if pos - begin >= half:
            shown = "..." + shown[3:]
        if end - pos >= half:
            shown = shown[:-3] + "..."
        return as_text(f"{shown}\n{' ' * (pos - begin)}^\n")


def as_bytes(text: str) -> str:
    """The text's UTF-8, one character per byte; ASCII as it is."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def as_text(raw: str) -> str:
    """The opposite of `as_bytes`; what is not UTF-8 becomes U+FFFD, as Falco prints it."""
    return raw if raw.isascii() else raw.encode("latin-1").decode("utf-8", "replace")


def byte_mark(content: str, mark: Any) -> Mark:
    """A mark in characters as one in bytes."""
    start = mark.index - mark.column
    column = len(as_bytes(content[start : mark.index]))
    return Mark(mark.line, column, len(as_bytes(content[: mark.index])))
