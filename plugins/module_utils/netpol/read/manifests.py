# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From API objects to the model: which pods there are, whose they are, and what the rest of the input says.

Pods that a workload controls belong to that workload. A workload without pods in the input is represented by its
template, so that manifests which were never applied can be analysed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable

from ...common.words import nearest
from ..errors import Cause, InputError, Problem
from ..model.addresses import Range
from ..model.left_out import OTHER_WORKLOAD, LeftOut
from ..model.objects import NAMESPACE_NAME_LABEL, Model, Namespace
from . import cluster, endpoints, foreign, other_policies, repository, routes, yamltext
from .calico import CALICO_KINDS, is_calico
from .cilium import CILIUM_KINDS, is_cilium
from .entry import Entry, Input, Key, Reporter, origin_of
from .policies import POLICY_GROUP, POLICY_KINDS, parse_policy
from .reader import name_problem
from .workloads import TEMPLATES, Workloads

__all__ = ["MAX_LIST_DEPTH", "MAX_OBJECTS", "Input", "load"]

#: Lists nested deeper than this are refused.
MAX_LIST_DEPTH = 8
#: More objects than this are refused; only a list that holds itself through YAML aliases comes near it.
MAX_OBJECTS = 2_000_000

_POLICY_VERSIONS = {
    "NetworkPolicy": ("networking.k8s.io/v1",),
    "AdminNetworkPolicy": (f"{POLICY_GROUP}/v1alpha1",),
    "BaselineAdminNetworkPolicy": (f"{POLICY_GROUP}/v1alpha1",),
    "ClusterNetworkPolicy": (f"{POLICY_GROUP}/v1alpha2",),
}


def load(
    inputs: Iterable[Input],
    on_invalid: str = "fail",
    pod_templates: Mapping[str, Any] | None = None,
    pod_cidrs: Sequence[str] = (),
) -> Model:
    """Loads a model.

    Args:
        inputs: texts and ready objects; later objects with the same kind, namespace and name replace earlier ones.
        on_invalid: C(fail) raises for any object that cannot be analysed, C(skip) leaves it out and keeps its problem
            in C(Model.problems).
        pod_templates: for kinds of other APIs, where their pod templates are: C(spec.template), or a list of paths.
            They are searched for in kinds that this does not name.
        pod_cidrs: blocks that pods get their addresses from; by default those of the Nodes in the input, unless a pod
            has an address outside them.

    Returns:
        The model.

    Raises:
        InputError: with every problem found, when C(on_invalid) is C(fail) and there is an error among them.
        NetpolError: C(pod_templates) has something else than paths, C(pod_cidrs) something else than blocks.
    """
    builder = _Builder(foreign.check_paths(pod_templates or {}), cluster.check_cidrs(pod_cidrs))
    for item in inputs:
        builder.add(item)
    model = builder.finish()
    if on_invalid == "fail" and model.errors:
        raise InputError(model.errors)
    return model


class _Builder:
    """Collects objects by identity, then makes the model in one go (owners may come after what they own)."""

    def __init__(self, pod_templates: Mapping[str, Sequence[str]], pod_ranges: tuple[Range, ...]) -> None:
        self.model = Model()
        self._pod_ranges = pod_ranges
        self._reporter = Reporter(self.model.problems)
        # Kind, namespace and name of what is not analysed, and why.
        self._left_out: dict[Key, str] = {}
        self._count = 0
        self._entries: dict[Key, Entry] = {}
        self._workloads = Workloads(self._reporter, self._entries, pod_templates)

    # Reading

    def add(self, item: Input) -> None:
        if item.skip:
            self._skip(item.skip)
        elif item.text is not None:
            for document in yamltext.read(item.text):
                if isinstance(document, yamltext.TextError):
                    part = yamltext.piece(item.text, document.number)
                    if not item.named and not repository.looks_like_object(part):
                        self._skip(repository.NO_OBJECT)
                        continue
                    self.model.problems.append(
                        Problem(
                            "error",
                            item.name,
                            document.number,
                            document.line,
                            "",
                            "",
                            f"column {document.column}: {document.message}",
                            "the document is not valid YAML or JSON",
                        )
                    )
                else:
                    self._add(Entry(document.value, item, document.number, document.line, ""), 0)
        for number, value in enumerate(item.objects or ()):
            self._add(Entry(value, item, number + 1, 0, ""), 0)

    def _skip(self, reason: str) -> None:
        self.model.skipped[reason] = self.model.skipped.get(reason, 0) + 1

    def _add(self, entry: Entry, depth: int) -> None:
        value = entry.value
        self._count += 1
        if self._count > MAX_OBJECTS:
            if self._count == MAX_OBJECTS + 1:
                self._reporter.problem(entry, "error", "", f"there are more than {MAX_OBJECTS} objects")
            return
        if not entry.input.named and not entry.prefix and not _has_objects(value):
            self._skip(repository.NO_OBJECT)
            return
        if isinstance(value, list) and not entry.prefix:
            # A file that holds a plain list of objects.
            for index, item in enumerate(value):
                self._add(entry._replace(value=item, prefix=f"[{index}]."), depth + 1)
            return
        if not isinstance(value, Mapping):
            self._reporter.problem(entry, "error", "", f"is a {type(value).__name__}, not an API object")
            return
        kind = value.get("kind")
        if not isinstance(kind, str) or not kind:
            self._reporter.problem(entry, "error", "kind", "required: this is not an API object")
            return
        items = value.get("items")
        if kind.endswith("List") and (items is None or isinstance(items, list)):
            self._add_items(entry, kind, items or (), depth)
            return
        version = value.get("apiVersion")
        if routes.is_route(kind, version) or (kind in CILIUM_KINDS and is_cilium(version)):
            self._keep(entry, kind, value.get("metadata"))
            return
        if is_calico(version) and foreign.kind_name(kind, str(version)) in CALICO_KINDS:
            self._keep(entry, foreign.kind_name(kind, str(version)), value.get("metadata"))
            return
        if isinstance(version, str) and "." in version and foreign.is_foreign(version):
            self._add_foreign(entry, foreign.kind_name(kind, version), True)
            return
        if kind not in _READERS and kind not in TEMPLATES:
            near = nearest(kind, POLICY_KINDS) if "Polic" in kind and "spec" in value else ""
            if near and str(value.get("apiVersion", "")).startswith(("networking.k8s.io/", f"{POLICY_GROUP}/")):
                self._reporter.problem(entry, "error", "kind", f"unknown kind {kind!r}", f"did you mean {near!r}?")
            else:
                self._add_foreign(entry, kind, False)
            return
        self._keep(entry, kind, value.get("metadata"))

    def _add_foreign(self, entry: Entry, kind: str, is_foreign: bool) -> None:
        """Keep a workload of any API, and note what is left out."""
        value = entry.value
        if foreign.pod_templates(value, self._workloads.paths(kind, value)):
            self._keep(entry, kind, value.get("metadata"))
            return
        reason = foreign.left_out(value, is_foreign)
        if reason:
            metadata = value.get("metadata")
            metadata = metadata if isinstance(metadata, Mapping) else {}
            key = (kind, str(metadata.get("namespace") or "default"), str(metadata.get("name")))
            self._left_out[key] = reason

    def _add_items(self, entry: Entry, kind: str, items: Sequence[Any], depth: int) -> None:
        if depth >= MAX_LIST_DEPTH:
            self._reporter.problem(entry, "error", "items", f"lists nested more than {MAX_LIST_DEPTH} deep")
            return
        for index, item in enumerate(items):
            typed = item
            if isinstance(item, Mapping) and "kind" not in item and kind != "List":
                # Typed lists of the API leave out kind and apiVersion of their items.
                typed = {**item, "kind": kind[:-4], "apiVersion": entry.value.get("apiVersion", "")}
            self._add(entry._replace(value=typed, prefix=f"{entry.prefix}items[{index}]."), depth + 1)

    def _keep(self, entry: Entry, kind: str, metadata: object) -> None:
        """Keep an object under its name, in place of an earlier one of that name."""
        if not isinstance(metadata, Mapping):
            self._reporter.problem(entry, "error", "metadata", "required: an object with at least a name")
            return
        name = metadata.get("name") or metadata.get("generateName")
        namespace = metadata.get("namespace")
        if not isinstance(name, str) or not name:
            self._reporter.problem(entry, "error", "metadata.name", "required: a string")
            return
        if not self._metadata_is_valid(entry, kind, metadata, name):
            return
        if namespace is not None and not isinstance(namespace, str):
            self._reporter.problem(entry, "error", "metadata.namespace", "must be a string", "write it in quotes")
            return
        if kind in _CLUSTER_SCOPED:
            namespace = ""
        key = (
            kind,
            "default" if namespace is None or (not namespace and kind not in _CLUSTER_SCOPED) else namespace,
            name,
        )
        earlier = self._entries.pop(key, None)
        both_texts = earlier is not None and earlier.input.text is not None and entry.input.text is not None
        if earlier is not None and both_texts and not repository.alternatives(earlier.value, entry.value):
            place = f"{earlier.input.name}:{earlier.line}"
            hint = "give each its own name"
            if not entry.input.named and entry.input.name != earlier.input.name:
                hint = "if these are a base and its overlay, or two overlays, analyse one with render_paths"
            self._reporter.problem(
                entry,
                "warning",
                "metadata.name",
                f"replaces the one in {place}",
                hint,
                Cause.DUPLICATE_OBJECT,
            )
        self._entries[key] = entry

    def _metadata_is_valid(self, entry: Entry, kind: str, metadata: Mapping[str, Any], name: str) -> bool:
        """Tell what the API refuses in an object's metadata, all of it."""
        found = []
        problem = name_problem(name if "name" in metadata else f"{name}x", kind in ("Namespace", "Service"))
        if problem:
            found.append(("metadata.name" if "name" in metadata else "metadata.generateName", problem))
        namespace = metadata.get("namespace")
        if namespace and isinstance(namespace, str):
            problem = name_problem(namespace, True)
            if problem:
                found.append(("metadata.namespace", problem))
        references = metadata.get("ownerReferences")
        for index, reference in enumerate(references if isinstance(references, list) else ()):
            for field in ("kind", "name"):
                if not isinstance(reference, Mapping) or not reference.get(field):
                    found.append((f"metadata.ownerReferences[{index}].{field}", "required"))
        for path, message in found:
            self._reporter.problem(entry, "error", path, message)
        for key in metadata:
            if key not in _METADATA:
                near = nearest(str(key), _METADATA)
                hint = f"did you mean {near!r}?" if near else ""
                said = "unknown field, which the API server drops or refuses"
                self._reporter.problem(entry, "warning", f"metadata.{key}", said, hint, Cause.UNKNOWN_FIELD)
        return not found

    # Making the model

    def finish(self) -> Model:
        model = self.model
        controlled: set[Key] = set()
        workloads: list[tuple[Key, Entry]] = []
        pods: list[tuple[Key, Entry]] = []
        for key, entry in self._entries.items():
            if key[0] not in _READERS:
                self._workloads.add_owner(key, entry)
                workloads.append((key, entry))
            elif key[0] == "Pod":
                pods.append((key, entry))
            else:
                _READERS[key[0]](model, self._reporter, key, entry)
        for key, entry in pods:
            pod = self._workloads.pod(key, entry)
            if pod is not None:
                model.pods.append(pod)
                controlled.add((pod.kind, pod.namespace, pod.workload))
        live = {(pod.kind, pod.namespace, pod.workload) for pod in model.pods if not pod.finished}
        for key, entry in workloads:
            if key in live:
                continue
            if self._workloads.has_known_owner(key):
                continue  # its pods are its owner's, which has a template itself
            if key in controlled and key[0] == "Job":
                continue  # a Job whose pods have all finished makes no more
            model.pods.extend(self._workloads.templates(key, entry))
        self._count_left_out(controlled)
        self._imply_namespaces()
        model.pod_ranges = self._pod_ranges or cluster.pod_ranges(model)
        other_policies.settle(model)
        return model

    def _count_left_out(self, controlled: set[Key]) -> None:
        """An operator's pods that are in the input are analysed, whatever its own object says."""
        counts: dict[tuple[str, str], int] = {}
        for key, reason in self._left_out.items():
            if key not in controlled:
                if reason == OTHER_WORKLOAD:
                    self.model.operated.add(key[1])
                counts[(key[0], reason)] = counts.get((key[0], reason), 0) + 1
        self.model.not_analysed += [LeftOut(kind, number, reason) for (kind, reason), number in sorted(counts.items())]

    def _imply_namespaces(self) -> None:
        names = [pod.namespace for pod in self.model.pods]
        names += [policy.namespace for policy in self.model.policies if policy.namespace]
        names += [service.namespace for service in self.model.services]
        for name in dict.fromkeys(names):
            if name not in self.model.namespaces:
                self.model.namespaces[name] = Namespace(name, {NAMESPACE_NAME_LABEL: name}, declared=False)

    # Readers of the kinds that are no workloads


def _read_policy(model: Model, reporter: Reporter, key: Key, entry: Entry) -> None:
    version = entry.value.get("apiVersion")
    if version not in _POLICY_VERSIONS[key[0]]:
        expected = " or ".join(_POLICY_VERSIONS[key[0]])
        reporter.problem(entry, "error", "apiVersion", f"{version!r} has no {key[0]}", f"write {expected}")
        return

    def report(path: str, message: str, hint: str, cause: Cause | None) -> None:
        reporter.problem(entry, "warning" if cause else "error", path, message, hint, cause)

    policy = parse_policy(entry.value, origin_of(entry), report)
    if policy is not None:
        model.policies.append(policy)


def _read_webhook(model: Model, _reporter: Reporter, _key: Key, entry: Entry) -> None:
    model.webhooks.append(entry.value)


_READERS: dict[str, Callable[[Model, Reporter, Key, Entry], None]] = {
    "Pod": lambda model, reporter, key, entry: None,
    "Namespace": cluster.read_namespace,
    "Node": cluster.read_node,
    "Service": cluster.read_service,
    "Endpoints": endpoints.read_endpoints,
    "EndpointSlice": endpoints.read_endpoints,
    "NetworkPolicy": _read_policy,
    "AdminNetworkPolicy": _read_policy,
    "BaselineAdminNetworkPolicy": _read_policy,
    "ClusterNetworkPolicy": _read_policy,
    **dict.fromkeys(CILIUM_KINDS, other_policies.read_cilium),
    **dict.fromkeys(CALICO_KINDS, other_policies.read_calico),
    "ValidatingWebhookConfiguration": _read_webhook,
    "MutatingWebhookConfiguration": _read_webhook,
    **dict.fromkeys(routes.ROUTE_GROUPS, routes.read_route),
}
#: Fields of metadata: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
_METADATA = (
    "name",
    "generateName",
    "namespace",
    "labels",
    "annotations",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "ownerReferences",
    "finalizers",
    "managedFields",
    "selfLink",
)
_CLUSTER_SCOPED = (
    "Namespace",
    "Node",
    "AdminNetworkPolicy",
    "BaselineAdminNetworkPolicy",
    "ClusterNetworkPolicy",
    CILIUM_KINDS[1],
    "GlobalNetworkPolicy",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
)


def _has_objects(value: object) -> bool:
    """Whether a document is an API object or a list of such."""
    if isinstance(value, list):
        return any(_has_objects(item) for item in value if isinstance(item, Mapping))
    return isinstance(value, Mapping) and isinstance(value.get("kind"), str) and "apiVersion" in value
