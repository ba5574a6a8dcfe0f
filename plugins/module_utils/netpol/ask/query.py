# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether one end may reach another, with the verdict of each pair and its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..decide.reference import Decider, decide
from ..decide.verdict import Endpoint, Verdict
from ..errors import FlowError
from ..flows.ends import Ends, intervals, select, select_destination
from ..flows.vocabulary import Flow, parse_peer, parse_ports
from ..model.addresses import format_range
from ..model.objects import Model, Options, Pod
from ..model.ports import Interval
from .request import MAX_VERDICTS, Request

if TYPE_CHECKING:
    from ..decide.universe import Universe

# Late imports: one query between two pods needs neither the engine nor hints, which take longer to import than it does.


def query(request: Request, model: Model) -> dict[str, Any]:
    flow = Flow(
        name="",
        source=parse_peer(request.source, "from", source=True),
        destination=parse_peer(request.destination, "to"),
        ports=parse_ports(request.ports, "ports"),
        path="query",
    )
    sources, destinations = select(model, flow.source), select_destination(model, flow.destination)
    if sources.block is not None and destinations.block is not None:
        raise FlowError("to", "both ends are outside", "policies are about pods")
    asked: list[tuple[Endpoint, Endpoint, str, int, int]] = []
    single = all(block.first == block.last for block in (*sources.blocks, *destinations.blocks))
    starts: list[Endpoint] = [*sources.pods, *sources.blocks]
    targets: list[Endpoint] = [*destinations.pods, *destinations.blocks]
    # A pod always reaches itself, on every port. It is told where nothing else is asked, and else is no pair.
    itself = len(starts) == len(targets) == 1 and starts[0] is targets[0] and not sources.pods[0].template
    for target in targets:
        wanted = _arriving(model, flow, target)
        for start in starts:
            if start is target and isinstance(start, Pod) and start.replicas < 2 and not itself:
                continue
            for protocol, first, last in wanted:
                asked.append((start, target, protocol, first, last))
                single = single and (first == last or itself)
        if len(asked) > MAX_VERDICTS:
            single = False
            break
    if not single:
        return _query_many(request, model, flow, sources, destinations)
    verdicts = []
    connections = []
    for start, target, protocol, first, last in asked:
        verdict = decide(model, model.policies, start, target, protocol, first, request.options)
        text = _numbers(first, last)
        verdicts.append(_told(start, target, protocol, text, verdict, request, model, first))
        if verdict.allowed:
            connections.append(_line(start, target, protocol, text))
    return _query_result(verdicts, connections, all(v["allowed"] for v in verdicts), len(verdicts))


def _query_many(request: Request, model: Model, flow: Flow, sources: Ends, destinations: Ends) -> dict[str, Any]:
    """A query over ranges of ports or addresses, or over many pods: by the engine, with a verdict for each class."""
    from ..decide.engine import Engine
    from ..decide.rows import spread
    from ..decide.universe import Universe, from_indices

    extra = [i for pod in (*destinations.pods, None) for i in intervals(model, flow, pod)]
    universe = Universe(model, [model.policies], request.options, extra)
    engine = Engine(universe, model.policies)
    possible = engine if engine.is_determined else Engine(universe, model.policies, possible=True)
    starts, targets = classes(universe, sources), classes(universe, destinations)
    connections: list[dict[str, str]] = []
    verdicts: list[dict[str, Any]] = []
    complete, pairs = True, 0
    asked_bits = from_indices(starts)
    for number, receivers in targets.items():
        # Pods of one class may give a name of a port to different numbers.
        asked = [(target, _mask(universe, _arriving(model, flow, target))) for target in receivers]
        answers = _answers(engine.row(number), asked_bits)
        wide = spread(_answers(possible.row(number), asked_bits)) if possible is not engine else {}
        for mask, bits in answers.items():
            for index, senders in starts.items():
                if not bits >> index & 1:
                    continue
                for start in senders:
                    for target, wanted in asked:
                        if start is target and isinstance(start, Pod) and start.replicas < 2:
                            continue
                        given = mask & wanted
                        pairs += 1
                        complete = complete and given == wanted
                        if len(connections) < request.limit:
                            for protocol, ports in universe.ports.texts(given):
                                connections.append(_line(start, target, protocol, ports))
                        if len(verdicts) < MAX_VERDICTS:
                            may = wide.get(index, 0) & wanted & ~given
                            for part in (given, may, wanted & ~given & ~may):
                                for protocol, first, last in universe.ports.intervals(part)[:1]:
                                    verdict = decide(
                                        model, model.policies, start, target, protocol, first, request.options
                                    )
                                    text = _numbers(first, last)
                                    verdicts.append(
                                        _told(start, target, protocol, text, verdict, request, model, first)
                                    )
    return _query_result(verdicts, connections, complete, pairs, destinations.note)


def _numbers(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _arriving(model: Model, flow: Flow, target: Endpoint) -> list[Interval]:
    """The ports of a flow at one destination.

    Raises:
        FlowError: it has no port of that name.
    """
    wanted = intervals(model, flow, target if isinstance(target, Pod) else None)
    if not wanted:
        raise FlowError("ports", f"{_name(target)} has no such named port", "give the number, or declare it")
    return wanted


def _mask(universe: Universe, wanted: Iterable[Interval]) -> int:
    mask = 0
    for interval in wanted:
        mask |= universe.ports.mask(*interval)
    return mask


def _answers(row: Mapping[int, int], asked: int) -> dict[int, int]:
    """Port mask to those of the asked sources that have it; a source that no policy lets in has an empty one."""
    answers = {mask: bits & asked for mask, bits in row.items()}
    covered = 0
    for bits in answers.values():
        covered |= bits
    answers[0] = answers.get(0, 0) | (asked & ~covered)
    return answers


def classes(universe: Universe, ends: Ends) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    chosen = {id(pod) for pod in ends.pods}
    for number, members in enumerate(universe.members if chosen else ()):
        inside = [pod for pod in members if id(pod) in chosen]
        if inside:
            found[number] = inside
    for block in ends.blocks:
        for number, part in universe.outside_parts(block):
            found.setdefault(number, []).append(part)
    return found


def _query_result(
    verdicts: list[dict[str, Any]], connections: list[dict[str, str]], complete: bool, pairs: int, note: str = ""
) -> dict[str, Any]:
    return {
        "allowed": complete and pairs > 0,
        "partly": bool(connections),
        "connections": connections,
        "verdicts": verdicts,
        "notes": [note] if note else [],
        "summary": {"connections": len(connections), "pairs": pairs},
    }


def _told(
    start: Endpoint,
    target: Endpoint,
    protocol: str,
    ports: str,
    verdict: Verdict,
    request: Request,
    model: Model,
    port: int,
) -> dict[str, Any]:
    from ..lint.hints import Hints, with_hints

    decision = verdict.decisive
    told = {
        **_line(start, target, protocol, ports),
        **verdict.as_dict(),
        "policy": decision.policy if decision else "",
        "rule": decision.rule if decision else None,
        "reason": decision.reason if decision else verdict.note,
        "hints": [],
    }
    if decision and not verdict.allowed:
        said = Hints(Decider(model, model.policies, request.options)).of(start, target, protocol, port, decision)
        told["hints"] = [hint.as_dict() for hint in said]
        told["reason"] = with_hints(decision.reason, said)
    # Say so where another conforming implementation would answer otherwise.
    other = Options(not request.options.block_matches_pods, request.options.policies_select_host_network)
    second = decide(model, model.policies, start, target, protocol, port, other)
    host = Options(request.options.block_matches_pods, not request.options.policies_select_host_network)
    third = decide(model, model.policies, start, target, protocol, port, host)
    told["implementation_defined"] = (
        not (second.allowed, second.undetermined)
        == (third.allowed, third.undetermined)
        == (verdict.allowed, verdict.undetermined)
    )
    return told


def _name(endpoint: Endpoint | None) -> str:
    if isinstance(endpoint, Pod):
        return endpoint.full_name
    return format_range(endpoint) if endpoint is not None else ""


def _line(source: Endpoint, destination: Endpoint, protocol: str, ports: str) -> dict[str, str]:
    return {"from": _name(source), "to": _name(destination), "protocol": protocol, "ports": ports}
