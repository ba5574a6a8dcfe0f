#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module cluster_objects_info: what a preflight must know of a cluster, asked at once."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_objects_info
short_description: See that the objects exist that variables name, and read some kinds whole
version_added: "1.0.0"
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
notes:
  - On the controller (connection C(local), and C(ansible_python_interpreter) is C(ansible_playbook_python)) it runs
    within Ansible itself, by an action plugin of this name. Options and result are the same. A task with C(become),
    C(async) or C(environment) runs the module.
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

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.live_objects.options import ARGUMENTS, done


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result = done(module.params)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
