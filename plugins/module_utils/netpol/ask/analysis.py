# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions that can be asked of a cluster's policies, answered as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..decide.reference import Endpoint, Verdict, decide
from ..errors import FlowError, NetpolError
from ..flows.ends import intervals, select
from ..flows.vocabulary import Flow, parse_flows, parse_peer, parse_ports
from ..model.addresses import Range, format_range
from ..model.objects import Model, Options, Pod

if TYPE_CHECKING:
    from ..decide.matrix import Matrix

# Late imports: each question reads what answers it; all of them together take longer to import than a query to answer.

QUESTIONS = ("matrix", "query", "diff", "exposure", "explain", "lint", "assert")

#: Pairs whose verdict a query tells in full.
MAX_VERDICTS = 200
#: More connections than this are not listed one by one, unless a request has its own limit.
DEFAULT_LIMIT = 100_000
#: The same for explanations, each of which is a few sentences.
MAX_EXPLANATIONS = 10_000


class Request(NamedTuple):
    """What is asked.

    Attributes:
        question: one of C(QUESTIONS).
        by: grouping of the matrix and of a difference: pod, workload, namespace or label.
        label: label key for C(by=label).
        outside: whether addresses outside the cluster take part.
        namespaces: keep only lines with an end in these namespaces; empty for all.
        limit: more connections than this are not listed one by one.
        source: a flow's C(from), for query and explain.
        destination: a flow's C(to).
        ports: a flow's C(ports).
        required_flows: flows for C(assert).
        forbidden_flows: flows for C(assert).
        options: answers to what is left to implementations.
    """

    question: str = "matrix"
    by: str = "workload"
    label: str | None = None
    outside: bool = True
    namespaces: tuple[str, ...] = ()
    limit: int = DEFAULT_LIMIT
    source: object = None
    destination: object = None
    ports: object = None
    required_flows: object = None
    forbidden_flows: object = None
    options: Options = Options()


def answer(request: Request, model: Model, before: Model | None = None) -> dict[str, Any]:
    """Answers one question.

    Args:
        request: what is asked.
        model: the cluster; for a difference, as it will be.
        before: for a difference, the cluster as it is.

    Returns:
        Plain data; always C(connections), C(problems), C(not_analysed), C(notes) and C(summary), else what the question
        adds.

    Raises:
        NetpolError: the request names something that does not exist, or does not fit the question.
    """
    if request.question not in QUESTIONS:
        raise NetpolError(f"unknown question {request.question!r}: one of {', '.join(QUESTIONS)}")
    result: dict[str, Any] = _ANSWERS[request.question](request, model, before)
    result.setdefault("connections", [])
    problems = list(model.problems) + [p for p in (before.problems if before else []) if p not in model.problems]
    result["problems"] = [problem.as_dict() for problem in problems]
    left_out = dict.fromkeys([*model.not_analysed, *(before.not_analysed if before else ())])
    result["not_analysed"] = [item.as_dict() for item in left_out]
    result["skipped"] = dict(model.skipped)
    notes = dict.fromkeys([*model.notes, *(before.notes if before else ()), *result.get("notes", ())])
    if "text" in result:
        result["text"] = [*result["text"], *notes]
    result["notes"] = list(notes)
    result["summary"] = {
        "namespaces": len(model.namespaces),
        "pods": sum(1 for pod in model.pods if not pod.finished and not pod.template),
        "templates": sum(1 for pod in model.pods if pod.template),
        "finished_pods": sum(1 for pod in model.pods if pod.finished),
        "policies": len(model.policies),
        **result.get("summary", {}),
    }
    return result


def _matrix(request: Request, model: Model, _before: Model | None) -> dict[str, Any]:
    from ..decide.engine import Engine
    from ..decide.matrix import Groups, Matrix
    from ..decide.universe import Universe

    universe = Universe(model, [model.policies], request.options)
    groups = Groups(universe, request.by, request.label)
    matrix = Matrix(Engine(universe, model.policies), groups, request.outside)
    total = matrix.count()
    result: dict[str, Any] = {"summary": {"connections": total}, "members": groups.names, "undetermined": []}
    if not matrix.engine.is_determined:
        _undetermined(request, matrix, result)
    if total > request.limit:
        result["blocks"] = list(matrix.compact())
        result["truncated"] = True
        return result
    wanted = set(request.namespaces)
    connections = []
    for destination, sources, mask in matrix.pairs():
        texts = matrix.ports.texts(mask)
        keep = not wanted or destination.split("/")[0] in wanted
        for source in sources:
            if keep or source.split("/")[0] in wanted:
                for protocol, ports in texts:
                    connections.append({"from": source, "to": destination, "protocol": protocol, "ports": ports})
    result["connections"] = connections
    result["truncated"] = False
    return result


def _undetermined(request: Request, matrix: Matrix, result: dict[str, Any]) -> None:
    """What may be allowed beyond a matrix, and a note that says so."""
    from ..decide.engine import Engine
    from ..decide.matrix import Matrix
    from .diff import change_blocks, count, members

    engine = matrix.engine
    wide = Matrix(Engine(engine.universe, engine.policies, possible=True), matrix.groups, request.outside)
    counted = count(matrix, wide)
    number = counted["gained"] + counted["changed"]
    if number:
        result["notes"] = [address_note(f"{number} pairs depend")]
    result["summary"]["undetermined"] = number
    if number > request.limit:
        return
    for block in change_blocks(matrix, wide):
        texts = matrix.ports.texts(block.after & ~block.before)
        for source, destination in members(matrix, wide, block):
            if request.namespaces and not {source.split("/")[0], destination.split("/")[0]} & set(request.namespaces):
                continue
            for protocol, ports in texts:
                result["undetermined"].append({"from": source, "to": destination, "protocol": protocol, "ports": ports})
    result["undetermined"].sort(key=lambda item: tuple(item.values()))


def address_note(what: str) -> str:
    """What is said where answers depend on addresses that are not known."""
    return (
        f"undetermined: {what} on addresses that pods do not have yet; they count as denied,"
        " and pod_cidrs says where they will lie"
    )


def _query(request: Request, model: Model, _before: Model | None) -> dict[str, Any]:
    flow = Flow(
        name="",
        source=parse_peer(request.source, "from", source=True),
        destination=parse_peer(request.destination, "to"),
        ports=parse_ports(request.ports, "ports"),
        path="query",
    )
    sources, destinations = select(model, flow.source), select(model, flow.destination)
    if sources.block is not None and destinations.block is not None:
        raise FlowError("to", "both ends are outside", "policies are about pods")
    asked: list[tuple[Endpoint, Endpoint, str, int, int]] = []
    single = all(block is None or block.first == block.last for block in (sources.block, destinations.block))
    for target in destinations.pods or (destinations.block,):
        wanted = intervals(model, flow, target if isinstance(target, Pod) else None)
        if not wanted:
            raise FlowError("ports", f"{_name(target)} has no such named port", "give the number, or declare it")
        for start in sources.pods or (sources.block,):
            if start is target and isinstance(start, Pod) and start.template and start.replicas < 2:
                continue
            if start is None or target is None:
                continue  # cannot be: select() gives pods or a block, or raises
            for protocol, first, last in wanted:
                asked.append((start, target, protocol, first, last))
                single = single and first == last
        if len(asked) > MAX_VERDICTS:
            single = False
            break
    if not single:
        return _query_many(request, model, flow)
    verdicts = []
    connections = []
    for start, target, protocol, first, _last in asked:
        verdict = decide(model, model.policies, start, target, protocol, first, request.options)
        verdicts.append(_told(start, target, protocol, str(first), verdict, request, model, first))
        if verdict.allowed:
            connections.append(_line(start, target, protocol, str(first)))
    return _query_result(verdicts, connections, all(v["allowed"] for v in verdicts), len(verdicts))


def _query_many(request: Request, model: Model, flow: Flow) -> dict[str, Any]:
    """A query over ranges of ports or addresses, or over many pods: by the engine, with a verdict for each class."""
    from ..decide.engine import Engine, spread
    from ..decide.universe import Universe, from_indices

    sources, destinations = select(model, flow.source), select(model, flow.destination)
    extra = [i for pod in destinations.pods or (None,) for i in intervals(model, flow, pod)]
    universe = Universe(model, [model.policies], request.options, extra)
    engine = Engine(universe, model.policies)
    possible = engine if engine.is_determined else Engine(universe, model.policies, possible=True)
    starts, targets = _classes(universe, sources), _classes(universe, destinations)
    connections: list[dict[str, str]] = []
    verdicts: list[dict[str, Any]] = []
    complete, pairs = True, 0
    asked_bits = from_indices(starts)
    for number, receivers in targets.items():
        wanted = 0
        for interval in intervals(model, flow, receivers[0] if isinstance(receivers[0], Pod) else None):
            wanted |= universe.ports.mask(*interval)
        answers = _answers(engine.row(number), asked_bits)
        wide = spread(_answers(possible.row(number), asked_bits)) if possible is not engine else {}
        for mask, bits in answers.items():
            given = mask & wanted
            for index, senders in starts.items():
                if not bits >> index & 1:
                    continue
                for start in senders:
                    for target in receivers:
                        if start is target and isinstance(start, Pod) and start.replicas < 2:
                            continue
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
                                    text = str(first) if first == last else f"{first}-{last}"
                                    verdicts.append(
                                        _told(start, target, protocol, text, verdict, request, model, first)
                                    )
    return _query_result(verdicts, connections, complete, pairs)


def _answers(row: Mapping[int, int], asked: int) -> dict[int, int]:
    """Port mask to those of the asked sources that have it; a source that no policy lets in has an empty one."""
    answers = {mask: bits & asked for mask, bits in row.items()}
    covered = 0
    for bits in answers.values():
        covered |= bits
    answers[0] = answers.get(0, 0) | (asked & ~covered)
    return answers


def _classes(universe: Any, ends: Any) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    if ends.block is None:
        chosen = {id(pod) for pod in ends.pods}
        for number, members in enumerate(universe.members):
            inside = [pod for pod in members if id(pod) in chosen]
            if inside:
                found[number] = inside
        return found
    for number, ranges in enumerate(universe.outside):
        for item in ranges:
            if item.family == ends.block.family and item.first <= ends.block.last and ends.block.first <= item.last:
                part = Range(item.family, max(item.first, ends.block.first), min(item.last, ends.block.last))
                found.setdefault(universe.pod_classes + number, []).append(part)
    return found


def _query_result(
    verdicts: list[dict[str, Any]], connections: list[dict[str, str]], complete: bool, pairs: int
) -> dict[str, Any]:
    return {
        "allowed": complete and pairs > 0,
        "partly": bool(connections),
        "connections": connections,
        "verdicts": verdicts,
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
    from ..lint.hints import hints

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
        said = hints(model, model.policies, start, target, protocol, port, decision, request.options)
        told["hints"] = [hint.as_dict() for hint in said]
        told["reason"] = "; ".join([decision.reason, *(f"{hint.message} [{hint.code}]" for hint in said)])
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


def _diff(request: Request, model: Model, before: Model | None) -> dict[str, Any]:
    from .diff import changes, compact, count
    from .sides import labels_changed, matrices

    if before is None:
        raise NetpolError("a difference needs the cluster before the change")
    old, new = matrices(before, model, request.by, request.label, request.outside, request.options)
    counted = count(old, new)
    difference: dict[str, list[dict[str, Any]]] = {"gained": [], "lost": [], "changed": []}
    relabelled = labels_changed(before, model)
    if request.namespaces:
        relabelled = [item for item in relabelled if item.namespace in request.namespaces]
    result: dict[str, Any] = {
        "summary": {**counted, "relabelled": len(relabelled)},
        "difference": difference,
        "relabelled": [item.as_dict() for item in relabelled],
        "text": [str(item) for item in relabelled],
        "truncated": False,
    }
    if not (old.engine.is_determined and new.engine.is_determined):
        result["notes"] = [address_note("connections may depend")]
    if sum(counted.values()) > request.limit:
        result["truncated"] = True
        result["blocks"] = list(compact(old, new))
        result["text"] += [f"{kind}: {number} pairs" for kind, number in counted.items()]
        return result
    wanted = set(request.namespaces)
    for change in changes(old, new):
        if wanted and not {change.source.split("/")[0], change.destination.split("/")[0]} & wanted:
            continue
        difference[change.kind].append(change.as_dict())
        result["text"].append(f"{change.kind}: {change}")
    result["connections"] = [
        {"from": item["from"], "to": item["to"], **ports}
        for kind in ("gained", "changed")
        for item in difference[kind]
        for ports in item["after"]
    ]
    return result


def _assert(request: Request, model: Model, _before: Model | None) -> dict[str, Any]:
    from .assertions import check

    required = parse_flows(request.required_flows, "required_flows")
    forbidden = parse_flows(request.forbidden_flows, "forbidden_flows")
    if not required and not forbidden:
        raise NetpolError("assert needs required_flows or forbidden_flows")
    violations = check(model, model.policies, required, forbidden, request.options)
    return {
        "holds": not violations,
        "violations": [violation.as_dict() for violation in violations],
        "text": [violation.message for violation in violations],
        "summary": {"flows": len(required) + len(forbidden), "violations": len(violations)},
    }


def _explain(request: Request, model: Model, _before: Model | None) -> dict[str, Any]:
    from ..decide.universe import Universe
    from .explain import explain, representatives

    universe = Universe(model, [model.policies], request.options)
    every = representatives(model, universe, request.outside)
    sides = []
    for given, path in ((request.source, "from"), (request.destination, "to")):
        if given is None:
            sides.append(every)
            continue
        ends = select(model, parse_peer(given, path, source=path == "from"))
        parts: list[Endpoint] = [item for members in _classes(universe, ends).values() for item in members]
        sides.append(parts)
    limit = min(request.limit, MAX_EXPLANATIONS) if request.limit == DEFAULT_LIMIT else request.limit
    found, left_out = explain(model, model.policies, sides[0], sides[1], request.options, limit)
    return {
        "truncated": bool(left_out),
        "notes": [left_out] if left_out else [],
        "explanations": [item.as_dict() for item in found],
        "text": [str(item) for item in found],
        "connections": [
            {"from": item.source, "to": item.destination, "protocol": protocol, "ports": ports}
            for item in found
            if item.verdict.allowed
            for protocol, ports in item.texts
        ],
    }


def _exposure(request: Request, model: Model, _before: Model | None) -> dict[str, Any]:
    from .exposure import exposure, sentences

    items, determined = exposure(model, model.policies, request.options)
    if request.namespaces:
        items = [item for item in items if item["workload"].split("/")[0] in request.namespaces]
    notes = [] if determined else [address_note("connections may depend")]
    return {"exposure": items, "text": sentences(items), "notes": notes}


def _lint(request: Request, model: Model, _before: Model | None) -> dict[str, Any]:
    from ..lint.finding import row, told
    from ..lint.lint import lint

    findings = lint(model, model.policies, request.options)
    counts = {
        severity: sum(1 for finding in findings if finding.severity == severity)
        for severity in ("error", "warning", "info")
    }
    return {
        "findings": [row(finding) for finding in findings],
        "text": [told(finding) for finding in findings],
        "summary": {f"{severity}s": number for severity, number in counts.items()},
    }


_ANSWERS: Mapping[str, Any] = {
    "matrix": _matrix,
    "query": _query,
    "diff": _diff,
    "assert": _assert,
    "explain": _explain,
    "exposure": _exposure,
    "lint": _lint,
}
