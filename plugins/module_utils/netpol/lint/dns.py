# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that pods cannot look up: egress without a way to DNS, and DNS servers that policies shut off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...common.finding import Finding
from ..decide.engine import Engine
from ..decide.universe import Universe, bit_indices, from_indices
from ..flows.ends import serves, target_intervals
from ..model.addresses import Range, touch, within
from ..model.objects import ALLOW, BlockPeer, Model, Pod, PodsPeer, Policy, PortRule
from ..model.ports import Interval
from .finding import names, on
from .parts import class_of, matches_port, opening, selecting

DNS_PORT = 53
#: Where servers listen that are not root: OpenShift's, behind a Service with port 53.
_UNPRIVILEGED_PORT = 5353
#: Names of the ports of CoreDNS in kubeadm's, the chart's and OpenShift's manifests.
_PORT_NAMES = ("dns", "dns-udp", "dns-tcp", "udp-53", "tcp-53")
#: Addresses of a node itself, where a cache of DNS listens (169.254.20.10 by default).
_NODE_CACHE = Range(4, 0xA9FE0000, 0xA9FEFFFF)


def is_dns(pod: Pod) -> bool:
    """Whether a pod is one of the cluster's DNS servers."""
    if pod.labels.get("k8s-app") in ("kube-dns", "coredns", "node-local-dns"):
        return True
    name = pod.labels.get("app.kubernetes.io/name")
    return name in ("coredns", "kube-dns") or "dns.operator.openshift.io/daemonset-dns" in pod.labels


def listening(model: Model, pod: Pod) -> frozenset[tuple[str, int]]:
    """Protocols and ports where a DNS server is asked: what its Services lead port 53 to, else what it declares."""
    found = {
        (protocol, number)
        for service in model.services
        if serves(service, pod)
        for entry in service.ports
        if entry.number == DNS_PORT
        for protocol, number, _last in target_intervals(entry, pod)
    }
    found = found or {(port.protocol, port.number) for port in pod.ports if port.name in _PORT_NAMES}
    return frozenset(found or {("UDP", DNS_PORT), ("TCP", DNS_PORT)})


def _port(model: Model, pod: Pod) -> int:
    """Where a DNS server is asked by UDP."""
    return min((number for protocol, number in listening(model, pod) if protocol == "UDP"), default=DNS_PORT)


def dns_intervals(model: Model) -> list[Interval]:
    """Ports of the DNS servers, for a universe that shall tell them apart."""
    numbers = {_port(model, pod) for pod in model.running if is_dns(pod)}
    return [("UDP", number, number) for number in sorted(numbers)]


def check_dns(policies: Sequence[Policy], engine: Engine) -> Iterator[Finding]:
    """Findings C(no-dns).

    Args:
        policies: the policies in force.
        engine: over a universe with L(dns_intervals).
    """
    universe = engine.universe
    servers = class_of(universe, [pod for pod in universe.model.running if is_dns(pod)])
    asking = universe.every_pod & ~universe.host & ~from_indices(servers)
    isolated = engine.isolated("egress") & asking
    served = _may_send(policies, universe, servers) if isolated else 0
    yield from _cannot_ask(policies, universe, isolated & ~served, servers)
    if servers:
        yield from _not_let_in(policies, engine, asking & ~(isolated & ~served), servers)


def _cannot_ask(
    policies: Sequence[Policy], universe: Universe, bare: int, servers: Mapping[int, list[Pod]]
) -> Iterator[Finding]:
    """Pods whose egress is isolated and that may not ask."""
    if not bare:
        return
    port = _port(universe.model, _first(servers)[1]) if servers else DNS_PORT
    by_namespace: dict[str, list[Policy]] = {}
    for policy in policies:
        by_namespace.setdefault(policy.namespace, []).append(policy)
    grouped: dict[str, list[int]] = {}
    for number in bit_indices(bare):
        grouped.setdefault(universe.namespaces[number], []).append(number)
    hint = f"allow egress to the DNS pods on {port}/UDP and {port}/TCP"
    if port != DNS_PORT:
        hint += f", where their Service leads {DNS_PORT} to"
    for namespace, numbers in grouped.items():
        workloads = list(dict.fromkeys(p.workload_name.split("/", 1)[1] for n in numbers for p in universe.members[n]))
        # Its own policies are told before those of the whole cluster.
        near = [*by_namespace.get(namespace, ()), *by_namespace.get("", ())]
        told = selecting(near, universe, numbers[0], "egress")[0]
        yield on(
            told.full_name,
            "no-dns",
            "warning",
            f"egress of {names(workloads)} in namespace {namespace} is isolated and no rule lets them ask DNS"
            f" (UDP {port})",
            hint,
            told.origin.source,
            told.origin.line,
        )


def _first(servers: Mapping[int, list[Pod]]) -> tuple[int, Pod]:
    """The class and a pod of the first of the servers."""
    number = next(iter(servers))
    return number, servers[number][0]


def _not_let_in(
    policies: Sequence[Policy], engine: Engine, asking: int, servers: Mapping[int, list[Pod]]
) -> Iterator[Finding]:
    """Pods that none of the servers lets in."""
    universe = engine.universe
    if not engine.is_determined and engine.isolated("ingress") & from_indices(servers):
        engine = Engine(universe, policies, possible=True)
    cut = asking
    for number, members in servers.items():
        mask = universe.ports.mask("UDP", *[_port(universe.model, members[0])] * 2)
        for ports, sources in engine.one_way(number, "ingress").items():
            cut &= ~(sources if ports & mask else 0)
    number, server = _first(servers)
    isolating = selecting(policies, universe, number, "ingress")
    if not cut or not isolating:
        return
    spaces = list(dict.fromkeys(universe.namespaces[index] for index in bit_indices(cut)))
    port = _port(universe.model, server)
    yield on(
        isolating[0].full_name,
        "no-dns",
        "warning",
        f"ingress of the DNS server {server.workload_name} is isolated and no rule lets pods of"
        f" {names(spaces)} ask it (UDP {port})",
        f"allow ingress from every namespace on {port}/UDP and {port}/TCP",
        isolating[0].origin.source,
        isolating[0].origin.line,
    )


def _may_send(policies: Sequence[Policy], universe: Universe, servers: Mapping[int, list[Pod]]) -> int:
    """Classes with an egress rule for the DNS pods' port, or for anything at all when these are not known."""
    allowed = 0
    reach: dict[object, bool] = {}
    for policy in opening(policies):
        for rule in policy.egress:
            if rule.action != ALLOW:
                continue
            key = (rule.peers, rule.ports)
            if key not in reach:
                reach[key] = _asks(universe, rule.peers, rule.ports, servers)
            if reach[key]:
                allowed |= universe.pods(policy.subject)
    return allowed


def _asks(
    universe: Universe,
    peers: tuple[object, ...] | None,
    ports: Sequence[PortRule] | None,
    servers: Mapping[int, list[Pod]],
) -> bool:
    """Whether a rule lets somebody ask some server."""
    if not servers:
        return any(matches_port(ports, "UDP", port, None) for port in (DNS_PORT, _UNPRIVILEGED_PORT))
    for number, members in servers.items():
        pod = members[0]
        if matches_port(ports, "UDP", _port(universe.model, pod), pod) and _reaches(universe, peers, number, pod):
            return True
    # What is no pod listens on port 53: caches on nodes, and Services in networks that see their addresses.
    pods = [pod for members in servers.values() for pod in members]
    return matches_port(ports, "UDP", DNS_PORT, None) and any(
        isinstance(peer, BlockPeer)
        and (
            within(peer.ranges, [_NODE_CACHE])
            or (not peer.outside_only and touch(_fixed_addresses(universe.model, pods), peer.ranges))
        )
        for peer in peers or ()
    )


def _reaches(universe: Universe, peers: tuple[object, ...] | None, number: int, pod: Pod) -> bool:
    """Whether a rule's peers hold a server."""
    if peers is None:
        return True
    for peer in peers:
        if isinstance(peer, PodsPeer) and universe.pods(peer) >> number & 1:
            return True
        # What holds no pods (the world of Cilium) holds no server either.
        ranges = peer.ranges if isinstance(peer, BlockPeer) and peer.matches_pods(universe.options) else ()
        if touch(_addresses(universe.model, pod), ranges):
            return True
    return False


def _addresses(model: Model, pod: Pod) -> list[Range]:
    """Where a server's address is, or may lie."""
    known = [Range(family, value, value) for family, value in pod.addresses]
    return known or list(model.possible_addresses(0, on_host=pod.host_network))


def _fixed_addresses(model: Model, pods: Sequence[Pod]) -> list[Range]:
    """Addresses of the servers' Services, and of caches on nodes."""
    found = [a for service in model.services if any(serves(service, pod) for pod in pods) for a in service.addresses]
    ranges = [Range(family, value, value) for family, value in found]
    if any(pod.labels.get("k8s-app") == "node-local-dns" for pod in pods):
        ranges.append(_NODE_CACHE)
    return ranges
