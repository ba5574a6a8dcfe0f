# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of other APIs than Kubernetes' own: those that make pods from a template, and those that cannot be analysed.

A workload of any API is known by its pod template: a mapping with the C(spec) of a pod, or of a virtual machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from ..errors import NetpolError
from ..model.left_out import OTHER_NETWORK, OTHER_POLICY, OTHER_WORKLOAD
from .operated import operated_template

#: Kinds of Kubernetes that other APIs have as well; theirs are told with their group, as kubectl does.
_SHARED = (
    "ClusterNetworkPolicy",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "Job",
    "Namespace",
    "NetworkPolicy",
    "Node",
    "Pod",
    "ReplicaSet",
    "Service",
    "StatefulSet",
)
#: How kinds end that allow or deny connections and are not analysed: Cilium's, Calico's, Multus', Istio's, ...
_POLICY_ENDINGS = (
    "AuthorizationPolicy",
    "ClusterwideNetworkPolicy",
    "EgressFirewall",
    "NetworkPolicy",
    "NetworkSet",
    "ServiceIntentions",
)
#: Kinds that give pods a network of their own, where other pods do not reach them and NetworkPolicies may not hold:
#: OVN-Kubernetes' and Multus'.
_NETWORKS = ("ClusterUserDefinedNetwork", "NetworkAttachmentDefinition", "UserDefinedNetwork")
#: Labels that an API puts on the pods of an object, with the object's name as their value.
_NAME_LABELS = {"Service.serving.knative.dev": "serving.knative.dev/service"}
#: A template deeper in an object, or behind more values than this, is not looked for.
_MAX_DEPTH = 12
_MAX_VALUES = 20_000


@lru_cache(maxsize=4096)
def kind_name(kind: str, version: str) -> str:
    """A kind by which no two APIs are confused: with its group where Kubernetes has a kind of that name."""
    group = version.rpartition("/")[0]
    return f"{kind}.{group}" if kind in _SHARED and is_foreign(version) else kind


@lru_cache(maxsize=4096)
def is_foreign(version: str) -> bool:
    """Whether an C(apiVersion) is that of an API beside Kubernetes' own."""
    group = version.rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io")


def left_out(value: Mapping[str, Any], foreign: bool) -> str:
    """Why an object without a pod template matters all the same, an empty string if it does not."""
    kind = value["kind"]
    if foreign and kind.endswith(_POLICY_ENDINGS):
        return OTHER_POLICY
    if foreign and kind in _NETWORKS:
        return OTHER_NETWORK
    spec = value.get("spec")
    if not foreign or not isinstance(spec, Mapping) or "workloadRef" in spec or kind.endswith("Template"):
        return ""
    replicas = spec.get("replicas")
    counted = isinstance(replicas, int) and not isinstance(replicas, bool)
    return OTHER_WORKLOAD if counted else ""


def pod_templates(value: Mapping[str, Any], paths: Sequence[str] = ()) -> list[tuple[str, Mapping[str, Any]]]:
    """The pod templates in an object.

    Args:
        value: the object.
        paths: where they are, keys joined by dots, lists gone through item by item; searched for when empty.

    Returns:
        Paths and templates.
    """
    if paths:
        found = [item for path in paths for item in _at(value, path.split("."), "")]
        return [(path, template) for path, template in found if isinstance(template, Mapping)]
    operated = operated_template(value)
    if operated is not None:
        return [("spec", operated)]
    if str(value.get("kind")).endswith("Template"):
        return []  # what makes objects when it is used, such as a WorkflowTemplate
    return list(_search(value.get("spec"), "spec"))


def _at(value: Any, steps: Sequence[str], path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _at(item, steps, f"{path}[{index}]")
    elif not steps:
        yield path, value
    elif isinstance(value, Mapping) and steps[0] in value:
        yield from _at(value[steps[0]], steps[1:], f"{path}.{steps[0]}" if path else steps[0])


def _search(spec: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    left = _MAX_VALUES
    waiting = [(spec, path, 0)]
    while waiting:
        value, path, depth = waiting.pop()
        left -= 1
        if left < 0 or depth > _MAX_DEPTH:
            return
        if isinstance(value, Mapping):
            if path != "spec" and _is_template(value):
                yield path, value
                continue
            children = [(item, f"{path}.{key}", depth + 1) for key, item in value.items()]
        elif isinstance(value, list):
            children = [(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
        else:
            continue
        waiting.extend(reversed([child for child in children if isinstance(child[0], (Mapping, list))]))


def _is_template(value: Mapping[str, Any]) -> bool:
    spec = value.get("spec")
    if not isinstance(spec, Mapping):
        return False
    containers = spec.get("containers")
    return (isinstance(containers, list) and bool(containers)) or isinstance(spec.get("domain"), Mapping)


def template_labels(kind: str, name: str, template: Mapping[str, Any]) -> tuple[str, Any]:
    """Labels of a template's pods and the path to them in the template, before the labels are checked."""
    for field in ("metadata", "podMetadata"):
        metadata = template.get(field)
        if isinstance(metadata, Mapping):
            labels = metadata.get("labels")
            break
    else:
        field, labels = "metadata", None
    if kind in _NAME_LABELS and (labels is None or isinstance(labels, Mapping)):
        labels = {**(labels or {}), _NAME_LABELS[kind]: name}
    return f"{field}.labels", labels


def check_paths(paths: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Where the pod templates of some kinds are, as a person gives it.

    Args:
        paths: for each kind a path such as C(spec.template), or a list of paths.

    Raises:
        NetpolError: a value is no path.
    """
    found = {}
    for kind, value in paths.items():
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not listed or not all(isinstance(i, str) and i for i in listed):
            raise NetpolError(f"pod_templates.{kind}: write a path such as spec.template, or a list of such paths")
        found[str(kind)] = tuple(listed)
    return found
