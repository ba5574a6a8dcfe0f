# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways through the tiers that end in an allowance or a denial, for peers that are told by their selectors.

Policies are read in their order; each way is the peers on it, without those that an earlier rule decides otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..decide.regions import ANYONE, both
from ..model.addresses import Range
from ..model.objects import ADMIN, ALLOW, BASELINE, DENY, NAMESPACED, PodsPeer


class RuleName(NamedTuple):
    """Which rule of which policy: its full name, the direction, the position in its list, its name if it has one."""

    policy: str
    direction: str
    number: int
    name: str

    def as_dict(self) -> dict[str, object]:
        return {"policy": self.policy, "rule": self.number, "name": self.name}


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
        rule: which one it is.
    """

    tier: str
    action: str
    mask: int
    named: frozenset[tuple[str, str]]
    whole: frozenset[str]
    peers: tuple[PodsPeer, ...]
    maybe: bool
    ranges: tuple[Range, ...]
    rule: RuleName


class Way(NamedTuple):
    """Pods that are allowed: those of a peer without those of others."""

    peer: PodsPeer
    without: tuple[PodsPeer, ...]


EVERYONE = Way(ANYONE, ())


def parts(full: int, masks: Iterable[int]) -> list[int]:
    """The ports, divided by every mask."""
    parts = [full]
    for mask in dict.fromkeys(masks):
        divided = [part for whole in parts for part in (whole & mask, whole & ~mask) if part]
        parts = divided
    return parts


def allowances(steps: Sequence[Step], isolated: bool) -> Iterator[tuple[Way, RuleName | None]]:
    """Ways through the tiers, for one port, that end in an allowance, each with the rule that allows, if any."""
    for way, rule, left in _tier([s for s in steps if s.tier == ADMIN], EVERYONE, ALLOW):
        if not left:
            yield way, rule
        elif isolated:
            for step in steps:
                if step.tier == NAMESPACED:
                    for peer in step.peers:
                        yield Way(both(way.peer, peer), way.without), step.rule
        else:
            for inner, last, _left in _tier([s for s in steps if s.tier == BASELINE], way, ALLOW):
                yield inner, last


def denials(steps: Sequence[Step], isolated: bool) -> Iterator[Way]:
    """Ways through the tiers, for one port, that end in a denial."""
    for way, _rule, left in _tier([s for s in steps if s.tier == ADMIN], EVERYONE, DENY):
        if not left:
            yield way
        elif isolated:
            allowed = tuple(peer for step in steps if step.tier == NAMESPACED for peer in step.peers)
            yield Way(way.peer, way.without + allowed)
        else:
            for inner, _last, passed in _tier([s for s in steps if s.tier == BASELINE], way, DENY):
                if not passed:
                    yield inner


def _tier(steps: Sequence[Step], start: Way, wanted: str) -> Iterator[tuple[Way, RuleName | None, bool]]:
    """Ways through an ordered tier: those that end with a rule's action (false), and those that leave it (true).

    Pods of an earlier rule with the wanted action have it already, so only rules with another one are left out of what
    follows: those that decide otherwise, and for a rule that decides also those that leave the tier before.
    """
    other = DENY if wanted == ALLOW else ALLOW
    against: list[PodsPeer] = []
    passed: list[PodsPeer] = []
    for step in steps:
        for peer in step.peers:
            if step.action == wanted:
                yield Way(both(start.peer, peer), (*start.without, *against, *passed)), step.rule, False
            elif step.action != other:
                yield Way(both(start.peer, peer), (*start.without, *against)), None, True
        if step.maybe and wanted == DENY and step.action not in (ALLOW, DENY):
            yield Way(start.peer, (*start.without, *against)), None, True
        if step.action == other:
            against.extend(step.peers)
        elif step.action != wanted:
            # What may leave the tier, too, is not known to be decided in it.
            passed.extend([ANYONE] if step.maybe and wanted == ALLOW else step.peers)
    yield Way(start.peer, (*start.without, *against)), None, True


def open_ports(steps: Sequence[Step], isolated: bool, full: int) -> Mapping[RuleName | None, int]:
    """Ports that are open to an address that all these rules are about, by the rule; None where no rule decides."""
    found: dict[RuleName | None, int] = {}
    undecided, passed = full, 0

    def settle(tier: str) -> None:
        nonlocal undecided, passed
        for step in steps:
            matched = undecided & step.mask if step.tier == tier else 0
            undecided &= ~matched
            if matched and step.action == ALLOW:
                found[step.rule] = found.get(step.rule, 0) | matched
            elif step.action != DENY:
                passed |= matched

    settle(ADMIN)
    undecided |= passed
    if isolated:
        for step in steps:
            if step.tier == NAMESPACED and undecided & step.mask:
                found[step.rule] = found.get(step.rule, 0) | (undecided & step.mask)
        return found
    passed = 0
    settle(BASELINE)
    if undecided | passed:
        found[None] = undecided | passed
    return found
