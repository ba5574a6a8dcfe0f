"""Node objects as clusters have them."""

from __future__ import annotations

from typing import Any

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


def node(name: str, *addresses: str, control_plane: bool = True, pods: str = "", **annotations: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "labels": {CONTROL_PLANE: ""} if control_plane else {},
            "annotations": {key.replace("__", "/").replace("_", "."): value for key, value in annotations.items()},
        },
        "spec": {"podCIDRs": [pods]} if pods else {},
        "status": {
            "addresses": [
                {"type": "Hostname", "address": name},
                *({"type": "InternalIP", "address": address} for address in addresses),
            ]
        },
    }
