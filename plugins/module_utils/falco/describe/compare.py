# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed between two rulesets, and which part of a semantic version that calls for.

The classes are those by which the rules' own repository versions its files: what users' overrides may break on
is major, what needs more of Falco or adds something is minor, what else shows is patch.
Source: https://github.com/falcosecurity/rules/blob/main/RELEASE.md
"""

from __future__ import annotations

from typing import Any

from ..catalogue.catalogue import PRIORITIES, SYSCALL
from ..load.collector import parse_version
from ..load.ruleset import Loaded
from ..yaml.nesting import deep_nesting
from .info import describe

LEVELS = ("none", "patch", "minor", "major")
_URGENCY = {name.lower(): number for number, name in enumerate(PRIORITIES)}
_URGENCY["info"] = _URGENCY["informational"]


@deep_nesting()
def compare(old: Loaded, new: Loaded) -> dict[str, Any]:
    """Compare two rulesets that loaded.

    Returns:
        `verdict` (none, patch, minor or major) and `changes`, a list of `level`, `kind`, `name`, `change`,
        major ones first.
    """
    left, right = describe(old), describe(new)
    changes: list[dict[str, str]] = []

    def note(level: str, kind: str, name: str, change: str) -> None:
        changes.append({"level": level, "kind": kind, "name": name, "change": change})

    _compare_versions(left, right, note)
    for kind in ("rule", "macro", "list"):
        before = {entry["name"]: entry for entry in left[f"{kind}s"]}
        after = {entry["name"]: entry for entry in right[f"{kind}s"]}
        for name in before:
            if name not in after:
                note("major", kind, name, "removed")
        for name in after:
            if name not in before:
                note("minor", kind, name, "added")
        for name in before:
            if name in after:
                _compare_both(kind, (old, before[name]), (new, after[name]), note)
    changes.sort(key=lambda change: -LEVELS.index(change["level"]))
    return {"verdict": changes[0]["level"] if changes else "none", "changes": changes}


def _compare_both(kind: str, left: tuple[Loaded, Any], right: tuple[Loaded, Any], note: Any) -> None:
    """What changed in an entry that both have."""
    (old, one), (new, other) = left, right
    name = one["name"]
    if kind == "rule":
        _compare_rule(one, other, note)
        if one["source"] == SYSCALL:
            masks = old.compiler.rules[name].summary.events, new.compiler.rules[name].summary.events
            _compare_events(name, *masks, note)
    elif kind == "macro":
        if one["condition"] != other["condition"]:
            note("patch", "macro", name, "condition changed")
        if _macro_events(old, name) != _macro_events(new, name):
            note("major", "macro", name, "matches different event types")
    elif set(one["items"]) != set(other["items"]):
        note("patch", "list", name, "items added or removed")


def _compare_rule(one: dict[str, Any], other: dict[str, Any], note: Any) -> None:
    name = one["name"]
    if one["source"] != other["source"]:
        note("major", "rule", name, f"source changed from {one['source']} to {other['source']}")
    if one["enabled"] and not other["enabled"]:
        note("major", "rule", name, "disabled by default")
    if not one["enabled"] and other["enabled"]:
        note("patch", "rule", name, "enabled by default")
    urgency, later = _URGENCY.get(one["priority"].lower(), 0), _URGENCY.get(other["priority"].lower(), 0)
    if later > urgency:
        note("major", "rule", name, f"less urgent: {one['priority']} to {other['priority']}")
    elif later < urgency:
        note("patch", "rule", name, f"more urgent: {one['priority']} to {other['priority']}")
    if set(one["tags"]) - set(other["tags"]):
        note("major", "rule", name, "lost tags: " + ", ".join(sorted(set(one["tags"]) - set(other["tags"]))))
    if set(other["tags"]) - set(one["tags"]):
        note("patch", "rule", name, "new tags: " + ", ".join(sorted(set(other["tags"]) - set(one["tags"]))))
    if one["output_fields"] != other["output_fields"]:
        note("patch", "rule", name, "output fields changed")
    if set(one["exceptions"]) != set(other["exceptions"]):
        note("patch", "rule", name, "exceptions added or removed")
    if one["resolved_condition"] != other["resolved_condition"]:
        note("patch", "rule", name, "condition changed")
    if one["desc"] != other["desc"]:
        note("patch", "rule", name, "description changed")


def _macro_events(loaded: Loaded, name: str) -> int:
    summary = loaded.compiler.macro_summary(name, SYSCALL)
    return summary.events


def _compare_events(name: str, before: int, after: int, note: Any) -> None:
    """Fewer event types may silence someone's alert; more of them only add some. Both are sets of bits."""
    if before & ~after:
        note("major", "rule", name, "matches fewer event types")
    if after & ~before:
        note("patch", "rule", name, "matches more event types")


def _compare_versions(left: dict[str, Any], right: dict[str, Any], note: Any) -> None:
    none = (0, 0, 0)
    old = parse_version(left["required_engine_version"] or "") or none
    new = parse_version(right["required_engine_version"] or "") or none
    if new > old:
        note("minor", "engine", "required_engine_version", "incremented")
    elif new < old:
        note("patch", "engine", "required_engine_version", "decremented")
    before = _requirements(left)
    after = _requirements(right)
    for name, (version, siblings) in before.items():
        if name not in after:
            whole = not any(sibling in after for sibling in siblings)
            level = "patch" if whole else "major"
            note(level, "plugin", name, "requirement removed" if whole else "alternative removed")
            continue
        later = after[name][0]
        if (parse_version(later) or none) > (parse_version(version) or none):
            note("minor", "plugin", name, f"required version incremented from {version} to {later}")
        elif (parse_version(later) or none) < (parse_version(version) or none):
            note("patch", "plugin", name, f"required version decremented from {version} to {later}")
    for name, (_version, siblings) in after.items():
        if name not in before:
            known = any(sibling in before for sibling in siblings)
            note("patch" if known else "minor", "plugin", name, "alternative added" if known else "requirement added")


def _requirements(described: dict[str, Any]) -> dict[str, tuple[str, list[str]]]:
    found: dict[str, tuple[str, list[str]]] = {}
    for alternatives in described["required_plugin_versions"]:
        names = [entry["name"] for entry in alternatives]
        for entry in alternatives:
            found[entry["name"]] = (entry["version"], names)
    return found
