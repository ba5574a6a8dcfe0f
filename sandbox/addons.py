"""What a bare cluster gets on top: node roles, pod networks, cluster DNS, rights of the NetworkPolicy agent."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sandbox import health, images
from sandbox.api import MERGE, Api, is_since
from sandbox.errors import SandboxError
from sandbox.instance import DNS_SERVICE, OUTSIDE_ADDRESS, POD_NETWORK, SERVICE_NETWORK
from sandbox.process import run, wait_for

# Names that nobody serves do not exist: NXDOMAIN at once, instead of a refusal that clients retry.
COREFILE = f"""cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {{
    errors
    health {{
        lameduck 2s
    }}
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        pods insecure
        ttl 30
    }}
    prometheus :9153
    cache 30
    reload
    loadbalance
}}
sandbox.test:53 {{
    errors
    hosts {{
        {OUTSIDE_ADDRESS} outside.sandbox.test
    }}
}}
.:53 {{
    errors
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""

#: Objects that the stand-ins bring into every sandbox.
MANIFESTS = Path(__file__).resolve().parent / "standins" / "manifests"

_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_SYSTEM = "/api/v1/namespaces/kube-system"
_KUBEADM = f"{_SYSTEM}/configmaps/kubeadm-config"
_READ = ["get", "list", "watch"]


def _object(api_version: str, kind: str, name: str, namespace: str = "", **members: Any) -> dict[str, Any]:
    labels = {"app.kubernetes.io/managed-by": "falconet-sandbox"}
    metadata: dict[str, Any] = {"name": name, "labels": labels}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **members}


def _rights(name: str, rules: list[dict[str, Any]], subject: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    group = "rbac.authorization.k8s.io"
    role = _object(f"{group}/v1", "ClusterRole", name, rules=rules)
    reference = {"apiGroup": group, "kind": "ClusterRole", "name": name}
    binding = _object(f"{group}/v1", "ClusterRoleBinding", name, roleRef=reference, subjects=[subject])
    return [(f"{_RBAC}/clusterroles/{name}", role), (f"{_RBAC}/clusterrolebindings/{name}", binding)]


def _coredns_deployment() -> dict[str, Any]:
    labels = {"k8s-app": "kube-dns"}
    container = {
        "name": "coredns",
        "image": images.COREDNS_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [
            {"name": "dns", "containerPort": 53, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 9153, "protocol": "TCP"},
        ],
        "resources": {"requests": {"cpu": "50m", "memory": "40Mi"}, "limits": {"memory": "170Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 2},
        "livenessProbe": {
            "httpGet": {"path": "/health", "port": 8080},
            "failureThreshold": 5,
            "initialDelaySeconds": 20,
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsUser": 0,
        },
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
    }
    pod = {
        "serviceAccountName": "coredns",
        "priorityClassName": "system-cluster-critical",
        "dnsPolicy": "Default",
        "tolerations": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}],
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": "coredns"}}],
    }
    deployment = _object(
        "apps/v1",
        "Deployment",
        "coredns",
        "kube-system",
        spec={
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    )
    deployment["metadata"]["labels"].update(labels)
    return deployment


def documents(control_plane_endpoint: str) -> list[tuple[str, dict[str, Any]]]:
    """Objects to apply, in order: path in the API and content."""
    dns_account = {"kind": "ServiceAccount", "name": "coredns", "namespace": "kube-system"}
    dns_rules = [
        {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    agent_rules = [
        {"apiGroups": [""], "resources": ["pods", "namespaces", "nodes", "services"], "verbs": _READ},
        {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": _READ},
        {"apiGroups": ["policy.networking.k8s.io"], "resources": ["*"], "verbs": _READ},
    ]
    agent = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "sandbox:netpol-agent"}
    kubeadm = {
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "ClusterConfiguration",
        "clusterName": "sandbox",
        "controlPlaneEndpoint": control_plane_endpoint,
        "kubernetesVersion": images.KUBERNETES,
        "networking": {
            "dnsDomain": "cluster.local",
            "podSubnet": str(POD_NETWORK),
            "serviceSubnet": str(SERVICE_NETWORK),
        },
    }
    service = _object(
        "v1",
        "Service",
        "kube-dns",
        "kube-system",
        spec={
            "clusterIP": str(DNS_SERVICE),
            "selector": {"k8s-app": "kube-dns"},
            "ports": [
                {"name": "dns", "port": 53, "targetPort": 53, "protocol": "UDP"},
                {"name": "dns-tcp", "port": 53, "targetPort": 53, "protocol": "TCP"},
                {"name": "metrics", "port": 9153, "targetPort": 9153, "protocol": "TCP"},
            ],
        },
    )
    service["metadata"]["labels"].update({"k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS"})
    config = yaml.safe_dump(kubeadm, sort_keys=False)
    return [
        *_rights("sandbox:netpol-agent", agent_rules, agent),
        *_rights("system:coredns", dns_rules, dns_account),
        (f"{_SYSTEM}/serviceaccounts/coredns", _object("v1", "ServiceAccount", "coredns", "kube-system")),
        (
            f"{_SYSTEM}/configmaps/coredns",
            _object("v1", "ConfigMap", "coredns", "kube-system", data={"Corefile": COREFILE}),
        ),
        (f"{_SYSTEM}/services/kube-dns", service),
        ("/apis/apps/v1/namespaces/kube-system/deployments/coredns", _coredns_deployment()),
        (
            _KUBEADM,
            _object("v1", "ConfigMap", "kubeadm-config", "kube-system", data={"ClusterConfiguration": config}),
        ),
    ]


def apply_documents(api: Api) -> None:
    """Apply all of `documents`; waits for the parts of the API that a young cluster fills in by itself."""
    endpoint = api.url.removeprefix("https://")
    wait_for("the namespace kube-system", lambda: _exists(api, _SYSTEM), timeout_seconds=60)
    for path, document in [*documents(endpoint), *health.documents()]:
        # As with kubeadm, a machine that starts again changes nothing of what its cluster has been told since.
        if path != _KUBEADM or not _exists(api, path):
            api.apply(path, document)


def _exists(api: Api, path: str) -> bool:
    try:
        api.get(path)
    except SandboxError:
        return False
    return True


def label_nodes(api: Api) -> None:
    """Roles and pod networks of the nodes, which a kubelet may not set by itself."""
    for node in api.nodes:
        path = f"/api/v1/nodes/{node.name}"
        current = api.get(path)
        role = "control-plane" if node.control_plane else "worker"
        label = f"node-role.kubernetes.io/{role}"
        if label not in current["metadata"].get("labels", {}):
            api.ask(path, method="PATCH", body={"metadata": {"labels": {label: ""}}}, kind=MERGE)
        if not current["spec"].get("podCIDR"):
            cidr = str(node.pod_cidr)
            api.ask(path, method="PATCH", body={"spec": {"podCIDR": cidr, "podCIDRs": [cidr]}}, kind=MERGE)


def apply_manifests(kubectl: Path, kubeconfig: Path) -> None:
    """Apply the manifests of the stand-ins (the receiver of alerts)."""
    if any(MANIFESTS.glob("*.yaml")):
        apply = [str(kubectl), "--kubeconfig", str(kubeconfig), "apply", "--server-side", "--force-conflicts"]
        run([*apply, "--field-manager", "falconet-sandbox", "--filename", str(MANIFESTS)], timeout_seconds=60)


def stale_pods(pods: list[dict[str, Any]], booted: Mapping[str, datetime.datetime]) -> list[str]:
    """Pods whose status is from before their node came up: what it says is no longer so.

    Args:
        pods: as the API lists them.
        booted: when each node came up.
    """
    stale = []
    for pod in pods:
        running = (one.get("state", {}).get("running") for one in pod["status"].get("containerStatuses") or [])
        starts = [state["startedAt"] for state in running if state]
        since = booted.get(pod["spec"].get("nodeName", ""))
        if starts and not all(is_since(start, since) for start in starts):
            stale.append(f"{pod['metadata']['namespace']}/{pod['metadata']['name']}")
    return stale


def is_static(pod: Mapping[str, Any]) -> bool:
    """Whether a pod mirrors a static pod: the kubelet started it from a file, the API only shows it."""
    return "kubernetes.io/config.mirror" in pod["metadata"].get("annotations", {})


def unready_static_pods(pods: list[dict[str, Any]]) -> list[str]:
    """Static pods that their kubelet reports as not ready; one that it has not reported on yet is no news."""
    late = []
    for pod in filter(is_static, pods):
        if not all(one.get("ready") for one in pod["status"].get("containerStatuses") or []):
            late.append(f"{pod['metadata']['namespace']}/{pod['metadata']['name']}")
    return late


def unready(api: Api, booted: Mapping[str, datetime.datetime]) -> list[str]:
    """Deployments of the sandbox's own (DNS, stand-ins) without a ready pod, and its pods that run no longer."""
    namespaces = {"kube-system"}
    for file in MANIFESTS.glob("*.yaml"):
        documents = (document for document in yaml.safe_load_all(file.read_text()) if document)
        namespaces |= {one["metadata"]["name"] for one in documents if one["kind"] == "Namespace"}
    late = []
    for namespace in sorted(namespaces):
        for one in api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments")["items"]:
            if not one.get("status", {}).get("readyReplicas"):
                late.append(f"{namespace}/{one['metadata']['name']}")
        pods = api.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
        late += stale_pods(pods, booted) + unready_static_pods(pods)
    return late
