# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster's namespaces, pods, workloads, Services and policies as plain objects, read with few calls."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .client import Client
from .errors import ForbiddenError
from .resource import KNOWN, Resource

_CORE = [
    ("v1", "Pod"),
    ("v1", "Service"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
]
_WORKLOADS = [
    ("apps/v1", "Deployment"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("v1", "ReplicationController"),
]
# Those that stand between a running pod and the workload that people know.
_BETWEEN = ("ReplicaSet", "Job")
# Lists that are read at the same time.
_ABREAST = 7
# Policies for the whole cluster come from an API that few clusters serve: group, kinds, versions from new to old.
_CLUSTER_POLICY_GROUP = "policy.networking.k8s.io"
_CLUSTER_POLICY_KINDS = ("ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy")

# Fields that say nothing about reachability and make most of the bytes.
_NOISE = ("managedFields",)


def take_snapshot(
    client: Client, namespaces: list[str] | None = None, running_only: bool = False
) -> list[dict[str, Any]]:
    """Read what decides about connections in a cluster.

    Args:
        client: connection to the cluster.
        namespaces: read only what lives in these namespaces (the Namespace objects of the others are read too if
            RBAC allows, since selectors need their labels); None reads the whole cluster.
        running_only: leave out workloads that are needed only to know pods which do not run.

    Returns:
        Raw API objects with apiVersion and kind: Namespaces, Pods, workloads, Services, NetworkPolicies and, where the
        cluster serves them, AdminNetworkPolicies, BaselineAdminNetworkPolicies and ClusterNetworkPolicies. Sorted by
        kind, namespace and name. Secrets and ConfigMaps are never read.

    Raises:
        ForbiddenError: RBAC does not let us; the error names the verb and the resource.
        KubeError: the API server is away.
    """
    workloads = [key for key in _WORKLOADS if not running_only or key[1] in _BETWEEN]

    def workload(key: tuple[str, str]) -> list[dict[str, Any]]:
        try:
            return _list(client, KNOWN[key], namespaces)
        except ForbiddenError:
            # Workloads only give pods their readable names; pods and policies decide.
            return []

    objects: list[dict[str, Any]] = []
    with ThreadPoolExecutor(max_workers=_ABREAST) as pool:
        # First, because what is wrong with the rights or the API server is best told of the namespaces.
        futures = [pool.submit(_namespaces, client, namespaces)]
        futures += [pool.submit(_list, client, KNOWN[key], namespaces) for key in _CORE]
        futures += [pool.submit(workload, key) for key in workloads]
        futures += [pool.submit(_cluster_wide, client)]
        try:
            for future in futures:
                objects += future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    for item in objects:
        for field in _NOISE:
            item.get("metadata", {}).pop(field, None)
    return sorted(objects, key=_order)


def _cluster_wide(client: Client) -> list[dict[str, Any]]:
    return [item for resource in _cluster_policies(client) for item in client.list_all(resource)]


def _namespaces(client: Client, names: list[str] | None) -> list[dict[str, Any]]:
    resource = KNOWN["v1", "Namespace"]
    try:
        return client.list_all(resource)
    except ForbiddenError:
        if names is None:
            raise
    # A tenant may read its own namespaces only.
    found = (client.get(resource, name) for name in names)
    return [item for item in found if item is not None]


def _list(client: Client, resource: Resource, namespaces: list[str] | None) -> list[dict[str, Any]]:
    if namespaces is None:
        return client.list_all(resource)
    # One call for the cluster is cheaper than many for its parts.
    if len(namespaces) > 8:
        try:
            wanted = set(namespaces)
            return [item for item in client.list_all(resource) if item["metadata"].get("namespace") in wanted]
        except ForbiddenError:
            pass
    return [item for namespace in namespaces for item in client.list_all(resource, namespace)]


def _cluster_policies(client: Client) -> list[Resource]:
    """The kinds of cluster-wide policies that this cluster serves, each in its newest version."""
    versions = client.versions(_CLUSTER_POLICY_GROUP)
    found: dict[str, Resource] = {}
    for version in versions:
        for kind, resource in client.served(f"{_CLUSTER_POLICY_GROUP}/{version}").items():
            if kind in _CLUSTER_POLICY_KINDS:
                found.setdefault(kind, resource)
    return [found[kind] for kind in sorted(found)]


def _order(item: dict[str, Any]) -> tuple[str, str, str]:
    metadata = item.get("metadata", {})
    return (str(item.get("kind")), str(metadata.get("namespace") or ""), str(metadata.get("name")))
