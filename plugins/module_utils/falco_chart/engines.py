# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Container engines: which one the nodes run, and its one socket in the chart's values.

The chart mounts every socket of every enabled engine by hostPath, and the kubelet creates what is missing as a
directory on the node (``/run/docker.sock``). So exactly the engine and the socket that the nodes have are enabled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .problems import FalcoChartError, Problem

#: Engine to the chart's name of it and its usual socket. Under Kubernetes containerd and CRI-O are read through CRI.
ENGINES: dict[str, tuple[str, str]] = {
    "containerd": ("cri", "/run/containerd/containerd.sock"),
    "crio": ("cri", "/run/crio/crio.sock"),
    "k3s": ("cri", "/run/k3s/containerd/containerd.sock"),
    "docker": ("docker", "/var/run/docker.sock"),
    "podman": ("podman", "/run/podman/podman.sock"),
}
_WITH_SOCKETS = ("docker", "podman", "containerd", "cri")
_WITHOUT_SOCKETS = ("lxc", "libvirt_lxc", "bpm")


def engine_values(engine: str, socket: str = "") -> dict[str, Any]:
    """``collectors.containerEngine.engines``: this engine with this socket (or its usual one), all others off."""
    chart_name, usual = ENGINES[engine]
    engines: dict[str, Any] = {name: {"enabled": False} for name in (*_WITH_SOCKETS, *_WITHOUT_SOCKETS)}
    engines[chart_name] = {"enabled": True, "sockets": [socket or usual]}
    return engines


def engine_of_nodes(nodes: Iterable[Mapping[str, Any]]) -> str:
    """The engine that the Node objects report (``status.nodeInfo``).

    Raises:
      FalcoChartError: no node, several engines, or one that the chart does not know; the message names the nodes.
    """
    by_engine: dict[str, list[str]] = {}
    for node in nodes:
        info = node.get("status", {}).get("nodeInfo", {})
        runtime = str(info.get("containerRuntimeVersion", "")).split("://", maxsplit=1)[0]
        kubelet = str(info.get("kubeletVersion", ""))
        engine = {"containerd": "containerd", "cri-o": "crio", "docker": "docker"}.get(runtime, runtime)
        if engine == "containerd" and ("+k3s" in kubelet or "+rke2" in kubelet):
            engine = "k3s"
        by_engine.setdefault(engine, []).append(str(node.get("metadata", {}).get("name")))
    described = "; ".join(f"{engine or 'nothing'} on {', '.join(names)}" for engine, names in sorted(by_engine.items()))
    if len(by_engine) != 1:
        message = (
            f"cannot be found out: the nodes report {described}." if by_engine else "cannot be found out: no node."
        )
        raise FalcoChartError([Problem("falco_container_engine", message, f"Set it to one of {', '.join(ENGINES)}.")])
    engine = next(iter(by_engine))
    if engine not in ENGINES:
        hint = f"Known: {', '.join(ENGINES)}, none."
        raise FalcoChartError([Problem("falco_container_engine", f"is not known to the chart: {described}.", hint)])
    return engine
