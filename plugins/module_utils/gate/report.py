# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All parts of the gate together: each entry of the options judged, and what the whole says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..audit.codes import CODES
from ..common.finding import Finding
from ..common.junit import Suite
from ..falco.codes import described
from .audit import AuditPolicy, audit_section
from .charts import Release, charts_section
from .policies import PolicySet, policies_section
from .rules import Demands, Ruleset, rules_section
from .section import FAILED, PASSED, Section
from .tree import Tree

TOOL = "change_gate"
_SEVERITIES = ("error", "warning", "info")
_KINDS = ("rulesets", "audit_policies", "policies", "charts")


class GateError(Exception):
    """Options with which nothing can be judged."""


@dataclass(frozen=True)
class Report:
    """What the gate says.

    Attributes:
        sections: in the order of the options.
    """

    sections: tuple[Section, ...]

    @property
    def successful(self) -> bool:
        """Whether nothing failed and something was looked at."""
        states = {one.status for one in self.sections}
        return FAILED not in states and PASSED in states

    @property
    def reasons(self) -> list[str]:
        return [f"{one.kind} {one.name}: {reason}" for one in self.sections for reason in one.reasons]

    @property
    def findings(self) -> list[Finding]:
        return [finding for one in self.sections for finding in one.findings]

    def suites(self) -> list[Suite]:
        """For JUnit: each part's verdict, and what it tried."""
        return [suite for one in self.sections for suite in (one.suite(), *one.suites)]


@dataclass(frozen=True)
class Entries:
    """What is judged, by kind."""

    rulesets: Sequence[Ruleset]
    audit_policies: Sequence[AuditPolicy]
    policies: Sequence[PolicySet]
    releases: Sequence[Release]


def gate(entries: Entries, root: str, before: str | None, demands: Demands) -> Report:
    """Judge a revision.

    Args:
        entries: what is judged.
        root: the revision's directory.
        before: directory of the revision that it is compared with; None compares with nothing.
        demands: what is asked.

    Raises:
        FalcoError: the Falco version is not known.
    """
    tree, other = Tree(root), None if before is None else Tree(before)
    return Report(
        (
            *(rules_section(one, tree, other, demands) for one in entries.rulesets),
            *(audit_section(one, tree, other, demands) for one in entries.audit_policies),
            *(policies_section(one, tree, other, demands.fail_on) for one in entries.policies),
            *(charts_section(one, tree) for one in entries.releases),
        )
    )


def describe(findings: Sequence[Finding]) -> Callable[[str], tuple[str, str]]:
    """For SARIF, what gives a code's severity and title; those of policies and values are named by their codes."""
    worst: dict[str, str] = {}
    for one in findings:
        worst[one.code] = min(worst.get(one.code, "info"), one.severity, key=_SEVERITIES.index)

    def of(code: str) -> tuple[str, str]:
        if code in CODES:
            return CODES[code]
        try:
            return described(code)
        except KeyError:
            return worst[code], code.replace("-", " ")

    return of


def entries_of(params: Mapping[str, Any]) -> Entries:
    """The entries of the module's options.

    Raises:
        GateError: there is none, two have one name, or a directory is not there.
    """
    if not any(params[kind] for kind in _KINDS):
        raise GateError(f"there is nothing to judge: give {', '.join(_KINDS[:-1])} or {_KINDS[-1]}")
    for kind in _KINDS:
        for name, number in Counter(one["name"] for one in params[kind]).items():
            if number > 1:
                raise GateError(f"{kind}: {number} entries are called '{name}'; give each a name of its own")
    for option in ("root", "before"):
        if params[option] is not None and not Path(params[option]).is_dir():
            raise GateError(f"{option}: {params[option]} is no directory")
    return Entries(
        [Ruleset(**one) for one in params["rulesets"]],
        [AuditPolicy(**one) for one in params["audit_policies"]],
        [PolicySet(**one) for one in params["policies"]],
        [Release(**one) for one in params["charts"]],
    )
