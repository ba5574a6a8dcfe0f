"""The control plane as kubeadm lays it out: static pod manifests and kubeconfig files.

Source of names and flags: Kubernetes documentation, "kubeadm implementation details" and the reference
pages of the components.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from sandbox import images
from sandbox.instance import POD_NETWORK, SERVICE_NETWORK, Instance, Node

PKI = "/etc/kubernetes/pki"
MANIFESTS = "/etc/kubernetes/manifests"


def kubeconfig(server: str, user: str, keys: Path, name: str = "sandbox") -> str:
    """A kubeconfig with certificate and key inside.

    Args:
        server: URL of the API server.
        user: a name of ``pki.USERS``.
        keys: folder of the cluster's keys.
        name: name of cluster and context.
    """

    def data(path: str) -> str:
        return base64.b64encode((keys / path).read_bytes()).decode()

    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": data("ca.crt")}}],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": data(f"users/{user}.crt"),
                    "client-key-data": data(f"users/{user}.key"),
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
    }
    return yaml.safe_dump(document, sort_keys=False)


def _probe(path: str, port: int, scheme: str, *, period: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"host": "127.0.0.1", "path": path, "port": port, "scheme": scheme},
        "periodSeconds": period,
        "timeoutSeconds": 15,
        "failureThreshold": failures,
    }


def static_pod(
    name: str, image: str, command: Iterable[str], folders: Mapping[str, str], probe: tuple[str, int, str], cpu: str
) -> str:
    """Manifest of a static pod of the control plane.

    Args:
        name: of the component.
        image: its image.
        command: argv.
        folders: path on the node, which is the path in the container too, to a hostPath type.
        probe: path, port and scheme for liveness and start.
        cpu: CPU request.
    """
    path, port, scheme = probe
    container = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": list(command),
        "resources": {"requests": {"cpu": cpu}},
        "livenessProbe": {**_probe(path, port, scheme, period=10, failures=8), "initialDelaySeconds": 10},
        "startupProbe": _probe(path, port, scheme, period=2, failures=90),
        "volumeMounts": [
            {"name": f"v{number}", "mountPath": folder, "readOnly": kind != "DirectoryOrCreate"}
            for number, (folder, kind) in enumerate(folders.items())
        ],
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "kube-system", "labels": {"component": name, "tier": "control-plane"}},
        "spec": {
            "hostNetwork": True,
            "priorityClassName": "system-node-critical",
            "securityContext": {"seccompProfile": {"type": "Unconfined"}},
            "containers": [container],
            "volumes": [
                {"name": f"v{number}", "hostPath": {"path": folder, "type": kind}}
                for number, (folder, kind) in enumerate(folders.items())
            ],
        },
    }
    return yaml.safe_dump(pod, sort_keys=False)


def _flags(program: str, options: Mapping[str, str]) -> list[str]:
    return [program, *(f"--{name}={value}" for name, value in options.items())]


def _etcd(address: str, node: str, members: Mapping[str, str]) -> str:
    command = _flags(
        "etcd",
        {
            "name": node,
            "data-dir": "/var/lib/etcd",
            "advertise-client-urls": f"https://{address}:2379",
            "listen-client-urls": f"https://127.0.0.1:2379,https://{address}:2379",
            "initial-advertise-peer-urls": f"https://{address}:2380",
            "listen-peer-urls": f"https://{address}:2380",
            "initial-cluster": ",".join(f"{name}=https://{its}:2380" for name, its in members.items()),
            "listen-metrics-urls": "http://127.0.0.1:2381",
            "client-cert-auth": "true",
            "peer-client-cert-auth": "true",
            "cert-file": f"{PKI}/etcd/server.crt",
            "key-file": f"{PKI}/etcd/server.key",
            "trusted-ca-file": f"{PKI}/etcd/ca.crt",
            "peer-cert-file": f"{PKI}/etcd/peer.crt",
            "peer-key-file": f"{PKI}/etcd/peer.key",
            "peer-trusted-ca-file": f"{PKI}/etcd/ca.crt",
            # A sandbox outlives crashes of processes, not of the machine's disk: no waiting for that disk.
            "unsafe-no-fsync": "true",
        },
    )
    folders = {"/var/lib/etcd": "DirectoryOrCreate", f"{PKI}/etcd": "Directory"}
    return static_pod("etcd", images.ETCD_IMAGE, command, folders, ("/livez", 2381, "HTTP"), "100m")


def _apiserver(address: str, etcd: str) -> str:
    command = _flags(
        "kube-apiserver",
        {
            "advertise-address": address,
            "allow-privileged": "true",
            "authorization-mode": "Node,RBAC",
            "client-ca-file": f"{PKI}/ca.crt",
            "enable-admission-plugins": "NodeRestriction",
            "enable-aggregator-routing": "true",
            "enable-bootstrap-token-auth": "true",
            "etcd-cafile": f"{PKI}/etcd/ca.crt",
            "etcd-certfile": f"{PKI}/apiserver-etcd-client.crt",
            "etcd-keyfile": f"{PKI}/apiserver-etcd-client.key",
            "etcd-servers": f"https://{etcd}:2379",
            "kubelet-client-certificate": f"{PKI}/apiserver-kubelet-client.crt",
            "kubelet-client-key": f"{PKI}/apiserver-kubelet-client.key",
            "kubelet-preferred-address-types": "InternalIP,ExternalIP,Hostname",
            "proxy-client-cert-file": f"{PKI}/front-proxy-client.crt",
            "proxy-client-key-file": f"{PKI}/front-proxy-client.key",
            "requestheader-allowed-names": "front-proxy-client",
            "requestheader-client-ca-file": f"{PKI}/front-proxy-ca.crt",
            "requestheader-extra-headers-prefix": "X-Remote-Extra-",
            "requestheader-group-headers": "X-Remote-Group",
            "requestheader-username-headers": "X-Remote-User",
            "secure-port": "6443",
            "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
            "service-account-key-file": f"{PKI}/sa.pub",
            "service-account-signing-key-file": f"{PKI}/sa.key",
            "service-cluster-ip-range": str(SERVICE_NETWORK),
            "tls-cert-file": f"{PKI}/apiserver.crt",
            "tls-private-key-file": f"{PKI}/apiserver.key",
        },
    )
    image = f"registry.k8s.io/kube-apiserver:{images.KUBERNETES}"
    return static_pod("kube-apiserver", image, command, {PKI: "Directory"}, ("/livez", 6443, "HTTPS"), "250m")


def _controller_manager(*, elected: bool) -> str:
    config = "/etc/kubernetes/controller-manager.conf"
    command = _flags(
        "kube-controller-manager",
        {
            # The nodes' pod networks are fixed (each node's CNI configuration names its own).
            "allocate-node-cidrs": "false",
            "authentication-kubeconfig": config,
            "authorization-kubeconfig": config,
            "bind-address": "127.0.0.1",
            "client-ca-file": f"{PKI}/ca.crt",
            "cluster-cidr": str(POD_NETWORK),
            "cluster-name": "sandbox",
            "cluster-signing-cert-file": f"{PKI}/ca.crt",
            "cluster-signing-key-file": f"{PKI}/ca.key",
            "controllers": "*,bootstrapsigner,tokencleaner",
            # Each controller fetches credentials when it starts; with the default limit that takes ten seconds.
            "kube-api-burst": "300",
            "kube-api-qps": "200",
            "kubeconfig": config,
            # Where there is one of it, an election would only make each start wait for the last one's lease.
            "leader-elect": str(elected).lower(),
            "requestheader-client-ca-file": f"{PKI}/front-proxy-ca.crt",
            "root-ca-file": f"{PKI}/ca.crt",
            "service-account-private-key-file": f"{PKI}/sa.key",
            "service-cluster-ip-range": str(SERVICE_NETWORK),
            "use-service-account-credentials": "true",
        },
    )
    image = f"registry.k8s.io/kube-controller-manager:{images.KUBERNETES}"
    folders = {PKI: "Directory", config: "File"}
    return static_pod("kube-controller-manager", image, command, folders, ("/healthz", 10257, "HTTPS"), "200m")


def _scheduler(*, elected: bool) -> str:
    config = "/etc/kubernetes/scheduler.conf"
    command = _flags(
        "kube-scheduler",
        {
            "authentication-kubeconfig": config,
            "authorization-kubeconfig": config,
            "bind-address": "127.0.0.1",
            "kubeconfig": config,
            "leader-elect": str(elected).lower(),
        },
    )
    image = f"registry.k8s.io/kube-scheduler:{images.KUBERNETES}"
    return static_pod("kube-scheduler", image, command, {config: "File"}, ("/livez", 10259, "HTTPS"), "100m")


def files(instance: Instance, node: Node, keys: Path) -> list[dict[str, Any]]:
    """The control plane's files on a node of it: PKI, kubeconfig files, manifests (which keep a user's edits)."""
    address = str(instance.address(node))
    members = {member.name: str(instance.address(member)) for member in instance.etcd_nodes}
    elected = instance.control_planes > 1
    found: list[dict[str, Any]] = []
    for path in sorted(keys.rglob("*")):
        name = path.relative_to(keys)
        if path.is_file() and name.parts[0] != "users":
            secret = path.suffix == ".key"
            found.append({"path": f"{PKI}/{name}", "text": path.read_text(), "mode": 0o600 if secret else 0o644})
    for user in ("admin", "controller-manager", "scheduler"):
        # As kubeadm: administrators ask by the cluster's address, components their own node's API server.
        server = instance.api_url if user == "admin" else f"https://{address}:6443"
        text = kubeconfig(server, user, keys)
        found.append({"path": f"/etc/kubernetes/{user}.conf", "text": text, "mode": 0o600})
    manifests = {
        "kube-apiserver": _apiserver(address, "127.0.0.1" if node.name in members else next(iter(members.values()))),
        "kube-controller-manager": _controller_manager(elected=elected),
        "kube-scheduler": _scheduler(elected=elected),
    }
    if node.name in members:
        manifests = {"etcd": _etcd(address, node.name, members), **manifests}
    for component, text in manifests.items():
        found.append({"path": f"{MANIFESTS}/{component}.yaml", "text": text, "mode": 0o600, "keep": True})
    return found
