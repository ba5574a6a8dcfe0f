# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From API objects to the model: which pods there are, whose they are, and what the rest of the input says.

Pods that a workload controls belong to that workload. A workload without pods in the input is represented by its
template, so that manifests which were never applied can be analysed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, NamedTuple

from ...common.words import nearest
from ..errors import Cause, InputError, Problem
from ..model.addresses import parse_address
from ..model.objects import (
    NAMESPACE_NAME_LABEL,
    ContainerPort,
    LeftOut,
    Model,
    Namespace,
    Node,
    Origin,
    Pod,
    Policy,
    Service,
    ServicePort,
)
from . import foreign, repository, yamltext
from .policies import POLICY_GROUP, POLICY_KINDS, parse_policy
from .reader import label_key_problem, label_value_problem, name_problem

#: Kinds with a pod template, and the path to it.
TEMPLATES: dict[str, tuple[str, ...]] = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
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


class Input(NamedTuple):
    """One source of objects: a name for messages, and either text or ready objects.

    What is no API object is an error where C(named), else (in a file that a directory holds) it is counted. A text with
    a C(skip) is not read, for that reason.
    """

    name: str
    text: str | None = None
    objects: Sequence[Any] | None = None
    named: bool = True
    skip: str = ""


class _Entry(NamedTuple):
    """An object with the place it came from. C(prefix) is its path in the document, empty or ending in a dot."""

    value: Mapping[str, Any]
    input: Input
    number: int
    line: int
    prefix: str


class _Rejected(Exception):  # noqa: N818 - control flow inside this file
    """The object cannot be used; the problem is already reported."""


def load(inputs: Iterable[Input], on_invalid: str = "fail", pod_templates: Mapping[str, Any] | None = None) -> Model:
    """Loads a model.

    Args:
        inputs: texts and ready objects; later objects with the same kind, namespace and name replace earlier ones.
        on_invalid: C(fail) raises for any object that cannot be analysed, C(skip) leaves it out and keeps its problem
            in C(Model.problems).
        pod_templates: for kinds of other APIs, where their pod templates are: C(spec.template), or a list of paths.
            They are searched for in kinds that this does not name.

    Returns:
        The model.

    Raises:
        InputError: with every problem found, when C(on_invalid) is C(fail) and there is an error among them.
        NetpolError: C(pod_templates) has something else than paths.
    """
    builder = _Builder(foreign.check_paths(pod_templates or {}))
    for item in inputs:
        builder.add(item)
    model = builder.finish()
    if on_invalid == "fail" and model.errors:
        raise InputError(model.errors)
    return model


def _replicas(given: object) -> int:
    """Pods of a template; one where nothing or no number is given."""
    return given if isinstance(given, int) and not isinstance(given, bool) else 1


class _Builder:
    """Collects objects by identity, then makes the model in one go (owners may come after what they own)."""

    def __init__(self, pod_templates: Mapping[str, Sequence[str]]) -> None:
        self.model = Model()
        self._pod_templates = pod_templates
        # Kind, namespace and name of what is not analysed, and why.
        self._left_out: dict[tuple[str, str, str], str] = {}
        self._count = 0
        self._entries: dict[tuple[str, str, str], _Entry] = {}
        self._owners: dict[tuple[str, str, str], tuple[str, str]] = {}

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
                    self._add(_Entry(document.value, item, document.number, document.line, ""), 0)
        for number, value in enumerate(item.objects or ()):
            self._add(_Entry(value, item, number + 1, 0, ""), 0)

    def _skip(self, reason: str) -> None:
        self.model.skipped[reason] = self.model.skipped.get(reason, 0) + 1

    def _add(self, entry: _Entry, depth: int) -> None:
        value = entry.value
        self._count += 1
        if self._count > MAX_OBJECTS:
            if self._count == MAX_OBJECTS + 1:
                self._problem(entry, "error", "", f"there are more than {MAX_OBJECTS} objects")
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
            self._problem(entry, "error", "", f"is a {type(value).__name__}, not an API object")
            return
        kind = value.get("kind")
        if not isinstance(kind, str) or not kind:
            self._problem(entry, "error", "kind", "required: this is not an API object")
            return
        items = value.get("items")
        if kind.endswith("List") and (items is None or isinstance(items, list)):
            self._add_items(entry, kind, items or (), depth)
            return
        version = value.get("apiVersion")
        if isinstance(version, str) and "." in version and foreign.is_foreign(version):
            self._add_foreign(entry, foreign.kind_name(kind, version), True)
            return
        if kind not in _READERS and kind not in TEMPLATES:
            near = nearest(kind, POLICY_KINDS) if "Polic" in kind and "spec" in value else ""
            if near and str(value.get("apiVersion", "")).startswith(("networking.k8s.io/", f"{POLICY_GROUP}/")):
                self._problem(entry, "error", "kind", f"unknown kind {kind!r}", f"did you mean {near!r}?")
            else:
                self._add_foreign(entry, kind, False)
            return
        self._keep(entry, kind, value.get("metadata"))

    def _add_foreign(self, entry: _Entry, kind: str, is_foreign: bool) -> None:
        """Keep a workload of any API, and note what is left out."""
        value = entry.value
        if foreign.pod_templates(value, self._paths(kind, value)):
            self._keep(entry, kind, value.get("metadata"))
            return
        reason = foreign.left_out(value, is_foreign)
        if reason:
            metadata = value.get("metadata")
            metadata = metadata if isinstance(metadata, Mapping) else {}
            key = (kind, str(metadata.get("namespace") or "default"), str(metadata.get("name")))
            self._left_out[key] = reason

    def _paths(self, kind: str, value: Mapping[str, Any]) -> Sequence[str]:
        return self._pod_templates.get(kind) or self._pod_templates.get(value["kind"]) or ()

    def _add_items(self, entry: _Entry, kind: str, items: Sequence[Any], depth: int) -> None:
        if depth >= MAX_LIST_DEPTH:
            self._problem(entry, "error", "items", f"lists nested more than {MAX_LIST_DEPTH} deep")
            return
        for index, item in enumerate(items):
            typed = item
            if isinstance(item, Mapping) and "kind" not in item and kind != "List":
                # Typed lists of the API leave out kind and apiVersion of their items.
                typed = {**item, "kind": kind[:-4], "apiVersion": entry.value.get("apiVersion", "")}
            self._add(entry._replace(value=typed, prefix=f"{entry.prefix}items[{index}]."), depth + 1)

    def _keep(self, entry: _Entry, kind: str, metadata: object) -> None:
        """Keep an object under its name, in place of an earlier one of that name."""
        if not isinstance(metadata, Mapping):
            self._problem(entry, "error", "metadata", "required: an object with at least a name")
            return
        name = metadata.get("name") or metadata.get("generateName")
        namespace = metadata.get("namespace")
        if not isinstance(name, str) or not name:
            self._problem(entry, "error", "metadata.name", "required: a string")
            return
        if not self._metadata_is_valid(entry, kind, metadata, name):
            return
        if namespace is not None and not isinstance(namespace, str):
            self._problem(entry, "error", "metadata.namespace", "must be a string", "write it in quotes")
            return
        if kind in _CLUSTER_SCOPED:
            namespace = ""
        key = (
            kind,
            "default" if namespace is None or (not namespace and kind not in _CLUSTER_SCOPED) else namespace,
            name,
        )
        earlier = self._entries.pop(key, None)
        if earlier is not None and earlier.input.text is not None and entry.input.text is not None:
            place = f"{earlier.input.name}:{earlier.line}"
            hint = "give each its own name"
            if not entry.input.named and entry.input.name != earlier.input.name:
                hint = "if these are a base and its overlay, or two overlays, analyse one with render_paths"
            self._problem(
                entry,
                "warning",
                "metadata.name",
                f"replaces the one in {place}",
                hint,
                Cause.DUPLICATE_OBJECT,
            )
        self._entries[key] = entry

    def _metadata_is_valid(self, entry: _Entry, kind: str, metadata: Mapping[str, Any], name: str) -> bool:
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
            self._problem(entry, "error", path, message)
        for key in metadata:
            if key not in _METADATA:
                near = nearest(str(key), _METADATA)
                hint = f"did you mean {near!r}?" if near else ""
                said = "unknown field, which the API server drops or refuses"
                self._problem(entry, "warning", f"metadata.{key}", said, hint, Cause.UNKNOWN_FIELD)
        return not found

    def _problem(
        self, entry: _Entry, severity: str, path: str, message: str, hint: str = "", cause: Cause | None = None
    ) -> None:
        full = f"{entry.prefix}{path}"
        text = entry.input.text
        line = yamltext.locate(text, entry.number, full) if text is not None else None
        value = entry.value
        label = ""
        if isinstance(value, Mapping):
            metadata = value.get("metadata")
            metadata = metadata if isinstance(metadata, Mapping) else {}
            name = str(metadata.get("name", ""))
            namespace = metadata.get("namespace")
            label = " ".join(
                part for part in (str(value.get("kind", "")), f"{namespace}/{name}" if namespace else name) if part
            )
        self.model.problems.append(
            Problem(severity, entry.input.name, entry.number, line, label, path, message, hint, cause)
        )

    # Making the model

    def finish(self) -> Model:
        model = self.model
        controlled: set[tuple[str, str, str]] = set()
        workloads: list[tuple[tuple[str, str, str], _Entry]] = []
        pods: list[tuple[tuple[str, str, str], _Entry]] = []
        for key, entry in self._entries.items():
            if key[0] not in _READERS:
                owner = _controller(entry.value)
                if owner:
                    self._owners[key] = owner
                workloads.append((key, entry))
            elif key[0] == "Pod":
                pods.append((key, entry))
            else:
                _READERS[key[0]](self, key, entry)
        for key, entry in pods:
            pod = self._pod(key, entry)
            if pod is not None:
                model.pods.append(pod)
                controlled.add((pod.kind, pod.namespace, pod.workload))
        live = {(pod.kind, pod.namespace, pod.workload) for pod in model.pods if not pod.finished}
        for key, entry in workloads:
            if key in live:
                continue
            if key in self._owners and self._owner_is_known(key):
                continue  # its pods are its owner's, which has a template itself
            if key in controlled and key[0] == "Job":
                continue  # a Job whose pods have all finished makes no more
            model.pods.extend(self._templates(key, entry))
        self._count_left_out(controlled)
        self._imply_namespaces()
        return model

    def _count_left_out(self, controlled: set[tuple[str, str, str]]) -> None:
        """An operator's pods that are in the input are analysed, whatever its own object says."""
        counts: dict[tuple[str, str], int] = {}
        for key, reason in self._left_out.items():
            if key not in controlled:
                counts[(key[0], reason)] = counts.get((key[0], reason), 0) + 1
        self.model.not_analysed = [LeftOut(kind, number, reason) for (kind, reason), number in sorted(counts.items())]

    def _owner_is_known(self, key: tuple[str, str, str]) -> bool:
        kind, name = self._owners[key]
        return (kind, key[1], name) in self._entries

    def _imply_namespaces(self) -> None:
        names = [pod.namespace for pod in self.model.pods]
        names += [policy.namespace for policy in self.model.policies if policy.namespace]
        names += [service.namespace for service in self.model.services]
        for name in dict.fromkeys(names):
            if name not in self.model.namespaces:
                self.model.namespaces[name] = Namespace(name, {NAMESPACE_NAME_LABEL: name}, declared=False)

    def _origin(self, entry: _Entry) -> Origin:
        line: int | None = entry.line if entry.input.text is not None else None
        return Origin(entry.input.name, entry.number, line)

    def _labels(self, entry: _Entry, value: object, path: str) -> dict[str, str]:
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self._problem(entry, "error", path, "must be an object of strings")
            raise _Rejected
        failed = False
        for key, label in value.items():
            # The common case costs one dictionary look-up: labels repeat.
            good = isinstance(key, str) and isinstance(label, str)
            if good and (key, label) in _GOOD_LABELS:
                continue
            if not good:
                hint = f"write it in quotes: '{str(label).lower() if isinstance(label, bool) else label}'"
                self._problem(entry, "error", f"{path}[{key}]", f"must be a string, not {label!r}", hint)
                failed = True
                continue
            problem = label_key_problem(key) or label_value_problem(label)
            if problem:
                self._problem(entry, "error", f"{path}[{key}]", problem)
                failed = True
                continue
            if len(_GOOD_LABELS) < 100_000:
                _GOOD_LABELS.add((key, label))
        if failed:
            raise _Rejected
        return dict(value)

    def _pod(self, key: tuple[str, str, str], entry: _Entry) -> Pod | None:
        value = entry.value
        metadata = value["metadata"]
        status = value.get("status")
        status = status if isinstance(status, Mapping) else {}
        owner = _controller(value)
        kind, workload = "Pod", key[2]
        if owner:
            kind, workload = self._top_owner(key[1], owner, metadata)
        addresses = []
        listed = status.get("podIPs")
        for item in [{"ip": status.get("podIP")}, *(listed if isinstance(listed, list) else ())]:
            text = item.get("ip") if isinstance(item, Mapping) else None
            parsed = parse_address(text) if isinstance(text, str) and text else None
            if parsed is not None and parsed not in addresses:
                addresses.append(parsed)
        try:
            return self._make_pod(
                entry,
                key,
                kind,
                workload,
                metadata.get("labels"),
                "metadata.labels",
                value.get("spec"),
                "spec",
                addresses=tuple(addresses),
                node_address=str(status.get("hostIP") or ""),
                finished=status.get("phase") in ("Succeeded", "Failed"),
            )
        except _Rejected:
            return None

    def _templates(self, key: tuple[str, str, str], entry: _Entry) -> Iterable[Pod]:
        """What stands for the pods that a workload would make."""
        if key[0] in TEMPLATES:
            pod = self._template(key, entry)
            return [] if pod is None else [pod]
        value = entry.value
        spec = value.get("spec")
        replicas = spec.get("replicas") if isinstance(spec, Mapping) else None
        found = []
        for path, template in foreign.pod_templates(value, self._paths(key[0], value)):
            labels_path, labels = foreign.template_labels(key[0], key[2], template)
            try:
                found.append(
                    self._make_pod(
                        entry,
                        key,
                        key[0],
                        key[2],
                        labels,
                        f"{path}.{labels_path}",
                        template.get("spec"),
                        f"{path}.spec",
                        replicas=_replicas(replicas),
                        template=True,
                    )
                )
            except _Rejected:
                continue
        return found

    def _template(self, key: tuple[str, str, str], entry: _Entry) -> Pod | None:
        path = TEMPLATES[key[0]]
        template: Any = entry.value
        for step in path:
            template = template.get(step) if isinstance(template, Mapping) else None
        dotted = ".".join(path)
        if not isinstance(template, Mapping):
            self._problem(entry, "error", dotted, "required: the pod template")
            return None
        metadata = template.get("metadata")
        metadata = metadata if isinstance(metadata, Mapping) else {}
        spec = entry.value.get("spec")
        spec = spec if isinstance(spec, Mapping) else {}
        replicas = spec.get("parallelism" if key[0] == "Job" else "replicas")
        if key[0] == "DaemonSet":
            replicas = 2  # one on each node, and a cluster worth policies has several
        try:
            return self._make_pod(
                entry,
                key,
                key[0],
                key[2],
                metadata.get("labels"),
                f"{dotted}.metadata.labels",
                template.get("spec"),
                f"{dotted}.spec",
                replicas=_replicas(replicas),
                template=True,
            )
        except _Rejected:
            return None

    def _make_pod(
        self,
        entry: _Entry,
        key: tuple[str, str, str],
        kind: str,
        workload: str,
        labels: object,
        labels_path: str,
        spec: object,
        spec_path: str,
        addresses: tuple[tuple[int, int], ...] = (),
        node_address: str = "",
        replicas: int = 1,
        template: bool = False,
        finished: bool = False,
    ) -> Pod:
        content: Mapping[str, Any] = spec if isinstance(spec, Mapping) else {}
        ports = self._ports(entry, content, spec_path)
        checked = self._labels(entry, labels, labels_path)
        if ports is None:
            raise _Rejected
        return Pod(
            namespace=key[1],
            name=key[2],
            labels=checked,
            kind=kind,
            workload=workload,
            ports=ports,
            host_network=content.get("hostNetwork") is True,
            addresses=addresses,
            node=str(content.get("nodeName") or ""),
            node_address=node_address,
            replicas=replicas,
            template=template,
            finished=finished,
            origin=self._origin(entry),
        )

    def _ports(self, entry: _Entry, spec: Mapping[str, Any], path: str) -> tuple[ContainerPort, ...] | None:
        """The declared ports, None where one of them is none."""
        ports: list[ContainerPort] = []
        failed = False
        for group in ("containers", "initContainers"):
            containers = spec.get(group)
            if not isinstance(containers, list):
                continue
            for number, container in enumerate(containers):
                if not isinstance(container, Mapping):
                    continue
                if group == "initContainers" and container.get("restartPolicy") != "Always":
                    continue  # only sidecars still run when the pod serves
                declared = container.get("ports")
                if not isinstance(declared, list):
                    continue
                for index, port in enumerate(declared):
                    number_ = port.get("containerPort") if isinstance(port, Mapping) else None
                    if isinstance(number_, bool) or not isinstance(number_, int) or not 1 <= number_ <= 65535:
                        self._problem(
                            entry,
                            "error",
                            f"{path}.{group}[{number}].ports[{index}].containerPort",
                            "required: a number between 1 and 65535",
                        )
                        failed = True
                        continue
                    ports.append(
                        ContainerPort(str(port.get("name") or ""), str(port.get("protocol") or "TCP"), number_)
                    )
        return None if failed else tuple(ports)

    def _top_owner(self, namespace: str, owner: tuple[str, str], metadata: Mapping[str, Any]) -> tuple[str, str]:
        """Follows controllers up. A cycle, which no API server refuses, ends where it closes."""
        seen: set[tuple[str, str]] = set()
        while owner not in seen:
            seen.add(owner)
            above = self._owners.get((owner[0], namespace, owner[1]))
            if above is None:
                break
            owner = above
        if owner[0] == "ReplicaSet" and (owner[0], namespace, owner[1]) not in self._entries:
            # Without the ReplicaSet in the input, its name still tells the Deployment that made it.
            labels = metadata.get("labels")
            suffix = labels.get("pod-template-hash") if isinstance(labels, Mapping) else None
            if isinstance(suffix, str) and owner[1].endswith(f"-{suffix}"):
                return ("Deployment", owner[1][: -len(suffix) - 1])
        return owner

    # Readers of the kinds that are no workloads

    def read_namespace(self, key: tuple[str, str, str], entry: _Entry) -> None:
        try:
            labels = self._labels(entry, entry.value["metadata"].get("labels"), "metadata.labels")
        except _Rejected:
            return
        labels[NAMESPACE_NAME_LABEL] = key[2]  # the API server sets it, whatever the manifest says
        self.model.namespaces[key[2]] = Namespace(key[2], labels, True, self._origin(entry))

    def read_node(self, key: tuple[str, str, str], entry: _Entry) -> None:
        status = entry.value.get("status")
        listed = status.get("addresses") if isinstance(status, Mapping) else None
        addresses = []
        for item in listed if isinstance(listed, list) else ():
            parsed = parse_address(str(item.get("address", ""))) if isinstance(item, Mapping) else None
            if parsed is not None:
                addresses.append(parsed)
        try:
            labels = self._labels(entry, entry.value["metadata"].get("labels"), "metadata.labels")
        except _Rejected:
            return
        self.model.nodes.append(Node(key[2], labels, tuple(addresses)))

    def read_service(self, key: tuple[str, str, str], entry: _Entry) -> None:
        spec = entry.value.get("spec")
        spec = spec if isinstance(spec, Mapping) else {}
        selector = spec.get("selector")
        try:
            labels = self._labels(entry, selector, "spec.selector") if selector else None
        except _Rejected:
            return
        ports = []
        listed = spec.get("ports")
        for port in listed if isinstance(listed, list) else ():
            if isinstance(port, Mapping) and isinstance(port.get("port"), int):
                target = port.get("targetPort")
                if isinstance(target, bool) or not isinstance(target, (int, str)):
                    target = None  # missing, or of a type that the API refuses
                ports.append(
                    ServicePort(
                        str(port.get("name") or ""),
                        str(port.get("protocol") or "TCP"),
                        port["port"],
                        port["port"] if target is None else target,
                    )
                )
        self.model.services.append(
            Service(key[1], key[2], labels, tuple(ports), str(spec.get("type") or "ClusterIP"), self._origin(entry))
        )

    def read_policy(self, key: tuple[str, str, str], entry: _Entry) -> None:
        version = entry.value.get("apiVersion")
        if version not in _POLICY_VERSIONS[key[0]]:
            expected = " or ".join(_POLICY_VERSIONS[key[0]])
            self._problem(entry, "error", "apiVersion", f"{version!r} has no {key[0]}", f"write {expected}")
            return

        def report(path: str, message: str, hint: str, cause: Cause | None) -> None:
            self._problem(entry, "warning" if cause else "error", path, message, hint, cause)

        policy: Policy | None = parse_policy(entry.value, self._origin(entry), report)
        if policy is not None:
            self.model.policies.append(policy)

    def read_webhook(self, key: tuple[str, str, str], entry: _Entry) -> None:
        self.model.webhooks.append(entry.value)


_GOOD_LABELS: set[tuple[str, str]] = set()

_READERS: dict[str, Callable[[_Builder, tuple[str, str, str], _Entry], None]] = {
    "Pod": lambda builder, key, entry: None,
    "Namespace": _Builder.read_namespace,
    "Node": _Builder.read_node,
    "Service": _Builder.read_service,
    "NetworkPolicy": _Builder.read_policy,
    "AdminNetworkPolicy": _Builder.read_policy,
    "BaselineAdminNetworkPolicy": _Builder.read_policy,
    "ClusterNetworkPolicy": _Builder.read_policy,
    "ValidatingWebhookConfiguration": _Builder.read_webhook,
    "MutatingWebhookConfiguration": _Builder.read_webhook,
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
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
)


def _has_objects(value: object) -> bool:
    """Whether a document is an API object or a list of such."""
    if isinstance(value, list):
        return any(_has_objects(item) for item in value if isinstance(item, Mapping))
    return isinstance(value, Mapping) and isinstance(value.get("kind"), str) and "apiVersion" in value


def _controller(value: Mapping[str, Any]) -> tuple[str, str] | None:
    """Kind and name of the object's controller, None for none and for nodes (static pods)."""
    metadata = value.get("metadata")
    references = metadata.get("ownerReferences") if isinstance(metadata, Mapping) else None
    for reference in references if isinstance(references, list) else ():
        if isinstance(reference, Mapping) and reference.get("controller") is True and reference.get("kind") != "Node":
            kind = foreign.kind_name(str(reference.get("kind")), str(reference.get("apiVersion") or ""))
            return (kind, str(reference.get("name")))
    return None
