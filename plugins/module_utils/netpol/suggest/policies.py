# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies from observed flows, each workload selected by the labels that it really owns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from ...common.words import nearest
from ..errors import NetpolError
from ..flows.observed import DNS_PORTS, EVERY_PORT, End, Observed, WorkloadIndex
from ..lint.lint import PER_POD_LABELS
from ..model.addresses import BITS, Range, format_range, merge, within
from ..model.objects import LAST_PORT, NAMESPACE_NAME_LABEL, Model, Pod
from ..model.ports import Interval

#: Labels that usually name an application, best first.
PREFERRED = (
    "app.kubernetes.io/name",
    "app",
    "k8s-app",
    "app.kubernetes.io/component",
    "app.kubernetes.io/instance",
    "name",
)


class Builder:
    """Makes the manifests; keeps what the proof needs to know."""

    def __init__(
        self, model: Model, flows: Sequence[Observed], coarseness: str, namespaces: Sequence[str], dns: bool
    ) -> None:
        self.model = model
        self.coarseness = coarseness
        self.dns = dns
        self.notes: list[str] = []
        self.workloads = WorkloadIndex(model).pods
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
            peers.extend(self._block(cidr) for cidr in _blocks(item))
        return peers

    def _block(self, block: Range) -> dict[str, Any]:
        """A block of addresses outside; those of pods in it are no part of what was observed."""
        holes = [_cidr(hole) for item in self.model.pod_ranges if is_part(item, block) for hole in _blocks(item)]
        return {"ipBlock": {"cidr": _cidr(block), **({"except": holes} if holes else {})}}

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


def is_part(item: Range, block: Range) -> bool:
    """Whether a range is a part of another, and not all of it."""
    return item != block and within([item], [block])


def _cidr(block: Range) -> str:
    text = format_range(block)
    return text if "/" in text else f"{text}/{BITS[block.family]}"


def _blocks(item: Range) -> list[Range]:
    """The blocks that make up a range."""
    found = []
    first = item.first
    while first <= item.last:
        size = 1 << BITS[item.family] if first == 0 else first & -first
        while size > item.last - first + 1:
            size >>= 1
        found.append(Range(item.family, first, first + size - 1))
        first += size
    return found
