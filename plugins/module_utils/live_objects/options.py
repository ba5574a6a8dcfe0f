# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of cluster_objects_info to its result, for the module and the action plugin that saves its start."""

from __future__ import annotations

from typing import Any

from ..kube.client import Client
from ..kube.connection import CLUSTER_ARGUMENTS, connect
from ..kube.errors import ForbiddenError, KubeError
from ..kube.resource import KNOWN, Resource
from ..variables.subjects import (
    DEFAULTS,
    Api,
    Subject,
    is_default,
    told_missing,
    told_unserved,
    told_without_default,
)

KINDS = {
    resource.kind: resource
    for (_version, kind), resource in KNOWN.items()
    if kind
    in (
        "ConfigMap",
        "IngressClass",
        "Namespace",
        "Node",
        "PriorityClass",
        "Secret",
        "Service",
        "ServiceAccount",
        "StorageClass",
    )
}
_SUBJECT: dict[str, Any] = {
    "kind": {"type": "str", "required": True, "choices": sorted(KINDS)},
    **{name: {"type": "str", "default": ""} for name in ("name", "namespace", "variable", "hint")},
    "default": {"type": "bool", "default": False},
}
_API: dict[str, Any] = {
    **{name: {"type": "str", "required": True} for name in ("api_version", "kind")},
    **{name: {"type": "str", "default": ""} for name in ("variable", "hint")},
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    **CLUSTER_ARGUMENTS,
    "subjects": {"type": "list", "elements": "dict", "default": [], "options": _SUBJECT},
    "apis": {"type": "list", "elements": "dict", "default": [], "options": _API},
    # Objects with secrets are not for results.
    "kinds": {"type": "list", "elements": "str", "default": [], "choices": sorted(KINDS)},
    "answer_within_seconds": {"type": "int", "default": 30},
}


def done(params: dict[str, Any]) -> dict[str, Any]:
    """Look, and give the result of the task.

    Args:
        params: all options, with their defaults.

    Returns:
        The result of the module; with C(failed) where something is missing, or nothing could be asked.
    """
    if "Secret" in params["kinds"]:
        return {"failed": True, "msg": "kinds: Secrets are not returned whole; name them in subjects", "missing": []}
    missing: list[str] = []
    try:
        client = connect(params, answer_within_seconds=params["answer_within_seconds"])
        client.request("GET", "/version")
        rows, missing = _ask(client, params)
        objects = {kind: _read(client, kind) for kind in params["kinds"]}
    except KubeError as error:
        return {"failed": True, "msg": str(error), "missing": missing}
    if missing:
        return {"failed": True, "msg": " ".join(missing), "missing": missing}
    return {"changed": False, "subjects": rows, "objects": objects, "missing": []}


def _names(client: Client, resource: Resource, namespace: str) -> list[str] | None:
    """Names of all objects of a kind there; None if they may not be listed."""
    try:
        return [one["metadata"]["name"] for one in client.list_all(resource, namespace or None)]
    except ForbiddenError:
        return None


def _look(client: Client, subject: Subject) -> tuple[dict[str, Any], str]:
    """What a result tells of a subject, and what to say if it does not exist (empty if it does)."""
    resource = KINDS[subject.kind]
    namespace = subject.namespace if resource.namespaced else ""
    row: dict[str, Any] = {"kind": subject.kind, "name": subject.name, "namespace": namespace}
    row["variable"] = subject.variable
    found = client.get(resource, subject.name, namespace or None)
    if found is not None:
        if subject.kind in ("Secret", "ConfigMap"):
            row["keys"] = sorted(found.get("data") or {})
        return row, ""
    there = not namespace or client.get(KINDS["Namespace"], namespace) is not None
    return row, told_missing(subject, _names(client, resource, namespace) if there else None, there)


def _default_missing(client: Client, subject: Subject) -> str:
    """What to say if the cluster has no default of a kind; empty if it has, or if nobody may look."""
    try:
        there = client.list_all(KINDS[subject.kind])
    except ForbiddenError:
        return ""
    if any(is_default(subject.kind, one) for one in there):
        return ""
    return told_without_default(subject, [one["metadata"]["name"] for one in there])


def _unserved(client: Client, api: Api) -> str:
    """What to say if the cluster does not serve a kind; empty if it does."""
    kinds = client.served(api.api_version)
    if api.kind in kinds:
        return ""
    group = api.api_version.rpartition("/")[0]
    return told_unserved(api, list(kinds), client.versions(group) if group and not kinds else [])


def _ask(client: Client, params: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """What a result tells of all subjects, and a sentence for each thing that there is not."""
    rows, missing = [], []
    for entry in params["subjects"]:
        if entry["name"]:
            row, told = _look(client, Subject(**entry))
            rows.append(row)
            missing.append(told)
        elif entry["default"] and entry["kind"] in DEFAULTS:
            missing.append(_default_missing(client, Subject(**entry)))
    missing += [_unserved(client, Api(**entry)) for entry in params["apis"]]
    return rows, [told for told in missing if told]


def _read(client: Client, kind: str) -> list[dict[str, Any]]:
    """All objects of a kind, without what only the API server is interested in."""
    objects = client.list_all(KINDS[kind])
    for one in objects:
        one["metadata"].pop("managedFields", None)
    return objects
