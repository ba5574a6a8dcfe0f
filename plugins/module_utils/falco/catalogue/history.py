# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What another version of Falco knows that this one does not, in words for a person."""

from __future__ import annotations

from .language import CHANGED, Language
from .language_facts import LANGUAGE
from .versions import VERSIONS, data_of, order

_KINDS = {"operator": "operator", "modifier": "modifier", "transformer": "transformer"}


def of_word(word: str, language: Language) -> str:
    """Say when an operator, modifier or transformer came that a version lacks; empty when it is none."""
    for kind, name, since, _until in LANGUAGE:
        if kind in _KINDS and name == word and since and order(since) > order(language.falco):
            return f"the {_KINDS[kind]} '{word}' came with Falco {since}; this is {language.falco}"
    return ""


def of_field(name: str, language: Language) -> str:
    """Say when a built-in field came or went that a version lacks; empty when no known version has it."""
    had = [falco for falco in VERSIONS if any(row[0] == name for row in data_of(falco).FIELDS)]
    if not had:
        return ""
    now = order(language.falco)
    if order(had[0]) > now:
        return f"'{name}' came with Falco {had[0]}; this is {language.falco}"
    if order(had[-1]) >= now:
        return ""
    changed = CHANGED.get(name)
    plugin = plugin_of(name)
    if plugin:
        return f"since Falco {changed.gone if changed else ''} it is a field of the plugin '{plugin}': load that"
    return f"'{name}' went with Falco {changed.gone if changed else ''}, and nothing replaces it"


def plugin_of(name: str) -> str:
    """The plugin that took a built-in field over, under the same name; empty when none did."""
    changed = CHANGED.get(name)
    first = changed.replacement.split(";")[0] if changed else ""
    if not first.endswith("(same name)") or not first.startswith("plugin:"):
        return ""
    return first[len("plugin:") :].split(" ", 1)[0]
