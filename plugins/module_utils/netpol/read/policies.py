# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From manifests of policies to L(Policy) values, with every problem that the API server would name.

Fields and their validation: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.35/#networkpolicy-v1-networking-k8s-io
and https://network-policy-api.sigs.k8s.io/reference/spec/ (v1alpha1, v1alpha2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..model.objects import (
    ADMIN,
    ALLOW,
    BASELINE,
    DENY,
    LAST_PORT,
    NAMESPACED,
    PASS,
    DomainsPeer,
    NodesPeer,
    Origin,
    PodsPeer,
    Policy,
    PortRule,
    Rule,
)
from ..model.selectors import EVERYTHING
from .reader import InvalidPartError, Reader, Report, meant

POLICY_GROUP = "policy.networking.k8s.io"
POLICY_KINDS = ("NetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")


def parse_policy(manifest: Mapping[str, Any], origin: Origin, report: Report) -> Policy | None:
    """The policy that a manifest means.

    Args:
        manifest: the object, C(kind) one of C(POLICY_KINDS).
        origin: where it was written.
        report: called for every problem with severity, path, message and hint.

    Returns:
        The policy, or None when the API server would refuse the object.
    """
    reader = Reader(report)
    try:
        metadata = reader.mapping(manifest.get("metadata"), "metadata", None)
        name = reader.text(metadata.get("name") or metadata.get("generateName"), "metadata.name")
        spec = reader.mapping(manifest.get("spec") or {}, "spec", None)
        kind = str(manifest["kind"])
        if kind == "NetworkPolicy":
            namespace = reader.text(metadata.get("namespace") or "default", "metadata.namespace")
            policy = _network_policy(reader, namespace, name, spec, origin)
        else:
            policy = _cluster_policy(reader, kind, name, spec, origin)
    except InvalidPartError:
        return None
    return None if reader.failed else policy


def _network_policy(reader: Reader, namespace: str, name: str, spec: Mapping[str, Any], origin: Origin) -> Policy:
    reader.mapping(spec, "spec", ("podSelector", "policyTypes", "ingress", "egress"))
    pods = reader.attempt(reader.selector, spec.get("podSelector"), "spec.podSelector")
    subject = PodsPeer(None, pods or EVERYTHING, namespace)
    types = reader.attempt(reader.each, spec.get("policyTypes"), "spec.policyTypes", reader.text) or ()
    for index, item in enumerate(types):
        if item not in ("Ingress", "Egress"):
            hint = meant(item.capitalize(), ("Ingress", "Egress"))
            reader.error(f"spec.policyTypes[{index}]", f"unsupported value {item!r}: Ingress or Egress", hint)
    rules: dict[str, tuple[Rule, ...]] = {}
    for direction, side in (("ingress", "from"), ("egress", "to")):
        parsed = [
            reader.attempt(_network_policy_rule, reader, item, f"spec.{direction}[{index}]", side, index, namespace)
            for index, item in enumerate(reader.attempt(reader.items, spec.get(direction), f"spec.{direction}") or ())
        ]
        rules[direction] = tuple(rule for rule in parsed if rule is not None)
    # Without policyTypes: always Ingress, and Egress if there are egress rules.
    ingress = "Ingress" in types if types else True
    egress = "Egress" in types if types else bool(rules["egress"])
    return Policy(
        kind="NetworkPolicy",
        namespace=namespace,
        name=name,
        tier=NAMESPACED,
        subject=subject,
        isolates_ingress=ingress,
        isolates_egress=egress,
        ingress=rules["ingress"] if ingress else (),
        egress=rules["egress"] if egress else (),
        ignored=tuple(name for name, given in (("ingress", ingress), ("egress", egress)) if rules[name] and not given),
        origin=origin,
    )


def _network_policy_rule(reader: Reader, item: object, path: str, side: str, index: int, namespace: str) -> Rule:
    spec = reader.mapping({} if item is None else item, path, (side, "ports"))
    peers = reader.attempt(
        reader.each,
        spec.get(side),
        f"{path}.{side}",
        lambda peer, where: _network_policy_peer(reader, peer, where, namespace),
    )
    ports = reader.attempt(
        reader.each, spec.get("ports"), f"{path}.ports", lambda port, where: _network_policy_port(reader, port, where)
    )
    # An empty or missing list restricts nothing.
    return Rule(index=index, peers=peers or None, ports=ports or None)


def _network_policy_peer(reader: Reader, item: object, path: str, namespace: str) -> object:
    spec = reader.mapping({} if item is None else item, path, ("podSelector", "namespaceSelector", "ipBlock"))
    pods, namespaces, block = spec.get("podSelector"), spec.get("namespaceSelector"), spec.get("ipBlock")
    if block is not None:
        if pods is not None or namespaces is not None:
            reader.error(
                path, "ipBlock cannot stand beside podSelector or namespaceSelector", "make it a peer of its own"
            )
            raise InvalidPartError
        fields = reader.mapping(block, f"{path}.ipBlock", ("cidr", "except"))
        exceptions = reader.items(fields.get("except"), f"{path}.ipBlock.except")
        return reader.block(fields.get("cidr"), exceptions, f"{path}.ipBlock", covers_pods=False)
    if pods is None and namespaces is None:
        reader.error(
            path, "a peer must name podSelector, namespaceSelector or ipBlock", "leave out the list to mean everyone"
        )
        raise InvalidPartError
    return PodsPeer(
        namespaces=None if namespaces is None else reader.selector(namespaces, f"{path}.namespaceSelector"),
        pods=reader.selector(pods, f"{path}.podSelector"),
        namespace=namespace if namespaces is None else "",
    )


def _network_policy_port(reader: Reader, item: object, path: str) -> PortRule:
    spec = reader.mapping({} if item is None else item, path, ("protocol", "port", "endPort"))
    protocol = reader.attempt(reader.protocol, spec.get("protocol"), f"{path}.protocol") or "TCP"
    port, end = spec.get("port"), spec.get("endPort")
    if port is None:
        if end is not None:
            reader.error(f"{path}.endPort", "needs a port to start from")
        return PortRule(protocol)
    if isinstance(port, str):
        if end is not None:
            reader.error(f"{path}.endPort", "cannot stand beside a named port")
        return PortRule(protocol, 0, 0, reader.port_name(port, f"{path}.port"))
    first = reader.attempt(reader.integer, port, f"{path}.port", 1, LAST_PORT)
    last = first if end is None else reader.attempt(reader.integer, end, f"{path}.endPort", 1, LAST_PORT)
    if first is None or last is None:
        raise InvalidPartError
    if last < first:
        reader.error(f"{path}.endPort", f"invalid value {last}: must not be less than port {first}")
        raise InvalidPartError
    return PortRule(protocol, first, last)


_DOMAIN_LABEL = r"[a-zA-Z0-9](?:[-a-zA-Z0-9_]*[a-zA-Z0-9])?"
_DOMAIN_NAME = re.compile(rf"(?:\*\.)?(?:{_DOMAIN_LABEL}\.)+{_DOMAIN_LABEL}\.?\Z")

_ACTIONS = {
    "AdminNetworkPolicy": {"Allow": ALLOW, "Deny": DENY, "Pass": PASS},
    "BaselineAdminNetworkPolicy": {"Allow": ALLOW, "Deny": DENY},
    "ClusterNetworkPolicy": {"Accept": ALLOW, "Deny": DENY, "Pass": PASS},
}


def _cluster_policy(reader: Reader, kind: str, name: str, spec: Mapping[str, Any], origin: Origin) -> Policy:
    fields: tuple[str, ...] = ("subject", "ingress", "egress")
    tier, priority = BASELINE, 0
    if kind == "ClusterNetworkPolicy":
        fields += ("tier", "priority")
        written = reader.attempt(reader.text, spec.get("tier"), "spec.tier")
        if written is not None and written not in ("Admin", "Baseline"):
            hint = meant(written, ("Admin", "Baseline"))
            reader.error("spec.tier", f"unsupported value {written!r}: Admin or Baseline", hint)
        tier = ADMIN if written == "Admin" else BASELINE
    elif kind == "AdminNetworkPolicy":
        fields += ("priority",)
        tier = ADMIN
    elif name != "default":
        reader.error("metadata.name", f"invalid value {name!r}: the only BaselineAdminNetworkPolicy is named 'default'")
    if "priority" in fields:
        priority = reader.attempt(reader.integer, spec.get("priority"), "spec.priority", 0, 1000) or 0
    reader.mapping(spec, "spec", fields)
    subject = reader.attempt(_subject, reader, spec.get("subject"), "spec.subject") or PodsPeer(EVERYTHING, EVERYTHING)
    limit = 25 if kind == "ClusterNetworkPolicy" else 100
    rules: dict[str, tuple[Rule, ...]] = {}
    for direction, side in (("ingress", "from"), ("egress", "to")):
        items = reader.attempt(reader.items, spec.get(direction), f"spec.{direction}") or []
        if len(items) > limit:
            reader.error(f"spec.{direction}", f"has {len(items)} rules: at most {limit} are allowed")
        parsed = [
            reader.attempt(_cluster_rule, reader, kind, item, f"spec.{direction}[{index}]", side, index, limit)
            for index, item in enumerate(items)
        ]
        rules[direction] = tuple(rule for rule in parsed if rule is not None)
    return Policy(
        kind=kind,
        namespace="",
        name=name,
        tier=tier,
        priority=priority,
        subject=subject,
        ingress=rules["ingress"],
        egress=rules["egress"],
        origin=origin,
    )


def _one_of(reader: Reader, value: object, path: str, fields: tuple[str, ...], what: str) -> tuple[str, Any]:
    """The single field that is set, with its value. Fields that the API does not know do not count."""
    spec = reader.mapping({} if value is None else value, path, fields)
    present = [key for key in fields if spec.get(key) is not None]
    if len(present) != 1:
        reader.error(path, f"{what} must name exactly one of {', '.join(fields)}")
        raise InvalidPartError
    return present[0], spec[present[0]]


def _subject(reader: Reader, value: object, path: str) -> PodsPeer:
    key, content = _one_of(reader, value, path, ("namespaces", "pods"), "the subject")
    return _pods_peer(reader, key, content, f"{path}.{key}")


def _pods_peer(reader: Reader, key: str, content: object, path: str) -> PodsPeer:
    if key == "namespaces":
        return PodsPeer(namespaces=reader.selector(content, path), pods=EVERYTHING)
    fields = reader.mapping(content, path, ("namespaceSelector", "podSelector"))
    if fields.get("podSelector") is None:
        reader.error(f"{path}.podSelector", "required", "{} means every pod of the namespaces")
        raise InvalidPartError
    return PodsPeer(
        namespaces=reader.selector(fields.get("namespaceSelector"), f"{path}.namespaceSelector"),
        pods=reader.selector(fields.get("podSelector"), f"{path}.podSelector"),
    )


def _cluster_rule(reader: Reader, kind: str, item: object, path: str, side: str, index: int, limit: int) -> Rule:
    ports_field = "protocols" if kind == "ClusterNetworkPolicy" else "ports"
    spec = reader.mapping(item, path, ("name", "action", side, ports_field))
    actions = _ACTIONS[kind]
    action = reader.attempt(reader.text, spec.get("action"), f"{path}.action")
    if action is not None and action not in actions:
        hint = "ClusterNetworkPolicy says Accept" if action == "Allow" else meant(action, actions)
        reader.error(f"{path}.action", f"unsupported value {action!r}: one of {', '.join(actions)}", hint)
    items = reader.attempt(reader.items, spec.get(side), f"{path}.{side}")
    if items is not None and not items:
        reader.error(f"{path}.{side}", "required: at least one peer", "namespaces: {} means every pod")
    if items and len(items) > limit:
        reader.error(f"{path}.{side}", f"has {len(items)} peers: at most {limit} are allowed")
    peers: list[object] = []
    for number, peer in enumerate(items or ()):
        peers.extend(reader.attempt(_cluster_peers, reader, kind, peer, f"{path}.{side}[{number}]", side) or ())
    ports = None
    if spec.get(ports_field) is not None:
        ports = reader.attempt(_cluster_ports, reader, kind, spec[ports_field], f"{path}.{ports_field}", limit)
        if any(port.name for port in ports or ()) and any(not isinstance(peer, PodsPeer) for peer in peers):
            reader.error(f"{path}.{ports_field}", "a named port cannot stand beside a peer that is not pods")
    if action != "Allow" and action != "Accept" and any(isinstance(peer, DomainsPeer) for peer in peers):
        reader.error(f"{path}.{side}", f"domainNames cannot be used with action {action}")
    name = "" if spec.get("name") is None else reader.text(spec["name"], f"{path}.name")
    if len(name) > 100:
        reader.error(f"{path}.name", f"has {len(name)} characters: at most 100 are allowed")
    return Rule(index=index, action=actions.get(action or "", DENY), peers=tuple(peers), ports=ports, name=name)


def _cluster_ports(reader: Reader, kind: str, value: object, path: str, limit: int) -> tuple[PortRule, ...]:
    entries = reader.items(value, path)
    if not entries:
        reader.error(path, "must have at least one item", "leave the field out to mean all ports")
    parse = _cnp_protocol if kind == "ClusterNetworkPolicy" else _anp_port
    if kind == "ClusterNetworkPolicy" and len(entries) > limit:
        reader.error(path, f"has {len(entries)} protocols: at most {limit} are allowed")
    found = [reader.attempt(parse, reader, entry, f"{path}[{number}]") for number, entry in enumerate(entries)]
    return tuple(port for port in found if port is not None)


def _cluster_peers(reader: Reader, kind: str, item: object, path: str, side: str) -> list[object]:
    fields: tuple[str, ...] = ("namespaces", "pods")
    if side == "to":
        fields += ("nodes", "networks")
        if kind != "BaselineAdminNetworkPolicy":
            fields += ("domainNames",)
    key, content = _one_of(reader, item, path, fields, "a peer")
    path = f"{path}.{key}"
    if key == "networks":
        blocks = reader.items(content, path)
        if not blocks or len(blocks) > 25:
            reader.error(path, f"has {len(blocks)} blocks: 1 to 25 are allowed")
            raise InvalidPartError
        _each_once(reader, blocks, path)
        return [reader.block(cidr, [], f"{path}[{index}]", covers_pods=True) for index, cidr in enumerate(blocks)]
    if key == "nodes":
        return [NodesPeer(reader.selector(content, path))]
    if key == "domainNames":
        names = [reader.text(name, f"{path}[{index}]") for index, name in enumerate(reader.items(content, path))]
        if not names or len(names) > 25:
            reader.error(path, f"has {len(names)} names: 1 to 25 are allowed")
            raise InvalidPartError
        _each_once(reader, names, path)
        for index, name in enumerate(names):
            if not _DOMAIN_NAME.match(name):
                hint = "'*.' at the start alone stands for any labels" if "*" in name else ""
                reader.error(f"{path}[{index}]", f"invalid value {name!r}: not a domain name", hint)
        return [DomainsPeer(tuple(names))]
    return [_pods_peer(reader, key, content, path)]


def _each_once(reader: Reader, items: Sequence[object], path: str) -> None:
    for index, item in enumerate(items):
        if item in items[:index]:
            reader.error(f"{path}[{index}]", f"duplicate value {item!r}")


def _anp_port(reader: Reader, item: object, path: str) -> PortRule:
    key, content = _one_of(reader, item, path, ("portNumber", "namedPort", "portRange"), "a port")
    path = f"{path}.{key}"
    if key == "namedPort":
        return PortRule("", 0, 0, reader.text(content, path))
    if key == "portNumber":
        spec = reader.mapping(content, path, ("protocol", "port"))
        number = reader.integer(spec.get("port"), f"{path}.port", 1, LAST_PORT)
        return PortRule(reader.protocol(spec.get("protocol"), f"{path}.protocol"), number, number)
    spec = reader.mapping(content, path, ("protocol", "start", "end"))
    return _range(reader, spec, path, reader.protocol(spec.get("protocol"), f"{path}.protocol"))


def _range(reader: Reader, spec: Mapping[str, Any], path: str, protocol: str, smallest: int = 1) -> PortRule:
    first = reader.integer(spec.get("start"), f"{path}.start", 1, LAST_PORT)
    last = reader.integer(spec.get("end"), f"{path}.end", 1, LAST_PORT)
    if last < first or (last == first and smallest > 1):
        reader.error(f"{path}.end", f"invalid value {last}: must be greater than start {first}")
        raise InvalidPartError
    return PortRule(protocol, first, last)


def _cnp_protocol(reader: Reader, item: object, path: str) -> PortRule:
    key, content = _one_of(reader, item, path, ("tcp", "udp", "sctp", "destinationNamedPort"), "a protocol")
    path = f"{path}.{key}"
    if key == "destinationNamedPort":
        return PortRule("", 0, 0, reader.text(content, path))
    protocol = key.upper()
    spec = reader.mapping(content, path, ("destinationPort",))
    if not spec:
        reader.error(path, "must have at least one field", f"ports 1 to {LAST_PORT} are all of {protocol}")
        raise InvalidPartError
    if spec.get("destinationPort") is None:
        return PortRule(protocol)
    key, port = _one_of(reader, spec["destinationPort"], f"{path}.destinationPort", ("number", "range"), "a port")
    path = f"{path}.destinationPort.{key}"
    if key == "number":
        number = reader.integer(port, path, 1, LAST_PORT)
        return PortRule(protocol, number, number)
    return _range(reader, reader.mapping(port, path, ("start", "end")), path, protocol, smallest=2)
