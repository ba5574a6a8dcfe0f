# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate's part on audit policies of the API server: what it refuses, and which Falco rules it leaves blind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..audit.check import NOT_ALL, RECORDED, SILENT, UNKNOWN, VERDICTS, Checked, check
from ..audit.errors import AuditError
from ..audit.presets import PRESETS
from ..falco.errors import FalcoError
from ..falco.judge.validate import fails
from ..falco.load.ruleset import Loaded, load
from ..files.catalogue import catalogue_of
from .rules import Demands, read_side
from .section import Section, changes_of, counted
from .tree import Tree

KIND = "audit_policies"


@dataclass(frozen=True)
class AuditPolicy:
    """One entry of the option C(audit_policies).

    Attributes:
        name: how it is called.
        policy: its file; None for the preset.
        preset: name of one of this collection; None for the file.
        files, base_files: rules for audit events; without them the policy alone is judged.
        allow_secret_bodies: whether it may record the bodies of secrets and tokens.
    """

    name: str
    policy: str | None = None
    preset: str | None = None
    files: Sequence[str] = ()
    base_files: Sequence[str] = ()
    allow_secret_bodies: bool = False


def audit_section(entry: AuditPolicy, after: Tree, before: Tree | None, demands: Demands) -> Section:
    """Judge one audit policy.

    Args:
        entry: what is judged.
        after: the revision that is to be merged.
        before: the one that it is compared with; None compares with nothing.
        demands: what is asked.
    """
    try:
        checked = _checked(entry, after, demands)
    except (AuditError, FalcoError, OSError, UnicodeError) as error:
        return Section(KIND, entry.name, (after.told(str(error)),))
    verdicts = Counter(one.verdict for one in checked.rules)
    counts = {f"rules {verdict}": verdicts[verdict] for verdict in VERDICTS if checked.rules}
    counts["findings"] = len(checked.findings)
    groups, notes = _compared(entry, checked, before, demands) if before is not None else ({}, ())
    return Section(
        KIND,
        entry.name,
        counted(fails(checked.findings, demands.fail_on)),
        tuple(checked.findings),
        changes_of(groups),
        counts,
        notes,
    )


def _checked(entry: AuditPolicy, tree: Tree, demands: Demands) -> Checked:
    if (entry.policy is None) == (entry.preset is None):
        raise AuditError(f"audit_policies[{entry.name}]: give either policy or preset")
    if entry.policy is None:
        name, text = str(entry.preset), PRESETS[str(entry.preset)]
    else:
        name, text = entry.policy, Path(tree.path(entry.policy)).read_text(encoding="utf-8-sig")
    return check(text, _rules(entry, tree, demands), name, entry.allow_secret_bodies)


def _rules(entry: AuditPolicy, tree: Tree, demands: Demands) -> Loaded | None:
    if not (entry.files or entry.base_files):
        return None
    side = read_side(tree, tree.paths(entry.base_files), tree.paths(entry.files))
    for name, reason in side.unreadable:
        raise FalcoError(f"{name}: {reason}")
    loaded = load(side.files, catalogue_of(demands.catalogue, [file.text for file in side.files]))
    if not loaded.successful:
        raise FalcoError("the rules do not load; give them as one of rulesets to see why")
    return loaded


def _compared(
    entry: AuditPolicy, checked: Checked, before: Tree, demands: Demands
) -> tuple[dict[str, Sequence[str]], tuple[str, ...]]:
    """Rules that see less or more than with the revision before, and notes."""
    try:
        old = _checked(entry, before, demands)
    except (AuditError, FalcoError, OSError, UnicodeError):
        return {}, ("The revision before does not have this, or cannot be judged, so nothing is compared with it.",)
    was = {one.name: one.verdict for one in old.rules}
    turned = [(one, was[one.name]) for one in checked.rules if one.name in was and was[one.name] != one.verdict]
    less = [
        f"rule {one.name}: {verdict} => {one.verdict}" for one, verdict in turned if _seen(one.verdict) < _seen(verdict)
    ]
    more = [
        f"rule {one.name}: {verdict} => {one.verdict}"
        for one, verdict in turned
        if _seen(one.verdict) >= _seen(verdict)
    ]
    return {"Rules that see less": less, "Rules that see more": more}, ()


def _seen(verdict: str) -> int:
    """How much a rule sees, the least first; what cannot be told counts as seeing nothing."""
    return (SILENT, UNKNOWN, NOT_ALL, RECORDED).index(verdict)
