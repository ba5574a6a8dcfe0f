# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Falco prints of itself, read: `--version`, `--list`, `--list-events`, `--list-plugins`.

Each as text, as Falco has printed it since 0.38; version and fields also as JSON (`-o json_output=true`,
`--format json`). Only what stands there is taken: names, types, tags, sources.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..errors import FalcoError

_FIELD = re.compile(r"[a-z][a-zA-Z0-9_]*(?:\.[a-zA-Z0-9_-]+)+")
_WIDTH = 30
"""Characters that a field's name has before what is said of it; a longer one has a line of its own."""
_TYPE = re.compile(r"\(Type: (\w+)\)\s*")
_TAGS = re.compile(r"\(((?:EPF_|ARG_|FILTER_)[A-Z_,]*)\)")
_EVENT = re.compile(r"[<>] ([a-zA-Z0-9_]+)\((.*)\)$")
_PARAMETER = re.compile(r"([A-Z0-9_]+) \*\*(\w+)\*\*")
_SOURCE = re.compile(r"Event Sourcing \(ID=\d+, source='(.*)'\)")
_TYPES = {"dynamic": "dyn"}


class SaidVersion(NamedTuple):
    """Falco's version, and its engine's."""

    falco: str
    engine: str


class SaidField(NamedTuple):
    """A field: name, type (lower case; empty when not printed) and tags as Falco prints them."""

    name: str
    type: str
    tags: frozenset[str]


class SaidClass(NamedTuple):
    """A class of fields: its name, the sources it serves, its fields, and the plugin it is of (or empty)."""

    name: str
    sources: tuple[str, ...]
    fields: tuple[SaidField, ...]
    plugin: str


class SaidPlugin(NamedTuple):
    """A loaded plugin."""

    name: str
    version: str
    source: str | None


def version_of(text: str) -> SaidVersion:
    """Read `falco --version`.

    Raises:
        FalcoError: it is not that.
    """
    data = _json(text)
    if data is not None:
        falco, engine = str(data.get("falco_version", "")), str(data.get("engine_version_semver", ""))
    else:
        found = dict(re.findall(r"^(Falco version|Engine):\s*(\S+)", text, re.M))
        falco, engine = found.get("Falco version", ""), found.get("Engine", "")
    if not falco:
        raise FalcoError("this is not what 'falco --version' prints: no line 'Falco version: ...'")
    return SaidVersion(falco, engine)


def classes_of(text: str) -> list[SaidClass]:
    """Read `falco --list`, with or without `-v`, or `falco --list --format json`.

    Raises:
        FalcoError: it is not that.
    """
    data = _json(text)
    found = _classes_of_json(data) if data is not None else list(_classes_of_text(text))
    if not any(one.fields for one in found):
        raise FalcoError("this is not what 'falco --list' prints: no class with fields (with -N there are only names)")
    return found


def _class(title: str, sources: tuple[str, ...], fields: tuple[SaidField, ...]) -> SaidClass:
    name = title.split(" (")[0].strip()
    return SaidClass(name, sources, fields, name if title.split("(")[-1].startswith("plugin)") else "")


def _classes_of_json(data: Any) -> list[SaidClass]:
    found = []
    try:
        for one in data["fieldclasses"]:
            fields = []
            for field in one["fields"]:
                argument = field.get("argument")
                tags = {"EPF_IS_LIST"} if field.get("is_list") else set()
                if argument:
                    tags.add("ARG_REQUIRED" if argument.get("required") else "ARG_ALLOWED")
                    tags |= {f"ARG_{kind}" for kind in argument.get("type", ())}
                fields.append(SaidField(str(field["name"]), _type(str(field["type"])), frozenset(tags)))
            found.append(_class(str(one["name"]), tuple(one.get("event_sources", ())), tuple(fields)))
    except (KeyError, TypeError, AttributeError) as error:
        raise FalcoError(f"this is not what 'falco --list --format json' prints: {error}") from error
    return found


def _classes_of_text(text: str) -> Iterator[SaidClass]:
    for block in re.split(r"^-{20,}\n", text, flags=re.M):
        title = re.search(r"^Field Class:\s*(.+?)\s*$", block, re.M)
        if title is None:
            continue
        sources = re.search(r"^Event Sources:\s*(.*?)\s*$", block, re.M)
        fields = []
        for name, said in _entries(block):
            kind = _TYPE.match(said)
            tags = _TAGS.match(said, kind.end() if kind else 0)
            fields.append(
                SaidField(
                    name, _type(kind.group(1)) if kind else "", frozenset(tags.group(1).split(",") if tags else ())
                )
            )
        yield _class(title.group(1), tuple(sources.group(1).split()) if sources else (), tuple(fields))


def _entries(block: str) -> Iterator[tuple[str, str]]:
    """Names at the start of a line, and what is said of each, its lines joined."""
    name, said = "", ""
    for line in block.split("\n"):
        match = _FIELD.match(line)
        if match and not line.startswith(" "):
            if name:
                yield name, said
            # A name that fills its column has no blank behind it.
            end = _WIDTH if match.end() > _WIDTH and line[match.end() :].strip() else match.end()
            name, said = line[:end], line[end:].strip()
        elif line.startswith(" "):
            said = f"{said} {line.strip()}".strip()
        elif name:
            yield name, said
            name = ""
    if name:
        yield name, said


def events_of(text: str) -> dict[str, list[tuple[str, str]]]:
    """Read `falco --list-events`: by the event's name its parameters' names and types.

    Raises:
        FalcoError: it is not that.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for line in text.splitlines():
        match = _EVENT.fullmatch(line.strip())
        if match:
            parameters = [(name, _type(kind)) for kind, name in _PARAMETER.findall(match.group(2))]
            found.setdefault(match.group(1), []).extend(parameters)
    if not found:
        raise FalcoError("this is not what 'falco --list-events' prints: no line such as '< open(FD **fd**)'")
    return found


def plugins_of(text: str) -> list[SaidPlugin]:
    """Read `falco --list-plugins`, in the order in which they are loaded.

    Raises:
        FalcoError: it is not that.
    """
    if not re.search(r"^\d+ Plugins Loaded:", text, re.M):
        raise FalcoError("this is not what 'falco --list-plugins' prints: no line 'N Plugins Loaded:'")
    found = []
    for block in re.split(r"^(?=Name: )", text, flags=re.M)[1:]:
        lines = dict(re.findall(r"^(Name|Version): (\S+)", block, re.M))
        if "Name" not in lines:
            raise FalcoError("this is not what 'falco --list-plugins' prints: a plugin without a name")
        source = _SOURCE.search(block)
        found.append(SaidPlugin(lines["Name"], lines.get("Version", "0.0.0"), source.group(1) if source else None))
    return found


def _type(text: str) -> str:
    kind = text.lower()
    return _TYPES.get(kind, kind)


def _json(text: str) -> Any:
    """The JSON object that a text is; None when it is none."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FalcoError(f"this begins as JSON and is none: {error}") from error
