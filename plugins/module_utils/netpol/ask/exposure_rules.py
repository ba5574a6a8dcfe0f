# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exposure by rule: what each rule opens to the world and to pods that may come, and at which workloads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

PARTS = ("outside", "cluster", "selected")

#: Policy, direction and position of a rule.
_Key = tuple[str, str, int]


def by_rule(items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same answers, told of rules in place of workloads.

    Args:
        items: answers of L(exposure.exposure).

    Returns:
        For each rule that opens something a mapping with C(policy), C(direction), C(rule), C(name), C(workloads), and
        C(outside), C(cluster) and C(selected) as there, without C(rules). Sorted by policy, direction and rule.
    """
    found: dict[_Key, dict[str, Any]] = {}
    told: set[tuple[_Key, str, str]] = set()
    # Workloads that the same policies select share their answers' lists.
    seen: dict[tuple[int, ...], list[_Key]] = {}
    workloads: dict[_Key, dict[str, None]] = {}
    for item in items:
        shared = tuple(id(item[part]) for part in PARTS)
        keys = seen.get(shared)
        if keys is None:
            keys = seen[shared] = _add(item, found, told)
        for key in keys:
            workloads.setdefault(key, {})[item["workload"]] = None
    for key, row in found.items():
        row["workloads"] = list(workloads[key])
    return [found[key] for key in sorted(found)]


def _add(item: Mapping[str, Any], found: dict[_Key, dict[str, Any]], told: set[tuple[_Key, str, str]]) -> list[_Key]:
    keys: dict[_Key, None] = {}
    for part in PARTS:
        for entry in item[part]:
            plain = {name: value for name, value in entry.items() if name != "rules"}
            for rule in entry["rules"]:
                key = (rule["policy"], item["direction"], rule["rule"])
                keys[key] = None
                row = found.get(key)
                if row is None:
                    row = found[key] = {
                        "policy": rule["policy"],
                        "direction": item["direction"],
                        "rule": rule["rule"],
                        "name": rule["name"],
                        "workloads": [],
                        **{name: [] for name in PARTS},
                    }
                if (key, part, str(plain)) not in told:
                    told.add((key, part, str(plain)))
                    row[part].append(plain)
    return list(keys)


def said_by(rules: Sequence[Mapping[str, Any]]) -> str:
    """The rules that open something, in words behind it; empty where no rule does."""
    named = (f"{rule['policy']} rule {rule['rule']}" for rule in rules)
    return f" ({', '.join(named)})" if rules else ""
