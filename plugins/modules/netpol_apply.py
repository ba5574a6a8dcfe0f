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
  description: Connections C(gained), C(lost) and C(changed) by the change, and C(text) in lines.
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
  version_added: 0.3.0
pending:
  description: Whether what stood before an unproven change is still kept.
  returned: success
  type: bool
resumed:
  description: Whether an earlier run left its change unproven.
  returned: O(state=planned) and O(state=applied)
  type: bool
"""

import json
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.kube.client import Client
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.kube.lease import Lease, run_identity
from ansible_collections.falconet.k8s.plugins.module_utils.kube.snapshot import take_snapshot
from ansible_collections.falconet.k8s.plugins.module_utils.kube.surroundings import take_policies
from ansible_collections.falconet.k8s.plugins.module_utils.live_netpol.change import (
    check_flows,
    compare,
    left_out,
    validate,
)
from ansible_collections.falconet.k8s.plugins.module_utils.live_netpol.policy_set import Changes, PolicySet, title

ARGUMENTS = dict(
    CLUSTER_ARGUMENTS,
    state={"type": "str", "choices": ["planned", "applied", "kept", "restored"], "default": "applied"},
    definitions={"type": "list", "elements": "dict", "default": []},
    set_name={"type": "str", "default": "default"},
    prune={"type": "bool", "default": True},
    required_flows={"type": "list", "elements": "dict", "default": []},
    forbidden_flows={"type": "list", "elements": "dict", "default": []},
    on_violation={"type": "str", "choices": ["fail", "report"], "default": "fail"},
    on_idle={"type": "str", "choices": ["fail", "report"], "default": "report"},
    later_namespaces={"type": "list", "elements": "str", "default": []},
    field_manager={"type": "str", "default": "falconet.k8s"},
    state_namespace={"type": "str", "default": "default"},
    lease_seconds={"type": "int", "default": 300},
    lease_wait={"type": "float", "default": 0.0},
)


def difference(changes: Changes, connections: dict[str, Any]) -> list[dict[str, Any]]:
    """Diff mode: connections first, then the objects."""
    found: list[dict[str, Any]] = [{"prepared": "".join(f"{line}\n" for line in connections.get("text", []))}]
    for step in changes.real:
        texts = ["" if side is None else json.dumps(side, indent=2) + "\n" for side in (step.before, step.after)]
        header = title(step.key)
        found.append({"before_header": header, "after_header": header, "before": texts[0], "after": texts[1]})
    return found


def change(module: AnsibleModule, client: Client, policies: PolicySet) -> dict[str, Any]:
    """Plan, refuse what violates a flow and, if that is wanted, apply."""
    params = module.params
    validate(params["definitions"])
    changes = policies.plan(params["definitions"], params["prune"])
    snapshot = take_snapshot(client)
    around = take_policies(client)
    snapshot += around.objects
    after = changes.overlay(snapshot)
    connections = compare(snapshot, after) if changes.real else {"gained": [], "lost": [], "changed": [], "text": []}
    violations, idle = check_flows(after, params["required_flows"], params["forbidden_flows"])
    refused = bool(violations) and params["on_violation"] == "fail"
    result: dict[str, Any] = {
        "changed": bool(changes.real) and params["state"] == "applied" and not refused,
        "objects": [step.row() for step in changes.steps],
        "connections": connections,
        "violations": violations,
        "idle_flows": idle,
        "notes": left_out(around),
        "resumed": bool(policies.journal()),
    }
    if module._diff and changes.real:
        result["diff"] = difference(changes, connections)
    inhabited = {one["metadata"].get("namespace") for one in snapshot if one.get("kind") == "Pod"}
    later = set(params["later_namespaces"]) - inhabited
    absent = [one for one in idle if not one["empty"] and not later.intersection(one["namespaces"])]
    if absent and params["on_idle"] == "fail":
        text = "; ".join(f"{one['kind']} flow '{one['flow']}': {one['why']}" for one in absent)
        result.update(
            failed=True, changed=False, msg=f"nothing was changed, because flows name what is not there: {text}"
        )
    elif refused:
        text = "; ".join(violation["message"] for violation in violations)
        result.update(failed=True, msg=f"nothing was changed, because the change violates flows: {text}")
    elif result["changed"] and not module.check_mode:
        policies.apply(changes)
    return result


def finish(module: AnsibleModule, policies: PolicySet) -> dict[str, Any]:
    """Keep or restore."""
    changes = Changes([])
    if not module.check_mode:
        if module.params["state"] == "restored":
            changes = policies.restore()
        else:
            policies.keep()
    return {"changed": bool(changes.real), "objects": [step.row() for step in changes.steps]}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    try:
        client = connect(params)
        policies = PolicySet(client, params["set_name"], params["state_namespace"], params["field_manager"])
        holder = run_identity()
        lease = Lease(client, policies.journal_name, params["state_namespace"], holder, params["lease_seconds"])
        alters = params["state"] != "planned" and not module.check_mode
        if alters:
            lease.take(params["lease_wait"])
        act = change if params["state"] in ("planned", "applied") else None
        result = act(module, client, policies) if act else finish(module, policies)
        result["pending"] = bool(policies.journal())
        if alters and not result["pending"]:
            lease.release()
    except KubeError as error:
        module.fail_json(msg=error.message, hint=error.hint)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
