# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is open beyond the pods that exist: to the world, to any pod that may come, to pods with certain labels.

For each peer of the policies a pod is imagined for each value that it lists, and for each excluded label one that the
peer does not match;
what all of them may do is open to the whole cluster. Imagined pods have no policies of their own and no named ports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..decide.engine import Engine
from ..decide.universe import Universe, bit_indices
from ..model.addresses import format_range, merge
from ..model.objects import NAMESPACE_NAME_LABEL, Model, Namespace, Options, Pod, PodsPeer, Policy
from ..model.ports import summary
from ..model.selectors import DOES_NOT_EXIST, EXISTS, IN, NOT_IN, Selector

#: Namespaces of imagined pods begin with this; no real name can, for it is no DNS label.
_IMAGINED = "(new)"
#: Imagined pods are bounded: more distinct peers than this share the first ones.
MAX_IMAGINED = 5_000


class _Imagined(NamedTuple):
    """An imagined pod and the peer it stands for (None for a pod without labels in a namespace without labels).

    C(whole) is the peer as the policies have it, of which C(peer) is the part with one value.
    """

    pod: Pod
    peer: PodsPeer | None
    whole: PodsPeer | None = None


def exposure(model: Model, policies: Sequence[Policy], options: Options) -> tuple[list[dict[str, Any]], bool]:
    """What is open to and from each workload.

    Returns:
        For each workload and direction a mapping with C(workload), C(direction), C(protected) (whether any policy
        isolates it or rules it in this direction), C(outside), C(cluster) (open to every pod of every namespace) and
        C(selected) (open to pods by labels, in existing or new namespaces), the last three as lists with C(protocol)
        and C(ports). And whether no answer depends on addresses that pods do not have yet.
    """
    imagined, namespaces = _imagine(model, policies)
    wider = Model(
        namespaces={**model.namespaces, **namespaces},
        pods=[*model.pods, *(item.pod for item in imagined)],
        nodes=model.nodes,
        policies=list(policies),
        pod_ranges=model.pod_ranges,
    )
    universe = Universe(wider, [policies], options)
    engine = Engine(universe, policies)
    class_of = {id(pod): number for number, members in enumerate(universe.members) for pod in members}
    places = [(item, class_of[id(item.pod)]) for item in imagined]
    relevant = {direction: _relevant(engine, policies, direction) for direction in ("ingress", "egress")}
    result = []
    seen: set[tuple[str, int]] = set()
    for pod in model.pods:
        number = class_of.get(id(pod))
        if number is None or (pod.workload_name, number) in seen:
            continue
        seen.add((pod.workload_name, number))
        for direction in ("ingress", "egress"):
            result.append(_one(engine, relevant[direction].get(number, set()), pod, number, direction, places))
    return sorted(result, key=lambda item: (item["workload"], item["direction"] == "egress")), engine.is_determined


def _one(
    engine: Engine,
    relevant: set[object],
    pod: Pod,
    number: int,
    direction: str,
    places: Sequence[tuple[_Imagined, int]],
) -> dict[str, Any]:
    universe = engine.universe

    def mask_of(other: int) -> int:
        if direction == "ingress":
            row = engine.one_way(number, direction)
            return next((mask for mask, sources in row.items() if sources >> other & 1), 0)
        row = engine.one_way(other, direction)
        return next((mask for mask, sources in row.items() if sources >> number & 1), 0)

    cluster = universe.ports.full
    masks: dict[int, int] = {}
    for _item, place in places:
        if place not in masks:
            masks[place] = mask_of(place)
        cluster &= masks[place]
    selected: dict[tuple[str, str], int] = {}
    parts: dict[PodsPeer, list[tuple[PodsPeer, int]]] = {}
    for item, place in places:
        rest = masks[place] & ~cluster
        if item.peer is None:
            if rest:
                selected[("without labels", "without labels")] = rest
        elif item.whole is not None and item.whole in relevant:
            parts.setdefault(item.whole, []).append((item.peer, rest))
    for whole, found in parts.items():
        # Told by value only where an admin policy makes a difference between the values.
        same = len({rest for _peer, rest in found}) == 1
        for peer, rest in [(whole, found[0][1])] if same else found:
            if rest:
                where = f"name {peer.namespace}" if peer.namespaces is None else _said(peer.namespaces)
                key = (where, _said(peer.pods))
                selected[key] = selected.get(key, 0) | rest
    outside: dict[int, list[Any]] = {}
    for index, ranges in enumerate(universe.outside):
        mask = mask_of(universe.pod_classes + index)
        if mask:
            outside.setdefault(mask, []).extend(ranges)
    return {
        "workload": pod.workload_name,
        "direction": direction,
        "protected": bool(relevant) or bool(engine.isolated(direction) >> number & 1),
        "outside": [
            {"address": format_range(item), "protocol": protocol, "ports": ports}
            for mask, ranges in outside.items()
            for item in merge(ranges)
            for protocol, ports in universe.ports.texts(mask)
        ],
        "cluster": [{"protocol": protocol, "ports": ports} for protocol, ports in universe.ports.texts(cluster)],
        "selected": [
            {"namespaces": where, "pods": who, "protocol": protocol, "ports": ports}
            for (where, who), mask in sorted(selected.items())
            for protocol, ports in universe.ports.texts(mask)
        ],
    }


def _said(selector: Selector) -> str:
    return str(selector) if selector.requirements else "any"


def _relevant(engine: Engine, policies: Sequence[Policy], direction: str) -> dict[int, set[object]]:
    """For each pod class, the peers of the rules that rule it in this direction."""
    found: dict[int, set[object]] = {}
    for policy in policies:
        peers = {peer for rule in policy.rules(direction) for peer in rule.peers or (None,)}
        if peers:
            for number in bit_indices(engine.universe.pods(policy.subject)):
                found.setdefault(number, set()).update(peers)
    return found


def _imagine(model: Model, policies: Sequence[Policy]) -> tuple[list[_Imagined], dict[str, Namespace]]:
    peers: dict[PodsPeer, None] = {}
    excluded: dict[PodsPeer, None] = {}
    for policy in policies:
        for rule in policy.ingress + policy.egress:
            for peer in rule.peers or ():
                if isinstance(peer, PodsPeer) and len(peers) < MAX_IMAGINED:
                    peers[peer] = None
                    for other in _opposites(peer):
                        excluded[other] = None
    namespaces: dict[str, Namespace] = {}
    found = [_Imagined(_stranger(namespaces), None)]
    parts = [(part, peer) for peer in dict.fromkeys([*peers, *excluded]) for part in _parts(peer)]
    for index, (part, peer) in enumerate(parts):
        pod = _matching(model, part, f"{_IMAGINED}-{index}", namespaces)
        if pod is not None:
            found.append(_Imagined(pod, part, peer))
    return found, namespaces


def _parts(peer: PodsPeer) -> list[PodsPeer]:
    """The peer with one value of each list at a time, so that a policy about one of them does not count for all."""
    found = []
    for requirement in peer.pods.requirements:
        if requirement.operator == IN and len(requirement.values) > 1:
            for value in requirement.values:
                one = replace(requirement, values=(value,))
                narrowed = tuple(one if known == requirement else known for known in peer.pods.requirements)
                found.append(replace(peer, pods=Selector(narrowed)))
    requirements = peer.namespaces.requirements if peer.namespaces else ()
    for requirement in requirements:
        if requirement.operator == IN and len(requirement.values) > 1:
            for value in requirement.values:
                one = replace(requirement, values=(value,))
                narrowed = tuple(one if known == requirement else known for known in requirements)
                found.append(replace(peer, namespaces=Selector(narrowed)))
    return found or [peer]


def _stranger(namespaces: dict[str, Namespace]) -> Pod:
    namespaces[_IMAGINED] = Namespace(_IMAGINED, {NAMESPACE_NAME_LABEL: _IMAGINED})
    return Pod(_IMAGINED, "stranger", {}, replicas=2)


def _opposites(peer: PodsPeer) -> list[PodsPeer]:
    """Peers that violate one negative requirement each, so that C(!legacy) does not count as everyone."""
    found = []
    for requirement in peer.pods.requirements:
        if requirement.operator in (NOT_IN, DOES_NOT_EXIST):
            value = requirement.values[:1] or ("x",)
            turned = replace(requirement, operator=IN, values=value)
            found.append(replace(peer, pods=Selector((turned,))))
    for requirement in peer.namespaces.requirements if peer.namespaces else ():
        if requirement.operator in (NOT_IN, DOES_NOT_EXIST):
            turned = replace(requirement, operator=IN, values=requirement.values[:1] or ("x",))
            found.append(replace(peer, namespaces=Selector((turned,))))
    return found


def _matching(model: Model, peer: PodsPeer, name: str, namespaces: dict[str, Namespace]) -> Pod | None:
    """A pod that a peer selects, in a namespace of its own unless the peer names one."""
    labels = _labels(peer.pods)
    if labels is None:
        return None
    if peer.namespaces is None:
        return Pod(peer.namespace, name, labels, replicas=2)
    where = _labels(peer.namespaces)
    if where is None:
        return None
    namespace = where.get(NAMESPACE_NAME_LABEL, name)
    if namespace in model.namespaces:
        if not peer.namespaces.matches(model.namespaces[namespace].labels):
            return None
    else:
        merged = {**namespaces[namespace].labels, **where} if namespace in namespaces else where
        namespaces[namespace] = Namespace(namespace, {**merged, NAMESPACE_NAME_LABEL: namespace})
    return Pod(namespace, name, labels, replicas=2)


def _labels(selector: Selector) -> dict[str, str] | None:
    """Labels that a selector matches, None where none do."""
    labels: dict[str, str] = {}
    for requirement in selector.requirements:
        if requirement.operator == IN:
            labels[requirement.key] = requirement.values[0]
        elif requirement.operator == EXISTS:
            labels.setdefault(requirement.key, "x")
    if selector.matches(labels):
        return labels
    for requirement in selector.requirements:
        for value in requirement.values if requirement.operator == IN else ():
            candidate = {**labels, requirement.key: value}
            if selector.matches(candidate):
                return candidate
    return None


def sentences(items: Sequence[dict[str, Any]]) -> list[str]:
    """The same for people, one line for each workload and direction that is open to anything new or outside."""
    lines = []
    for item in items:
        word = "from" if item["direction"] == "ingress" else "to"
        parts = []
        if item["cluster"]:
            parts.append(f"{word} every pod of every namespace on {_ports(item['cluster'])}")
        for address in dict.fromkeys(entry["address"] for entry in item["outside"]):
            ports = [entry for entry in item["outside"] if entry["address"] == address]
            parts.append(f"{word} {address} on {_ports(ports)}")
        for where, who in dict.fromkeys((entry["namespaces"], entry["pods"]) for entry in item["selected"]):
            ports = [e for e in item["selected"] if (e["namespaces"], e["pods"]) == (where, who)]
            parts.append(f"{word} pods ({who}) of namespaces ({where}) on {_ports(ports)}")
        guard = "" if item["protected"] else " (no policy)"
        lines.append(f"{item['workload']} {item['direction']}{guard}: {'; '.join(parts) or 'closed'}")
    return lines


def _ports(entries: Sequence[dict[str, Any]]) -> str:
    return summary((entry["protocol"], entry["ports"]) for entry in entries)
