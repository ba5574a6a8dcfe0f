# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules, macros, lists and their exceptions as the loader collects them, before anything is compiled.

These are mutable on purpose: later entries of a ruleset append to and replace parts of earlier ones.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .context import Context


class Written(NamedTuple):
    """A YAML node, and the file that it stands in: where a part of an entry was written."""

    file: str
    node: Any


class Entry:
    """A value of an exception: one text, or a list of entries. Empty means absent."""

    __slots__ = ("is_list", "items", "text", "written")

    def __init__(self, text: str = "", items: list[Entry] | None = None, written: Written | None = None) -> None:
        self.text = text
        self.written = written
        self.is_list = items is not None
        self.items: list[Entry] = items or []

    @property
    def present(self) -> bool:
        return bool(self.items) if self.is_list else bool(self.text)

    def plain(self) -> Any:
        """Text or nested lists of text."""
        return [item.plain() for item in self.items] if self.is_list else self.text


class RuleException:
    """One entry of a rule's `exceptions`."""

    __slots__ = ("comps", "context", "fields", "name", "values")

    def __init__(self, name: str, context: Context) -> None:
        self.name = name
        self.context = context
        self.fields = Entry()
        self.comps = Entry()
        self.values: list[Entry] = []


class ListItem:
    """A list. `index` and `visibility` order definitions and their last change within the ruleset.

    `written` has the YAML sequences that its items were written in, in order.
    """

    __slots__ = ("context", "index", "items", "name", "visibility", "written")

    def __init__(self, name: str, items: list[str], context: Context, written: tuple[Written, ...] = ()) -> None:
        self.name = name
        self.written = written
        self.items = items
        self.context = context
        self.index = 0
        self.visibility = 0


class MacroItem:
    """A macro. `written` has what its condition was written in, in order; a blank stands between two parts."""

    __slots__ = ("condition", "condition_context", "context", "index", "name", "node", "visibility", "written")

    def __init__(
        self,
        name: str,
        condition: str,
        context: Context,
        condition_context: Context,
        node: Any,
        written: tuple[Written, ...] = (),
    ) -> None:
        self.name = name
        self.written = written
        self.condition = condition
        self.context = context
        self.condition_context = condition_context
        self.node = node
        self.index = 0
        self.visibility = 0


class Rule:
    """A rule, with the contexts Falco reports it by and the YAML nodes its parts come from (by key).

    `written` has what its condition was written in, in order; a blank stands between two parts. `written_output` has
    the same of its output.
    """

    __slots__ = (
        "capture", "capture_duration", "condition", "condition_context", "context", "desc", "enabled", "exceptions",
        "index", "name", "nodes", "output", "output_context", "priority", "skip_if_unknown_filter", "source", "tags",
        "unknown_source", "visibility", "warn_evttypes", "written", "written_output",
    )  # fmt: skip

    def __init__(self, name: str, context: Context) -> None:
        self.name = name
        self.context = context
        self.condition_context = context
        self.output_context = context
        self.index = 0
        self.visibility = 0
        self.condition = ""
        self.output = ""
        self.desc = ""
        self.priority = ""
        self.source = ""
        self.tags: set[str] = set()
        self.exceptions: list[RuleException] = []
        self.enabled = True
        self.capture = False
        self.capture_duration = 0
        self.warn_evttypes = True
        self.skip_if_unknown_filter = False
        self.unknown_source = False
        self.nodes: dict[str, Any] = {}
        self.written: tuple[Written, ...] = ()
        self.written_output: tuple[Written, ...] = ()


class RuleUpdate:
    """What an `append` or an `override` says of a rule; None means not said."""

    __slots__ = (
        "capture", "capture_duration", "condition", "context", "desc", "enabled", "exceptions", "name", "nodes",
        "output", "priority", "skip_if_unknown_filter", "source", "tags", "warn_evttypes", "written", "written_output",
    )  # fmt: skip

    def __init__(self, name: str, context: Context) -> None:
        self.name = name
        self.context = context
        self.source = ""
        self.condition: str | None = None
        self.output: str | None = None
        self.desc: str | None = None
        self.tags: set[str] | None = None
        self.exceptions: list[RuleException] | None = None
        self.priority: str | None = None
        self.enabled: bool | None = None
        self.capture: bool | None = None
        self.capture_duration: int | None = None
        self.warn_evttypes: bool | None = None
        self.skip_if_unknown_filter: bool | None = None
        self.nodes: dict[str, Any] = {}
        self.written: tuple[Written, ...] = ()
        self.written_output: tuple[Written, ...] = ()

    @property
    def says_something(self) -> bool:
        return any(
            value is not None
            for value in (
                self.condition,
                self.output,
                self.desc,
                self.tags,
                self.exceptions,
                self.priority,
                self.enabled,
                self.capture,
                self.capture_duration,
                self.warn_evttypes,
                self.skip_if_unknown_filter,
            )
        )


class PluginRequirement:
    """One entry of `required_plugin_versions`: any of the alternatives (name, version) will do.

    `written` has what each version was written in.
    """

    __slots__ = ("alternatives", "context", "written")

    def __init__(self, alternatives: list[tuple[str, str]], context: Context, written: tuple[Written, ...]) -> None:
        self.alternatives = alternatives
        self.context = context
        self.written = written


class Change:
    """A definition, append, replacement or switch, in order, for what looks at how a ruleset came about.

    Attributes:
        kind: rule, macro or list.
        action: define, redefine, append, replace or enable.
        name: of the item.
        keys: what was appended or replaced.
        node: the YAML node of the entry.
        file: where it stands.
        effect: False when an append, a replacement or a switch changed nothing.
        before, added: a condition before an append, and what was appended to it; empty for everything else.
    """

    __slots__ = ("action", "added", "before", "effect", "file", "keys", "kind", "name", "node")

    def __init__(
        self, kind: str, action: str, name: str, keys: tuple[str, ...], node: Any, file: str, effect: bool
    ) -> None:
        self.before = ""
        self.added = ""
        self.kind = kind
        self.action = action
        self.name = name
        self.keys = keys
        self.node = node
        self.file = file
        self.effect = effect
