"""Label selectors, and the parts of Kubernetes objects that policies speak of. Pure."""

# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Any

#: Phases in which a pod has its address to itself; the address of a finished pod may already be another pod's.
LIVE_PHASES = ("Pending", "Running")


@dataclass(frozen=True)
class Pod:
    """A pod that has an IPv4 address of its own.

    Attributes:
        ports: named ports: (name, protocol, number).
        is_local: whether it runs on this node.
    """

    namespace: str
    name: str
    address: IPv4Address
    labels: Mapping[str, str]
    ports: tuple[tuple[str, str, int], ...]
    is_local: bool


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Say whether a LabelSelector matches; ``None`` matches nothing, ``{}`` everything.

    Raises:
        ValueError: unknown operator.
    """
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(term, labels) for term in selector.get("matchExpressions") or ())


def _holds(term: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    operator, key, values = term.get("operator"), term.get("key", ""), term.get("values") or ()
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":
        return key not in labels or labels[key] not in values
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    raise ValueError(f"label selector: unknown operator {operator!r}")


def labels_of(thing: Mapping[str, Any]) -> Mapping[str, str]:
    """Labels of a Kubernetes object."""
    return thing["metadata"].get("labels") or {}


def _address(status: Mapping[str, Any]) -> IPv4Address | None:
    for entry in status.get("podIPs") or ([{"ip": status["podIP"]}] if status.get("podIP") else []):
        try:
            return IPv4Address(entry.get("ip", ""))
        except AddressValueError:
            continue
    return None


def _named_ports(spec: Mapping[str, Any]) -> Iterable[tuple[str, str, int]]:
    for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
        for port in container.get("ports") or ():
            if port.get("name"):
                yield port["name"], port.get("protocol") or "TCP", int(port["containerPort"])


def live_pods(objects: Iterable[Mapping[str, Any]], node_address: str) -> list[Pod]:
    """Pods that policies can mean: not in the host's network, with an address, not finished.

    When two claim one address, the one made later has it; the other is about to go.
    """
    by_address: dict[IPv4Address, tuple[str, Pod]] = {}
    for thing in objects:
        spec, status = thing.get("spec") or {}, thing.get("status") or {}
        address = _address(status)
        if spec.get("hostNetwork") or address is None or status.get("phase", "Pending") not in LIVE_PHASES:
            continue
        metadata = thing["metadata"]
        pod = Pod(
            metadata["namespace"],
            metadata["name"],
            address,
            labels_of(thing),
            tuple(sorted(set(_named_ports(spec)))),
            status.get("hostIP") == node_address,
        )
        age = (metadata.get("creationTimestamp") or "", metadata["name"])
        if address not in by_address or by_address[address][0] <= "/".join(age):
            by_address[address] = ("/".join(age), pod)
    return [pod for _, pod in sorted(by_address.values(), key=lambda item: (item[1].namespace, item[1].name))]
