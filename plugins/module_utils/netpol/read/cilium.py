# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy: what they say about addresses and ports.

What allows adds to NetworkPolicies, what denies comes before all that allows. A direction is isolated if it has a rule.
What is decided beyond addresses and ports (HTTP, DNS names, identities of services) is kept as a rule of which
it is not known whether it matches, so that what depends on it is undetermined.

Sources: https://docs.cilium.io/en/stable/security/policy/language/ and .../security/policy/kubernetes/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..model.addresses import WHOLE, Range, subtract
from ..model.objects import (
    ADMIN,
    ALLOW,
    DENY,
    LAST_PORT,
    NAMESPACE_NAME_LABEL,
    NAMESPACED,
    PROTOCOLS,
    BlockPeer,
    Model,
    NodesPeer,
    Origin,
    PodsPeer,
    Policy,
    PortRule,
    Rule,
)
from ..model.selectors import EVERYTHING, Requirement, make_selector
from .reader import InvalidPartError, Reader, Report

CILIUM_GROUP = "cilium.io"
CILIUM_KINDS = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")

#: Denials come before the rules of AdminNetworkPolicies, whose priorities begin at 0.
_BEFORE_ALL = -1
_NAMESPACE = "io.kubernetes.pod.namespace"
_OF_NAMESPACE = "io.cilium.k8s.namespace.labels."
#: What is said to be everything outside the cluster, until the cluster is known.
WORLD = "world"
_WORLDS = {WORLD: (4, 6), "world-ipv4": (4,), "world-ipv6": (6,)}
#: Peers that cannot be told from manifests.
_UNKNOWN = ("FQDNs", "Services", "Groups", "Requires")
_PEERS = ("Endpoints", "CIDR", "CIDRSet", "Nodes", "Entities", *_UNKNOWN)
_SECTIONS = ("ingress", "egress", "ingressDeny", "egressDeny")


def is_cilium(version: object) -> bool:
    """Whether an C(apiVersion) is that of Cilium's policies."""
    return isinstance(version, str) and version.startswith(f"{CILIUM_GROUP}/")


def parse_cilium(manifest: Mapping[str, Any], origin: Origin, report: Report) -> list[Policy]:
    """The policies that a manifest means: for each of its specs what it allows, and what it denies.

    Args:
        manifest: the object, C(kind) one of C(CILIUM_KINDS).
        origin: where it was written.
        report: called for every problem with path, message, hint and cause.

    Returns:
        The policies; none when the object cannot be used, of which every problem is then reported.

    Raises:
        UnknownLabelError: which pods it is about is not told by labels of pods and namespaces.
    """
    reader = Reader(report)
    metadata = reader.mapping(manifest.get("metadata"), "metadata", None)
    name = str(metadata.get("name") or metadata.get("generateName"))
    kind = str(manifest["kind"])
    namespace = "" if kind == CILIUM_KINDS[1] else str(metadata.get("namespace") or "default")
    found: list[Policy] = []
    specs = [] if manifest.get("spec") is None else [("spec", manifest["spec"])]
    try:
        listed = enumerate(reader.items(manifest.get("specs"), "specs"))
        specs += [(f"specs[{index}]", item) for index, item in listed]
        if not specs:
            reader.error("spec", "required: a policy with at least one of spec and specs")
        for path, spec in specs:
            found.extend(_Spec(reader, kind, namespace, name, origin).policies(spec, path))
    except InvalidPartError:
        return []
    return [] if reader.failed else found


@dataclass
class _Spec:
    """One spec of an object."""

    reader: Reader
    kind: str
    namespace: str
    name: str
    origin: Origin

    def policies(self, value: object, path: str) -> Iterator[Policy]:
        spec = self.reader.mapping(value, path, None)
        if spec.get("nodeSelector") is not None:
            return  # a policy of nodes: no pod is its subject
        subject = self._subject(spec.get("endpointSelector"), f"{path}.endpointSelector")
        rules = {
            section: [
                rule
                for index, item in enumerate(self.reader.items(spec.get(section), f"{path}.{section}"))
                for rule in self._rules(item, f"{path}.{section}[{index}]", section, index)
            ]
            for section in _SECTIONS
        }
        isolates = self.reader.mapping(spec.get("enableDefaultDeny") or {}, f"{path}.enableDefaultDeny", None)

        def is_isolated(direction: str) -> bool:
            chosen = isolates.get(direction)
            return bool(spec.get(direction) or spec.get(f"{direction}Deny")) if chosen is None else bool(chosen)

        yield self._policy(
            NAMESPACED,
            subject,
            tuple(rules["ingress"]),
            tuple(rules["egress"]),
            (is_isolated("ingress"), is_isolated("egress")),
        )
        if rules["ingressDeny"] or rules["egressDeny"]:
            yield self._policy(ADMIN, subject, tuple(rules["ingressDeny"]), tuple(rules["egressDeny"]), (False, False))

    def _policy(
        self,
        tier: str,
        subject: PodsPeer,
        ingress: tuple[Rule, ...],
        egress: tuple[Rule, ...],
        isolates: tuple[bool, bool],
    ) -> Policy:
        return Policy(
            kind=self.kind,
            namespace=self.namespace,
            name=self.name,
            tier=tier,
            priority=_BEFORE_ALL if tier == ADMIN else 0,
            subject=subject,
            isolates_ingress=isolates[0],
            isolates_egress=isolates[1],
            ingress=ingress,
            egress=egress,
            origin=self.origin,
        )

    def _subject(self, value: object, path: str) -> PodsPeer:
        if value is None:
            self.reader.error(path, "required: the pods that the policy is about", "{} means all of the namespace")
            raise InvalidPartError
        found = self._pods(value, path)
        if self.namespace:
            return PodsPeer(None, found.pods, self.namespace)
        return found

    # Rules

    def _rules(self, value: object, path: str, section: str, index: int) -> Iterator[Rule]:
        """A rule, and where a part of its peers is not known a second one for these."""
        spec = self.reader.mapping({} if value is None else value, path, None)
        denies = section.endswith("Deny")
        side = "from" if section.startswith("ingress") else "to"
        action = DENY if denies else ALLOW
        name = f"{section}[{index}]"
        ports, unsure = self._ports(spec, path)
        if ports == ():
            return  # about ICMP alone
        if spec.get("toPorts") is None and not any(spec.get(f"{side}{one}") is not None for one in _PEERS):
            return  # nothing is named: it isolates, and matches nobody
        peers, unknown = self._peers(spec, path, side)
        if peers is None or peers:
            listed = None if peers is None else tuple(peers)
            yield Rule(index, action, listed, ports, name, " and ".join(unsure))
        for what in unknown:
            outside = (BlockPeer(tuple(WHOLE.values()), what, outside_only=True),)
            whom = outside if what.endswith("FQDNs") else None
            yield Rule(index, action, whom, ports, name, " and ".join([what, *unsure]))

    def _peers(self, spec: Mapping[str, Any], path: str, side: str) -> tuple[list[object] | None, list[str]]:
        """The peers of a rule, None for everyone, and the names of those that are not known."""
        found: list[object] = []
        unknown = [f"{side}{what}" for what in _UNKNOWN if spec.get(f"{side}{what}") is not None]
        for index, item in enumerate(self._listed(spec, f"{side}Endpoints", path)):
            try:
                found.append(self._pods(item, f"{path}.{side}Endpoints[{index}]"))
            except UnknownLabelError as error:
                unknown.append(f"{side}Endpoints by {error}")
        for index, item in enumerate(self._listed(spec, f"{side}CIDR", path)):
            found.append(self._block(item, [], f"{path}.{side}CIDR[{index}]"))
        for index, item in enumerate(self._listed(spec, f"{side}CIDRSet", path)):
            fields = self.reader.mapping(item, f"{path}.{side}CIDRSet[{index}]", None)
            if fields.get("cidr") is None:
                unknown.append(f"{side}CIDRSet of a group")
                continue
            holes = self.reader.items(fields.get("except"), f"{path}.{side}CIDRSet[{index}].except")
            found.append(self._block(fields["cidr"], holes, f"{path}.{side}CIDRSet[{index}]"))
        for index, item in enumerate(self._listed(spec, f"{side}Nodes", path)):
            found.append(NodesPeer(self.reader.selector(item, f"{path}.{side}Nodes[{index}]")))
        for index, item in enumerate(self._listed(spec, f"{side}Entities", path)):
            entity = self.reader.text(item, f"{path}.{side}Entities[{index}]")
            if entity == "all":
                return None, []
            peers = _entity(entity)
            if peers is None:
                unknown.append(f"{side}Entities {entity}")
            else:
                found.extend(peers)
        named = any(spec.get(f"{side}{field}") is not None for field in _PEERS)
        return (found if named else None), unknown

    def _listed(self, spec: Mapping[str, Any], field: str, path: str) -> list[Any]:
        return self.reader.items(spec.get(field), f"{path}.{field}")

    def _block(self, cidr: object, holes: list[Any], path: str) -> BlockPeer:
        text = cidr
        if isinstance(cidr, str) and "/" not in cidr:
            text = f"{cidr}/{128 if ':' in cidr else 32}"
        block = self.reader.block(text, holes, path, covers_pods=False)
        # Pods are known by their labels, never by their addresses.
        return BlockPeer(block.ranges, block.text, outside_only=True)

    def _ports(self, spec: Mapping[str, Any], path: str) -> tuple[tuple[PortRule, ...] | None, list[str]]:
        """The ports of a rule, None for all and none for ICMP alone; and what of them is decided beyond ports."""
        unsure: list[str] = []
        if spec.get("authentication") is not None:
            unsure.append("authentication")
        if spec.get("toPorts") is None:
            return (() if spec.get("icmps") is not None else None), unsure
        found: list[PortRule] = []
        whole = False
        for index, item in enumerate(self._listed(spec, "toPorts", path)):
            where = f"{path}.toPorts[{index}]"
            fields = self.reader.mapping(item, where, None)
            rules = self.reader.mapping(fields.get("rules") or {}, f"{where}.rules", None)
            unsure += [f"toPorts rules {key}" for key, value in rules.items() if value]
            unsure += [f"toPorts {key}" for key in ("serverNames", "listener") if fields.get(key)]
            ports = self.reader.items(fields.get("ports"), f"{where}.ports")
            whole = whole or not ports
            for number, port in enumerate(ports):
                found.extend(self._port(port, f"{where}.ports[{number}]"))
        return (None if whole else tuple(found)), list(dict.fromkeys(unsure))

    def _port(self, value: object, path: str) -> list[PortRule]:
        spec = self.reader.mapping(value, path, ("port", "endPort", "protocol"))
        protocol = str(spec.get("protocol") or "ANY").upper()
        if protocol in ("ICMP", "ICMPV6", "VRRP", "IGMP"):
            return []
        if protocol != "ANY" and protocol not in PROTOCOLS:
            self.reader.error(f"{path}.protocol", f"unsupported value {spec['protocol']!r}: ANY, TCP, UDP or SCTP")
            raise InvalidPartError
        protocols = PROTOCOLS if protocol == "ANY" else (protocol,)
        port = spec.get("port")
        if port is None:
            self.reader.error(f"{path}.port", "required", "'0' means all ports")
            raise InvalidPartError
        is_number = isinstance(port, int) and not isinstance(port, bool)
        text = str(port) if is_number else self.reader.text(port, f"{path}.port")
        if not text.isdecimal():
            return [PortRule(one, 0, 0, text) for one in protocols]
        first = self.reader.digits(text, f"{path}.port", 0, LAST_PORT)
        if first == 0:
            return [PortRule(one) for one in protocols]
        last = first
        if spec.get("endPort"):
            last = self.reader.integer(spec["endPort"], f"{path}.endPort", 1, LAST_PORT)
        if last < first:
            self.reader.error(f"{path}.endPort", f"invalid value {last}: must not be less than port {first}")
            raise InvalidPartError
        return [PortRule(one, first, last) for one in protocols]

    # Selectors

    def _pods(self, value: object, path: str) -> PodsPeer:
        """Pods by Cilium's labels, which are those of pods and, by prefix, of their namespace.

        Raises:
            UnknownLabelError: it is about labels that neither pods nor namespaces have.
        """
        pods: list[Requirement] = []
        namespaces: list[Requirement] = []
        for requirement in self.reader.selector(_kubernetes_labels(value), path).requirements:
            key = requirement.key
            if key == _NAMESPACE:
                namespaces.append(replace(requirement, key=NAMESPACE_NAME_LABEL))
            elif key.startswith(_OF_NAMESPACE):
                namespaces.append(replace(requirement, key=key[len(_OF_NAMESPACE) :]))
            elif key.startswith("io.cilium.k8s."):
                raise UnknownLabelError(key)
            else:
                pods.append(requirement)
        if not namespaces and self.namespace:
            return PodsPeer(None, make_selector(tuple(pods)), self.namespace)
        return PodsPeer(make_selector(tuple(namespaces)), make_selector(tuple(pods)))


class UnknownLabelError(Exception):
    """A selector is about what manifests of pods and namespaces do not tell."""


def _kubernetes_labels(value: object) -> object:
    """A selector with Kubernetes' keys in the stead of Cilium's, which begin with the source of the label."""
    if not isinstance(value, Mapping):
        return value
    found = dict(value)
    if isinstance(value.get("matchLabels"), Mapping):
        found["matchLabels"] = {_plain(key): label for key, label in value["matchLabels"].items()}
    if isinstance(value.get("matchExpressions"), list):
        found["matchExpressions"] = [
            {**item, "key": _plain(item["key"])} if isinstance(item, Mapping) and "key" in item else item
            for item in value["matchExpressions"]
        ]
    return found


def _plain(key: object) -> object:
    if not isinstance(key, str):
        return key
    source, colon, rest = key.partition(":")
    if colon and source not in ("k8s", "any"):
        raise UnknownLabelError(key)
    return rest if colon else key


def _entity(name: str) -> list[object] | None:
    """Who an entity is, None where manifests do not tell."""
    if name == "cluster":
        return [PodsPeer(EVERYTHING, EVERYTHING), NodesPeer(EVERYTHING)]
    if name == "remote-node":
        return [NodesPeer(EVERYTHING)]
    if name in ("host", "health", "none"):
        return []  # the own node reaches its pods in any case
    if name in _WORLDS:
        return [BlockPeer(tuple(WHOLE[family] for family in _WORLDS[name]), WORLD, outside_only=True)]
    return None


def without_cluster(policies: Sequence[Policy], model: Model) -> list[Policy]:
    """The policies with the world being what is no node and no pod, as far as the input says where these are."""
    inside = [Range(family, value, value) for node in model.nodes for family, value in node.addresses]
    inside += list(model.pod_ranges)

    def narrowed(peer: object) -> object:
        if isinstance(peer, BlockPeer) and peer.text == WORLD:
            return replace(peer, ranges=tuple(part for item in peer.ranges for part in subtract(item, inside)))
        return peer

    def rules(found: Sequence[Rule]) -> tuple[Rule, ...]:
        return tuple(
            rule if rule.peers is None else replace(rule, peers=tuple(narrowed(peer) for peer in rule.peers))
            for rule in found
        )

    return [
        replace(policy, ingress=rules(policy.ingress), egress=rules(policy.egress))
        if policy.kind in CILIUM_KINDS and inside
        else policy
        for policy in policies
    ]
