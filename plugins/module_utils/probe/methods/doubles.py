# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Method C(pod): doubles of the pods connect to each other, so that nothing runs in or beside the pods themselves.

A double carries the labels of its pod, in the same namespace and on the same node, and listens on the ports that are
asked about, so that policies treat it alike and every target has a server. It is kept out of Services by a readiness
gate that nobody ever meets, and away from controllers by an owner of its own (a Job): no ReplicaSet adopts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..cluster.listen import listener
from ..cluster.workspace import Workspace
from ..model import Pod, Probe

NEVER = "falconet.k8s/never"
# Labels by which controllers recognise single pods; they are no labels of the workload.
_PERSONAL = (
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
)


@dataclass
class _Double:
    """A double to be made: whose, and the ports on which it listens."""

    original: Pod
    role: str
    ports: dict[tuple[str, int], None] = field(default_factory=dict)


class Doubles:
    """Makes doubles and rewrites probes to run between them.

    Args:
        workspace: removes the doubles; it is open. Its own namespace holds none of them.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def stand_in(self, probes: Sequence[Probe]) -> list[Probe]:
        """The same probes between doubles, in the same order. Services and addresses outside are called as they are.

        Raises:
            KubeError: a double cannot start.
        """
        wanted: dict[tuple[Any, ...], _Double] = {}
        for probe in probes:
            self._want(wanted, probe.source)
            if probe.target_pod is not None:
                self._want(wanted, probe.target_pod).ports[probe.protocol, probe.port] = None
        for double in wanted.values():
            self._make(double)
        running = self.workspace.pods([double.role for double in wanted.values()])
        return [self._rewrite(probe, wanted, running) for probe in probes]

    def _want(self, wanted: dict[tuple[Any, ...], _Double], pod: Pod) -> _Double:
        # Each pod has a double of its own: two pods of one workload also connect to each other.
        return wanted.setdefault((pod.namespace, pod.name), _Double(pod, f"double-{len(wanted)}"))

    def _make(self, double: _Double) -> None:
        original = double.original
        labels = {key: value for key, value in original.labels.items() if key not in _PERSONAL}
        container = self.workspace.container(["sh", "-c", listeners(list(double.ports))])
        container["ports"] = declared_ports(original)
        spec = {
            "nodeName": original.node,
            "tolerations": [{"operator": "Exists"}],
            "readinessGates": [{"conditionType": NEVER}],
            # Ports below 1024 without a capability: a setting of the pod's own network, which every level admits.
            "securityContext": {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]},
            "containers": [container],
        }
        self.workspace.job(double.role, spec, labels, original.namespace)

    def _rewrite(self, probe: Probe, wanted: dict[tuple[Any, ...], _Double], running: dict[str, Pod]) -> Probe:
        def double(pod: Pod) -> Pod:
            return running[wanted[pod.namespace, pod.name].role]

        source = double(probe.source)
        if probe.target_pod is None:
            # A Service's pods are the real ones, which this method leaves alone: nobody asks them whether they listen.
            return replace(probe, source=source, controls=())
        target = double(probe.target_pod)
        host = target.address(6 if ":" in probe.host else 4)
        controls = ((target, probe.protocol, probe.port),)
        return replace(probe, source=source, target_pod=target, host=host, controls=controls)


def declared_ports(pod: Pod) -> list[dict[str, Any]]:
    """Ports as the original declares them, since policies may name them."""
    names = {(number, protocol): name for (name, protocol), number in pod.named_ports.items()}
    found = []
    for number, protocol in dict.fromkeys([*pod.ports, *names]):
        name = names.get((number, protocol))
        found.append({"containerPort": number, "protocol": protocol, **({"name": name} if name else {})})
    return found


def listeners(ports: Sequence[tuple[str, int]]) -> str:
    """A shell command that listens on ports and answers."""
    lines = [f"{{ {command}; }} &" for command in (listener(protocol, port) for protocol, port in ports) if command]
    return "\n".join([*lines, "while :; do sleep 3600; done"])
