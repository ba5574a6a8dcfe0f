# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is open beyond the pods that exist: to the world, to any pod that may come, to pods with certain labels.

The policies of a pod's direction are read in their order. Each way through them that ends in an allowance is an answer:
the peers on it, without those that an earlier rule denies. Pods that may come have no policies of their own, and ports
of every name. The work is done once for all pods that the same policies select.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..decide.regions import ANYONE, Regions, both, namespaces_of
from ..decide.universe import AddressMap, Universe, bit_indices
from ..model.addresses import WHOLE, Range, format_range, merge, touch, within
from ..model.objects import (
    ADMIN,
    ALLOW,
    BASELINE,
    DENY,
    LAST_PORT,
    NAMESPACE_NAME_LABEL,
    NAMESPACED,
    PROTOCOLS,
    BlockPeer,
    Model,
    NodesPeer,
    Options,
    PodsPeer,
    Policy,
    Rule,
)
from ..model.ports import PortSpace, summary
from ..model.selectors import IN, Requirement, Selector


class Step(NamedTuple):
    """A rule as a pod that may come meets it.

    Attributes:
        tier: the tier of its policy.
        action: Allow, Deny or Pass.
        mask: its ports; at the pod itself named ones have their numbers.
        named: (protocol, name) of the named ports of pods that may come which it is about.
        whole: protocols of which it is about all ports.
        peers: pods that it is about, whatever address they get.
        maybe: whether it may be about others, by an address that they do not have yet.
        ranges: addresses outside that it is about.
    """

    tier: str
    action: str
    mask: int
    named: frozenset[tuple[str, str]]
    whole: frozenset[str]
    peers: tuple[PodsPeer, ...]
    maybe: bool
    ranges: tuple[Range, ...]


class Way(NamedTuple):
    """Pods that are allowed: those of a peer without those of others."""

    peer: PodsPeer
    without: tuple[PodsPeer, ...]


EVERYONE = Way(ANYONE, ())


class Open(NamedTuple):
    """What is open to a pod in one direction.

    Attributes:
        protected: whether any policy isolates it or rules it.
        cluster: ports that are open to every pod that may come.
        ways: ports that are open to some, by who they are.
        names: (protocol, name) of ports that are open by their name.
        spared: of those that are not, though all ports of their protocol may be.
        steps: the rules, in order.
        isolated: whether a NetworkPolicy isolates the pod.
    """

    protected: bool
    cluster: int
    ways: Mapping[Way, int]
    names: Mapping[Way, Sequence[tuple[str, str]]]
    spared: Mapping[Way, Sequence[tuple[str, str]]]
    steps: Sequence[Step]
    isolated: bool


def exposure(model: Model, policies: Sequence[Policy], options: Options) -> tuple[list[dict[str, Any]], bool]:
    """What is open to and from each workload.

    Returns:
        For each workload and direction a mapping with C(workload), C(direction), C(protected) (whether any policy
        isolates it or rules it in this direction), C(outside), C(cluster) (open to every pod of every namespace) and
        C(selected) (open to pods by labels, in existing or new namespaces, without those in C(except)), the last three
        as lists with C(protocol) and C(ports). And whether no answer depends on addresses that pods do not have yet.
    """
    asker = Exposure(model, policies, options)
    result = []
    seen: set[tuple[str, int]] = set()
    for number, members in enumerate(asker.universe.members):
        for pod in members:
            if (pod.workload_name, number) in seen:
                continue
            seen.add((pod.workload_name, number))
            for direction in ("ingress", "egress"):
                found = asker.ask(number, direction)
                result.append({"workload": pod.workload_name, "direction": direction, **found})
    return sorted(result, key=lambda item: (item["workload"], item["direction"] == "egress")), asker.determined


class Exposure:
    """Answers for classes of pods; classes that the same policies select share them."""

    def __init__(self, model: Model, policies: Sequence[Policy], options: Options) -> None:
        self.model = model
        self.options = options
        self.determined = True
        # The policies in the order of their evaluation within their tiers.
        self.policies = sorted(policies, key=lambda policy: policy.order)
        self.universe = Universe(model, [policies], options)
        self.regions = Regions(model)
        self.selecting: dict[str, dict[int, list[int]]] = {"ingress": {}, "egress": {}}
        for number, policy in enumerate(self.policies):
            for direction, found in self.selecting.items():
                if policy.isolates(direction) or policy.rules(direction):
                    for index in bit_indices(self.universe.pods(policy.subject)):
                        found.setdefault(index, []).append(number)
        self.families = sorted({item.family for ranges in self.universe.outside for item in ranges})
        self._answers: dict[object, dict[str, Any]] = {}
        self._ports: dict[object, tuple[int, frozenset[tuple[str, str]], frozenset[str]]] = {}
        self._peers: dict[object, tuple[tuple[PodsPeer, ...], bool, tuple[Range, ...]]] = {}

    def ask(self, number: int, direction: str) -> dict[str, Any]:
        """What is open to a class of pods, as data for people."""
        key = self._key(number, direction)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = self._told_of(self.open(number, direction))
        return answer

    def open(self, number: int, direction: str) -> Open:
        """What is open to a class of pods."""
        selecting = self.selecting[direction].get(number, [])
        _direction, _selecting, named, families = self._key(number, direction)
        members = [self.policies[index] for index in selecting]
        steps = [
            self._step(policy, rule, direction, named, families)
            for policy in members
            for rule in policy.rules(direction)
        ]
        isolated = any(policy.isolates(direction) for policy in members)
        self.determined = self.determined and not any(step.maybe for step in steps)
        ways: dict[Way, int] = {}
        cluster = 0
        for part in _parts(self._full, [step.mask for step in steps]):
            here = [step for step in steps if step.mask & part]
            if not self._some_denied(here, isolated):
                cluster |= part
                continue
            for way in _allowances(here, isolated):
                ways[way] = ways.get(way, 0) | part
        names: dict[Way, list[tuple[str, str]]] = {}
        spared: dict[Way, list[tuple[str, str]]] = {}
        for protocol, name in sorted({pair for step in steps for pair in step.named}):
            here = [step for step in steps if (protocol, name) in step.named or protocol in step.whole]
            open_ = set(_allowances(here, isolated))
            if not self._some_denied(here, isolated):
                open_.add(EVERYONE)
            for way in open_:
                names.setdefault(way, []).append((protocol, name))
            for way in {*ways, EVERYONE} - open_:
                spared.setdefault(way, []).append((protocol, name))
        ways = {way: mask for way, mask in ways.items() if self.regions.exists(way.peer, way.without)}
        names = {way: found for way, found in names.items() if self.regions.exists(way.peer, way.without)}
        return Open(bool(steps) or isolated, cluster, ways, names, spared, steps, isolated)

    def _key(
        self, number: int, direction: str
    ) -> tuple[str, tuple[int, ...], frozenset[tuple[str, str, int]], frozenset[int]]:
        named = self.universe.named_ports[number] if direction == "ingress" else frozenset()
        families = self.universe.class_families[number] & self.model.assumed_families or self.model.assumed_families
        return direction, tuple(self.selecting[direction].get(number, ())), named, families

    def _some_denied(self, steps: Sequence[Step], isolated: bool) -> bool:
        return any(self.regions.exists(way.peer, way.without) for way in _denials(steps, isolated))

    def _told_of(self, found: Open) -> dict[str, Any]:
        space = self.universe.ports
        selected = []
        for way in {**found.ways, **found.names}:
            mask = found.ways.get(way, 0) & ~found.cluster
            names, spared = found.names.get(way, ()), found.spared.get(way, ())
            texts = _with_names(space, mask, found.cluster, names, spared)
            selected += [{**self._told(way), "protocol": protocol, "ports": ports} for protocol, ports in texts]
        everyone = _with_names(space, found.cluster, 0, (), found.spared.get(EVERYONE, ()))
        return {
            "protected": found.protected,
            "outside": list(self._outside(found.steps, found.isolated)),
            "cluster": [{"protocol": protocol, "ports": ports} for protocol, ports in everyone],
            "selected": sorted(selected, key=lambda item: (item["namespaces"], item["pods"], str(item))),
        }

    def _step(
        self,
        policy: Policy,
        rule: Rule,
        direction: str,
        named: frozenset[tuple[str, str, int]],
        families: frozenset[int],
    ) -> Step:
        ports = self._ports.get((rule.ports, named, direction))
        if ports is None:
            ports = self._ports[(rule.ports, named, direction)] = self._port_sets(rule, direction, named)
        key = (rule.peers, families, rule.action == ALLOW)
        peers = self._peers.get(key)
        if peers is None:
            peers = self._peers[key] = self._peer_sets(rule, families)
        return Step(policy.tier, rule.action, *ports, *peers)

    def _port_sets(
        self, rule: Rule, direction: str, named: frozenset[tuple[str, str, int]]
    ) -> tuple[int, frozenset[tuple[str, str]], frozenset[str]]:
        space = self.universe.ports
        if rule.ports is None:
            return space.full, frozenset(), frozenset(PROTOCOLS)
        mask = 0
        names: set[tuple[str, str]] = set()
        whole: set[str] = set()
        for port in rule.ports:
            if not port.name:
                mask |= space.mask(port.protocol, port.first, port.last)
                if (port.first, port.last) == (1, LAST_PORT):
                    whole.add(port.protocol)
            elif direction == "ingress":
                for name, protocol, number in named:
                    if name == port.name and port.protocol in ("", protocol):
                        mask |= space.mask(protocol, number, number)
            else:
                names.update((protocol, port.name) for protocol in ((port.protocol,) if port.protocol else PROTOCOLS))
        return mask, frozenset(names), frozenset(whole)

    def _peer_sets(self, rule: Rule, families: frozenset[int]) -> tuple[tuple[PodsPeer, ...], bool, tuple[Range, ...]]:
        if rule.peers is None:
            return (ANYONE,), False, tuple(_every_address(self.families))
        peers: list[PodsPeer] = []
        ranges: list[Range] = []
        of_pods: list[Range] = []
        for peer in rule.peers:
            if isinstance(peer, PodsPeer):
                peers.append(peer)
            elif isinstance(peer, BlockPeer):
                ranges.extend(peer.ranges)
                if peer.covers_pods or self.options.block_matches_pods:
                    of_pods.extend(peer.ranges)
            elif isinstance(peer, NodesPeer):
                ranges.extend(self.universe.node_ranges(peer))
        possible = [self.model.possible_addresses(family, on_host=False) for family in families]
        sure = [within(item, of_pods) for item in possible]
        # Over one family is enough to be allowed, and for a denial it takes all of them.
        holds = any(sure) if rule.action == ALLOW else all(sure)
        maybe = not holds and any(touch(item, of_pods) for item in possible)
        if holds or (maybe and rule.action == DENY):
            peers = [ANYONE]
        return tuple(peers), maybe, tuple(merge(ranges))

    def _outside(self, steps: Sequence[Step], isolated: bool) -> Iterator[dict[str, str]]:
        blocks = [BlockPeer(step.ranges, "") for step in steps]
        found: dict[int, list[Range]] = {}
        known: dict[int, int] = {}
        for family in self.families:
            for signature, item in AddressMap(family, blocks).ranges():
                if signature not in known:
                    known[signature] = _open(
                        [s for n, s in enumerate(steps) if signature >> n & 1], isolated, self._full
                    )
                if known[signature]:
                    found.setdefault(known[signature], []).append(item)
        for mask, ranges in found.items():
            for item in merge(ranges):
                for protocol, ports in self.universe.ports.texts(mask):
                    yield {"address": format_range(item), "protocol": protocol, "ports": ports}

    @property
    def _full(self) -> int:
        return self.universe.ports.full

    def _told(self, way: Way) -> dict[str, Any]:
        peer = way.peer
        rest = []
        for other in way.without:
            if not self.regions.exists(both(peer, other)):
                continue
            narrowed = _without(peer, other)
            if narrowed is None:
                rest.append(_said(other))
            else:
                peer = narrowed
        told: dict[str, Any] = _said(peer)
        if rest:
            told["except"] = rest
        return told


def _every_address(families: Iterable[int]) -> list[Range]:
    return [WHOLE[family] for family in families]


def _parts(full: int, masks: Iterable[int]) -> list[int]:
    """The ports, divided by every mask."""
    parts = [full]
    for mask in dict.fromkeys(masks):
        divided = [part for whole in parts for part in (whole & mask, whole & ~mask) if part]
        parts = divided
    return parts


def _allowances(steps: Sequence[Step], isolated: bool) -> Iterator[Way]:
    """Ways through the tiers, for one port, that end in an allowance."""
    for leaving in _tier([s for s in steps if s.tier == ADMIN], EVERYONE, ALLOW):
        way, left = leaving
        if not left:
            yield way
        elif isolated:
            for step in steps:
                if step.tier == NAMESPACED:
                    for peer in step.peers:
                        yield Way(both(way.peer, peer), way.without)
        else:
            for inner, _left in _tier([s for s in steps if s.tier == BASELINE], way, ALLOW):
                yield inner


def _denials(steps: Sequence[Step], isolated: bool) -> Iterator[Way]:
    """Ways through the tiers, for one port, that end in a denial."""
    for way, left in _tier([s for s in steps if s.tier == ADMIN], EVERYONE, DENY):
        if not left:
            yield way
        elif isolated:
            allowed = tuple(peer for step in steps if step.tier == NAMESPACED for peer in step.peers)
            yield Way(way.peer, way.without + allowed)
        else:
            for inner, passed in _tier([s for s in steps if s.tier == BASELINE], way, DENY):
                if not passed:
                    yield inner


def _tier(steps: Sequence[Step], start: Way, wanted: str) -> Iterator[tuple[Way, bool]]:
    """Ways through an ordered tier: those that end with an action (false), and those that leave it (true).

    Pods of an earlier rule with the wanted action have it already, so only rules with another one are left out of what
    follows: those that decide otherwise, and for a rule that decides also those that leave the tier before.
    """
    other = DENY if wanted == ALLOW else ALLOW
    against: list[PodsPeer] = []
    passed: list[PodsPeer] = []
    for step in steps:
        for peer in step.peers:
            if step.action == wanted:
                yield Way(both(start.peer, peer), (*start.without, *against, *passed)), False
            elif step.action != other:
                yield Way(both(start.peer, peer), (*start.without, *against)), True
        if step.maybe and wanted == DENY and step.action not in (ALLOW, DENY):
            yield Way(start.peer, (*start.without, *against)), True
        if step.action == other:
            against.extend(step.peers)
        elif step.action != wanted:
            # What may leave the tier, too, is not known to be decided in it.
            passed.extend([ANYONE] if step.maybe and wanted == ALLOW else step.peers)
    yield Way(start.peer, (*start.without, *against)), True


def _open(steps: Sequence[Step], isolated: bool, full: int) -> int:
    """Ports that are open to an address that all these rules are about."""
    allowed, undecided, passed = 0, full, 0
    for step in steps:
        if step.tier == ADMIN:
            matched = undecided & step.mask
            undecided &= ~matched
            allowed |= matched if step.action == ALLOW else 0
            passed |= matched if step.action not in (ALLOW, DENY) else 0
    undecided |= passed
    if isolated:
        for step in steps:
            if step.tier == NAMESPACED:
                allowed |= undecided & step.mask
        return allowed
    for step in steps:
        if step.tier == BASELINE:
            matched = undecided & step.mask
            undecided &= ~matched
            allowed |= matched if step.action == ALLOW else 0
    return allowed | undecided


def _with_names(
    space: PortSpace, mask: int, known: int, names: Sequence[tuple[str, str]], spared: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Ports for people, with those that only have a name, and without those whose name is denied.

    Args:
        space: of the masks.
        mask: the ports.
        known: ports that are told already; a name says nothing where all ports of its protocol are.
        names: (protocol, name) of ports that are open by their name.
        spared: of those that are not.
    """
    found: dict[str, str] = {}
    whole = {p for p in PROTOCOLS if (mask | known) & space.mask(p) == space.mask(p)}
    denied = [(protocol, name) for protocol, name in spared if protocol in whole and mask & space.mask(protocol)]
    texts = list(space.texts(mask))
    if texts == [("all", "all")] and denied:
        texts = [(protocol, "all") for protocol in PROTOCOLS]
    found.update(texts)
    for protocol, name in names:
        if protocol not in whole:
            found[protocol] = f"{found[protocol]},{name}" if protocol in found else name
    for protocol in dict.fromkeys(protocol for protocol, _name in denied):
        found[protocol] += f" except {','.join(name for p, name in denied if p == protocol)}"
    return list(found.items())


def _said(peer: PodsPeer) -> dict[str, str]:
    where = namespaces_of(peer)
    name = [r for r in where.requirements if r.key == NAMESPACE_NAME_LABEL and r.operator == IN]
    if len(where.requirements) == 1 and name and len(name[0].values) == 1:
        return {"namespaces": f"name {name[0].values[0]}", "pods": _text(peer.pods)}
    return {"namespaces": _text(where), "pods": _text(peer.pods)}


def _text(selector: Selector) -> str:
    return str(selector) if selector.requirements else "any"


def _without(peer: PodsPeer, other: PodsPeer) -> PodsPeer | None:
    """A peer without the values that another one lists, None where it takes more to say what is left."""
    where = namespaces_of(other).requirements
    if len(other.pods.requirements) != 1 or (where and where != namespaces_of(peer).requirements):
        return None
    taken = other.pods.requirements[0]
    for requirement in peer.pods.requirements:
        if requirement.key == taken.key and requirement.operator == taken.operator == IN:
            left = tuple(value for value in requirement.values if value not in taken.values)
            narrowed = Requirement(requirement.key, IN, left)
            requirements = tuple(narrowed if r == requirement else r for r in peer.pods.requirements)
            return PodsPeer(peer.namespaces, Selector(requirements), peer.namespace)
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
        for who in dict.fromkeys(_whom(entry) for entry in item["selected"]):
            parts.append(f"{word} {who} on {_ports([e for e in item['selected'] if _whom(e) == who])}")
        guard = "" if item["protected"] else " (no policy)"
        lines.append(f"{item['workload']} {item['direction']}{guard}: {'; '.join(parts) or 'closed'}")
    return lines


def _ports(entries: Sequence[dict[str, Any]]) -> str:
    return summary((entry["protocol"], entry["ports"]) for entry in entries)


def _whom(entry: dict[str, Any]) -> str:
    but = " and ".join(f"({item['pods']}) of ({item['namespaces']})" for item in entry.get("except", ()))
    return f"pods ({entry['pods']}) of namespaces ({entry['namespaces']})" + (f" except {but}" if but else "")
