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
  - Objects that do not exist are told all together, each with the variable that names it and the nearest name that
    exists.
  - Of Secrets only the keys are returned, never a value.
extends_documentation_fragment:
  - falconet.k8s.cluster
  - falconet.k8s.read_only
options:
  subjects:
    description: Objects that must exist. One without a name is left out.
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
  description: A sentence for each object that does not exist.
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
from ansible_collections.falconet.k8s.plugins.module_utils.variables.subjects import Subject, told_missing

KINDS = {
    resource.kind: resource
    for (_version, kind), resource in KNOWN.items()
    if kind
    in (
        "ConfigMap",
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


def read(client: Client, kind: str) -> list[dict[str, Any]]:
    """All objects of a kind, without what only the API server is interested in."""
    objects = client.list_all(KINDS[kind])
    for one in objects:
        one["metadata"].pop("managedFields", None)
    return objects


def main() -> None:
    """Entry point."""
    subject = {
        "kind": {"type": "str", "required": True, "choices": sorted(KINDS)},
        **{name: {"type": "str", "default": ""} for name in ("name", "namespace", "variable", "hint")},
    }
    spec: dict[str, Any] = {
        "subjects": {"type": "list", "elements": "dict", "default": [], "options": subject},
        # Objects with secrets are not for results.
        "kinds": {"type": "list", "elements": "str", "default": [], "choices": sorted(KINDS)},
        "answer_within_seconds": {"type": "int", "default": 30},
    }
    module = AnsibleModule(argument_spec={**CLUSTER_ARGUMENTS, **spec}, supports_check_mode=True)
    params = module.params
    if "Secret" in params["kinds"]:
        module.fail_json(msg="kinds: Secrets are not returned whole; name them in subjects", missing=[])
    rows, missing = [], []
    try:
        client = connect(params, answer_within_seconds=params["answer_within_seconds"])
        client.request("GET", "/version")
        for entry in params["subjects"]:
            if entry["name"]:
                row, told = look(client, Subject(**entry))
                rows.append(row)
                missing += [told] if told else []
        objects = {kind: read(client, kind) for kind in params["kinds"]}
    except KubeError as error:
        module.fail_json(msg=str(error), missing=missing)
    if missing:
        module.fail_json(msg=" ".join(missing), missing=missing)
    module.exit_json(changed=False, subjects=rows, objects=objects, missing=[])


if __name__ == "__main__":
    main()
