# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Traffic that a cluster and its defences live on, and that policies cut without being told so by any error.

DNS for pods whose egress is isolated; the API server's way to webhooks, to the metrics server and to Falco's audit
receiver; Falco to Falcosidekick, Falcosidekick to its outputs and its UI, the UI to Redis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ...common.finding import Finding
from ..decide.engine import Engine
from ..decide.reference import Decider
from ..decide.universe import Universe, bit_indices, from_indices
from ..flows.ends import serves
from ..model.addresses import Range, touch, within
from ..model.objects import BlockPeer, Model, Pod, PodsPeer, Policy, PortRule, Service
from .finding import names, on

_NAME = "app.kubernetes.io/name"
_COMPONENT = "app.kubernetes.io/component"
_INSTANCE = "app.kubernetes.io/instance"
DNS_PORT = 53
#: Addresses of a node itself, where a cache of DNS listens (169.254.20.10 by default).
_NODE_CACHE = Range(4, 0xA9FE0000, 0xA9FEFFFF)
#: Port of Falco's receiver of audit events, in the plugin's and the chart's default configuration.
AUDIT_PORT = 9765


class _Need(NamedTuple):
    """Traffic that must pass: sources and destinations by what they are, and the port."""

    name: str
    source: Callable[[Pod], bool]
    destination: Callable[[Pod], bool]
    port: int


def _is_falco(pod: Pod) -> bool:
    return pod.labels.get(_NAME) == "falco"


def _sidekick(component: str) -> Callable[[Pod], bool]:
    def matches(pod: Pod) -> bool:
        return pod.labels.get(_NAME) == "falcosidekick" and pod.labels.get(_COMPONENT, "core") == component

    return matches


_NEEDS = (
    _Need("Falco to Falcosidekick", _is_falco, _sidekick("core"), 2801),
    _Need("Falcosidekick to its UI", _sidekick("core"), _sidekick("ui"), 2802),
    _Need("Falcosidekick's UI to Redis", _sidekick("ui"), _sidekick("redis"), 6379),
)


def check_traffic(model: Model, policies: Sequence[Policy], engine: Engine) -> Iterator[Finding]:
    """Findings C(no-dns) and C(cuts-cluster-traffic)."""
    universe = engine.universe
    yield from _dns(model, policies, engine)
    for need in _NEEDS:
        sources = [pod for pod in model.running if need.source(pod)]
        destinations = [pod for pod in model.running if need.destination(pod)]
        if sources and destinations:
            yield from _pods_to_pods(engine, policies, need, sources, destinations)
    sidekicks = [pod for pod in model.running if _sidekick("core")(pod)]
    yield from _outputs(policies, universe, sidekicks)
    metrics = [pod for pod in model.running if pod.labels.get("k8s-app") == "metrics-server"]
    yield from _from_api_server(policies, universe, "to the metrics server", metrics, _port_of("https", 10250))
    receiving = [service for service in model.services if any(port.number == AUDIT_PORT for port in service.ports)]
    falcos = [
        pod
        for pod in model.running
        if _is_falco(pod)
        and (any(p.number == AUDIT_PORT for p in pod.ports) or any(serves(service, pod) for service in receiving))
    ]
    yield from _from_api_server(policies, universe, "to Falco's audit webhook", falcos, lambda _pod: AUDIT_PORT)
    by_service: dict[tuple[str, str, int], tuple[Service, list[str]]] = {}
    for service, port, name in _webhooks(model):
        by_service.setdefault((service.namespace, service.name, port), (service, []))[1].append(name)
    for (_namespace, _name, port), (service, hooks) in by_service.items():
        pods = [pod for pod in model.running if serves(service, pod)]
        what = f"to the webhook{'s' if len(hooks) > 1 else ''} {names(list(dict.fromkeys(hooks)))}"
        yield from _from_api_server(policies, universe, what, pods, _target_of(service, port))


def _port_of(name: str, default: int) -> Callable[[Pod], int]:
    def number(pod: Pod) -> int:
        return next((port.number for port in pod.ports if port.name == name), default)

    return number


def _target_of(service: Service, number: int) -> Callable[[Pod], int]:
    entry = next((port for port in service.ports if port.number == number), None)

    def target(pod: Pod) -> int:
        if entry is None:
            return number
        if isinstance(entry.target, str) and not entry.target.isdigit():
            return next((port.number for port in pod.ports if port.name == entry.target), number)
        return int(str(entry.target))

    return target


def _webhooks(model: Model) -> Iterator[tuple[Service, int, str]]:
    for configuration in model.webhooks:
        hooks = configuration.get("webhooks")
        for hook in hooks if isinstance(hooks, list) else ():
            client = hook.get("clientConfig") if isinstance(hook, dict) else None
            wanted = client.get("service") if isinstance(client, dict) else None
            if not isinstance(wanted, dict):
                continue
            for service in model.services:
                if (service.namespace, service.name) == (wanted.get("namespace"), wanted.get("name")):
                    port = wanted.get("port")
                    yield service, port if isinstance(port, int) else 443, str(hook.get("name", service.name))


def _matches_port(ports: Sequence[PortRule] | None, protocol: str, number: int, pod: Pod | None) -> bool:
    if ports is None:
        return True
    for port in ports:
        if port.protocol not in ("", protocol):
            continue
        if not port.name:
            if port.first <= number <= port.last:
                return True
        elif pod is not None and any(p.name == port.name and p.number == number for p in pod.ports):
            return True
    return False


def _class_of(universe: Universe, pods: Sequence[Pod]) -> dict[int, list[Pod]]:
    chosen = {id(pod) for pod in pods}
    found: dict[int, list[Pod]] = {}
    for number, members in enumerate(universe.members):
        inside = [pod for pod in members if id(pod) in chosen]
        if inside:
            found[number] = inside
    return found


def _selecting(policies: Sequence[Policy], universe: Universe, number: int, direction: str) -> list[Policy]:
    return [p for p in policies if p.isolates(direction) and universe.pods(p.subject) >> number & 1]


def _dns(model: Model, policies: Sequence[Policy], engine: Engine) -> Iterator[Finding]:
    """Pods whose egress is isolated and that may not ask for names."""
    universe = engine.universe
    isolated = engine.isolated("egress") & ~universe.host
    if not isolated:
        return
    servers = [pod for pod in model.running if _is_dns(pod)]
    served = _may_send(policies, universe, _class_of(universe, servers) if servers else None)
    bare = isolated & ~served
    if servers:
        # A DNS server's own lookups go to other servers outside.
        bare &= ~from_indices(_class_of(universe, servers))
    by_namespace: dict[str, list[Policy]] = {}
    for policy in policies:
        by_namespace.setdefault(policy.namespace, []).append(policy)
    grouped: dict[str, list[int]] = {}
    for number in bit_indices(bare):
        grouped.setdefault(universe.namespaces[number], []).append(number)
    for namespace, numbers in grouped.items():
        workloads = list(dict.fromkeys(p.workload_name.split("/", 1)[1] for n in numbers for p in universe.members[n]))
        deciding = _selecting(by_namespace[namespace], universe, numbers[0], "egress")
        told = deciding[0]
        yield on(
            told.full_name,
            "no-dns",
            "warning",
            f"egress of {names(workloads)} in namespace {namespace} is isolated and no rule lets them ask DNS (UDP 53)",
            "allow egress to the DNS pods on 53/UDP and 53/TCP",
            told.origin.source,
            told.origin.line,
        )


def _is_dns(pod: Pod) -> bool:
    if pod.labels.get("k8s-app") in ("kube-dns", "coredns", "node-local-dns"):
        return True
    return pod.labels.get(_NAME) in ("coredns", "kube-dns") or "dns.operator.openshift.io/daemonset-dns" in pod.labels


def _may_send(policies: Sequence[Policy], universe: Universe, servers: dict[int, list[Pod]] | None) -> int:
    """Classes with an egress rule for UDP 53 to the DNS pods, or to anything at all when these are not known."""
    targets = None if servers is None else from_indices(servers)
    sample = next(iter(servers.values()))[0] if servers else None
    allowed = 0
    reach: dict[object, bool] = {}
    for policy in policies:
        for rule in policy.egress:
            if rule.action == "Deny" or not _matches_port(rule.ports, "UDP", DNS_PORT, sample):
                continue
            if rule.peers not in reach:
                reach[rule.peers] = targets is None or _reaches(universe, rule.peers, targets)
            if reach[rule.peers]:
                allowed |= universe.pods(policy.subject)
    return allowed


def _reaches(universe: Universe, peers: tuple[object, ...] | None, targets: int) -> bool:
    if peers is None:
        return True
    for peer in peers:
        if isinstance(peer, PodsPeer) and universe.pods(peer) & targets:
            return True
        if isinstance(peer, BlockPeer) and (
            within(peer.ranges, [_NODE_CACHE]) or touch(_dns_addresses(universe, targets), peer.ranges)
        ):
            return True
    return False


def _dns_addresses(universe: Universe, targets: int) -> list[Range]:
    """Where DNS may be asked: the servers, their Services (some networks see those), caches on nodes."""
    servers = [pod for number in bit_indices(targets) for pod in universe.members[number]]
    found = [address for pod in servers for address in pod.addresses]
    found += [a for s in universe.model.services if any(serves(s, pod) for pod in servers) for a in s.addresses]
    ranges = [Range(family, value, value) for family, value in found]
    if not all(pod.addresses for pod in servers):
        ranges.extend(universe.model.possible_addresses(0, on_host=False))
    if any(pod.labels.get("k8s-app") == "node-local-dns" for pod in servers):
        ranges.append(_NODE_CACHE)
    return ranges


def _pods_to_pods(
    engine: Engine, policies: Sequence[Policy], need: _Need, sources: Sequence[Pod], destinations: Sequence[Pod]
) -> Iterator[Finding]:
    decider = Decider(engine.universe.model, policies, engine.universe.options)
    senders = [members[0] for members in _class_of(engine.universe, sources).values()]
    for receiver in [members[0] for members in _class_of(engine.universe, destinations).values()]:
        for sender in senders:
            mine, theirs = sender.labels.get(_INSTANCE), receiver.labels.get(_INSTANCE)
            if sender.namespace != receiver.namespace and mine != theirs:
                continue  # another installation
            verdict = decider.decide(sender, receiver, "TCP", need.port)
            decision = verdict.decisive
            if not verdict.allowed and decision is not None:
                yield on(
                    decision.policy,
                    "cuts-cluster-traffic",
                    "error",
                    f"cuts {need.name}: {sender.full_name} -> {receiver.full_name} on TCP {need.port}",
                    f"allow {decision.direction} for it",
                )


def _outputs(policies: Sequence[Policy], universe: Universe, pods: Sequence[Pod]) -> Iterator[Finding]:
    for number, members in _class_of(universe, pods).items():
        isolating = _selecting(policies, universe, number, "egress")
        if not isolating:
            continue
        outward = any(
            _matches_port(rule.ports, "TCP", port, None)
            and (rule.peers is None or any(isinstance(peer, BlockPeer) for peer in rule.peers))
            for policy in isolating
            for rule in policy.egress
            for port in (443, 80)
        )
        if not outward:
            yield on(
                isolating[0].full_name,
                "cuts-cluster-traffic",
                "error",
                f"cuts Falcosidekick's outputs: {members[0].full_name} reaches no address outside on TCP 443",
                "allow egress to the outputs' addresses",
                isolating[0].origin.source,
                isolating[0].origin.line,
            )


def _from_api_server(
    policies: Sequence[Policy],
    universe: Universe,
    what: str,
    pods: Sequence[Pod],
    port: Callable[[Pod], int],
) -> Iterator[Finding]:
    """The API server is a node for the pods that it calls: only rules for everyone or for addresses let it in."""
    for number, members in _class_of(universe, pods).items():
        pod = members[0]
        if pod.host_network:
            continue
        isolating = _selecting(policies, universe, number, "ingress")
        if not isolating:
            continue
        open_ = any(
            _matches_port(rule.ports, "TCP", port(pod), pod)
            and (rule.peers is None or any(isinstance(peer, BlockPeer) for peer in rule.peers))
            for policy in isolating
            for rule in policy.ingress
        )
        if not open_:
            yield on(
                isolating[0].full_name,
                "cuts-cluster-traffic",
                "error",
                f"cuts the API server's way {what}: {pod.full_name} lets in no node on TCP {port(pod)}",
                "allow ingress on that port from the nodes' addresses (an ipBlock), or from everyone",
                isolating[0].origin.source,
                isolating[0].origin.line,
            )
