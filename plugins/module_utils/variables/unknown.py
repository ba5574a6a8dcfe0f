# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds variables that look like a role's but are none: the misspelt ones, which Ansible ignores in silence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..common import words

#: How alike two names must be (0 to 1, difflib's ratio) for the one to count as a misspelling of the other
#: when not even its prefix is right.
MISSPELLING_RATIO = 0.88


@dataclass(frozen=True)
class Finding:
    """A variable that no role reads."""

    name: str
    nearest: str | None
    message: str


def unknown_variables(names: Iterable[str], known: Iterable[str], prefixes: Iterable[str]) -> list[Finding]:
    """Report each name that is meant for a role and that no role declares.

    A name is meant for a role when it starts with one of *prefixes* (``falco_``), or when it is nearly the name of a
    declared variable (``flaco_chart_version``). Names that start with ``__`` are internal and never reported.

    :param names: the variables that the inventory sets.
    :param known: every variable that a role declares (its ``argument_specs.yml``).
    :param prefixes: the prefixes that belong to the roles, with their trailing underscore.
    :returns: one finding per unknown name, sorted by name.
    """
    declared = sorted(set(known))
    owned = tuple(prefixes)
    findings = []
    for name in sorted(set(names) - set(declared)):
        if name.startswith("__"):
            continue
        is_owned = bool(owned) and name.startswith(owned)
        nearest = words.nearest(name, declared, words.RATIO if is_owned else MISSPELLING_RATIO)
        if not is_owned and not nearest:
            continue
        hint = f"did you mean '{nearest}'?" if nearest else "see the role's README for the variables that it knows"
        findings.append(Finding(name, nearest, f"'{name}' is not a variable of any role: {hint}"))
    return findings
