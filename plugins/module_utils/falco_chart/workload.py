# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a workload object asks for, and what its pods run: images, and the nodes that are meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def images_of(workload: Mapping[str, Any]) -> dict[str, str]:
    """Image by container, as a workload asks for it."""
    pod = ((workload.get("spec") or {}).get("template") or {}).get("spec") or {}
    return {
        str(one["name"]): str(one.get("image", ""))
        for one in [*(pod.get("initContainers") or []), *(pod.get("containers") or [])]
    }


def placement_of(workload: Mapping[str, Any]) -> dict[str, Any]:
    """What says on which nodes a workload's pods may run: C(node_selector), C(affinity) of nodes, C(tolerations)."""
    pod = ((workload.get("spec") or {}).get("template") or {}).get("spec") or {}
    return {
        "node_selector": pod.get("nodeSelector") or {},
        "affinity": (pod.get("affinity") or {}).get("nodeAffinity") or {},
        "tolerations": pod.get("tolerations") or [],
    }


def running_images(pods: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """By container the images that run, as the nodes' container runtimes name them by digest; each once."""
    found: dict[str, dict[str, None]] = {}
    for pod in pods:
        for status in (pod.get("status") or {}).get("containerStatuses") or []:
            if status.get("imageID"):
                found.setdefault(str(status["name"]), {})[str(status["imageID"])] = None
    return {name: sorted(images) for name, images in sorted(found.items())}
