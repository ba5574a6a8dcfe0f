# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stage falco: Falco watches every node that it is to watch, what passes its alerts on is ready, data are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..common.words import counted
from .asked import Asked, Result
from .check import FAILED, Check, passed_if


def judge(asked: Asked) -> Iterator[Check]:
    """The checks of a release of Falco.

    Args:
        asked: C(namespace); C(release), its name and that of Falco's workload; C(kind) of that workload; C(rollout),
            what falco_rollout returned for all workloads; C(nodes), a result with all Node objects; C(node_selector),
            labels of the nodes that Falco is to watch (empty for all); C(groups), C(nodes) (names) and C(node_labels)
            of each group of nodes that has a Falco of its own; C(claim), a result with Redis' claim, and C(claim_name).

    Raises:
        EvidenceError: something of this is missing or of another type.
    """
    rollout = asked.result("rollout")
    if asked.text("kind") == "DaemonSet":
        yield _on_every_node(asked, rollout)
    yield from _rolled_out(asked, rollout)
    if not asked.result("claim").skipped:
        yield _storage(asked)


def _on_every_node(asked: Asked, rollout: Result) -> Check:
    sentence, subject = "Falco runs on every node", f"{asked.text('namespace')}/{asked.text('release')}"
    nodes = asked.result("nodes")
    if not rollout.answered or not nodes.answered:
        why = rollout.why_not if not rollout.answered else f"nodes: {nodes.why_not}"
        return Check("nodes", sentence, subject, FAILED, why)
    pods = {str(pod["node"]): pod for pod in rollout.get("pods", [])}
    groups = asked.items("groups")
    missing, left_out, elsewhere, watched = [], [], [], []
    for node in nodes.get("resources", []):
        name, labels = node["metadata"]["name"], node["metadata"].get("labels") or {}
        if name in pods:
            watched.append(name)
            missing += [f"{name}: pod {pods[name]['name']} {text}" for text in pods[name].get("differs", [])]
        elif any(_belongs(name, labels, group) for group in groups):
            elsewhere.append(name)
        elif not _selects(asked.mapping("node_selector"), labels):
            left_out.append(name)
        else:
            missing.append(f"{name}: no Falco pod ({_why_none(node)})")
    if not watched and not missing:
        missing.append("there is no node that Falco is to watch: falco_node_selector fits none")
    answering = counted(len(watched), "Falco pod answers", "Falco pods answer")
    detail = "; ".join(missing) or f"{answering} /metrics, on {', '.join(sorted(watched))}"
    if elsewhere:
        detail += f"; watched by a Falco of their group: {', '.join(sorted(elsewhere))}"
    if left_out:
        detail += f"; left out by falco_node_selector: {', '.join(sorted(left_out))}"
    return Check("nodes", sentence, subject, passed_if(not missing), detail, {"pods": list(pods.values())})


def _belongs(node: str, labels: Mapping[str, Any], group: Mapping[str, Any]) -> bool:
    selector = group.get("node_labels")
    return node in (group.get("nodes") or ()) or (bool(selector) and _selects(selector or {}, labels))


def _selects(selector: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    return all(str(labels.get(key)) == str(value) for key, value in selector.items())


def _why_none(node: Mapping[str, Any]) -> str:
    taints = [
        f"{taint.get('key')}:{taint.get('effect')}"
        for taint in (node.get("spec") or {}).get("taints") or []
        if taint.get("effect") in ("NoSchedule", "NoExecute") and taint.get("key") != "node.kubernetes.io/unschedulable"
    ]
    if taints:
        return f"its taints are {', '.join(taints)}: see falco_tolerations"
    return "kept off by an affinity or a node selector, or its pod is not made yet"


def _rolled_out(asked: Asked, rollout: Result) -> Iterator[Check]:
    """One check for each workload; a workload that wants no pod proves nothing and is no success."""
    if not rollout.answered:
        subject = f"{asked.text('namespace')}/{asked.text('release')}"
        yield Check("workloads", "Workloads are ready", subject, FAILED, rollout.why_not)
        return
    for workload in rollout.get("workloads", []):
        missing, wanted = list(workload["missing"]), workload["wanted"]
        if not missing and not wanted:
            missing = ["wants no pod"]
        detail = "; ".join(missing) or f"{workload['ready']} of {wanted} pods are ready"
        subject = f"{asked.text('namespace')}/{workload['kind']}/{workload['name']}"
        data = {"wanted": wanted, "ready": workload["ready"]}
        yield Check("workloads", "Workload is ready", subject, passed_if(not missing), detail, data)


def _storage(asked: Asked) -> Check:
    sentence, claim = "Redis keeps its data on a volume", asked.result("claim")
    subject = f"{asked.text('namespace')}/{asked.text('claim_name')}"
    if not claim.answered:
        return Check("storage", sentence, subject, FAILED, claim.why_not)
    phase = next((item.get("status", {}).get("phase") for item in claim.get("resources", [])), None)
    detail = f"The claim is {phase}." if phase else "There is no such claim."
    return Check("storage", sentence, subject, passed_if(phase == "Bound"), detail)
