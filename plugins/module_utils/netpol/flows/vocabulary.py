# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small vocabulary for flows: who may or must not reach whom, on which ports.

A flow is a mapping with C(name), C(from), C(to) and C(ports). A peer is a mapping with any of:

- C(namespace): a name or a list of names,
- C(namespace_labels): labels that the namespace has,
- C(labels): labels that the pod has,
- C(workload): C(Kind/name) or a name of any kind,
- C(pod): a pod's name,
- C(service): a Service's name (only in C(to)); C(ports) are then the Service's ports, as a client dials them,
- C(cidr) or C(ip): addresses outside, alone.

All that is given must hold; C({}) is every pod. Pods on the host network take part only where C(workload) or C(pod)
names them. C(ports) is a list of C(8080), C("8080/TCP"), C("http/TCP") (a named port), C("8000-8100/TCP") or
C({port, protocol, end_port}); the protocol is TCP unless given; no ports means all ports.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...common.words import nearest
from ..errors import FlowError
from ..model.addresses import Range, format_range, parse_block
from ..model.objects import LAST_PORT, PROTOCOLS

_PORT_TEXT = re.compile(r"([^/]+?)(?:/([A-Za-z]+))?\Z")
_FLOW_FIELDS = ("name", "from", "to", "ports")
_PEER_FIELDS = ("namespace", "namespace_labels", "labels", "workload", "pod", "service", "cidr", "ip")


@dataclass(frozen=True)
class FlowPort:
    """Ports of a flow: an inclusive range of numbers, or a name."""

    protocol: str
    first: int = 1
    last: int = LAST_PORT
    name: str = ""

    def __str__(self) -> str:
        if self.name:
            return f"{self.name}/{self.protocol}"
        return f"{self.first if self.first == self.last else f'{self.first}-{self.last}'}/{self.protocol}"


@dataclass(frozen=True)
class FlowPeer:
    """One end of a flow; see the module's text. C(path) is where it was written, for messages."""

    path: str
    namespaces: tuple[str, ...] = ()
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    workload: str = ""
    pod: str = ""
    service: str = ""
    block: Range | None = None

    def __str__(self) -> str:
        if self.block is not None:
            return format_range(self.block)
        parts = []
        if self.namespaces:
            parts.append("namespace " + ", ".join(self.namespaces))
        if self.namespace_labels:
            parts.append("namespace labels " + _pairs(self.namespace_labels))
        for word in ("workload", "pod", "service"):
            if getattr(self, word):
                parts.append(f"{word} {getattr(self, word)}")
        if self.labels:
            parts.append("labels " + _pairs(self.labels))
        return "; ".join(parts) or "every pod"


@dataclass(frozen=True)
class Flow:
    """One flow. C(ports) is None for all ports."""

    name: str
    source: FlowPeer
    destination: FlowPeer
    ports: tuple[FlowPort, ...] | None
    path: str

    def __str__(self) -> str:
        ports = "all ports" if self.ports is None else ", ".join(str(port) for port in self.ports)
        return self.name or f"{self.source} -> {self.destination} on {ports}"


def _pairs(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels))


def parse_flows(data: object, path: str = "flows") -> list[Flow]:
    """Flows from a caller's data.

    Args:
        data: a list of flows; None is an empty list.
        path: the option's name, for messages.

    Returns:
        The flows in order. Flows without a name are named by their place.

    Raises:
        FlowError: for the first thing that is not of the vocabulary.
    """
    if data is None:
        return []
    if not isinstance(data, (list, tuple)):
        raise FlowError(path, "must be a list of flows")
    return [parse_flow(item, f"{path}[{index}]") for index, item in enumerate(data)]


def parse_flow(item: object, path: str = "flow") -> Flow:
    """One flow; see L(parse_flows)."""
    flow = _mapping(item, path, _FLOW_FIELDS)
    name = flow.get("name")
    if name is not None and not isinstance(name, str):
        raise FlowError(f"{path}.name", "must be a string")
    return Flow(
        name=name or "",
        source=parse_peer(flow.get("from"), f"{path}.from", source=True),
        destination=parse_peer(flow.get("to"), f"{path}.to"),
        ports=parse_ports(flow.get("ports"), f"{path}.ports"),
        path=path,
    )


def parse_peer(item: object, path: str, source: bool = False) -> FlowPeer:
    """One end of a flow; None is every pod.

    Raises:
        FlowError: when it is not of the vocabulary.
    """
    peer = _mapping({} if item is None else item, path, _PEER_FIELDS)
    outside = [key for key in ("cidr", "ip") if peer.get(key) is not None]
    given = [key for key in peer if peer[key] is not None]
    if outside:
        if len(given) > 1:
            raise FlowError(path, f"{outside[0]} stands alone", "addresses outside have no labels or namespaces")
        key = outside[0]
        text = peer[key]
        block = parse_block(text) if isinstance(text, str) else None
        if block is None or (key == "ip" and block.first != block.last):
            expected = "an address such as 203.0.113.7" if key == "ip" else "a block such as 203.0.113.0/24"
            raise FlowError(f"{path}.{key}", f"{text!r} is not {expected}")
        return FlowPeer(path, block=block)
    if source and peer.get("service") is not None:
        raise FlowError(f"{path}.service", "a Service opens no connections", "name the workload")
    return FlowPeer(
        path,
        namespaces=_names(peer.get("namespace"), f"{path}.namespace"),
        namespace_labels=_labels(peer.get("namespace_labels"), f"{path}.namespace_labels"),
        labels=_labels(peer.get("labels"), f"{path}.labels"),
        workload=_name(peer.get("workload"), f"{path}.workload"),
        pod=_name(peer.get("pod"), f"{path}.pod"),
        service=_name(peer.get("service"), f"{path}.service"),
    )


def parse_ports(data: object, path: str) -> tuple[FlowPort, ...] | None:
    """Ports of a flow, None for all.

    Raises:
        FlowError: when an entry is not of the vocabulary.
    """
    if data is None:
        return None
    items = data if isinstance(data, (list, tuple)) else [data]
    if not items:
        return None
    return tuple(parse_port(item, f"{path}[{index}]") for index, item in enumerate(items))


def parse_port(item: object, path: str = "port") -> FlowPort:
    """One entry of a flow's ports; see L(parse_ports)."""
    if isinstance(item, Mapping):
        fields = _mapping(item, path, ("port", "protocol", "end_port"))
        protocol = _protocol(fields.get("protocol"), f"{path}.protocol")
        if fields.get("port") is None:
            if fields.get("end_port") is not None:
                raise FlowError(f"{path}.end_port", "needs a port to start from")
            return FlowPort(protocol)
        port = _single(str(fields["port"]), protocol, path)
        if fields.get("end_port") is None:
            return port
        if port.name:
            raise FlowError(f"{path}.end_port", "cannot stand beside a named port")
        return _range(port.first, _number(str(fields["end_port"]), path), protocol, path)
    if isinstance(item, bool) or not isinstance(item, (int, str)):
        raise FlowError(path, f"{item!r} is not a port", "write 8080, '8080/TCP', 'http/TCP' or '8000-8100/TCP'")
    match = _PORT_TEXT.match(str(item).strip())
    if not match:
        raise FlowError(path, f"{item!r} is not a port", "write 8080, '8080/TCP', 'http/TCP' or '8000-8100/TCP'")
    port_text, protocol_text = match.group(1), match.group(2)
    protocol = _protocol(protocol_text, path)
    if port_text.lower() in ("all", "any", "*"):
        return FlowPort(protocol)
    return _single(port_text, protocol, path)


def _single(text: str, protocol: str, path: str) -> FlowPort:
    first, _dash, last = text.partition("-")
    if first.strip().isdigit() and last.strip().isdigit():
        return _range(_number(first, path), _number(last, path), protocol, path)
    if text.lstrip("-").isdigit():
        number = _number(text, path)
        return FlowPort(protocol, number, number)
    if not re.match(r"[a-z0-9](?:-?[a-z0-9])*\Z", text) or len(text) > 15:
        raise FlowError(path, f"{text!r} is neither a port number nor a port's name")
    return FlowPort(protocol, 0, 0, text)


def _range(first: int, last: int, protocol: str, path: str) -> FlowPort:
    if last < first:
        raise FlowError(path, f"the range ends at {last}, before its start {first}")
    return FlowPort(protocol, first, last)


def _number(text: str, path: str) -> int:
    text = text.strip()
    # No more digits than a port has: Python converts no number of thousands.
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= LAST_PORT:
        raise FlowError(path, f"{text!r} is not a port number", f"1 to {LAST_PORT}")
    return int(text)


def _protocol(value: object, path: str) -> str:
    if value is None:
        return "TCP"
    text = str(value).upper()
    if text not in PROTOCOLS:
        raise FlowError(path, f"{value!r} is not a protocol", f"one of {', '.join(PROTOCOLS)}")
    return text


def _mapping(item: object, path: str, fields: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(item, Mapping):
        raise FlowError(path, f"must be a mapping, not {item!r}", f"any of {', '.join(fields)}")
    for key in item:
        if key not in fields:
            near = nearest(str(key), fields)
            hint = f"did you mean {near!r}?" if near else f"one of {', '.join(fields)}"
            raise FlowError(f"{path}.{key}", "is not part of the vocabulary", hint)
    return item


def _names(value: object, path: str) -> tuple[str, ...]:
    if value is None:
        return ()
    items = value if isinstance(value, (list, tuple)) else [value]
    return tuple(_name(item, path) for item in items)


def _name(value: object, path: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or not value:
        raise FlowError(path, f"must be a name, not {value!r}")
    return value


def _labels(value: object, path: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise FlowError(path, f"must be a mapping of labels, not {value!r}")
    for key, label in value.items():
        if not isinstance(key, str):
            raise FlowError(path, f"the name of a label must be a string, not {key!r}", "write it in quotes")
        if not isinstance(label, str):
            raise FlowError(f"{path}[{key}]", f"must be a string, not {label!r}", "write it in quotes")
    return dict(value)
