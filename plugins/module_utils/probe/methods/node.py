# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Method C(node): one privileged pod on each node enters the network namespaces of the pods there.

Nothing is added to any application pod and nothing of its image is used, so images without a shell work too. Names are
not resolved: the resolver's settings belong to the file system of a pod, which is not entered.
"""

from __future__ import annotations

import ipaddress

from ...kube.client import Client
from ...kube.errors import KubeError
from ...kube.exec import Command, run_all
from ..cluster.probers import Probers
from ..model import Batch, Pod
from ..wire.protocol import PROBE_FAILED, Attempt, Settings, node_input, read
from ..wire.script import READER


class NodeMethod:
    """Tries connections from the network namespaces of pods.

    Args:
        client: connection to the cluster.
        probers: the privileged pods.
        parallel: pods that try at the same time on one node.
    """

    name = "node"

    def __init__(self, client: Client, probers: Probers, parallel: int = 8) -> None:
        self.client = client
        self.probers = probers
        self.parallel = parallel

    def attempt(self, batch: Batch, settings: Settings) -> dict[int, Attempt]:
        attempts: dict[int, Attempt] = {}
        nodes: dict[str, Batch] = {}
        for pod, targets in batch.items():
            entered = []
            for target in targets:
                if _is_address(target.host):
                    entered.append(target)
                else:
                    attempts[target.ident] = Attempt(PROBE_FAILED, None, "names are resolved by method exec only")
            if entered:
                nodes.setdefault(pod.node, {})[pod] = entered
        probers = self.probers.on(nodes)
        commands = []
        for node, pods in nodes.items():
            prober = probers[node]
            if isinstance(prober, str):
                attempts.update(_all_failed(pods, prober))
            else:
                commands.append((node, self._command(prober, pods, settings)))
        for node, output in run_all(self.client, commands, max(1, len(commands)), may_repeat=True):
            pods = nodes[node]
            if isinstance(output, KubeError):
                attempts.update(_all_failed(pods, str(output)))
                continue
            idents = {pod.uid: [target.ident for target in targets] for pod, targets in pods.items()}
            everything = [target for targets in pods.values() for target in targets]
            attempts.update(read(output.stdout, everything, idents, output.stderr))
        return attempts

    def _command(self, prober: Pod, pods: Batch, settings: Settings) -> Command:
        total = sum(len(targets) for targets in pods.values())
        rounds = 1 + len(pods) // self.parallel
        return Command(
            namespace=prober.namespace,
            pod=prober.name,
            container=prober.container,
            argv=READER,
            stdin=node_input(
                [(pod.uid, pod.addresses[0], targets) for pod, targets in pods.items()], settings, self.parallel
            ),
            timeout_seconds=settings.longest_seconds(total) + rounds * (settings.wait_seconds + 5),
        )


def _all_failed(pods: Batch, why: str) -> dict[int, Attempt]:
    return {target.ident: Attempt(PROBE_FAILED, None, why) for targets in pods.values() for target in targets}


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
