# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to the API that raise rules for audit events, so that these can be proven.

Most rules tell of what somebody tried. For these the API server gets what its validation refuses, so that nothing is
made; the audit event has the request all the same. Rules that tell of what was done get objects that are empty and gone
at once.
A dry run raises nothing, since the rules of this collection know it for what it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

#: Label of what is made, by which it is found again after a run that was killed.
LABELS = {"app.kubernetes.io/managed-by": "falconet.k8s", "falconet.k8s/purpose": "audit-trigger"}
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_NOBODY = "falconet.invalid/none"


@dataclass(frozen=True)
class Request:
    """One request.

    Attributes:
      method, path: of HTTP; the path is escaped.
      body: what is sent as JSON; None sends nothing.
      content_type: of the body.
    """

    method: str
    path: str
    body: Any = None
    content_type: str = "application/json"


@dataclass(frozen=True)
class Trigger:
    """What raises one rule.

    Attributes:
      rule: its name.
      requests: the last of them raises it.
      undo: requests that take back what was made; empty where the API server refuses all.
    """

    rule: str
    requests: Sequence[Request]
    undo: Sequence[Request] = field(default_factory=tuple)


def _in(namespace: str, plural: str, name: str = "", part: str = "") -> str:
    return "/".join(one for one in (f"/api/v1/namespaces/{namespace}/{plural}", name, part) if one)


def _pod(mark: str, namespace: str, more: Mapping[str, Any], container: Mapping[str, Any] | None = None) -> Request:
    # No such policy of restarts: refused by validation, whatever else is in it.
    one = {"name": "none", "image": _NOBODY, **(container or {})}
    spec = {"restartPolicy": "Falconet", "containers": [one], **more}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": mark, "labels": LABELS}, "spec": spec}
    return Request("POST", _in(namespace, "pods"), body)


def _cluster_role(mark: str, resources: list[str], verbs: list[str]) -> Request:
    # A percent sign cannot be in the name.
    rules = [{"apiGroups": [""], "resources": resources, "verbs": verbs}]
    metadata = {"name": f"{mark}%", "labels": LABELS}
    body = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules}
    return Request("POST", f"{_RBAC}/clusterroles", body)


def _cluster_admin(mark: str) -> Request:
    body = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"{mark}%", "labels": LABELS},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [],
    }
    return Request("POST", f"{_RBAC}/clusterrolebindings", body)


def _core(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": LABELS}, **more}


#: By rule: the request that is refused, for a mark and a namespace.
_REFUSED: dict[str, Callable[[str, str], Request]] = {
    "Create Privileged Pod": lambda m, n: _pod(m, n, {}, {"securityContext": {"privileged": True}}),
    "Create Sensitive Mount Pod": lambda m, n: _pod(m, n, {"volumes": [{"name": "etc", "hostPath": {"path": "/etc"}}]}),
    "Create HostNetwork Pod": lambda m, n: _pod(m, n, {"hostNetwork": True}),
    "Create HostPid Pod": lambda m, n: _pod(m, n, {"hostPID": True}),
    "Create HostIPC Pod": lambda m, n: _pod(m, n, {"hostIPC": True}),
    "Pod Created in Kube Namespace": lambda m, n: _pod(m, "kube-system", {}),
    "EphemeralContainers Created": lambda m, n: Request(
        "PATCH",
        _in(n, "pods", m, "ephemeralcontainers"),
        {"spec": {"ephemeralContainers": [{"name": "none", "image": _NOBODY}]}},
        "application/strategic-merge-patch+json",
    ),
    "Attach/Exec Pod": lambda m, n: Request("POST", _in(n, "pods", m, "exec") + "?command=true&stdout=true"),
    "port-forward": lambda m, n: Request("POST", _in(n, "pods", m, "portforward")),
    "System ClusterRole Modified/Deleted": lambda m, n: Request(
        "PATCH", f"{_RBAC}/clusterroles/system:{m}", {"metadata": {"labels": LABELS}}, "application/merge-patch+json"
    ),
    "Attach to cluster-admin Role": lambda m, n: _cluster_admin(m),
    "ClusterRole With Wildcard Created": lambda m, n: _cluster_role(m, ["*"], ["*"]),
    "ClusterRole With Pod Exec Created": lambda m, n: _cluster_role(m, ["pods/exec"], ["get"]),
    "ClusterRole With Write Privileges Created": lambda m, n: _cluster_role(m, ["configmaps"], ["update"]),
    # A service has a port.
    "Create NodePort Service": lambda m, n: Request(
        "POST", _in(n, "services"), _core("Service", m, spec={"type": "NodePort", "ports": []})
    ),
    # A key has no blank.
    "Create/Modify Configmap With Private Credentials": lambda m, n: Request(
        "POST", _in(n, "configmaps"), _core("ConfigMap", m, data={"no key": "password=none"})
    ),
    # Neither name has an underscore.
    "Create Disallowed Namespace": lambda m, n: Request("POST", "/api/v1/namespaces", _core("Namespace", f"{m}_")),
    "Untrusted Node Unsuccessfully Tried to Join the Cluster": lambda m, n: Request(
        "POST", "/api/v1/nodes", _core("Node", f"{m}_")
    ),
}


def _empty(kind: str, version: str, mark: str) -> dict[str, Any]:
    """An object of a kind that does nothing."""
    nobody = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "falconet-none"}
    labels = {"app": mark}
    pods = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "none", "image": _NOBODY}]}}
    backend = {"service": {"name": mark, "port": {"number": 80}}}
    known: dict[str, dict[str, Any]] = {
        "Deployment": {"spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": pods}},
        "Service": {"spec": {"clusterIP": "None", "ports": [{"port": 80}]}},
        "Role": {"rules": []},
        "ClusterRole": {"rules": []},
        "RoleBinding": {"roleRef": nobody, "subjects": []},
        "ClusterRoleBinding": {"roleRef": nobody, "subjects": []},
        "Ingress": {"spec": {"ingressClassName": "falconet-none", "defaultBackend": backend}},
        "ServiceAccount": {"automountServiceAccountToken": False},
    }
    return {**_core(kind, mark), "apiVersion": version, **known.get(kind, {})}


#: Kinds whose making and deleting are told: how rules call them, version, plural, whether they have a namespace.
_KINDS = (
    ("Deployment", "Deployment", "apps/v1", "deployments", True),
    ("Service", "Service", "v1", "services", True),
    ("ConfigMap", "ConfigMap", "v1", "configmaps", True),
    ("Namespace", "Namespace", "v1", "namespaces", False),
    ("Serviceaccount", "ServiceAccount", "v1", "serviceaccounts", True),
    ("Role", "Role", "rbac.authorization.k8s.io/v1", "roles", True),
    ("ClusterRole", "ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", False),
    ("RoleBinding", "RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings", True),
    ("ClusterRoleBinding", "ClusterRoleBinding", "rbac.authorization.k8s.io/v1", "clusterrolebindings", False),
    ("Secret", "Secret", "v1", "secrets", True),
)


def _collection(version: str, plural: str, namespace: str) -> str:
    top = f"/apis/{version}" if "/" in version else f"/api/{version}"
    return f"{top}/namespaces/{namespace}/{plural}" if namespace else f"{top}/{plural}"


def _made(rule: str, kind: str, version: str, path: str, mark: str) -> Trigger:
    create, delete = Request("POST", path, _empty(kind, version, mark)), Request("DELETE", f"{path}/{mark}")
    if rule.endswith("Deleted"):
        return Trigger(rule, (create, delete))
    if rule.endswith("Get Successfully"):
        return Trigger(rule, (create, Request("GET", f"{path}/{mark}")), (delete,))
    return Trigger(rule, (create,), (delete,))


def _done(mark: str, namespace: str) -> dict[str, Trigger]:
    """Triggers that make something, by their rule."""
    account = ("ServiceAccount", "v1", _collection("v1", "serviceaccounts", "kube-system"))
    ingress = ("Ingress", "networking.k8s.io/v1", _collection("networking.k8s.io/v1", "ingresses", namespace))
    wanted = [
        ("Service Account Created in Kube Namespace", *account),
        ("Ingress Object without TLS Certificate Created", *ingress),
    ]
    for called, kind, version, plural, namespaced in _KINDS:
        path = _collection(version, plural, namespace if namespaced else "")
        wanted += [(f"K8s {called} {what}", kind, version, path) for what in ("Created", "Deleted")]
        if kind == "Secret":
            wanted.append(("K8s Secret Get Successfully", kind, version, path))
    return {rule: _made(rule, kind, version, path, mark) for rule, kind, version, path in wanted}


#: Rules that are raised by requests which the API server refuses, and those for which something is made and deleted.
REFUSED = tuple(_REFUSED)
DONE = tuple(_done("", ""))


def trigger_for(rule: str, mark: str, namespace: str) -> Trigger:
    """What raises a rule.

    Args:
      rule: one of REFUSED or DONE.
      mark: name of the object, which the alert has in it; a DNS label.
      namespace: an existing one, for what has a namespace.
    Raises:
      KeyError: nothing here raises it.
    """
    if rule in _REFUSED:
        return Trigger(rule, (_REFUSED[rule](mark, namespace),))
    return _done(mark, namespace)[rule]
