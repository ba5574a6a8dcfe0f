# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A ruleset as data: rules with what they resolve to, macros, lists, MITRE coverage and who depends on whom."""

from __future__ import annotations

import re
from typing import Any

from ..catalogue.catalogue import SYSCALL
from ..condition.nodes import Field, walk
from ..condition.printer import to_text
from ..errors import CheckError
from ..load.compiler import MAX_EVENTS_QUIET, Compiled
from ..load.expand import expand, fields_of, macros_of
from ..load.output import output_tokens
from ..load.ruleset import Loaded
from ..load.substitution import words
from ..yaml.nesting import deep_nesting

_TECHNIQUE = re.compile(r"T[0-9]{4}(?:\.[0-9]{3})?")


@deep_nesting()
def describe(loaded: Loaded) -> dict[str, Any]:
    """Describe a ruleset that loaded.

    Returns:
        `rules`, `macros`, `lists` (each sorted as defined), `mitre` (`tactics` and `techniques`, each a mapping of
        name to rule names), `dependencies` (edges `from`, `to`), `required_engine_version` and
        `required_plugin_versions`.
    """
    compiler = loaded.compiler
    rules = [_rule(loaded, compiled) for compiled in compiler.rules.values()]
    macros = [
        {
            "name": name,
            "condition": macro.item.condition,
            "macros": list(dict.fromkeys(reference.name for reference in macro.parsed.macros)),
            "lists": _lists(macro.item.condition, loaded),
            "fields": fields_of(macro.parsed.node, compiler) if macro.parsed.node is not None else [],
            "used": macro.used,
            "file": macro.item.context.file,
            "line": macro.item.context.locations[-1].mark.line + 1,
        }
        for name, macro in compiler.macros.items()
    ]
    lists = [
        {
            "name": name,
            "items": list(item.items),
            "lists": [value for value in item.items if value in loaded.collector.lists],
            "used": name in compiler.lists.used,
            "file": item.context.file,
            "line": item.context.locations[-1].mark.line + 1,
        }
        for name, item in loaded.collector.lists.items()
    ]
    engine = loaded.collector.required_engine
    return {
        "rules": rules,
        "macros": macros,
        "lists": lists,
        "mitre": _mitre(rules),
        "dependencies": _dependencies(rules, macros, lists),
        "required_engine_version": ".".join(str(number) for number in engine) if engine else None,
        "required_plugin_versions": [
            [{"name": name, "version": version} for name, version in requirement.alternatives]
            for requirement in loaded.collector.requirements
        ],
    }


def event_types(loaded: Loaded, compiled: Compiled) -> list[str] | None:
    """Names of the event types a syscall rule can hold for, sorted; None when they are more than Falco likes."""
    events = compiled.summary.events
    if compiled.rule.source != SYSCALL or bin(events).count("1") > MAX_EVENTS_QUIET:
        return None
    names = {name for code, name in enumerate(loaded.catalogue.event_names) if events >> code & 1}
    return sorted(names)


def output_fields(loaded: Loaded, compiled: Compiled) -> list[str]:
    """Fields that a rule's own output prints, in order, each once."""
    table = loaded.compiler.tables[compiled.rule.source]
    output = compiled.rule.output.replace("%container.info", "")
    try:
        tokens = output_tokens(table, output)
    except CheckError:
        return []
    return list(dict.fromkeys(part.text for _at, node in tokens for part in walk(node) if isinstance(part, Field)))


def _rule(loaded: Loaded, compiled: Compiled) -> dict[str, Any]:
    rule = compiled.rule
    resolved = expand(compiled.node, loaded.compiler)
    tags = sorted(rule.tags)
    return {
        "name": rule.name,
        "desc": rule.desc,
        "source": rule.source,
        "priority": rule.priority,
        "enabled": rule.enabled,
        "tags": tags,
        "condition": rule.condition,
        "resolved_condition": to_text(resolved) if resolved is not None else None,
        "output": rule.output,
        "fields": fields_of(compiled.node, loaded.compiler),
        "output_fields": output_fields(loaded, compiled),
        "event_types": event_types(loaded, compiled),
        "macros": macros_of(compiled.node, loaded.compiler),
        "lists": _lists(rule.condition, loaded),
        "exceptions": [exception.name for exception in rule.exceptions],
        "mitre_tactics": [tag for tag in tags if tag.startswith("mitre_")],
        "mitre_techniques": [tag for tag in tags if _TECHNIQUE.fullmatch(tag)],
        "file": rule.context.file,
        "line": rule.context.locations[-1].mark.line + 1,
    }


def _lists(condition: str, loaded: Loaded) -> list[str]:
    return sorted(word for word in words(condition) if word in loaded.collector.lists)


def _mitre(rules: list[dict[str, Any]]) -> dict[str, dict[str, list[str]]]:
    coverage: dict[str, dict[str, list[str]]] = {"tactics": {}, "techniques": {}}
    for rule in rules:
        for kind in ("tactics", "techniques"):
            for tag in rule[f"mitre_{kind}"]:
                coverage[kind].setdefault(tag, []).append(rule["name"])
    return {kind: dict(sorted(found.items())) for kind, found in coverage.items()}


def _dependencies(*groups: list[dict[str, Any]]) -> list[dict[str, str]]:
    edges = []
    for kind, entries in zip(("rule", "macro", "list"), groups):
        for entry in entries:
            for target in ("macro", "list"):
                for name in entry.get(f"{target}s", ()):
                    edges.append({"from": f"{kind} {entry['name']}", "to": f"{target} {name}"})
    return edges
