# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one connection comes to: the decision of each direction, with its reason, and the verdict of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from ..model.addresses import Range
from ..model.objects import Pod

#: A pod, or a range of addresses outside that no policy divides.
Endpoint = Union[Pod, Range]


@dataclass(frozen=True)
class Decision:
    """What one direction of a connection came to, and why.

    Attributes:
        direction: C(ingress) at the destination or C(egress) at the source.
        allowed: the verdict of this direction.
        tier: C(admin), C(namespaced), C(baseline), or C(default) when no policy decided.
        policy: full name of the deciding policy, empty when none did.
        rule: index of the deciding rule, None when isolation or nothing decided.
        rule_name: that rule's name, where it has one.
        action: Allow, Deny, or empty when isolation or nothing decided.
        reason: one sentence for people.
        considered: full names of the policies that select the pod of this direction.
        undetermined: whether it depends on what is not known; C(allowed) is then false.
        unsure: what the deciding rule asks beyond addresses and ports, empty if nothing.
    """

    direction: str
    allowed: bool
    tier: str
    policy: str
    rule: int | None
    rule_name: str
    action: str
    reason: str
    considered: tuple[str, ...] = ()
    undetermined: bool = False
    unsure: str = ""

    def as_dict(self) -> dict[str, object]:
        return {
            "direction": self.direction,
            "allowed": self.allowed,
            "tier": self.tier,
            "policy": self.policy,
            "rule": self.rule,
            "rule_name": self.rule_name,
            "action": self.action,
            "reason": self.reason,
            "considered": list(self.considered),
            "undetermined": self.undetermined,
        }


@dataclass(frozen=True)
class Verdict:
    """Whether a connection is allowed, with both directions' decisions. C(note) says what stands above policies."""

    allowed: bool
    egress: Decision | None
    ingress: Decision | None
    note: str = ""

    @property
    def undetermined(self) -> bool:
        """Whether it depends on an address that is not known: nothing denies, but something may."""
        decisions = [d for d in (self.egress, self.ingress) if d is not None and not d.allowed]
        return not self.allowed and all(decision.undetermined for decision in decisions)

    @property
    def decisive(self) -> Decision | None:
        """The decision to tell first: the one that denies, then one that may, else the one with a rule."""
        decisions = [d for d in (self.egress, self.ingress) if d is not None]
        for decision in sorted(decisions, key=lambda d: d.undetermined):
            if decision.allowed == self.allowed and not decision.allowed:
                return decision
        for decision in decisions:
            if decision.policy:
                return decision
        return decisions[0] if decisions else None

    def as_dict(self) -> dict[str, object]:
        return {
            "allowed": self.allowed,
            "egress": self.egress.as_dict() if self.egress else None,
            "ingress": self.ingress.as_dict() if self.ingress else None,
            "note": self.note,
            "undetermined": self.undetermined,
        }
