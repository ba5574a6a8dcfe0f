# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who can reach whom: the fast evaluation, one row for each set of destinations that no policy tells apart.

A row maps ports to the set of sources that may use exactly these ports. Both directions of a connection are evaluated
in the same way, as an ordered list of rules over sets of sources: for ingress the rules of the policies that select
the destination, for egress the rules whose peers hold the destination, with their policies' subjects as sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..model.objects import (
    ADMIN,
    ALLOW,
    BASELINE,
    DENY,
    NAMESPACED,
    BlockPeer,
    NodesPeer,
    PodsPeer,
    Policy,
    PortRule,
    Rule,
)
from .universe import Universe, bit_indices, from_indices

#: Port mask -> sources that may use exactly these ports. Sources with no port at all are left out.
Row = dict[int, int]


class RowGroup(NamedTuple):
    """Destination classes that share a row.

    Attributes:
        destinations: indices of the classes.
        row: their row.
    """

    destinations: list[int]
    row: Row


class _Term(NamedTuple):
    """A rule as seen from one destination.

    Attributes:
        action: Allow, Deny or Pass.
        mask: the ports that it is about, names resolved for the destination.
        sources: the sources that it is about.
        sure: whether it is known to match them; else it may or may not.
    """

    action: str
    mask: int
    sources: int
    sure: bool = True


class _Compiled(NamedTuple):
    """A rule with its sets. C(named) lists its named ports, C(mask) holds the others.

    C(sure) is false for the part whose peers it may or may not match, because their addresses are not known.
    """

    policy: Policy
    rule: Rule
    subject: int
    peers: int
    mask: int
    named: tuple[PortRule, ...]
    sure: bool = True


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


def add_union(row: Row, mask: int, sources: int) -> None:
    """Adds ports to sources, keeping the row's source sets disjoint."""
    if not sources or not mask:
        return
    for known in list(row):
        both = row[known] & sources
        if both:
            rest = row[known] ^ both
            if rest:
                row[known] = rest
            else:
                del row[known]
            row[known | mask] = row.get(known | mask, 0) | both
            sources ^= both
            if not sources:
                return
    row[mask] = row.get(mask, 0) | sources


def intersect(left: Row, right: Row) -> Row:
    """Ports that both rows give, by source."""
    result: Row = {}
    for left_mask, left_sources in left.items():
        for right_mask, right_sources in right.items():
            mask = left_mask & right_mask
            if mask:
                sources = left_sources & right_sources
                if sources:
                    result[mask] = result.get(mask, 0) | sources
    return result


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
        self._egress_isolated = 0
        self._ingress_isolated = 0
        self._masks: dict[tuple[PortRule, ...] | None, tuple[int, tuple[PortRule, ...]]] = {}
        self._peers: dict[tuple[object, ...] | None, tuple[int, int]] = {}
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
        sure, maybe = peers
        if maybe:
            self.is_determined = False
            if policy.tier == NAMESPACED:
                # Rules that only allow: what one may match is no part of what is certain, but of what is possible.
                sure, maybe = (sure | maybe if self._possible else sure), 0
        found = [_Compiled(policy, rule, subject, sure, *ports)]
        if maybe:
            found.append(_Compiled(policy, rule, subject, maybe, *ports, sure=False))
        return found

    def _peer_set(self, peers: tuple[object, ...] | None) -> tuple[int, int]:
        """Classes that a rule's peers hold, and those without a known address that they may hold."""
        if peers is None:
            return self._universe.everyone, 0
        bits = 0
        for peer in peers:
            if isinstance(peer, PodsPeer):
                bits |= self._universe.pods(peer)
            elif isinstance(peer, BlockPeer):
                bits |= self._universe.block(peer, self._family)
            elif isinstance(peer, NodesPeer):
                bits |= self._universe.nodes(peer, self._family)
        sure, maybe = self._universe.hidden(peers, self._family)
        return bits | sure, maybe & ~bits

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
            egress = self._directions[key] = self._egress_row(rules, sources, resolve)
        return ingress, egress

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

    def _ingress_row(self, selecting: list[int], sources: int, resolve: Callable[[_Compiled], int]) -> Row:
        tiers: dict[str, list[_Term]] = {}
        isolated = 0
        for number in selecting:
            policy = self._policies[number]
            if policy.isolates_ingress:
                isolated = sources
            for compiled in self._ingress[number]:
                mask = resolve(compiled)
                if mask:
                    tiers.setdefault(policy.tier, []).append(
                        _Term(compiled.rule.action, mask, compiled.peers & sources, compiled.sure)
                    )
        return self._decide(tiers, isolated, sources)

    def _egress_row(self, rules: list[int], sources: int, resolve: Callable[[_Compiled], int]) -> Row:
        tiers: dict[str, list[_Term]] = {}
        for number in rules:
            compiled = self._egress[number]
            mask = resolve(compiled)
            if mask:
                term = _Term(compiled.rule.action, mask, compiled.subject & sources, compiled.sure)
                tiers.setdefault(compiled.policy.tier, []).append(term)
        return self._decide(tiers, self._egress_isolated & sources, sources)

    def _decide(self, tiers: dict[str, list[_Term]], isolated: int, sources: int) -> Row:
        """One direction: admin tier, then NetworkPolicies where they isolate, else baseline tier, else allowed."""
        full = self._universe.ports.full
        if ADMIN not in tiers and BASELINE not in tiers:
            return self._decide_namespaced(tiers, isolated, sources, full)
        # (allowed ports, ports still undecided, ports that left the tier by Pass) -> sources
        state: dict[tuple[int, int, int], int] = {(0, full, 0): sources}
        for term in tiers.get(ADMIN, ()):
            state = _apply(state, term)
        merged: dict[tuple[int, int], int] = {}
        for (allowed, undecided, passed), members in state.items():
            key = (allowed, undecided | passed)
            merged[key] = merged.get(key, 0) | members
        row = _Outcomes(tiers, self._possible)
        namespaced: Row = {}
        for term in tiers.get("namespaced", ()):
            namespaced[term.mask] = namespaced.get(term.mask, 0) | (term.sources & isolated)
        namespaced = _disjoint(namespaced)
        free: dict[tuple[int, int, int], int] = {}
        for (allowed, undecided), members in merged.items():
            inside = members & isolated
            if inside:
                rest = inside
                for mask, given in namespaced.items():
                    both = given & inside
                    if both:
                        row.put(allowed | (undecided & mask), both)
                        rest &= ~both
                row.put(allowed, rest)
            _put_state(free, (allowed, undecided, 0), members & ~isolated)
        for term in tiers.get(BASELINE, ()):
            free = _apply(free, term)
        for (allowed, undecided, passed), members in free.items():
            row.put(allowed | undecided | passed, members)
        return row.joined()

    @staticmethod
    def _decide_namespaced(tiers: dict[str, list[_Term]], isolated: int, sources: int, full: int) -> Row:
        row: Row = {}
        if isolated:
            for term in tiers.get("namespaced", ()):
                members = term.sources & isolated
                if members:
                    row[term.mask] = row.get(term.mask, 0) | members
            row = _disjoint(row)
        _put(row, full, sources & ~isolated)
        return row


class _Outcomes:
    """What each source may come to. Sources that a rule may or may not match have several outcomes."""

    def __init__(self, tiers: Mapping[str, Sequence[_Term]], possible: bool) -> None:
        self._row: Row = {}
        self._possible = possible
        self._forked = 0
        for terms in tiers.values():
            for term in terms:
                if not term.sure:
                    self._forked |= term.sources
        self._several: list[tuple[int, int]] = []

    def put(self, mask: int, sources: int) -> None:
        forked = sources & self._forked
        if forked:
            self._several.append((mask, forked))
            sources ^= forked
        _put(self._row, mask, sources)

    def joined(self) -> Row:
        """The row: of several outcomes what some of them allow (if that is asked), or what all of them allow."""
        masks: dict[int, int] = {}
        for mask, sources in self._several:
            for source in bit_indices(sources):
                if self._possible:
                    masks[source] = masks.get(source, 0) | mask
                else:
                    masks[source] = masks.get(source, mask) & mask
        for mask, sources in gather(masks).items():
            _put(self._row, mask, sources)
        return self._row


def _put(row: Row, mask: int, sources: int) -> None:
    if mask and sources:
        row[mask] = row.get(mask, 0) | sources


def _put_state(state: dict[tuple[int, int, int], int], key: tuple[int, int, int], sources: int) -> None:
    if sources:
        state[key] = state.get(key, 0) | sources


def _disjoint(row: Row) -> Row:
    """The same permissions with disjoint source sets: a source in several sets gets all their ports."""
    if len(row) < 2:
        return row
    # Splitting sets costs the square of their number; walking their members costs their sizes.
    if len(row) > 8 and sum(map(size, row.values())) < len(row) ** 2 * 4:
        return gather(spread(row))
    result: Row = {}
    for mask, sources in row.items():
        add_union(result, mask, sources)
    return result


def size(bits: int) -> int:
    """How many members a set has."""
    return bin(bits).count("1")


def width(row: Row) -> int:
    """How many sources a row with disjoint sets has."""
    every = 0
    for sources in row.values():
        every |= sources
    return size(every)


def spread(row: Row) -> dict[int, int]:
    """Source to ports; sources in several sets get the ports of all of them."""
    found: dict[int, int] = {}
    for mask, sources in row.items():
        for source in bit_indices(sources):
            found[source] = found.get(source, 0) | mask
    return found


def gather(masks: Mapping[int, int]) -> Row:
    """The row in which each source has its ports."""
    members: dict[int, list[int]] = {}
    for source, mask in masks.items():
        if mask:
            members.setdefault(mask, []).append(source)
    return {mask: from_indices(sources) for mask, sources in members.items()}


def _apply(state: dict[tuple[int, int, int], int], term: _Term) -> dict[tuple[int, int, int], int]:
    """One ordered rule: it decides what it matches and no earlier rule decided."""
    result: dict[tuple[int, int, int], int] = {}
    for key, members in state.items():
        allowed, undecided, passed = key
        matched = undecided & term.mask
        both = members & term.sources if matched else 0
        if both:
            # What a rule may match is also left as it was.
            _put_state(result, key, members ^ both if term.sure else members)
            undecided ^= matched
            if term.action == ALLOW:
                allowed |= matched
            elif term.action != DENY:
                passed |= matched
            _put_state(result, (allowed, undecided, passed), both)
        else:
            _put_state(result, key, members)
    return result
