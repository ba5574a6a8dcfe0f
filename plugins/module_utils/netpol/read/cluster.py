# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces, Nodes and Services: what a cluster has beside its pods and policies."""

from __future__ import annotations

from collections.abc import Mapping

from ..model.addresses import parse_address
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
    model.nodes.append(Node(key[2], labels, tuple(addresses)))


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
    model.services.append(
        Service(key[1], key[2], labels, tuple(ports), str(spec.get("type") or "ClusterIP"), origin_of(entry))
    )
