# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observed flows: the records that a caller gives, and what they mean in a model.

A record of an observed flow is a mapping with C(from), C(to), C(protocol) and C(ports) (or C(port)), in the very form
in which a matrix lists connections: ends are C(namespace/Kind/name) of a workload, C(namespace/name) of a pod, or an
address or block; ports are C(8080), C("80,8000-8100") or C(all). An address that is a known pod's means that pod, one
that is a Service's the pods behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...common.words import nearest
from ..errors import FlowError
from ..model.addresses import Range, parse_block
from ..model.objects import LAST_PORT, PROTOCOLS, Model, Pod, Service
from ..model.ports import ALL, Interval
from .ends import serves, target_intervals

DNS_PORTS: tuple[Interval, ...] = (("UDP", 53, 53), ("TCP", 53, 53))
EVERY_PORT: tuple[Interval, ...] = tuple((protocol, 1, LAST_PORT) for protocol in PROTOCOLS)

#: A workload's full name, or a range of addresses outside.
End = object


class Observed(NamedTuple):
    """One observed flow between two ends, as it arrives at the destination.

    C(note) says why no rule is made for it, if so. C(lost) is whether it then stays without what it needs.
    """

    source: End
    destination: End
    intervals: tuple[Interval, ...]
    note: str = ""
    lost: bool = False


def read_records(model: Model, records: object) -> list[Observed]:
    """Observed flows from a caller's data. One to the address of a Service is one to each workload behind it.

    Raises:
        FlowError: a record is not of the form, or names something that the model does not have.
    """
    if not isinstance(records, (list, tuple)):
        raise FlowError("flows", "must be a list of records")
    index = WorkloadIndex(model)
    return [flow for number, item in enumerate(records) for flow in _record(index, item, f"flows[{number}]")]


class WorkloadIndex:
    """Workloads by each name that a record may use. C(finished) are those of which all pods have run to their end."""

    def __init__(self, model: Model) -> None:
        self.pods: dict[str, list[Pod]] = {}
        self.by_name: dict[str, str] = {}
        self.by_address: dict[tuple[int, int], str] = {}
        self.services = {address: service for service in model.services for address in service.addresses}
        for pod in [*model.running, *(pod for pod in model.pods if pod.finished)]:
            name = pod.workload_name
            if not pod.finished:
                self.pods.setdefault(name, []).append(pod)
            self.by_name[name] = name
            self.by_name.setdefault(f"{pod.namespace}/{pod.name}", name)
            self.by_name.setdefault(f"{pod.namespace}/{pod.workload}", name)
            if not pod.host_network:
                for address in pod.addresses:
                    # Addresses of finished pods are given to others.
                    self.by_address.setdefault(address, name)
        self.finished = set(self.by_name.values()) - set(self.pods)

    def end(self, text: object, path: str) -> End:
        if not isinstance(text, str) or not text:
            raise FlowError(path, f"must name a workload, a pod or an address, not {text!r}")
        if text in self.by_name:
            return self.by_name[text]
        block = parse_block(text)
        if block is not None:
            if block.first == block.last:
                return self.by_address.get((block.family, block.first), block)
            return block
        near = nearest(text, self.by_name)
        raise FlowError(path, f"there is no workload or pod {text!r}", f"did you mean {near!r}?" if near else "")

    def service(self, end: End) -> Service | None:
        """The Service whose address an end is."""
        if isinstance(end, Range) and end.first == end.last:
            return self.services.get((end.family, end.first))
        return None


def _record(index: WorkloadIndex, item: object, path: str) -> list[Observed]:
    if not isinstance(item, Mapping):
        raise FlowError(path, f"must be a mapping with from, to, protocol and ports, not {item!r}")
    unknown = [key for key in item if key not in ("from", "to", "protocol", "ports", "port")]
    if unknown:
        raise FlowError(f"{path}.{unknown[0]}", "is not part of a record", "one of from, to, protocol, ports")
    source, destination = index.end(item.get("from"), f"{path}.from"), index.end(item.get("to"), f"{path}.to")
    if isinstance(source, Range) and isinstance(destination, Range):
        raise FlowError(path, "both ends are outside", "policies are about pods")
    ports = item.get("ports", item.get("port", ALL))
    flow = Observed(source, destination, _intervals(str(item.get("protocol") or "TCP"), ports, path))
    for end in (source, destination):
        if end in index.finished:
            return [flow._replace(note=f"{end} has run to its end: it needs no policy any more")]
    service = index.service(destination)
    return [flow] if service is None else _behind(index, service, flow, path)


def _behind(index: WorkloadIndex, service: Service, flow: Observed, path: str) -> list[Observed]:
    """The flows that a Service makes of one to its address: policies see the pod behind it and that pod's port."""
    name = f"Service {service.namespace}/{service.name}"
    members: dict[str, Pod] = {}
    for workload, pods in index.pods.items():
        for pod in pods:
            if serves(service, pod):
                members.setdefault(workload, pod)
    if not members:
        why = "has no selector" if service.selector is None else "selects no pod"
        note = f"{flow.destination} is the address of {name}, which {why}: name what is behind it instead"
        return [flow._replace(note=note, lost=True)]
    found = []
    for workload, pod in members.items():
        intervals: list[Interval] = []
        for entry in service.ports:
            if any(p == entry.protocol and first <= entry.number <= last for p, first, last in flow.intervals):
                intervals.extend(target_intervals(entry, pod))
        if not intervals:
            known = ", ".join(f"{entry.number}/{entry.protocol}" for entry in service.ports) or "none"
            raise FlowError(f"{path}.ports", f"{name} has none of these ports", f"it has {known}")
        found.append(flow._replace(destination=workload, intervals=tuple(intervals)))
    return found


def _intervals(protocol: str, ports: object, path: str) -> tuple[Interval, ...]:
    if protocol.lower() == ALL:
        protocols: tuple[str, ...] = PROTOCOLS
    elif protocol.upper() in PROTOCOLS:
        protocols = (protocol.upper(),)
    else:
        raise FlowError(f"{path}.protocol", f"{protocol!r} is not a protocol", f"one of {', '.join(PROTOCOLS)}")
    found: list[Interval] = []
    for part in str(ports).split(","):
        text = part.strip()
        if text.lower() == ALL:
            found.extend((name, 1, LAST_PORT) for name in protocols)
            continue
        first, dash, last = text.partition("-")
        try:
            low = int(first)
            high = int(last) if dash else low
        except ValueError:
            raise FlowError(f"{path}.ports", f"{text!r} is not a port or a range", "write 8080 or 8000-8100") from None
        if not 1 <= low <= high <= LAST_PORT:
            raise FlowError(f"{path}.ports", f"{text!r} is not within 1 to {LAST_PORT}")
        found.extend((name, low, high) for name in protocols)
    return tuple(found)
