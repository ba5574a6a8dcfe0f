# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies that do not do what they seem to, and pods that nobody thought of.

Every finding has a stable code; docs/network-policy-semantics.md lists them. Checks of single rules are here, those of
whole rule sets in L(lint_rules), those of traffic that a cluster lives on in L(lint_traffic).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from ...common.finding import Finding
from ...common.words import nearest
from ..decide.engine import Engine
from ..decide.universe import Universe, bit_indices
from ..errors import Cause
from ..model.objects import (
    NAMESPACE_NAME_LABEL,
    BlockPeer,
    DomainsPeer,
    Model,
    NodesPeer,
    Options,
    Pod,
    PodsPeer,
    Policy,
    PortRule,
    Rule,
    Service,
)
from ..model.selectors import IN, Selector
from .finding import about, names, on
from .hints import moved_ports, service_block
from .rules import check_rules
from .traffic import check_traffic

#: Labels that controllers give each pod anew; that they differ means nothing.
PER_POD_LABELS = (
    "pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "batch.kubernetes.io/job-completion-index",
    "controller-uid",
    "job-name",
)


def lint(model: Model, policies: Sequence[Policy], options: Options) -> list[Finding]:
    """Findings, sorted by severity, then object.

    Args:
        model: what there is.
        policies: the policies in force.
        options: answers to what is left to implementations.
    """
    found: list[Finding] = []
    for problem in model.problems:
        if problem.severity == "warning":
            found.append(
                on(
                    problem.object,
                    "unknown-field" if problem.cause is Cause.UNKNOWN_FIELD else "duplicate-object",
                    "error",
                    f"{problem.path}: {problem.message}",
                    problem.hint,
                    problem.source,
                    problem.line,
                )
            )
    if policies and not model.pods:
        # That each policy selects nothing would be said of every one of them.
        said = f"the input has {len(policies)} policies and no pod or workload: what they do cannot be told"
        found.append(on("input", "no-workloads", "warning", said, "add the workloads to the input", "", None))
        return _sorted(found)
    universe = Universe(model, [policies], options)
    engine = Engine(universe, policies)
    checker = _Checker(model, policies, universe)
    for policy in policies:
        found.extend(checker.policy(policy))
    found.extend(check_rules(policies, universe))
    found.extend(checker.pods(engine))
    # Where a policy opens a Service's port instead of the pod's, that is the one thing to say.
    moved = {finding.item for finding in found if finding.code == "service-port"}
    found.extend(f for f in check_traffic(model, policies, engine) if f.item not in moved or "webhook" not in f.message)
    return _sorted(found)


def _sorted(found: list[Finding]) -> list[Finding]:
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted(dict.fromkeys(found), key=lambda f: (order[f.severity], f.item, f.code, f.message))


class _Checker:
    """Checks of single policies and of pods."""

    def __init__(self, model: Model, policies: Sequence[Policy], universe: Universe) -> None:
        self.model = model
        self.policies = policies
        self.universe = universe
        self.namespace_values: dict[str, set[str]] = {}
        for namespace in model.namespaces.values():
            for key, value in namespace.labels.items():
                self.namespace_values.setdefault(key, set()).add(value)
        self._declared: dict[int, set[tuple[str, int]]] = {}
        self._names: dict[int, set[tuple[str, str]]] = {}
        self._peer_findings: dict[object, list[tuple[str, str, str, str]]] = {}
        self._addresses: dict[int, tuple[list[int], list[str]]] = {}
        self._label_values: dict[tuple[str, str], set[str]] = {}
        self._label_keys: dict[str, set[str]] = {}

    def policy(self, policy: Policy) -> Iterator[Finding]:
        subject = self.universe.pods(policy.subject)
        if not subject:
            yield about(
                policy,
                "selects-nothing",
                "warning",
                f"selects no pod ({self._said(policy.subject)})",
                self._near(policy.subject),
            )
        for direction in policy.ignored:
            yield about(
                policy,
                "ignored-rules",
                "warning",
                f"its {direction} rules are not in force: policyTypes has no {direction.capitalize()}",
                f"add {direction.capitalize()} to policyTypes, or remove the rules",
            )
        for direction in ("ingress", "egress"):
            for rule in policy.rules(direction):
                where = f"{direction} rule {rule.index}"
                for peer in rule.peers or ():
                    for code, severity, message, hint in self._peer(peer):
                        yield about(policy, code, severity, f"{where}: {message}", hint)
                if rule.ports and subject:
                    yield from self._ports(policy, rule, direction, subject, where)

    def _said(self, peer: PodsPeer) -> str:
        where = f"namespace {peer.namespace}" if peer.namespaces is None else f"namespaces with {peer.namespaces}"
        return f"pods with {peer.pods} in {where}"

    def _near(self, peer: PodsPeer) -> str:
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

    def _peer(self, peer: object) -> list[tuple[str, str, str, str]]:
        found = self._peer_findings.get(peer)
        if found is None:
            found = self._peer_findings[peer] = list(self._look_at_peer(peer))
        return found

    def _look_at_peer(self, peer: object) -> Iterator[tuple[str, str, str, str]]:
        if isinstance(peer, BlockPeer):
            yield from self._block(peer)
        elif isinstance(peer, DomainsPeer):
            names_ = ", ".join(peer.names)
            yield (
                "domain-names",
                "info",
                f"domain names ({names_}) have no addresses in manifests and match nothing here",
                "",
            )
        elif isinstance(peer, NodesPeer):
            if not any(peer.nodes.matches(node.labels) for node in self.model.nodes):
                yield (
                    "peer-matches-nothing",
                    "warning",
                    f"no Node in the input has {peer.nodes}",
                    "add Nodes to the input",
                )
        elif isinstance(peer, PodsPeer):
            missing = list(self._namespace_labels(peer.namespaces)) if peer.namespaces else []
            yield from missing
            if not missing and not self.universe.pods(peer):
                code = self._misread(peer)
                if code is not None:
                    yield code
                    return
                yield ("peer-matches-nothing", "warning", f"no pod matches {self._said(peer)}", self._near(peer))

    def _misread(self, peer: PodsPeer) -> tuple[str, str, str, str] | None:
        """What a peer that matches no pod was probably taken for."""
        in_place = self.universe.in_namespaces(peer.namespaces) if peer.namespaces else None
        labelled = self.universe.select(peer.pods)
        if in_place is None:
            at_home = [n for n in bit_indices(labelled) if self.universe.namespaces[n] == peer.namespace]
            on_host = [n for n in at_home if self.universe.host >> n & 1]
        else:
            on_host = bit_indices(labelled & in_place & self.universe.host)
        if on_host and peer.pods.requirements:
            pods = list(dict.fromkeys(p.workload_name for n in on_host for p in self.universe.members[n]))
            said = f"{self._said(peer)} are on the host network ({names(pods)}), where no selector matches"
            return ("host-network-peer", "warning", said, "open the addresses of the nodes with an ipBlock")
        if in_place and labelled and peer.namespaces and peer.namespaces.requirements and peer.pods.requirements:
            said = f"no pod matches both selectors of one peer ({self._said(peer)}), though each matches pods"
            return ("both-selectors", "warning", said, "write two peers if either is meant")
        return None

    def _namespace_labels(self, selector: Selector) -> Iterator[tuple[str, str, str, str]]:
        for requirement in selector.requirements:
            if requirement.operator != IN:
                continue
            values = self.namespace_values.get(requirement.key, set())
            if set(requirement.values) & values:
                continue
            if requirement.key == "name" and set(requirement.values) & set(self.model.namespaces):
                yield (
                    "namespace-name-label",
                    "error",
                    f"no namespace has the label {requirement}; the label with its name is {NAMESPACE_NAME_LABEL}",
                    f"write {NAMESPACE_NAME_LABEL}: {requirement.values[0]}",
                )
                continue
            near = nearest(requirement.values[0], values) if values else nearest(requirement.key, self.namespace_values)
            hint = f"did you mean {near}?" if near else ""
            yield ("namespace-label-missing", "warning", f"no namespace has the label {requirement}", hint)

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

    def _block(self, peer: BlockPeer) -> Iterator[tuple[str, str, str, str]]:
        if peer.covers_pods:
            return
        service = service_block(peer, self.model)
        if service is not None:
            yield (
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
            yield (
                "address-unknown",
                "info",
                f"whether ipBlock {peer.text} matches {names(list(hidden))} cannot be told: they have no address yet",
                "say with pod_cidrs where pods get their addresses",
            )
        covered = list(dict.fromkeys(covered))
        if covered:
            yield (
                "ip-block-covers-pods",
                "info",
                f"ipBlock {peer.text} covers addresses of pods ({names(covered)}): whether it matches them is left to"
                " implementations",
                "select pods by labels, and except the pods' addresses from the block",
            )

    def _ports(self, policy: Policy, rule: Rule, direction: str, subject: int, where: str) -> Iterator[Finding]:
        targets = subject
        if direction == "egress":
            targets = 0
            for peer in rule.peers or ():
                if isinstance(peer, PodsPeer):
                    targets |= self.universe.pods(peer)
            if rule.peers is None:
                targets = self.universe.every_pod & ~self.universe.host
        if not targets:
            return
        for port in rule.ports or ():
            if port.name:
                here = {pair for number in bit_indices(targets) for pair in self._port_names(number)}
                others = sorted({protocol for name, protocol in here if name == port.name})
                if others and port.protocol not in ("", *others):
                    yield about(
                        policy,
                        "named-port-protocol",
                        "warning",
                        f"{where}: names port {port}, which is {' and '.join(others)} on the pods that it is about",
                        f"write protocol: {others[0]}",
                    )
                elif not any(name == port.name and port.protocol in ("", protocol) for name, protocol in here):
                    known = sorted({name for name, _protocol in here})
                    near = nearest(port.name, known)
                    hint = f"did you mean {near!r}?" if near else "named ports there: " + (", ".join(known) or "none")
                    yield about(
                        policy,
                        "named-port-missing",
                        "warning",
                        f"{where}: no pod that it is about has a port {port}",
                        hint,
                    )
            elif direction == "ingress" and port.last - port.first < 1000:
                classes = bit_indices(targets)
                declared = [self._ports_of(c) for c in classes]
                if all(declared) and not any(
                    protocol == port.protocol and port.first <= number <= port.last
                    for ports in declared
                    for protocol, number in ports
                ):
                    moved = self._moved(port, classes)
                    if moved is not None:
                        service, target = moved
                        yield about(
                            policy,
                            "service-port",
                            "warning",
                            f"{where}: {port} is the port of Service {service.namespace}/{service.name}, which leads to"
                            f" {target}; policies see the pod's port",
                            f"write port: {target}",
                        )
                        continue
                    known_ports = sorted({f"{number}/{protocol}" for ports in declared for protocol, number in ports})
                    yield about(
                        policy,
                        "port-not-declared",
                        "warning",
                        f"{where}: no container that it selects declares port {port}",
                        f"they declare {names(known_ports)}",
                    )

    def _moved(self, port: PortRule, classes: Sequence[int]) -> tuple[Service, int] | None:
        """The Service that has a port and leads it to another of a pod."""
        for number in classes:
            for service, entry, target in moved_ports(self.model, self.universe.members[number][0]):
                if entry.protocol == port.protocol and port.first <= entry.number <= port.last:
                    return service, target
        return None

    def _ports_of(self, number: int) -> set[tuple[str, int]]:
        found = self._declared.get(number)
        if found is None:
            found = {(port.protocol, port.number) for pod in self.universe.members[number] for port in pod.ports}
            self._declared[number] = found
        return found

    def _port_names(self, number: int) -> set[tuple[str, str]]:
        found = self._names.get(number)
        if found is None:
            found = {
                (port.name, port.protocol) for pod in self.universe.members[number] for port in pod.ports if port.name
            }
            self._names[number] = found
        return found

    # Pods

    def pods(self, engine: Engine) -> Iterator[Finding]:
        protected = engine.isolated("ingress") | engine.isolated("egress") | self.universe.host
        for policy in self.policies:
            if policy.tier != "namespaced":
                protected |= self.universe.pods(policy.subject)
        bare: dict[str, dict[str, None]] = {}
        for number in bit_indices(self.universe.every_pod & ~protected):
            for pod in self.universe.members[number]:
                bare.setdefault(pod.namespace, {})[pod.workload_name.split("/", 1)[1]] = None
        for namespace, workloads in bare.items():
            yield on(
                f"Namespace {namespace}",
                "pods-without-policy",
                "warning",
                f"no policy selects {names(list(workloads))}: everyone reaches them, and they reach everyone",
                "start with a default deny",
            )
        yield from self._mixed_labels()

    def _mixed_labels(self) -> Iterator[Finding]:
        mentioned = self._mentioned_keys()
        first: dict[str, Pod] = {}
        told: set[tuple[str, str]] = set()
        for pod in self.model.pods:
            if pod.kind == "Pod" or pod.finished:
                continue
            other = first.setdefault(pod.workload_name, pod)
            if other.labels == pod.labels:
                continue
            for key in {*pod.labels, *other.labels}:
                if pod.labels.get(key) == other.labels.get(key) or key in PER_POD_LABELS:
                    continue
                if (pod.workload_name, key) in told or key not in mentioned:
                    continue
                told.add((pod.workload_name, key))
                yield on(
                    pod.workload_name,
                    "mixed-labels",
                    "warning",
                    f"its pods {other.name} and {pod.name} differ in the label {key}, which policies select by",
                    "policies hold for some of its pods only",
                )

    def _mentioned_keys(self) -> set[str]:
        found: set[str] = set()
        for policy in self.policies:
            found.update(policy.subject.pods.keys)
            for rule in policy.ingress + policy.egress:
                for peer in rule.peers or ():
                    if isinstance(peer, PodsPeer):
                        found.update(peer.pods.keys)
        return found
