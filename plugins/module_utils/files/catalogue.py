# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that say which Falco judges rules: what a Falco printed is read from files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..falco.catalogue.catalogue import Catalogue
from ..falco.errors import FalcoError
from ..falco.load.embedded import unpacked
from ..falco.load.known import known_before, known_for
from ..falco.load.ruleset import RulesFile
from .rules import read_rules_files

_TEXTS = {"type": "list", "elements": "str"}
_FIELD = {
    "name": {"type": "str", "required": True},
    "type": {
        "type": "str",
        "choices": ["string", "uint64", "bool", "reltime", "abstime", "ipaddr", "ipnet"],
        "default": "string",
    },
    "list": {"type": "bool", "default": False},
    "argument": {"type": "str"},
}
_PLUGIN = {
    "name": {"type": "str", "required": True},
    "version": {"type": "str"},
    "source": {"type": "str"},
    "extracts": _TEXTS,
    "events": _TEXTS,
    "fields": {"type": "list", "elements": "dict", "options": _FIELD},
}
SAID = ("version", "fields", "events", "plugins")
CATALOGUE: dict[str, dict[str, Any]] = {
    "plugins": {"type": "list", "elements": "str"},
    "plugin_descriptions": {"type": "list", "elements": "dict", "options": _PLUGIN, "default": []},
    "falco_version": {"type": "str", "default": "0.44"},
    "falco_output": {"type": "dict", "options": {name: {"type": "path"} for name in SAID}},
}
"""The argument specification of the documentation fragment `catalogue`."""


def texts_in(paths: Sequence[str] | None, contents: Mapping[str, Any] | None = None) -> list[str]:
    """The rules in some files, directories and texts, for `catalogue_of`; who loads them tells what cannot be read."""
    files = [RulesFile(str(name), str(text)) for name, text in (contents or {}).items()]
    files += read_rules_files(paths or ())[0]
    return [file.text for file in unpacked(files)[0]]


def catalogue_of(params: Mapping[str, Any], texts: Iterable[str]) -> Catalogue:
    """What rules are judged by, as the options of `CATALOGUE` say.

    Args:
        params: the module's.
        texts: the rules files.

    Raises:
        FalcoError: a file that cannot be read, and as `known_for`.
    """
    paths = {name: path for name, path in (params["falco_output"] or {}).items() if path}
    plugins = None if params["plugins"] is None else tuple(params["plugins"])
    if paths and plugins is not None:
        raise FalcoError("falco_output says which plugins are loaded; leave plugins out")
    said = None
    if paths:
        # few ask what a Falco printed
        from ..falco.catalogue.learned import Said

        try:
            said = Said(**{name: Path(path).read_text(encoding="utf-8") for name, path in paths.items()})
        except (OSError, UnicodeError) as error:
            raise FalcoError(f"falco_output: {error}") from error
    return known_for(texts, params["falco_version"], plugins, params["plugin_descriptions"], said)


def catalogue_before(params: Mapping[str, Any], texts: Iterable[str], version: str) -> Catalogue:
    """What another version beside it knows, see `known_before`."""
    plugins = None if params["plugins"] is None else tuple(params["plugins"])
    return known_before(texts, version, plugins, params["plugin_descriptions"])
