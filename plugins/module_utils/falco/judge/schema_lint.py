# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Falco's JSON schema says of a file, in words, at the key that it is about."""

from __future__ import annotations

import re

from ..load.schema import OK
from ..yaml.documents import read_documents
from ..yaml.nodes import MAP, SCALAR, SEQUENCE, Yaml, YamlError
from .advice import Advice
from .positions import Place
from .told import Told

_PART = re.compile(r"\[([^\]]*)\]")
_UNKNOWN = re.compile(r"constraints: '(.*)'\.$", re.S)
_PRIORITY_HINT = "write it in capitals: '{}'"


def lint_schema(linter: Told) -> None:
    """FN009: Falco tells the first departure of each document and loads the file all the same."""
    for file, result in zip(linter.loaded.files, linter.loaded.results):
        documents = _documents(linter, file.text) if any(said != OK for said in result.schema_warnings) else []
        for number, warning in enumerate(result.schema_warnings):
            if warning == OK:
                continue
            where, _colon, message = warning.removeprefix("failed for <root>").partition(": ")
            path = _PART.findall(where)
            spot = _at(documents[number], path, message) if number < len(documents) else None
            entry = _entry(documents[number], path) if number < len(documents) else ""
            place = Place(file.name, spot.mark.line + 1, spot.mark.column + 1) if spot else Place(file.name, None, None)
            linter.add_at(
                "FN009", place, entry, f"Falco's schema of rules files: {_in_words(message, path)}", _mend(spot)
            )


def _documents(linter: Told, text: str) -> list[Yaml]:
    """The documents of a text; none of one that is no YAML as a whole."""
    known = linter.loaded.compiler.memory.documents.get(text)
    if known is not None:
        return known
    try:
        return read_documents(text)
    except YamlError:
        return []


def _at(document: Yaml, path: list[str], message: str) -> Yaml | None:
    """The node at a path; the key itself if it is one that the schema does not have."""
    node: Yaml | None = document
    for part in path:
        if node is None:
            return None
        if node.kind == SEQUENCE and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
        else:
            node = node.get(part)
    unknown = _UNKNOWN.search(message)
    if node is not None and unknown and node.kind == MAP:
        keys = [key for key, _value in node.value if key.kind == SCALAR and key.value == unknown.group(1)]
        return keys[0] if keys else node
    return node


def _entry(document: Yaml, path: list[str]) -> str:
    if not path or not path[0].isdigit() or document.kind != SEQUENCE:
        return ""
    item = document.value[int(path[0])]
    for kind in ("rule", "macro", "list"):
        name = item.get(kind)
        if name is not None and name.kind == SCALAR:
            return f"{kind} '{name.value}'"
    return ""


def _in_words(message: str, path: list[str]) -> str:
    key = next((part for part in reversed(path) if not part.isdigit()), "")
    unknown = _UNKNOWN.search(message)
    if unknown:
        return f"it has no key '{unknown.group(1)}' here" if unknown.group(1) else "a key stands here twice"
    if "enum" in message:
        return f"'{key}' has a value that is none of those it knows"
    if "type" in message:
        return f"'{key}' has a value of another type" if key else "an entry has another type"
    return message


def _mend(node: Yaml | None) -> Advice:
    if node is not None and node.kind == SCALAR and str(node.value).islower() and str(node.value).upper() in _CAPITALS:
        right = str(node.value).upper()
        return Advice(_PRIORITY_HINT.format(right), str(node.value), right)
    return Advice("Falco loads it all the same")


_CAPITALS = frozenset(
    ("EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "INFORMATIONAL", "DEBUG")
)
