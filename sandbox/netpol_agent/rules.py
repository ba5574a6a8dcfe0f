"""From pods, namespaces and policies to what this node must let pass. Pure: no clock, no file, no network.

Semantics: https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
"""

# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, collapse_addresses, ip_network
from typing import Any, Literal

from netpol_agent.selectors import Pod, labels_of, live_pods, selects

Direction = Literal["ingress", "egress"]
DIRECTIONS: tuple[Direction, Direction] = ("egress", "ingress")
EVERYWHERE = IPv4Network("0.0.0.0/0")
LAST_PORT = 65535


@dataclass(frozen=True)
class Match:
    """Traffic that passes: all that is set must hold.

    Attributes:
        peers: networks of the other side; ``None`` is anywhere.
        targets: addresses of the destination that have the named port; ``None`` when no named port is meant.
        protocol: ``tcp``, ``udp``, ``sctp`` or ``None`` for all.
        ports: inclusive, disjoint, sorted ranges of destination ports; empty for all.
    """

    peers: tuple[IPv4Network, ...] | None = None
    targets: tuple[IPv4Network, ...] | None = None
    protocol: str | None = None
    ports: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Group:
    """Local pods that the same policies isolate in one direction."""

    direction: Direction
    policies: tuple[str, ...]
    members: tuple[IPv4Address, ...]


@dataclass(frozen=True)
class Plan:
    """All that this node enforces.

    Attributes:
        matches: (policy as ``namespace/name``, direction) to what it lets pass.
        known: addresses of all live pods of the cluster.
    """

    groups: tuple[Group, ...]
    matches: Mapping[tuple[str, Direction], tuple[Match, ...]]
    known: tuple[IPv4Address, ...]
    local: tuple[IPv4Address, ...]


def directions_of(spec: Mapping[str, Any]) -> set[Direction]:
    """Directions in which a policy isolates; without policyTypes: ingress, and egress if there are egress rules."""
    types = spec.get("policyTypes")
    if not types:
        return {"ingress", "egress"} if spec.get("egress") else {"ingress"}
    return {direction for direction in DIRECTIONS if direction.capitalize() in types}


def block_networks(block: Mapping[str, Any]) -> list[IPv4Network]:
    """The IPv4 networks of an ipBlock, without its exceptions."""
    whole = ip_network(block["cidr"], strict=False)
    if not isinstance(whole, IPv4Network):
        return []
    left = [whole]
    for text in block.get("except") or ():
        hole = ip_network(text, strict=False)
        if not isinstance(hole, IPv4Network):
            continue
        rest: list[IPv4Network] = []
        for part in left:
            if part.subnet_of(hole):
                continue
            rest.extend(part.address_exclude(hole) if hole.subnet_of(part) else [part])
        left = rest
    return left


def join_ranges(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Sort ranges and join those that overlap or touch."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)


def _hosts(pods: Iterable[Pod]) -> tuple[IPv4Network, ...]:
    return tuple(collapse_addresses(IPv4Network(pod.address) for pod in pods))


class _Cluster:
    """What selectors are asked about."""

    def __init__(self, pods: Sequence[Pod], namespaces: Iterable[Mapping[str, Any]]) -> None:
        self.pods = pods
        self.namespaces = {thing["metadata"]["name"]: labels_of(thing) for thing in namespaces}

    def peer_networks(self, peers: Sequence[Mapping[str, Any]] | None, home: str) -> tuple[IPv4Network, ...] | None:
        """Networks that a ``from`` or ``to`` list means; ``None`` (anywhere) for an empty or missing list."""
        if not peers:
            return None
        networks: list[IPv4Network] = []
        for peer in peers:
            if peer.get("ipBlock") is not None:
                networks.extend(block_networks(peer["ipBlock"]))
            else:
                networks.extend(IPv4Network(pod.address) for pod in self.pods if self._is_peer(pod, peer, home))
        collapsed = tuple(collapse_addresses(networks))
        return None if collapsed == (EVERYWHERE,) else collapsed

    def _is_peer(self, pod: Pod, peer: Mapping[str, Any], home: str) -> bool:
        by_namespace, by_pod = peer.get("namespaceSelector"), peer.get("podSelector")
        if by_namespace is None and by_pod is None:
            return False
        if by_namespace is None:
            in_namespace = pod.namespace == home
        else:
            in_namespace = pod.namespace in self.namespaces and selects(by_namespace, self.namespaces[pod.namespace])
        return in_namespace and (by_pod is None or selects(by_pod, pod.labels))


def _port_matches(
    ports: Sequence[Mapping[str, Any]] | None, peers: tuple[IPv4Network, ...] | None, destinations: Sequence[Pod]
) -> list[Match]:
    """Matches of one rule. A named port means another number on each destination, so it names its destinations."""
    if not ports:
        return [Match(peers=peers)]
    numbers: dict[str, list[tuple[int, int]]] = {}
    named: dict[tuple[str, int], list[Pod]] = {}
    for port in ports:
        protocol, value = port.get("protocol") or "TCP", port.get("port")
        if value is None:
            numbers.setdefault(protocol, []).append((0, LAST_PORT))
        elif isinstance(value, int):
            numbers.setdefault(protocol, []).append((value, port.get("endPort") or value))
        else:
            for pod in destinations:
                for name, of, number in pod.ports:
                    if name == value and of == protocol:
                        named.setdefault((protocol, number), []).append(pod)
    result = [Match(peers, None, protocol.lower(), join_ranges(ranges)) for protocol, ranges in sorted(numbers.items())]
    result += [
        Match(peers, _hosts(pods), protocol.lower(), ((number, number),))
        for (protocol, number), pods in sorted(named.items())
    ]
    return result


def _policy_matches(
    spec: Mapping[str, Any], direction: Direction, home: str, selected: Sequence[Pod], cluster: _Cluster
) -> tuple[Match, ...]:
    matches: list[Match] = []
    for rule in spec.get(direction) or ():
        peers = cluster.peer_networks(rule.get("from" if direction == "ingress" else "to"), home)
        if peers == ():
            continue
        destinations = selected if direction == "ingress" else cluster.pods
        matches.extend(_port_matches(rule.get("ports"), peers, destinations))
    return tuple(dict.fromkeys(matches))


def make_plan(
    pods: Iterable[Mapping[str, Any]],
    namespaces: Iterable[Mapping[str, Any]],
    policies: Iterable[Mapping[str, Any]],
    node_address: str,
) -> Plan:
    """Compute what this node enforces.

    Args:
        pods: Pod objects of the whole cluster, as the API gives them.
        namespaces: Namespace objects.
        policies: NetworkPolicy objects (networking.k8s.io/v1).
        node_address: address of this node; pods with this ``status.hostIP`` are its own.
    """
    alive = live_pods(pods, node_address)
    cluster = _Cluster(alive, namespaces)
    local = [pod for pod in alive if pod.is_local]
    matches: dict[tuple[str, Direction], tuple[Match, ...]] = {}
    isolating: dict[tuple[Direction, IPv4Address], list[str]] = {}
    named = {f"{thing['metadata']['namespace']}/{thing['metadata']['name']}": thing for thing in policies}
    for name, thing in sorted(named.items()):
        home, spec = thing["metadata"]["namespace"], thing.get("spec") or {}
        # Missing and empty pod selectors both mean every pod of the namespace.
        chosen = [pod for pod in local if pod.namespace == home and selects(spec.get("podSelector") or {}, pod.labels)]
        if not chosen:
            continue
        for direction in sorted(directions_of(spec)):
            matches[name, direction] = _policy_matches(spec, direction, home, chosen, cluster)
            for pod in chosen:
                isolating.setdefault((direction, pod.address), []).append(name)
    members: dict[tuple[Direction, tuple[str, ...]], list[IPv4Address]] = {}
    for (direction, address), names in isolating.items():
        members.setdefault((direction, tuple(names)), []).append(address)
    groups = tuple(
        Group(direction, names, tuple(sorted(found))) for (direction, names), found in sorted(members.items())
    )
    return Plan(
        groups, matches, tuple(sorted(pod.address for pod in alive)), tuple(sorted(pod.address for pod in local))
    )


def passes(plan: Plan, source: IPv4Address, destination: IPv4Address, protocol: str, port: int) -> bool:
    """Interpret a plan for one new connection between pods or with the outside; what the loaded rules would say."""
    if source == destination:
        return True
    for direction, own, other in (("egress", source, destination), ("ingress", destination, source)):
        for group in plan.groups:
            if group.direction != direction or own not in group.members:
                continue
            found = (match for name in group.policies for match in plan.matches[name, group.direction])
            if not any(_admits(match, other, destination, protocol, port) for match in found):
                return False
    return True


def _admits(match: Match, other: IPv4Address, destination: IPv4Address, protocol: str, port: int) -> bool:
    return (
        (match.peers is None or any(other in network for network in match.peers))
        and (match.targets is None or any(destination in network for network in match.targets))
        and (match.protocol is None or match.protocol == protocol)
        and (not match.ports or any(low <= port <= high for low, high in match.ports))
    )
