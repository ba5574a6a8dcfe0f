# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions that can be asked of a cluster's policies, answered as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..decide.verdict import Endpoint
from ..errors import NetpolError
from ..flows.ends import select
from ..flows.vocabulary import parse_flows, parse_peer
from ..model.objects import Model
from .notes import address_note
from .request import DEFAULT_LIMIT, MAX_EXPLANATIONS, QUESTIONS, RELATIONS, WHOLE, Request

if TYPE_CHECKING:
    from ..decide.matrix import Matrix
    from .focus import Focus

# Late imports: each question reads what answers it; all of them together take longer to import than a query to answer.


def answer(request: Request, model: Model, before: Model | None = None) -> dict[str, Any]:
    """Answers one question.

    Args:
        request: what is asked.
        model: the cluster; for a difference, as it will be.
        before: for a difference, the cluster as it is; for a question about two sets of policies, the other set.

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
    from .focus import Focus

    focus = Focus(request.focus, request.focus_peers, request.focus_direction, request.ports)
    universe = Universe(model, [model.policies], request.options, focus.intervals)
    groups = Groups(universe, request.by, request.label)
    focus.resolve(groups.names)
    matrix = Matrix(Engine(universe, model.policies), groups, request.outside)
    total = matrix.count()
    result: dict[str, Any] = {"summary": {"connections": total}, "members": groups.names, "undetermined": []}
    if not matrix.engine.is_determined:
        _undetermined(request, matrix, result)
    if focus:
        return {**result, **_focused(request, matrix, focus)}
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


def _focused(request: Request, matrix: Matrix, focus: Focus) -> dict[str, Any]:
    """The connections that a focus keeps, as far as the limit goes."""
    asked = matrix.ports.full
    if focus.intervals:
        asked = 0
        for interval in focus.intervals:
            asked |= matrix.ports.mask(*interval)
    wanted = set(request.namespaces)
    found: list[dict[str, Any]] = []
    number = 0
    for destination, sources, mask in matrix.pairs():
        texts = matrix.ports.texts(mask & asked)
        for source in sources if texts else ():
            if not focus.keeps(source, destination):
                continue
            if wanted and not {source.split("/")[0], destination.split("/")[0]} & wanted:
                continue
            number += len(texts)
            for protocol, ports in texts if number <= request.limit else ():
                found.append({"from": source, "to": destination, "protocol": protocol, "ports": ports})
    return {"connections": found, "truncated": number > len(found), "summary": {"connections": number}}


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
        result["notes"] = [address_note(f"{number} pairs depend", matrix.engine.universe.model)]
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


def _query(request: Request, model: Model, _before: Model | None) -> dict[str, Any]:
    from .query import query

    return query(request, model)


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
        result["notes"] = [address_note("connections may depend", model)]
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
    from .query import classes

    universe = Universe(model, [model.policies], request.options)
    every = representatives(model, universe, request.outside)
    sides = []
    for given, path in ((request.source, "from"), (request.destination, "to")):
        if given is None:
            sides.append(every)
            continue
        ends = select(model, parse_peer(given, path, source=path == "from"))
        parts: list[Endpoint] = [item for members in classes(universe, ends).values() for item in members]
        sides.append(parts)
    limit = min(request.limit, MAX_EXPLANATIONS) if request.limit == DEFAULT_LIMIT else request.limit
    found, left_out = explain(model, model.policies, sides[0], sides[1], request.options, limit, request.verdict)
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
    from .exposure import exposure
    from .exposure_rules import by_rule
    from .exposure_text import sentences

    items, determined = exposure(model, model.policies, request.options)
    if request.namespaces:
        items = [item for item in items if item["workload"].split("/")[0] in request.namespaces]
    notes = [] if determined else [address_note("connections may depend", model)]
    return {"exposure": items, "rules": by_rule(items), "text": sentences(items), "notes": notes}


def _lint(request: Request, model: Model, _before: Model | None) -> dict[str, Any]:
    from ..lint.finding import row, told
    from ..lint.lint import lint
    from ..lint.peers import told_elsewhere

    findings = lint(model, model.policies, request.options)
    counts = {
        severity: sum(1 for finding in findings if finding.severity == severity)
        for severity in ("error", "warning", "info")
    }
    return {
        "findings": [row(finding) for finding in findings],
        "text": [told(finding) for finding in findings],
        "notes": told_elsewhere(model),
        "summary": {f"{severity}s": number for severity, number in counts.items()},
    }


def _routes(request: Request, model: Model, _before: Model | None) -> dict[str, Any]:
    from ..decide.reference import Decider
    from ..lint.routes import leads

    found = list(leads(Decider(model, model.policies, request.options)))
    if request.namespaces:
        found = [lead for lead in found if {lead.route.namespace, lead.pod.namespace} & set(request.namespaces)]
    return {
        "routes": [lead.as_dict() for lead in found],
        "text": [str(lead) for lead in found],
        "summary": {"routes": len(model.routes), "cut": sum(not lead.allowed for lead in found)},
    }


def _policy_sets(request: Request, model: Model, others: Model | None) -> dict[str, Any]:
    from .policy_sets import policy_sets

    return policy_sets(request, model, others)


_ANSWERS: Mapping[str, Any] = {
    "matrix": _matrix,
    "query": _query,
    "diff": _diff,
    "assert": _assert,
    "explain": _explain,
    "exposure": _exposure,
    "lint": _lint,
    "routes": _routes,
    **dict.fromkeys((*RELATIONS, *WHOLE), _policy_sets),
}
