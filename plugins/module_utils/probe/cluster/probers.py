# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Privileged pods, at most one on each node, from which network namespaces and files of that node can be reached."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from ...kube.client import Client
from ...kube.errors import KubeError
from ...kube.resource import KNOWN
from ..model import Pod
from .workspace import Workspace

# A busy cluster starts a pod within this time, or the node is away.
START_SECONDS = 60.0


class Probers:
    """Probers, made on the nodes where one is asked for, when it is asked for.

    Args:
        client: connection to the cluster.
        open_workspace: gives the workspace of the privileged pods, which is opened with the first of them.
        stack: closes the workspace when the run ends.
        start_seconds: how long a prober may take to run.
    """

    def __init__(
        self,
        client: Client,
        open_workspace: Callable[[], AbstractContextManager[Workspace]],
        stack: contextlib.ExitStack,
        start_seconds: float = START_SECONDS,
    ) -> None:
        self.client = client
        self.open_workspace = open_workspace
        self.stack = stack
        self.start_seconds = start_seconds
        self._workspace: Workspace | None = None
        self._found: dict[str, Pod | str] = {}
        self._roles: dict[str, str] = {}

    def begin(self, nodes: Iterable[str]) -> None:
        """Have probers made without waiting until they run; C(on) waits.

        Raises:
            KubeError: there is no place for privileged pods at all.
        """
        for node in sorted(set(nodes)):
            if node not in self._roles:
                self._make(node)

    def on(self, nodes: Iterable[str]) -> dict[str, Pod | str]:
        """The prober of each node, or why it has none.

        Raises:
            KubeError: there is no place for privileged pods at all.
        """
        wanted = sorted(set(nodes))
        missing = [node for node in wanted if node not in self._found]
        if missing:
            away = self._away(missing)
            self._found.update(away)
            self._start([node for node in missing if node not in away])
        return {node: self._found[node] for node in wanted}

    def _away(self, nodes: list[str]) -> dict[str, str]:
        """Nodes that do not answer, with the words of the cluster: a pod put there would never start."""
        found = {}
        for node in self.client.list_all(KNOWN["v1", "Node"]):
            name = node["metadata"]["name"]
            for condition in (node.get("status") or {}).get("conditions") or []:
                if name in nodes and condition.get("type") == "Ready" and condition.get("status") != "True":
                    found[name] = f"node {name} is not Ready: {condition.get('message') or condition.get('reason')}"
        return found

    def _start(self, nodes: list[str]) -> None:
        if not nodes:
            return
        self.begin(nodes)
        roles = {self._roles[node]: node for node in nodes}
        for role, found in self._opened().start(list(roles), self.start_seconds).items():
            node = roles[role]
            self._found[node] = f"node {node} has no prober: {found.message}" if isinstance(found, KubeError) else found

    def _opened(self) -> Workspace:
        if self._workspace is None:
            self._workspace = self.stack.enter_context(self.open_workspace())
        return self._workspace

    def _make(self, node: str) -> None:
        workspace = self._opened()
        role = f"node-{len(self._roles)}"
        container = workspace.container(["sh", "-c", f"sleep {workspace.deadline_seconds}"])
        # The one thing that entering other namespaces cannot do without.
        container["securityContext"] = {"privileged": True, "runAsUser": 0}
        # It works for all pods of its node, at the same time.
        container["resources"]["limits"] = {"cpu": "2", "memory": "512Mi"}
        workspace.job(
            role,
            {
                "nodeName": node,
                "hostPID": True,
                "tolerations": [{"operator": "Exists"}],
                "containers": [container],
            },
        )
        self._roles[node] = role
