#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: netpol_apply
short_description: Applies a set of network policies as one change that can be put back
version_added: "0.1.0"
description:
  - Brings namespaces and network policies to what is declared, with server-side apply and a field manager of its own,
    and removes policies of the same set that are no longer declared.
  - Tells before anything changes which connections the change gives and takes, and refuses it if a required flow would
    not pass any more or a forbidden one would.
  - What stood before is kept in the cluster until O(state=kept) says that the change has proven itself. Until then
    O(state=restored) puts it back, also after a run that was killed.
  - A Lease keeps two runs from changing the same set at the same time.
author:
  - falconet.k8s contributors (@falconet-k8s)
extends_documentation_fragment:
  - falconet.k8s.cluster
attributes:
  check_mode:
    description: Can run in check mode and return what it would return otherwise.
    support: full
  diff_mode:
    description: Returns what has changed, or what would change.
    support: full
    details:
      - The difference shows the connections gained and lost, and each object.
options:
  state:
    description:
      - V(planned) computes the change and its effect on connections and changes nothing.
      - V(applied) makes it. What stood before can be restored until it is V(kept).
      - V(kept) ends the change.
      - V(restored) puts back what stood before. Namespaces are never deleted.
    type: str
    choices: [planned, applied, kept, restored]
    default: applied
  definitions:
    description: Namespaces and network policies as they are to be.
    type: list
    elements: dict
    default: []
  set_name:
    description: Name of the set, a label value. Policies of other sets and without a set are never removed.
    type: str
    default: default
  prune:
    description: Whether policies of this set that are not declared are removed.
    type: bool
    default: true
  required_flows:
    description: Flows that must be allowed after the change, in the words of M(falconet.k8s.netpol_analyze).
    type: list
    elements: dict
    default: []
  forbidden_flows:
    description: Flows that must not be allowed after the change.
    type: list
    elements: dict
    default: []
  on_violation:
    description: Whether a change that violates a flow is refused, or only reported.
    type: str
    choices: [fail, report]
    default: fail
  on_idle:
    description:
      - Whether a flow that names pods, workloads or namespaces which are neither in the cluster nor among
        O(definitions) fails the module. Such a flow says nothing; a misspelt name would let it hold for ever.
      - A flow of namespaces that exist and have no pod now is no failure.
    type: str
    choices: [fail, report]
    default: report
  later_namespaces:
    description:
      - Namespaces whose pods come later, by another step of the same run. As long as one of them has no pod, a flow
        that names it is no failure of O(on_idle).
    type: list
    elements: str
    default: []
  field_manager:
    description: Owner of the fields that are applied.
    type: str
    default: falconet.k8s
  state_namespace:
    description: Namespace of the Lease, and of the ConfigMap with what stood before.
    type: str
    default: default
  lease_seconds:
    description: After this time without a further step, another run may go on.
    type: int
    default: 300
  lease_wait:
    description: Seconds to wait for another run to end.
    type: float
    default: 0.0
notes:
  - On the controller (connection C(local), and C(ansible_python_interpreter) is C(ansible_playbook_python)) it runs
    within Ansible itself, by an action plugin of this name, since version 1.0.0 of the collection. Options and result
    are the same. A task with C(become), C(async) or C(environment) runs the module.
seealso:
  - module: falconet.k8s.netpol_probe
  - module: falconet.k8s.netpol_analyze
"""

EXAMPLES = r"""
- name: Policies are applied
  falconet.k8s.netpol_apply:
    definitions: "{{ lookup('ansible.builtin.file', 'policies.yml') | from_yaml_all | list }}"
    required_flows:
      - from: {namespace: prod, workload: Deployment/frontend}
        to: {namespace: prod, workload: Deployment/backend}
        ports: [8080]

- name: The change is kept
  falconet.k8s.netpol_apply:
    state: kept
"""

RETURN = r"""
objects:
  description:
    - What happens to each object (C(action) is create, change, delete or none). C(differs) says of one that changes
      where it is otherwise now.
  returned: success
  type: list
  elements: dict
  sample: [{kind: NetworkPolicy, namespace: prod, name: default-deny, action: create}]
connections:
  description:
    - Connections between workloads, C(gained), C(lost) and C(changed) by the change, the same as C(text) in lines, and
      how many there are of each in C(summary).
    - More than 1000 are not listed one by one. C(truncated) is then true, and C(text) tells together those that change
      in the same way. M(falconet.k8s.netpol_analyze) lists all.
  returned: O(state=planned) and O(state=applied)
  type: dict
violations:
  description: Flows that would not hold after the change, with what decides and the smallest change that would help.
  returned: O(state=planned) and O(state=applied)
  type: list
  elements: dict
idle_flows:
  description:
    - Flows that say nothing yet because what they name does not run. C(empty) tells those that name nothing but
      namespaces which exist and have no pod; C(namespaces) has those that the flow names.
  returned: O(state=planned) and O(state=applied)
  type: list
  elements: dict
notes:
  description:
    - What bears on connections in the cluster and is not analysed, such as policies of other APIs, and lists of these
      that may not be read.
  returned: O(state=planned) and O(state=applied)
  type: list
  elements: str
  version_added: 1.0.0
pending:
  description: Whether what stood before an unproven change is still kept.
  returned: success
  type: bool
resumed:
  description: Whether an earlier run left its change unproven.
  returned: O(state=planned) and O(state=applied)
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.live_netpol.options import ARGUMENTS, done


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result = done(module.params, module.check_mode, module._diff)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
