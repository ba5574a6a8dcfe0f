# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observed flows: the records that a caller gives, and what they mean in a model.

A record of an observed flow is a mapping with C(from), C(to), C(protocol) and C(ports) (or C(port)), in the very form
in which a matrix lists connections: ends are C(namespace/Kind/name) of a workload, C(namespace/name) of a pod, or an
address or block; ports are C(8080), C("80,8000-8100") or C(all). An address that is a known pod's means that pod.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...common.words import nearest
from ..errors import FlowError
from ..model.addresses import Range, parse_block
from ..model.objects import LAST_PORT, PROTOCOLS, Model, Pod
from ..model.ports import ALL, Interval

DNS_PORTS: tuple[Interval, ...] = (("UDP", 53, 53), ("TCP", 53, 53))
EVERY_PORT: tuple[Interval, ...] = tuple((protocol, 1, LAST_PORT) for protocol in PROTOCOLS)

#: A workload's full name, or a range of addresses outside.
End = object


class Observed(NamedTuple):
    """One observed flow between two ends, as it arrives at the destination."""

    source: End
    destination: End
    intervals: tuple[Interval, ...]


def read_records(model: Model, records: object) -> list[Observed]:
    """Observed flows from a caller's data.

    Raises:
        FlowError: a record is not of the form, or names something that the model does not have.
    """
    if not isinstance(records, (list, tuple)):
        raise FlowError("flows", "must be a list of records")
    index = WorkloadIndex(model)
    return [_record(index, item, f"flows[{number}]") for number, item in enumerate(records)]


class WorkloadIndex:
    """Workloads by each name that a record may use."""

    def __init__(self, model: Model) -> None:
        self.pods: dict[str, list[Pod]] = {}
        self.by_name: dict[str, str] = {}
        self.by_address: dict[tuple[int, int], str] = {}
        for pod in model.running:
            name = pod.workload_name
            self.pods.setdefault(name, []).append(pod)
            self.by_name[name] = name
            self.by_name.setdefault(f"{pod.namespace}/{pod.name}", name)
            self.by_name.setdefault(f"{pod.namespace}/{pod.workload}", name)
            if not pod.host_network:
                for address in pod.addresses:
                    self.by_address[address] = name

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


def _record(index: WorkloadIndex, item: object, path: str) -> Observed:
    if not isinstance(item, Mapping):
        raise FlowError(path, f"must be a mapping with from, to, protocol and ports, not {item!r}")
    unknown = [key for key in item if key not in ("from", "to", "protocol", "ports", "port")]
    if unknown:
        raise FlowError(f"{path}.{unknown[0]}", "is not part of a record", "one of from, to, protocol, ports")
    source, destination = index.end(item.get("from"), f"{path}.from"), index.end(item.get("to"), f"{path}.to")
    if isinstance(source, Range) and isinstance(destination, Range):
        raise FlowError(path, "both ends are outside", "policies are about pods")
    ports = item.get("ports", item.get("port", ALL))
    return Observed(source, destination, _intervals(str(item.get("protocol") or "TCP"), ports, path))


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
