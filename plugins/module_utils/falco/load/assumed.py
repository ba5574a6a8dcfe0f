# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugins that rules require and that no catalogue has: taken as the rules use them, so that the rest can be judged.

A Falco that loads such rules has the plugin. Its name, event source and fields are read from the rules; what is wrong
with them otherwise, and with all other rules, is found as ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ...common.words import slips
from ..catalogue.catalogue import Catalogue, FieldInfo, Plugin
from ..catalogue.versions import NEWEST, data_of
from ..condition.dialect import parse_in
from ..condition.nodes import Field, walk
from ..errors import ConditionSyntaxError
from ..yaml.documents import read_documents
from ..yaml.nesting import deep_nesting
from ..yaml.nodes import SCALAR, SEQUENCE, Yaml, YamlError
from .collector import compatible, parse_version

UNTOLD = "0.0.0"
"""The version of a plugin whose description has none: it meets every requirement."""
_SHORT = 4
"""Words of fewer letters are never taken for a slip of another one."""
_JOINED = re.compile(r"\s*(?:and|or)\b")
_NAME = r"[a-zA-Z]\w*(?:\.\w+)+"
_OUTPUT = re.compile(rf"%[0-9]*(?:\w+\()*({_NAME})")
_COMPARED = re.compile(rf"(?<![\w.\"'/])({_NAME})(?:\[[^\]]*\])?[\s)]*(?:=|!|<|>|\b[a-z]+\b)")
_EXCEPTED = re.compile(rf"({_NAME})(?:\[[^\]]*\])?\)*$")


class _Used(NamedTuple):
    """What rules name: requirements as (name, version) alternatives, sources and fields, each in order."""

    requirements: list[list[tuple[str, str]]]
    sources: dict[str, None]
    fields: dict[str, None]


@deep_nesting()
def with_required(known: Catalogue, texts: Iterable[str], assume: bool) -> Catalogue:
    """A catalogue that has the plugins that rules require, as far as the rules tell.

    Args:
        known: what is known without them.
        texts: the rules files; those that cannot be read are passed over.
        assume: whether there may be plugins that nobody described; those described without a version always get one.

    Returns:
        The same catalogue where nothing is missing. Otherwise one with plugins of the required names and versions, in
        `assumed`. A plugin that some version of Falco brings along is never assumed: this Falco has it or not.
    """
    texts = list(texts)
    asked = _used((text for text in texts if "required_plugin_versions" in text), known)
    described, wanted = _missing(known, asked.requirements)
    if not assume or not wanted:
        return known.with_plugins(described) if described else known
    used = _used(texts, known)
    sources = [source for source in used.sources if source not in known.sources]
    fields = _unknown(known, used.fields, [*wanted, *sources])
    return known.with_plugins(described, [_assumed(known, *one, sources, fields) for one in wanted.items()])


def _missing(
    known: Catalogue, requirements: Sequence[Sequence[tuple[str, str]]]
) -> tuple[list[Plugin], dict[str, str]]:
    """Plugins whose description tells no version, with the one that is asked for; and those to assume, with theirs."""
    brought = {entry[0] for entry in data_of(NEWEST).PLUGINS}
    described: dict[str, Plugin] = {}
    wanted: dict[str, str] = {}
    for alternatives in requirements:
        if any(_meets(known.plugins.get(name), version) for name, version in alternatives):
            continue
        for name, version in alternatives:
            plugin = known.plugins.get(name)
            if plugin is not None and plugin.version == UNTOLD:
                described[name] = _of_version(plugin, version)
                break
        else:
            if any(name in brought for name, _version in alternatives):
                continue
            name, version = alternatives[0]
            before = parse_version(wanted.get(name, UNTOLD)) or (0, 0, 0)
            if (parse_version(version) or (0, 0, 0)) >= before:
                wanted[name] = version
    return list(described.values()), wanted


def _meets(plugin: Plugin | None, version: str) -> bool:
    have, want = parse_version(plugin.version) if plugin else None, parse_version(version)
    return have is not None and (want is None or compatible(have, want))


def _of_version(plugin: Plugin, version: str) -> Plugin:
    return Plugin(
        plugin.name, version, plugin.source, plugin.extracts, plugin.events, plugin.suggested, plugin.fields
    )  # fmt: skip


def _assumed(known: Catalogue, name: str, version: str, sources: list[str], fields: list[str]) -> Plugin:
    """A plugin as rules use it; of one that is known in an older version what is known, and what they use beyond."""
    before = known.plugins.get(name)
    nearest = [source for source in sources if source.startswith(name) or name.startswith(source)]
    source = before.source if before else next(iter(nearest or sources), None)
    have = before.fields if before else ()
    names = {info.name for info in have}
    added = tuple(
        FieldInfo(field, "charbuf", "optional", index=True, key=True, origin=name)
        for field in fields
        if field not in names
    )
    return Plugin(name, version, source, before.extracts if before else (), fields=(*have, *added))


def _unknown(known: Catalogue, fields: Iterable[str], related: Sequence[str]) -> list[str]:
    """The fields that nobody has and that are no slip of a known one: their first word is far from all known ones."""
    first = {name.partition(".")[0] for source in known.sources.values() for name in source.names()}
    found = []
    for field in fields:
        prefix = field.partition(".")[0]
        if prefix in first:
            continue
        own = any(prefix in name or name in prefix for name in related)
        if own or len(prefix) < _SHORT or all(slips(prefix, one) > 1 for one in first):
            found.append(field)
    return found


def _used(texts: Iterable[str], known: Catalogue) -> _Used:
    used = _Used([], {}, {})
    for text in texts:
        try:
            documents = read_documents(text)
        except YamlError:
            continue
        for document in documents:
            for entry in document.value if document.kind == SEQUENCE else ():
                _of_entry(entry, used, known)
    return used


def _of_entry(entry: Yaml, used: _Used, known: Catalogue) -> None:
    for requirement in _items(entry.get("required_plugin_versions")):
        others = _items(requirement.get("alternatives"))
        told = [(_text(one.get("name")), _text(one.get("version"))) for one in (requirement, *others)]
        if all(name and version for name, version in told):
            used.requirements.append(told)
    source, condition, output = (_text(entry.get(key)) for key in ("source", "condition", "output"))
    if source and entry.get("rule") is not None:
        used.sources[source] = None
    used.fields.update(dict.fromkeys(_in_condition(condition, known)))
    used.fields.update(dict.fromkeys(_OUTPUT.findall(output)))
    for exception in _items(entry.get("exceptions")):
        named = exception.get("fields")
        for field in _items(named) if named is not None and named.kind == SEQUENCE else [named]:
            found = _EXCEPTED.search(_text(field))
            if found:
                used.fields[found.group(1)] = None


def _in_condition(text: str, known: Catalogue) -> Iterator[str]:
    """The fields of a condition; of one that cannot be read by itself, what stands before an operator."""
    joined = _JOINED.match(text)
    try:
        node = parse_in(text[joined.end() :] if joined else text, known.language)
    except ConditionSyntaxError:
        yield from _COMPARED.findall(text)
        return
    for part in walk(node):
        if isinstance(part, Field):
            yield part.name


def _items(node: Yaml | None) -> list[Yaml]:
    return list(node.value) if node is not None and node.kind == SEQUENCE else []


def _text(node: Yaml | None) -> str:
    return str(node.value) if node is not None and node.kind == SCALAR else ""
