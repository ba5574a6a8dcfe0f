# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A catalogue of the Falco that runs: what it says of itself, on what is known of its version.

What Falco does not print (deprecated fields, events of plugins, the rule language) is that of the known version, or of
the newest known one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from ..errors import FalcoError
from .catalogue import Catalogue, FieldInfo, Plugin, known_plugins
from .said import SaidClass, SaidField, classes_of, events_of, plugins_of, version_of
from .versions import TABLES, data_of, resolve

_UNPRINTED = frozenset(("deprecated", "table_only", "filter_only", "print_only"))
"""Flags of fields that `falco --list` leaves out."""


@dataclass(frozen=True)
class Said:
    """What a Falco printed, each text as it came; empty when it was not asked.

    Attributes:
        version: of `falco --version`.
        fields: of `falco --list -v`.
        events: of `falco --list-events`.
        plugins: of `falco --list-plugins`.
    """

    version: str = ""
    fields: str = ""
    events: str = ""
    plugins: str = ""


def learned(said: Said, falco: str) -> Catalogue:
    """Make the catalogue of a Falco from what it prints.

    Args:
        said: what it printed; what is missing is that of the version.
        falco: the version, where `said.version` is empty.

    Raises:
        FalcoError: a text is not what Falco prints, or the version is too old or none.
    """
    told = _of("--version", version_of, said.version) if said.version else None
    found = resolve(told.falco if told else falco)
    data = data_of(found.falco)
    known = {plugin.name: plugin for plugin in known_plugins(data, found.falco, None)}
    classes = _of("--list", classes_of, said.fields) if said.fields else []
    tables: dict[str, Any] = {name: getattr(data, name) for name in TABLES}
    plugins: list[Plugin] = list(known.values())
    if said.plugins:
        plugins = [
            _plugin(one.name, one.version, one.source, known.get(one.name))
            for one in _of("--list-plugins", plugins_of, said.plugins)
        ]
    if classes:
        tables["FIELDS"] = _fields(data.FIELDS, [one for one in classes if not one.plugin])
        by_plugin = {one.plugin: one for one in classes if one.plugin}
        listed = {plugin.name for plugin in plugins}
        if not said.plugins:
            plugins = [plugin for plugin in plugins if plugin.name in by_plugin]
        plugins += [
            _plugin(name, "0.0.0", None, known.get(name))
            for name in by_plugin
            if name not in listed and not said.plugins
        ]
        plugins = [_with_fields(plugin, by_plugin.get(plugin.name), known.get(plugin.name)) for plugin in plugins]
    if said.events:
        events = _of("--list-events", events_of, said.events)
        names = {*data.EVENTS, *data.SYSCALLS}
        parameters = dict(data.PARAMETERS)
        for name, params in events.items():
            if name not in names:
                for parameter, kind in params:
                    parameters.setdefault(parameter, kind)
        tables["SYSCALLS"] = (*data.SYSCALLS, *(name for name in events if name not in names))
        tables["PARAMETERS"] = tuple(parameters.items())
    engine = told.engine if told and told.engine else data.ENGINE
    note = found.note
    if note and classes:
        note = note.replace("and is taken as", "and is, but for what it printed of itself, taken as")
    return Catalogue(SimpleNamespace(FALCO=data.FALCO, ENGINE=engine, **tables), plugins, note)


def _of(option: str, read: Any, text: str) -> Any:
    try:
        return read(text)
    except FalcoError as error:
        raise FalcoError(f"saved output of falco {option}: {error}") from error


def _plugin(name: str, version: str, source: str | None, known: Plugin | None) -> Plugin:
    if known is None:
        return Plugin(name, version, source)
    return Plugin(
        name, known.version if version == "0.0.0" else version, source or known.source, known.extracts, known.events,
        known.suggested, known.fields,
    )  # fmt: skip


def _with_fields(plugin: Plugin, said: SaidClass | None, known: Plugin | None) -> Plugin:
    """The plugin with the fields that Falco lists for it; without fields where it lists none."""
    before = {info.name: info for info in known.fields} if known else {}
    fields = tuple(_info(one, before.get(one.name), plugin.name) for one in said.fields) if said else ()
    extracts = said.sources if said else ()
    return Plugin(
        plugin.name,
        plugin.version,
        plugin.source,
        known.extracts if known else extracts,
        plugin.events,
        plugin.suggested,
        fields,
    )


def _info(said: SaidField, known: FieldInfo | None, plugin: str) -> FieldInfo:
    if known is not None and not said.type and not said.tags:
        return known
    return FieldInfo(
        name=said.name,
        type=said.type or (known.type if known else "charbuf"),
        argument=_argument(said),
        is_list="EPF_IS_LIST" in said.tags,
        index="ARG_INDEX" in said.tags,
        key="ARG_KEY" in said.tags,
        no_rhs="EPF_NO_RHS" in said.tags,
        no_transformer="EPF_NO_TRANSFORMER" in said.tags,
        origin=plugin,
    )


def _argument(said: SaidField) -> str:
    return "required" if "ARG_REQUIRED" in said.tags else "optional" if "ARG_ALLOWED" in said.tags else "none"


def _fields(known: Iterable[tuple[str, ...]], classes: list[SaidClass]) -> tuple[tuple[str, ...], ...]:
    """The built-in fields: those known that Falco lists or never lists, and those that it lists and nobody knew."""
    listed = {field.name for one in classes for field in one.fields}
    kept = [row for row in known if row[0] in listed or _UNPRINTED & set(row[3].split())]
    names = {row[0] for row in kept}
    added = []
    for one in classes:
        # Fields of every source are a class of their own, with the same name as that of system calls.
        origin = "gen_event" if any(field.name == "evt.num" for field in one.fields) else one.name
        for field in one.fields:
            if field.name in names:
                continue
            flags = " ".join(
                flag
                for tag, flag in (
                    ("EPF_IS_LIST", "is_list"),
                    ("EPF_NO_RHS", "no_rhs"),
                    ("EPF_NO_TRANSFORMER", "no_transformer"),
                )
                if tag in field.tags
            )
            added.append((field.name, field.type or "charbuf", _argument(field), flags, origin))
    return (*kept, *added)
