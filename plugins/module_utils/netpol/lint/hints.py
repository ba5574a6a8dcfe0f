# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why one may have thought otherwise of a denied connection: the usual misreadings of the policies that rule it.

Each hint has the code of the finding that lint has for the same mistake; docs/network-policy-semantics.md explains it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..decide.reference import Decider
from ..decide.verdict import Decision, Endpoint
from ..flows.ends import serves, target_intervals
from ..model.addresses import format_address, holds
from ..model.objects import BlockPeer, Model, Options, Pod, PodsPeer, Policy, Service, ServicePort

#: Blocks of no more addresses than this are meant for one Service, if they hold its address.
MAX_BLOCK = 256


class Hint(NamedTuple):
    """A code of lint, and what it says about this connection."""

    code: str
    message: str

    def as_dict(self) -> dict[str, str]:
        return {"code": self.code, "message": self.message}


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


def hints(
    model: Model,
    policies: Sequence[Policy],
    source: Endpoint,
    destination: Endpoint,
    protocol: str,
    port: int,
    decision: Decision,
    options: Options,
) -> list[Hint]:
    """Hints about a denied connection, each code once.

    Args:
        model: what there is.
        policies: the policies in force.
        source, destination: the ends; as L(Decider.decide).
        protocol, port: as they arrive at the destination.
        decision: the one that denies.
        options: answers to what is left to implementations.
    """
    decider = Decider(model, policies, options)
    pod, other = (destination, source) if decision.direction == "ingress" else (source, destination)
    if not isinstance(pod, Pod):
        return []
    selecting = [policy for policy in policies if decider.selects(policy.subject, pod)]
    found: dict[str, Hint] = {}
    for hint in (
        *_ports(decider, source, destination, protocol, port, decision),
        *_ignored(selecting, decision.direction),
        *_peers(decider, selecting, decision.direction, other),
        *_names(selecting, decision.direction, destination, protocol, port),
    ):
        found.setdefault(hint.code, hint)
    return list(found.values())


def _ports(
    decider: Decider, source: Endpoint, destination: Endpoint, protocol: str, port: int, decision: Decision
) -> Iterator[Hint]:
    """Policies see the pod's port, after the Service has been translated."""
    if not isinstance(destination, Pod):
        return
    for service, entry, target in moved_ports(decider.model, destination):
        if entry.protocol != protocol or port not in (entry.number, target):
            continue
        asked = target if port == entry.number else entry.number
        verdict = decider.decide(source, destination, protocol, asked)
        mine = verdict.ingress if decision.direction == "ingress" else verdict.egress
        if mine is not None and mine.allowed:
            yield Hint(
                "service-port",
                f"port {asked} would be allowed, and Service {service.namespace}/{service.name} leads {entry.number} to"
                f" {target}: policies see the pod's port {target}",
            )


def _ignored(selecting: Sequence[Policy], direction: str) -> Iterator[Hint]:
    for policy in selecting:
        if direction in policy.ignored:
            yield Hint(
                "ignored-rules",
                f"{policy.full_name} has {direction} rules, which its policyTypes leave out of force",
            )


def _peers(decider: Decider, selecting: Sequence[Policy], direction: str, other: Endpoint) -> Iterator[Hint]:
    for policy in selecting:
        for rule in policy.rules(direction):
            if rule.action == "Deny":
                continue
            for peer in rule.peers or ():
                where = f"{direction} rule {rule.index} of {policy.full_name}"
                service = service_block(peer, decider.model)
                if service is not None and isinstance(peer, BlockPeer):
                    if isinstance(other, Pod) and serves(service, other):
                        address = format_address(*service.addresses[0])
                        yield Hint(
                            "service-address",
                            f"{where} opens {peer.text}, and {address} is Service {service.namespace}/{service.name}:"
                            " policies see the pod behind it, so select that",
                        )
                elif isinstance(peer, PodsPeer) and isinstance(other, Pod):
                    yield from _selectors(decider, peer, other, where)


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
    selecting: Sequence[Policy], direction: str, destination: Endpoint, protocol: str, port: int
) -> Iterator[Hint]:
    if not isinstance(destination, Pod):
        return
    mine = [p for p in destination.ports if p.name and (p.number, p.protocol) == (port, protocol)]
    for policy in selecting:
        for rule in policy.rules(direction):
            for item in rule.ports or ():
                if item.name and any(p.name == item.name and item.protocol not in ("", p.protocol) for p in mine):
                    yield Hint(
                        "named-port-protocol",
                        f"{direction} rule {rule.index} of {policy.full_name} names port {item}, which is {protocol} on"
                        f" {destination.full_name}",
                    )
