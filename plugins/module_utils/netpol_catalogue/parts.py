# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pieces that NetworkPolicy objects are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

INGRESS, EGRESS = "Ingress", "Egress"
# The API server puts this label on every namespace.
NAMESPACE_NAME = "kubernetes.io/metadata.name"


def selector(labels: dict[str, str]) -> dict[str, Any]:
    """A label selector; without labels it selects everything."""
    return {"matchLabels": labels} if labels else {}


def peer_of_namespaces(names: Sequence[str], labels: dict[str, str]) -> dict[str, Any]:
    """A peer that selects namespaces by name, by labels, or (with neither) all of them."""
    if not names:
        return {"namespaceSelector": selector(labels)}
    if len(names) == 1:
        return {"namespaceSelector": {"matchLabels": {**labels, NAMESPACE_NAME: names[0]}}}
    found: dict[str, Any] = {
        "matchExpressions": [{"key": NAMESPACE_NAME, "operator": "In", "values": sorted(names)}],
        **selector(labels),
    }
    return {"namespaceSelector": found}


def rule(direction: str, peers: Sequence[dict[str, Any]], ports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One rule. Without peers it holds for everyone, without ports for all ports."""
    found: dict[str, Any] = {}
    if peers:
        found[direction] = list(peers)
    if ports:
        found["ports"] = list(ports)
    return found


def policy(
    namespace: str,
    name: str,
    pods: dict[str, str] | dict[str, Any],
    types: Sequence[str],
    ingress: list[dict[str, Any]] | None = None,
    egress: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """A NetworkPolicy. C(pods) are labels, or a whole selector with matchExpressions."""
    chosen = pods if "matchExpressions" in pods else selector(pods)
    spec: dict[str, Any] = {"podSelector": chosen, "policyTypes": list(types)}
    if ingress:
        spec["ingress"] = ingress
    if egress:
        spec["egress"] = egress
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }
