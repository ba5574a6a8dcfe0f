#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module netpol_suggest: least-privilege policies from observed flows."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netpol_suggest
short_description: Suggest NetworkPolicies that allow just the observed flows
version_added: "0.1.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Makes one NetworkPolicy for each workload (or namespace) that allows what was observed, and DNS.
  - Workloads are selected by the labels that they really own, as few as tell them apart.
  - The suggestion is evaluated as M(falconet.k8s.netpol_analyze) would. RV(proven) is true if it allows every
    observed flow
    and nothing between workloads for which nothing was observed.
extends_documentation_fragment:
  - falconet.k8s.cluster
  - falconet.k8s.read_only
options:
  flows:
    description:
      - What was observed, a list of mappings with C(from), C(to), C(protocol) (V(TCP) if left out) and
        C(ports) (or C(port)).
      - Ends are workloads (C(namespace/Kind/name)), pods (C(namespace/name)), or addresses and blocks. An
        address that is a
        known pod's means that pod.
      - Ports are numbers and ranges, as in C(80,8000-8100), or V(all). They are those at the destination pod.
      - RV(falconet.k8s.netpol_analyze#module:connections) has this form.
    type: list
    elements: dict
    required: true
  paths:
    description:
      - Files and directories with the workloads, as in O(falconet.k8s.netpol_analyze#module:paths).
      - Without O(paths) and O(resources), the live cluster is read.
    type: list
    elements: path
    default: []
  resources:
    description: The workloads, given inline.
    type: list
    elements: dict
    default: []
  namespaces:
    description: Where policies are wanted. By default in the namespaces of the observed workloads.
    type: list
    elements: str
    default: []
  coarseness:
    description:
      - V(port) allows the observed ports between two workloads, V(workload) all ports between two workloads,
        V(namespace)
        all ports between two namespaces.
    type: str
    choices: [port, workload, namespace]
    default: port
  dns:
    description: Whether every workload may ask the cluster's DNS.
    type: bool
    default: true
  require_proof:
    description: Whether to fail if the suggestion cannot be proven.
    type: bool
    default: true
  on_invalid:
    description: What to do with invalid objects, as in O(falconet.k8s.netpol_analyze#module:on_invalid).
    type: str
    choices: [fail, skip]
    default: fail
  pod_templates:
    description: Where workloads of other APIs have their pod templates, as in
      O(falconet.k8s.netpol_analyze#module:pod_templates).
    type: dict
    default: {}
    version_added: 1.0.0
  pod_cidrs:
    description:
      - Blocks that pods get their addresses from, as in O(falconet.k8s.netpol_analyze#module:pod_cidrs).
      - Blocks of observed addresses that hold them are suggested without them, so that they do not let in pods.
    type: list
    elements: str
    default: []
    version_added: 1.0.0
"""

EXAMPLES = r"""
- name: Suggest policies for what was seen
  falconet.k8s.netpol_suggest:
    paths: [manifests/]
    pod_cidrs: [10.244.0.0/16]
    flows:
      - {from: prod/Deployment/frontend, to: prod/Deployment/backend, protocol: TCP, ports: "8080"}
      - {from: 0.0.0.0/0, to: prod/Deployment/frontend, protocol: TCP, ports: "8443"}
  register: suggestion

- name: Write them to a file
  ansible.builtin.copy:
    content: "{{ suggestion.manifest }}"
    dest: policies.yaml
    mode: "0644"
"""

RETURN = r"""
policies:
  description: The suggested NetworkPolicy objects.
  returned: always
  type: list
  elements: dict
manifest:
  description: The same as one YAML text of several documents.
  returned: always
  type: str
proven:
  description:
    - Whether the policies, together with those that are there already, allow every observed flow and nothing between
      unobserved ends.
    - Of no policies nothing is proven.
  returned: always
  type: bool
missing:
  description: Observed flows that the policies would cut.
  returned: always
  type: list
  elements: str
excess:
  description: Connections that the policies allow though they were not observed.
  returned: always
  type: list
  elements: str
notes:
  description: What cannot be expressed by a NetworkPolicy, or should be known.
  returned: always
  type: list
  elements: str
"""

import json

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.live_netpol.inputs import gather, read_cluster
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import InputError, NetpolError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.flows.observed import read_records
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import load
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.suggest.suggest import COARSENESS, suggest

ARGUMENTS = {
    "flows": {"type": "list", "elements": "dict", "required": True},
    "paths": {"type": "list", "elements": "path", "default": []},
    "resources": {"type": "list", "elements": "dict", "default": []},
    "namespaces": {"type": "list", "elements": "str", "default": []},
    "coarseness": {"type": "str", "choices": list(COARSENESS), "default": "port"},
    "dns": {"type": "bool", "default": True},
    "require_proof": {"type": "bool", "default": True},
    "pod_templates": {"type": "dict", "default": {}},
    "pod_cidrs": {"type": "list", "elements": "str", "default": []},
    "on_invalid": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec={**CLUSTER_ARGUMENTS, **ARGUMENTS}, supports_check_mode=True)
    params = module.params
    try:
        inputs = gather(params["paths"], params["resources"], "resources") or read_cluster(params)
        model = load(inputs, params["on_invalid"], params["pod_templates"], params["pod_cidrs"])
        flows = read_records(model, params["flows"])
        found = suggest(model, flows, params["coarseness"], params["namespaces"], params["dns"])
    except InputError as error:
        module.fail_json(msg=f"Invalid input: {error}", problems=[problem.as_dict() for problem in error.problems])
    except (NetpolError, KubeError) as error:
        module.fail_json(msg=str(error))
    # JSON is YAML, and needs no library on the target to write.
    manifest = "".join(f"---\n{json.dumps(policy, indent=2)}\n" for policy in found.policies)
    notes = [*found.notes, *model.notes]
    result = {
        "policies": found.policies,
        "manifest": manifest,
        "proven": found.proven,
        "missing": found.missing,
        "excess": found.excess,
        "notes": notes,
    }
    for note in notes:
        module.warn(note)
    if not found.proven and params["require_proof"]:
        lines = [*(f"cut: {line}" for line in found.missing), *(f"not observed: {line}" for line in found.excess)]
        lines += notes if not found.policies else []
        module.fail_json(msg="The suggestion cannot be proven:\n" + "\n".join(lines), **result)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
