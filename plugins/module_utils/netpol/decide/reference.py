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
from dataclasses import replace

from ..model.addresses import Range, format_range, holds, merge, subtract
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
from .verdict import Decision, Endpoint, Verdict

#: Where an end may lie.
Places = tuple[Range, ...]
#: The one place of an end whose address is known, or makes no difference.
_KNOWN: Places = (Range(0, 0, 0),)


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
        # Over any family will do: allowed, else possibly allowed.
        verdicts = self.over_each_family(source, destination, protocol, port)
        return max(verdicts, key=lambda verdict: (verdict.allowed, verdict.undetermined))

    def over_each_family(self, source: Endpoint, destination: Endpoint, protocol: str, port: int) -> list[Verdict]:
        """What the policies alone say of a connection, over each family of addresses that both ends have."""
        verdicts = []
        for family in _families(self.model, source, destination):
            context = _Context(self, destination, protocol, port, family)
            egress = context.direction("egress", source, destination) if isinstance(source, Pod) else None
            ingress = context.direction("ingress", destination, source) if isinstance(destination, Pod) else None
            allowed = all(decision.allowed for decision in (egress, ingress) if decision is not None)
            verdicts.append(Verdict(allowed, egress, ingress))
        return verdicts

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
        found: list[Decision] = []
        places = self._places(other)
        for tier in (ADMIN, NAMESPACED, BASELINE):
            members = [policy for policy in selecting if policy.tier == tier]
            if tier == NAMESPACED:
                outcomes, places = self._namespaced(direction, pod, other, members, considered, places)
            else:
                outcomes, places = self._ordered(direction, other, tier, members, considered, places)
            found.extend(outcomes)
            if not places:
                return _settle(found, other)
        if pod.host_network and not self.options.policies_select_host_network:
            reason = f"{pod.full_name} is on the host network, where no policy holds for it"
        elif considered:
            reason = f"no policy isolates {pod.full_name} for {direction} and no other rule matches"
        else:
            reason = f"no policy selects {pod.full_name} for {direction}"
        found.append(Decision(direction, True, "default", "", None, "", "", reason, considered))
        return _settle(found, other)

    def _places(self, other: Endpoint) -> Places:
        """Where an end may lie: a pod without a known address at any of those that it may get."""
        if not isinstance(other, Pod) or other.addresses:
            return _KNOWN
        families = (self.family,) if self.family else sorted(self.model.assumed_families)
        return tuple(r for family in families for r in self.model.possible_addresses(family, other.host_network))

    def _ordered(
        self,
        direction: str,
        other: Endpoint,
        tier: str,
        policies: Sequence[Policy],
        considered: tuple[str, ...],
        places: Places,
    ) -> tuple[list[Decision], Places]:
        """What the tier can come to, and where it is left. The first rule that matches decides; Pass leaves the tier.

        A rule that matches at some places decides there, and the next ones are looked at for the others. One of which
        it is not known whether it matches adds what it would decide, and the next ones are looked at for all.
        """
        outcomes: list[Decision] = []
        passed: list[Range] = []
        for policy in policies:
            for rule in policy.rules(direction):
                part = self.part(rule, other, places)
                if not part:
                    continue
                if rule.action in (ALLOW, DENY):
                    allowed = rule.action == ALLOW
                    name = f" ({rule.name})" if rule.name else ""
                    reason = (
                        f"{'allowed' if allowed else 'denied'} by {policy.full_name}, {direction} rule {rule.index}"
                        f"{name}, in the {tier} tier"
                    )
                    decision = Decision(
                        direction,
                        allowed,
                        tier,
                        policy.full_name,
                        rule.index,
                        rule.name,
                        rule.action,
                        reason,
                        considered,
                        unsure=rule.unsure,
                    )
                    outcomes.append(decision)
                else:
                    passed.extend(part)
                if not rule.unsure:
                    places = _without(places, part)
        return outcomes, tuple(merge([*places, *passed]))

    def _namespaced(
        self,
        direction: str,
        pod: Pod,
        other: Endpoint,
        policies: Sequence[Policy],
        considered: tuple[str, ...],
        places: Places,
    ) -> tuple[list[Decision], Places]:
        """If any policy isolates the pod, what one of them allows is allowed and nothing else."""
        isolating = [policy for policy in policies if policy.isolates(direction)]
        if not isolating:
            return [], places
        possible: list[Decision] = []
        left = places
        for policy in isolating:
            for rule in policy.rules(direction):
                part = self.part(rule, other, places)
                if not part:
                    continue
                reason = f"allowed by {policy.full_name}, {direction} rule {rule.index}"
                decision = Decision(
                    direction,
                    True,
                    NAMESPACED,
                    policy.full_name,
                    rule.index,
                    rule.name,
                    ALLOW,
                    reason,
                    considered,
                    unsure=rule.unsure,
                )
                if not rule.unsure:
                    if not _without(places, part):
                        return [decision], ()
                    left = _without(left, part)
                possible.append(decision)
        if not left:
            return possible, ()
        names = ", ".join(policy.full_name for policy in isolating)
        verb = "isolates" if len(isolating) == 1 else "isolate"
        reason = f"{names} {verb} {pod.full_name} for {direction} and no rule allows it"
        denied = Decision(direction, False, NAMESPACED, isolating[0].full_name, None, "", "", reason, considered)
        return [*possible, denied], ()

    def part(self, rule: Rule, other: Endpoint, places: Places) -> Places:
        """At which of the places where an end may lie a rule is about it."""
        if rule.ports is not None and not any(self.is_port(item) for item in rule.ports):
            return ()
        if rule.peers is None or any(self.is_peer(item, other) for item in rule.peers):
            return places
        if isinstance(other, Pod) and not other.addresses:
            blocks = self._blocks(rule.peers, other)
            return _without(places, _without(places, blocks)) if blocks else ()
        return ()

    def is_peer(self, peer: object, other: Endpoint) -> bool:
        if isinstance(peer, PodsPeer):
            return isinstance(other, Pod) and self.decider.selects(peer, other)
        if isinstance(peer, (BlockPeer, NodesPeer)):
            return self.in_block(self.block(peer), other)
        if isinstance(peer, DomainsPeer):
            # Which addresses a domain name has cannot be told: such a rule (always Allow) matches nothing we know.
            return False
        raise TypeError(f"{peer!r} is no peer")

    def block(self, peer: BlockPeer | NodesPeer) -> BlockPeer:
        """The addresses of a peer."""
        if isinstance(peer, BlockPeer):
            return peer
        addresses = [
            Range(family, value, value)
            for node in self.model.nodes
            if peer.nodes.matches(node.labels)
            for family, value in node.addresses
        ]
        return BlockPeer(tuple(addresses), "nodes", covers_pods=True)

    def in_block(self, block: BlockPeer, other: Endpoint) -> bool:
        if isinstance(other, Range):
            return any(
                r.family == other.family and r.first <= other.first and other.last <= r.last for r in block.ranges
            )
        if not block.matches_pods(self.options):
            return False
        return any(
            holds(block.ranges, family, value) for family, value in other.addresses if self.family in (0, family)
        )

    def _blocks(self, peers: Sequence[object], pod: Pod) -> list[Range]:
        """The addresses of a rule's blocks, as far as they may be those of a pod."""
        ranges: list[Range] = []
        for peer in peers:
            # A pod that is not on the host network has no address of a node.
            if isinstance(peer, BlockPeer) or (isinstance(peer, NodesPeer) and pod.host_network):
                block = self.block(peer)
                if block.matches_pods(self.options):
                    ranges.extend(block.ranges)
        return ranges

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


def _without(places: Sequence[Range], holes: Sequence[Range]) -> Places:
    return tuple(rest for place in places for rest in subtract(place, holes))


def _settle(found: Sequence[Decision], other: Endpoint) -> Decision:
    """One decision out of all that are possible; the last is the one without any rule that may match."""
    last = found[-1]
    for decision in found:
        if decision.allowed != last.allowed:
            name = other.full_name if isinstance(other, Pod) else format_range(other)
            why = f"the address of {name} is not known, and blocks hold a part of those that it may have"
            if decision.unsure:
                why = f"{decision.unsure} of {decision.policy} are not analysed"
            reason = f"undetermined: {why}: {decision.reason} or {last.reason}"
            return replace(decision, allowed=False, reason=reason, undetermined=True)
    sure = dict.fromkeys(decision.reason for decision in found if not decision.unsure)
    if len(sure) > 1 and isinstance(other, Pod) and not other.addresses:
        return replace(last, reason=f"whatever address {other.full_name} gets: {' or '.join(sure)}")
    return last
