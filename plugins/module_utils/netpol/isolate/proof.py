# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What still reaches a pod, or is reached by it, in a snapshot: the proof of a quarantine by analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..ask.explain import explain, representatives
from ..decide.universe import Universe
from ..decide.verdict import Decision
from ..model.objects import Options
from ..model.ports import summary
from ..read.manifests import Input, load
from .names import policy_name
from .plan import QuarantineError, Wanted

#: Pairs that are explained for one pod; a class of pods counts once.
MAX_PAIRS = 50_000


class Left(NamedTuple):
    """What is open to one side of the pod.

    Attributes:
        direction: C(ingress) or C(egress), seen from the pod.
        other: a pod, or a block outside.
        ports: in words.
        by: full name of the policy that allows it; empty where none decides.
        asked: whether the quarantine itself allows it.
    """

    direction: str
    other: str
    ports: str
    by: str
    asked: bool

    def __str__(self) -> str:
        way = "from" if self.direction == "ingress" else "to"
        return f"{self.direction} {way} {self.other} on {self.ports}" + (f", by {self.by}" if self.by else "")


def open_connections(objects: Sequence[Mapping[str, Any]], wanted: Wanted) -> list[Left]:
    """Connections of the pod that policies let through; what is between it and its own node is not counted.

    Args:
        objects: a snapshot.
        wanted: the quarantine, whose own policy makes what it allows asked for.

    Raises:
        QuarantineError: the pod is not in the snapshot, or there are too many pairs to look at.
    """
    model = load([Input("snapshot", objects=objects)], "skip")
    pod = next((one for one in model.pods if (one.namespace, one.name) == (wanted.namespace, wanted.pod)), None)
    if pod is None:
        raise QuarantineError(f"there is no pod {wanted.namespace}/{wanted.pod}")
    options = Options()
    others = representatives(model, Universe(model, [model.policies], options), outside=True)
    own = f"NetworkPolicy {wanted.namespace}/{policy_name(wanted.identity)}"
    found = []
    for direction, sources, destinations in (("egress", [pod], others), ("ingress", others, [pod])):
        explained, left_out = explain(model, model.policies, sources, destinations, options, MAX_PAIRS)
        if left_out:
            raise QuarantineError(f"there are too many pairs to prove: {left_out}")
        for one in explained:
            decision: Decision | None = getattr(one.verdict, direction)
            if decision is None or not (one.verdict.allowed or one.verdict.undetermined):
                continue
            other = one.destination if direction == "egress" else one.source
            found.append(Left(direction, other, summary(one.texts), decision.policy, decision.policy == own))
    return found
