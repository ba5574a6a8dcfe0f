# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why one may have thought otherwise of a denied connection: the usual misreadings of the policies that rule it.

Each hint has the code of the finding that lint has for the same mistake; docs/network-policy-semantics.md explains it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..decide.reference import Decider
from ..decide.verdict import Decision, Endpoint
from ..flows.ends import serves, target_intervals
from ..model.addresses import Range, format_address, format_range, holds
from ..model.objects import DENY, BlockPeer, Model, Pod, PodsPeer, Policy, Rule, Service, ServicePort
from ..model.ports import Interval
from .dns import DNS_PORT, is_dns, listening
from .parts import matches_port
from .routes import is_controller, routed

#: Blocks of no more addresses than this are meant for one Service, if they hold its address.
MAX_BLOCK = 256
#: Ports of one pod that hints of an explanation are looked for.
MAX_PORTS = 8


class Hint(NamedTuple):
    """A code of lint, and what it says about this connection."""

    code: str
    message: str

    def as_dict(self) -> dict[str, str]:
        return {"code": self.code, "message": self.message}


def with_hints(reason: str, hints: Iterable[Hint]) -> str:
    """A reason that ends with hints."""
    return "; ".join([reason, *(f"{hint.message} [{hint.code}]" for hint in hints)])


def service_block(peer: object, model: Model) -> Service | None:
    """The Service whose address a small block holds."""
    if not isinstance(peer, BlockPeer) or sum(r.last - r.first + 1 for r in peer.ranges) > MAX_BLOCK:
        return None
    for service in model.services:
        if any(holds(peer.ranges, family, value) for family, value in service.addresses):
            return service
    return None


def moved_ports(model: Model, pod: Pod) -> Iterator[tuple[Service, ServicePort, int]]:
    """Ports of the Services of a pod that lead to another number, with that number."""
    for service in model.services:
        if serves(service, pod):
            for entry in service.ports:
                for _protocol, number, _last in target_intervals(entry, pod):
                    if number != entry.number:
                        yield service, entry, number


class Hints:
    """Hints about denied connections under one set of policies.

    Args:
        decider: over all policies in force.
    """

    def __init__(self, decider: Decider) -> None:
        self._decider = decider
        self._selecting: dict[int, list[Policy]] = {}
        self._moved: dict[int, list[tuple[Service, ServicePort, int]]] = {}
        self._services: dict[object, Service | None] = {}

    def of_ports(
        self, source: Endpoint, destination: Endpoint, denied: Sequence[Interval], decision: Decision
    ) -> list[Hint]:
        """Hints about several ports that one decision denies: the first, and those that the destination is known for.

        Args:
            source, destination: as for L(of).
            denied: the ports.
            decision: as for L(of).
        """
        asked = [(denied[0][0], denied[0][1])]
        for protocol, number in self._known(destination):
            if any(protocol == name and first <= number <= last for name, first, last in denied):
                asked.append((protocol, number))
        found: dict[str, Hint] = {}
        for protocol, port in asked:
            for hint in self.of(source, destination, protocol, port, decision):
                found.setdefault(hint.code, hint)
        return list(found.values())

    def _known(self, destination: Endpoint) -> list[tuple[str, int]]:
        """Ports that a pod declares, that Services lead to another one of it, and where it answers DNS."""
        if not isinstance(destination, Pod):
            return []
        found = [(port.protocol, port.number) for port in destination.ports]
        found += [(entry.protocol, target) for _service, entry, target in self._moved_to(destination)]
        if is_dns(destination):
            found += sorted(listening(self._decider.model, destination))
        return list(dict.fromkeys(found))[:MAX_PORTS]

    def _moved_to(self, pod: Pod) -> list[tuple[Service, ServicePort, int]]:
        moved = self._moved.get(id(pod))
        if moved is None:
            moved = self._moved[id(pod)] = list(moved_ports(self._decider.model, pod))
        return moved

    def of(self, source: Endpoint, destination: Endpoint, protocol: str, port: int, decision: Decision) -> list[Hint]:
        """Hints about one connection, each code once.

        Args:
            source, destination: the ends; as L(Decider.decide).
            protocol, port: as they arrive at the destination.
            decision: the one that denies.
        """
        pod, other = (destination, source) if decision.direction == "ingress" else (source, destination)
        if not isinstance(pod, Pod):
            return []
        selecting = self._selecting.get(id(pod))
        if selecting is None:
            decider = self._decider
            selecting = [policy for policy in decider.policies if decider.selects(policy.subject, pod)]
            self._selecting[id(pod)] = selecting
        rules = [
            (policy, rule) for policy in selecting for rule in policy.rules(decision.direction) if rule.action != DENY
        ]
        found: dict[str, Hint] = {}
        for hint in (
            *self._ports(source, destination, protocol, port, decision),
            *_ignored(selecting, decision.direction),
            *self._peers(rules, decision.direction, other),
            *_names(rules, decision.direction, destination, protocol, port),
            *self._routes(source, destination, decision),
            *_dns(self._decider.model, rules, decision, destination, protocol, port),
        ):
            found.setdefault(hint.code, hint)
        return list(found.values())

    def _ports(
        self, source: Endpoint, destination: Endpoint, protocol: str, port: int, decision: Decision
    ) -> Iterator[Hint]:
        """Policies see the pod's port, after the Service has been translated."""
        if not isinstance(destination, Pod):
            return
        for service, entry, target in self._moved_to(destination):
            if entry.protocol != protocol or port not in (entry.number, target):
                continue
            asked = target if port == entry.number else entry.number
            verdict = self._decider.decide(source, destination, protocol, asked)
            mine = verdict.ingress if decision.direction == "ingress" else verdict.egress
            if mine is not None and mine.allowed:
                yield Hint(
                    "service-port",
                    f"port {asked} would be allowed, and Service {service.namespace}/{service.name} leads"
                    f" {entry.number} to {target}: policies see the pod's port {target}",
                )

    def _routes(self, source: Endpoint, destination: Endpoint, decision: Decision) -> Iterator[Hint]:
        """What comes from outside by a route comes from its controller."""
        model = self._decider.model
        if decision.direction != "ingress" or not model.routes or not isinstance(destination, Pod):
            return
        for route, service in routed(model, destination):
            if isinstance(source, Pod) and is_controller(source, route):
                said = f"{source.full_name} is a controller, and without a rule that lets it in the route is cut off"
            elif not isinstance(source, Pod):
                said = "what comes by it comes from its controller's pods, and they are what a rule must let in"
            else:
                continue
            yield Hint("cuts-route", f"{route.full_name} leads to Service {service.namespace}/{service.name}: {said}")

    def _peers(self, rules: Sequence[tuple[Policy, Rule]], direction: str, other: Endpoint) -> Iterator[Hint]:
        for policy, rule in rules:
            where = f"{direction} rule {rule.index} of {policy.full_name}"
            yield from _one_family(rule.peers or (), other, where)
            for peer in rule.peers or ():
                if isinstance(peer, BlockPeer):
                    yield from self._block(peer, other, where)
                elif isinstance(peer, PodsPeer) and isinstance(other, Pod):
                    yield from _selectors(self._decider, peer, other, where)

    def _block(self, peer: BlockPeer, other: Endpoint, where: str) -> Iterator[Hint]:
        if peer not in self._services:
            self._services[peer] = service_block(peer, self._decider.model)
        service = self._services[peer]
        if service is not None and isinstance(other, Pod) and serves(service, other):
            yield Hint(
                "service-address",
                f"{where} opens {peer.text}, and {format_address(*service.addresses[0])} is Service"
                f" {service.namespace}/{service.name}: policies see the pod behind it, so select that",
            )


def _ignored(selecting: Sequence[Policy], direction: str) -> Iterator[Hint]:
    for policy in selecting:
        if direction in policy.ignored:
            yield Hint(
                "ignored-rules",
                f"{policy.full_name} has {direction} rules, which its policyTypes leave out of force",
            )


def _selectors(decider: Decider, peer: PodsPeer, other: Pod, where: str) -> Iterator[Hint]:
    labels = decider.model.namespace_labels(other.namespace)
    namespace = other.namespace == peer.namespace if peer.namespaces is None else peer.namespaces.matches(labels)
    pods = peer.pods.matches(other.labels)
    if namespace and pods and other.host_network:
        yield Hint(
            "host-network-peer",
            f"{where} selects {other.full_name} by labels, which is on the host network: its node's address alone"
            " matches",
        )
    elif peer.namespaces is not None and peer.namespaces.requirements and peer.pods.requirements and namespace != pods:
        met, missed = ("namespaces", "pods") if namespace else ("pods", "namespaces")
        yield Hint(
            "both-selectors",
            f"{where} has one peer with both selectors, and {other.full_name} meets that for {met} but not that for"
            f" {missed}: in one peer both count, in two either",
        )


def _names(
    rules: Sequence[tuple[Policy, Rule]], direction: str, destination: Endpoint, protocol: str, port: int
) -> Iterator[Hint]:
    if not isinstance(destination, Pod):
        return
    mine = [p for p in destination.ports if p.name and (p.number, p.protocol) == (port, protocol)]
    for policy, rule in rules if mine else ():
        for item in rule.ports or ():
            if item.name and any(p.name == item.name and item.protocol not in ("", p.protocol) for p in mine):
                yield Hint(
                    "named-port-protocol",
                    f"{direction} rule {rule.index} of {policy.full_name} names port {item}, which is {protocol} on"
                    f" {destination.full_name}",
                )


def single_family(peers: Sequence[object]) -> int:
    """The family, 4 or 6, of whose addresses some peers hold most and of the other's none; else 0."""
    found = {item.family for peer in peers if isinstance(peer, BlockPeer) for item in peer.ranges}
    whole = any(isinstance(peer, BlockPeer) and _is_wide(peer) for peer in peers)
    return found.pop() if whole and len(found) == 1 else 0


def _is_wide(peer: BlockPeer) -> bool:
    """Whether a block is all of a family but for exceptions, as one writes for the world."""
    return peer.text.split(" ", 1)[0].endswith("/0")


def _one_family(peers: Sequence[object], other: Endpoint, where: str) -> Iterator[Hint]:
    family = single_family(peers)
    have = {other.family} if isinstance(other, Range) else {number for number, _value in other.addresses}
    if family and have and family not in have:
        yield Hint(
            "one-family",
            f"{where} opens IPv{family} alone, and {_name(other)} is IPv{10 - family}: 0.0.0.0/0 holds no IPv6"
            " address and ::/0 no IPv4 address",
        )


def _name(endpoint: Endpoint) -> str:
    return endpoint.full_name if isinstance(endpoint, Pod) else format_range(endpoint)


def _dns(
    model: Model,
    rules: Sequence[tuple[Policy, Rule]],
    decision: Decision,
    destination: Endpoint,
    protocol: str,
    port: int,
) -> Iterator[Hint]:
    if not isinstance(destination, Pod) or not is_dns(destination):
        return
    if port != DNS_PORT and (protocol, port) not in listening(model, destination):
        return
    if decision.direction == "ingress":
        yield Hint(
            "no-dns",
            f"{destination.full_name} is the cluster's DNS, and {decision.policy} is about it: pods look up names only"
            " if a rule lets them in",
        )
        return
    for policy, rule in rules:
        if rule.peers is not None and matches_port(rule.ports, protocol, port, destination):
            told = ", ".join(peer.text if isinstance(peer, BlockPeer) else "some pods" for peer in rule.peers)
            yield Hint(
                "no-dns",
                f"egress rule {rule.index} of {policy.full_name} opens {protocol} {port} for {told}, which"
                f" {destination.full_name}, the cluster's DNS, is not in",
            )
