# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""The fields of Kubernetes audit events, as the k8saudit plugin computes them from the event's JSON.

Where the plugin would end Falco (a list of containers without any, a malformed volume) there is no value here.
Source: `plugins/k8saudit/pkg/k8saudit/extract.go` in falcosecurity/plugins 0.18.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Optional, Union

from .json_text import MISSING, Json, Missing, Object, Raw, as_string, get
from .uri import query_parameters

Value = Union[None, str, "list[str]"]
_Items = Optional["list[Json | Missing]"]
"""None: not available."""

_PATHS: dict[str, tuple[str, ...]] = {
    "ka.auditid": ("auditID",),
    "ka.stage": ("stage",),
    "ka.auth.decision": ("annotations", "authorization.k8s.io/decision"),
    "ka.auth.reason": ("annotations", "authorization.k8s.io/reason"),
    "ka.auth.openshift.decision": ("annotations", "authentication.openshift.io/decision"),
    "ka.auth.openshift.username": ("annotations", "authentication.openshift.io/username"),
    "ka.validations.admission.policy.failure": ("annotations", "validation.policy.admission.k8s.io/validation_failure"),
    "ka.security.pod.violations": ("annotations", "pod-security.kubernetes.io/audit-violations"),
    "ka.cluster.name": ("annotations", "cluster_name"),
    "ka.user.name": ("user", "username"),
    "ka.impuser.name": ("impersonatedUser", "username"),
    "ka.verb": ("verb",),
    "ka.uri": ("requestURI",),
    "ka.target.name": ("objectRef", "name"),
    "ka.target.namespace": ("objectRef", "namespace"),
    "ka.target.resource": ("objectRef", "resource"),
    "ka.target.subresource": ("objectRef", "subresource"),
    "ka.req.binding.role": ("requestObject", "roleRef", "name"),
    "ka.req.configmap.name": ("objectRef", "name"),
    "ka.req.configmap.obj": ("requestObject", "data"),
    "ka.req.pod.host_ipc": ("requestObject", "spec", "hostIPC"),
    "ka.req.pod.host_network": ("requestObject", "spec", "hostNetwork"),
    "ka.req.container.host_network": ("requestObject", "spec", "hostNetwork"),
    "ka.req.pod.host_pid": ("requestObject", "spec", "hostPID"),
    "ka.req.pod.run_as_user": ("requestObject", "spec", "securityContext", "runAsUser"),
    "ka.req.pod.run_as_group": ("requestObject", "spec", "securityContext", "runAsGroup"),
    "ka.req.pod.fs_group": ("requestObject", "spec", "securityContext", "fsGroup"),
    "ka.req.service.type": ("requestObject", "spec", "type"),
    "ka.resp.name": ("responseObject", "metadata", "name"),
    "ka.response.code": ("responseStatus", "code"),
    "ka.response.reason": ("responseStatus", "reason"),
    "ka.useragent": ("userAgent",),
}
_LISTS: dict[str, tuple[str, ...]] = {
    "ka.user.groups": ("user", "groups"),
    "ka.req.binding.subjects": ("requestObject", "subjects"),
    "ka.req.role.rules": ("requestObject", "rules"),
    "ka.req.pod.supplemental_groups": ("requestObject", "spec", "securityContext", "supplementalGroups"),
}
_RULES: dict[str, str] = {
    "ka.req.role.rules.apiGroups": "apiGroups",
    "ka.req.role.rules.nonResourceURLs": "nonResourceURLs",
    "ka.req.role.rules.verbs": "verbs",
    "ka.req.role.rules.resources": "resources",
    "ka.sourceips": "sourceIPs",  # the plugin looks for these among a role's rules, too
}
_SUBJECTS = {
    "ka.req.binding.subjects.user_names": "User",
    "ka.req.binding.subjects.serviceaccount_names": "ServiceAccount",
    "ka.req.binding.subjects.serviceaccount_ns_names": "NamespacedServiceAccount",
    "ka.req.binding.subjects.group_names": "Group",
}
_SPEC_ITEMS: dict[str, tuple[str, ...]] = {
    "ka.req.service.ports": ("ports",),
    "ka.req.pod.volumes.hostpath": ("volumes", "hostPath", "path"),
    "ka.req.pod.volumes.flexvolume_driver": ("volumes", "flexVolume", "driver"),
}
_CONTAINER_ITEMS: dict[str, tuple[str, ...]] = {
    "privileged": ("securityContext", "privileged"),
    "allow_privilege_escalation": ("securityContext", "allowPrivilegeEscalation"),
    "read_only_fs": ("securityContext", "readOnlyRootFilesystem"),
    "run_as_user": ("securityContext", "runAsUser"),
    "run_as_group": ("securityContext", "runAsGroup"),
    "proc_mount": ("securityContext", "procMount"),
    "add_capabilities": ("securityContext", "capabilities", "add"),
}
_CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")


def audit_field(event: Json, name: str, argument: str | None = None) -> Value:
    """The value of a `ka.*` field.

    Args:
        event: the audit event.
        name: the field without its argument.
        argument: a number or a key, as the field takes it.

    Returns:
        A text, or texts for a field that is a list; None when there is no value.
    """
    if get(event, "auditID") is MISSING:
        return None
    if name in _PATHS:
        value = get(event, *_PATHS[name])
        return None if isinstance(value, Missing) else as_string(value)
    if name in _LISTS:
        value = get(event, *_LISTS[name])
        return [as_string(item) for item in value] or None if isinstance(value, list) else None
    index = int(argument) if argument is not None and argument.isdigit() else None
    for kind in _CONTAINER_LISTS:
        prefix = f"ka.req.pod.{kind}."
        if name.startswith(prefix):
            return _container_field(event, kind, name[len(prefix) :], index) or None
    if name in _RULES:
        return _texts_within(_walk(event, index, "requestObject", "rules", _RULES[name])) or None
    if name in _SUBJECTS:
        return _subjects(event, _SUBJECTS[name]) or None
    if name in _SPEC_ITEMS:
        return _texts(_walk(event, index, "requestObject", "spec", *_SPEC_ITEMS[name])) or None
    special = _SPECIAL.get(name)
    return special(event, argument) if special else None


def _walk(value: Json | Missing, index: int | None, *keys: str) -> _Items:
    """Follow keys through lists: one of their items, or all, each of which may lack the value."""
    for position, key in enumerate(keys):
        if isinstance(value, list):
            if index is None:
                found: list[Json | Missing] = []
                for item in value:
                    inner = _walk(item, None, *keys[position:])
                    found.extend([MISSING] if inner is None else inner)
                return found
            if index >= len(value):
                return None
            value = value[index]
        value = get(value, *((key,) if key else ()))
        if isinstance(value, Missing):
            return None
    return [value]


def _containers(event: Json, kind: str, index: int | None, *keys: str) -> _Items:
    return _walk(event, index, "requestObject", "spec", kind, *keys)


def _texts(items: _Items) -> list[str]:
    return [as_string(item) for item in items or () if not isinstance(item, Missing)]


def _all_texts(items: _Items) -> list[str]:
    """As `_texts`, but one item without a value leaves none."""
    return [] if items is None or MISSING in items else _texts(items)


def _texts_within(items: _Items) -> list[str]:
    return [as_string(inner) for item in items or () if isinstance(item, list) for inner in item]


def _container_field(event: Json, kind: str, field: str, index: int | None) -> list[str]:
    if field in _CONTAINER_ITEMS:
        return _texts(_containers(event, kind, index, *_CONTAINER_ITEMS[field]))
    if field in ("name", "image"):
        return _all_texts(_containers(event, kind, index, field))
    if field == "image.repository":
        return list(map(_repository, _all_texts(_containers(event, kind, index, "image"))))
    if field in ("command", "args"):
        return _command_lines(_containers(event, kind, index, field))
    if field == "host_port":
        return _ports(_containers(event, kind, index, "ports"))
    if field in ("eff_run_as_user", "eff_run_as_group"):
        key = "runAsUser" if field == "eff_run_as_user" else "runAsGroup"
        # the plugin looks directly in the pod's and the container's description, not in their security contexts
        of_pod = get(event, "requestObject", "spec", key)
        default = "0" if isinstance(of_pod, Missing) else as_string(of_pod)
        items = _containers(event, kind, index, key)
        return [default if isinstance(item, Missing) else as_string(item) for item in items or ()]
    return []


def _repository(image: str) -> str:
    """The image up to its first colon, even that of a registry's port."""
    return image.split(":")[0].split("@")[0]


def _command_lines(items: _Items) -> list[str]:
    lines: list[str] = []
    for item in items or ():
        if isinstance(item, Missing):
            continue
        if not isinstance(item, list) or not all(_is_string(word) for word in item):
            return []
        lines.append(" ".join(item))
    return lines


def _is_string(value: Json) -> bool:
    return isinstance(value, str) and not isinstance(value, Raw)


def _ports(items: _Items) -> list[str]:
    ports: list[str] = []
    for item in items or ():
        if isinstance(item, Missing):
            continue
        if not isinstance(item, list):
            return []
        for port in item:
            for key in ("hostPort", "containerPort"):
                value = get(port, key)
                if not isinstance(value, Missing):
                    ports.append(as_string(value))
                    break
    return ports


def _subjects(event: Json, kind: str) -> list[str]:
    subjects = get(event, "requestObject", "subjects")
    wanted = "ServiceAccount" if kind == "NamespacedServiceAccount" else kind
    names: list[str] = []
    for subject in subjects if isinstance(subjects, list) else ():
        subject_kind, name = get(subject, "kind"), get(subject, "name")
        if isinstance(subject_kind, Missing) or isinstance(name, Missing) or as_string(subject_kind) != wanted:
            continue
        if kind != wanted:
            namespace = get(subject, "namespace")
            if not isinstance(namespace, Missing):
                names.append(f"{as_string(namespace)}:{as_string(name)}")
        else:
            names.append(as_string(name))
    return names


def _pod_name(event: Json, argument: str | None) -> Value:
    if get(event, "objectRef", "resource") != "pods":
        return None
    subresource = get(event, "objectRef", "subresource")
    if isinstance(subresource, str) and _is_string(subresource) and subresource:
        return None
    name = get(event, "responseObject", "metadata", "name")
    return None if isinstance(name, Missing) else as_string(name)


def _parameter(event: Json, argument: str | None) -> Value:
    uri = get(event, "requestURI")
    if isinstance(uri, Missing):
        return None
    return (query_parameters(as_string(uri)) or {}).get(argument or "")


def _first_image(event: Json, argument: str | None) -> Value:
    images = _all_texts(_containers(event, "containers", 0, "image"))
    return images[0] if images else None


def _first_repository(event: Json, argument: str | None) -> Value:
    image = _first_image(event, argument)
    return _repository(image) if isinstance(image, str) else None


def _privileged(event: Json, argument: str | None) -> Value:
    items = _containers(event, "containers", None, "securityContext", "privileged")
    if items is None:
        return None
    return "true" if any(item is True for item in items) else "false"


def _has_host_path(event: Json, argument: str | None) -> Value:
    items = _walk(event, None, "requestObject", "spec", "volumes", "hostPath", "path")
    if items is None or not argument:
        return None
    for path in _texts(items):
        if path == argument or (argument.endswith("*") and path.startswith(argument[:-1])):
            return "true"
    return "false"


def _volume_types(event: Json, argument: str | None) -> Value:
    index = int(argument) if argument is not None and argument.isdigit() else None
    items = _walk(event, index, "requestObject", "spec", "volumes", "")
    types = [key for item in items or () if isinstance(item, Object) for key, _inner in item.members if key != "name"]
    return types or None


_SPECIAL: dict[str, Callable[[Json, str | None], Value]] = {
    "ka.target.pod.name": _pod_name,
    "ka.uri.param": _parameter,
    "ka.req.container.image": _first_image,
    "ka.req.container.image.repository": _first_repository,
    "ka.req.container.privileged": _privileged,
    "ka.req.volume.hostpath": _has_host_path,
    "ka.req.pod.volumes.volume_type": _volume_types,
    "ka.req.binding.subject.has_name": lambda event, argument: "true",
}
AUDIT_FIELDS: Sequence[str] = (*_PATHS, *_LISTS, *_RULES, *_SUBJECTS, *_SPEC_ITEMS, *_SPECIAL)
