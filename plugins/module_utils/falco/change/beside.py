# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A ruleset as its tests know it, with what a site makes of it: a cluster's files, exceptions, further entries."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

from ..load.ruleset import RulesFile
from ..yaml.documents import read_documents
from ..yaml.emit import emit_items
from ..yaml.nodes import SCALAR, SEQUENCE, Yaml, YamlError, to_bool

KINDS = ("rule", "macro", "list")


def beside(files: Sequence[RulesFile], contents: Mapping[str, str]) -> tuple[RulesFile, ...]:
    """A ruleset's files with those that are rolled out, in the order in which Falco loads them.

    Args:
        files: the ruleset.
        contents: file name to text of what is rolled out, in order. A file of the ruleset that has one of these names
            is loaded in its place, with that text. Entries that change a rule, macro or list which is not there are
            left out: they are for rules that the ruleset is without, such as Falco's own.

    Returns:
        Files that `contents` does not name, then those of `contents`, then such of the first that change what none
        before them has, so that it must be of `contents`.
    """
    paths = {posixpath.basename(file.name): file.name for file in files}
    known: set[tuple[str, str]] = set()
    found: list[RulesFile] = []
    behind: list[RulesFile] = []
    for file in files:
        if posixpath.basename(file.name) not in contents:
            tried = set(known)
            if _fitting(file.text, tried) == file.text:
                known = tried
                found.append(file)
            else:
                behind.append(file)
    for name, text in contents.items():
        found.append(RulesFile(paths.get(name, name), _fitting(text, known)))
    return (*found, *behind)


def _fitting(text: str, known: set[tuple[str, str]]) -> str:
    """The text without changes of what is not known; what it defines becomes known. Broken text stays as it is."""
    try:
        documents = read_documents(text)
    except YamlError:
        return text
    kept, left_out = [], False
    for document in documents:
        for item in document.value if document.kind == SEQUENCE else ():
            subject = _subject(item)
            if subject is not None and subject not in known and _changes(item):
                left_out = True
                continue
            if subject is not None:
                known.add(subject)
            kept.append(item)
    return emit_items(kept) if left_out else text


def _subject(item: Yaml) -> tuple[str, str] | None:
    """Kind and name of an entry."""
    for kind in KINDS:
        name = item.get(kind)
        if name is not None and name.kind == SCALAR:
            return kind, name.value
    return None


def _changes(item: Yaml) -> bool:
    """Whether an entry changes what is there already: it adds to it, overrides it, or only switches it."""
    append = item.get("append")
    if append is not None and append.kind == SCALAR and to_bool(append.value):
        return True
    if item.get("override") is not None:
        return True
    return item.get("rule") is not None and item.get("condition") is None
