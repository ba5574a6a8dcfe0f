# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection at a time, in the specification's order, with the reason for every verdict.

This is the slow and obvious reading of the specification. The fast engine is proven equal to it by tests; explanations
come from here, so that a reason can never contradict its verdict's derivation.

Sources: https://kubernetes.io/docs/concepts/services-networking/network-policies/ (isolation, additive rules, a pod
reaches itself, its node reaches it), https://network-policy-api.sigs.k8s.io/api-overview/ (tiers, priorities, Pass).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Union

from ..model.addresses import WHOLE, Range, format_range, holds
from ..model.objects import (
    ADMIN,
    ALLOW,
    BASELINE,
    DENY,
    NAMESPACED,
    BlockPeer,
    DomainsPeer,
    Model,
    NodesPeer,
    Options,
    Pod,
    PodsPeer,
    Policy,
    PortRule,
    Rule,
)

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
        }


@dataclass(frozen=True)
class Verdict:
    """Whether a connection is allowed, with both directions' decisions. C(note) says what stands above policies."""

    allowed: bool
    egress: Decision | None
    ingress: Decision | None
    note: str = ""

    @property
    def decisive(self) -> Decision | None:
        """The decision to tell first: the one that denies, else the one with a rule."""
        decisions = [d for d in (self.egress, self.ingress) if d is not None]
        for decision in decisions:
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
        }


def decide(
    model: Model,
    policies: Sequence[Policy],
    source: Endpoint,
    destination: Endpoint,
    protocol: str,
    port: int,
    options: Options | None = None,
) -> Verdict:
    """Whether a new connection may be opened; see L(Decider.decide)."""
    return Decider(model, policies, options).decide(source, destination, protocol, port)


class Decider:
    """Decides connections under one set of policies, and remembers which policies select a pod.

    Args:
        model: namespaces and nodes that selectors refer to.
        policies: the policies in force.
        options: answers to what is left to implementations.
    """

    def __init__(self, model: Model, policies: Sequence[Policy], options: Options | None = None) -> None:
        self.model = model
        self.options = options or Options()
        self.policies = sorted(policies, key=lambda policy: policy.order)
        self._selecting: dict[tuple[int, str], list[Policy]] = {}

    def decide(self, source: Endpoint, destination: Endpoint, protocol: str, port: int) -> Verdict:
        """Whether a new connection may be opened.

        Args:
            source: a pod, or a range of addresses that no block divides.
            destination: the same; not both outside.
            protocol: TCP, UDP or SCTP.
            port: destination port, 1 to 65535, as it arrives at the destination pod.

        Returns:
            The verdict. With two address families in common it is allowed if it is allowed over one of them.
        """
        if isinstance(source, Pod) and isinstance(destination, Pod):
            if source is destination and not source.template:
                return Verdict(True, None, None, "a pod always reaches itself")
            if _same_host(source, destination):
                return Verdict(True, None, None, "both are their node's network: no policy stands between them")
        note = _node_note(source, destination)
        if note:
            return Verdict(True, None, None, note)
        verdicts = []
        for family in _families(self.model, source, destination):
            context = _Context(self, destination, protocol, port, family)
            egress = context.direction("egress", source, destination) if isinstance(source, Pod) else None
            ingress = context.direction("ingress", destination, source) if isinstance(destination, Pod) else None
            allowed = all(decision.allowed for decision in (egress, ingress) if decision is not None)
            verdicts.append(Verdict(allowed, egress, ingress))
        return next((verdict for verdict in verdicts if verdict.allowed), verdicts[0])

    def selecting(self, pod: Pod, direction: str) -> list[Policy]:
        """Policies that have a say about a pod in a direction, in the order of their evaluation."""
        key = (id(pod), direction)
        found = self._selecting.get(key)
        if found is None:
            found = self._selecting[key] = [
                policy
                for policy in self.policies
                if self.selects(policy.subject, pod) and (policy.isolates(direction) or policy.rules(direction))
            ]
        return found

    def selects(self, peer: PodsPeer, pod: Pod) -> bool:
        """Whether a subject or a pods peer selects a pod."""
        if pod.host_network and not self.options.policies_select_host_network:
            return False
        if peer.namespaces is None:
            if pod.namespace != peer.namespace:
                return False
        elif not peer.namespaces.matches(self.model.namespace_labels(pod.namespace)):
            return False
        return peer.pods.matches(pod.labels)


def _same_host(source: Pod, destination: Pod) -> bool:
    both = source.host_network and destination.host_network
    return both and bool(source.node) and source.node == destination.node


def _node_note(source: Endpoint, destination: Endpoint) -> str:
    """Traffic between a pod and its own node is always allowed."""
    for pod, other in ((destination, source), (source, destination)):
        if not isinstance(pod, Pod) or pod.host_network:
            continue
        if isinstance(other, Range):
            if other.first == other.last and format_range(other) == pod.node_address:
                return f"{pod.node_address} is the pod's own node, which policies cannot cut off"
        elif other.host_network and other.node and other.node == pod.node:
            return f"{other.full_name} is on the host network of the pod's own node, which policies cannot cut off"
    return ""


def _families(model: Model, source: Endpoint, destination: Endpoint) -> list[int]:
    """Address families over which two pods talk; 0 where that makes no difference or none is in common."""
    if not isinstance(source, Pod) or not isinstance(destination, Pod):
        return [0]
    assumed = model.assumed_families
    left, right = ({family for family, _value in pod.addresses} or assumed for pod in (source, destination))
    return sorted(left & right) or [0]


class _Context:
    """What stays the same while one connection is looked at from both ends."""

    def __init__(self, decider: Decider, destination: Endpoint, protocol: str, port: int, family: int) -> None:
        self.decider = decider
        self.model = decider.model
        self.options = decider.options
        self.destination = destination
        self.protocol = protocol
        self.port = port
        self.family = family

    def direction(self, direction: str, pod: Pod, other: Endpoint) -> Decision:
        """The three tiers in their order, from the view of the pod that the policies select."""
        selecting = self.decider.selecting(pod, direction)
        considered = tuple(policy.full_name for policy in selecting)
        for tier in (ADMIN, NAMESPACED, BASELINE):
            members = [policy for policy in selecting if policy.tier == tier]
            if tier == NAMESPACED:
                decided = self._namespaced(direction, pod, other, members, considered)
            else:
                decided = self._ordered(direction, other, tier, members, considered)
            if decided is not None:
                return decided
        reason = (
            f"no policy isolates {pod.full_name} for {direction} and no other rule matches"
            if considered
            else f"no policy selects {pod.full_name} for {direction}"
        )
        return Decision(direction, True, "default", "", None, "", "", reason, considered)

    def _ordered(
        self, direction: str, other: Endpoint, tier: str, policies: Sequence[Policy], considered: tuple[str, ...]
    ) -> Decision | None:
        """The first rule that matches decides; Pass leaves the tier."""
        for policy in policies:
            for rule in policy.rules(direction):
                if not self.matches(rule, policy, other):
                    continue
                if rule.action not in (ALLOW, DENY):
                    return None
                allowed = rule.action == ALLOW
                name = f" ({rule.name})" if rule.name else ""
                reason = (
                    f"{'allowed' if allowed else 'denied'} by {policy.full_name}, {direction} rule {rule.index}{name}, "
                    f"in the {tier} tier"
                )
                return Decision(
                    direction, allowed, tier, policy.full_name, rule.index, rule.name, rule.action, reason, considered
                )
        return None

    def _namespaced(
        self, direction: str, pod: Pod, other: Endpoint, policies: Sequence[Policy], considered: tuple[str, ...]
    ) -> Decision | None:
        """If any policy isolates the pod, what one of them allows is allowed and nothing else."""
        isolating = [policy for policy in policies if policy.isolates(direction)]
        if not isolating:
            return None
        for policy in isolating:
            for rule in policy.rules(direction):
                if self.matches(rule, policy, other):
                    reason = f"allowed by {policy.full_name}, {direction} rule {rule.index}"
                    return Decision(
                        direction, True, NAMESPACED, policy.full_name, rule.index, rule.name, ALLOW, reason, considered
                    )
        names = ", ".join(policy.full_name for policy in isolating)
        verb = "isolates" if len(isolating) == 1 else "isolate"
        reason = f"{names} {verb} {pod.full_name} for {direction} and no rule allows it"
        return Decision(direction, False, NAMESPACED, isolating[0].full_name, None, "", "", reason, considered)

    def matches(self, rule: Rule, policy: Policy, other: Endpoint) -> bool:
        peer = rule.peers is None or any(self.is_peer(item, other) for item in rule.peers)
        return peer and (rule.ports is None or any(self.is_port(item) for item in rule.ports))

    def is_peer(self, peer: object, other: Endpoint) -> bool:
        if isinstance(peer, PodsPeer):
            return isinstance(other, Pod) and self.decider.selects(peer, other)
        if isinstance(peer, BlockPeer):
            return self.in_block(peer, other)
        if isinstance(peer, NodesPeer):
            addresses = [
                Range(family, value, value)
                for node in self.model.nodes
                if peer.nodes.matches(node.labels)
                for family, value in node.addresses
            ]
            return self.in_block(BlockPeer(tuple(addresses), "nodes", covers_pods=True), other)
        if isinstance(peer, DomainsPeer):
            # Which addresses a domain name has cannot be told: such a rule (always Allow) matches nothing we know.
            return False
        raise TypeError(f"{peer!r} is no peer")

    def in_block(self, block: BlockPeer, other: Endpoint) -> bool:
        if isinstance(other, Range):
            return any(
                r.family == other.family and r.first <= other.first and other.last <= r.last for r in block.ranges
            )
        if not (block.covers_pods or self.options.block_matches_pods):
            return False
        if not other.addresses:
            # Whatever address the pod will get, it lies in a block that holds its whole family.
            families = (self.family,) if self.family else self.model.assumed_families
            return block.covers_pods and any(WHOLE[family] in block.ranges for family in families)
        return any(
            holds(block.ranges, family, value) for family, value in other.addresses if self.family in (0, family)
        )

    def is_port(self, item: PortRule) -> bool:
        if item.protocol and item.protocol != self.protocol:
            return False
        if not item.name:
            return item.first <= self.port <= item.last
        if not isinstance(self.destination, Pod):
            return False
        return any(
            port.name == item.name and port.number == self.port and port.protocol == self.protocol
            for port in self.destination.ports
        )
