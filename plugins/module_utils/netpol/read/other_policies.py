# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies of other APIs as the model's: what is read of them, and what is left out, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import Cause
from ..model.left_out import OTHER_POLICY, PART_OF_POLICY, LeftOut
from ..model.objects import Model, Origin, Policy
from .calico import parse_calico, with_order
from .calico_selector import UnknownSelectorError
from .cilium import UnknownLabelError, parse_cilium, without_cluster
from .entry import Entry, Key, Reporter, origin_of
from .reader import Report


def read_cilium(model: Model, reporter: Reporter, key: Key, entry: Entry) -> None:
    """Adds the policies of one of Cilium's objects."""

    _read(model, reporter, key, entry, parse_cilium)


def read_calico(model: Model, reporter: Reporter, key: Key, entry: Entry) -> None:
    """Adds the policies of one of Calico's objects."""
    _read(model, reporter, key, entry, parse_calico)


def _read(
    model: Model,
    reporter: Reporter,
    key: Key,
    entry: Entry,
    parse: Callable[[Mapping[str, Any], Origin, Report], list[Policy]],
) -> None:
    def report(path: str, message: str, hint: str, cause: Cause | None) -> None:
        reporter.problem(entry, "warning" if cause else "error", path, message, hint, cause)

    try:
        model.policies.extend(parse(entry.value, origin_of(entry), report))
    except (UnknownLabelError, UnknownSelectorError) as error:
        name = f"{key[0]} {key[1]}/{key[2]}" if key[1] else f"{key[0]} {key[2]}"
        model.not_analysed.append(LeftOut(f"{name} (about pods by {error})", 1, OTHER_POLICY))


def settle(model: Model) -> None:
    """Narrows what depends on the rest of the cluster, and names each part of a policy that is not analysed."""
    model.policies = with_order(without_cluster(model.policies, model), model)
    for policy in model.policies:
        parts = dict.fromkeys(rule.unsure for rule in (*policy.ingress, *policy.egress) if rule.unsure)
        for part in parts:
            left = LeftOut(f"{part} of {policy.full_name}", 1, PART_OF_POLICY)
            if left not in model.not_analysed:
                model.not_analysed.append(left)
