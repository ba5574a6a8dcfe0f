# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stage falco: Falco watches every node that it is to watch, what passes its alerts on is ready, data are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..common.watched import belongs, selects
from ..common.words import counted
from .asked import Asked, Result
from .check import FAILED, SKIPPED, Check, passed_if
from .paths import check_paths
from .placement import is_cordoned, is_ready, why_not_on
from .release import check_release


def judge(asked: Asked) -> Iterator[Check]:
    """The checks of a release of Falco.

    Args:
        asked: C(namespace); C(release), its name and that of Falco's workload; C(kind) of that workload; C(rollout),
            what falco_rollout returned for all workloads; C(nodes), a result with all Node objects; C(node_selector),
            labels of the nodes that Falco is to watch (empty for all); C(groups), C(nodes) (names) and C(node_labels)
            of each group of nodes that has a Falco of its own; C(claim), a result with Redis' claim, and C(claim_name);
            C(drops_max_percent), the share of events that may be dropped; and what C(check_release) and C(check_paths)
            read.

    Raises:
        EvidenceError: something of this is missing or of another type.
    """
    rollout = asked.result("rollout")
    yield from check_release(asked)
    if asked.text("kind") == "DaemonSet":
        yield _on_every_node(asked, rollout)
        yield from _schedulable(asked)
    yield from _rolled_out(asked, rollout)
    if rollout.get("pods"):
        yield _drops(asked, rollout)
    yield from check_paths(asked)
    if not asked.result("claim").skipped:
        yield _storage(asked)


def _on_every_node(asked: Asked, rollout: Result) -> Check:
    sentence, subject = "Falco runs on every node", f"{asked.text('namespace')}/{asked.text('release')}"
    nodes = asked.result("nodes")
    if not rollout.answered or not nodes.answered:
        why = rollout.why_not if not rollout.answered else f"nodes: {nodes.why_not}"
        return Check("nodes", sentence, subject, FAILED, why)
    pods = {str(pod["node"]): pod for pod in rollout.get("pods", [])}
    groups, placement = asked.items("groups"), _placement(asked, rollout)
    missing, left_out, elsewhere, watched = [], [], [], []
    for node in nodes.get("resources", []):
        name, labels = node["metadata"]["name"], node["metadata"].get("labels") or {}
        if name in pods:
            watched.append(name)
            missing += [f"{name}: pod {pods[name]['name']} {text}" for text in _troubles(node, pods[name])]
        elif any(belongs(name, labels, group) for group in groups):
            elsewhere.append(name)
        elif not selects(asked.mapping("node_selector"), labels):
            left_out.append(name)
        else:
            missing.append(f"{name}: no Falco pod ({why_not_on(node, placement)})")
    if not watched and not missing:
        missing.append("there is no node that Falco is to watch: falco_node_selector fits none")
    answering = counted(len(watched), "Falco pod answers", "Falco pods answer")
    detail = "; ".join(missing) or f"{answering} /metrics, on {', '.join(sorted(watched))}"
    if elsewhere:
        detail += f"; watched by a Falco of their group: {', '.join(sorted(elsewhere))}"
    if left_out:
        detail += f"; left out by falco_node_selector: {', '.join(sorted(left_out))}"
    return Check("nodes", sentence, subject, passed_if(not missing), detail, {"pods": list(pods.values())})


def _troubles(node: Mapping[str, Any], pod: Mapping[str, Any]) -> list[str]:
    """What is wrong with a node's pod of Falco; a node that is not ready is why, whatever else is wrong."""
    found = [str(text) for text in pod.get("differs", [])]
    if pod.get("ready") is False:
        found.append(f"is not ready ({'; '.join(map(str, pod.get('reasons') or [])) or 'it does not say why'})")
    return [f"is on a node that is not Ready: {'; '.join(found)}".rstrip(": ")] if is_ready(node) is False else found


def _placement(asked: Asked, rollout: Result) -> Mapping[str, Any]:
    """Where Falco's own DaemonSet lets its pods run."""
    found: Mapping[str, Any] = next(
        (
            one.get("placement") or {}
            for one in rollout.get("workloads", [])
            if (one["kind"], one["name"]) == (asked.text("kind"), asked.text("release"))
        ),
        {},
    )
    return found


def _schedulable(asked: Asked) -> Iterator[Check]:
    """A cordoned node takes no new pods, so what is proven by new pods is not proven there."""
    nodes = asked.result("nodes")
    if not nodes.answered:
        return
    meant = [
        node
        for node in nodes.get("resources", [])
        if selects(asked.mapping("node_selector"), node["metadata"].get("labels") or {})
    ]
    cordoned = sorted(str(node["metadata"]["name"]) for node in meant if is_cordoned(node))
    verb = "is" if len(cordoned) == 1 else "are"
    why = "no new pod comes there, so nothing is proven there (kubectl uncordon)"
    detail = f"{', '.join(cordoned)} {verb} cordoned: {why}"
    subject = f"{asked.text('namespace')}/{asked.text('release')}"
    text = detail if cordoned else f"{counted(len(meant), 'node takes', 'nodes take')} pods"
    yield Check("schedulable", "Nodes take pods", subject, passed_if(not cordoned), text, {"nodes": cordoned})


def _drops(asked: Asked, rollout: Result) -> Check:
    """Events that Falco could not take in time raise no alert."""
    sentence, subject = "Falco drops no events", f"{asked.text('namespace')}/{asked.text('release')}"
    limit, lossy, told, silent = asked.number("drops_max_percent"), [], {}, []
    for pod in rollout.get("pods", []):
        process = pod.get("process") or {}
        dropped, events = process.get("dropped"), process.get("events")
        if dropped is None:
            silent.append(str(pod["node"]))
            continue
        told[str(pod["node"])] = {"dropped": dropped, "events": events}
        total = dropped + (events or 0)
        share = 100 * dropped / max(1, total)
        if share > limit:
            lossy.append((str(pod["node"]), f"{pod['node']}: {dropped} of {total} events ({share:.2g} %)"))
    data = {"nodes": [node for node, _text in lossy], "counts": told}
    if lossy:
        why = "since Falco started there: see falco_driver_buffer_preset and falco_resources"
        return Check("drops", sentence, subject, FAILED, f"{'; '.join(text for _node, text in lossy)} {why}", data)
    if not told:
        return Check("drops", sentence, subject, SKIPPED, "Falco does not tell how many it drops", data)
    some = sum(one["dropped"] for one in told.values())
    detail = f"{some} dropped since Falco started, on {', '.join(sorted(told))}"
    return Check("drops", sentence, subject, passed_if(True), detail + _unknown(silent), data)


def _unknown(nodes: list[str]) -> str:
    return f"; not told on {', '.join(sorted(nodes))}" if nodes else ""


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
        if missing:
            missing += [str(reason) for reason in workload.get("reasons") or []]
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
