# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Least-privilege NetworkPolicies from observed flows, with the proof that they allow these and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..errors import NetpolError
from ..flows.observed import Observed
from ..model.objects import Model, Options
from .policies import Builder
from .proof import prove

COARSENESS = ("port", "workload", "namespace")


class Suggestion(NamedTuple):
    """What is suggested and what was proven about it.

    Attributes:
        policies: NetworkPolicy manifests.
        missing: observed flows that the policies would cut, for people.
        excess: connections between ends that were not observed, for people.
        notes: what cannot be expressed, or should be known.
    """

    policies: list[dict[str, Any]]
    missing: list[str]
    excess: list[str]
    notes: list[str]

    @property
    def proven(self) -> bool:
        """Whether it is known to allow what was observed and nothing else. Of nothing, nothing is proven."""
        return bool(self.policies) and not self.missing and not self.excess


def suggest(
    model: Model,
    flows: Sequence[Observed],
    coarseness: str = "port",
    namespaces: Sequence[str] = (),
    dns: bool = True,
    options: Options | None = None,
) -> Suggestion:
    """Policies for every workload of some namespaces.

    Args:
        model: the workloads.
        flows: what was observed.
        coarseness: C(port) allows the observed ports of each pair of workloads, C(workload) all ports of each pair,
            C(namespace) all ports of each pair of namespaces.
        namespaces: where policies are wanted; by default those of the observed workloads.
        dns: whether every workload may ask DNS, observed or not.
        options: answers to what is left to implementations.

    Raises:
        NetpolError: an unknown coarseness, or a namespace without pods.
    """
    if coarseness not in COARSENESS:
        raise NetpolError(f"unknown coarseness {coarseness!r}: one of {', '.join(COARSENESS)}")
    builder = Builder(model, flows, coarseness, namespaces, dns)
    policies = builder.policies()
    if not policies:
        return Suggestion(
            [], [], [], [*builder.notes, "there is nothing to suggest: no workload that a policy selects"]
        )
    there = {policy.full_name for policy in model.policies}
    for policy in policies:
        name = f"NetworkPolicy {policy['metadata']['namespace']}/{policy['metadata']['name']}"
        if name in there:
            builder.notes.append(f"{name} takes the place of the one of its name")
    missing, excess = prove(builder, policies, options or Options())
    return Suggestion(policies, missing, excess, builder.notes)
