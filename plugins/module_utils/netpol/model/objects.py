# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that everything else reasons about: pods, namespaces, services, nodes, policies and their rules.

Small records are named tuples rather than dataclasses, which take ten times as long to define: a query is
answered in less time than a hundred dataclasses take.

One form serves all policy kinds: a policy stands in a tier (C(admin), C(namespaced) or C(baseline)), has a subject,
and per direction an ordered list of rules with an action. networking.k8s.io/v1 has only C(Allow) rules plus the
isolation of its subject; the policy.networking.k8s.io kinds have C(Allow), C(Deny) and C(Pass) rules and isolate
nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from ..errors import Problem
from .addresses import WHOLE, Range
from .left_out import LeftOut
from .routes import Route
from .selectors import Selector

ADMIN = "admin"
NAMESPACED = "namespaced"
BASELINE = "baseline"

ALLOW = "Allow"
DENY = "Deny"
PASS = "Pass"  # noqa: S105 - an action of the API, not a secret

PROTOCOLS = ("TCP", "UDP", "SCTP")
LAST_PORT = 65535

#: Label that the API server puts on every namespace (KEP-2161).
NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name"


class Origin(NamedTuple):
    """Where an object was written. C(line) is 1-based, None when the input has no lines."""

    source: str = ""
    document: int = 1
    line: int | None = None

    def __str__(self) -> str:
        return self.source + (f":{self.line}" if self.line is not None else "")


class ContainerPort(NamedTuple):
    """A declared port of a pod. C(name) is empty for an unnamed one."""

    name: str
    protocol: str
    number: int


@dataclass(frozen=True)
class Pod:
    """A pod, or what stands for all pods that a workload's template would make.

    Attributes:
        namespace: its namespace.
        name: its name; for a template the workload's name.
        labels: its labels.
        kind: kind of the workload that controls it, C(Pod) for a bare pod.
        workload: name of that workload.
        ports: what its containers (and restartable init containers) declare.
        host_network: whether it shares its node's network.
        addresses: its known addresses as (family, value) pairs, empty when unknown.
        node: name of its node, empty when unknown.
        node_address: address of its node as text, empty when unknown.
        replicas: how many pods this record stands for; 1 for a real pod.
        template: whether this record is a workload's template rather than a pod.
        finished: whether the pod has run to its end (phase Succeeded or Failed).
    """

    namespace: str
    name: str
    labels: Mapping[str, str]
    kind: str = "Pod"
    workload: str = ""
    ports: tuple[ContainerPort, ...] = ()
    host_network: bool = False
    addresses: tuple[tuple[int, int], ...] = ()
    node: str = ""
    node_address: str = ""
    replicas: int = 1
    template: bool = False
    finished: bool = False
    origin: Origin = field(default_factory=Origin, compare=False)

    @property
    def workload_name(self) -> str:
        """C(namespace/Kind/name) of the workload."""
        return f"{self.namespace}/{self.kind}/{self.workload or self.name}"

    @property
    def full_name(self) -> str:
        """C(namespace/name), or the workload's full name when this is a template."""
        return self.workload_name if self.template else f"{self.namespace}/{self.name}"

    def __hash__(self) -> int:
        return hash((self.namespace, self.name, self.kind))


@dataclass(frozen=True)
class Namespace:
    """A namespace. C(declared) is false when it is only implied by an object that lives in it."""

    name: str
    labels: Mapping[str, str]
    declared: bool = True
    origin: Origin = field(default_factory=Origin, compare=False)


class ServicePort(NamedTuple):
    """A port of a Service. C(target) is a container port's number or name."""

    name: str
    protocol: str
    number: int
    target: object


@dataclass(frozen=True)
class Service:
    """A Service.

    C(selector) is None for one without a selector (its endpoints are not pods that we know). C(addresses) are those
    that the cluster gave it, as (family, value) pairs; policies never see them.
    """

    namespace: str
    name: str
    selector: Mapping[str, str] | None
    ports: tuple[ServicePort, ...] = ()
    kind: str = "ClusterIP"
    origin: Origin = field(default_factory=Origin, compare=False)
    addresses: tuple[tuple[int, int], ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Its namespace and name."""
        return self.namespace, self.name


class Endpoints(NamedTuple):
    """Where a Service leads: addresses as (family, value) pairs, and their ports by the names of the Service's."""

    addresses: tuple[tuple[int, int], ...]
    ports: tuple[ContainerPort, ...]


class Node(NamedTuple):
    """A node: its labels, its addresses as (family, value) pairs, and the ranges that its pods' addresses are from."""

    name: str
    labels: Mapping[str, str]
    addresses: tuple[tuple[int, int], ...] = ()
    pod_ranges: tuple[Range, ...] = ()


@dataclass(frozen=True)
class PodsPeer:
    """Pods by namespace and labels.

    Attributes:
        namespaces: selector over namespaces, or None for exactly the namespace C(namespace).
        pods: selector over the pods in them.
        namespace: the policy's own namespace where C(namespaces) is None.
    """

    namespaces: Selector | None
    pods: Selector
    namespace: str = ""


@dataclass(frozen=True)
class BlockPeer:
    """Addresses: a CIDR block without its exceptions.

    Attributes:
        ranges: what the block covers, exceptions taken out; sorted and disjoint.
        text: the block as written, for people.
        covers_pods: whether the specification says that pod addresses in the block match
            (policy.networking.k8s.io C(networks)); for C(ipBlock) that is left to implementations.
        outside_only: whether it says that they do not (Cilium).
    """

    ranges: tuple[Range, ...]
    text: str
    covers_pods: bool = False
    outside_only: bool = False

    def matches_pods(self, options: Options) -> bool:
        """Whether it holds pods by their addresses."""
        return not self.outside_only and (self.covers_pods or options.block_matches_pods)


class NodesPeer(NamedTuple):
    """Nodes by their labels (experimental in policy.networking.k8s.io)."""

    nodes: Selector


class DomainsPeer(NamedTuple):
    """Destinations by DNS name (experimental). Which addresses that is cannot be told from manifests."""

    names: tuple[str, ...]


class PortRule(NamedTuple):
    """Ports of one protocol, or a named port.

    Attributes:
        protocol: TCP, UDP or SCTP; empty for a named port of any protocol (policy.networking.k8s.io).
        first: first port, 1 when all.
        last: last port, inclusive.
        name: the named port; C(first) and C(last) are then 0.
    """

    protocol: str
    first: int = 1
    last: int = LAST_PORT
    name: str = ""

    def __str__(self) -> str:
        if self.name:
            return f"{self.name}/{self.protocol}" if self.protocol else self.name
        if (self.first, self.last) == (1, LAST_PORT):
            return self.protocol
        ports = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{ports}/{self.protocol}"


@dataclass(frozen=True)
class Rule:
    """One rule of one direction.

    Attributes:
        index: 0-based position in the policy's C(ingress) or C(egress) list.
        action: Allow, Deny or Pass.
        peers: who is on the other side, None for everyone.
        ports: which destination ports, None for all.
        name: its name, where the API has one.
        unsure: what it asks beyond addresses and ports, so that it is not known whether it matches; empty if nothing.
    """

    index: int
    action: str = ALLOW
    peers: tuple[object, ...] | None = None
    ports: tuple[PortRule, ...] | None = None
    name: str = ""
    unsure: str = ""


@dataclass(frozen=True)
class Policy:
    """A policy of any kind.

    Attributes:
        kind: NetworkPolicy, AdminNetworkPolicy, BaselineAdminNetworkPolicy, ClusterNetworkPolicy, or a kind of another
            API, which may make several policies of one object.
        namespace: its namespace, empty for cluster-scoped kinds.
        name: its name.
        tier: C(admin), C(namespaced) or C(baseline).
        priority: 0 to 1000, lower first, within its tier; 0 where the kind has none.
        subject: the pods that it is about.
        isolates_ingress: whether it isolates its subject for ingress (networking.k8s.io only).
        isolates_egress: the same for egress.
        ingress: its ingress rules that are in force.
        egress: its egress rules that are in force.
        ignored: directions with rules that are not in force, because C(policyTypes) leaves them out.
    """

    kind: str
    namespace: str
    name: str
    tier: str
    subject: PodsPeer
    priority: int = 0
    isolates_ingress: bool = False
    isolates_egress: bool = False
    ingress: tuple[Rule, ...] = ()
    egress: tuple[Rule, ...] = ()
    ignored: tuple[str, ...] = ()
    origin: Origin = field(default_factory=Origin, compare=False)

    @property
    def full_name(self) -> str:
        """C(Kind namespace/name), or C(Kind name) for cluster-scoped kinds."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    def rules(self, direction: str) -> tuple[Rule, ...]:
        return self.ingress if direction == "ingress" else self.egress

    def isolates(self, direction: str) -> bool:
        return self.isolates_ingress if direction == "ingress" else self.isolates_egress

    def in_parts(self, direction: str) -> frozenset[int]:
        """Indices of rules that were read as several (Cilium, where some peers are not known): none is all of it."""
        counted = Counter(rule.index for rule in self.rules(direction))
        return frozenset(index for index, number in counted.items() if number > 1)

    @property
    def order(self) -> tuple[int, str, str]:
        """Sort key within a tier: priority, then name, so that a tie at least has one answer."""
        return (self.priority, self.name, self.kind)


class Options(NamedTuple):
    """Answers to the questions that the specification leaves to implementations.

    Attributes:
        block_matches_pods: whether an C(ipBlock) matches pods whose known address it covers. Implementations that
            filter by address (Calico, OVN-Kubernetes, Antrea, kube-network-policies) do, Cilium does not; the
            end-to-end tests of Kubernetes expect it.
        policies_select_host_network: whether policies apply to, and selectors match, pods on their node's network.
            Most implementations treat such pods as their node.
    """

    block_matches_pods: bool = True
    policies_select_host_network: bool = False


@dataclass
class Model:
    """Everything that was loaded. Lists keep the order of the input.

    C(pod_ranges) is where pods get their addresses, as far as that is known; C(operated) are the namespaces where an
    operator makes pods that are not in the input.
    """

    namespaces: dict[str, Namespace] = field(default_factory=dict)
    pods: list[Pod] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    endpoints: dict[tuple[str, str], list[Endpoints]] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    policies: list[Policy] = field(default_factory=list)
    webhooks: list[Mapping[str, object]] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    not_analysed: list[LeftOut] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    operated: set[str] = field(default_factory=set)
    pod_ranges: tuple[Range, ...] = ()

    @property
    def running(self) -> list[Pod]:
        """Pods that take part: those that have not run to their end."""
        return [pod for pod in self.pods if not pod.finished]

    @cached_property
    def is_whole(self) -> bool:
        """Whether the input seems to be all of a cluster: it has Nodes, or the namespaces that every cluster has."""
        declared = {name for name, namespace in self.namespaces.items() if namespace.declared}
        return bool(self.nodes) or {"default", "kube-system"} <= declared

    @cached_property
    def inhabited(self) -> frozenset[str]:
        """Namespaces of which the input has pods."""
        return frozenset(pod.namespace for pod in self.pods)

    @cached_property
    def assumed_families(self) -> frozenset[int]:
        """Address families that a pod without a known address is taken to have.

        Those of the other pods, else those of the ranges that pods' addresses are from, else IPv4.
        """
        known = frozenset(family for pod in self.pods for family, _value in pod.addresses)
        return known or frozenset(item.family for item in self.pod_ranges) or frozenset((4,))

    def possible_addresses(self, family: int, on_host: bool) -> tuple[Range, ...]:
        """Where the address of a pod may lie that is not known yet.

        Args:
            family: 4 or 6; 0 for every family that such a pod is taken to have.
            on_host: whether it is on its node's network, and so has the address of a node.
        """
        families = (family,) if family else sorted(self.assumed_families)
        if on_host:
            known = [Range(f, value, value) for node in self.nodes for f, value in node.addresses]
        else:
            known = list(self.pod_ranges)
        found: list[Range] = []
        for number in families:
            found.extend([item for item in known if item.family == number] or [WHOLE[number]])
        return tuple(found)

    @property
    def has_unsure_parts(self) -> bool:
        """Whether a rule asks for more than addresses and ports."""
        return any(rule.unsure for policy in self.policies for rule in (*policy.ingress, *policy.egress))

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def notes(self) -> list[str]:
        """What the input has and the answers leave out, for people."""
        counted = ", ".join(f"{item.number} {item.kind}" for item in self.not_analysed)
        skipped = ", ".join(f"{number} {reason}" for reason, number in sorted(self.skipped.items()))
        return [f"{word}: {told}" for word, told in (("not analysed", counted), ("skipped", skipped)) if told]

    def namespace_labels(self, name: str) -> Mapping[str, str]:
        """Labels of a namespace, also of one that only an object implies."""
        namespace = self.namespaces.get(name)
        return namespace.labels if namespace else {NAMESPACE_NAME_LABEL: name}
