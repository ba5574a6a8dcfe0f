# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one Falco version knows: fields by event source, event types, plugins, priorities.

Another plugin's fields come in as a `Plugin` value, either from a dictionary (`plugin_from_mapping`) or made by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..errors import FalcoError
from .further_plugins import PLUGIN_FIELDS, PLUGINS
from .language import Language, language_of
from .versions import NEWEST, data_of, resolve

SYSCALL = "syscall"
_SOURCE = re.compile(r"^[ -]*source: *[\"']?([\w-]+)", re.M)
_REQUIRED = re.compile(r"\bname: *[\"']?([\w-]+)")
PRIORITIES = ("EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFORMATIONAL", "DEBUG")


@dataclass(frozen=True)
class FieldInfo:
    """A field as conditions and outputs may use it.

    Attributes:
        name: without argument.
        type: Falco's name of the type in lower case without PT_: charbuf, int64, ipaddr, bool...
        argument: "none", "optional" or "required".
        is_list: it yields several values, so only `in`, `intersects` and `exists` apply.
        index: the argument may be a number (plugins' fields).
        key: the argument may be a string (plugins' fields).
        no_rhs: neither it nor what it is compared with may be another field.
        no_transformer: no transformer applies to it.
        deprecated: Falco marks it so.
        origin: class of a built-in field, or the plugin's name.
    """

    name: str
    type: str
    argument: str = "none"
    is_list: bool = False
    index: bool = False
    key: bool = False
    no_rhs: bool = False
    no_transformer: bool = False
    deprecated: bool = False
    origin: str = ""


@dataclass(frozen=True)
class Plugin:
    """A Falco plugin, as far as rules see it.

    Attributes:
        name: as in `required_plugin_versions`.
        version: x.y.z.
        source: the event source it produces, if any.
        extracts: sources its fields can be read from; empty means every source.
        events: names it adds to `evt.type` (asynchronous events).
        suggested: fields that Falco appends to outputs by default.
        fields: its fields.
    """

    name: str
    version: str
    source: str | None = None
    extracts: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()
    fields: tuple[FieldInfo, ...] = ()


@dataclass(frozen=True)
class Source:
    """An event source with the fields that its rules may use."""

    name: str
    builtin: Mapping[str, FieldInfo]
    plugin: Mapping[str, FieldInfo]
    suggested: tuple[str, ...]

    def names(self) -> Iterable[str]:
        """Every field name, built-in ones first."""
        yield from self.builtin
        yield from self.plugin


class Catalogue:
    """Everything that checks need to know of one Falco version with one set of plugins.

    `note` is what a user has to know about it: that the version is not the one that was asked for. Often empty.
    `assumed` are the plugins among those that nothing vouches for but rules that require them.
    """

    def __init__(self, data: Any, plugins: Sequence[Plugin], note: str = "", assumed: Sequence[Plugin] = ()) -> None:
        self._data = data
        self.note = note
        self.assumed: dict[str, Plugin] = {plugin.name: plugin for plugin in assumed}
        plugins = [*plugins, *assumed]
        self.language: Language = language_of(data.FALCO)
        self.falco: str = data.FALCO
        self.engine: str = data.ENGINE
        self.plugins: dict[str, Plugin] = {plugin.name: plugin for plugin in plugins}
        self.parameters: dict[str, str] = dict(data.PARAMETERS)
        self.event_names: tuple[str, ...] = data.EVENTS
        self.all_events: int = (1 << len(data.EVENTS)) - 1
        self.events: dict[str, int] = {}
        for code, name in enumerate(data.EVENTS):
            # the first two codes are the generic system call; it is reached through the calls' names only
            self.events[name] = self.events.get(name, 0) | ((1 << code) if code > 1 else 0)
        self.syscalls: frozenset[str] = frozenset(data.SYSCALLS)
        self.obsolete_events: frozenset[str] = frozenset(data.OBSOLETE_EVENTS)
        asynchronous = [name for plugin in plugins for name in plugin.events]
        self.event_types: frozenset[str] = frozenset((*data.EVENTS, *data.SYSCALLS, *asynchronous))
        builtin = {
            name: _field(name, kind, argument, flags, origin) for name, kind, argument, flags, origin in data.FIELDS
        }
        generic = {name: info for name, info in builtin.items() if info.origin == "gen_event"}
        self.sources: dict[str, Source] = {}
        names = [SYSCALL, *(plugin.source for plugin in plugins if plugin.source)]
        for source in dict.fromkeys(names):
            fields: dict[str, FieldInfo] = {}
            suggested: list[str] = []
            for plugin in plugins:
                if plugin.source == source or not plugin.extracts or source in plugin.extracts:
                    for info in plugin.fields:
                        fields.setdefault(info.name, info)
                    suggested.extend(plugin.suggested)
            self.sources[source] = Source(source, builtin if source == SYSCALL else generic, fields, tuple(suggested))

    def with_plugins(self, plugins: Iterable[Plugin], assumed: Sequence[Plugin] = ()) -> Catalogue:
        """The same with further plugins, described or assumed; one of a name that is known takes its place."""
        given = {plugin.name: plugin for plugin in plugins}
        new = {*given, *(plugin.name for plugin in assumed)}
        kept = [plugin for name, plugin in self.plugins.items() if name not in new]
        return Catalogue(self._data, [*kept, *given.values()], self.note, assumed)


def _field(name: str, kind: str, argument: str, flags: str, origin: str) -> FieldInfo:
    words = flags.split()
    return FieldInfo(
        name=name,
        type=kind,
        argument=argument,
        is_list="is_list" in words,
        index="index" in words,
        key="key" in words,
        no_rhs="no_rhs" in words,
        no_transformer="no_transformer" in words,
        deprecated="deprecated" in words,
        origin=origin,
    )


PLUGIN_KEYS = ("name", "version", "source", "extracts", "events", "fields")
FIELD_KEYS = ("name", "type", "list", "argument")
FIELD_TYPES = ("string", "uint64", "bool", "reltime", "abstime", "ipaddr", "ipnet")
_ARGUMENTS = ("none", "required", "index", "key")


def plugin_from_mapping(mapping: Mapping[str, Any]) -> Plugin:
    """Make a plugin from plain data, the documented way to add one that the catalogue does not have.

    Args:
        mapping: keys `name`, `version`, `source`, `extracts`, `events` and `fields`; a field is a mapping of
            `name`, `type` (string, uint64, bool, reltime, abstime, ipaddr, ipnet), `list` (bool) and
            `argument` (words: required, index, key), the shape that `falco --list` and plugin SDKs print.

    Raises:
        FalcoError: a key is missing or unknown, or has the wrong type.
    """
    _check_keys("a plugin's description", mapping, PLUGIN_KEYS)
    name = str(mapping["name"])
    return Plugin(
        name=name,
        version=str(mapping.get("version") or "0.0.0"),
        source=mapping.get("source") or None,
        extracts=_texts(name, "extracts", mapping),
        events=_texts(name, "events", mapping),
        fields=tuple(_described(name, entry) for entry in _entries(name, "fields", mapping)),
    )


def described_plugins(descriptions: Iterable[Mapping[str, Any]]) -> list[Plugin]:
    """The plugins of some descriptions.

    Raises:
        FalcoError: as `plugin_from_mapping`, or no list.
    """
    if isinstance(descriptions, (str, Mapping)) or not isinstance(descriptions, Iterable):
        raise FalcoError("plugin descriptions are a list of mappings, each with 'name' and 'fields'")
    return [plugin_from_mapping(one) for one in descriptions]


def _described(plugin: str, entry: object) -> FieldInfo:
    where = f"a field of plugin '{plugin}'"
    _check_keys(where, entry, FIELD_KEYS)
    given: Mapping[str, Any] = entry  # type: ignore[assignment]  # as was checked
    words = str(given.get("argument") or "none").replace(",", " ").lower().split()
    kind = str(given.get("type") or "string")
    if kind not in FIELD_TYPES:
        raise FalcoError(f"{where}: '{given['name']}' has type '{kind}'; types are {', '.join(FIELD_TYPES)}")
    if set(words) - set(_ARGUMENTS):
        raise FalcoError(
            f"{where}: '{given['name']}' has argument '{given['argument']}'; words: {', '.join(_ARGUMENTS)}"
        )
    return FieldInfo(
        name=str(given["name"]),
        type="charbuf" if kind == "string" else kind,
        argument="required" if "required" in words else "none" if words == ["none"] else "optional",
        is_list=bool(given.get("list", False)),
        index="index" in words,
        key="key" in words,
        origin=plugin,
    )


def _check_keys(what: str, given: object, keys: Sequence[str]) -> None:
    if not isinstance(given, Mapping):
        raise FalcoError(f"{what} is a mapping with the keys {', '.join(keys)}; this one is {type(given).__name__}")
    for key in given:
        if key not in keys:
            raise FalcoError(f"{what} has no key '{key}'; its keys are {', '.join(keys)}")
    if not given.get("name"):
        raise FalcoError(f"{what} lacks the key 'name'")


def _entries(plugin: str, key: str, mapping: Mapping[str, Any]) -> Sequence[object]:
    found = mapping.get(key) or ()
    if isinstance(found, str) or not isinstance(found, Sequence):
        raise FalcoError(f"plugin '{plugin}': '{key}' is a list; this one is {type(found).__name__}")
    return found


def _texts(plugin: str, key: str, mapping: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(entry) for entry in _entries(plugin, key, mapping))


@lru_cache(maxsize=16)
def catalogue(version: str = NEWEST, plugins: tuple[str, ...] | None = None) -> Catalogue:
    """Return the catalogue of a Falco version with some of its known plugins.

    Args:
        version: Falco's version, "0.44" or "0.44.1"; one newer than all known is taken as the newest, and noted.
        plugins: names of plugins in the order in which Falco loads them; None means all known.

    Raises:
        FalcoError: a version that is too old or none, an unknown plugin.
    """
    return catalogue_with(version, plugins, ())


def catalogue_with(version: str, plugins: tuple[str, ...] | None, extra: Sequence[Plugin]) -> Catalogue:
    """Return a catalogue with further plugins, which the caller describes; not cached."""
    found = resolve(version)
    data = data_of(found.falco)
    return Catalogue(data, (*known_plugins(data, found.falco, plugins), *extra), found.note)


def catalogue_before(version: str, plugins: tuple[str, ...] | None) -> Catalogue:
    """Return the catalogue of a version beside another one's: of the plugins those that it knows.

    Args:
        version: as for `catalogue`.
        plugins: names of plugins, some of which may have been built in then; None means all known.

    Raises:
        FalcoError: a version that is too old or none.
    """
    known = {*FURTHER, *(entry[0] for entry in data_of(resolve(version).falco).PLUGINS)}
    return catalogue(version, None if plugins is None else tuple(name for name in plugins if name in known))


FURTHER: dict[str, tuple[str, str | None, tuple[str, ...], str]] = {
    name: (version, source, extracts, fields_of) for name, version, source, extracts, fields_of in PLUGINS
}
"""Plugins that Falco's image does not load, by name: version, source, sources they extract for, whose fields."""


def further_plugin(data: Any, name: str) -> Plugin | None:
    """One of the plugins that Falco's image does not load; None if there is none of this name."""
    if name not in FURTHER:
        return None
    version, source, extracts, fields_of = FURTHER[name]
    table = data.PLUGIN_FIELDS if fields_of else PLUGIN_FIELDS
    fields = tuple(_field(*entry) for entry in table if entry[4] == (fields_of or name))
    return Plugin(name, version, source, extracts, fields=fields)


def plugins_named(texts: Iterable[str]) -> tuple[str, ...]:
    """The plugins that Falco's image does not load and that rules name: as a requirement, by source or by field."""
    found: set[str] = set()
    for text in texts:
        sources = set(_SOURCE.findall(text))
        names = set(_REQUIRED.findall(text))
        for name, (_version, source, _extracts, fields_of) in FURTHER.items():
            by_source = source in sources and not fields_of
            by_field = source is None and f"{name}." in text
            if name in names or by_source or by_field:
                found.add(name)
    return tuple(name for name in FURTHER if name in found)


def catalogue_for(version: str, plugins: tuple[str, ...] | None, texts: Iterable[str]) -> Catalogue:
    """The catalogue for some rules: where no plugins are given, all known of Falco's own and those that rules name.

    Args:
        version, plugins: as for `catalogue`.
        texts: the rules files.

    Raises:
        FalcoError: as `catalogue`.
    """
    further = plugins_named(texts) if plugins is None else ()
    if not further:
        return catalogue(version, plugins)
    own = tuple(entry[0] for entry in data_of(resolve(version).falco).PLUGINS)
    return catalogue(version, (*own, *further))


def known_plugins(data: Any, version: str, names: tuple[str, ...] | None) -> Iterable[Plugin]:
    """The plugins that a version's tables describe: those of some names, in that order, or all.

    Raises:
        FalcoError: a name that is not among them.
    """
    known = {entry[0]: entry for entry in data.PLUGINS}
    for name in known if names is None else names:
        further = further_plugin(data, name) if name not in known else None
        if further is not None:
            yield further
            continue
        if name not in known:
            hint = "; its fields are built in" if any(entry[4] == name for entry in data.FIELDS) else ""
            raise FalcoError(
                f"plugin '{name}' is not in the catalogue of Falco {version}, which has "
                f"{', '.join((*known, *FURTHER))}{hint}"
            )
        _name, plugin_version, source, extracts, events, suggested = known[name]
        fields = tuple(_field(*entry) for entry in data.PLUGIN_FIELDS if entry[4] == name)
        yield Plugin(name, plugin_version, source, extracts, events, suggested, fields)
