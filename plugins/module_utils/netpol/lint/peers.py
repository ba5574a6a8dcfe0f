# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of single peers: labels that nothing has, blocks that hold what one may not think."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...common.words import nearest
from ..decide.universe import Universe, bit_indices
from ..model.objects import NAMESPACE_NAME_LABEL, BlockPeer, DomainsPeer, Model, NodesPeer, PodsPeer, Policy
from ..model.selectors import IN, Selector
from .finding import names
from .hints import service_block


class Said(NamedTuple):
    """What is found of a peer, before the policy is known that has it."""

    code: str
    severity: str
    message: str
    hint: str = ""


def is_elsewhere(peer: PodsPeer, model: Model) -> bool:
    """Whether a peer is pods of namespaces of which the input, a part of a cluster, has no pods."""
    if peer.namespaces is None or model.is_whole:
        return False
    return not any(peer.namespaces.matches(model.namespace_labels(name)) for name in model.inhabited)


def elsewhere(model: Model, policies: Sequence[Policy]) -> list[str]:
    """Selectors of namespaces of which the input has no pods, so that nothing is found of their peers."""
    peers = (peer for policy in policies for rule in (*policy.ingress, *policy.egress) for peer in rule.peers or ())
    return sorted({str(p.namespaces) for p in peers if isinstance(p, PodsPeer) and is_elsewhere(p, model)})


def told_elsewhere(model: Model) -> list[str]:
    """The same as a note for people, if there is something to say."""
    strange = elsewhere(model, model.policies) if model.pods else []
    said = "policies name namespaces of which the input has no pods, so nothing is said of these peers: "
    return [said + "; ".join(strange)] if strange else []


class PeerChecks:
    """Looks at peers, each once however many rules have it."""

    def __init__(self, universe: Universe) -> None:
        self.model = universe.model
        self.universe = universe
        self.namespace_values: dict[str, set[str]] = {}
        for namespace in self.model.namespaces.values():
            for key, value in namespace.labels.items():
                self.namespace_values.setdefault(key, set()).add(value)
        self._findings: dict[object, list[Said]] = {}
        self._addresses: dict[int, tuple[list[int], list[str]]] = {}
        self._label_values: dict[tuple[str, str], set[str]] = {}
        self._label_keys: dict[str, set[str]] = {}

    def told(self, peer: PodsPeer) -> str:
        """Who a peer is, for people."""
        where = f"namespace {peer.namespace}" if peer.namespaces is None else f"namespaces with {peer.namespaces}"
        return f"pods with {peer.pods} in {where}"

    def near(self, peer: PodsPeer) -> str:
        """A value that exists and is spelled like one that the peer asks for."""
        for requirement in peer.pods.requirements:
            if requirement.operator == IN:
                where = "" if peer.namespaces is not None else peer.namespace
                values = self._values(where, requirement.key)
                if not values:
                    near = nearest(requirement.key, self._label_keys[where])
                    return f"no pod there has the label {requirement.key}" + (f", did you mean {near}?" if near else "")
                if not values & set(requirement.values):
                    near = nearest(requirement.values[0], values)
                    if near:
                        return f"did you mean {requirement.key}={near}?"
        return ""

    def _values(self, namespace: str, key: str) -> set[str]:
        """Values of a label among the pods of a namespace, or of all (an empty name). Counted once for each place."""
        if namespace not in self._label_keys:
            keys: set[str] = set()
            for pod in self.model.pods:
                if not namespace or pod.namespace == namespace:
                    keys.update(pod.labels)
                    for label, value in pod.labels.items():
                        self._label_values.setdefault((namespace, label), set()).add(value)
            self._label_keys[namespace] = keys
        return self._label_values.get((namespace, key), set())

    def of(self, peer: object) -> list[Said]:
        """What is found of one peer."""
        found = self._findings.get(peer)
        if found is None:
            found = self._findings[peer] = list(self._look_at_peer(peer))
        return found

    def _look_at_peer(self, peer: object) -> Iterator[Said]:
        if isinstance(peer, BlockPeer):
            yield from self._block(peer)
        elif isinstance(peer, DomainsPeer):
            names_ = ", ".join(peer.names)
            yield Said(
                "domain-names",
                "info",
                f"domain names ({names_}) have no addresses in manifests and match nothing here",
                "",
            )
        elif isinstance(peer, NodesPeer):
            if not any(peer.nodes.matches(node.labels) for node in self.model.nodes):
                yield Said(
                    "peer-matches-nothing",
                    "warning",
                    f"no Node in the input has {peer.nodes}",
                    "add Nodes to the input",
                )
        elif isinstance(peer, PodsPeer):
            missing = list(self._namespace_labels(peer.namespaces)) if peer.namespaces else []
            yield from missing
            if missing or is_elsewhere(peer, self.model):
                return
            if not self.universe.pods(peer) and not self.may_be_operated(peer):
                code = self._misread(peer)
                if code is not None:
                    yield code
                    return
                yield Said("peer-matches-nothing", "warning", f"no pod matches {self.told(peer)}", self.near(peer))

    def _misread(self, peer: PodsPeer) -> Said | None:
        """What a peer that matches no pod was probably taken for."""
        in_place = self.universe.in_namespaces(peer.namespaces) if peer.namespaces else None
        labelled = self.universe.select(peer.pods)
        pods = self.on_host(peer)
        if pods and peer.pods.requirements:
            said = f"{self.told(peer)} are on the host network ({names(pods)}), where no selector matches"
            return Said("host-network-peer", "warning", said, "open the addresses of the nodes with an ipBlock")
        if in_place and labelled and peer.namespaces and peer.namespaces.requirements and peer.pods.requirements:
            said = f"no pod matches both selectors of one peer ({self.told(peer)}), though each matches pods"
            return Said("both-selectors", "warning", said, "write two peers if either is meant")
        return None

    def apart(self, peers: Sequence[object]) -> dict[object, Said]:
        """Peers that were probably meant to narrow the one beside them: two selectors as two peers, where either does.

        That is told where the pods' selector alone matches none, and some of those that the other one lets in.

        Args:
            peers: of one rule, in their order.

        Returns:
            What is found, by the peer that matches no pod.
        """
        found: dict[object, Said] = {}
        for first, second in zip(peers, peers[1:]):
            for wide, narrow in ((first, second), (second, first)):
                if not isinstance(wide, PodsPeer) or wide.namespaces is None or wide.pods.requirements:
                    continue
                if not isinstance(narrow, PodsPeer) or narrow.namespaces is not None or not narrow.pods.requirements:
                    continue
                if self.universe.pods(narrow) or self.may_be_operated(narrow):
                    continue
                if self.universe.pods(PodsPeer(wide.namespaces, narrow.pods)):
                    said = (
                        f"{self.told(narrow)} are none, though there are some in namespaces with {wide.namespaces}, the"
                        " peer beside it, which opens all pods there: in two peers either counts, in one both"
                    )
                    hint = "write both selectors in one peer (one dash) if both are meant"
                    found[narrow] = Said("either-selector", "warning", said, hint)
        return found

    def may_be_operated(self, peer: PodsPeer) -> bool:
        """Whether a peer or subject may be about pods that an operator makes and that are not in the input."""
        if peer.namespaces is None:
            return peer.namespace in self.model.operated
        return any(peer.namespaces.matches(self.model.namespace_labels(name)) for name in self.model.operated)

    def on_host(self, peer: PodsPeer) -> list[str]:
        """Workloads on the host network that have what a peer or subject asks for, and are no part of it."""
        bits = self.universe.select(peer.pods) & self.universe.host
        if peer.namespaces is not None:
            found = bit_indices(bits & self.universe.in_namespaces(peer.namespaces))
        else:
            found = [number for number in bit_indices(bits) if self.universe.namespaces[number] == peer.namespace]
        return list(dict.fromkeys(pod.workload_name for number in found for pod in self.universe.members[number]))

    def _namespace_labels(self, selector: Selector) -> Iterator[Said]:
        for requirement in selector.requirements:
            if requirement.operator != IN:
                continue
            values = self.namespace_values.get(requirement.key, set())
            if set(requirement.values) & values:
                continue
            if requirement.key == "name" and set(requirement.values) & set(self.model.namespaces):
                yield Said(
                    "namespace-name-label",
                    "error",
                    f"no namespace has the label {requirement}; the label with its name is {NAMESPACE_NAME_LABEL}",
                    f"write {NAMESPACE_NAME_LABEL}: {requirement.values[0]}",
                )
                continue
            near = nearest(requirement.values[0], values) if values else nearest(requirement.key, self.namespace_values)
            hint = f"did you mean {near}?" if near else ""
            if not hint and not self.model.is_whole:
                continue
            yield Said("namespace-label-missing", "warning", f"no namespace has the label {requirement}", hint)

    def _sorted_addresses(self, family: int) -> tuple[list[int], list[str]]:
        """Known pod addresses of a family in order, with their pods' names."""
        found = self._addresses.get(family)
        if found is None:
            pairs = sorted(
                (value, pod.full_name)
                for pod in self.model.pods
                for pod_family, value in pod.addresses
                if pod_family == family and not pod.host_network
            )
            found = self._addresses[family] = ([value for value, _name in pairs], [name for _value, name in pairs])
        return found

    def _block(self, peer: BlockPeer) -> Iterator[Said]:
        if peer.covers_pods:
            return
        service = service_block(peer, self.model)
        if service is not None:
            yield Said(
                "service-address",
                "warning",
                f"ipBlock {peer.text} holds the address of Service {service.namespace}/{service.name}, which policies"
                " never see: they see the pods behind it",
                "select the pods instead, with their own port",
            )
        covered: list[str] = []
        for item in peer.ranges:
            values, pods = self._sorted_addresses(item.family)
            covered.extend(pods[bisect_left(values, item.first) : bisect_right(values, item.last)])
        unknown = 0
        for family in sorted(self.model.assumed_families):
            sure, maybe = self.universe.hidden([peer], family)
            covered.extend(pod.workload_name for n in bit_indices(sure) for pod in self.universe.members[n])
            unknown |= maybe
        if unknown:
            hidden = dict.fromkeys(pod.workload_name for n in bit_indices(unknown) for pod in self.universe.members[n])
            yield Said(
                "address-unknown",
                "info",
                f"whether ipBlock {peer.text} matches {names(list(hidden))} cannot be told: they have no address yet",
                "say with pod_cidrs where pods get their addresses",
            )
        covered = list(dict.fromkeys(covered))
        if covered:
            yield Said(
                "ip-block-covers-pods",
                "info",
                f"ipBlock {peer.text} covers addresses of pods ({names(covered)}): whether it matches them is left to"
                " implementations",
                "select pods by labels, and except the pods' addresses from the block",
            )
