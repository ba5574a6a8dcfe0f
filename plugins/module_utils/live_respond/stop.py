# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of what runs: the pod is deleted, its workload has no pods any more, or its node takes no further ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..kube.client import Client
from ..kube.errors import KubeError
from ..kube.resource import KNOWN

HOWS = ("delete", "scale", "cordon")
_POD = KNOWN["v1", "Pod"]
_NODE = KNOWN["v1", "Node"]
_MERGE = "application/merge-patch+json"
_WITH_REPLICAS = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")


def stop(client: Client, how: str, pod: Mapping[str, Any], owners: Sequence[Mapping[str, Any]], change: bool) -> str:
    """Stop what a pod does.

    Args:
        client: connection to the cluster.
        how: one of HOWS.
        pod: as it was before it was held, since a pod that is held has no controller.
        owners: who owns it, from the nearest on, as they were then.
        change: whether anything is changed.

    Returns:
        What is done, in words.

    Raises:
        KubeError: it cannot be done, or a permission is missing.
    """
    metadata = pod["metadata"]
    if how == "delete":
        if change:
            client.delete(_POD, metadata["name"], metadata["namespace"], uid=metadata.get("uid"))
        return f"Pod {metadata['name']} is deleted"
    if how == "cordon":
        node = (pod.get("spec") or {}).get("nodeName")
        if not node:
            raise KubeError(f"{metadata['name']} is on no node, so none can be cordoned")
        if change:
            client.call("PATCH", _NODE, None, node, body={"spec": {"unschedulable": True}}, content_type=_MERGE)
        return f"Node {node} takes no further pods"
    top = owners[-1] if owners else None
    if top is None or top["kind"] not in _WITH_REPLICAS:
        what = f"{top['kind']} {top['metadata']['name']} has no replicas" if top else "no workload owns the pod"
        raise KubeError(f"nothing can be scaled to zero: {what}", "Delete the pod, or cordon its node.")
    name = top["metadata"]["name"]
    if change:
        resource = client.resource(top["apiVersion"], top["kind"])
        body = {"spec": {"replicas": 0}}
        client.call("PATCH", resource, metadata["namespace"], name, body=body, content_type=_MERGE)
    return f"{top['kind']} {name} is scaled to zero"
