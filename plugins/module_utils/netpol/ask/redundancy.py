# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies and rules that do nothing: empty ones, and redundant ones that could go without any connection changing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..decide.engine import Dropped, Engine
from ..decide.rows import Row
from ..decide.universe import Universe, bit_indices
from ..model.objects import BlockPeer, Model, NodesPeer, Options, PodsPeer, Policy, Rule
from .connections import Classes
from .unplaced import placed

DIRECTIONS = ("ingress", "egress")


class Idle(NamedTuple):
    """A policy or a rule that does nothing.

    Attributes:
        policy: the policy, or that of the rule.
        direction: of the rule, empty for the policy as a whole.
        rule: the rule, None for the policy as a whole.
        together: whether it may go together with all those before it; where it is one of two that say the same, either
            may go but not both.
    """

    policy: Policy
    direction: str = ""
    rule: Rule | None = None
    together: bool = True

    def as_dict(self) -> dict[str, object]:
        return {
            "policy": self.policy.full_name,
            "direction": self.direction,
            "rule": None if self.rule is None else self.rule.index,
            "together": self.together,
            "source": self.policy.origin.source,
            "line": self.policy.origin.line,
        }


def empty(model: Model, policies: Sequence[Policy], options: Options) -> list[Idle]:
    """Policies that select no pod, and rules whose peers are nobody, neither a pod nor an address."""
    universe = Universe(model, [policies], options)

    def is_nobody(peer: object) -> bool:
        if isinstance(peer, PodsPeer):
            return not universe.pods(peer)
        if isinstance(peer, BlockPeer):
            return not peer.ranges
        return isinstance(peer, NodesPeer) and not universe.node_ranges(peer)

    found = []
    for parts in _objects(policies):
        if not any(universe.pods(policy.subject) for policy in parts):
            found.append(Idle(parts[0]))
        for direction, members in _rules(parts):
            named = [rule.peers for _policy, rule in members]
            if all(peers is not None and all(is_nobody(peer) for peer in peers) for peers in named):
                found.append(Idle(members[0][0], direction, members[0][1]))
    return found


def redundant(model: Model, policies: Sequence[Policy], options: Options) -> tuple[list[Idle], bool]:
    """Policies that could be deleted, and rules that could be taken out of the others, and nothing would change.

    A rule goes without its policy's C(policyTypes): which directions the policy isolates stays.

    Returns:
        Those that could go one at a time, and whether no answer depends on addresses that pods do not have yet.
    """
    model, determined = placed(model, policies, options)
    removal = _Removal(model, policies, options)
    gone = Dropped()
    found: list[Idle] = []
    for parts in _objects(policies):
        whole: list[tuple[str, Sequence[tuple[Policy, Rule | None]]]] = [("", [(policy, None) for policy in parts])]
        for direction, members in [*whole, *_rules(parts)]:
            if not removal.changes(members, direction, Dropped()):
                together = not removal.changes(members, direction, gone)
                policy, rule = members[0]
                found.append(Idle(policy, direction, rule, together))
                if together:
                    gone = _without(gone, members)
                if rule is None:
                    break
    return found, determined


def _objects(policies: Sequence[Policy]) -> list[list[Policy]]:
    """Policies by the object that they were read from, of which some kinds (Cilium, Calico) make several."""
    found: dict[str, list[Policy]] = {}
    for policy in policies:
        found.setdefault(policy.full_name, []).append(policy)
    return list(found.values())


def _rules(parts: Sequence[Policy]) -> list[tuple[str, list[tuple[Policy, Rule]]]]:
    """The rules of an object by direction, each with all that was read of it and the policies that have that."""
    found: dict[tuple[str, int, str], list[tuple[Policy, Rule]]] = {}
    for direction in DIRECTIONS:
        for policy in parts:
            for rule in policy.rules(direction):
                found.setdefault((direction, rule.index, rule.name), []).append((policy, rule))
    return [(direction, members) for (direction, _index, _name), members in found.items()]


def _without(gone: Dropped, members: Sequence[tuple[Policy, Rule | None]]) -> Dropped:
    for policy, rule in members:
        gone = gone.also(policy, rule)
    return gone


class _Removal:
    """What would change without a policy or a rule."""

    def __init__(self, model: Model, policies: Sequence[Policy], options: Options) -> None:
        self._universe = Universe(model, [policies], options)
        self._engine = Engine(self._universe, policies)
        self._engines = [self._engine]
        if not self._engine.is_determined:
            self._engines.append(Engine(self._universe, policies, possible=True))
        self._classes = Classes(self._universe)
        self._kinds = self._alike(range(self._universe.size))

    def _alike(self, numbers: Iterable[int]) -> list[tuple[int, int]]:
        """One destination of each kind that no policy tells apart, with the sources that are no others of that kind.

        These are the classes of a pod on its own, where it is all of the kind.
        """
        found: dict[object, tuple[int, int]] = {}
        for number in numbers:
            key = self._engine.signature(number)
            first, itself = found.get(key, (number, -1))
            found[key] = first, itself & self._classes.itself(number)
        return list(found.values())

    def changes(self, members: Sequence[tuple[Policy, Rule | None]], direction: str, gone: Dropped) -> bool:
        """Whether any connection would be different without these, and without those that have gone already."""
        dropped = _without(gone, members)
        return any(
            engine.row_without(number, dropped, among) != _narrowed(engine.row(number), among)
            for policy, rule in members
            for number, among in self._reached(policy, direction, rule)
            for engine in self._engines
        )

    def _reached(self, policy: Policy, direction: str, rule: Rule | None) -> Iterator[tuple[int, int]]:
        """Destinations whose connections it may decide, each with the sources of these."""
        subject = self._universe.pods(policy.subject)
        if direction != "egress" and (policy.isolates_ingress or policy.ingress):
            for number, itself in self._alike(bit_indices(subject)):
                yield number, self._universe.everyone & ~itself
        if direction != "ingress" and subject and (policy.isolates_egress or policy.egress):
            peers = 0
            for one in policy.egress if rule is None else (rule,):
                peers |= self._peers(one)
            near = [kind for kind in self._kinds if peers >> kind[0] & 1]
            # What a policy isolates from may be anywhere; what its rules open is found first.
            far = [kind for kind in self._kinds if not peers >> kind[0] & 1] if rule is None else []
            for number, itself in near + far:
                yield number, subject & ~itself

    def _peers(self, rule: Rule) -> int:
        universe = self._universe
        bits = 0
        for family in universe.families:
            for peer in rule.peers or ():
                if isinstance(peer, PodsPeer):
                    bits |= universe.pods(peer)
                elif isinstance(peer, BlockPeer):
                    bits |= universe.block(peer, family)
                elif isinstance(peer, NodesPeer):
                    bits |= universe.nodes(peer, family)
            sure, maybe = universe.hidden(rule.peers or (), family)
            bits |= sure | maybe
        return universe.everyone if rule.peers is None else bits


def _narrowed(row: Row, sources: int) -> Row:
    return {mask: members & sources for mask, members in row.items() if members & sources}
