# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking for addresses outside the cluster from where no policy stands."""

from __future__ import annotations

from ...kube.client import Client
from ...kube.errors import KubeError
from ..cluster.workspace import workspace_of
from ..model import Place
from ..question import OwnPods
from ..wire.protocol import ALLOWED, Settings, Target
from .exec import ExecMethod


class OutsideLater:
    """Asks for addresses outside from a pod in a namespace without policies, made when the first one is needed.

    Args:
        client: connection to the cluster.
        own_pods: how the pod is made.
        settings: of single attempts.

    Attributes:
        why_not: why that was not possible; empty if it was, or was not tried.
    """

    def __init__(self, client: Client, own_pods: OwnPods, settings: Settings) -> None:
        self.client = client
        self.own_pods = own_pods
        self.settings = settings
        self.why_not = ""

    def __call__(self, places: list[Place]) -> dict[Place, bool | None]:
        targets = [Target(n, protocol, host, port) for n, (host, protocol, port) in enumerate(places)]
        try:
            with workspace_of(self.client, self.own_pods) as workspace:
                command = ["sh", "-c", f"sleep {workspace.deadline_seconds}"]
                workspace.job("outside", {"containers": [workspace.container(command)]})
                pod = workspace.pods(["outside"])["outside"]
                found = ExecMethod(self.client).attempt({pod: targets}, self.settings)
        except KubeError as error:
            self.why_not = str(error)
            return {}
        # That it does not answer here proves nothing about its listening: this pod, too, may be cut off.
        return {place: True if found[n].verdict == ALLOWED else None for n, place in enumerate(places)}
