# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate's part on NetworkPolicies: valid, linted, flows held, and connections compared with the revision before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..common.finding import Finding
from ..common.junit import Case, Suite
from ..falco.judge.validate import fails
from ..live_netpol.inputs import read_paths
from ..netpol.ask.analysis import answer
from ..netpol.ask.assertions import Violation, check
from ..netpol.ask.request import Request
from ..netpol.errors import FlowError, NetpolError, Problem
from ..netpol.flows.vocabulary import Flow, parse_flows
from ..netpol.lint.lint import lint
from ..netpol.lint.peers import told_elsewhere
from ..netpol.model.objects import Model, Options
from ..netpol.read.manifests import Input, load
from .policy_questions import Question, ask
from .section import Section, changes_of, counted
from .tree import Tree

KIND = "policies"
INVALID = "invalid-object"
"""The code of what the API server would refuse."""
LIMIT = 1000
"""Pairs that are told one by one; of more, products of sources and destinations are."""


@dataclass(frozen=True)
class PolicySet:
    """One entry of the option C(policies).

    Attributes:
        name: how it is called.
        paths: manifests of policies and workloads, files and directories.
        required_flows, forbidden_flows: in the words of the vocabulary for flows.
        questions: about the set as a whole, as fields of L(policy_questions.Question).
    """

    name: str
    paths: Sequence[str]
    required_flows: Sequence[Any] = ()
    forbidden_flows: Sequence[Any] = ()
    questions: Sequence[Mapping[str, Any]] = ()


def policies_section(policies: PolicySet, after: Tree, before: Tree | None, fail_on: Sequence[str]) -> Section:
    """Judge one set of manifests.

    Args:
        policies: what is judged.
        after: the revision that is to be merged.
        before: the one that it is compared with; None compares with nothing.
        fail_on: from which severity on findings count as failure, as one word.
    """
    if not policies.paths:
        return Section(KIND, policies.name, (f"policies[{policies.name}].paths names no file: nothing to judge",))
    try:
        model = load(_inputs(after, after.paths(policies.paths)), "skip")
    except NetpolError as error:
        return Section(KIND, policies.name, (after.told(str(error)),))
    invalid = [_finding(problem) for problem in model.errors]
    counts = _counts(model)
    if invalid:
        suite = Suite(f"{KIND} {policies.name}", [_case(one.item or one.file, policies.name, one) for one in invalid])
        return Section(KIND, policies.name, counted(invalid), tuple(invalid), counts=counts, suites=(suite,))
    findings = lint(model, model.policies, Options())
    cases, reasons = _flows(policies, model)
    answers = [ask(Question(**one), policies.name, model, after) for one in policies.questions]
    reasons = [*counted(fails(findings, fail_on)), *reasons, *(one.reason for one in answers if one.reason)]
    findings = [*findings, *(finding for one in answers for finding in one.findings)]
    groups: dict[str, Sequence[str]] = {}
    notes = [*model.notes, *told_elsewhere(model)]
    notes += [note for one in answers for note in one.notes]
    if before is not None:
        groups, said = _compared(policies, model, before)
        notes += said
    counts["findings"] = len(findings)
    counts["flows"] = len(cases)
    suites = [Suite(f"{KIND} {policies.name} flows", cases)] if cases else []
    if answers:
        counts["questions"] = len(answers)
        suites.append(Suite(f"{KIND} {policies.name} questions", [one.case for one in answers]))
    return Section(
        KIND,
        policies.name,
        tuple(reasons),
        tuple(findings),
        changes_of(groups),
        counts,
        tuple(notes),
        suites=tuple(suites),
    )


def _inputs(tree: Tree, paths: Sequence[str]) -> list[Input]:
    return [one._replace(name=tree.told(one.name)) for one in read_paths(paths)]


def _finding(problem: Problem) -> Finding:
    path = f"{problem.path}: " if problem.path else ""
    message = path + problem.message
    return Finding(INVALID, "error", problem.source, problem.line, None, problem.object, message, problem.hint)


def _case(name: str, of: str, finding: Finding) -> Case:
    return Case(name, f"gate.{KIND}.{of}", failure=finding.message, text=finding.hint)


def _counts(model: Model) -> dict[str, int]:
    pods = sum(1 for pod in model.pods if not pod.finished)
    return {"pods and templates": pods, "policies": len(model.policies)}


def _flows(policies: PolicySet, model: Model) -> tuple[list[Case], list[str]]:
    """A case for each flow, and why those that do not hold do not."""
    cases: list[Case] = []
    reasons: list[str] = []
    for kind, given in (("required", policies.required_flows), ("forbidden", policies.forbidden_flows)):
        try:
            flows = parse_flows(given, f"{kind}_flows")
        except FlowError as error:
            reasons.append(str(error))
            continue
        for flow, said in zip(flows, _violations(model, kind, flows)):
            classname = f"gate.{KIND}.{policies.name}.{kind}"
            cases.append(Case(str(flow), classname, failure=None if said is None else said.split("\n")[0]))
            reasons += [] if said is None else [said]
    return cases, reasons


def _violations(model: Model, kind: str, flows: Sequence[Flow]) -> list[str | None]:
    """Of each flow why it does not hold, or None; one that names what is not there does not stop the others."""

    def held(some: Sequence[Flow]) -> list[Violation]:
        required, forbidden = (some, ()) if kind == "required" else ((), some)
        return check(model, model.policies, required, forbidden, Options())

    try:
        by_path = {one.path: one.message for one in held(flows)} if flows else {}
        return [by_path.get(flow.path) for flow in flows]
    except FlowError:
        return [_alone(held, flow) for flow in flows]


def _alone(held: Any, flow: Flow) -> str | None:
    try:
        return next((one.message for one in held([flow])), None)
    except FlowError as error:
        return str(error)


def _compared(policies: PolicySet, model: Model, before: Tree) -> tuple[dict[str, Sequence[str]], list[str]]:
    """Connections and labels that are different from the revision before, and notes."""
    there = before.existing(policies.paths)
    if not there:
        return {}, ["The revision before does not have these manifests: all of them are new."]
    try:
        old = load(_inputs(before, there))
    except NetpolError:
        return {}, ["The revision before is not valid, so nothing is compared with it."]
    found = answer(Request("diff", limit=LIMIT), model, old)
    summary = found["summary"]
    groups: dict[str, Sequence[str]] = {
        title: [_change(one) for one in found["difference"][kind]]
        for kind, title in (
            ("gained", "Connections gained"),
            ("lost", "Connections lost"),
            ("changed", "Connections on other ports"),
        )
    }
    groups["Labels"] = [_relabelled(one) for one in found["relabelled"]]
    notes = []
    if found["truncated"]:
        pairs = ", ".join(f"{summary[kind]} {kind}" for kind in ("gained", "lost", "changed"))
        notes.append(f"More than {LIMIT} pairs of workloads change ({pairs}), so they are not listed.")
    return groups, notes


def _change(one: dict[str, Any]) -> str:
    before, after = _ports(one["before"]), _ports(one["after"])
    ports = f"{before} => {after}" if before and after else before or after
    return f"{one['from']} -> {one['to']}: {ports}"


def _ports(ports: Sequence[dict[str, str]]) -> str:
    return ", ".join(
        "all" if (one["protocol"], one["ports"]) == ("all", "all") else f"{one['protocol']} {one['ports']}"
        for one in ports
    )


def _relabelled(one: dict[str, Any]) -> str:
    sides = ["nothing" if one[side] is None else " or ".join(one[side]) for side in ("before", "after")]
    return f"{one['kind']} {one['name']}: {' => '.join(sides)}"
