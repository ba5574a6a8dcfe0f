# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof of a suggestion: what it cuts of the observed flows, and what it allows beyond them, told by the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..decide.engine import Engine
from ..decide.matrix import Groups, Matrix
from ..decide.reference import decide
from ..decide.universe import Universe
from ..decide.verdict import Endpoint
from ..flows.observed import DNS_PORTS, Observed
from ..model.addresses import Range, merge, parse_block, subtract, touch, within
from ..model.objects import NAMESPACE_NAME_LABEL, Model, Namespace, Options
from ..model.ports import Interval, PortSpace, describe, summary
from ..read.manifests import Input, load
from .policies import Builder, is_part


def prove(builder: Builder, manifests: Sequence[Mapping[str, Any]], options: Options) -> tuple[list[str], list[str]]:
    """Evaluates the suggestion, together with the policies that are there already.

    Returns:
        What would be cut of the observed flows, and what would be allowed beyond them.
    """
    suggested = load([Input("suggestion", objects=manifests)]).policies
    model = builder.model
    names = {policy.full_name for policy in suggested}
    there = [policy for policy in model.policies if policy.full_name not in names]
    policies = [*there, *suggested]
    home = Model(
        namespaces=dict(model.namespaces), pods=model.running, nodes=model.nodes, pod_ranges=_pod_ranges(builder)
    )
    for name in builder.scope:
        home.namespaces.setdefault(name, Namespace(name, {NAMESPACE_NAME_LABEL: name}, declared=False))
    wanted = [interval for flow in builder.flows for interval in (*flow.intervals, *DNS_PORTS)]
    universe = Universe(home, [policies, suggested], options, wanted)
    groups = Groups(universe, "workload")
    matrix = Matrix(Engine(universe, policies), groups)
    space = universe.ports
    scope = set(builder.scope)
    servers = set(builder.dns_servers) if builder.dns else set()
    dns = 0
    for interval in DNS_PORTS:
        dns |= space.mask(*interval)
    observed, ranges = _observed(builder, space)
    excess: list[str] = []
    allowed = _masks(matrix)
    # What is observed must be allowed whatever addresses pods get, and nothing else be possible with any of them.
    possible = allowed
    if not matrix.engine.is_determined:
        possible = _masks(Matrix(Engine(universe, policies, possible=True), groups))
    alone = possible
    if there:
        alone = _masks(Matrix(Engine(universe, suggested, possible=True), groups))
    for (source, destination), mask in possible.items():
        if not {source.split("/")[0], destination.split("/")[0]} & scope:
            continue
        if any(builder.workloads[e][0].host_network for e in (source, destination) if e in builder.workloads):
            continue  # no policy of this kind holds for it, as the notes say
        extra = mask & ~observed.get((source, destination), 0)
        if destination in servers:
            extra &= ~dns
        if source in servers:
            continue  # its egress stays open, as the notes say
        if extra and (parse_end(source) or parse_end(destination)):
            extra &= ~_outside_mask(ranges, source, destination, builder.coarseness == "namespace")
        others = extra & ~alone.get((source, destination), 0)
        certain = extra & ~others & allowed.get((source, destination), 0)
        for part, doubt in ((certain, ""), (extra & ~others & ~certain, _DOUBT), (others, _THERE)):
            if part:
                excess.append(f"{source} -> {destination} on {summary(describe(space.intervals(part)))}{doubt}")
    missing = _missing(builder, matrix, observed, allowed, ranges)
    for flow in builder.lost:
        missing.append(f"{flow.source} -> {flow.destination} on {summary(describe(flow.intervals))}: {flow.note}")
    return missing, excess


_DOUBT = " (if an address that is not known yet lies in an observed block; pod_cidrs says where they will lie)"


_THERE = " (by a policy that is there already)"


def _masks(matrix: Matrix) -> dict[tuple[str, str], int]:
    """Port masks by pair of names."""
    found: dict[tuple[str, str], int] = {}
    for destination, sources, mask in matrix.pairs():
        for source in sources:
            found[(source, destination)] = found.get((source, destination), 0) | mask
    return found


def _pod_ranges(builder: Builder) -> tuple[Range, ...]:
    """Where pods may get their addresses. A single address that was observed outside is none of theirs."""
    ends = {end for flow in builder.observed for end in (flow.source, flow.destination) if isinstance(end, Range)}
    taken = [end for end in ends if end.first == end.last]
    model = builder.model
    ranges = (*model.possible_addresses(0, on_host=False), *model.pod_ranges)
    return tuple(merge(part for item in ranges for part in subtract(item, taken)))


def _observed(builder: Builder, space: PortSpace) -> tuple[dict[tuple[str, str], int], list[tuple[Observed, int]]]:
    """Port masks of the observed flows: between workloads by pair, and of those from or to addresses."""
    observed: dict[tuple[str, str], int] = {}
    ranges: list[tuple[Observed, int]] = []
    for flow in builder.flows:
        mask = 0
        for interval in flow.intervals:
            mask |= space.mask(*interval)
        if isinstance(flow.source, str) and isinstance(flow.destination, str):
            for pair in _covered(builder, flow.source, flow.destination):
                observed[pair] = observed.get(pair, 0) | mask
            # A pod on the host network is its node, whose address is outside.
            if builder.workloads[flow.source][0].host_network:
                ranges.extend((flow._replace(source=a), mask) for a in builder.host_addresses(flow.source))
            if builder.workloads[flow.destination][0].host_network:
                ranges.extend((flow._replace(destination=a), mask) for a in builder.host_addresses(flow.destination))
        else:
            ranges.append((flow, mask))
    return observed, ranges


def _covered(builder: Builder, source: str, destination: str) -> list[tuple[str, str]]:
    """Pairs of workloads that one observed pair stands for at this coarseness."""
    if builder.coarseness != "namespace":
        return [(source, destination)]
    left, right = source.split("/")[0], destination.split("/")[0]
    return [
        (one, other)
        for one in builder.workloads
        if one.split("/")[0] == left
        for other in builder.workloads
        if other.split("/")[0] == right
    ]


def parse_end(name: str) -> Range | None:
    """The range that a listed end is, None for a workload."""
    first, dash, last = name.partition("-")
    if dash and "/" not in name:
        low, high = parse_block(first), parse_block(last)
        if low is not None and high is not None:
            return Range(low.family, low.first, high.last)
    return parse_block(name)


def _outside_mask(ranges: Sequence[tuple[Observed, int]], source: str, destination: str, wide: bool) -> int:
    """Ports that were observed for all of a range outside with a workload, be it by several flows together."""
    start, end = parse_end(source), parse_end(destination)
    listed = end if start is None else start
    if listed is None:
        return 0
    seen: list[tuple[Range, int]] = []
    for flow, ports in ranges:
        side, pod, other = (
            (flow.source, flow.destination, destination) if listed is start else (flow.destination, flow.source, source)
        )
        if not isinstance(side, Range) or not touch([side], [listed]):
            continue
        if isinstance(pod, str) and (pod == other or (wide and pod.split("/")[0] == other.split("/")[0])):
            seen.append((side, ports))
    mask = -1
    for first in {listed.first, *(border for side, _ports in seen for border in (side.first, side.last + 1))}:
        if listed.first <= first <= listed.last:
            here = 0
            for side, ports in seen:
                here |= ports if side.first <= first <= side.last else 0
            mask &= here
    return mask


def _missing(
    builder: Builder,
    matrix: Matrix,
    observed: Mapping[tuple[str, str], int],
    allowed: Mapping[tuple[str, str], int],
    ranges: Sequence[tuple[Observed, int]],
) -> list[str]:
    space = matrix.ports
    found = []
    groups = {name: number for number, name in enumerate(matrix.groups.names)}
    asked = {(flow.source, flow.destination) for flow in builder.observed}
    for (source, destination), mask in observed.items():
        if (source, destination) not in asked:
            continue
        if source == destination and matrix.groups.single[groups[source]]:
            continue  # a pod always reaches itself
        gone = mask & ~allowed.get((source, destination), 0)
        if gone:
            intervals = space.intervals(gone)
            ends = builder.workloads[source][0], builder.workloads[destination][-1]
            why = _why(matrix, ends, intervals[0])
            found.append(f"{source} -> {destination} on {summary(describe(intervals))}{why}")
    for flow, mask in ranges:
        side = flow.source if isinstance(flow.source, Range) else flow.destination
        if not isinstance(side, Range):
            continue
        for (source, destination), given in _listed(builder, allowed, flow, side, matrix):
            gone = mask & ~given
            if gone:
                intervals = space.intervals(gone)
                outer = parse_end(destination if flow.destination is side else source)
                inner = builder.workloads[str(flow.source if flow.destination is side else flow.destination)][0]
                why = ""
                if outer is not None:
                    why = _why(matrix, (inner, outer) if flow.destination is side else (outer, inner), intervals[0])
                found.append(f"{source} -> {destination} on {summary(describe(intervals))}{why}")
    return found


def _why(matrix: Matrix, ends: tuple[Endpoint, Endpoint], interval: Interval) -> str:
    """The reason why a pair is cut, empty where the first of their pods are not."""
    engine = matrix.engine
    if ends[0] is ends[1]:
        return ""
    verdict = decide(engine.universe.model, engine.policies, *ends, interval[0], interval[1], engine.universe.options)
    decision = verdict.decisive
    return "" if verdict.allowed or decision is None else f": {decision.reason}"


def _listed(
    builder: Builder, allowed: Mapping[tuple[str, str], int], flow: Observed, side: Range, matrix: Matrix
) -> list[tuple[tuple[str, str], int]]:
    """What is allowed between a workload and each part of an observed range."""
    found = []
    for ranges in matrix.engine.universe.outside:
        for item in ranges:
            if item.family != side.family or item.last < side.first or side.last < item.first:
                continue
            part = Range(item.family, max(item.first, side.first), min(item.last, side.last))
            if any(is_part(pods, side) and within([part], [pods]) for pods in builder.model.pod_ranges):
                continue  # addresses of pods, which are not outside
            mask = 0
            for (source, destination), given in allowed.items():
                if flow.source is side:
                    listed, same = parse_end(source), destination == flow.destination
                else:
                    listed, same = parse_end(destination), source == flow.source
                if same and listed and listed.family == part.family and listed.first <= part.first:
                    mask |= given if part.last <= listed.last else 0
            pair = (str(part), str(flow.destination)) if flow.source is side else (str(flow.source), str(part))
            found.append((pair, mask))
    return found
