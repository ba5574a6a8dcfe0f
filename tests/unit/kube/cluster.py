"""A cluster of pods on loopback addresses, for the fake API server: what connects is real, only Kubernetes is not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .fake_api import FakeApi

COLLECTIONS = (
    "/api/v1/namespaces",
    "/api/v1/pods",
    "/api/v1/services",
    "/api/v1/nodes",
    "/api/v1/replicationcontrollers",
    "/apis/networking.k8s.io/v1/networkpolicies",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/daemonsets",
    "/apis/apps/v1/statefulsets",
    "/apis/apps/v1/replicasets",
    "/apis/batch/v1/jobs",
    "/apis/batch/v1/cronjobs",
)


def pod(
    namespace: str,
    name: str,
    address: str,
    ports: tuple[int, ...] = (),
    labels: dict[str, str] | None = None,
    workload: str = "",
    **spec: Any,
) -> dict[str, Any]:
    """A running pod as the API server has it."""
    owner = [{"kind": "StatefulSet", "name": workload, "controller": True}] if workload else []
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{namespace}-{name}",
            "labels": labels or {"app": name},
            "ownerReferences": owner,
        },
        "spec": {
            "nodeName": "n1",
            "containers": [{"name": "main", "ports": [{"containerPort": port} for port in ports]}],
            **spec,
        },
        "status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}] if address else []},
    }


def namespace(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
    }


def policy(namespace: str, name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": {}, **spec},
    }


def fill(api: FakeApi, *objects: dict[str, Any]) -> None:
    """Put objects into the fake API server's collections for the whole cluster."""
    places = {"Namespace": COLLECTIONS[0], "Pod": COLLECTIONS[1], "Service": COLLECTIONS[2], "Node": COLLECTIONS[3]}
    places["NetworkPolicy"] = COLLECTIONS[5]
    for path in COLLECTIONS:
        api.collections.setdefault(path, [])
    for item in objects:
        api.collections[places[item["kind"]]].append(item)


@contextmanager
def listening(address: str, port: int = 0) -> Iterator[int]:
    """A server on a free TCP port of a loopback address, and an echoing one on the same UDP port; gives the port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    tcp = socket.socket(family)
    tcp.bind((address, port))
    tcp.listen(64)
    port = tcp.getsockname()[1]
    udp = socket.socket(family, socket.SOCK_DGRAM)
    udp.bind((address, port))
    udp.settimeout(0.1)
    over = threading.Event()

    def echo() -> None:
        while not over.is_set():
            try:
                data, peer = udp.recvfrom(1024)
                udp.sendto(data, peer)
            except TimeoutError:
                continue

    thread = threading.Thread(target=echo)
    thread.start()
    try:
        yield port
    finally:
        over.set()
        thread.join()
        tcp.close()
        udp.close()


def closed_port(address: str) -> int:
    """A port on which nothing listens."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
