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

from ..decide.address_map import AddressMap
from ..decide.regions import ANYONE, Regions, both
from ..decide.universe import Universe, bit_indices
from ..model.addresses import WHOLE, Range, format_range, merge, touch, within
from ..model.objects import (
    ALLOW,
    DENY,
    LAST_PORT,
    PROTOCOLS,
    BlockPeer,
    Model,
    NodesPeer,
    Options,
    PodsPeer,
    Policy,
    Rule,
)
from .exposure_text import said, with_names, without
from .ways import EVERYONE, RuleName, Step, Way, allowances, denials, open_ports, parts


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
        rules: which rules open each way, and C(cluster) as C(EVERYONE).
    """

    protected: bool
    cluster: int
    ways: Mapping[Way, int]
    names: Mapping[Way, Sequence[tuple[str, str]]]
    spared: Mapping[Way, Sequence[tuple[str, str]]]
    steps: Sequence[Step]
    isolated: bool
    rules: Mapping[Way, Sequence[RuleName]]


def exposure(model: Model, policies: Sequence[Policy], options: Options) -> tuple[list[dict[str, Any]], bool]:
    """What is open to and from each workload.

    Returns:
        For each workload and direction a mapping with C(workload), C(direction), C(protected) (whether any policy
        isolates it or rules it in this direction), C(outside), C(cluster) (open to every pod of every namespace) and
        C(selected) (open to pods by labels, in existing or new namespaces, without those in C(except)), the last three
        as lists with C(protocol), C(ports) and C(rules) (those that open it, none where no rule does). And whether no
        answer depends on addresses that pods do not have yet.
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
        rules: dict[Way, dict[RuleName, None]] = {}
        cluster = 0
        for part in parts(self._full, [step.mask for step in steps]):
            here = [step for step in steps if step.mask & part]
            if not self._some_denied(here, isolated):
                cluster |= part
                rules.setdefault(EVERYONE, {}).update(self._open_to_everyone(here, isolated))
                continue
            for way, rule in allowances(here, isolated):
                ways[way] = ways.get(way, 0) | part
                rules.setdefault(way, {}).update({} if rule is None else {rule: None})
        names: dict[Way, list[tuple[str, str]]] = {}
        spared: dict[Way, list[tuple[str, str]]] = {}
        for protocol, name in sorted({pair for step in steps for pair in step.named}):
            here = [step for step in steps if (protocol, name) in step.named or protocol in step.whole]
            open_: dict[Way, dict[RuleName, None]] = {}
            for way, rule in allowances(here, isolated):
                open_.setdefault(way, {}).update({} if rule is None else {rule: None})
            if not self._some_denied(here, isolated):
                open_.setdefault(EVERYONE, {})
            for way, by in open_.items():
                names.setdefault(way, []).append((protocol, name))
                rules.setdefault(way, {}).update(by)
            for way in {*ways, EVERYONE} - set(open_):
                spared.setdefault(way, []).append((protocol, name))
        ways = {way: mask for way, mask in ways.items() if self.regions.exists(way.peer, way.without)}
        names = {way: found for way, found in names.items() if self.regions.exists(way.peer, way.without)}
        by_rule = {way: list(by) for way, by in rules.items()}
        return Open(bool(steps) or isolated, cluster, ways, names, spared, steps, isolated, by_rule)

    def _open_to_everyone(self, steps: Sequence[Step], isolated: bool) -> dict[RuleName, None]:
        """The rules that open a port to everyone: those that name everyone, else all that do so together."""
        found: dict[RuleName, None] = {}
        whole: dict[RuleName, None] = {}
        for way, rule in allowances(steps, isolated):
            if rule is not None:
                (whole if way == EVERYONE else found)[rule] = None
        return whole or {
            rule: None
            for way, rule in allowances(steps, isolated)
            if rule in found and self.regions.exists(way.peer, way.without)
        }

    def _key(
        self, number: int, direction: str
    ) -> tuple[str, tuple[int, ...], frozenset[tuple[str, str, int]], frozenset[int]]:
        named = self.universe.named_ports[number] if direction == "ingress" else frozenset()
        selecting = tuple(self.selecting[direction].get(number, ()))
        return direction, selecting, named, self.universe.class_families[number]

    def _some_denied(self, steps: Sequence[Step], isolated: bool) -> bool:
        return any(self.regions.exists(way.peer, way.without) for way in denials(steps, isolated))

    def _told_of(self, found: Open) -> dict[str, Any]:
        space = self.universe.ports
        selected = []
        for way in {**found.ways, **found.names}:
            mask = found.ways.get(way, 0) & ~found.cluster
            names, spared = found.names.get(way, ()), found.spared.get(way, ())
            texts = with_names(space, mask, found.cluster, names, spared)
            by = _rows(found.rules.get(way, ()))
            told = self._told(way)
            selected += [{**told, "protocol": protocol, "ports": ports, "rules": by} for protocol, ports in texts]
        everyone = with_names(space, found.cluster, 0, (), found.spared.get(EVERYONE, ()))
        return {
            "protected": found.protected,
            "outside": list(self._outside(found.steps, found.isolated)),
            "cluster": [
                {"protocol": protocol, "ports": ports, "rules": _rows(found.rules.get(EVERYONE, ()))}
                for protocol, ports in everyone
            ],
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
        if rule.unsure:
            # What it may allow is not said to be open, and what it may deny is not, either.
            peers = ((), True, ()) if rule.action == ALLOW else (peers[0], True, peers[2])
        return Step(
            policy.tier, rule.action, *ports, *peers, RuleName(policy.full_name, direction, rule.index, rule.name)
        )

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
                if peer.matches_pods(self.options):
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

    def _outside(self, steps: Sequence[Step], isolated: bool) -> Iterator[dict[str, Any]]:
        blocks = [BlockPeer(step.ranges, "") for step in steps]
        found: dict[tuple[int, tuple[RuleName, ...]], list[Range]] = {}
        known: dict[int, tuple[int, tuple[RuleName, ...]]] = {}
        for family in self.families:
            for signature, item in AddressMap(family, blocks).ranges():
                if signature not in known:
                    by = open_ports([s for n, s in enumerate(steps) if signature >> n & 1], isolated, self._full)
                    mask = 0
                    for part in by.values():
                        mask |= part
                    known[signature] = mask, tuple(rule for rule in by if rule is not None)
                if known[signature][0]:
                    found.setdefault(known[signature], []).append(item)
        for (mask, rules), ranges in found.items():
            for item in merge(ranges):
                for protocol, ports in self.universe.ports.texts(mask):
                    yield {
                        "address": format_range(item),
                        "protocol": protocol,
                        "ports": ports,
                        "rules": _rows(rules),
                    }

    @property
    def _full(self) -> int:
        return self.universe.ports.full

    def _told(self, way: Way) -> dict[str, Any]:
        peer = way.peer
        rest = []
        for other in way.without:
            if not self.regions.exists(both(peer, other)):
                continue
            narrowed = without(peer, other)
            if narrowed is None:
                rest.append(said(other))
            else:
                peer = narrowed
        told: dict[str, Any] = said(peer)
        if rest:
            told["except"] = rest
        return told


def _rows(rules: Iterable[RuleName]) -> list[dict[str, object]]:
    return [rule.as_dict() for rule in rules]


def _every_address(families: Iterable[int]) -> list[Range]:
    return [WHOLE[family] for family in families]
