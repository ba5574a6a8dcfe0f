# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer to a question: the run in the cluster, and its result as C(netpol_probe) returns it."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

from ..kube.client import Client
from ..kube.resource import KNOWN
from ..kube.snapshot import take_snapshot
from . import canary
from .cluster import cni
from .cluster.listen import Listeners
from .cluster.probers import Probers
from .cluster.workspace import workspace_of
from .conclude import OBSERVED, UNPROVEN, VIOLATED, Finding, fails, matrix, without_the_gone
from .methods.auto import AutoMethod
from .methods.doubles import Doubles
from .methods.exec import ExecMethod
from .methods.node import NodeMethod
from .methods.outside import OutsideLater
from .model import Method, pods_of
from .plan import Plan, make_plan
from .question import Question
from .settle import Course, run, summary


def answer(client: Client, question: Question) -> tuple[bool, dict[str, Any]]:
    """Answer a question.

    Args:
        client: connection to the cluster.
        question: what is asked.

    Returns:
        Whether the answer fails the module, and the module's result without C(changed).
    """
    if question.canary:
        result = enforcement(client, question)
        violated, unproven = result["enforced"] is False, result["enforced"] is None
    else:
        result = connectivity(client, question)
        violated, unproven = bool(result["violations"]), bool(result["unproven"])
    return fails(violated, unproven, question.violation_fails, question.unproven_fails), result


def _probers(client: Client, question: Question, stack: contextlib.ExitStack) -> Probers:
    return Probers(client, lambda: workspace_of(client, question.own_pods, privileged=True), stack)


def _method(client: Client, question: Question, probers: Probers) -> Method:
    by_exec, by_node = ExecMethod(client, question.parallel), NodeMethod(client, probers)
    methods: dict[str, Method] = {"exec": by_exec, "node": by_node, "auto": AutoMethod(by_exec, by_node)}
    return methods[question.method]


def connectivity(client: Client, question: Question) -> dict[str, Any]:
    """Try connections and compare them with what is expected.

    Args:
        client: connection to the cluster.
        question: what is asked.

    Returns:
        The module's result without C(changed).
    """
    plan = make_plan(take_snapshot(client, running_only=True), question.wish)
    if question.method == "pod":
        return _between_doubles(client, question, plan)
    own_pods, settings = question.own_pods, question.attempts
    with contextlib.ExitStack() as stack:
        probers = _probers(client, question, stack)
        method = _method(client, question, probers)
        outside = None if question.method == "exec" else OutsideLater(client, own_pods, settings)
        with Listeners(client, probers, own_pods.deadline_seconds) as listeners:
            listen = listeners if question.listen else None
            course = run(method, plan.probes, settings, question.settle_seconds, outside, listen)
        course.findings = _of_those_that_stayed(client, course.findings)
        chosen = _chosen(method, course)
    return dict(_result(plan, course), method=chosen, listened=listeners.rows(), api_calls=client.calls)


def _between_doubles(client: Client, question: Question, plan: Plan) -> dict[str, Any]:
    """Method C(pod): the probes run between doubles, and the findings are told of the pods that they stand for."""
    course = Course()
    if plan.probes:
        # The doubles live where their pods do; any of these namespaces does as the workspace's own.
        place = question.own_pods.namespace or plan.probes[0].source.namespace
        with workspace_of(client, replace(question.own_pods, namespace=place)) as workspace:
            probes = Doubles(workspace).stand_in(plan.probes)
            method = ExecMethod(client, question.parallel)
            course = run(method, probes, question.attempts, question.settle_seconds)
            course.findings = _of_those_that_stayed(client, course.findings)
        told = zip(course.findings, plan.probes)
        course.findings = [replace(finding, probe=original) for finding, original in told]
    chosen = {"name": "pod", "why": "asked for", "node": []}
    return dict(_result(plan, course), method=chosen, listened=[], api_calls=client.calls)


def _of_those_that_stayed(client: Client, findings: list[Finding]) -> list[Finding]:
    if not findings:
        return findings
    return without_the_gone(findings, {p.uid for p in pods_of(client.list_all(KNOWN["v1", "Pod"])) if p.running})


def _chosen(method: Method, course: Course) -> dict[str, Any]:
    reasons = getattr(method, "reasons", {})
    sources = {finding.probe.source.key for finding in course.findings}
    if method.name != "auto":
        return {"name": method.name, "why": "asked for", "node": []}
    if not reasons:
        return {"name": "exec", "why": "every source has a shell and a tool", "node": []}
    some = "some sources lack" if sources - set(reasons) else "no source has"
    why = f"{some} a shell or a tool: {next(iter(reasons.values()))}"
    return {"name": "exec, node" if sources - set(reasons) else "node", "why": why, "node": sorted(reasons)}


def _result(plan: Plan, course: Course) -> dict[str, Any]:
    rows = [finding.row() for finding in course.findings]
    missed = [gap.row() for gap in plan.gaps]
    # A flow that was required or forbidden and could not be tried is not proven.
    unproven = [row for row in rows if row["status"] == UNPROVEN]
    open_flows = [row for row in missed if row["expected"] is not None]
    violations = [row for row in rows if row["status"] == VIOLATED]
    return dict(
        summary(course),
        results=rows,
        violations=violations,
        unproven=unproven + open_flows,
        not_probed=missed,
        matrix=matrix(course.findings),
        msg=_message(rows, violations, unproven, open_flows),
    )


def _message(
    rows: list[dict[str, Any]],
    violations: list[dict[str, Any]],
    unproven: list[dict[str, Any]],
    open_flows: list[dict[str, Any]],
) -> str:
    observed = sum(1 for row in rows if row["status"] == OBSERVED)
    text = f"{len(rows)} connections tried: {len(violations)} against expectation, {len(unproven)} without proof"
    if observed:
        text += f", {observed} only observed"
    if open_flows:
        text += f"; {len(open_flows)} expected ones could not be tried"
    for row in violations[:3]:
        text += (
            f". {row['from']} -> {row['to']} on {row['port']}/{row['protocol']} should be {row['expected']} "
            f"and is {row['conclusion']} ({row['verdict']})"
        )
        if row["because"]:
            text += f"; the policies say: {row['because']}"
    for row in (unproven + open_flows)[:1] if not violations else []:
        text += f". {row['from']} -> {row['to']}: {row.get('detail') or row.get('why')}"
    return text


def enforcement(client: Client, question: Question) -> dict[str, Any]:
    """Find out by a canary whether policies are enforced, and say what is known of the network plugin."""
    plugins = cni.detect(client)
    with workspace_of(client, question.own_pods) as workspace:
        found = canary.enforcement(client, workspace, question.attempts, question.settle_seconds)
    unread: dict[str, str] = {}
    if question.cni_configuration == "always" or (question.cni_configuration == "auto" and not plugins):
        with contextlib.ExitStack() as stack:
            read, unread = cni.read_nodes(client, _probers(client, question, stack), found["nodes"])
        known = {entry["name"] for entry in plugins}
        plugins += [entry for entry in read if entry["name"] not in known]
    return dict(found, cni=plugins, cni_unread=unread, msg=found["why"], api_calls=client.calls)
