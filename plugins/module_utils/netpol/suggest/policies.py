# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies from observed flows, each workload selected by the labels that it really owns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from ...common.words import nearest
from ..errors import NetpolError
from ..flows.observed import DNS_PORTS, EVERY_PORT, End, Observed, WorkloadIndex
from ..lint.pods import PER_POD_LABELS
from ..model.addresses import Range, blocks, format_block, merge, within
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


class Own(NamedTuple):
    """What tells a workload's pods from the others of its namespace: labels they have, and labels they have not."""

    labels: tuple[tuple[str, str], ...]
    absent: tuple[str, ...] = ()

    def matches(self, pod: Pod) -> bool:
        labels = pod.labels
        return all(labels.get(key) == value for key, value in self.labels) and not any(k in labels for k in self.absent)

    def as_dict(self) -> dict[str, Any]:
        """As a label selector of the API."""
        found: dict[str, Any] = {}
        if self.labels:
            found["matchLabels"] = dict(self.labels)
        if self.absent:
            found["matchExpressions"] = [{"key": key, "operator": "DoesNotExist"} for key in self.absent]
        return found


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
        self.dns_servers = [name for name, pods in self.workloads.items() if _serves_dns(pods[0])]
        self.lost = [flow for flow in flows if flow.lost]
        self.notes.extend(dict.fromkeys(flow.note for flow in flows if flow.note))
        self.observed = [flow for flow in flows if not flow.note]
        self.flows = [self._widen(flow) for flow in self.observed]
        self.scope = self._scope(flows, namespaces)
        self.selectors: dict[str, Own] = {}

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
        # That a workload asks DNS is no reason to isolate the servers.
        left_out = set(self.dns_servers) if self.dns else set()
        ends = [end for flow in flows for end in (flow.source, flow.destination) if isinstance(end, str)]
        ends = [end for end in ends if end in self.workloads and end not in left_out]
        return sorted({end.split("/")[0] for end in ends})

    def policies(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for namespace in self.scope:
            if self.coarseness == "namespace":
                found.append(self._policy(namespace, "namespace", {}, [namespace]))
                continue
            names = sorted(name for name in self.workloads if name.split("/")[0] == namespace)
            taken: dict[Own, str] = {}
            for name in names:
                if self.workloads[name][0].host_network:
                    self.notes.append(f"{name} is on the host network, where most implementations apply no policy")
                    continue
                own = self.own(name)
                if own in taken:
                    self.notes.append(f"{name} has no label that tells it from {taken[own]}: they share a policy")
                    continue
                taken[own] = name
                same = [other for other in names if self._selects(own, other)]
                found.append(self._policy(namespace, name.split("/")[2], own.as_dict(), same))
        return _named_apart(found)

    def _selects(self, own: Own, name: str) -> bool:
        return any(own.matches(pod) and not pod.host_network for pod in self.workloads[name])

    def own(self, name: str) -> Own:
        """The fewest labels that all pods of a workload have and no other pod of its namespace has together.

        Where there are none, with those that the others have and this one has not.
        """
        found = self.selectors.get(name)
        if found is None:
            found = self.selectors[name] = self._find_own(name)
        return found

    def _find_own(self, name: str) -> Own:
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
                found = Own(tuple((key, own[key]) for key in keys))
                if not any(found.matches(pod) for pod in others):
                    return found
        for size in range(min(len(ranked), 1), min(len(ranked), 3) + 1):
            for keys in combinations(ranked, size):
                found = Own(tuple((key, own[key]) for key in keys))
                absent, complete = _telling_keys([pod for pod in others if found.matches(pod)], pods)
                if complete:
                    return found._replace(absent=absent)
        found = Own(tuple((key, own[key]) for key in ranked))
        return found._replace(absent=_telling_keys([pod for pod in others if found.matches(pod)], pods)[0])

    def _policy(self, namespace: str, name: str, subject: dict[str, Any], members: Sequence[str]) -> dict[str, Any]:
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
        spec: dict[str, Any] = {"podSelector": subject, "policyTypes": ["Ingress", "Egress"]}
        if ingress:
            spec["ingress"] = ingress
        if self.dns and any(inside(server) for server in self.dns_servers):
            # What they ask in turn, and the API server, is rarely observed; without it no name is found.
            spec["policyTypes"] = ["Ingress"]
            self.notes.append(f"egress of {namespace}/{name} stays open: it serves DNS and asks others")
        elif egress:
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
                addresses = self.host_addresses(end)
                note = f"{end} is on the host network and its address is unknown: no peer can name it"
                if not addresses and note not in self.notes:
                    self.notes.append(note)
                ranges.extend(addresses)
                continue
            home = end.split("/")[0]
            if self.coarseness == "namespace":
                peer: dict[str, Any] = {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME_LABEL: home}}}
            else:
                peer = {"podSelector": self.own(end).as_dict()}
                if home != namespace:
                    peer["namespaceSelector"] = {"matchLabels": {NAMESPACE_NAME_LABEL: home}}
            if peer not in peers:
                peers.append(peer)
        for item in merge(ranges):
            peers.extend(self._block(cidr) for cidr in blocks(item))
        return peers

    def host_addresses(self, name: str) -> list[Range]:
        """The addresses of a workload on the host network: its own, else those of all nodes that are known."""
        own = [address for pod in self.workloads[name] for address in pod.addresses]
        known = own or [address for node in self.model.nodes for address in node.addresses]
        return merge(Range(family, value, value) for family, value in known)

    def _block(self, block: Range) -> dict[str, Any]:
        """A block of addresses outside; those of pods in it are no part of what was observed."""
        holes = [format_block(hole) for item in self.model.pod_ranges if is_part(item, block) for hole in blocks(item)]
        return {"ipBlock": {"cidr": format_block(block), **({"except": holes} if holes else {})}}

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
            selector = self.own(name).as_dict()
            home = {"matchLabels": {NAMESPACE_NAME_LABEL: name.split("/")[0]}}
            peers.append({"namespaceSelector": home, "podSelector": selector})
        return peers


def _telling_keys(others: Sequence[Pod], pods: Sequence[Pod]) -> tuple[tuple[str, ...], bool]:
    """Labels that others have and none of the pods, and whether each of the others has one of them."""
    mine = {key for pod in pods for key in pod.labels}
    rest = list(others)
    found: list[str] = []
    while rest:
        keys = sorted({key for pod in rest for key in pod.labels if key not in mine and key not in PER_POD_LABELS})
        if not keys:
            return tuple(sorted(found)), False
        best = max(keys, key=lambda key: sum(1 for pod in rest if key in pod.labels))
        found.append(best)
        rest = [pod for pod in rest if best not in pod.labels]
    return tuple(sorted(found)), True


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
