# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Falco's JSON schema of rules files: `schema_valid` and `schema_warnings` of its result.

Falco only warns of what breaks the schema, and its loader goes on. The check is weakly typed: any scalar is a
string, and `true`, `"true"` and `5`, `"5"` are the boolean and the number that they look like.
Source: `userspace/engine/rule_json_schema.h` in falcosecurity/falco.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..catalogue.language import Language
from ..yaml.nodes import MAP, NULL, SCALAR, SEQUENCE, Yaml
from .entry_values import keys_of

OK = "ok"
_PRIORITIES = frozenset(
    ("EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "INFORMATIONAL", "DEBUG")
)
_OVERRIDABLE = frozenset(
    (
        "items", "desc", "condition", "output", "priority", "enabled", "exceptions", "capture", "capture_duration",
        "tags", "warn_evttypes", "skip-if-unknown-filter",
    )
)  # fmt: skip
_STRINGS = frozenset(("required_engine_version", "macro", "condition", "list", "rule", "desc", "output", "source"))
_BOOLEANS = frozenset(("enabled", "append", "capture", "warn_evttypes", "skip-if-unknown-filter"))
_INTEGER = re.compile(r"-?[0-9]+")
_TYPE = "Value type not permitted by 'type' constraint."
_ENUM = "Failed to match against any enum values."


class _BrokenError(Exception):
    """What breaks the schema, and where below the current node: a list of path parts."""

    def __init__(self, message: str, *path: str) -> None:
        super().__init__(message)
        self.message = message
        self.path = list(path)


def schema_status(documents: Sequence[Yaml], language: Language) -> list[str]:
    """Check documents; "ok" for each that follows the schema, otherwise one text that says where it does not.

    Args:
        documents: of one rules file.
        language: of the version whose schema it is.
    """
    status = []
    for document in documents:
        try:
            _document(document, language)
            status.append(OK)
        except _BrokenError as error:
            where = "".join(f"[{part}]" for part in error.path)
            status.append(f"failed for <root>{where}: {error.message}")
    return status


def key_that_is_no_text(documents: Sequence[Yaml]) -> Yaml | None:
    """The first key, in a mapping that the schema describes, that is a sequence or a mapping itself.

    Falco's check of the schema stumbles over it, and the file counts as one that is no YAML.
    """
    for document in documents:
        for mapping in _mappings(document):
            for pair in mapping.value:
                key: Yaml = pair[0]
                if key.kind in (SEQUENCE, MAP):
                    return key
    return None


def _mappings(document: Yaml) -> Iterator[Yaml]:
    """The mappings that the schema describes, in its order."""
    for item in _members(document):
        if item.kind != MAP:
            continue
        yield item
        for name, value in keys_of(item).items():  # Falco does not look at the later ones of equal keys
            if name == "override" and value.kind == MAP:
                yield value
            elif name in ("exceptions", "required_plugin_versions"):
                for entry in _members(value):
                    if entry.kind == MAP:
                        yield entry
                        alternatives = keys_of(entry).get("alternatives")
                        if alternatives is not None:
                            yield from (each for each in _members(alternatives) if each.kind == MAP)


def _members(node: Yaml) -> Sequence[Yaml]:
    return node.value if node.kind == SEQUENCE else ()


def _document(node: Yaml, language: Language) -> None:
    if node.kind != SEQUENCE:
        raise _BrokenError(_TYPE)
    for number, item in enumerate(node.value):
        try:
            _item(item, language)
        except _BrokenError as error:
            error.path.insert(0, str(number))
            raise


def _item(node: Yaml, language: Language) -> None:
    if node.kind != MAP:
        raise _BrokenError(_TYPE)
    seen: set[str] = set()
    for key_node, value in node.value:
        key = key_node.value if key_node.kind == SCALAR else ""
        if key in seen:
            raise _unknown("")
        seen.add(key)
        if key in language.missing_schema_keys:
            raise _unknown(key)
        if key in _STRINGS or key in _BOOLEANS or key == "capture_duration":
            _scalar(key, value)
        elif key == "priority":
            _enum(key, value, _PRIORITIES)
        elif key in ("items", "tags"):
            _sequence(key, value)
            for number, item in enumerate(value.value):
                if item.kind != SCALAR:
                    raise _BrokenError(_TYPE, key, str(number))
        elif key == "exceptions":
            _sequence(key, value)
            for number, item in enumerate(value.value):
                needed = ("name", "values") if language.schema_requires_exception_values else ("name",)
                _map(item, ("name", "fields", "comps", "values"), needed, ("name",), key, str(number))
        elif key == "override":
            _override(value, language)
        elif key == "required_plugin_versions":
            _plugins(value)
        else:
            raise _unknown(key)


def _scalar(key: str, node: Yaml) -> None:
    if node.kind != SCALAR:
        raise _BrokenError(_TYPE, key)
    if key in _BOOLEANS and node.value not in ("true", "false"):
        raise _BrokenError(_TYPE, key)
    if key == "capture_duration" and not _INTEGER.fullmatch(node.value):
        raise _BrokenError(_TYPE, key)


def _unknown(key: str, *path: str) -> _BrokenError:
    return _BrokenError(
        "Object contains a property that could not be validated using 'properties' or 'additionalProperties' "
        f"constraints: '{key}'.",
        *path,
    )


def _sequence(key: str, node: Yaml, *path: str) -> None:
    if node.kind != SEQUENCE:
        raise _BrokenError(_TYPE, *path, key)


def _enum(key: str, node: Yaml, values: frozenset[str], *path: str) -> None:
    if node.kind != SCALAR:
        raise _BrokenError(_TYPE, *path, key)
    if node.value not in values:
        raise _BrokenError(_ENUM, *path, key)


def _map(
    node: Yaml, known: Sequence[str], required: Sequence[str], strings: Sequence[str], *path: str
) -> dict[str, Yaml]:
    if node.kind != MAP:
        raise _BrokenError(_TYPE, *path)
    found: dict[str, Yaml] = {}
    for key_node, value in node.value:
        key = key_node.value if key_node.kind == SCALAR else ""
        if key not in known or key in found:
            raise _unknown(key if key not in known else "", *path)
        if key in strings and value.kind != SCALAR:
            raise _BrokenError(_TYPE, *path, key)
        found[key] = value
    for key in required:
        if key not in found:
            raise _BrokenError(f"Missing required property '{key}'.", *path)
    return found


def _override(node: Yaml, language: Language) -> None:
    if node.kind in (NULL, SCALAR, SEQUENCE):
        raise _BrokenError(_TYPE, "override")
    if not node.value:
        raise _BrokenError("Object should have no fewer than 1 properties.", "override")
    seen: set[str] = set()
    for key_node, value in node.value:
        key = key_node.value if key_node.kind == SCALAR else ""
        if key in seen:
            raise _unknown("", "override")
        seen.add(key)
        if key not in _OVERRIDABLE or key in language.missing_schema_keys:
            raise _unknown(key, "override")
        _enum(key, value, frozenset(("append", "replace")), "override")


def _plugins(node: Yaml) -> None:
    key = "required_plugin_versions"
    _sequence(key, node)
    for number, plugin in enumerate(node.value):
        names = ("name", "version")
        found = _map(plugin, (*names, "alternatives"), names, names, key, str(number))
        others = found.get("alternatives")
        if others is None:
            continue
        _sequence("alternatives", others, key, str(number))
        for index, other in enumerate(others.value):
            _map(other, names, names, names, key, str(number), "alternatives", str(index))
