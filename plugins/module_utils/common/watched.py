# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which nodes Falco is to watch, by its node selector and by groups of nodes that have a Falco of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Group = Mapping[str, Any]


def watched(node: Mapping[str, Any], selector: Mapping[str, Any], groups: Iterable[Group]) -> bool:
    """Whether some Falco is to watch a node, whatever keeps its pod off (a taint, an affinity).

    Args:
        node: a Node object.
        selector: labels of the nodes that are watched; empty for all.
        groups: each with C(nodes) (names) or C(node_labels).
    """
    metadata = node["metadata"]
    labels = metadata.get("labels") or {}
    return selects(selector, labels) or any(belongs(str(metadata["name"]), labels, group) for group in groups)


def belongs(node: str, labels: Mapping[str, Any], group: Group) -> bool:
    """Whether a node is of a group, by its name or its labels."""
    selector = group.get("node_labels")
    return node in (group.get("nodes") or ()) or (bool(selector) and selects(selector or {}, labels))


def selects(selector: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """Whether all labels of a selector are among *labels*."""
    return all(str(labels.get(key)) == str(value) for key, value in selector.items())
