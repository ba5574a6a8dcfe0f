# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses from which API servers' events come: those of control-plane nodes, as pods on other nodes see them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
#: Where network plugins write the address that a node's own packets to pods of other nodes have.
_TUNNELS = (
    "projectcalico.org/IPv4IPIPTunnelAddr",
    "projectcalico.org/IPv4VXLANTunnelAddr",
    "projectcalico.org/IPv4WireguardInterfaceAddr",
    "projectcalico.org/IPv6VXLANTunnelAddr",
    "projectcalico.org/IPv6WireguardInterfaceAddr",
    "network.cilium.io/ipv4-cilium-host",
    "network.cilium.io/ipv6-cilium-host",
)
_FLANNEL = "flannel.alpha.coreos.com/backend-type"


def control_plane_nodes(nodes: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those of a cluster's Node objects that are labelled as control plane, as kubeadm, k3s and RKE2 do."""
    return [node for node in nodes if any(label in _labels(node) for label in _CONTROL_PLANE)]


def node_address(node: Mapping[str, Any]) -> str:
    """The node's own address within the cluster; empty if it has none."""
    return next(_addresses(node), "")


def audit_sources(nodes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Blocks of one address each from which control-plane nodes reach a pod, in the order of their kinds and numbers.

    Args:
      nodes: Node objects of the cluster, others than those of the control plane as well.
    """
    found = {address for node in control_plane_nodes(nodes) for address in _seen_as(node)}
    parsed = sorted((ipaddress.ip_address(address) for address in found), key=lambda one: (one.version, int(one)))
    return [f"{address}/{address.max_prefixlen}" for address in parsed]


def _labels(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return node["metadata"].get("labels") or {}


def _addresses(node: Mapping[str, Any]) -> Iterator[str]:
    for entry in (node.get("status") or {}).get("addresses") or []:
        if entry.get("type") == "InternalIP":
            yield str(entry["address"])


def _seen_as(node: Mapping[str, Any]) -> Iterator[str]:
    yield from _addresses(node)
    annotations = node["metadata"].get("annotations") or {}
    for name in _TUNNELS:
        if annotations.get(name):
            yield str(annotations[name]).partition("/")[0]
    if _FLANNEL in annotations:
        # Its device on a node has the first address of the node's pods.
        for block in (node.get("spec") or {}).get("podCIDRs") or []:
            yield str(ipaddress.ip_network(block, strict=False).network_address)
