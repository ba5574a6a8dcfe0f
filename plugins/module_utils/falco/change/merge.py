# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several rules files into one that Falco takes for the same, with what they contradict each other in.

Order is meaning: a later definition replaces an earlier one, and an override needs something before it. So the
entries are kept, one after the other, and only rewritten as YAML; comments do not survive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..catalogue.catalogue import Catalogue
from ..errors import FalcoError
from ..load.embedded import unpacked
from ..load.ruleset import Loaded, Loader, RulesFile
from ..yaml.emit import emit_items
from ..yaml.nodes import NULL
from .refusal import must_load


@dataclass(frozen=True)
class Conflict:
    """One name that several files define: the last definition counts.

    Attributes:
        kind, name: of the item.
        files: that define it, in order.
        same: whether the definitions say the same.
    """

    kind: str
    name: str
    files: tuple[str, ...]
    same: bool


@dataclass(frozen=True)
class Merged:
    """One rules file, and the names that its parts fought over."""

    content: str
    conflicts: tuple[Conflict, ...]


def merge(files: Sequence[RulesFile], known: Catalogue | None = None) -> Merged:
    """Merge rules files, also those within other files.

    Raises:
        FalcoError: a file does not load after those before it, or the merged file is not the same ruleset.
    """
    loader = Loader(known)
    files, inner = unpacked(files)
    loaded = loader.load(files, keep_documents=True)
    must_load(loaded, "the ruleset", inner)
    items = [
        item for documents in loaded.documents for document in documents for item in document.value
        if item.kind != NULL
    ]  # fmt: skip
    content = emit_items(items)
    again = loader.load([RulesFile("merged.yaml", content)])
    if not again.successful or _meaning(again) != _meaning(loaded):
        raise FalcoError("the merged file does not come out as the same ruleset; it is not written")
    return Merged(content, tuple(_conflicts(loaded)))


def _meaning(loaded: Loaded) -> Any:
    """Everything that a ruleset comes down to, for comparison."""
    collector = loaded.collector
    rules = {
        rule.name: (
            rule.condition, rule.output, rule.desc, rule.priority, rule.source, sorted(rule.tags), rule.enabled,
            rule.capture, rule.capture_duration, rule.warn_evttypes, rule.skip_if_unknown_filter,
            [
                (exception.name, exception.fields.plain(), exception.comps.plain(),
                 [value.plain() for value in exception.values])
                for exception in rule.exceptions
            ],
        )
        for rule in collector.rules.values()
    }  # fmt: skip
    macros = {macro.name: macro.condition for macro in collector.macros.values()}
    lists = {entry.name: entry.items for entry in collector.lists.values()}
    return rules, list(rules), macros, list(macros), lists, list(lists), collector.required_engine


def _conflicts(loaded: Loaded) -> list[Conflict]:
    defined: dict[tuple[str, str], list[Any]] = {}
    for change in loaded.collector.changes:
        if change.action in ("define", "redefine"):
            defined.setdefault((change.kind, change.name), []).append(change)
    conflicts = []
    for (kind, name), changes in defined.items():
        if len(changes) < 2:
            continue
        texts = {emit_items([change.node]) for change in changes}
        conflicts.append(Conflict(kind, name, tuple(change.file for change in changes), len(texts) == 1))
    return conflicts
