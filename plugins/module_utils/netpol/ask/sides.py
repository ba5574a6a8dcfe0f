# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two sides of a difference, made comparable: the same classes and names, each side with its own labels.

Both sides' pods are divided together, so that a class, a port and a range of addresses mean the same on both. Each side
then counts only its own pods, and reads its own labels of namespaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ..decide.engine import Engine
from ..decide.matrix import Groups, Matrix
from ..decide.universe import Universe
from ..model.objects import Model, Namespace, Options, Pod


class LabelChange(NamedTuple):
    """A workload or namespace whose labels differ, or that only one side has.

    Attributes:
        kind: C(workload) or C(namespace).
        name: C(namespace/Kind/name), or the namespace's name.
        before: its labels before, None if it was not there; several sets where its pods differ.
        after: the same after.
    """

    kind: str
    name: str
    before: tuple[str, ...] | None
    after: tuple[str, ...] | None

    @property
    def namespace(self) -> str:
        return self.name.split("/")[0]

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "before": None if self.before is None else list(self.before),
            "after": None if self.after is None else list(self.after),
        }

    def __str__(self) -> str:
        if self.before is None:
            return f"added: {self.kind} {self.name} ({' or '.join(self.after or ())})"
        if self.after is None:
            return f"removed: {self.kind} {self.name} ({' or '.join(self.before)})"
        return f"relabelled: {self.kind} {self.name}: {' or '.join(self.before)} => {' or '.join(self.after)}"


def matrices(
    before: Model, after: Model, by: str, label: str | None, outside: bool, options: Options
) -> tuple[Matrix, Matrix]:
    """Both sides' matrices over the same names.

    Args:
        before: the cluster as it is. A side without any workload takes those of the other, one without any namespace
            the other's namespaces.
        after: the cluster as it will be.
        by: grouping, as for L(Groups).
        label: the label's key for C(by=label).
        outside: whether addresses outside take part.
        options: answers to what is left to implementations.
    """
    pods_before, pods_after = _pods(before, after)
    namespaces_before, namespaces_after = _namespaces(before, after)
    shared = pods_before is pods_after
    both = pods_before if shared else [*pods_before, *pods_after]
    # Nodes and the ranges of pods' addresses are those of the side that has pods.
    cluster = after if after.pods else before
    wide = Model(namespaces=namespaces_before, pods=both, nodes=cluster.nodes, pod_ranges=cluster.pod_ranges)
    policies = [before.policies, after.policies]
    first = second = Universe(wide, policies, options)
    if {name: ns.labels for name, ns in namespaces_before.items()} != {
        name: ns.labels for name, ns in namespaces_after.items()
    }:
        second = Universe(replace(wide, namespaces=namespaces_after), policies, options)
    if shared:
        old = new = Groups(first, by, label)
    else:
        old, new = Groups(first, by, label, pods_before), Groups(second, by, label, pods_after)
        old.count_as_many(new)
        new.count_as_many(old)
    return (
        Matrix(Engine(first, before.policies), old, outside),
        Matrix(Engine(second, after.policies), new, outside),
    )


def labels_changed(before: Model, after: Model) -> list[LabelChange]:
    """Namespaces, then workloads, whose labels differ or that only one side has; sorted by name."""
    pods_before, pods_after = _pods(before, after)
    namespaces_before, namespaces_after = _namespaces(before, after)
    kinds: dict[str, tuple[Mapping[str, tuple[str, ...]], Mapping[str, tuple[str, ...]]]] = {
        "namespace": (_of_namespaces(namespaces_before), _of_namespaces(namespaces_after)),
        "workload": (_of_workloads(pods_before), _of_workloads(pods_after)),
    }
    return [
        LabelChange(kind, name, old.get(name), new.get(name))
        for kind, (old, new) in kinds.items()
        for name in sorted({**old, **new})
        if old.get(name) != new.get(name)
    ]


def _pods(before: Model, after: Model) -> tuple[list[Pod], list[Pod]]:
    return before.pods or after.pods, after.pods or before.pods


def _namespaces(before: Model, after: Model) -> tuple[dict[str, Namespace], dict[str, Namespace]]:
    return own_namespaces(before, after), own_namespaces(after, before)


def own_namespaces(side: Model, other: Model) -> dict[str, Namespace]:
    """A side's namespaces. What it says nothing about is as on the other side, unless it does describe its cluster."""
    if side.pods and any(namespace.declared for namespace in side.namespaces.values()):
        return dict(side.namespaces)
    return {
        **side.namespaces,
        **other.namespaces,
        **{name: namespace for name, namespace in side.namespaces.items() if namespace.declared},
    }


def _of_namespaces(namespaces: Mapping[str, Namespace]) -> dict[str, tuple[str, ...]]:
    return {name: (_said(namespace.labels),) for name, namespace in namespaces.items()}


def _of_workloads(pods: list[Pod]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for pod in pods:
        if not pod.finished:
            found.setdefault(pod.workload_name, set()).add(_said(pod.labels))
    return {name: tuple(sorted(texts)) for name, texts in found.items()}


def _said(labels: Mapping[str, str]) -> str:
    # What controllers put on their pods differs with each rollout and each pod.
    shown = [f"{key}={value}" for key, value in sorted(labels.items()) if key not in _OF_CONTROLLERS]
    return ", ".join(shown) or "no labels"


_OF_CONTROLLERS = frozenset(
    (
        "pod-template-hash",
        "controller-revision-hash",
        "pod-template-generation",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
    )
)
