# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds variables that no role reads: misspelt ones, which Ansible ignores in silence, and a user's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..common import words
from .misspelt import misspelling_of


@dataclass(frozen=True)
class Finding:
    """A variable that no role reads.

    Attributes:
      name: how it is written.
      misspelt: whether it is most likely another one misspelt; if not, it is a user's own that begins as a role's do.
      nearest: the variable that was meant, or that is most like it.
      message: for people.
    """

    name: str
    misspelt: bool
    nearest: str | None
    message: str


def unknown_variables(names: Iterable[str], known: Iterable[str], prefixes: Iterable[str]) -> list[Finding]:
    """Tell the names that no role declares and that look like a role's.

    A name that is most likely a declared one misspelt is reported as such, whatever it begins with
    (C(flaco_chart_version); see C(misspelt.py) for what is likely). Another one that begins with one of the prefixes
    (C(falco_version), C(verify_ssl)) may be anybody's, and is reported as not misspelt. Names that begin with C(__) are
    internal and never reported.

    Args:
      names: the variables that the inventory sets.
      known: every variable that a role declares (its C(argument_specs.yml)).
      prefixes: what the roles' variables begin with, such as C(falco_).

    Returns:
      One finding for each such name, sorted by name.
    """
    declared = sorted(set(known))
    owned = tuple(prefixes)
    findings = []
    for name in sorted(set(names) - set(declared)):
        if name.startswith("__"):
            continue
        meant = misspelling_of(name, declared)
        if meant:
            message = f"'{name}' is not a variable of any role: did you mean '{meant}'?"
            findings.append(Finding(name, True, meant, message))
        elif name.startswith(owned):
            alike = words.nearest(name, declared)
            hint = f"; the most similar one that is read is '{alike}'" if alike else ""
            findings.append(Finding(name, False, alike, f"no role reads '{name}'{hint}"))
    return findings
