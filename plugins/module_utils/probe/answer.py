# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions that C(netpol_probe) asks, from its options to its result."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

from ..kube.client import Client
from ..kube.errors import KubeError
from ..kube.resource import KNOWN
from ..kube.snapshot import take_snapshot
from . import canary
from .cluster import cni
from .cluster.listen import Listeners
from .cluster.probers import Probers
from .cluster.workspace import Workspace
from .methods.doubles import Doubles
from .methods.exec import ExecMethod
from .methods.node import NodeMethod
from .model import (
    CONCLUSION_ALLOWED,
    CONCLUSION_DENIED,
    CONCLUSION_UNKNOWN,
    OBSERVED,
    UNPROVEN,
    VIOLATED,
    Batch,
    Finding,
    pods_of,
)
from .plan import Plan, Wish, make_plan
from .settle import Course, Method, Place, run, summary
from .wire.protocol import ALLOWED, PROBE_FAILED, Attempt, Settings, Target


class AutoMethod:
    """Method C(auto): exec, and node for the pods whose image cannot do it.

    Args:
        first: method exec.
        second: method node, whose pods are made when they are first needed.
    """

    name = "auto"

    def __init__(self, first: Method, second: Method) -> None:
        self.first = first
        self.second = second
        self.reasons: dict[str, str] = {}

    def attempt(self, batch: Batch, settings: Settings) -> dict[int, Attempt]:
        by_exec = {pod: targets for pod, targets in batch.items() if pod.key not in self.reasons}
        attempts = self.first.attempt(by_exec, settings) if by_exec else {}
        for pod, targets in by_exec.items():
            for target in targets:
                attempt = attempts[target.ident]
                if attempt.verdict == PROBE_FAILED and attempt.image_lacks:
                    self.reasons[pod.key] = attempt.detail
        by_node = {pod: targets for pod, targets in batch.items() if pod.key in self.reasons}
        if by_node:
            attempts.update(self._by_node(by_node, settings, attempts))
        return attempts

    def _by_node(self, batch: Batch, settings: Settings, before: dict[int, Attempt]) -> dict[int, Attempt]:
        try:
            return self.second.attempt(batch, settings)
        except KubeError as error:
            why = f"; method node cannot be used either: {error}"
            targets = [target for targets in batch.values() for target in targets]
            return {
                t.ident: Attempt(PROBE_FAILED, None, (before[t.ident].detail if t.ident in before else "") + why)
                for t in targets
            }


class OutsideLater:
    """Asks for addresses outside from a pod in a namespace without policies, made when the first one is needed.

    Attributes:
        why_not: why that was not possible; empty if it was, or was not tried.
    """

    def __init__(self, client: Client, params: dict[str, Any]) -> None:
        self.client = client
        self.params = params
        self.why_not = ""

    def __call__(self, places: list[Place]) -> dict[Place, bool | None]:
        targets = [Target(n, protocol, host, port) for n, (host, protocol, port) in enumerate(places)]
        try:
            with _workspace(self.client, self.params, privileged=False) as workspace:
                command = ["sh", "-c", f"sleep {workspace.deadline_seconds}"]
                workspace.job("outside", {"containers": [workspace.container(command)]})
                pod = workspace.pods(["outside"])["outside"]
                found = ExecMethod(self.client).attempt({pod: targets}, _settings(self.params))
        except KubeError as error:
            self.why_not = str(error)
            return {}
        # That it does not answer here proves nothing about its listening: this pod, too, may be cut off.
        return {place: True if found[n].verdict == ALLOWED else None for n, place in enumerate(places)}


def _workspace(client: Client, params: dict[str, Any], privileged: bool) -> Workspace:
    return Workspace(
        client,
        params["image"],
        namespace=params["work_namespace"],
        privileged=privileged,
        deadline_seconds=params["deadline_seconds"],
        pull_policy=params["image_pull_policy"],
        pull_secrets=tuple(params["image_pull_secrets"]),
    )


def _settings(params: dict[str, Any]) -> Settings:
    payload = params["udp_payload"]
    settings = Settings(wait_seconds=params["connect_timeout"], bound=params["concurrency"])
    if payload is None:
        return settings
    return Settings(settings.wait_seconds, settings.bound, payload.encode())


def _probers(client: Client, params: dict[str, Any], stack: contextlib.ExitStack) -> Probers:
    return Probers(client, lambda: _workspace(client, params, privileged=True), stack)


def _method(client: Client, params: dict[str, Any], probers: Probers) -> Method:
    by_exec, by_node = ExecMethod(client, params["parallel"]), NodeMethod(client, probers)
    methods: dict[str, Method] = {"exec": by_exec, "node": by_node, "auto": AutoMethod(by_exec, by_node)}
    return methods[params["method"]]


def connectivity(client: Client, params: dict[str, Any]) -> dict[str, Any]:
    """Try connections and compare them with what is expected.

    Args:
        client: connection to the cluster.
        params: options of C(netpol_probe).

    Returns:
        The module's result without C(changed).
    """
    wish = Wish(
        required=params["required_flows"],
        forbidden=params["forbidden_flows"],
        observed=params["flows"],
        namespaces=params["namespaces"],
        ports=params["ports"] or None,
        matrix=params["expected_matrix"],
        analysis=params["expected"] == "analysis",
        families=params["ip_families"],
        by_name=params["service_names"],
        pods_per_workload=params["pods_per_workload"],
    )
    plan = make_plan(take_snapshot(client, running_only=True), wish)
    if params["method"] == "pod":
        return _between_doubles(client, params, plan)
    with contextlib.ExitStack() as stack:
        probers = _probers(client, params, stack)
        method = _method(client, params, probers)
        outside = None if params["method"] == "exec" else OutsideLater(client, params)
        with Listeners(client, probers, params["deadline_seconds"]) as listeners:
            listen = listeners if params["listen"] else None
            course = run(method, plan.probes, _settings(params), params["settle_seconds"], outside, listen)
        course.findings = _without_the_gone(client, course.findings)
        chosen = _chosen(method, course)
    return dict(_result(plan, course), method=chosen, listened=listeners.rows(), api_calls=client.calls)


def _between_doubles(client: Client, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
    """Method C(pod): the probes run between doubles, and the findings are told of the pods that they stand for."""
    course = Course()
    if plan.probes:
        # The doubles live where their pods do; any of these namespaces does as the workspace's own.
        place = dict(params, work_namespace=params["work_namespace"] or plan.probes[0].source.namespace)
        with _workspace(client, place, privileged=False) as workspace:
            probes = Doubles(workspace).stand_in(plan.probes)
            course = run(ExecMethod(client, params["parallel"]), probes, _settings(params), params["settle_seconds"])
            course.findings = _without_the_gone(client, course.findings)
        told = zip(course.findings, plan.probes)
        course.findings = [replace(finding, probe=original) for finding, original in told]
    chosen = {"name": "pod", "why": "asked for", "node": []}
    return dict(_result(plan, course), method=chosen, listened=[], api_calls=client.calls)


def _without_the_gone(client: Client, findings: list[Finding]) -> list[Finding]:
    """Findings, with nothing concluded about pods that went away while they were asked.

    The address of such a pod is silent, or another pod has it already: neither says anything about policies.
    """
    if not findings:
        return findings
    alive = {pod.uid for pod in pods_of(client.list_all(KNOWN["v1", "Pod"])) if pod.running}

    def told(finding: Finding) -> Finding:
        probe = finding.probe
        ends = [probe.source, *([probe.target_pod] if probe.target_pod else [])]
        if finding.conclusion == CONCLUSION_DENIED:
            ends += [pod for pod, _protocol, _port in probe.controls]
        gone = next((pod.key for pod in ends if pod.uid not in alive), None)
        if gone is None or finding.conclusion == CONCLUSION_UNKNOWN:
            return finding
        attempt = Attempt(PROBE_FAILED, None, f"{gone} went away or ended meanwhile", finding.attempt.tool)
        return replace(finding, attempt=attempt)

    return [told(finding) for finding in findings]


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
        matrix=_matrix(course),
        msg=_message(rows, violations, unproven, open_flows),
    )


def _matrix(course: Course) -> list[dict[str, Any]]:
    """Outcome by workload, in the form that C(expected_matrix) takes; a workload whose pods differ has none."""
    found: dict[tuple[str, str, int, str], set[str]] = {}
    for finding in course.findings:
        probe = finding.probe
        if probe.target_pod is None:
            continue
        source = f"{probe.source.namespace}/{probe.source.workload}"
        target = f"{probe.target_pod.namespace}/{probe.target_pod.workload}"
        found.setdefault((source, target, probe.port, probe.protocol), set()).add(finding.conclusion)
    return [
        {
            "from": source,
            "to": target,
            "port": port,
            "protocol": protocol,
            "allowed": outcome == {CONCLUSION_ALLOWED},
        }
        for (source, target, port, protocol), outcome in sorted(found.items())
        if len(outcome) == 1 and "unknown" not in outcome
    ]


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


def enforcement(client: Client, params: dict[str, Any]) -> dict[str, Any]:
    """Find out by a canary whether policies are enforced, and say what is known of the network plugin."""
    plugins = cni.detect(client)
    with _workspace(client, params, privileged=False) as workspace:
        found = canary.enforcement(client, workspace, _settings(params), params["settle_seconds"])
    unread: dict[str, str] = {}
    if params["cni_configuration"] == "always" or (params["cni_configuration"] == "auto" and not plugins):
        with contextlib.ExitStack() as stack:
            read, unread = cni.read_nodes(client, _probers(client, params, stack), found["nodes"])
        known = {entry["name"] for entry in plugins}
        plugins += [entry for entry in read if entry["name"] not in known]
    return dict(found, cni=plugins, cni_unread=unread, msg=found["why"], api_calls=client.calls)
