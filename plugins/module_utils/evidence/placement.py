# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a workload has no pod on a node: taints, a node selector, an affinity, a node that is not ready.

Sources: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ and
https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]
#: Taints that the DaemonSet controller tolerates for its pods, whatever these say.
_TOLERATED_PREFIX = "node.kubernetes.io/"


def is_ready(node: Node) -> bool | None:
    """Whether a node is Ready; None if it does not say."""
    conditions = {one.get("type"): one.get("status") for one in (node.get("status") or {}).get("conditions") or []}
    return conditions["Ready"] == "True" if "Ready" in conditions else None


def is_cordoned(node: Node) -> bool:
    """Whether no new pods come to a node."""
    return bool((node.get("spec") or {}).get("unschedulable"))


def why_not_on(node: Node, placement: Mapping[str, Any]) -> str:
    """Why a DaemonSet has no pod on a node, in words.

    Args:
        node: Node object.
        placement: of the DaemonSet's pods, C(node_selector), C(affinity) (C(nodeAffinity)) and C(tolerations); empty if
            that is not known.
    """
    return "; ".join(_reasons(node, placement)) or (
        "nothing keeps it off, so its pod is not made yet or was refused: see the events of its DaemonSet"
    )


def _reasons(node: Node, placement: Mapping[str, Any]) -> Iterator[str]:
    labels = (node.get("metadata") or {}).get("labels") or {}
    taints = [
        f"{taint.get('key')}{'=' + str(taint['value']) if taint.get('value') else ''}:{taint.get('effect')}"
        for taint in (node.get("spec") or {}).get("taints") or []
        if _keeps_off(taint, placement.get("tolerations") or [])
    ]
    if taints:
        yield f"its taint{'s are' if len(taints) > 1 else ' is'} {', '.join(taints)}: see falco_tolerations"
    selector = placement.get("node_selector") or {}
    unlike = [f"{key}={value}" for key, value in selector.items() if str(labels.get(key)) != str(value)]
    if unlike:
        yield f"it has not the label {', '.join(unlike)} that the DaemonSet's node selector wants"
    required = (placement.get("affinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    terms = required.get("nodeSelectorTerms") or []
    if terms and not any(_matches(node, term) for term in terms):
        told = " or ".join(" and ".join(_told(one) for one in _parts(term)) for term in terms)
        yield f"the DaemonSet's affinity keeps it off: it wants {told}"
    if is_cordoned(node):
        yield "it is cordoned (kubectl uncordon)"
    if is_ready(node) is False:
        yield "the node is not Ready"


def _keeps_off(taint: Mapping[str, Any], tolerations: list[Mapping[str, Any]]) -> bool:
    if taint.get("effect") not in ("NoSchedule", "NoExecute"):
        return False
    if str(taint.get("key")).startswith(_TOLERATED_PREFIX):
        return False
    return not any(_tolerates(one, taint) for one in tolerations)


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    exists = bool(toleration.get("operator") == "Exists")
    if not toleration.get("key"):
        return exists
    same = bool(toleration["key"] == taint.get("key"))
    return same and (exists or str(toleration.get("value") or "") == str(taint.get("value") or ""))


def _parts(term: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*(term.get("matchExpressions") or []), *(term.get("matchFields") or [])]


def _matches(node: Node, term: Mapping[str, Any]) -> bool:
    """Whether a node fits a term; an empty one fits none."""
    metadata = node.get("metadata") or {}
    fields = {"metadata.name": metadata.get("name")}
    labels = metadata.get("labels") or {}
    return bool(_parts(term)) and (
        all(_fits(labels, one) for one in term.get("matchExpressions") or [])
        and all(_fits(fields, one) for one in term.get("matchFields") or [])
    )


def _fits(values: Mapping[str, Any], expression: Mapping[str, Any]) -> bool:
    key, operator = str(expression.get("key")), expression.get("operator")
    wanted = [str(value) for value in expression.get("values") or []]
    has, value = key in values, str(values.get(key))
    if operator in ("Exists", "DoesNotExist"):
        return has if operator == "Exists" else not has
    if operator in ("Gt", "Lt"):
        try:
            difference = int(value) - int(wanted[0])
        except (ValueError, IndexError):
            return False
        return difference > 0 if operator == "Gt" else difference < 0
    inside = has and value in wanted
    return inside if operator == "In" else not inside


def _told(expression: Mapping[str, Any]) -> str:
    values = ", ".join(map(str, expression.get("values") or []))
    return f"{expression.get('key')} {expression.get('operator')}" + (f" [{values}]" if values else "")
