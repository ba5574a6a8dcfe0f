# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which network plugin a cluster runs, and what is known of how it treats policies. Knowledge, not proof."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ...kube.client import Client
from ...kube.errors import ForbiddenError, KubeError
from ...kube.exec import Command, run_all
from ...kube.resource import KNOWN
from ..wire.node_script import CNI_FILES
from .probers import Probers

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
_BARE = "moves packets and knows nothing of policies; whether they hold is up to an agent beside it"
# Types of CNI plugins as configurations name them, or the name of the whole configuration.
_TYPES: tuple[tuple[str, str, str, str], ...] = (
    ("kindnet", "kindnet", "depends", "enforces since kind 0.24; earlier versions do not"),
    ("cilium-cni", "Cilium", "yes", "identities follow label changes with a delay"),
    ("calico", "Calico", "yes", "dropped by default; a reject action answers and looks like a closed port"),
    ("antrea", "Antrea", "yes", "agent and Open vSwitch on every node"),
    ("weave-net", "Weave Net", "yes", "no longer maintained"),
    ("ovn-k8s-cni-overlay", "OVN-Kubernetes", "yes", "the default of OpenShift"),
    ("kube-ovn", "Kube-OVN", "yes", ""),
    ("aws-cni", "Amazon VPC CNI", "depends", "only with its network policy agent switched on"),
    ("azure-vnet", "Azure CNI", "depends", "needs Azure NPM or Cilium to enforce"),
    ("flannel", "flannel", "no", "accepts policies and enforces none, unless a second agent does"),
    ("multus", "Multus", "depends", "hands over to another plugin, whose policies hold on the first interface only"),
    *((kind, kind, "depends", _BARE) for kind in ("bridge", "ptp", "ipvlan", "macvlan", "host-device", "vlan")),
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


def read_nodes(client: Client, probers: Probers, nodes: Iterable[str]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Network plugins that the CNI configuration of nodes names.

    Args:
        client: connection to the cluster.
        probers: the privileged pods that read it.
        nodes: whose configuration is read.

    Returns:
        Plugins in the form of C(detect), and by node why it could not be read. Of the configuration itself nothing is
        kept but the names of plugins, since some of them carry credentials.
    """
    unread: dict[str, str] = {}
    commands = []
    try:
        for node, pod in probers.on(nodes).items():
            if isinstance(pod, str):
                unread[node] = pod
            else:
                commands.append((node, Command(pod.namespace, pod.name, pod.container, CNI_FILES)))
    except KubeError as error:
        return [], dict.fromkeys(nodes, str(error))
    found: dict[str, dict[str, Any]] = {}
    for node, output in run_all(client, commands, max(1, len(commands)), may_repeat=True):
        if isinstance(output, KubeError):
            unread[node] = str(output)
            continue
        files = _files(output.stdout)
        if not files:
            unread[node] = "it has no CNI configuration in the known places"
        for path, text in files:
            for entry in configured(text, f"Node {node}: {path}"):
                found.setdefault(entry["name"], entry)
    return [found[name] for name in sorted(found)], unread


def _files(output: str) -> list[tuple[str, str]]:
    """Path and text of the file that rules in each directory: container runtimes take the first one by name."""
    found: dict[str, tuple[str, str]] = {}
    for block in ("\n" + output).split("\nF ")[1:]:
        path, _newline, rest = block.partition("\n")
        text = "\n".join(line[1:] for line in rest.splitlines() if line.startswith(" "))
        directory = path.rpartition("/")[0]
        if directory not in found or path < found[directory][0]:
            found[directory] = (path, text)
    return list(found.values())


def configured(text: str, where: str) -> list[dict[str, Any]]:
    """Network plugins that one CNI configuration names.

    See https://github.com/containernetworking/cni/blob/main/SPEC.md, section 1.

    Args:
        text: a file of the directory of CNI configurations: a list of plugins, or a single one.
        where: node and path, for people.
    """
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if not isinstance(parsed, dict):
        return []
    chain = parsed.get("plugins")
    plugins = [one for one in (chain if isinstance(chain, list) else [parsed]) if isinstance(one, dict)]
    names = [str(parsed.get("name") or ""), *(str(one.get("type") or "") for one in plugins)]
    found = []
    for mark, plugin, enforces, note in _TYPES:
        if mark in names:
            found.append(_entry(plugin, enforces, note, f"{where} ({', '.join(filter(None, names[1:]))})"))
    # Known plugins build on the bare ones, which then say nothing more.
    return [entry for entry in found if entry["note"] != _BARE] or found[:1] or [_unknown(names[1:], where)]


def _unknown(types: list[str], where: str) -> dict[str, Any]:
    kind = ", ".join(filter(None, types)) or "without a type"
    return _entry(kind, "unknown", "nothing is known of this plugin", where)
