# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of Kubernetes' API: verbs, resources with their group and scope, requests that last, who is in a group.

Sources: https://kubernetes.io/docs/reference/kubernetes-api/, `k8s.io/apiserver/pkg/endpoints/request/requestinfo.go`
and `pkg/server/config.go` (`LongRunningFunc`), for Kubernetes 1.35.
"""

from __future__ import annotations

from typing import NamedTuple

READS = ("get", "list", "watch")
WRITES = ("create", "update", "patch")
VERBS = (*READS, *WRITES, "delete", "deletecollection")
"""The verbs of requests for resources."""

METHODS = ("get", "head", "options", "patch", "post", "put", "delete")
"""The verbs of requests for other paths."""

NAMING_VERBS = frozenset(("get", "update", "patch", "delete"))
"""Verbs whose requests have the object's name in their URL; what is created has none yet."""

LASTING_SUBRESOURCES = frozenset(("attach", "exec", "portforward", "proxy", "log"))
"""Requests for these last, as watches do; they alone have the stage ResponseStarted."""

CONNECTING_SUBRESOURCES = frozenset(("attach", "exec", "portforward", "proxy"))
"""What passes through these is never recorded, at no level."""

GROUP_NAMES = {
    "system:nodes": "system:node:",
    "system:serviceaccounts": "system:serviceaccount:",
}
"""How the names begin of those whom Kubernetes puts into these groups."""

NOBODY = "system:unauthenticated"
"""The group of requests without a user; the name of their user is system:anonymous."""

ACCOUNTS_OF = "system:serviceaccounts:"
"""The group of all accounts of a namespace begins with this; its members are in the group of all accounts, too."""


class Resource(NamedTuple):
    """Where a resource is found.

    Attributes:
        groups: API groups; the empty one is the core.
        namespaced: whether its objects are in namespaces.
    """

    groups: tuple[str, ...]
    namespaced: bool


def _of(group: str, namespaced: bool, names: str) -> dict[str, Resource]:
    return {name: Resource((group,), namespaced) for name in names.split()}


RESOURCES: dict[str, Resource] = {
    **_of(
        "",
        True,
        "bindings configmaps endpoints limitranges persistentvolumeclaims pods podtemplates replicationcontrollers "
        "resourcequotas secrets serviceaccounts services",
    ),
    **_of("", False, "componentstatuses namespaces nodes persistentvolumes"),
    **_of("apps", True, "controllerrevisions daemonsets deployments replicasets statefulsets"),
    **_of("batch", True, "cronjobs jobs"),
    **_of("autoscaling", True, "horizontalpodautoscalers"),
    **_of("policy", True, "poddisruptionbudgets"),
    **_of("networking.k8s.io", True, "ingresses networkpolicies"),
    **_of("networking.k8s.io", False, "ingressclasses ipaddresses servicecidrs"),
    **_of("rbac.authorization.k8s.io", True, "roles rolebindings"),
    **_of("rbac.authorization.k8s.io", False, "clusterroles clusterrolebindings"),
    **_of("authentication.k8s.io", False, "tokenreviews selfsubjectreviews"),
    **_of("authorization.k8s.io", False, "subjectaccessreviews selfsubjectaccessreviews selfsubjectrulesreviews"),
    **_of("authorization.k8s.io", True, "localsubjectaccessreviews"),
    **_of("coordination.k8s.io", True, "leases"),
    **_of("discovery.k8s.io", True, "endpointslices"),
    **_of("storage.k8s.io", False, "csidrivers csinodes storageclasses volumeattachments"),
    **_of("storage.k8s.io", True, "csistoragecapacities"),
    **_of("certificates.k8s.io", False, "certificatesigningrequests clustertrustbundles"),
    **_of(
        "admissionregistration.k8s.io",
        False,
        "mutatingwebhookconfigurations validatingwebhookconfigurations validatingadmissionpolicies "
        "validatingadmissionpolicybindings",
    ),
    **_of("apiextensions.k8s.io", False, "customresourcedefinitions"),
    **_of("apiregistration.k8s.io", False, "apiservices"),
    **_of("scheduling.k8s.io", False, "priorityclasses"),
    **_of("node.k8s.io", False, "runtimeclasses"),
    **_of("flowcontrol.apiserver.k8s.io", False, "flowschemas prioritylevelconfigurations"),
    "events": Resource(("", "events.k8s.io"), True),
}
"""Resources that Kubernetes itself has. Others may have the same name in another group; they are not meant."""

_SCALED = ("scale", "status")
_STATUS = ("status",)
SUBRESOURCES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("configmaps", "secrets", "endpoints", "endpointslices", "events", "leases", "limitranges"), ()),
    **dict.fromkeys(("roles", "rolebindings", "clusterroles", "clusterrolebindings", "tokenreviews"), ()),
    **dict.fromkeys(("deployments", "statefulsets", "replicasets", "replicationcontrollers"), _SCALED),
    **dict.fromkeys(("daemonsets", "jobs", "cronjobs", "ingresses", "persistentvolumeclaims"), _STATUS),
    "pods": (
        "attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "proxy", "resize",
        "status",
    ),
    "services": ("proxy", "status"),
    "nodes": ("proxy", "status"),
    "namespaces": ("finalize", "status"),
    "serviceaccounts": ("token",),
}  # fmt: skip
"""The subresources of those resources of which they are known."""

CREATED_SUBRESOURCES = frozenset(("attach", "binding", "eviction", "exec", "portforward", "proxy", "token"))
"""Those that requests of the verb create are for."""

OF_PODS = frozenset(("attach", "binding", "ephemeralcontainers", "eviction", "exec", "portforward"))
"""Subresources that pods alone have."""

SESSIONS = frozenset(("attach", "exec", "portforward"))
"""Subresources that are asked for by get or create."""
