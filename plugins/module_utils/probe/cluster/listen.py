# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listening in the place of pods that do not: inside their network namespaces, for as long as a run lasts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from ...kube.client import Client
from ...kube.errors import KubeError
from ...kube.exec import Command, run_all
from ..model import Endpoint, Pod
from ..wire.node_script import LISTEN_SHELL, SILENCE
from ..wire.script import END_OF_PODS, END_OF_SCRIPT, END_OF_TARGETS, LOADER
from .probers import Probers


def listener(protocol: str, port: int) -> str:
    """A shell command of one line that listens on a port and answers, with agnhost or, for TCP, with netcat.

    It is empty for protocols that none of them has.
    """
    flag = {"TCP": "--tcp", "UDP": "--udp"}.get(protocol)
    if flag is None:
        return ""
    other = f"while :; do nc -l -p {port} </dev/null >/dev/null; done" if protocol == "TCP" else ":"
    return f"if [ -x /agnhost ]; then /agnhost serve-hostname {flag} --http=false --port={port}; else {other}; fi"


@dataclass
class Listeners:
    """Listens where nobody does. As a context manager it stops when it is left.

    Attributes:
        client: connection to the cluster.
        probers: the privileged pods that listen.
        seconds: after this time the listeners end by themselves.
        opened: where something listens now: pod, protocol, port.
        failed: why nothing does, by pod.
    """

    client: Client
    probers: Probers
    seconds: int
    opened: list[tuple[Pod, str, int]] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    _at_work: dict[str, Pod] = field(default_factory=dict)

    def __enter__(self) -> Listeners:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __call__(self, endpoints: list[Endpoint]) -> None:
        """Listen at endpoints. What cannot be done is noted, not raised: nothing is concluded there."""
        nodes: dict[str, dict[Pod, list[tuple[str, int]]]] = {}
        for pod, protocol, port, _address in endpoints:
            ports = nodes.setdefault(pod.node, {}).setdefault(pod, [])
            if listener(protocol, port) and (protocol, port) not in ports:
                ports.append((protocol, port))
        try:
            probers = self.probers.on(nodes)
        except KubeError as error:
            self._fail((pod for pods in nodes.values() for pod in pods), str(error))
            return
        commands = []
        for node, pods in nodes.items():
            prober = probers[node]
            if isinstance(prober, str):
                self._fail(pods, prober)
            else:
                self._at_work[node] = prober
                commands.append((node, self._command(prober, pods)))
        for node, output in run_all(self.client, commands, max(1, len(commands))):
            if isinstance(output, KubeError):
                self._fail(nodes[node], str(output))
            else:
                self._read(output.stdout, nodes[node])

    def _command(self, prober: Pod, pods: dict[Pod, list[tuple[str, int]]]) -> Command:
        lines = [LISTEN_SHELL, END_OF_SCRIPT]
        for pod, ports in pods.items():
            lines.append(f"{pod.uid} {pod.addresses[0]}")
            for protocol, port in ports:
                # The listener's process group ends itself, should nobody else be left to do it.
                program = f"{{ {listener(protocol, port)}; }} & sleep {self.seconds}; kill -9 0"
                lines.append(f"{protocol.lower()} {port} {program}")
            lines.append(END_OF_TARGETS)
        stdin = "\n".join([*lines, END_OF_PODS, ""]).encode()
        return Command(prober.namespace, prober.name, prober.container, LOADER, stdin)

    def _read(self, output: str, pods: dict[Pod, list[tuple[str, int]]]) -> None:
        by_uid = {pod.uid: pod for pod in pods}
        for line in output.splitlines():
            kind, _space, rest = line.partition(" ")
            uid, _space, rest = rest.partition(" ")
            pod = by_uid.get(uid)
            words = rest.split()
            if pod and kind == "L" and len(words) == 2 and words[1].isdigit():
                self.opened.append((pod, words[0].upper(), int(words[1])))
            elif pod and kind == "X":
                self.failed[pod.key] = rest

    def _fail(self, pods: Iterable[Pod], why: str) -> None:
        self.failed.update({pod.key: why for pod in pods})

    def close(self) -> None:
        """Stop listening. Where that cannot be said any more, the end of the prober or the deadline does it."""
        commands = [
            (node, Command(pod.namespace, pod.name, pod.container, SILENCE)) for node, pod in self._at_work.items()
        ]
        self._at_work.clear()
        with contextlib.suppress(KubeError):
            for _node, _output in run_all(self.client, commands, max(1, len(commands)), may_repeat=True):
                continue

    def rows(self) -> list[dict[str, object]]:
        """Where this run listened, as a module returns it, and where it could not."""
        found: list[dict[str, object]] = [
            {"pod": pod.key, "port": port, "protocol": protocol, "failed": None}
            for pod, protocol, port in sorted(self.opened, key=lambda one: (one[0].key, one[1], one[2]))
        ]
        found += [
            {"pod": key, "port": None, "protocol": None, "failed": why} for key, why in sorted(self.failed.items())
        ]
        return found
