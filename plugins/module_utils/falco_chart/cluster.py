# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables against the cluster's nodes and Services: labels, directories and ports that others have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .problems import Problem

Resource = Mapping[str, Any]
_WITH_NODE_PORTS = ("NodePort", "LoadBalancer")


def wrong_selector(variable: str, wanted: Mapping[str, Any], nodes: Sequence[Resource]) -> Iterator[Problem]:
    """A node selector that no node matches."""
    labels = [node["metadata"].get("labels") or {} for node in nodes]
    if any(all(str(one.get(key)) == str(value) for key, value in wanted.items()) for one in labels):
        return
    message = "no node of the cluster has these labels, so no Falco would run there."
    yield Problem(variable, message, f"Its nodes are {_names(nodes)}.")


def wrong_redis_nodes(wanted: Sequence[str], nodes: Sequence[Resource]) -> Iterator[Problem]:
    """Nodes for the directory of Redis: at least one, and all of them the cluster's."""
    known = {node["metadata"]["name"] for node in nodes}
    unknown = [name for name in wanted if name not in known]
    if not wanted:
        hint = "Put one into the group redis_nodes, set falco_redis_nodes, or falco_redis_storage: storage_class."
        yield Problem("falco_redis_storage", "is local, but no node is named.", hint)
    if unknown:
        message = f"is local, but {', '.join(unknown)} is no node of this cluster."
        yield Problem("falco_redis_storage", message, f"It has {_names(nodes)}.")


def wrong_node_port(port: int, own_service: str, services: Iterable[Resource]) -> Iterator[Problem]:
    """A port of the UI that another Service has on every node."""
    users = [
        f"{service['metadata']['namespace']}/{service['metadata']['name']}"
        for service in services
        if service["metadata"]["name"] != own_service
        and service.get("spec", {}).get("type") in _WITH_NODE_PORTS
        and any(entry.get("nodePort") == port for entry in service["spec"].get("ports") or ())
    ]
    if users:
        yield Problem("falco_ui_node_port", f"{port} belongs to Service {', '.join(users)}.", "Choose another port.")


def is_openshift(nodes: Iterable[Resource]) -> bool:
    """Whether the nodes are OpenShift 4's: each has labels of its operators."""
    labels = (label for node in nodes for label in node["metadata"].get("labels") or {})
    return any(label.startswith("node.openshift.io/") for label in labels)


def _names(nodes: Iterable[Resource]) -> str:
    return ", ".join(node["metadata"]["name"] for node in nodes)
