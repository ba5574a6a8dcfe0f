# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a probe run: pods as they run, and connections to try."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from .wire.protocol import Attempt, Settings, Target

# Sidecars that answer connections inside the pod's own network namespace, whatever becomes of them later.
MESH_CONTAINERS = frozenset({"istio-proxy", "linkerd-proxy", "envoy-sidecar", "consul-dataplane"})
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


@dataclass(frozen=True)
class Pod:
    """A pod as far as probes are concerned.

    Attributes:
        namespace, name, uid, node: as in the API.
        addresses: its addresses, the primary one first; empty while it has none.
        container: where commands run.
        labels: its labels.
        host_network: it uses the network of its node, where policies do not hold.
        running: it runs and is not being deleted.
        ready: Services count it among their pods.
        mesh: name of a sidecar that answers in the place of others, or empty.
        workload: kind and name of what owns it, C(Deployment/frontend), or C(Pod/name).
        named_ports: port numbers by name and protocol, C({("http", "TCP"): 8080}).
        ports: declared ports as (number, protocol).
    """

    namespace: str
    name: str
    uid: str
    node: str
    addresses: tuple[str, ...]
    container: str
    labels: dict[str, str] = field(default_factory=dict, compare=False)
    host_network: bool = False
    running: bool = True
    ready: bool = field(default=True, compare=False)
    mesh: str = ""
    workload: str = ""
    named_ports: dict[tuple[str, str], int] = field(default_factory=dict, compare=False)
    ports: tuple[tuple[int, str], ...] = ()

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"

    def address(self, family: int = 4) -> str:
        """Its address of a family (4 or 6), or an empty string."""
        return next((a for a in self.addresses if (":" in a) == (family == 6)), "")

    def why_not(self) -> str:
        """Why connections cannot be tried from here with any meaning; empty if they can."""
        if not self.running:
            return "it does not run"
        if not self.addresses:
            return "it has no address"
        if self.host_network:
            return "it uses the network of its node, where policies do not hold"
        if self.mesh:
            return f"its sidecar {self.mesh} answers connections in the place of their targets"
        return ""


def pods_of(snapshot: Iterable[dict[str, Any]]) -> list[Pod]:
    """The pods of a snapshot that are not finished."""
    items = list(snapshot)
    owners = {
        (item["metadata"].get("namespace"), item["kind"], item["metadata"]["name"]): _owner(item)
        for item in items
        if item.get("kind") in ("ReplicaSet", "Job")
    }
    found = []
    for item in items:
        if item.get("kind") != "Pod" or (item.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            continue
        found.append(_pod(item, owners))
    return found


def _owner(item: dict[str, Any]) -> tuple[str, str] | None:
    for reference in item["metadata"].get("ownerReferences") or []:
        if reference.get("controller"):
            return reference["kind"], reference["name"]
    return None


def _pod(item: dict[str, Any], owners: dict[tuple[Any, str, str], tuple[str, str] | None]) -> Pod:
    metadata, spec, status = item["metadata"], item["spec"], item.get("status") or {}
    containers = spec.get("containers") or []
    names = [c["name"] for c in containers]
    preferred = (metadata.get("annotations") or {}).get(DEFAULT_CONTAINER)
    owner = _owner(item)
    top = owner and (owners.get((metadata.get("namespace"), *owner)) or owner)
    # Native sidecars are init containers that keep running.
    everyone = names + [c["name"] for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"]
    declared = [
        (port.get("name") or "", int(port["containerPort"]), port.get("protocol") or "TCP")
        for container in containers
        for port in container.get("ports") or []
    ]
    addresses = [entry["ip"] for entry in status.get("podIPs") or []] or [status.get("podIP") or ""]
    return Pod(
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        node=spec.get("nodeName", ""),
        addresses=tuple(a for a in addresses if a),
        container=str(preferred) if preferred in names else (names[0] if names else ""),
        labels=metadata.get("labels") or {},
        host_network=bool(spec.get("hostNetwork")),
        running=status.get("phase") == "Running" and not metadata.get("deletionTimestamp"),
        ready=all(c.get("status") == "True" for c in status.get("conditions") or [] if c.get("type") == "Ready"),
        mesh=next((name for name in everyone if name in MESH_CONTAINERS), ""),
        workload="/".join(top) if top else f"Pod/{metadata['name']}",
        named_ports={(name, protocol): number for name, number, protocol in declared if name},
        ports=tuple(dict.fromkeys((number, protocol) for _name, number, protocol in declared)),
    )


#: What one pod is to try.
Batch = dict[Pod, list[Target]]
#: Where a server should be: pod, protocol, port, and the address of the pod that is called.
Endpoint = tuple[Pod, str, int, str]
#: An address outside the cluster: host, protocol, port.
Place = tuple[str, str, int]


class Method(Protocol):
    """A way to try connections from pods: one call tries everything that it is given."""

    name: str

    def attempt(self, batch: Batch, settings: Settings) -> dict[int, Attempt]:
        """Attempts by the targets' numbers, one for every target of the batch."""


@dataclass(frozen=True)
class Probe:
    """One connection to try.

    Attributes:
        source: the pod that tries.
        protocol, host, port: what it tries.
        target: name of the target for people: C(prod/backend-x), C(service prod/backend), an address.
        target_pod: the pod behind the address, if it is one.
        controls: pods (with protocol and port) that must all be seen to listen before silence means no; a Service may
            choose any of them.
        expected: whether it should be allowed; None if nothing is expected.
        flow: name of the flow that expects it.
        because: the policies that decide.
        by_policies: whether these allow it; None where that is not known, or pods of a Service differ.
    """

    source: Pod
    protocol: str
    host: str
    port: int
    target: str
    target_pod: Pod | None = None
    controls: tuple[tuple[Pod, str, int], ...] = ()
    expected: bool | None = None
    flow: str = ""
    because: str = ""
    by_policies: bool | None = None
