# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who can reach whom: the fast evaluation, one row for each set of destinations that no policy tells apart.

A row maps ports to the set of sources that may use exactly these ports. Both directions of a connection are evaluated
in the same way, as an ordered list of rules over sets of sources: for ingress the rules of the policies that select
the destination, for egress the rules whose peers hold the destination, with their policies' subjects as sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ..model.objects import (
    NAMESPACED,
    BlockPeer,
    NodesPeer,
    PodsPeer,
    Policy,
    PortRule,
    Rule,
)
from .rows import Row, add_union, gather, intersect, spread, width
from .tiers import Term, in_order
from .universe import HiddenPart, Universe, bit_indices


class RowGroup(NamedTuple):
    """Destination classes that share a row.

    Attributes:
        destinations: indices of the classes.
        row: their row.
    """

    destinations: list[int]
    row: Row


class Dropped(NamedTuple):
    """Policies and rules that are taken for not there, by their identity."""

    policies: frozenset[int] = frozenset()
    rules: frozenset[int] = frozenset()

    def also(self, policy: Policy, rule: Rule | None = None) -> Dropped:
        """These and one more policy, or one more of its rules."""
        if rule is None:
            return Dropped(self.policies | {id(policy)}, self.rules)
        return Dropped(self.policies, self.rules | {id(rule)})


class _Compiled(NamedTuple):
    """A rule with its sets. C(named) lists its named ports, C(mask) holds the others.

    C(sure) is false where it asks more than is known. C(at) tells, for peers whose addresses are not known, at which
    places the rule is about them and where they may be; it is empty for the other peers.
    """

    policy: Policy
    rule: Rule
    subject: int
    peers: int
    mask: int
    named: tuple[PortRule, ...]
    sure: bool = True
    at: tuple[int, int] = (0, 0)

    def is_in(self, dropped: Dropped) -> bool:
        return id(self.policy) in dropped.policies or id(self.rule) in dropped.rules


class Engine:
    """Evaluates one set of policies over a universe.

    Args:
        universe: must have been made with these policies among its policy sets.
        policies: the policies that are in force.
        possible: whether to give what is allowed for some of the addresses that pods without a known one may have; else
            what is allowed for all of them.
    """

    def __init__(self, universe: Universe, policies: Sequence[Policy], possible: bool = False) -> None:
        self.universe = universe
        self.policies = list(policies)
        self.possible = possible
        self._one_way: dict[tuple[object, str], Row] = {}
        self._families = [_Family(universe, self.policies, family, possible) for family in universe.families]

    def row(self, destination: int) -> Row:
        """The row of one class: what each source may send to its pods or addresses."""
        if len(self._families) == 1:
            return self._families[0].row(destination)
        total: Row = {}
        for family in self._families:
            for mask, sources in family.row(destination).items():
                add_union(total, mask, sources)
        return total

    def rows(self) -> Iterator[RowGroup]:
        """All rows; every class occurs in exactly one group."""
        groups: dict[tuple[object, ...], list[int]] = {}
        for destination in range(self.universe.size):
            signature = tuple(family.signature(destination) for family in self._families)
            groups.setdefault(signature, []).append(destination)
        for destinations in groups.values():
            yield RowGroup(destinations, self.row(destinations[0]))

    def one_way(self, destination: int, direction: str) -> Row:
        """What one direction alone permits towards a class: its ingress policies, or its sources' egress policies."""
        key = (self.signature(destination), direction)
        total = self._one_way.get(key)
        if total is None:
            total = self._one_way[key] = {}
            for family in self._families:
                for mask, sources in family.one_way(destination)[direction == "egress"].items():
                    add_union(total, mask, sources)
        return total

    def row_without(self, destination: int, dropped: Dropped, among: int) -> Row:
        """What some sources may send to a class if some policies and rules were not there."""
        total: Row = {}
        for family in self._families:
            for mask, sources in family.row_without(destination, dropped, among).items():
                add_union(total, mask, sources)
        return total

    @property
    def is_determined(self) -> bool:
        """Whether no answer depends on an address that is not known."""
        return all(family.is_determined for family in self._families)

    def signature(self, destination: int) -> tuple[object, ...]:
        """Equal for destinations that have the same row."""
        return tuple(family.signature(destination) for family in self._families)

    def isolated(self, direction: str) -> int:
        """Pod classes that some NetworkPolicy isolates in a direction."""
        return self._families[0].isolated(direction)


class _Family:
    """The evaluation with pods at their addresses of one family (0 when addresses do not matter)."""

    def __init__(self, universe: Universe, policies: Sequence[Policy], family: int, possible: bool) -> None:
        self._universe = universe
        self._family = family
        self._possible = possible
        self.is_determined = True
        self._set_ids: dict[int, int] = {}
        self._sets: list[int] = []
        # By set id: what applies to a destination in that set.
        self._selecting: dict[int, list[int]] = {}
        self._reached: dict[int, list[int]] = {}
        self._policies = sorted(policies, key=lambda policy: policy.order)
        self._ingress: list[list[_Compiled]] = []
        self._egress: list[_Compiled] = []
        # Policies that isolate for egress, with the classes that they select.
        self._isolating: list[tuple[Policy, int]] = []
        self._egress_isolated = 0
        self._ingress_isolated = 0
        self._masks: dict[tuple[PortRule, ...] | None, tuple[int, tuple[PortRule, ...]]] = {}
        self._peers: dict[tuple[object, ...] | None, tuple[int, list[HiddenPart]]] = {}
        for number, policy in enumerate(self._policies):
            self._compile(number, policy)
        self._hits = self._find_hits()
        self._rows: dict[object, Row] = {}
        self._directions: dict[tuple[bool, tuple[int, ...], object, int], Row] = {}
        # By identity of a direction's row, which lives as long as this object.
        self._spread: dict[int, dict[int, int]] = {}

    def isolated(self, direction: str) -> int:
        return self._ingress_isolated if direction == "ingress" else self._egress_isolated

    # Preparation

    def _compile(self, number: int, policy: Policy) -> None:
        subject = self._universe.pods(policy.subject)
        self._ingress.append([])
        if not subject:
            return
        if policy.isolates_ingress or policy.ingress:
            self._ingress[number] = [
                compiled for rule in policy.ingress for compiled in self._compile_rule(policy, rule, subject)
            ]
            self._selecting.setdefault(self._set_id(subject), []).append(number)
        if policy.isolates_ingress:
            self._ingress_isolated |= subject
        if policy.isolates_egress:
            self._egress_isolated |= subject
            self._isolating.append((policy, subject))
        for rule in policy.egress:
            for compiled in self._compile_rule(policy, rule, subject):
                if compiled.peers:
                    self._reached.setdefault(self._set_id(compiled.peers), []).append(len(self._egress))
                    self._egress.append(compiled)

    def _compile_rule(self, policy: Policy, rule: Rule, subject: int) -> list[_Compiled]:
        """The rule, in two parts where it is not known of some peers whether it matches them."""
        peers = self._peers.get(rule.peers)
        if peers is None:
            peers = self._peers[rule.peers] = self._peer_set(rule.peers)
        ports = self._masks.get(rule.ports)
        if ports is None:
            mask, named = 0, []
            if rule.ports is None:
                mask = self._universe.ports.full
            for port in rule.ports or ():
                if port.name:
                    named.append(port)
                else:
                    mask |= self._universe.ports.mask(port.protocol, port.first, port.last)
            ports = self._masks[rule.ports] = (mask, tuple(named))
        bits, parts = peers
        sure = not rule.unsure
        if not sure or parts:
            self.is_determined = False
        if not sure and policy.tier == NAMESPACED:
            if not self._possible:
                # Rules that only allow: what one may match is no part of what is certain, but of what is possible.
                bits, parts = 0, []
            sure = True
        found = [_Compiled(policy, rule, subject, bits, *ports, sure)]
        for part in parts:
            found.append(_Compiled(policy, rule, subject, part.classes, *ports, sure, (part.inside, part.reach)))
        return found

    def _peer_set(self, peers: tuple[object, ...] | None) -> tuple[int, list[HiddenPart]]:
        """Classes that a rule's peers hold, and those without a known address that they hold at some places."""
        if peers is None:
            return self._universe.everyone, []
        bits = 0
        for peer in peers:
            if isinstance(peer, PodsPeer):
                bits |= self._universe.pods(peer)
            elif isinstance(peer, BlockPeer):
                bits |= self._universe.block(peer, self._family)
            elif isinstance(peer, NodesPeer):
                bits |= self._universe.nodes(peer, self._family)
        bits |= self._universe.hidden(peers, self._family)[0]
        found = []
        for part in self._universe.hidden_parts(peers, self._family):
            if part.inside and part.classes & ~bits:
                found.append(part._replace(classes=part.classes & ~bits))
        return bits, found

    def _set_id(self, bits: int) -> int:
        found = self._set_ids.get(bits)
        if found is None:
            found = self._set_ids[bits] = len(self._sets)
            self._sets.append(bits)
        return found

    def _find_hits(self) -> list[tuple[int, ...]]:
        """For each class, the ids of the sets that hold it. Sets that hold everyone are left out and always apply."""
        universe = self._universe
        hits: list[list[int]] = [[] for _class in range(universe.size)]
        self._always: list[int] = []
        for number, bits in enumerate(self._sets):
            if bits == universe.everyone:
                self._always.append(number)
                continue
            for index in bit_indices(bits):
                hits[index].append(number)
        return [tuple(found) for found in hits]

    # Evaluation

    def signature(self, destination: int) -> object:
        universe = self._universe
        if destination >= universe.pod_classes:
            return (self._hits[destination], None, None)
        return (self._hits[destination], universe.named_ports[destination], universe.class_families[destination])

    def row(self, destination: int) -> Row:
        signature = self.signature(destination)
        row = self._rows.get(signature)
        if row is None:
            row = self._rows[signature] = self._evaluate(destination)
        return row

    def _evaluate(self, destination: int) -> Row:
        ingress, egress = self.one_way(destination)
        pairs = len(ingress) * len(egress)
        if pairs > 64:
            # Where few sources are left on one side, looking each of them up beats comparing all sets.
            few, many = sorted((ingress, egress), key=width)
            if width(few) < pairs:
                found = self._spread.get(id(many))
                if found is None:
                    found = self._spread[id(many)] = spread(many)
                return gather({source: mask & found.get(source, 0) for source, mask in spread(few).items()})
        return intersect(ingress, egress)

    def one_way(self, destination: int) -> tuple[Row, Row]:
        """Ingress and egress rows of a destination."""
        universe = self._universe
        outside = destination >= universe.pod_classes
        sources = universe.partners(destination, self._family)
        if not sources:
            return {}, {}
        resolve = self._resolver(destination)
        sets = [*self._hits[destination], *self._always]
        # Destinations with the same rules share each direction's row, whatever differs in the other direction.
        named = None if outside else universe.named_ports[destination]
        selecting: list[int] = []
        if not outside:
            selecting = sorted(number for found in sets for number in self._selecting.get(found, ()))
        key = (True, tuple(selecting), named, sources)
        ingress = self._directions.get(key)
        if ingress is None:
            ingress = self._ingress_row(selecting, sources, resolve) if selecting else {universe.ports.full: sources}
            self._directions[key] = ingress
        rules = sorted(number for found in sets for number in self._reached.get(found, ()))
        key = (False, tuple(rules), named, sources)
        egress = self._directions.get(key)
        if egress is None:
            isolated = self._egress_isolated
            egress = self._directions[key] = self._egress_row(rules, sources, resolve, isolated)
        return ingress, egress

    def row_without(self, destination: int, dropped: Dropped, among: int) -> Row:
        universe = self._universe
        sources = universe.partners(destination, self._family) & among
        if not sources:
            return {}
        resolve = self._resolver(destination)
        sets = [*self._hits[destination], *self._always]
        selecting = []
        if destination < universe.pod_classes:
            selecting = sorted(
                number
                for found in sets
                for number in self._selecting.get(found, ())
                if id(self._policies[number]) not in dropped.policies
            )
        row = self._ingress_row(selecting, sources, resolve, dropped) if selecting else {universe.ports.full: sources}
        rules = sorted(
            number
            for found in sets
            for number in self._reached.get(found, ())
            if self._egress[number].subject & sources and not self._egress[number].is_in(dropped)
        )
        isolated = 0
        for policy, subject in self._isolating:
            if id(policy) not in dropped.policies:
                isolated |= subject
        return intersect(row, self._egress_row(rules, sources, resolve, isolated))

    def _resolver(self, destination: int) -> Callable[[_Compiled], int]:
        """The port mask of a rule at a destination, where named ports get their numbers."""
        universe = self._universe
        named = universe.named_ports[destination] if destination < universe.pod_classes else frozenset()

        def resolve(compiled: _Compiled) -> int:
            mask = compiled.mask
            for port in compiled.named:
                for name, protocol, number in named:
                    if name == port.name and port.protocol in ("", protocol):
                        mask |= universe.ports.mask(protocol, number, number)
            return mask

        return resolve

    def _ingress_row(
        self,
        selecting: list[int],
        sources: int,
        resolve: Callable[[_Compiled], int],
        dropped: Dropped | None = None,
    ) -> Row:
        tiers: dict[str, list[Term]] = {}
        isolated = 0
        for number in selecting:
            policy = self._policies[number]
            if policy.isolates_ingress:
                isolated = sources
            for compiled in self._ingress[number]:
                mask = 0 if dropped and compiled.is_in(dropped) else resolve(compiled)
                if mask:
                    tiers.setdefault(policy.tier, []).append(
                        Term(compiled.rule.action, mask, compiled.peers & sources, compiled.sure, *compiled.at)
                    )
        return in_order(tiers, isolated, sources, self._universe.ports.full, self._possible)

    def _egress_row(self, rules: list[int], sources: int, resolve: Callable[[_Compiled], int], isolated: int) -> Row:
        tiers: dict[str, list[Term]] = {}
        for number in rules:
            compiled = self._egress[number]
            mask = resolve(compiled)
            if mask:
                term = Term(compiled.rule.action, mask, compiled.subject & sources, compiled.sure, *compiled.at)
                tiers.setdefault(compiled.policy.tier, []).append(term)
        return in_order(tiers, isolated & sources, sources, self._universe.ports.full, self._possible)
