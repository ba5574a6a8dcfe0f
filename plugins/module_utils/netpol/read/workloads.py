# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods, and what stands for the pods that a workload would make.

Pods that a workload controls belong to that workload.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..model.addresses import parse_address
from ..model.objects import ContainerPort, Pod
from . import foreign
from .entry import Entry, Key, Rejected, Reporter, origin_of

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


class Workloads:
    """Makes the pods of objects.

    Args:
        reporter: takes their problems.
        entries: all objects of the input; owners are looked up in them.
        pod_templates: for kinds of other APIs, where their pod templates are.
    """

    def __init__(
        self, reporter: Reporter, entries: Mapping[Key, Entry], pod_templates: Mapping[str, Sequence[str]]
    ) -> None:
        self._reporter = reporter
        self._entries = entries
        self._pod_templates = pod_templates
        self._owners: dict[Key, tuple[str, str]] = {}

    def paths(self, kind: str, value: Mapping[str, Any]) -> Sequence[str]:
        """Where a kind has its pod templates, empty where they are searched for."""
        return self._pod_templates.get(kind) or self._pod_templates.get(value["kind"]) or ()

    def add_owner(self, key: Key, entry: Entry) -> None:
        """Note who controls a workload; before any pod is made."""
        owner = controller(entry.value)
        if owner:
            self._owners[key] = owner

    def has_known_owner(self, key: Key) -> bool:
        """Whether the workload's controller is in the input."""
        if key not in self._owners:
            return False
        kind, name = self._owners[key]
        return (kind, key[1], name) in self._entries

    def pod(self, key: Key, entry: Entry) -> Pod | None:
        value = entry.value
        metadata = value["metadata"]
        status = value.get("status")
        status = status if isinstance(status, Mapping) else {}
        owner = controller(value)
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
        except Rejected:
            return None

    def templates(self, key: Key, entry: Entry) -> Iterable[Pod]:
        """What stands for the pods that a workload would make."""
        if key[0] in TEMPLATES:
            pod = self._template(key, entry)
            return [] if pod is None else [pod]
        value = entry.value
        spec = value.get("spec")
        replicas = spec.get("replicas") if isinstance(spec, Mapping) else None
        found = []
        for path, template in foreign.pod_templates(value, self.paths(key[0], value)):
            labels_path, labels = foreign.template_labels(key[0], key[2], template)
            pod = self._of_template(entry, key, labels, f"{path}.{labels_path}", template, path, replicas)
            found += [pod] if pod is not None else []
        return found

    def _template(self, key: Key, entry: Entry) -> Pod | None:
        path = TEMPLATES[key[0]]
        template: Any = entry.value
        for step in path:
            template = template.get(step) if isinstance(template, Mapping) else None
        dotted = ".".join(path)
        if not isinstance(template, Mapping):
            self._reporter.problem(entry, "error", dotted, "required: the pod template")
            return None
        metadata = template.get("metadata")
        metadata = metadata if isinstance(metadata, Mapping) else {}
        spec = entry.value.get("spec")
        spec = spec if isinstance(spec, Mapping) else {}
        replicas = spec.get("parallelism" if key[0] == "Job" else "replicas")
        if key[0] == "DaemonSet":
            replicas = 2  # one on each node, and a cluster worth policies has several
        labels = metadata.get("labels")
        return self._of_template(entry, key, labels, f"{dotted}.metadata.labels", template, dotted, replicas)

    def _of_template(
        self,
        entry: Entry,
        key: Key,
        labels: object,
        labels_path: str,
        template: Mapping[str, Any],
        path: str,
        replicas: object,
    ) -> Pod | None:
        """The pod that a workload's template stands for, None where something in it is refused."""
        spec, count = template.get("spec"), _replicas(replicas)
        try:
            return self._make_pod(
                entry, key, key[0], key[2], labels, labels_path, spec, f"{path}.spec", replicas=count, template=True
            )
        except Rejected:
            return None

    def _make_pod(
        self,
        entry: Entry,
        key: Key,
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
        checked = self._reporter.labels(entry, labels, labels_path)
        if ports is None:
            raise Rejected
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
            origin=origin_of(entry),
        )

    def _ports(self, entry: Entry, spec: Mapping[str, Any], path: str) -> tuple[ContainerPort, ...] | None:
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
                        self._reporter.problem(
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


def _replicas(given: object) -> int:
    """Pods of a template; one where nothing or no number is given."""
    return given if isinstance(given, int) and not isinstance(given, bool) else 1


def controller(value: Mapping[str, Any]) -> tuple[str, str] | None:
    """Kind and name of the object's controller, None for none and for nodes (static pods)."""
    metadata = value.get("metadata")
    references = metadata.get("ownerReferences") if isinstance(metadata, Mapping) else None
    for reference in references if isinstance(references, list) else ():
        if isinstance(reference, Mapping) and reference.get("controller") is True and reference.get("kind") != "Node":
            kind = foreign.kind_name(str(reference.get("kind")), str(reference.get("apiVersion") or ""))
            return (kind, str(reference.get("name")))
    return None
