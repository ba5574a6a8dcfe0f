# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of objects as the API server serves them, and the paths that lead to them."""

from __future__ import annotations

from urllib.parse import quote


class Resource:
    """One kind of object as the API server serves it: group, version, plural, whether it has namespaces."""

    def __init__(self, group: str, version: str, plural: str, kind: str, namespaced: bool) -> None:
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.namespaced = namespaced

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """Path of a collection (no name), an object, or a subresource of an object."""
        parts = [f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"]
        if self.namespaced and namespace:
            parts += ["namespaces", quote(namespace)]
        parts.append(self.plural)
        if name:
            parts.append(quote(name, safe=""))
        if subresource:
            parts.append(subresource)
        return "/".join(parts)


# What this collection touches, so that no discovery call is needed for it.
KNOWN = {
    (resource.api_version, resource.kind): resource
    for resource in (
        Resource("", "v1", "namespaces", "Namespace", False),
        Resource("", "v1", "nodes", "Node", False),
        Resource("", "v1", "pods", "Pod", True),
        Resource("", "v1", "services", "Service", True),
        Resource("", "v1", "configmaps", "ConfigMap", True),
        Resource("", "v1", "secrets", "Secret", True),
        Resource("", "v1", "serviceaccounts", "ServiceAccount", True),
        Resource("", "v1", "replicationcontrollers", "ReplicationController", True),
        Resource("apps", "v1", "deployments", "Deployment", True),
        Resource("apps", "v1", "daemonsets", "DaemonSet", True),
        Resource("apps", "v1", "statefulsets", "StatefulSet", True),
        Resource("apps", "v1", "replicasets", "ReplicaSet", True),
        Resource("batch", "v1", "jobs", "Job", True),
        Resource("batch", "v1", "cronjobs", "CronJob", True),
        Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", True),
        Resource("networking.k8s.io", "v1", "ingressclasses", "IngressClass", False),
        Resource("coordination.k8s.io", "v1", "leases", "Lease", True),
        Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", False),
        Resource("storage.k8s.io", "v1", "storageclasses", "StorageClass", False),
        Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", True),
    )
}
