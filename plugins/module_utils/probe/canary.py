# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The canary: whether this network enforces policies at all, asked with two pods that nobody else needs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..kube.client import Client
from ..kube.errors import KubeError
from ..kube.resource import KNOWN
from .cluster.workspace import RUN_LABEL, Workspace
from .conclude import CONCLUSION_ALLOWED, Finding, enforced, enforced_on_path
from .methods.exec import ExecMethod
from .model import Pod, Probe
from .settle import run
from .wire.protocol import Settings

PORT = 8080
# Whatever the image has that listens; the images of Kubernetes' own tests have the first.
_SERVE = (
    f"if [ -x /agnhost ]; then exec /agnhost netexec --http-port={PORT} --udp-port={PORT + 1}; fi; "
    f"if command -v python3 >/dev/null; then exec python3 -m http.server {PORT}; fi; "
    f"if command -v httpd >/dev/null; then exec httpd -f -p {PORT} -h /tmp; fi; "
    f"while :; do nc -l -p {PORT} </dev/null >/dev/null; done"
)
_SAME, _ACROSS = "same_node", "across_nodes"
_POLICY = KNOWN["networking.k8s.io/v1", "NetworkPolicy"]


@dataclass(frozen=True)
class _Step:
    """A policy that must cut the connection: what it is called, whom it selects, which direction it denies."""

    direction: str
    role: str
    policy_type: str


_STEPS = (_Step("ingress", "server", "Ingress"), _Step("egress", "client", "Egress"))


def enforcement(
    client: Client,
    workspace: Workspace,
    settings: Settings,
    settle_seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Find out whether policies are enforced, on one node and across nodes, for ingress and for egress.

    A server and its clients run in the workspace. Without a policy the clients must reach the server, with a policy
    that denies they must not, without it again they must: only this order proves that the policy did it.

    Args:
        client: connection to the cluster.
        workspace: where the pods live; it is open.
        settings: of single attempts.
        settle_seconds: how long the network may take to follow a change.
        clock: replaced in tests.

    Returns:
        C(enforced): True, False, or None if nothing could be concluded; C(why) in words; C(checks): one entry for each
        direction and path with C(enforced), C(seconds) from the policy to its effect, C(detail).
    """
    pods = _start(client, workspace)
    server = pods.pop("server")
    method = ExecMethod(client)

    def ask(expected: bool) -> tuple[dict[str, Finding], float]:
        probes = [_probe(pod, server, expected) for pod in pods.values()]
        course = run(method, probes, settings, settle_seconds)
        return dict(zip(pods, course.findings)), course.seconds

    checks: list[dict[str, Any]] = []
    before, _seconds = ask(True)
    for step in _STEPS:
        if not all(finding.conclusion == CONCLUSION_ALLOWED for finding in before.values()):
            checks += [_entry(step, path, None, 0, _no_start(before[path])) for path in pods]
            continue
        started = clock()
        policy = _deny(workspace, step)
        client.apply(policy)
        denied, _seconds = ask(False)
        took = {path: finding.settled_ms / 1000 for path, finding in denied.items()}
        client.delete(_POLICY, policy["metadata"]["name"], workspace.namespace)
        before, _seconds = ask(True)
        for path in pods:
            checks.append(_verdict(step, path, denied[path], before[path], took[path], clock() - started))
    return dict(_together(checks), checks=checks, nodes=sorted({server.node, *(pod.node for pod in pods.values())}))


def _start(client: Client, workspace: Workspace) -> dict[str, Pod]:
    """Server and clients, on one node and, where there are several, on another one."""
    nodes = _nodes(client)
    if not nodes:
        raise KubeError("no node is Ready and open for pods", "kubectl get nodes shows their conditions and taints.")
    places = {"server": nodes[0], _SAME: nodes[0]}
    if len(nodes) > 1:
        places[_ACROSS] = nodes[1]
    for name, node in places.items():
        command = _SERVE if name == "server" else f"sleep {workspace.deadline_seconds}"
        role = "server" if name == "server" else "client"
        workspace.job(
            name.replace("_", "-"),
            {"nodeName": node, "containers": [workspace.container(["sh", "-c", command])]},
            labels={"falconet.k8s/canary": role},
        )
    found = workspace.pods([name.replace("_", "-") for name in places])
    return {name: found[name.replace("_", "-")] for name in places}


def _nodes(client: Client) -> list[str]:
    """Nodes that are Ready, without taints first: where a pod of no importance may run."""
    usable = []
    for node in client.list_all(KNOWN["v1", "Node"]):
        conditions = {c["type"]: c["status"] for c in (node.get("status") or {}).get("conditions") or []}
        spec = node.get("spec") or {}
        taints = [t for t in spec.get("taints") or [] if t.get("effect") in ("NoSchedule", "NoExecute")]
        if conditions.get("Ready") == "True" and not spec.get("unschedulable") and not taints:
            usable.append(node["metadata"]["name"])
    return sorted(usable)


def _probe(pod: Pod, server: Pod, expected: bool) -> Probe:
    return Probe(
        source=pod,
        protocol="TCP",
        host=server.addresses[0],
        port=PORT,
        target=server.key,
        target_pod=server,
        controls=((server, "TCP", PORT),),
        expected=expected,
    )


def _deny(workspace: Workspace, step: _Step) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": f"falconet-probe-deny-{step.direction}-{workspace.run}",
            "namespace": workspace.namespace,
            "labels": workspace.labels(),
            "ownerReferences": [workspace.owner("server")],
        },
        "spec": {
            "podSelector": {"matchLabels": {RUN_LABEL: workspace.run, "falconet.k8s/canary": step.role}},
            "policyTypes": [step.policy_type],
        },
    }


def _entry(step: _Step, path: str, enforced: bool | None, seconds: float, detail: str) -> dict[str, Any]:
    return {
        "direction": step.direction,
        "path": path,
        "enforced": enforced,
        "seconds": round(seconds, 3),
        "detail": detail,
    }


def _no_start(finding: Finding) -> str:
    said = finding.why_unknown() or finding.attempt.detail or finding.attempt.verdict
    return f"not tried: without any policy of ours the client does not reach the server ({said})"


def _verdict(step: _Step, path: str, denied: Finding, after: Finding, settled: float, waited: float) -> dict[str, Any]:
    enforced, detail = enforced_on_path(denied, after)
    return _entry(step, path, enforced, waited if enforced is False else settled, detail)


def _together(checks: list[dict[str, Any]]) -> dict[str, Any]:
    """One answer from all checks, in words too."""
    answer = enforced([check["enforced"] for check in checks])
    if answer is False:
        holes = [f"{check['direction']} {check['path']}" for check in checks if check["enforced"] is False]
        return {"enforced": answer, "why": "policies are not enforced: " + ", ".join(holes)}
    if answer is None:
        unknown = [
            f"{check['direction']} {check['path']}: {check['detail']}" for check in checks if check["enforced"] is None
        ]
        return {"enforced": answer, "why": "nothing can be concluded: " + "; ".join(unknown)}
    slowest = max(check["seconds"] for check in checks)
    when = f"within {slowest:.1f} s" if slowest else "at once"
    return {"enforced": answer, "why": f"each policy cut its connection {when}"}
