# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies of other APIs as the model's: what is read of them, and what is left out, by name."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import Cause
from ..model.objects import OTHER_POLICY, PART_OF_POLICY, LeftOut, Model, Policy
from .cilium import UnknownLabelError, parse_cilium
from .entry import Entry, Key, Reporter, origin_of


def read_cilium(model: Model, reporter: Reporter, key: Key, entry: Entry) -> None:
    """Adds the policies of one of Cilium's objects."""

    def report(path: str, message: str, hint: str, cause: Cause | None) -> None:
        reporter.problem(entry, "warning" if cause else "error", path, message, hint, cause)

    try:
        keep(model, parse_cilium(entry.value, origin_of(entry), report))
    except UnknownLabelError as error:
        name = f"{key[0]} {key[1]}/{key[2]}" if key[1] else f"{key[0]} {key[2]}"
        model.not_analysed.append(LeftOut(f"{name} (about pods by {error})", 1, OTHER_POLICY))


def keep(model: Model, policies: Sequence[Policy]) -> None:
    """Adds policies, and the name of each part of theirs that is not analysed."""
    for policy in policies:
        parts = dict.fromkeys(rule.unsure for rule in (*policy.ingress, *policy.egress) if rule.unsure)
        for part in parts:
            left = LeftOut(f"{part} of {policy.full_name}", 1, PART_OF_POLICY)
            if left not in model.not_analysed:
                model.not_analysed.append(left)
    model.policies.extend(policies)
