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

from .yaml_nodes import Mark

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

    def in_condition(self, index: int, condition: str) -> Context:
        """Extend the chain by an offset into a condition's text."""
        shown = f'"{condition[:17]}..."' if len(condition) > 20 else f'"{condition}"'
        line, column = 1, 1
        for char in condition[:index]:
            if char in "\r\n":
                line += 1
                column = 1
            else:
                column += 1
        base = self.locations[-1].mark
        mark = Mark(line + base.line, column + base.column, index + base.index)
        location = Location(shown.replace("\n", " ").replace("\r", " "), mark, CONDITION, "")
        return Context((*self.locations, location), condition, index)

    def to_json(self, contents: Mapping[str, str]) -> dict[str, Any]:
        """The chain in the shape that Falco prints."""
        return {
            "locations": [
                {
                    "item_type": location.item_type,
                    "item_name": location.item_name,
                    "position": {
                        "name": location.name,
                        "line": location.mark.line,
                        "column": location.mark.column,
                        "offset": location.mark.index,
                    },
                }
                for location in self.locations
            ],
            "snippet": self.snippet(contents),
        }

    def snippet(self, contents: Mapping[str, str], width: int = SNIPPET_WIDTH) -> str:
        """The line of the spot with a caret below it, cut to `width` characters, as Falco prints it."""
        spot = self.locations[-1]
        content = self.condition if self.condition else contents.get(spot.name)
        if content is None:
            return f"<No context for file + {spot.name}>\n"
        if not content:
            return "<No context available>\n"
        half = width // 2
        pos = spot.mark.index
        size = len(content)
        while pos > 0 and (pos >= size or content[pos] == "\n"):
            pos -= 1
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
        if not shown:
            return "<No context available>\n"
        if pos - begin >= half:
            shown = "..." + shown[3:]
        if end - pos >= half:
            shown = shown[:-3] + "..."
        shown += "\n"
        if pos - begin <= len(shown) - 1:
            shown += " " * (pos - begin) + "^\n"
        return shown
