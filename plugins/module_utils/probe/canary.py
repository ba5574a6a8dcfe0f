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
#: Nodes on which it is asked; each has two pods for some seconds.
MOST_NODES = 100
_SAME, _ACROSS = "same_node", "across_nodes"
#: Policies select the one, connections go between it and the other.
_HELD, _FREE = "held", "free"
_DIRECTIONS = {"ingress": "Ingress", "egress": "Egress"}
_POLICY = KNOWN["networking.k8s.io/v1", "NetworkPolicy"]


@dataclass(frozen=True)
class _Path:
    """A connection that is tried: which direction of policy cuts it, from one pod to another."""

    direction: str
    kind: str
    client: Pod
    server: Pod

    @property
    def node(self) -> str:
        """The node that has to enforce the policy: that of the pod which it selects."""
        return self.server.node if self.direction == "ingress" else self.client.node


def enforcement(
    client: Client,
    workspace: Workspace,
    settings: Settings,
    settle_seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Find out whether policies are enforced on every node, on one node and across nodes, for ingress and for egress.

    Each node has two pods, one of which policies select; the other connects to the next node's one for ingress, and
    that one to the next node's other for egress. Without a policy they must reach each other, with policies that deny
    they must not, without these again they must: only this order proves that the policies did it. Both directions are
    asked at the same time, since a policy of one cuts no connection of the other.

    Args:
        client: connection to the cluster.
        workspace: where the pods live; it is open.
        settings: of single attempts.
        settle_seconds: how long the network may take to follow a change.
        clock: replaced in tests.

    Returns:
        C(enforced): True, False, or None if nothing could be concluded; C(why) in words; C(checks): one entry for each
        direction and path with C(enforced), C(node) (which had to enforce it), C(seconds) from the policy to its
        effect, C(detail); C(nodes), those that were asked, and C(left_out), how many were not because there are many.
    """
    paths, left_out = _start(client, workspace)
    method = ExecMethod(client)

    def ask(asked: list[_Path], expected: bool) -> list[Finding]:
        probes = [_probe(path.client, path.server, expected) for path in asked]
        return list(run(method, probes, settings, settle_seconds).findings)

    checks: list[dict[str, Any]] = []
    before = dict(zip(paths, ask(paths, True)))
    closed = {path.direction for path, found in before.items() if found.conclusion != CONCLUSION_ALLOWED}
    checks += [_entry(path, None, 0, _no_start(found)) for path, found in before.items() if path.direction in closed]
    directions = [direction for direction in _DIRECTIONS if direction not in closed]
    if directions:
        tried = [path for path in paths if path.direction not in closed]
        started = clock()
        policies = [_deny(workspace, direction) for direction in directions]
        for policy in policies:
            client.apply(policy)
        denied = ask(tried, False)
        for policy in policies:
            client.delete(_POLICY, policy["metadata"]["name"], workspace.namespace)
        after = ask(tried, True)
        waited = clock() - started
        checks += [_verdict(path, cut, again, waited) for path, cut, again in zip(tried, denied, after)]
    nodes = sorted({pod.node for path in paths for pod in (path.client, path.server)})
    return dict(_together(checks, left_out), checks=checks, nodes=nodes, left_out=left_out)


def _start(client: Client, workspace: Workspace) -> tuple[list[_Path], int]:
    """Two pods on each node, the paths between them, and how many nodes were left out."""
    usable = _nodes(client)
    if not usable:
        raise KubeError("no node is Ready and open for pods", "kubectl get nodes shows their conditions and taints.")
    nodes = usable[:MOST_NODES]
    for number, node in enumerate(nodes):
        for role in (_HELD, _FREE):
            workspace.job(
                f"{role}-{number}",
                {"nodeName": node, "containers": [workspace.container(["sh", "-c", _SERVE])]},
                labels={"falconet.k8s/canary": role},
            )
    pods = workspace.pods([f"{role}-{number}" for number in range(len(nodes)) for role in (_HELD, _FREE)])
    paths = []
    for direction in _DIRECTIONS:
        source, target = (_FREE, _HELD) if direction == "ingress" else (_HELD, _FREE)
        paths.append(_Path(direction, _SAME, pods[f"{source}-0"], pods[f"{target}-0"]))
        for number in range(len(nodes) if len(nodes) > 1 else 0):
            other = pods[f"{target}-{(number + 1) % len(nodes)}"]
            paths.append(_Path(direction, _ACROSS, pods[f"{source}-{number}"], other))
    return paths, len(usable) - len(nodes)


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


def _deny(workspace: Workspace, direction: str) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": f"falconet-probe-deny-{direction}-{workspace.run}",
            "namespace": workspace.namespace,
            "labels": workspace.labels(),
            "ownerReferences": [workspace.owner(f"{_HELD}-0")],
        },
        "spec": {
            "podSelector": {"matchLabels": {RUN_LABEL: workspace.run, "falconet.k8s/canary": _HELD}},
            "policyTypes": [_DIRECTIONS[direction]],
        },
    }


def _entry(path: _Path, enforced: bool | None, seconds: float, detail: str) -> dict[str, Any]:
    return {
        "direction": path.direction,
        "path": path.kind,
        "node": path.node,
        "enforced": enforced,
        "seconds": round(seconds, 3),
        "detail": detail,
    }


def _no_start(finding: Finding) -> str:
    said = finding.why_unknown() or finding.attempt.detail or finding.attempt.verdict
    return f"not tried: without any policy of ours the client does not reach the server ({said})"


def _verdict(path: _Path, denied: Finding, after: Finding, waited: float) -> dict[str, Any]:
    enforced, detail = enforced_on_path(denied, after)
    return _entry(path, enforced, waited if enforced is False else denied.settled_ms / 1000, detail)


def _together(checks: list[dict[str, Any]], left_out: int) -> dict[str, Any]:
    """One answer from all checks, in words too."""
    answer = enforced([check["enforced"] for check in checks])
    if answer is False:
        holes: dict[str, dict[str, None]] = {}
        for check in checks:
            if check["enforced"] is False:
                holes.setdefault(check["node"], {})[check["direction"]] = None
        told = ", ".join(f"{node} ({' and '.join(directions)})" for node, directions in sorted(holes.items()))
        where = "any node that was asked" if holes.keys() == {check["node"] for check in checks} else "every node"
        return {"enforced": answer, "why": f"policies are not enforced on {where}: {told}"}
    if answer is None:
        unknown = [
            f"{check['direction']} {check['path']} on {check['node']}: {check['detail']}"
            for check in checks
            if check["enforced"] is None
        ]
        return {"enforced": answer, "why": "nothing can be concluded: " + "; ".join(unknown)}
    slowest = max(check["seconds"] for check in checks)
    when = f"within {slowest:.1f} s" if slowest else "at once"
    rest = f"; {left_out} more nodes were not asked" if left_out else ""
    return {"enforced": answer, "why": f"each policy cut its connection {when}{rest}"}
