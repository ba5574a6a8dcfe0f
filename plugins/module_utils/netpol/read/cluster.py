# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces, Nodes and Services: what a cluster has beside its pods and policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import NetpolError
from ..model.addresses import Range, holds, merge, parse_address, parse_cidr
from ..model.objects import NAMESPACE_NAME_LABEL, Model, Namespace, Node, Service, ServicePort
from .entry import Entry, Key, Rejected, Reporter, origin_of


def read_namespace(model: Model, reporter: Reporter, key: Key, entry: Entry) -> None:
    try:
        labels = reporter.labels(entry, entry.value["metadata"].get("labels"), "metadata.labels")
    except Rejected:
        return
    labels[NAMESPACE_NAME_LABEL] = key[2]  # the API server sets it, whatever the manifest says
    model.namespaces[key[2]] = Namespace(key[2], labels, True, origin_of(entry))


def read_node(model: Model, reporter: Reporter, key: Key, entry: Entry) -> None:
    status = entry.value.get("status")
    listed = status.get("addresses") if isinstance(status, Mapping) else None
    addresses = []
    for item in listed if isinstance(listed, list) else ():
        parsed = parse_address(str(item.get("address", ""))) if isinstance(item, Mapping) else None
        if parsed is not None:
            addresses.append(parsed)
    try:
        labels = reporter.labels(entry, entry.value["metadata"].get("labels"), "metadata.labels")
    except Rejected:
        return
    spec = entry.value.get("spec")
    spec = spec if isinstance(spec, Mapping) else {}
    ranges = (parse_cidr(text) for text in _texts(spec.get("podCIDR"), spec.get("podCIDRs")))
    model.nodes.append(Node(key[2], labels, tuple(addresses), tuple(r for r in ranges if r is not None)))


def _texts(one: object, more: object) -> list[str]:
    """The texts of a field and of the list beside it, each once; what the API refuses in them is left out."""
    found = [one, *(more if isinstance(more, list) else ())]
    return list(dict.fromkeys(text for text in found if isinstance(text, str)))


def read_service(model: Model, reporter: Reporter, key: Key, entry: Entry) -> None:
    spec = entry.value.get("spec")
    spec = spec if isinstance(spec, Mapping) else {}
    selector = spec.get("selector")
    try:
        labels = reporter.labels(entry, selector, "spec.selector") if selector else None
    except Rejected:
        return
    ports = []
    listed = spec.get("ports")
    for port in listed if isinstance(listed, list) else ():
        if isinstance(port, Mapping) and isinstance(port.get("port"), int):
            target = port.get("targetPort")
            if isinstance(target, bool) or not isinstance(target, (int, str)):
                target = None  # missing, or of a type that the API refuses
            ports.append(
                ServicePort(
                    str(port.get("name") or ""),
                    str(port.get("protocol") or "TCP"),
                    port["port"],
                    port["port"] if target is None else target,
                )
            )
    addresses = (parse_address(text) for text in _texts(spec.get("clusterIP"), spec.get("clusterIPs")))
    model.services.append(
        Service(
            key[1],
            key[2],
            labels,
            tuple(ports),
            str(spec.get("type") or "ClusterIP"),
            origin_of(entry),
            tuple(address for address in addresses if address is not None),
        )
    )


def pod_ranges(model: Model) -> tuple[Range, ...]:
    """Where pods get their addresses: the ranges of the nodes, unless a pod shows that they are not used.

    Networks with an address management of their own, as Calico's, leave the nodes' ranges aside.
    """
    found = merge(item for node in model.nodes for item in node.pod_ranges)
    known = [address for pod in model.pods if not pod.host_network for address in pod.addresses]
    unused = {family for family, value in known if not holds(found, family, value)}
    return tuple(item for item in found if item.family not in unused)


def check_cidrs(texts: Sequence[str]) -> tuple[Range, ...]:
    """The ranges that a caller gives.

    Raises:
        NetpolError: one of them is no block.
    """
    found = []
    for number, text in enumerate(texts):
        parsed = parse_cidr(str(text))
        if parsed is None:
            raise NetpolError(f"pod_cidrs[{number}]: {text!r} is no block, write it as 10.244.0.0/16")
        found.append(parsed)
    return tuple(merge(found))
