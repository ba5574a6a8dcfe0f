# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's NetworkPolicy and GlobalNetworkPolicy: what those of the default tier say about addresses and ports.

Their rules are ordered, the first that matches decides, and what none matches is denied once a policy of the tier
selects the pod. NetworkPolicies of Kubernetes stand in that tier at order 1000: policies before it are read as they
are, of those behind it what denies is not certain where there are NetworkPolicies. C(Pass) leaves the last tier for the
profile of the namespace, which allows. Other tiers are left out by name.

Source: https://docs.tigera.io/calico/latest/reference/resources/networkpolicy
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Any

from ..model.addresses import WHOLE, Range, parse_cidr, subtract
from ..model.objects import (
    ADMIN,
    ALLOW,
    BASELINE,
    DENY,
    LAST_PORT,
    NAMESPACE_NAME_LABEL,
    NAMESPACED,
    PASS,
    PROTOCOLS,
    BlockPeer,
    Model,
    Origin,
    PodsPeer,
    Policy,
    PortRule,
    Rule,
)
from ..model.selectors import EXISTS, IN, NOT_IN, Requirement, make_selector
from .calico_selector import Alternatives, SelectorError, UnknownSelectorError, alternatives, meet, opposite
from .reader import InvalidPartError, Reader, Report

CALICO_GROUPS = ("projectcalico.org", "crd.projectcalico.org")
#: Kinds by the names under which they are kept.
CALICO_KINDS = {"NetworkPolicy.projectcalico.org": "NetworkPolicy", "GlobalNetworkPolicy": "GlobalNetworkPolicy"}
#: Behind AdminNetworkPolicies, whose priorities end at 1000; in thousandths, since an order may be a fraction.
_FIRST = 2000
_STEP = 1000
#: Where Calico puts NetworkPolicies of Kubernetes.
_OF_KUBERNETES = _FIRST + 1000 * _STEP
_NO_ORDER = 1 << 60
_BOTH_SIDES = ("serviceAccounts", "services")
_NUMBERS = {6: "TCP", 17: "UDP", 132: "SCTP"}


def is_calico(version: object) -> bool:
    """Whether an C(apiVersion) is that of Calico's policies."""
    return isinstance(version, str) and version.rpartition("/")[0] in CALICO_GROUPS


def parse_calico(manifest: Mapping[str, Any], origin: Origin, report: Report) -> list[Policy]:
    """The policies that a manifest means: its rules, and the isolation of the pods that it selects.

    Args:
        manifest: the object.
        origin: where it was written.
        report: called for every problem with path, message, hint and cause.

    Returns:
        The policies; none when the object cannot be used, of which every problem is then reported.

    Raises:
        UnknownSelectorError: it is of another tier, or which pods it is about is not told by labels.
    """
    reader = Reader(report)
    metadata = reader.mapping(manifest.get("metadata"), "metadata", None)
    name = str(metadata.get("name") or metadata.get("generateName"))
    is_global = manifest["kind"] == "GlobalNetworkPolicy"
    namespace = "" if is_global else str(metadata.get("namespace") or "default")
    try:
        spec = reader.mapping(manifest.get("spec") or {}, "spec", None)
        found = list(_Object(reader, f"Calico{manifest['kind']}", namespace, name, origin).policies(spec))
    except InvalidPartError:
        return []
    return [] if reader.failed else found


@dataclass
class _Object:
    reader: Reader
    kind: str
    namespace: str
    name: str
    origin: Origin

    def policies(self, spec: Mapping[str, Any]) -> Iterator[Policy]:
        if spec.get("tier") not in (None, "", "default"):
            raise UnknownSelectorError(f"tier {spec['tier']}")
        if spec.get("serviceAccountSelector"):
            raise UnknownSelectorError("serviceAccountSelector")
        if spec.get("preDNAT") or spec.get("doNotTrack"):
            return  # about host endpoints alone
        priority = self._priority(spec.get("order"))
        subjects = self._pods(spec.get("selector"), None, spec.get("namespaceSelector"), "spec")
        rules = {
            direction: tuple(
                rule
                for index, item in enumerate(self.reader.items(spec.get(direction), f"spec.{direction}"))
                for rule in self._rules(item, f"spec.{direction}[{index}]", direction, index)
            )
            for direction in ("ingress", "egress")
        }
        types = self.reader.each(spec.get("types"), "spec.types", self.reader.text)
        ingress = "Ingress" in types if types else bool(spec.get("ingress")) or not spec.get("egress")
        egress = "Egress" in types if types else bool(spec.get("egress"))
        for subject in subjects:
            policy = Policy(
                kind=self.kind,
                namespace=self.namespace,
                name=self.name,
                tier=ADMIN,
                priority=priority,
                subject=subject,
                ingress=rules["ingress"] if ingress else (),
                egress=rules["egress"] if egress else (),
                origin=self.origin,
            )
            yield policy
            yield replace(
                policy,
                tier=NAMESPACED,
                priority=0,
                isolates_ingress=ingress,
                isolates_egress=egress,
                ingress=(),
                egress=(),
            )

    def _priority(self, order: object) -> int:
        if order is None:
            return _NO_ORDER
        try:
            number = float(str(order))
        except ValueError:
            number = inf
        if not isfinite(number):
            self.reader.error("spec.order", f"invalid value {order!r}: must be a number")
            raise InvalidPartError
        return _FIRST + int(number * _STEP)

    # Rules

    def _rules(self, value: object, path: str, direction: str, index: int) -> Iterator[Rule]:
        spec = self.reader.mapping(value, path, None)
        action = self.reader.text(spec.get("action"), f"{path}.action").capitalize()
        if action not in ("Allow", "Deny", "Pass", "Log"):
            self.reader.error(f"{path}.action", f"unsupported value {spec['action']!r}: Allow, Deny, Pass or Log")
            raise InvalidPartError
        if action == "Log":
            return
        theirs, mine = ("source", "destination") if direction == "ingress" else ("destination", "source")
        sides = {side: self.reader.mapping(spec.get(side) or {}, f"{path}.{side}", None) for side in (theirs, mine)}
        unsure = [field for field in ("http", "ipVersion") if spec.get(field) is not None]
        unsure += [f"source.{field}" for field in ("ports", "notPorts") if sides["source"].get(field)]
        unsure += [f"{theirs}.{field}" for field in _BOTH_SIDES if sides[theirs].get(field)]
        unsure += [f"{mine}.{field}" for field in sides[mine] if field not in ("ports", "notPorts")]
        ports = self._ports(spec, sides["destination"], path, unsure)
        if ports == ():
            return
        peers: list[object] | None = None
        try:
            peers = self._peers(sides[theirs], f"{path}.{theirs}", unsure)
        except UnknownSelectorError as error:
            unsure.append(f"{theirs} by {error}")
        yield Rule(
            index,
            DENY if action == "Deny" else ALLOW,
            None if peers is None else tuple(peers),
            ports,
            action if action == "Pass" else "",
            " and ".join(dict.fromkeys(unsure)),
        )

    def _peers(self, side: Mapping[str, Any], path: str, unsure: list[str]) -> list[object] | None:
        pods, without, namespaces = (side.get(field) for field in ("selector", "notSelector", "namespaceSelector"))
        blocks = self._blocks(side, path)
        if not (pods or without or namespaces):
            return None if blocks is None else [blocks]
        if blocks is not None:
            unsure.append(f"{path.rpartition('.')[2]} by labels and nets together")
        return list(self._pods(pods, without, namespaces, path))

    def _blocks(self, side: Mapping[str, Any], path: str) -> BlockPeer | None:
        nets, holes = (self.reader.items(side.get(field), f"{path}.{field}") for field in ("nets", "notNets"))
        if not nets and not holes:
            return None
        inside = [self._net(net, f"{path}.nets[{number}]") for number, net in enumerate(nets)] or list(WHOLE.values())
        outside = [self._net(net, f"{path}.notNets[{number}]") for number, net in enumerate(holes)]
        ranges = tuple(part for item in inside for part in subtract(item, outside))
        text = ", ".join(str(net) for net in nets) or "everything"
        return BlockPeer(ranges, text + (f" except {', '.join(str(net) for net in holes)}" if holes else ""), True)

    def _net(self, value: object, path: str) -> Range:
        text = self.reader.text(value, path)
        found = parse_cidr(text if "/" in text else f"{text}/{128 if ':' in text else 32}")
        if found is None:
            self.reader.error(path, f"invalid value {text!r}: not a CIDR block")
            raise InvalidPartError
        return found

    def _ports(
        self, spec: Mapping[str, Any], side: Mapping[str, Any], path: str, unsure: list[str]
    ) -> tuple[PortRule, ...] | None:
        """The ports, None for all, none where it is about other protocols alone."""
        protocols = list(PROTOCOLS)
        if spec.get("protocol") is not None:
            protocols = [one for one in PROTOCOLS if one == _protocol(spec["protocol"])]
        if spec.get("notProtocol") is not None:
            protocols = [one for one in protocols if one != _protocol(spec["notProtocol"])]
        if not protocols or spec.get("icmp") is not None:
            return ()
        if not side.get("ports") and not side.get("notPorts"):
            return None if len(protocols) == len(PROTOCOLS) else tuple(PortRule(one) for one in protocols)
        where = f"{path}.destination"
        if side.get("ports"):
            listed = self.reader.items(side["ports"], f"{where}.ports")
            return tuple(
                replace_protocol(self._port(item, f"{where}.ports[{number}]"), one)
                for one in protocols
                for number, item in enumerate(listed)
            )
        listed = self.reader.items(side["notPorts"], f"{where}.notPorts")
        without = [self._port(item, f"{where}.notPorts[{number}]") for number, item in enumerate(listed)]
        unsure += ["destination.notPorts by name"] if any(port.name for port in without) else []
        closed = sorted((port.first, port.last) for port in without if not port.name)
        found: list[tuple[int, int]] = []
        first = 1
        for low, high in closed:
            if low > first:
                found.append((first, low - 1))
            first = max(first, high + 1)
        if first <= LAST_PORT:
            found.append((first, LAST_PORT))
        return tuple(PortRule(one, low, high) for one in protocols for low, high in found)

    def _port(self, value: object, path: str) -> PortRule:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else self.reader.text(value, path)
        low, colon, high = text.partition(":")
        if not low.isdecimal():
            return PortRule("", 0, 0, text)
        first = self.reader.digits(low, path, 1, LAST_PORT)
        if colon and not high.isdecimal():
            self.reader.error(path, f"invalid value {text!r}: a range is written as 8000:8100")
            raise InvalidPartError
        return PortRule("", first, self.reader.digits(high, path, first, LAST_PORT) if colon else first)

    # Selectors

    def _pods(self, selector: object, without: object, namespaces: object, path: str) -> list[PodsPeer]:
        pods = self._selected(selector, alternatives, f"{path}.selector")
        if without:
            pods = meet(pods, self._selected(without, opposite, f"{path}.notSelector"))
        where: Alternatives = [()]
        if namespaces:
            where = self._selected(namespaces, alternatives, f"{path}.namespaceSelector")
        if not namespaces and self.namespace:
            where = [(Requirement(NAMESPACE_NAME_LABEL, IN, (self.namespace,)),)]
        found = []
        for both in where:
            of_namespaces = [replace(r, key=_namespace_key(r.key)) for r in both]
            for one in pods:
                split = _split(one)
                if split is not None:
                    selected = make_selector(tuple(of_namespaces + split[1]))
                    found.append(PodsPeer(selected, make_selector(tuple(split[0]))))
        return found

    def _selected(self, value: object, read: Any, path: str) -> Alternatives:
        if not value:
            return [()]
        try:
            found: Alternatives = read(self.reader.text(value, path))
        except SelectorError as error:
            self.reader.error(path, f"invalid selector {value!r}: {error}")
            raise InvalidPartError from None
        return found


def replace_protocol(port: PortRule, protocol: str) -> PortRule:
    """The same port of a protocol."""
    return port._replace(protocol=protocol)


def _protocol(value: object) -> str:
    if isinstance(value, int):
        return _NUMBERS.get(value, "")
    return str(value).upper()


def _namespace_key(key: str) -> str:
    return NAMESPACE_NAME_LABEL if key == "projectcalico.org/name" else key


def _split(requirements: Sequence[Requirement]) -> tuple[list[Requirement], list[Requirement]] | None:
    """Requirements on pods and on their namespaces, None where no pod can meet them."""
    pods: list[Requirement] = []
    namespaces: list[Requirement] = []
    for item in requirements:
        if item.key == "projectcalico.org/namespace":
            namespaces.append(replace(item, key=NAMESPACE_NAME_LABEL))
        elif item.key.startswith("pcns."):
            namespaces.append(replace(item, key=item.key[len("pcns.") :]))
        elif item.key == "projectcalico.org/orchestrator":
            is_met = {IN: "k8s" in item.values, NOT_IN: "k8s" not in item.values}.get(
                item.operator, item.operator == EXISTS
            )
            if not is_met:
                return None
        elif item.key == "projectcalico.org/serviceaccount" or item.key.startswith("pcsa."):
            raise UnknownSelectorError(item.key)
        else:
            pods.append(item)
    return pods, namespaces


def with_order(policies: Sequence[Policy], model: Model) -> list[Policy]:
    """The policies, with what is not certain because of policies of other kinds that stand between them."""
    kinds = {policy.kind for policy in policies}
    passes = any(
        rule.action == PASS
        for policy in policies
        if policy.tier == ADMIN and policy.kind not in _OURS
        for rule in (*policy.ingress, *policy.egress)
    )
    has_baseline = any(policy.tier == BASELINE for policy in model.policies)

    def judged(policy: Policy, rule: Rule) -> Rule:
        why = [rule.unsure] if rule.unsure else []
        if "NetworkPolicy" in kinds and policy.priority > _OF_KUBERNETES and rule.action == DENY:
            why.append("an order behind that of NetworkPolicies")
        if passes:
            why.append("an order behind AdminNetworkPolicies that pass")
        if has_baseline and rule.name == "Pass":
            why.append("Pass to the baseline tier")
        return rule if why == [rule.unsure] or not why else replace(rule, unsure=" and ".join(why))

    ours = {(one.full_name, one.subject): one for one in policies if one.kind in _OURS and one.tier == ADMIN}

    def ordered(policy: Policy) -> Policy:
        if policy.kind not in _OURS:
            return policy
        if policy.tier == ADMIN:
            ingress, egress = (tuple(judged(policy, one) for one in rules) for rules in (policy.ingress, policy.egress))
        else:
            # What passes leaves the tier of the model, and meets these policies all the same.
            twin = ours[(policy.full_name, policy.subject)]
            ingress, egress = (
                tuple(judged(twin, one) for one in rules if passes and one.action == ALLOW)
                for rules in (twin.ingress, twin.egress)
            )
        return replace(policy, ingress=ingress, egress=egress)

    return [ordered(policy) for policy in policies]


_OURS = ("CalicoNetworkPolicy", "CalicoGlobalNetworkPolicy")
