# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a flow is in a model: the pods or addresses at its ends, and its ports as they arrive there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...common.words import nearest
from ..errors import FlowError, NoPodError
from ..model.addresses import WHOLE, Range
from ..model.objects import LAST_PORT, PROTOCOLS, Model, Pod, Service, ServicePort
from ..model.ports import Interval
from .vocabulary import Flow, FlowPeer


@dataclass(frozen=True)
class Ends:
    """What one end of a flow is in a model: pods, or ranges of addresses outside; both for a Service's endpoints.

    C(note) says why it may be any address.
    """

    pods: tuple[Pod, ...] = ()
    blocks: tuple[Range, ...] = ()
    note: str = ""

    @property
    def block(self) -> Range | None:
        """The range of an end without pods; of several the first."""
        return self.blocks[0] if self.blocks and not self.pods else None


def select(model: Model, peer: FlowPeer) -> Ends:
    """The pods or addresses that an end of a flow is.

    Args:
        model: what there is.
        peer: the end.

    Raises:
        NoPodError: when nothing matches, or a namespace among several does not exist; names the nearest thing that
            exists.
    """
    if peer.block is not None:
        return Ends(blocks=(peer.block,))
    service = _selecting_service(model, peer) if peer.service else None
    kind, _slash, workload = peer.workload.rpartition("/")
    pods = []
    for pod in model.pods:
        if pod.finished:
            continue
        if pod.host_network and not peer.workload and not peer.pod:
            continue
        if peer.namespaces and pod.namespace not in peer.namespaces:
            continue
        if workload and (pod.workload != workload or (kind and pod.kind.lower() != kind.lower())):
            continue
        if peer.pod and (pod.name != peer.pod or pod.template):
            continue
        if any(pod.labels.get(key) != value for key, value in peer.labels.items()):
            continue
        if service is not None and not serves(service, pod):
            continue
        if peer.namespace_labels:
            labels = model.namespace_labels(pod.namespace)
            if any(labels.get(key) != value for key, value in peer.namespace_labels.items()):
                continue
        pods.append(pod)
    if not pods:
        raise NoPodError(peer.path, f"no pod matches {peer}", _why_nothing(model, peer), _is_empty(model, peer))
    absent = [name for name in peer.namespaces if name not in model.namespaces]
    if absent:
        hint = _missing("namespace", absent[0], model.namespaces)
        raise NoPodError(peer.path, f"only a part of {peer} exists", hint)
    return Ends(pods=tuple(pods))


def _selecting_service(model: Model, peer: FlowPeer) -> Service:
    service = find_service(model, peer)
    if service.selector is None:
        hint = "name its endpoints by workload or cidr"
        raise FlowError(f"{peer.path}.service", f"Service {peer.service!r} has no selector", hint)
    return service


def find_service(model: Model, peer: FlowPeer) -> Service:
    """The Service that a peer names.

    Raises:
        FlowError: when there is none, or several in different namespaces.
    """
    found = [
        service
        for service in model.services
        if service.name == peer.service and (not peer.namespaces or service.namespace in peer.namespaces)
    ]
    if not found:
        near = nearest(peer.service, [service.name for service in model.services])
        raise FlowError(
            f"{peer.path}.service", f"there is no Service {peer.service!r}", f"did you mean {near!r}?" if near else ""
        )
    if len(found) > 1:
        namespaces = ", ".join(sorted(service.namespace for service in found))
        raise FlowError(f"{peer.path}.service", f"Service {peer.service!r} exists in {namespaces}", "add a namespace")
    return found[0]


def select_destination(model: Model, peer: FlowPeer) -> Ends:
    """As L(select), but a Service without a selector is its endpoints; without those it may be any address.

    Raises:
        FlowError: as L(select).
    """
    service = find_service(model, peer) if peer.service else None
    if service is None or service.selector is not None:
        return select(model, peer)
    known = [address for item in model.endpoints.get(service.key, ()) for address in item.addresses]
    pods = tuple(pod for pod in model.running if not pod.host_network and set(pod.addresses) & set(known))
    if known:
        inside = {address for pod in pods for address in pod.addresses}
        outside = dict.fromkeys(address for address in known if address not in inside)
        return Ends(pods, tuple(Range(family, value, value) for family, value in outside))
    return Ends(
        blocks=tuple(WHOLE[family] for family in sorted(model.assumed_families)), note=unknown_endpoints(service)
    )


def unknown_endpoints(service: Service) -> str:
    """What is said of a Service without a selector whose endpoints are not in the input."""
    name = f"Service {service.namespace}/{service.name}"
    if service.kind == "ExternalName":
        return f"{name} is a name of DNS, and policies see the address that it stands for, which may be any"
    return f"{name} has no selector, and policies see its endpoints, which are not in the input and may be any address"


def serves(service: Service, pod: Pod) -> bool:
    """Whether a pod is among a Service's endpoints."""
    if service.selector is None or service.namespace != pod.namespace:
        return False
    return all(pod.labels.get(key) == value for key, value in service.selector.items())


def intervals(model: Model, flow: Flow, pod: Pod | None) -> list[Interval]:
    """A flow's ports as they arrive at one destination.

    Args:
        model: for the Service that the flow names, if any.
        flow: the flow.
        pod: the destination pod, None for an address outside.

    Returns:
        (protocol, first, last) intervals, empty when the destination has no such named port.
    """
    if flow.destination.service:
        service = find_service(model, flow.destination)
        if pod is not None or service.selector is None:
            return _service_intervals(model, service, flow, pod)
    if flow.ports is None:
        return [(protocol, 1, LAST_PORT) for protocol in PROTOCOLS]
    found: list[Interval] = []
    for port in flow.ports:
        if port.name:
            found.extend(_named(pod, port.name, port.protocol))
        else:
            found.append((port.protocol, port.first, port.last))
    return found


def _service_intervals(model: Model, service: Service, flow: Flow, pod: Pod | None) -> list[Interval]:
    found: list[Interval] = []
    for entry in service.ports:
        wanted = flow.ports is None or any(
            port.protocol == entry.protocol
            and (port.name == entry.name if port.name else port.first <= entry.number <= port.last)
            for port in flow.ports
        )
        if wanted:
            found.extend(_endpoint_intervals(model, service, entry) if pod is None else target_intervals(entry, pod))
    if not found:
        known = ", ".join(f"{entry.number}/{entry.protocol}" for entry in service.ports)
        raise FlowError(
            f"{flow.path}.ports", f"Service {service.name!r} has none of these ports", f"it has {known or 'none'}"
        )
    return found


def _endpoint_intervals(model: Model, service: Service, entry: ServicePort) -> list[Interval]:
    """The ports of a Service's endpoints that one of its ports leads to."""
    numbers = {
        port.number
        for item in model.endpoints.get(service.key, ())
        for port in item.ports
        if (port.name, port.protocol) == (entry.name, entry.protocol)
    }
    target = str(entry.target)
    found = numbers or {int(target) if target.isdecimal() else entry.number}
    return [(entry.protocol, number, number) for number in sorted(found)]


def target_intervals(entry: ServicePort, pod: Pod) -> list[Interval]:
    """The ports of a pod that a port of its Service leads to; empty where the pod has no port of that name."""
    if isinstance(entry.target, str) and not entry.target.isdecimal():
        return _named(pod, entry.target, entry.protocol)
    number = int(str(entry.target))
    return [(entry.protocol, number, number)]


def _named(pod: Pod | None, name: str, protocol: str) -> list[Interval]:
    if pod is None:
        return []
    return [
        (port.protocol, port.number, port.number)
        for port in pod.ports
        if port.name == name and port.protocol == protocol
    ]


def _is_empty(model: Model, peer: FlowPeer) -> bool:
    """Whether a peer is nothing but namespaces that exist: that no pod runs there now does not make it wrong."""
    if peer.workload or peer.pod or peer.service or peer.labels:
        return False
    if any(name not in model.namespaces for name in peer.namespaces):
        return False
    return any(
        (not peer.namespaces or name in peer.namespaces)
        and all(namespace.labels.get(key) == value for key, value in peer.namespace_labels.items())
        for name, namespace in model.namespaces.items()
    )


def _why_nothing(model: Model, peer: FlowPeer) -> str:
    """The first part of a peer that nothing has, with the nearest that something has."""
    for name in peer.namespaces:
        if name not in model.namespaces:
            return _missing("namespace", name, model.namespaces)
    if peer.workload:
        _kind, _slash, name = peer.workload.rpartition("/")
        known = {pod.workload for pod in model.pods}
        if name not in known:
            return _missing("workload", name, known)
    if peer.pod and not any(pod.name == peer.pod for pod in model.pods):
        return _missing("pod", peer.pod, (pod.name for pod in model.pods))
    for key, value in peer.labels.items():
        values = {pod.labels[key] for pod in model.pods if key in pod.labels}
        if not values:
            return _missing("pod label", key, {key for pod in model.pods for key in pod.labels})
        if value not in values:
            return _missing(f"pod label {key}", value, values)
    for key, value in peer.namespace_labels.items():
        values = {namespace.labels.get(key, "") for namespace in model.namespaces.values()}
        if value not in values:
            return _missing(f"namespace label {key}", value, values)
    if not (peer.workload or peer.pod) and any(_on_host(model, peer, pod) for pod in model.running):
        return "pods on the host network have all of it, and take part only where workload or pod names them"
    if any(pod.finished for pod in model.pods):
        return "each part exists, but no running pod has all of them; pods that have finished do not count"
    return "each part exists, but no pod has all of them"


def _on_host(model: Model, peer: FlowPeer, pod: Pod) -> bool:
    """Whether a pod on the host network has the labels and namespace that a peer asks for."""
    around = model.namespace_labels(pod.namespace)
    return (
        pod.host_network
        and (not peer.namespaces or pod.namespace in peer.namespaces)
        and all(pod.labels.get(key) == value for key, value in peer.labels.items())
        and all(around.get(key) == value for key, value in peer.namespace_labels.items())
    )


def _missing(what: str, name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return f"there is no {what} {name!r}" + (f", did you mean {near!r}?" if near else "")
