# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advice on the keys of an entry: those that are misspelt, missing, or that need an override."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ...common.words import slips
from ..load.context import Context
from ..load.reader import LIST_KEYS, MACRO_KEYS
from ..load.ruleset import Loaded
from .advice import Advice, meant

_OTHERS = {
    "list": {"value": "items", "values": "items", "item": "items"},
    "macro": {"conditions": "condition", "cond": "condition"},
    "rule": {"conditions": "condition", "tag": "tags", "description": "desc", "severity": "priority"},
    "exception": {"value": "values", "field": "fields", "comp": "comps", "comparators": "comps"},
}
"""Keys that are called otherwise in Falco's rules."""
_ABBREVIATED = {
    "EMERG": "EMERGENCY", "PANIC": "EMERGENCY", "FATAL": "EMERGENCY", "CRIT": "CRITICAL", "ERR": "ERROR",
    "WARN": "WARNING", "INFORMATION": "INFORMATIONAL",
}  # fmt: skip
_SCALE = {
    "SEVERE": "CRITICAL", "HIGH": "CRITICAL", "MAJOR": "ERROR", "MEDIUM": "WARNING", "MODERATE": "WARNING",
    "LOW": "NOTICE", "MINOR": "NOTICE",
}  # fmt: skip
"""Words of scales that are no syslog's: what comes nearest is the author's to choose."""
_KEY = re.compile(r"( *(?:- +)?)[\"']?([A-Za-z_<][\w<-]*)[\"']? *:(?:\s|$)")


_PARTS = 3
"""Numbers that a version has."""


class Key(NamedTuple):
    """A key as it stands in a file: its name, and line and column from 1."""

    name: str
    line: int
    column: int


def keys_at(lines: Sequence[str], line: int, column: int) -> list[Key]:
    """The keys of the entry that starts at a 0-based place, in block style."""
    found: list[Key] = []
    for number in range(line, len(lines)):
        text = lines[number]
        if number > line and text.strip() and len(text) - len(text.lstrip(" ")) < column:
            break
        start = column if number == line else 0
        match = _KEY.match(text, start)
        if match and match.start(2) == column:
            found.append(Key(match.group(2), number + 1, match.start(2) + 1))
    return found


def key_meant(word: str, kind: str, known: Iterable[str]) -> Advice:
    """Advice with the key that a word stands for."""
    if word == "<<":
        return Advice("Falco does not know YAML's merge keys: write the keys out")
    names = list(known)
    other = _OTHERS.get(kind, {}).get(word)
    if other in names:
        return Advice(f"did you mean '{other}'?", word, str(other))
    return meant(word, names)


def priority_meant(word: str, known: Sequence[str]) -> Advice:
    """Advice with the priority that a word stands for, and all that there are."""
    given = word.upper()
    every = f"priorities: {', '.join(known)}"
    if given in _SCALE:
        return Advice(f"the nearest to '{word}' is '{_SCALE[given]}'; {every}")
    right = _ABBREVIATED.get(given) or meant(given, known).right
    return Advice(f"did you mean '{right}'? {every}", word, right) if right else Advice(every)


def version_meant(text: str) -> Advice:
    """Advice on a version that is not written as one."""
    parts = text.split(".")
    if not 0 < len(parts) < _PARTS or not all(part.isdigit() for part in parts):
        return Advice("write three numbers with full stops between, as in '0.31.0'")
    right = ".".join([*parts, "0", "0"][:_PARTS])
    return Advice(f"write three numbers: '{right}'", text, right)


def on_missing_key(missing: str, context: Context, loaded: Loaded, lines: Sequence[str]) -> Advice:
    """Advice on a key that an entry needs: it is misspelt, or what is meant is an override, or it is forgotten.

    Args:
        missing: the key.
        context: of the entry.
        loaded: the ruleset.
        lines: of the file.
    """
    kind, name = context.item
    mark = context.locations[-1].mark
    keys = keys_at(lines, mark.line, mark.column)
    known = {"macro": MACRO_KEYS, "list": LIST_KEYS}.get(kind, loaded.catalogue.language.rule_keys)
    present = {key.name for key in keys}
    for key in keys:
        if key.name in known or key.name in ("required_engine_version", "required_plugin_versions"):
            continue
        if slips(key.name, "override") <= 2:
            return Advice("did you mean 'override'?", key.name, "override", (key.line, key.column))
        other = key_meant(key.name, kind, sorted(set(known) - present))
        if other.hint:
            return other._replace(at=(key.line, key.column))
    if kind == "rule" and present == {"rule"}:
        return Advice("a name alone changes nothing: write what the rule shall be, or remove the entry")
    if kind == "rule":
        changed = sorted(present & {"condition", "output", "desc", "tags", "exceptions", "priority", "enabled"})
        if name in loaded.collector.rules and changed and "override" not in present:
            return Advice(f"to change the rule '{name}' that stands already, {_override(changed)}")
        if missing == "enabled":
            return Advice(
                f"to change a rule that another file defines, {_override(changed)}" if changed else "add 'enabled:'"
            )
        lacking = [key for key in ("condition", "desc", "output", "priority") if key not in present]
        if (
            changed
            and {"desc", "priority"} & set(lacking)
            and len(lacking) > 1
            and not {"condition", "desc"} <= present
        ):
            return Advice(
                f"a new rule needs {', '.join(lacking)} as well; to change one that another file defines, "
                f"{_override(changed)}"
            )
    return Advice(f"add '{missing}:'")


def on_redefinition(context: Context, loaded: Loaded, lines: Sequence[str]) -> Advice:
    """Advice on an entry that replaces one that stands already, where it was meant to change it; empty for another.

    Args:
        context: of the entry.
        loaded: the ruleset.
        lines: of the file.
    """
    kind, name = context.item
    mark = context.locations[1].mark
    keys = keys_at(lines, mark.line, mark.column)
    near = [key for key in keys if key.name != "override" and slips(key.name, "override") <= 2]
    if near:
        return Advice("did you mean 'override'?", near[0].name, "override", (near[0].line, near[0].column))
    known = [one for one in loaded.collector.changes if (one.kind, one.name) == (kind, name)]
    there = [(one.file, one.node.mark.line) for one in known if one.action in ("define", "redefine")]
    others = [place for place in there if place != (context.file, mark.line)]
    if not others or "override" in {key.name for key in keys}:
        return Advice()
    file, line = others[-1]
    changed = sorted({"condition", "items"} & {key.name for key in keys}) or ["condition"]
    return Advice(f"to add to the {kind} '{name}' of {file}:{line + 1}, {_override(changed)}")


def _override(keys: Sequence[str]) -> str:
    actions = [
        f"{key}: {'append' if key in ('condition', 'exceptions', 'items', 'tags') else 'replace'}" for key in keys
    ]
    return f"add 'override: {{{', '.join(actions)}}}'"
