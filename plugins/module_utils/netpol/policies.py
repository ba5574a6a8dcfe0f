# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From manifests of policies to L(Policy) values, with every problem that the API server would name.

Fields and their validation: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.35/#networkpolicy-v1-networking-k8s-io
and https://network-policy-api.sigs.k8s.io/reference/spec/ (v1alpha1, v1alpha2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Callable

from .addresses import parse_cidr, subtract
from .errors import nearest
from .model import (
    ADMIN,
    ALLOW,
    BASELINE,
    DENY,
    LAST_PORT,
    NAMESPACED,
    PASS,
    PROTOCOLS,
    BlockPeer,
    DomainsPeer,
    NodesPeer,
    Origin,
    PodsPeer,
    Policy,
    PortRule,
    Rule,
)
from .selectors import DOES_NOT_EXIST, EVERYTHING, EXISTS, IN, OPERATORS, Requirement, Selector, make_selector

NETWORKING_V1 = "networking.k8s.io/v1"
POLICY_GROUP = "policy.networking.k8s.io"
POLICY_KINDS = ("NetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")

#: More requirements, values, peers, ports and rules than this in one object are refused: no API server stores such an
#: object (its size limit is 1.5 MiB), and aliases of YAML cannot blow one up.
MAX_ITEMS = 100_000

_QUALIFIED_NAME = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)\Z")
_DNS_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*\Z")
_LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?\Z")
_PORT_NAME = re.compile(r"[a-z0-9](?:-?[a-z0-9])*\Z")

#: Called for each problem with severity, path, message, hint.
Report = Callable[[str, str, str, str], None]


class _Invalid(Exception):  # noqa: N818 - control flow inside this file, never seen outside
    """The part at hand cannot be used; the problem is already reported."""


def label_key_problem(key: str) -> str:
    """Why a text is no label key, or an empty string."""
    prefix, slash, name = key.rpartition("/")
    if slash and (not _DNS_SUBDOMAIN.match(prefix) or len(prefix) > 253):
        return f"label key {key!r} has a prefix that is not a DNS subdomain"
    if not _QUALIFIED_NAME.match(name):
        return (
            f"{key!r} is not a label key (at most 63 letters, digits, '-', '_', '.', optionally after a prefix and '/')"
        )
    return ""


def label_value_problem(value: str) -> str:
    """Why a text is no label value, or an empty string."""
    if len(value) > 63 or not _LABEL_VALUE.match(value):
        return f"{value!r} is not a label value (at most 63 letters, digits, '-', '_', '.')"
    return ""


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "mapping" if isinstance(value, Mapping) else "list" if isinstance(value, list) else type(value).__name__


class _Reader:
    """Reads one policy and reports what is wrong with it; keeps the reporting out of the semantics."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._left = MAX_ITEMS
        self.failed = False

    def error(self, path: str, message: str, hint: str = "") -> None:
        self.failed = True
        self._report("error", path, message, hint)

    def warn(self, path: str, message: str, hint: str = "") -> None:
        self._report("warning", path, message, hint)

    def mapping(self, value: object, path: str, fields: tuple[str, ...] | None) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.error(path, f"must be a mapping, not a {_kind(value)}")
            raise _Invalid
        if fields is not None:
            for key in value:
                if key not in fields:
                    near = nearest(str(key), fields)
                    hint = f"did you mean {near!r}?" if near else "known fields: " + ", ".join(fields)
                    self.warn(f"{path}.{key}", "unknown field, which the API server drops or refuses", hint)
        return value

    def items(self, value: object, path: str) -> list[Any]:
        """A list; null and a missing field are the empty list, as in the API's JSON decoding."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.error(path, f"must be a list, not a {_kind(value)}")
            raise _Invalid
        self._spend(len(value), path)
        return value

    def _spend(self, count: int, path: str) -> None:
        self._left -= count
        if self._left < 0:
            self.error(path, f"the object has more than {MAX_ITEMS} items, more than any stored object can hold")
            raise _Invalid

    def text(self, value: object, path: str) -> str:
        if not isinstance(value, str):
            hint = f"write it in quotes: '{value}'" if isinstance(value, (bool, int, float)) else ""
            self.error(path, f"must be a string, not a {_kind(value)}", hint)
            raise _Invalid
        return value

    def integer(self, value: object, path: str, first: int, last: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            hint = "write it without quotes" if isinstance(value, str) and value.isdigit() else ""
            self.error(path, f"must be a number, not a {_kind(value)}", hint)
            raise _Invalid
        if not first <= value <= last:
            self.error(path, f"invalid value {value}: must be between {first} and {last}")
            raise _Invalid
        return value

    def selector(self, value: object, path: str) -> Selector:
        spec = self.mapping({} if value is None else value, path, ("matchLabels", "matchExpressions"))
        requirements: list[Requirement] = []
        labels = spec.get("matchLabels")
        if labels is not None:
            self._spend(len(labels) if isinstance(labels, Mapping) else 0, f"{path}.matchLabels")
            for key, label in self.mapping(labels, f"{path}.matchLabels", None).items():
                key_path = f"{path}.matchLabels[{key}]"
                self._check_label(self.text(key, key_path), self.text(label, key_path), key_path)
                requirements.append(Requirement(key, IN, (label,)))
        for index, item in enumerate(self.items(spec.get("matchExpressions"), f"{path}.matchExpressions")):
            requirements.append(self._expression(item, f"{path}.matchExpressions[{index}]"))
        return make_selector(tuple(requirements)) if requirements else EVERYTHING

    def _expression(self, item: object, path: str) -> Requirement:
        spec = self.mapping(item, path, ("key", "operator", "values"))
        key = self.text(spec.get("key"), f"{path}.key")
        operator = self.text(spec.get("operator"), f"{path}.operator")
        values = [
            self.text(value, f"{path}.values[{index}]")
            for index, value in enumerate(self.items(spec.get("values"), f"{path}.values"))
        ]
        if operator not in OPERATORS:
            near = nearest(operator, OPERATORS)
            hint = f"did you mean {near!r}?" if near else ""
            self.error(f"{path}.operator", f"unsupported value {operator!r}: one of {', '.join(OPERATORS)}", hint)
            raise _Invalid
        if operator in (EXISTS, DOES_NOT_EXIST):
            if values:
                self.error(f"{path}.values", f"must be empty for operator {operator}")
                raise _Invalid
        elif not values:
            self.error(f"{path}.values", f"required for operator {operator}")
            raise _Invalid
        self._check_label(key, "", f"{path}.key")
        for index, value in enumerate(values):
            self._check_label(key, value, f"{path}.values[{index}]")
        return Requirement(key, operator, tuple(sorted(set(values))))

    def _check_label(self, key: str, value: str, path: str) -> None:
        problem = label_key_problem(key) or label_value_problem(value)
        if problem:
            self.error(path, problem)
            raise _Invalid

    def block(self, cidr: object, exceptions: list[Any], path: str, covers_pods: bool) -> BlockPeer:
        text = self.text(cidr, f"{path}.cidr" if not covers_pods else path)
        whole = parse_cidr(text)
        if whole is None:
            hint = f"a single address is '{text}/{128 if ':' in text else 32}'" if "/" not in text else ""
            self.error(f"{path}.cidr" if not covers_pods else path, f"invalid value {text!r}: not a CIDR block", hint)
            raise _Invalid
        holes = []
        for index, item in enumerate(exceptions):
            hole_text = self.text(item, f"{path}.except[{index}]")
            hole = parse_cidr(hole_text)
            if hole is None:
                self.error(f"{path}.except[{index}]", f"invalid value {hole_text!r}: not a CIDR block")
                raise _Invalid
            inside = hole.family == whole.family and whole.first <= hole.first and hole.last <= whole.last
            if not inside or (hole.first, hole.last) == (whole.first, whole.last):
                self.error(
                    f"{path}.except[{index}]", f"invalid value {hole_text!r}: must be a strict subset of {text!r}"
                )
                raise _Invalid
            holes.append(hole)
        written = text + (f" except {', '.join(str(item) for item in exceptions)}" if exceptions else "")
        return BlockPeer(tuple(subtract(whole, holes)), written, covers_pods)

    def protocol(self, value: object, path: str) -> str:
        if value is None:
            return "TCP"
        text = self.text(value, path)
        if text not in PROTOCOLS:
            hint = f"did you mean {text.upper()!r}?" if text.upper() in PROTOCOLS else ""
            self.error(path, f"unsupported value {text!r}: one of {', '.join(PROTOCOLS)}", hint)
            raise _Invalid
        return text

    def port_name(self, value: str, path: str) -> str:
        if not _PORT_NAME.match(value) or len(value) > 15 or not any(c.isalpha() for c in value):
            hint = "write a port number without quotes" if value.isdigit() else ""
            self.error(
                path, f"invalid value {value!r}: not a port name (at most 15 of a-z, 0-9, '-', one a letter)", hint
            )
            raise _Invalid
        return value


def parse_policy(manifest: Mapping[str, Any], origin: Origin, report: Report) -> Policy | None:
    """The policy that a manifest means.

    Args:
        manifest: the object, C(kind) one of C(POLICY_KINDS).
        origin: where it was written.
        report: called for every problem with severity, path, message and hint.

    Returns:
        The policy, or None when the API server would refuse the object.
    """
    reader = _Reader(report)
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
    except _Invalid:
        return None
    return None if reader.failed else policy


def _network_policy(reader: _Reader, namespace: str, name: str, spec: Mapping[str, Any], origin: Origin) -> Policy:
    reader.mapping(spec, "spec", ("podSelector", "policyTypes", "ingress", "egress"))
    subject = PodsPeer(None, reader.selector(spec.get("podSelector"), "spec.podSelector"), namespace)
    types = [
        reader.text(item, f"spec.policyTypes[{index}]")
        for index, item in enumerate(reader.items(spec.get("policyTypes"), "spec.policyTypes"))
    ]
    for index, item in enumerate(types):
        if item not in ("Ingress", "Egress"):
            near = nearest(item.capitalize(), ("Ingress", "Egress"))
            hint = f"did you mean {near!r}?" if near else ""
            reader.error(f"spec.policyTypes[{index}]", f"unsupported value {item!r}: Ingress or Egress", hint)
    rules: dict[str, tuple[Rule, ...]] = {}
    for direction, side in (("ingress", "from"), ("egress", "to")):
        rules[direction] = tuple(
            _network_policy_rule(reader, item, f"spec.{direction}[{index}]", side, index, namespace)
            for index, item in enumerate(reader.items(spec.get(direction), f"spec.{direction}"))
        )
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
        origin=origin,
    )


def _network_policy_rule(reader: _Reader, item: object, path: str, side: str, index: int, namespace: str) -> Rule:
    spec = reader.mapping({} if item is None else item, path, (side, "ports"))
    peers = tuple(
        _network_policy_peer(reader, peer, f"{path}.{side}[{number}]", namespace)
        for number, peer in enumerate(reader.items(spec.get(side), f"{path}.{side}"))
    )
    ports = tuple(
        _network_policy_port(reader, port, f"{path}.ports[{number}]")
        for number, port in enumerate(reader.items(spec.get("ports"), f"{path}.ports"))
    )
    # An empty or missing list restricts nothing.
    return Rule(index=index, peers=peers or None, ports=ports or None)


def _network_policy_peer(reader: _Reader, item: object, path: str, namespace: str) -> object:
    spec = reader.mapping({} if item is None else item, path, ("podSelector", "namespaceSelector", "ipBlock"))
    pods, namespaces, block = spec.get("podSelector"), spec.get("namespaceSelector"), spec.get("ipBlock")
    if block is not None:
        if pods is not None or namespaces is not None:
            reader.error(
                path, "ipBlock cannot stand beside podSelector or namespaceSelector", "make it a peer of its own"
            )
            raise _Invalid
        fields = reader.mapping(block, f"{path}.ipBlock", ("cidr", "except"))
        exceptions = reader.items(fields.get("except"), f"{path}.ipBlock.except")
        return reader.block(fields.get("cidr"), exceptions, f"{path}.ipBlock", covers_pods=False)
    if pods is None and namespaces is None:
        reader.error(
            path, "a peer must name podSelector, namespaceSelector or ipBlock", "leave out the list to mean everyone"
        )
        raise _Invalid
    return PodsPeer(
        namespaces=None if namespaces is None else reader.selector(namespaces, f"{path}.namespaceSelector"),
        pods=reader.selector(pods, f"{path}.podSelector"),
        namespace=namespace if namespaces is None else "",
    )


def _network_policy_port(reader: _Reader, item: object, path: str) -> PortRule:
    spec = reader.mapping({} if item is None else item, path, ("protocol", "port", "endPort"))
    protocol = reader.protocol(spec.get("protocol"), f"{path}.protocol")
    port, end = spec.get("port"), spec.get("endPort")
    if port is None:
        if end is not None:
            reader.error(f"{path}.endPort", "needs a port to start from")
            raise _Invalid
        return PortRule(protocol)
    if isinstance(port, str):
        if end is not None:
            reader.error(f"{path}.endPort", "cannot stand beside a named port")
            raise _Invalid
        return PortRule(protocol, 0, 0, reader.port_name(port, f"{path}.port"))
    first = reader.integer(port, f"{path}.port", 1, LAST_PORT)
    if end is None:
        return PortRule(protocol, first, first)
    last = reader.integer(end, f"{path}.endPort", 1, LAST_PORT)
    if last < first:
        reader.error(f"{path}.endPort", f"invalid value {last}: must not be less than port {first}")
        raise _Invalid
    return PortRule(protocol, first, last)


_ACTIONS = {
    "AdminNetworkPolicy": {"Allow": ALLOW, "Deny": DENY, "Pass": PASS},
    "BaselineAdminNetworkPolicy": {"Allow": ALLOW, "Deny": DENY},
    "ClusterNetworkPolicy": {"Accept": ALLOW, "Deny": DENY, "Pass": PASS},
}


def _cluster_policy(reader: _Reader, kind: str, name: str, spec: Mapping[str, Any], origin: Origin) -> Policy:
    fields: tuple[str, ...] = ("subject", "ingress", "egress")
    tier, priority = BASELINE, 0
    if kind == "ClusterNetworkPolicy":
        fields += ("tier", "priority")
        written = reader.text(spec.get("tier"), "spec.tier")
        if written not in ("Admin", "Baseline"):
            reader.error("spec.tier", f"unsupported value {written!r}: Admin or Baseline")
            raise _Invalid
        tier = ADMIN if written == "Admin" else BASELINE
    elif kind == "AdminNetworkPolicy":
        fields += ("priority",)
        tier = ADMIN
    elif name != "default":
        reader.error("metadata.name", f"invalid value {name!r}: the only BaselineAdminNetworkPolicy is named 'default'")
    if "priority" in fields:
        priority = reader.integer(spec.get("priority"), "spec.priority", 0, 1000)
    reader.mapping(spec, "spec", fields)
    subject = _subject(reader, spec.get("subject"), "spec.subject")
    limit = 25 if kind == "ClusterNetworkPolicy" else 100
    rules: dict[str, tuple[Rule, ...]] = {}
    for direction, side in (("ingress", "from"), ("egress", "to")):
        items = reader.items(spec.get(direction), f"spec.{direction}")
        if len(items) > limit:
            reader.error(f"spec.{direction}", f"has {len(items)} rules: at most {limit} are allowed")
        rules[direction] = tuple(
            _cluster_rule(reader, kind, item, f"spec.{direction}[{index}]", side, index, limit)
            for index, item in enumerate(items)
        )
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


def _one_of(reader: _Reader, value: object, path: str, fields: tuple[str, ...], what: str) -> tuple[str, Any]:
    """The single field that is set, with its value. Fields that the API does not know do not count."""
    spec = reader.mapping({} if value is None else value, path, fields)
    present = [key for key in fields if spec.get(key) is not None]
    if len(present) != 1:
        reader.error(path, f"{what} must name exactly one of {', '.join(fields)}")
        raise _Invalid
    return present[0], spec[present[0]]


def _subject(reader: _Reader, value: object, path: str) -> PodsPeer:
    key, content = _one_of(reader, value, path, ("namespaces", "pods"), "the subject")
    return _pods_peer(reader, key, content, f"{path}.{key}")


def _pods_peer(reader: _Reader, key: str, content: object, path: str) -> PodsPeer:
    if key == "namespaces":
        return PodsPeer(namespaces=reader.selector(content, path), pods=EVERYTHING)
    fields = reader.mapping(content, path, ("namespaceSelector", "podSelector"))
    return PodsPeer(
        namespaces=reader.selector(fields.get("namespaceSelector"), f"{path}.namespaceSelector"),
        pods=reader.selector(fields.get("podSelector"), f"{path}.podSelector"),
    )


def _cluster_rule(reader: _Reader, kind: str, item: object, path: str, side: str, index: int, limit: int) -> Rule:
    ports_field = "protocols" if kind == "ClusterNetworkPolicy" else "ports"
    spec = reader.mapping(item, path, ("name", "action", side, ports_field))
    actions = _ACTIONS[kind]
    action = reader.text(spec.get("action"), f"{path}.action")
    if action not in actions:
        near = nearest(action.capitalize(), actions)
        hint = "ClusterNetworkPolicy says Accept" if action == "Allow" else f"did you mean {near!r}?" if near else ""
        reader.error(f"{path}.action", f"unsupported value {action!r}: one of {', '.join(actions)}", hint)
        raise _Invalid
    items = reader.items(spec.get(side), f"{path}.{side}")
    if not items:
        reader.error(f"{path}.{side}", "required: at least one peer", "namespaces: {} means every pod")
        raise _Invalid
    if len(items) > limit:
        reader.error(f"{path}.{side}", f"has {len(items)} peers: at most {limit} are allowed")
    peers: list[object] = []
    for number, peer in enumerate(items):
        peers.extend(_cluster_peers(reader, kind, peer, f"{path}.{side}[{number}]", side))
    ports: tuple[PortRule, ...] | None = None
    if spec.get(ports_field) is not None:
        entries = reader.items(spec.get(ports_field), f"{path}.{ports_field}")
        if not entries:
            reader.error(
                f"{path}.{ports_field}", "must have at least one item", "leave the field out to mean all ports"
            )
            raise _Invalid
        parse = _cnp_protocol if kind == "ClusterNetworkPolicy" else _anp_port
        ports = tuple(parse(reader, entry, f"{path}.{ports_field}[{number}]") for number, entry in enumerate(entries))
        if any(port.name for port in ports) and any(not isinstance(peer, PodsPeer) for peer in peers):
            reader.error(f"{path}.{ports_field}", "a named port cannot stand beside a peer that is not pods")
            raise _Invalid
    if action != "Allow" and action != "Accept" and any(isinstance(peer, DomainsPeer) for peer in peers):
        reader.error(f"{path}.{side}", f"domainNames cannot be used with action {action}")
        raise _Invalid
    name = spec.get("name")
    return Rule(
        index=index,
        action=actions[action],
        peers=tuple(peers),
        ports=ports,
        name="" if name is None else reader.text(name, f"{path}.name"),
    )


def _cluster_peers(reader: _Reader, kind: str, item: object, path: str, side: str) -> list[object]:
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
            raise _Invalid
        return [reader.block(cidr, [], f"{path}[{index}]", covers_pods=True) for index, cidr in enumerate(blocks)]
    if key == "nodes":
        return [NodesPeer(reader.selector(content, path))]
    if key == "domainNames":
        names = reader.items(content, path)
        return [DomainsPeer(tuple(reader.text(name, f"{path}[{index}]") for index, name in enumerate(names)))]
    return [_pods_peer(reader, key, content, path)]


def _anp_port(reader: _Reader, item: object, path: str) -> PortRule:
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


def _range(reader: _Reader, spec: Mapping[str, Any], path: str, protocol: str) -> PortRule:
    first = reader.integer(spec.get("start"), f"{path}.start", 1, LAST_PORT)
    last = reader.integer(spec.get("end"), f"{path}.end", 1, LAST_PORT)
    if last < first:
        reader.error(f"{path}.end", f"invalid value {last}: must be greater than start {first}")
        raise _Invalid
    return PortRule(protocol, first, last)


def _cnp_protocol(reader: _Reader, item: object, path: str) -> PortRule:
    key, content = _one_of(reader, item, path, ("tcp", "udp", "sctp", "destinationNamedPort"), "a protocol")
    path = f"{path}.{key}"
    if key == "destinationNamedPort":
        return PortRule("", 0, 0, reader.text(content, path))
    protocol = key.upper()
    spec = reader.mapping(content, path, ("destinationPort",))
    if spec.get("destinationPort") is None:
        return PortRule(protocol)
    key, port = _one_of(reader, spec["destinationPort"], f"{path}.destinationPort", ("number", "range"), "a port")
    path = f"{path}.destinationPort.{key}"
    if key == "number":
        number = reader.integer(port, path, 1, LAST_PORT)
        return PortRule(protocol, number, number)
    return _range(reader, reader.mapping(port, path, ("start", "end")), path, protocol)
