# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Groups of nodes that need another driver. A release of Falco has one driver, so each group is a release."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .problems import Problem, kind_of, nearest

#: Keys of one group, with their types.
ENTRY: dict[str, type] = {"name": str, "driver": str, "nodes": list, "node_labels": dict}
GROUP_DRIVERS = ("modern_ebpf", "kmod", "auto")
HOSTNAME = "kubernetes.io/hostname"
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,18}[a-z0-9])?")
#: What the first release's own objects are called after its name.
_TAKEN = ("certs", "client-certs", "falcoctl", "falcosidekick", "k8s-metacollector", "metrics", "outputs", "rules")


def group_release(release_name: str, name: str) -> str:
    """Helm release and DaemonSet of a group."""
    return f"{release_name}-{name}"


def group_affinity(affinity: Mapping[str, Any], group: Mapping[str, Any]) -> dict[str, Any]:
    """Affinity of a group's pods: its nodes and no other."""
    return _with_nodes(affinity, [_expression(group, "In")])


def other_affinity(affinity: Mapping[str, Any], groups: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Affinity of the first release's pods: the nodes of no group."""
    return _with_nodes(affinity, [_expression(group, "NotIn") for group in groups])


def _with_nodes(affinity: Mapping[str, Any], expressions: list[dict[str, Any]]) -> dict[str, Any]:
    required = {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
    node = {**affinity.get("nodeAffinity", {}), "requiredDuringSchedulingIgnoredDuringExecution": required}
    return {**affinity, "nodeAffinity": node}


def _expression(group: Mapping[str, Any], operator: str) -> dict[str, Any]:
    if group.get("nodes"):
        return {"key": HOSTNAME, "operator": operator, "values": list(group["nodes"])}
    ((key, value),) = group["node_labels"].items()
    return {"key": key, "operator": operator, "values": [str(value)]}


def wrong_groups(settings: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with ``falco_driver_groups``; with the cluster's nodes, whether each group has some of its own."""
    names: list[Any] = []
    usable = []
    for index, group in enumerate(settings["driver_groups"]):
        path = f"falco_driver_groups[{index}]"
        if not isinstance(group, Mapping):
            yield Problem(path, f"must be a mapping with name, driver and nodes, not {kind_of(group)}.")
            continue
        problems = [*_wrong_keys(group, path), *_wrong_name(group.get("name"), names, f"{path}.name")]
        problems += _wrong_choice(group, path)
        names.append(group.get("name"))
        yield from problems
        usable += [] if problems else [group]
    if settings["driver_groups"] and (settings["affinity"].get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    ):
        hint = "Use falco_node_selector, which holds for all groups."
        yield Problem("falco_affinity.nodeAffinity", "cannot be combined with falco_driver_groups.", hint)
    if settings["driver_groups"] and settings["driver"] == "none":
        yield Problem("falco_driver_groups", "are for nodes with a driver; falco_driver is none.")
    if settings["nodes"]:
        yield from _wrong_nodes(usable, settings["nodes"])


def _wrong_keys(group: Mapping[str, Any], path: str) -> Iterator[Problem]:
    for key, value in group.items():
        if key not in ENTRY:
            close = nearest(str(key), ENTRY)
            yield Problem(f"{path}.{key}", "is unknown.", f"Did you mean {close}?" if close else "")
        elif not isinstance(value, ENTRY[key]):
            yield Problem(f"{path}.{key}", f"must be of type {ENTRY[key].__name__}, not {kind_of(value)}.")


def _wrong_name(name: Any, before: list[Any], path: str) -> Iterator[Problem]:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield Problem(path, f"must be at most 20 small letters, digits and hyphens, not {name!r}.")
    elif name in _TAKEN:
        yield Problem(path, f"{name} is the name of an object of the first release.", "Choose another.")
    elif name in before:
        yield Problem(path, f"{name} is the name of another group.")


def _wrong_choice(group: Mapping[str, Any], path: str) -> Iterator[Problem]:
    if group.get("driver") not in GROUP_DRIVERS:
        yield Problem(f"{path}.driver", f"must be one of {', '.join(GROUP_DRIVERS)}, not {group.get('driver')!r}.")
    if bool(group.get("nodes")) == bool(group.get("node_labels")):
        yield Problem(path, "needs nodes (their names) or node_labels (one label), one of them.")
    elif len(group.get("node_labels") or "1") != 1:
        hint = "Nodes that lack one of several labels cannot be told to the first release."
        yield Problem(f"{path}.node_labels", "must be one label.", hint)


def _wrong_nodes(groups: list[Mapping[str, Any]], nodes: Mapping[str, Mapping[str, str]]) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    for group in groups:
        path = f"falco_driver_groups.{group['name']}"
        expression = _expression(group, "In")
        found = [name for name, labels in nodes.items() if labels.get(expression["key"]) in expression["values"]]
        hosts = {labels.get(HOSTNAME) for labels in nodes.values()}
        for name in group.get("nodes") or []:
            if name not in hosts:
                close = nearest(str(name), [host for host in hosts if host])
                hint = f"Did you mean {close}?" if close else f"It has {', '.join(sorted(nodes))}."
                yield Problem(path, f"{name} is no node of this cluster.", hint)
        if not found and not group.get("nodes"):
            yield Problem(path, f"no node has the label {expression['key']}={expression['values'][0]}.")
        for name in found:
            if name in taken:
                yield Problem(path, f"{name} is a node of the group {taken[name]}, too.", "A node has one driver.")
            taken[name] = group["name"]
