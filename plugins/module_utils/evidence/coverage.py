# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tactics and techniques of MITRE ATT&CK the loaded rules are about, and which of them an alert has proven.

Falco's rules name them in their tags: a tactic as C(mitre_execution), a technique as C(T1059) or C(T1552.001).
Sources: https://attack.mitre.org/tactics/enterprise/ and https://falco.org/docs/concepts/rules/style-guide/#tags
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .check import PASSED

TACTIC, TECHNIQUE = "tactic", "technique"
_TACTIC = re.compile(r"mitre_([a-z_]+)")
_TECHNIQUE = re.compile(r"T\d{4}(?:\.\d{3})?")


def coverage(about: Mapping[str, Mapping[str, Any]], checks: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Tactics first, then techniques, each by name.

    Args:
        about: of each rule that Falco loads, by its name, C(enabled) and C(tags); empty if they are not known.
        checks: of the report.

    Returns:
        Each with C(kind), C(name), C(rules) (those that are switched on) and C(proven) (those of them whose alert
        arrived). A tactic or technique of rules that are all off is not among them.
    """
    seen = proven_rules(about, checks)
    found: dict[tuple[str, str], list[str]] = {}
    for rule, one in sorted(about.items()):
        for tag in one.get("tags") or () if one.get("enabled") else ():
            named = _named(str(tag))
            if named:
                found.setdefault(named, []).append(rule)
    return [
        {"kind": kind, "name": name, "rules": rules, "proven": [rule for rule in rules if rule in seen]}
        for (kind, name), rules in sorted(found.items())  # a tactic comes before a technique by its name
    ]


def proven_rules(about: Iterable[str], checks: Iterable[Mapping[str, Any]]) -> set[str]:
    """Rules of which an alert arrived somewhere: the subject of an alert's check begins with its rule."""
    arrived = {
        str(check["subject"])
        for check in checks
        if (check["stage"], check["code"], check["status"]) == ("verify", "alert", PASSED)
    }
    return {rule for rule in about if any(subject.startswith(f"{rule}, ") for subject in arrived)}


def _named(tag: str) -> tuple[str, str] | None:
    tactic = _TACTIC.fullmatch(tag)
    if tactic:
        return TACTIC, tactic[1].replace("_", " ")
    return (TECHNIQUE, tag) if _TECHNIQUE.fullmatch(tag) else None
