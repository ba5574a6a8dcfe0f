# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of pods: those that nobody thought of, and those of one workload that policies tell apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...common.finding import Finding
from ..decide.engine import Engine
from ..decide.universe import bit_indices
from ..model.objects import Model, Pod, PodsPeer, Policy
from .finding import names, on

#: Labels that controllers give each pod anew; that they differ means nothing.
PER_POD_LABELS = (
    "pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "batch.kubernetes.io/job-completion-index",
    "controller-uid",
    "job-name",
)


def check_pods(engine: Engine) -> Iterator[Finding]:
    """Findings C(pods-without-policy) and C(mixed-labels)."""
    universe = engine.universe
    protected = engine.isolated("ingress") | engine.isolated("egress") | universe.host
    for policy in engine.policies:
        if policy.tier != "namespaced":
            protected |= universe.pods(policy.subject)
    bare: dict[str, dict[str, None]] = {}
    for number in bit_indices(universe.every_pod & ~protected):
        for pod in universe.members[number]:
            bare.setdefault(pod.namespace, {})[pod.workload_name.split("/", 1)[1]] = None
    for namespace, workloads in bare.items():
        yield on(
            f"Namespace {namespace}",
            "pods-without-policy",
            "warning",
            f"no policy selects {names(list(workloads))}: everyone reaches them, and they reach everyone",
            "start with a default deny",
        )
    yield from _mixed_labels(universe.model, engine.policies)


def _mixed_labels(model: Model, policies: Sequence[Policy]) -> Iterator[Finding]:
    mentioned = _mentioned_keys(policies)
    first: dict[str, Pod] = {}
    told: set[tuple[str, str]] = set()
    for pod in model.pods:
        if pod.kind == "Pod" or pod.finished:
            continue
        other = first.setdefault(pod.workload_name, pod)
        if other.labels == pod.labels:
            continue
        for key in {*pod.labels, *other.labels}:
            if pod.labels.get(key) == other.labels.get(key) or key in PER_POD_LABELS:
                continue
            if (pod.workload_name, key) in told or key not in mentioned:
                continue
            told.add((pod.workload_name, key))
            yield on(
                pod.workload_name,
                "mixed-labels",
                "warning",
                f"its pods {other.name} and {pod.name} differ in the label {key}, which policies select by",
                "policies hold for some of its pods only",
            )


def _mentioned_keys(policies: Sequence[Policy]) -> set[str]:
    found: set[str] = set()
    for policy in policies:
        found.update(policy.subject.pods.keys)
        for rule in policy.ingress + policy.egress:
            for peer in rule.peers or ():
                if isinstance(peer, PodsPeer):
                    found.update(peer.pods.keys)
    return found
