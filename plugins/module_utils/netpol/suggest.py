# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Least-privilege NetworkPolicies from observed flows, and the proof that they allow these and nothing else.

A record of an observed flow is a mapping with C(from), C(to), C(protocol) and C(ports) (or C(port)), in the very form
in which a matrix lists connections: ends are C(namespace/Kind/name) of a workload, C(namespace/name) of a pod, or an
address or block; ports are C(8080), C("80,8000-8100") or C(all). An address that is a known pod's means that pod.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from .addresses import BITS, Range, format_range, merge, parse_block
from .engine import Engine
from .errors import FlowError, NetpolError, nearest
from .lint import PER_POD_LABELS
from .manifests import Input, load
from .matrix import Groups, Matrix
from .model import LAST_PORT, NAMESPACE_NAME_LABEL, PROTOCOLS, Model, Namespace, Options, Pod
from .ports import ALL, Interval, describe, summary
from .universe import Universe

COARSENESS = ("port", "workload", "namespace")
#: Labels that usually name an application, best first.
PREFERRED = (
    "app.kubernetes.io/name",
    "app",
    "k8s-app",
    "app.kubernetes.io/component",
    "app.kubernetes.io/instance",
    "name",
)
DNS_PORTS: tuple[Interval, ...] = (("UDP", 53, 53), ("TCP", 53, 53))
EVERY_PORT: tuple[Interval, ...] = tuple((protocol, 1, LAST_PORT) for protocol in PROTOCOLS)

#: A workload's full name, or a range of addresses outside.
End = object


class Observed(NamedTuple):
    """One observed flow between two ends, as it arrives at the destination."""

    source: End
    destination: End
    intervals: tuple[Interval, ...]


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
        return not self.missing and not self.excess


def read_records(model: Model, records: object) -> list[Observed]:
    """Observed flows from a caller's data.

    Raises:
        FlowError: a record is not of the form, or names something that the model does not have.
    """
    if not isinstance(records, (list, tuple)):
        raise FlowError("flows", "must be a list of records")
    index = _Index(model)
    return [_record(index, item, f"flows[{number}]") for number, item in enumerate(records)]


class _Index:
    """Workloads by each name that a record may use."""

    def __init__(self, model: Model) -> None:
        self.pods: dict[str, list[Pod]] = {}
        self.by_name: dict[str, str] = {}
        self.by_address: dict[tuple[int, int], str] = {}
        for pod in model.running:
            name = pod.workload_name
            self.pods.setdefault(name, []).append(pod)
            self.by_name[name] = name
            self.by_name.setdefault(f"{pod.namespace}/{pod.name}", name)
            self.by_name.setdefault(f"{pod.namespace}/{pod.workload}", name)
            if not pod.host_network:
                for address in pod.addresses:
                    self.by_address[address] = name

    def end(self, text: object, path: str) -> End:
        if not isinstance(text, str) or not text:
            raise FlowError(path, f"must name a workload, a pod or an address, not {text!r}")
        if text in self.by_name:
            return self.by_name[text]
        block = parse_block(text)
        if block is not None:
            if block.first == block.last:
                return self.by_address.get((block.family, block.first), block)
            return block
        near = nearest(text, self.by_name)
        raise FlowError(path, f"there is no workload or pod {text!r}", near and f"did you mean {near!r}?")


def _record(index: _Index, item: object, path: str) -> Observed:
    if not isinstance(item, Mapping):
        raise FlowError(path, f"must be a mapping with from, to, protocol and ports, not {item!r}")
    unknown = [key for key in item if key not in ("from", "to", "protocol", "ports", "port")]
    if unknown:
        raise FlowError(f"{path}.{unknown[0]}", "is not part of a record", "one of from, to, protocol, ports")
    source, destination = index.end(item.get("from"), f"{path}.from"), index.end(item.get("to"), f"{path}.to")
    if isinstance(source, Range) and isinstance(destination, Range):
        raise FlowError(path, "both ends are outside", "policies are about pods")
    ports = item.get("ports", item.get("port", ALL))
    return Observed(source, destination, _intervals(str(item.get("protocol") or "TCP"), ports, path))


def _intervals(protocol: str, ports: object, path: str) -> tuple[Interval, ...]:
    if protocol.lower() == ALL:
        protocols: tuple[str, ...] = PROTOCOLS
    elif protocol.upper() in PROTOCOLS:
        protocols = (protocol.upper(),)
    else:
        raise FlowError(f"{path}.protocol", f"{protocol!r} is not a protocol", f"one of {', '.join(PROTOCOLS)}")
    found: list[Interval] = []
    for part in str(ports).split(","):
        text = part.strip()
        if text.lower() == ALL:
            found.extend((name, 1, LAST_PORT) for name in protocols)
            continue
        first, dash, last = text.partition("-")
        try:
            low = int(first)
            high = int(last) if dash else low
        except ValueError:
            raise FlowError(f"{path}.ports", f"{text!r} is not a port or a range", "write 8080 or 8000-8100") from None
        if not 1 <= low <= high <= LAST_PORT:
            raise FlowError(f"{path}.ports", f"{text!r} is not within 1 to {LAST_PORT}")
        found.extend((name, low, high) for name in protocols)
    return tuple(found)


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
    builder = _Builder(model, flows, coarseness, namespaces, dns)
    policies = builder.policies()
    missing, excess = _prove(builder, policies, options or Options())
    return Suggestion(policies, missing, excess, builder.notes)


class _Builder:
    """Makes the manifests; keeps what the proof needs to know."""

    def __init__(
        self, model: Model, flows: Sequence[Observed], coarseness: str, namespaces: Sequence[str], dns: bool
    ) -> None:
        self.model = model
        self.coarseness = coarseness
        self.dns = dns
        self.notes: list[str] = []
        self.workloads = _Index(model).pods
        self.flows = [self._widen(flow) for flow in flows]
        self.observed = flows
        self.scope = self._scope(flows, namespaces)
        self.labels: dict[str, dict[str, str]] = {}
        self.dns_servers = [name for name, pods in self.workloads.items() if _serves_dns(pods[0])]

    def _widen(self, flow: Observed) -> Observed:
        return flow if self.coarseness == "port" else flow._replace(intervals=EVERY_PORT)

    def _scope(self, flows: Sequence[Observed], namespaces: Sequence[str]) -> list[str]:
        known = {pods[0].namespace for pods in self.workloads.values()}
        for name in namespaces:
            if name not in known:
                near = nearest(name, known)
                raise NetpolError(
                    f"no workload is in namespace {name!r}" + (f", did you mean {near!r}?" if near else "")
                )
        if namespaces:
            return list(dict.fromkeys(namespaces))
        ends = [end for flow in flows for end in (flow.source, flow.destination) if isinstance(end, str)]
        return sorted({end.split("/")[0] for end in ends})

    def policies(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for namespace in self.scope:
            if self.coarseness == "namespace":
                found.append(self._policy(namespace, "namespace", {}, [namespace]))
                continue
            names = sorted(name for name in self.workloads if name.split("/")[0] == namespace)
            taken: dict[tuple[tuple[str, str], ...], str] = {}
            for name in names:
                if self.workloads[name][0].host_network:
                    self.notes.append(f"{name} is on the host network, where most implementations apply no policy")
                    continue
                labels = self.labels_of(name)
                key = tuple(sorted(labels.items()))
                if key in taken:
                    self.notes.append(f"{name} has no label that tells it from {taken[key]}: they share a policy")
                    continue
                taken[key] = name
                same = [other for other in names if self._selects(labels, other)]
                found.append(self._policy(namespace, name.split("/")[2], labels, same))
        return _named_apart(found)

    def _selects(self, labels: Mapping[str, str], name: str) -> bool:
        return any(
            all(pod.labels.get(key) == value for key, value in labels.items()) and not pod.host_network
            for pod in self.workloads[name]
        )

    def labels_of(self, name: str) -> dict[str, str]:
        """The fewest labels that all pods of a workload have and no other pod of its namespace has together."""
        found = self.labels.get(name)
        if found is not None:
            return found
        pods = self.workloads[name]
        own = dict(pods[0].labels)
        for pod in pods[1:]:
            own = {key: value for key, value in own.items() if pod.labels.get(key) == value}
        own = {key: value for key, value in own.items() if key not in PER_POD_LABELS}
        others = [
            pod
            for other, members in self.workloads.items()
            if other != name and members[0].namespace == pods[0].namespace
            for pod in members
            if not pod.host_network
        ]
        ranked = sorted(own, key=lambda key: (PREFERRED.index(key) if key in PREFERRED else len(PREFERRED), key))
        for size in range(1, min(len(ranked), 3) + 1):
            for keys in combinations(ranked, size):
                if not any(all(pod.labels.get(key) == own[key] for key in keys) for pod in others):
                    self.labels[name] = {key: own[key] for key in keys}
                    return self.labels[name]
        self.labels[name] = own
        return own

    def _policy(self, namespace: str, name: str, labels: Mapping[str, str], members: Sequence[str]) -> dict[str, Any]:
        def inside(end: End) -> bool:
            if not isinstance(end, str):
                return False
            return end.split("/")[0] == namespace if self.coarseness == "namespace" else end in members

        ingress = self._rules("from", [(f.source, f.intervals) for f in self.flows if inside(f.destination)], namespace)
        egress = self._rules("to", [(f.destination, f.intervals) for f in self.flows if inside(f.source)], namespace)
        if self.dns:
            if any(inside(server) for server in self.dns_servers):
                ingress.append({"from": [{"namespaceSelector": {}}], "ports": [_port(i) for i in DNS_PORTS]})
            egress.append({"to": self._dns_peers(), "ports": [_port(i) for i in DNS_PORTS]})
        spec: dict[str, Any] = {
            "podSelector": {"matchLabels": dict(labels)} if labels else {},
            "policyTypes": ["Ingress", "Egress"],
        }
        if ingress:
            spec["ingress"] = ingress
        if egress:
            spec["egress"] = egress
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name.lower(), "namespace": namespace},
            "spec": spec,
        }

    def _rules(
        self, side: str, ends: Sequence[tuple[End, tuple[Interval, ...]]], namespace: str
    ) -> list[dict[str, Any]]:
        """One rule for each set of ports, with all peers that have it."""
        ports: dict[End, set[Interval]] = {}
        for end, intervals in ends:
            ports.setdefault(end, set()).update(intervals)
        grouped: dict[tuple[Interval, ...], list[End]] = {}
        for end, found in ports.items():
            grouped.setdefault(_joined(found), []).append(end)
        rules = []
        for intervals, members in sorted(grouped.items(), key=lambda item: item[0]):
            peers = self._peers(members, namespace)
            if not peers:
                continue
            rule: dict[str, Any] = {side: peers}
            if set(intervals) != set(EVERY_PORT):
                rule["ports"] = [_port(interval) for interval in intervals]
            rules.append(rule)
        return rules

    def _peers(self, ends: Sequence[End], namespace: str) -> list[dict[str, Any]]:
        peers: list[dict[str, Any]] = []
        ranges = [end for end in ends if isinstance(end, Range)]
        for end in sorted(end for end in ends if isinstance(end, str)):
            pods = self.workloads[end]
            if pods[0].host_network:
                addresses = [Range(family, value, value) for pod in pods for family, value in pod.addresses]
                if not addresses:
                    self.notes.append(f"{end} is on the host network and its address is unknown: no peer can name it")
                ranges.extend(addresses)
                continue
            home = end.split("/")[0]
            if self.coarseness == "namespace":
                peer: dict[str, Any] = {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME_LABEL: home}}}
            else:
                labels = self.labels_of(end)
                peer = {"podSelector": {"matchLabels": dict(labels)} if labels else {}}
                if home != namespace:
                    peer["namespaceSelector"] = {"matchLabels": {NAMESPACE_NAME_LABEL: home}}
            if peer not in peers:
                peers.append(peer)
        for item in merge(ranges):
            peers.extend({"ipBlock": {"cidr": cidr}} for cidr in _cidrs(item))
        return peers

    def _dns_peers(self) -> list[dict[str, Any]]:
        if not self.dns_servers:
            return [
                {
                    "namespaceSelector": {"matchLabels": {NAMESPACE_NAME_LABEL: "kube-system"}},
                    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
                }
            ]
        peers = []
        for name in sorted(self.dns_servers):
            selector = {"matchLabels": self.labels_of(name)}
            home = {"matchLabels": {NAMESPACE_NAME_LABEL: name.split("/")[0]}}
            peers.append({"namespaceSelector": home, "podSelector": selector})
        return peers


def _serves_dns(pod: Pod) -> bool:
    return not pod.host_network and (
        pod.labels.get("k8s-app") in ("kube-dns", "coredns") or pod.labels.get("app.kubernetes.io/name") == "coredns"
    )


def _named_apart(policies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Workloads of different kinds may have one name; their policies must not."""
    seen: set[tuple[str, str]] = set()
    for policy in policies:
        metadata = policy["metadata"]
        base, number = metadata["name"], 2
        while (metadata["namespace"], metadata["name"]) in seen:
            metadata["name"] = f"{base}-{number}"
            number += 1
        seen.add((metadata["namespace"], metadata["name"]))
    return policies


def _joined(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same ports as the fewest intervals."""
    joined: list[Interval] = []
    for protocol, first, last in sorted(intervals):
        if joined and joined[-1][0] == protocol and first <= joined[-1][2] + 1:
            joined[-1] = (protocol, joined[-1][1], max(last, joined[-1][2]))
        else:
            joined.append((protocol, first, last))
    return tuple(joined)


def _port(interval: Interval) -> dict[str, Any]:
    protocol, first, last = interval
    port: dict[str, Any] = {"protocol": protocol}
    if (first, last) != (1, LAST_PORT):
        port["port"] = first
        if last != first:
            port["endPort"] = last
    return port


def _cidrs(item: Range) -> list[str]:
    """The blocks that make up a range."""
    found = []
    first = item.first
    while first <= item.last:
        size = 1 << BITS[item.family] if first == 0 else first & -first
        while size > item.last - first + 1:
            size >>= 1
        block = Range(item.family, first, first + size - 1)
        text = format_range(block)
        found.append(text if "/" in text else f"{text}/{BITS[item.family]}")
        first += size
    return found


def _prove(builder: _Builder, manifests: list[dict[str, Any]], options: Options) -> tuple[list[str], list[str]]:
    """Evaluates the suggestion with the engine: what it cuts of the observed flows, and what it allows beyond them."""
    policies = load([Input("suggestion", objects=manifests)]).policies
    model = builder.model
    home = Model(namespaces=dict(model.namespaces), pods=model.running, nodes=model.nodes)
    for name in builder.scope:
        home.namespaces.setdefault(name, Namespace(name, {NAMESPACE_NAME_LABEL: name}, declared=False))
    wanted = [interval for flow in builder.flows for interval in (*flow.intervals, *DNS_PORTS)]
    universe = Universe(home, [policies], options, wanted)
    matrix = Matrix(Engine(universe, policies), Groups(universe, "workload"))
    space = universe.ports
    scope = set(builder.scope)
    servers = set(builder.dns_servers) if builder.dns else set()
    dns = 0
    for interval in DNS_PORTS:
        dns |= space.mask(*interval)
    observed: dict[tuple[str, str], int] = {}
    ranges: list[tuple[Observed, int]] = []
    for flow in builder.flows:
        mask = 0
        for interval in flow.intervals:
            mask |= space.mask(*interval)
        if isinstance(flow.source, str) and isinstance(flow.destination, str):
            for pair in _covered(builder, flow.source, flow.destination):
                observed[pair] = observed.get(pair, 0) | mask
        else:
            ranges.append((flow, mask))
    allowed: dict[tuple[str, str], int] = {}
    excess: list[str] = []
    for destination, sources, mask in matrix.pairs():
        for source in sources:
            allowed[(source, destination)] = allowed.get((source, destination), 0) | mask
    for (source, destination), mask in allowed.items():
        if not {source.split("/")[0], destination.split("/")[0]} & scope:
            continue
        if any(builder.workloads[e][0].host_network for e in (source, destination) if e in builder.workloads):
            continue  # no policy of this kind holds for it, as the notes say
        extra = mask & ~observed.get((source, destination), 0)
        if destination in servers:
            extra &= ~dns
        if extra and (parse_end(source) or parse_end(destination)):
            extra &= ~_outside_mask(ranges, source, destination, builder.coarseness == "namespace")
        if extra:
            excess.append(f"{source} -> {destination} on {summary(describe(space.intervals(extra)))}")
    missing = _missing(builder, matrix, observed, allowed, ranges)
    return missing, excess


def _covered(builder: _Builder, source: str, destination: str) -> list[tuple[str, str]]:
    """Pairs of workloads that one observed pair stands for at this coarseness."""
    if builder.coarseness != "namespace":
        return [(source, destination)]
    left, right = source.split("/")[0], destination.split("/")[0]
    return [
        (one, other)
        for one in builder.workloads
        if one.split("/")[0] == left
        for other in builder.workloads
        if other.split("/")[0] == right
    ]


def parse_end(name: str) -> Range | None:
    """The range that a listed end is, None for a workload."""
    first, dash, last = name.partition("-")
    if dash and "/" not in name:
        low, high = parse_block(first), parse_block(last)
        if low is not None and high is not None:
            return Range(low.family, low.first, high.last)
    return parse_block(name)


def _outside_mask(ranges: Sequence[tuple[Observed, int]], source: str, destination: str, wide: bool) -> int:
    """Ports that were observed for all of a range outside with a workload."""
    start, end = parse_end(source), parse_end(destination)
    mask = 0
    for flow, ports in ranges:
        side, listed, pod, other = (
            (flow.source, start, flow.destination, destination)
            if isinstance(flow.source, Range)
            else (flow.destination, end, flow.source, source)
        )
        if listed is None or not isinstance(side, Range) or side.family != listed.family:
            continue
        same = isinstance(pod, str) and (pod == other or (wide and pod.split("/")[0] == other.split("/")[0]))
        if same and side.first <= listed.first and listed.last <= side.last:
            mask |= ports
    return mask


def _missing(
    builder: _Builder,
    matrix: Matrix,
    observed: Mapping[tuple[str, str], int],
    allowed: Mapping[tuple[str, str], int],
    ranges: Sequence[tuple[Observed, int]],
) -> list[str]:
    space = matrix.ports
    found = []
    groups = {name: number for number, name in enumerate(matrix.groups.names)}
    asked = {(flow.source, flow.destination) for flow in builder.observed}
    for (source, destination), mask in observed.items():
        if (source, destination) not in asked:
            continue
        if source == destination and matrix.groups.single[groups[source]]:
            continue  # a pod always reaches itself
        gone = mask & ~allowed.get((source, destination), 0)
        if gone:
            found.append(f"{source} -> {destination} on {summary(describe(space.intervals(gone)))}")
    for flow, mask in ranges:
        side = flow.source if isinstance(flow.source, Range) else flow.destination
        if not isinstance(side, Range):
            continue
        for (source, destination), given in _listed(allowed, flow, side, matrix):
            gone = mask & ~given
            if gone:
                found.append(f"{source} -> {destination} on {summary(describe(space.intervals(gone)))}")
    return found


def _listed(
    allowed: Mapping[tuple[str, str], int], flow: Observed, side: Range, matrix: Matrix
) -> list[tuple[tuple[str, str], int]]:
    """What is allowed between a workload and each part of an observed range."""
    found = []
    for ranges in matrix.engine.universe.outside:
        for item in ranges:
            if item.family != side.family or item.last < side.first or side.last < item.first:
                continue
            part = Range(item.family, max(item.first, side.first), min(item.last, side.last))
            mask = 0
            for (source, destination), given in allowed.items():
                if flow.source is side:
                    listed, same = parse_end(source), destination == flow.destination
                else:
                    listed, same = parse_end(destination), source == flow.source
                if same and listed and listed.family == part.family and listed.first <= part.first:
                    mask |= given if part.last <= listed.last else 0
            pair = (str(part), str(flow.destination)) if flow.source is side else (str(flow.source), str(part))
            found.append((pair, mask))
    return found
