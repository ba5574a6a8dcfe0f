# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Method C(exec): one command in each source pod tries all its targets with the tools of the pod's own image."""

from __future__ import annotations

from ...kube.client import Client
from ...kube.errors import KubeError
from ...kube.exec import Command, run_all
from ..model import Batch
from ..wire.protocol import PROBE_FAILED, Attempt, Settings, pod_input, read
from ..wire.script import READER


class ExecMethod:
    """Tries connections from inside the pods themselves.

    Args:
        client: connection to the cluster.
        parallel: pods that try at the same time.
    """

    name = "exec"

    def __init__(self, client: Client, parallel: int = 16) -> None:
        self.client = client
        self.parallel = parallel

    def attempt(self, batch: Batch, settings: Settings) -> dict[int, Attempt]:
        commands = [
            (
                pod,
                Command(
                    namespace=pod.namespace,
                    pod=pod.name,
                    container=pod.container,
                    argv=READER,
                    stdin=pod_input(targets, settings),
                    timeout_seconds=settings.longest_seconds(len(targets)),
                ),
            )
            for pod, targets in batch.items()
        ]
        attempts: dict[int, Attempt] = {}
        for pod, output in run_all(self.client, commands, self.parallel, may_repeat=True):
            targets = batch[pod]
            if isinstance(output, KubeError):
                shell_less = _has_no_shell(output)
                way_out = ". Its image has no shell; method node needs none" if shell_less else ""
                failed = Attempt(PROBE_FAILED, None, f"{output}{way_out}", image_lacks=shell_less)
                attempts.update({target.ident: failed for target in targets})
            else:
                attempts.update(read(output.stdout, targets, error=output.stderr))
        return attempts


def _has_no_shell(error: KubeError) -> bool:
    """Whether the runtime found no shell to start; it tells so in words alone."""
    text = str(error)
    return "executable file not found" in text or "no such file or directory" in text
