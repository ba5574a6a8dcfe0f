# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What checks of traffic share: classes of some pods, policies that isolate them, rules that open, ports."""

from __future__ import annotations

from collections.abc import Sequence

from ..decide.universe import Universe
from ..model.objects import ALLOW, BASELINE, Pod, Policy, PortRule, Rule


def matches_port(ports: Sequence[PortRule] | None, protocol: str, number: int, pod: Pod | None) -> bool:
    """Whether a rule's ports hold one of a pod; named ones match no address outside (None)."""
    if ports is None:
        return True
    for port in ports:
        if port.protocol not in ("", protocol):
            continue
        if not port.name:
            if port.first <= number <= port.last:
                return True
        elif pod is not None and any(p.name == port.name and p.number == number for p in pod.ports):
            return True
    return False


def class_of(universe: Universe, pods: Sequence[Pod]) -> dict[int, list[Pod]]:
    """Some pods by their class."""
    chosen = {id(pod) for pod in pods}
    found: dict[int, list[Pod]] = {}
    for number, members in enumerate(universe.members):
        inside = [pod for pod in members if id(pod) in chosen]
        if inside:
            found[number] = inside
    return found


def selecting(policies: Sequence[Policy], universe: Universe, number: int, direction: str) -> list[Policy]:
    """Policies that isolate a class in a direction."""
    return [p for p in policies if p.isolates(direction) and universe.pods(p.subject) >> number & 1]


def opening(policies: Sequence[Policy]) -> list[Policy]:
    """Policies whose rules may let something through isolation: not those behind it, in the baseline tier."""
    return [policy for policy in policies if policy.tier != BASELINE]


def allowing(policies: Sequence[Policy], universe: Universe, number: int, direction: str) -> list[Rule]:
    """Rules that let something through to or from a class that is isolated, of whatever kind their policies are."""
    return [
        rule
        for policy in opening(policies)
        if universe.pods(policy.subject) >> number & 1
        for rule in policy.rules(direction)
        if rule.action == ALLOW
    ]
