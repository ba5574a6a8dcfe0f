"""Kubernetes objects in short form, for the tests of the NetworkPolicy agent."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

# Inside a node the agent is a top-level package: `python3 -m netpol_agent`.
SANDBOX = str(Path(__file__).resolve().parents[3] / "sandbox")
if SANDBOX not in sys.path:
    sys.path.append(SANDBOX)

NODE, OTHER_NODE = "10.250.0.21", "10.250.0.22"


def pod(
    name: str,
    address: str,
    *,
    namespace: str = "a",
    labels: dict[str, str] | None = None,
    node: str = NODE,
    ports: tuple[tuple[str, int, str], ...] = (),
    **more: Any,
) -> dict[str, Any]:
    """A running Pod; ``ports`` are (name, number, protocol)."""
    container = {"name": "c", "ports": [{"name": n, "containerPort": p, "protocol": t} for n, p, t in ports]}
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels or {},
            "creationTimestamp": more.get("created", ""),
        },
        "spec": {"containers": [container], "hostNetwork": more.get("host_network", False)},
        "status": {"phase": more.get("phase", "Running"), "podIPs": [{"ip": address}], "hostIP": node},
    }


def namespace(name: str, **labels: str) -> dict[str, Any]:
    """A Namespace with the label that every namespace has."""
    return {"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name, **labels}}}


def policy(name: str, *, namespace: str = "a", **spec: Any) -> dict[str, Any]:
    """A NetworkPolicy for all pods of its namespace unless ``podSelector`` says otherwise."""
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"podSelector": {}, **spec}}
