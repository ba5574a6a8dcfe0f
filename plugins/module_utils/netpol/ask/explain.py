# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reason for every pair and port: which policy and rule decides on each side, allowed or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..decide.reference import Decider
from ..decide.universe import Universe
from ..decide.verdict import Decision, Endpoint, Verdict
from ..lint.hints import Hint, Hints, with_hints
from ..model.addresses import Range, format_range
from ..model.objects import Model, Options, Pod, Policy
from ..model.ports import Interval, PortSpace, summary

#: What explanations can be narrowed to.
ALLOWED = "allowed"


class Explanation(NamedTuple):
    """One pair, the ports for which the same rules decide, the verdict, and why one may have thought otherwise."""

    source: str
    destination: str
    texts: tuple[tuple[str, str], ...]
    verdict: Verdict
    hints: tuple[Hint, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        decision = self.verdict.decisive
        return {
            "from": self.source,
            "to": self.destination,
            "connections": [{"protocol": protocol, "ports": ports} for protocol, ports in self.texts],
            **self.verdict.as_dict(),
            "policy": decision.policy if decision else "",
            "rule": decision.rule if decision else None,
            "reason": with_hints(decision.reason if decision else self.verdict.note, self.hints),
            "hints": [hint.as_dict() for hint in self.hints],
        }

    def __str__(self) -> str:
        word = "allowed" if self.verdict.allowed else "undetermined" if self.verdict.undetermined else "denied"
        reasons = [d.reason for d in (self.verdict.egress, self.verdict.ingress) if d is not None]
        why = with_hints("; ".join(reasons) or self.verdict.note, self.hints)
        return f"{self.source} -> {self.destination} on {summary(self.texts)}: {word}: {why}"


def explain(
    model: Model,
    policies: Sequence[Policy],
    sources: Sequence[Endpoint],
    destinations: Sequence[Endpoint],
    options: Options,
    limit: int,
    wanted: str = "",
) -> tuple[list[Explanation], str]:
    """Explanations of all pairs, as far as the limit goes.

    Args:
        model: what there is.
        policies: the policies in force.
        sources: pods, or ranges outside that no block divides.
        destinations: the same.
        options: answers to what is left to implementations.
        limit: beyond this many explanations no further pair is explained.
        wanted: C(allowed) or C(denied) (what is undetermined is denied) alone; empty for both.

    Returns:
        The explanations, and what was left out, for people; empty if nothing was.
    """
    decider = Decider(model, policies, options)
    hints = Hints(decider)
    found: list[Explanation] = []
    left, first = 0, ""
    for source in sources:
        for destination in destinations:
            if not isinstance(source, Pod) and not isinstance(destination, Pod):
                continue
            if source is destination and isinstance(source, Pod) and source.replicas < 2:
                continue
            if len(found) >= limit:
                left += 1
                first = first or f"{_name(source)} -> {_name(destination)}"
                continue
            pair = _pair(decider, hints, source, destination)
            found.extend(item for item in pair if not wanted or item.verdict.allowed == (wanted == ALLOWED))
    if not left:
        return found, ""
    rest = f"left out: the reasons of {left} pairs, from {first} on"
    return found, f"{rest}; narrow them with from and to, or raise limit"


def _pair(decider: Decider, hints: Hints, source: Endpoint, destination: Endpoint) -> list[Explanation]:
    space = PortSpace(_intervals(decider, source, destination))
    grouped: dict[tuple[Any, ...], tuple[Verdict, int]] = {}
    for protocol, first, last in space.atoms():
        verdict = decider.decide(source, destination, protocol, first)
        key = (verdict.allowed, _key(verdict.egress), _key(verdict.ingress))
        mask = space.mask(protocol, first, last)
        known = grouped.get(key)
        grouped[key] = (verdict, mask) if known is None else (known[0], known[1] | mask)
    found = []
    for verdict, mask in grouped.values():
        said: list[Hint] = []
        decision = verdict.decisive
        if decision is not None and not verdict.allowed:
            said = hints.of_ports(source, destination, space.intervals(mask), decision)
        texts = space.texts(mask)
        found.append(Explanation(_name(source), _name(destination), texts, verdict, tuple(said)))
    return found


def _key(decision: Decision | None) -> tuple[Any, ...]:
    return () if decision is None else (decision.allowed, decision.undetermined, decision.policy, decision.rule)


def _intervals(decider: Decider, source: Endpoint, destination: Endpoint) -> set[Interval]:
    """Ports where the verdict of this pair can change."""
    found: set[Interval] = set()
    for pod, direction in ((source, "egress"), (destination, "ingress")):
        if not isinstance(pod, Pod):
            continue
        for policy in decider.selecting(pod, direction):
            for rule in policy.rules(direction):
                for port in rule.ports or ():
                    if not port.name:
                        found.add((port.protocol, port.first, port.last))
                    elif isinstance(destination, Pod):
                        found.update((p.protocol, p.number, p.number) for p in destination.ports if p.name == port.name)
    return found


def _name(endpoint: Endpoint) -> str:
    return endpoint.full_name if isinstance(endpoint, Pod) else format_range(endpoint)


def representatives(model: Model, universe: Universe, outside: bool) -> list[Endpoint]:
    """One pod for each workload and class, and one range for each class outside."""
    found: list[Endpoint] = []
    for members in universe.members:
        seen: set[str] = set()
        for pod in members:
            if pod.workload_name not in seen:
                seen.add(pod.workload_name)
                found.append(pod)
    found.sort(key=_name)
    if outside:
        ranges: list[Range] = [item for group in universe.outside for item in group]
        found.extend(sorted(ranges))
    return found
