#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module cluster_objects_info: what a preflight must know of a cluster, asked at once."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_objects_info
short_description: See that the objects exist that variables name, and read some kinds whole
version_added: "0.3.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Sees that the API server answers, that each object of O(subjects) exists, and returns all objects of O(kinds).
  - Objects that do not exist and kinds that are not served are told all together, each with the variable that names it
    and the nearest name that exists.
  - Of Secrets only the keys are returned, never a value.
extends_documentation_fragment:
  - falconet.k8s.cluster
  - falconet.k8s.read_only
options:
  subjects:
    description: Objects that must exist. One without a name is left out, except by O(subjects[].default).
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description: Kind of the object.
        type: str
        required: true
        choices: &kinds
          - ConfigMap
          - IngressClass
          - Namespace
          - Node
          - PriorityClass
          - Secret
          - Service
          - ServiceAccount
          - StorageClass
      name:
        description: Name of the object.
        type: str
        default: ""
      namespace:
        description: Where it must be, for kinds that have a namespace.
        type: str
        default: ""
      variable:
        description: The variable that names it, for the message.
        type: str
        default: ""
      hint:
        description: What else could be done, for the message.
        type: str
        default: ""
      default:
        description:
          - Whether an empty name means what the cluster takes by default, which must then exist.
          - Only for C(StorageClass) and C(IngressClass).
        type: bool
        default: false
  apis:
    description: Kinds that the cluster must serve.
    type: list
    elements: dict
    default: []
    suboptions:
      api_version:
        description: Group and version, such as V(monitoring.coreos.com/v1).
        type: str
        required: true
      kind:
        description: Kind, such as V(ServiceMonitor).
        type: str
        required: true
      variable:
        description: The variable that asks for it, for the message.
        type: str
        default: ""
      hint:
        description: How the cluster comes to serve it, or what else could be done, for the message.
        type: str
        default: ""
  kinds:
    description: Kinds of which all objects are returned.
    type: list
    elements: str
    default: []
    choices: *kinds
  answer_within_seconds:
    description: How long the API server may take to answer at all.
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: What others must have made is there
  falconet.k8s.cluster_objects_info:
    subjects:
      - kind: PriorityClass
        name: "{{ falco_priority_class }}"
        variable: falco_priority_class
      - kind: Secret
        name: "{{ falco_outputs_existing_secret }}"
        namespace: falco
        variable: falco_outputs_existing_secret
    kinds: [Node]
"""

RETURN = r"""
subjects:
  description:
    - Each named subject with C(kind), C(name), C(namespace), C(variable) and, for Secrets and ConfigMaps, C(keys).
  returned: success
  type: list
  elements: dict
objects:
  description: All objects by kind, for O(kinds).
  returned: success
  type: dict
missing:
  description: A sentence for each object that does not exist and each kind that is not served.
  returned: always
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.kube.client import Client
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import ForbiddenError, KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.kube.resource import KNOWN, Resource
from ansible_collections.falconet.k8s.plugins.module_utils.variables.subjects import (
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


def names(client: Client, resource: Resource, namespace: str) -> list[str] | None:
    """Names of all objects of a kind there; None if they may not be listed."""
    try:
        return [one["metadata"]["name"] for one in client.list_all(resource, namespace or None)]
    except ForbiddenError:
        return None


def look(client: Client, subject: Subject) -> tuple[dict[str, Any], str]:
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
    return row, told_missing(subject, names(client, resource, namespace) if there else None, there)


def default_missing(client: Client, subject: Subject) -> str:
    """What to say if the cluster has no default of a kind; empty if it has, or if nobody may look."""
    try:
        there = client.list_all(KINDS[subject.kind])
    except ForbiddenError:
        return ""
    if any(is_default(subject.kind, one) for one in there):
        return ""
    return told_without_default(subject, [one["metadata"]["name"] for one in there])


def unserved(client: Client, api: Api) -> str:
    """What to say if the cluster does not serve a kind; empty if it does."""
    kinds = client.served(api.api_version)
    if api.kind in kinds:
        return ""
    group = api.api_version.rpartition("/")[0]
    return told_unserved(api, list(kinds), client.versions(group) if group and not kinds else [])


def ask(client: Client, params: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """What a result tells of all subjects, and a sentence for each thing that there is not."""
    rows, missing = [], []
    for entry in params["subjects"]:
        if entry["name"]:
            row, told = look(client, Subject(**entry))
            rows.append(row)
            missing.append(told)
        elif entry["default"] and entry["kind"] in DEFAULTS:
            missing.append(default_missing(client, Subject(**entry)))
    missing += [unserved(client, Api(**entry)) for entry in params["apis"]]
    return rows, [told for told in missing if told]


def read(client: Client, kind: str) -> list[dict[str, Any]]:
    """All objects of a kind, without what only the API server is interested in."""
    objects = client.list_all(KINDS[kind])
    for one in objects:
        one["metadata"].pop("managedFields", None)
    return objects


def main() -> None:
    """Entry point."""
    subject: dict[str, Any] = {
        "kind": {"type": "str", "required": True, "choices": sorted(KINDS)},
        **{name: {"type": "str", "default": ""} for name in ("name", "namespace", "variable", "hint")},
    }
    subject["default"] = {"type": "bool", "default": False}
    api = {
        **{name: {"type": "str", "required": True} for name in ("api_version", "kind")},
        **{name: {"type": "str", "default": ""} for name in ("variable", "hint")},
    }
    spec: dict[str, Any] = {
        "subjects": {"type": "list", "elements": "dict", "default": [], "options": subject},
        "apis": {"type": "list", "elements": "dict", "default": [], "options": api},
        # Objects with secrets are not for results.
        "kinds": {"type": "list", "elements": "str", "default": [], "choices": sorted(KINDS)},
        "answer_within_seconds": {"type": "int", "default": 30},
    }
    module = AnsibleModule(argument_spec={**CLUSTER_ARGUMENTS, **spec}, supports_check_mode=True)
    params = module.params
    if "Secret" in params["kinds"]:
        module.fail_json(msg="kinds: Secrets are not returned whole; name them in subjects", missing=[])
    missing: list[str] = []
    try:
        client = connect(params, answer_within_seconds=params["answer_within_seconds"])
        client.request("GET", "/version")
        rows, missing = ask(client, params)
        objects = {kind: read(client, kind) for kind in params["kinds"]}
    except KubeError as error:
        module.fail_json(msg=str(error), missing=missing)
    if missing:
        module.fail_json(msg=" ".join(missing), missing=missing)
    module.exit_json(changed=False, subjects=rows, objects=objects, missing=[])


if __name__ == "__main__":
    main()
