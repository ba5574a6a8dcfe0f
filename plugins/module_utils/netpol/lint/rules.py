# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of rules against each other: redundant, never reached, tied in priority.

A rule covers another when that holds whatever pods there are: by its selectors and blocks, not by what matches today.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...common.finding import Finding
from ..decide.universe import Universe
from ..model.addresses import Range
from ..model.objects import NAMESPACED, BlockPeer, PodsPeer, Policy, PortRule, Rule
from ..model.selectors import DOES_NOT_EXIST, EXISTS, IN, NOT_IN, Requirement, Selector
from .finding import about

#: Pairs of rules compared for one group of policies; a group beyond it is compared policy by policy.
MAX_PAIRS = 200_000
#: Kinds of which two with one priority have no order. Of Cilium's denials all hold; Calico goes on by name
#: (https://github.com/projectcalico/api/blob/master/pkg/apis/projectcalico/v3/networkpolicy.go, C(Order)).
_WITH_PRIORITY = ("AdminNetworkPolicy", "ClusterNetworkPolicy")


def implies(narrow: Requirement, wide: Requirement) -> bool:
    """Whether every object that meets one requirement meets the other."""
    if narrow.key != wide.key:
        return False
    if narrow == wide:
        return True
    if wide.operator == EXISTS:
        return narrow.operator in (IN, EXISTS)
    if narrow.operator == IN and wide.operator == IN:
        return set(narrow.values) <= set(wide.values)
    if narrow.operator == IN and wide.operator == NOT_IN:
        return not set(narrow.values) & set(wide.values)
    if narrow.operator == NOT_IN and wide.operator == NOT_IN:
        return set(wide.values) <= set(narrow.values)
    return narrow.operator == DOES_NOT_EXIST and wide.operator == NOT_IN


def selector_within(narrow: Selector, wide: Selector) -> bool:
    """Whether a selector selects nothing that the other does not."""
    return all(any(implies(n, w) for n in narrow.requirements) for w in wide.requirements)


def peer_within(narrow: object, wide: object) -> bool:
    """Whether a peer matches nothing that the other does not."""
    if narrow == wide:
        return True
    if isinstance(narrow, PodsPeer) and isinstance(wide, PodsPeer):
        if wide.namespaces is None:
            if narrow.namespaces is not None or narrow.namespace != wide.namespace:
                return False
        elif narrow.namespaces is None:
            if wide.namespaces.requirements:
                return False
        elif not selector_within(narrow.namespaces, wide.namespaces):
            return False
        return selector_within(narrow.pods, wide.pods)
    if isinstance(narrow, BlockPeer) and isinstance(wide, BlockPeer) and _pods_of(narrow) <= _pods_of(wide):
        return all(any(_range_within(n, w) for w in wide.ranges) for n in narrow.ranges)
    return False


def _pods_of(block: BlockPeer) -> int:
    """How much of the pods at its addresses a block holds: none, what an implementation makes of it, all."""
    return 0 if block.outside_only else 2 if block.covers_pods else 1


def _range_within(narrow: Range, wide: Range) -> bool:
    return narrow.family == wide.family and wide.first <= narrow.first and narrow.last <= wide.last


def port_within(narrow: PortRule, wide: PortRule) -> bool:
    """Whether a port entry matches nothing that the other does not."""
    if narrow == wide:
        return True
    if wide.protocol and narrow.protocol != wide.protocol:
        return False
    if wide.name or narrow.name:
        # A whole protocol holds its named ports whatever their numbers are.
        return narrow.name == wide.name or (wide.first, wide.last) == (1, 65535)
    return wide.first <= narrow.first and narrow.last <= wide.last


def rule_within(narrow: Rule, wide: Rule) -> bool:
    """Whether a rule matches no connection that the other does not."""
    if wide.unsure:
        return False  # what else it asks is not known, so that it may match nothing
    if wide.peers is not None and (
        narrow.peers is None or not all(any(peer_within(n, w) for w in wide.peers) for n in narrow.peers)
    ):
        return False
    return wide.ports is None or (
        narrow.ports is not None and all(any(port_within(n, w) for w in wide.ports) for n in narrow.ports)
    )


def check_rules(policies: Sequence[Policy], universe: Universe) -> Iterator[Finding]:
    """Findings C(redundant-rule), C(shadowed-rule) and C(priority-tie)."""
    by_namespace: dict[str, list[Policy]] = {}
    for policy in policies:
        if policy.tier == NAMESPACED:
            by_namespace.setdefault(policy.namespace, []).append(policy)
    for group in by_namespace.values():
        yield from _redundant(group)
    for tier in ("admin", "baseline"):
        members = sorted((p for p in policies if p.tier == tier), key=lambda p: p.order)
        yield from _shadowed(members)
        yield from _ties(members, universe)


def _redundant(group: Sequence[Policy]) -> Iterator[Finding]:
    for direction in ("ingress", "egress"):
        rules = [(policy, rule) for policy in group for rule in policy.rules(direction)]
        alone = len(rules) ** 2 > MAX_PAIRS
        in_parts = {(id(policy), index) for policy in group for index in policy.in_parts(direction)}
        for number, (policy, rule) in enumerate(rules):
            if (id(policy), rule.index) in in_parts:
                continue
            for other_number, (other, wide) in enumerate(rules):
                if number == other_number or (alone and other is not policy):
                    continue
                if not peer_within(policy.subject, other.subject) or not rule_within(rule, wide):
                    continue
                mutual = rule_within(wide, rule) and peer_within(other.subject, policy.subject)
                if mutual and number < other_number and (id(other), wide.index) not in in_parts:
                    continue  # of two equal rules, the later one is told
                where = "the same policy" if other is policy else other.full_name
                yield about(
                    policy,
                    "redundant-rule",
                    "info",
                    f"{direction} rule {rule.index} allows nothing that rule {wide.index} of {where} does not",
                    "remove it, or narrow the other one",
                )
                break


def _shadowed(members: Sequence[Policy]) -> Iterator[Finding]:
    for direction in ("ingress", "egress"):
        earlier: list[tuple[Policy, Rule]] = []
        for policy in members:
            in_parts = policy.in_parts(direction)
            for rule in policy.rules(direction):
                for other, wide in () if rule.index in in_parts else earlier[: MAX_PAIRS // 100]:
                    if peer_within(policy.subject, other.subject) and rule_within(rule, wide):
                        where = "the same policy" if other is policy else other.full_name
                        yield about(
                            policy,
                            "shadowed-rule",
                            "warning",
                            f"{direction} rule {rule.index} ({rule.action}) is never reached: rule {wide.index} of"
                            f" {where} ({wide.action}) comes first and matches all of it",
                            "put the narrower rule first",
                        )
                        break
                earlier.append((policy, rule))


def _ties(members: Sequence[Policy], universe: Universe) -> Iterator[Finding]:
    for first, second in zip(members, members[1:]):
        if (first.priority, first.kind) == (second.priority, second.kind) and first.kind in _WITH_PRIORITY:
            both = universe.pods(first.subject) & universe.pods(second.subject)
            if both:
                yield about(
                    second,
                    "priority-tie",
                    "warning",
                    f"has priority {second.priority} as {first.full_name}, and both select the same pods: which one"
                    " wins is left to implementations (here the first by name)",
                    "give each its own priority",
                )
