# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which network plugin a cluster runs, and what is known of how it treats policies. Knowledge, not proof."""

from __future__ import annotations

from typing import Any

from ..client import KNOWN, Client
from ..errors import ForbiddenError

# Name or label of the plugin's DaemonSet, the plugin, whether it enforces NetworkPolicies, what to know about it.
_PLUGINS: tuple[tuple[str, str, str, str], ...] = (
    ("canal", "Canal", "yes", "flannel moves the packets, Calico enforces the policies"),
    ("calico-node", "Calico", "yes", "dropped by default; a reject action answers and looks like a closed port"),
    ("cilium-envoy", "", "", ""),
    ("cilium", "Cilium", "yes", "identities follow label changes with a delay"),
    ("antrea-agent", "Antrea", "yes", "agent and Open vSwitch on every node"),
    ("kube-router", "kube-router", "yes", "policies reject with an ICMP message, which looks like a closed port"),
    ("weave-net", "Weave Net", "yes", "no longer maintained"),
    ("ovnkube-node", "OVN-Kubernetes", "yes", "the default of OpenShift"),
    ("kube-ovn-cni", "Kube-OVN", "yes", ""),
    ("kindnet", "kindnet", "depends", "enforces since kind 0.24; earlier versions do not"),
    ("aws-node", "Amazon VPC CNI", "depends", "only with its network policy agent switched on"),
    ("azure-npm", "Azure NPM", "yes", ""),
    ("azure-cns", "Azure CNI", "depends", "needs Azure NPM or Cilium to enforce"),
    ("kube-flannel", "flannel", "no", "accepts policies and enforces none, unless a second agent does"),
    ("anetd", "GKE Dataplane V2", "yes", "Cilium"),
    ("netd", "GKE", "depends", "needs network policy enforcement (Calico) or Dataplane V2"),
)
# Single binaries without a DaemonSet show themselves on their nodes.
_NODE_MARKS: tuple[tuple[str, str, str, str], ...] = (
    ("k3s.io/", "k3s", "depends", "flannel with an embedded kube-router agent; --disable-network-policy turns it off"),
    ("rke2.io/", "RKE2", "depends", "Canal by default"),
    ("flannel.alpha.coreos.com/", "flannel", "no", "accepts policies and enforces none, unless a second agent does"),
)


def detect(client: Client) -> list[dict[str, Any]]:
    """Network plugins that are seen in a cluster.

    Returns:
        For each: C(name), C(enforces) (yes, no, depends), C(note), C(seen) (where it was seen). Empty if none is known.
        Missing rights hide a plugin, they are no error.
    """
    found: dict[str, dict[str, Any]] = {}
    try:
        for item in client.list_all(KNOWN["apps/v1", "DaemonSet"]):
            name = item["metadata"]["name"]
            for mark, plugin, enforces, note in _PLUGINS:
                if name == mark or name.startswith(mark + "-"):
                    where = f"DaemonSet {item['metadata'].get('namespace')}/{name}"
                    if plugin:
                        found.setdefault(plugin, _entry(plugin, enforces, note, where))
                    break
    except ForbiddenError:
        pass
    try:
        for node in client.list_all(KNOWN["v1", "Node"]):
            marks = " ".join([*(node["metadata"].get("annotations") or {}), *(node["metadata"].get("labels") or {})])
            for mark, plugin, enforces, note in _NODE_MARKS:
                if mark in marks and not found:
                    found[plugin] = _entry(plugin, enforces, note, f"Node {node['metadata']['name']}")
    except ForbiddenError:
        pass
    return list(found.values())


def _entry(plugin: str, enforces: str, note: str, seen: str) -> dict[str, Any]:
    return {"name": plugin, "enforces": enforces, "note": note, "seen": seen}
