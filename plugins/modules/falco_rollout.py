#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module falco_rollout: workloads are rolled out, and every Falco pod is proven to run given rules."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_rollout
short_description: Wait for Falco's rollout and prove which rules every pod runs
version_added: "0.1.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Waits until DaemonSets, Deployments and StatefulSets have as many updated and ready pods as they want, and until
    every Falco pod answers C(/metrics) and reports the wanted rules files there by their SHA-256.
  - The metrics are read from each pod through the API server's proxy, so nothing is exposed and no command is run in a
    pod. A Falco pod is ready, and its Service answers, also when it refused new rules and kept the old ones.
  - If that does not come true, the module fails and tells the reasons that it finds in pods, events and logs.
extends_documentation_fragment:
  - falconet.k8s.cluster
  - falconet.k8s.live_falco
attributes:
  check_mode:
    description: In check mode nothing is annotated and nothing is waited for; what is missing now is returned.
    support: full
  diff_mode:
    description: Shows what changes.
    support: none
    details: It changes only an annotation.
options:
  namespace:
    description: Namespace of the workloads.
    type: str
    required: true
  workloads:
    description: What must be rolled out.
    type: list
    elements: dict
    required: true
    suboptions:
      kind:
        description: Kind of the workload.
        type: str
        choices: [DaemonSet, Deployment, StatefulSet]
        required: true
      name:
        description: Name of the workload.
        type: str
        required: true
  falco:
    description:
      - Name of the workload whose pods are Falco's and must answer C(/metrics).
      - Empty for none.
    type: str
    default: ""
  digests:
    description: Rules file name to the SHA-256 that every Falco pod must report for it.
    type: dict
    default: {}
  absent:
    description: Names of rules files that no Falco pod may report any more.
    type: list
    elements: str
    default: []
  sync_token:
    description:
      - Annotates each Falco pod with this text first, unless it carries it already.
      - The kubelet then looks at changed ConfigMaps at once instead of after up to a minute.
    type: str
  timeout_seconds:
    description: Limit of the wait. V(0) looks once.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Every pod runs these rules
  falconet.k8s.falco_rollout:
    namespace: falco
    workloads:
      - {kind: DaemonSet, name: falco}
    falco: falco
    digests:
      site.yaml: "{{ lookup('ansible.builtin.file', 'site.yaml', rstrip=false) | hash('sha256') }}"
"""

RETURN = r"""
pods:
  description:
    - Each Falco pod with C(name), C(node), C(digests) and C(differs), what is otherwise than wanted; C(ready) and,
      if it is not, C(reasons); C(process), what it says of itself (C(version), C(driver), C(kernel), C(events) seen and
      C(dropped)).
  returned: success
  type: list
  elements: dict
workloads:
  description:
    - Each workload with C(kind), C(name), C(wanted) and C(ready) pods, what it lacks (C(missing)) and C(reasons) of
      pods that are not ready; C(images) by container, C(running) ones by digest, and C(placement), where its pods may
      run.
  returned: success
  type: list
  elements: dict
missing:
  description: What is not as wanted; empty after a wait that succeeded.
  returned: success
  type: list
  elements: str
elapsed_seconds:
  description: How long it took.
  returned: success
  type: float
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.rollout import (
    FALCO_ARGUMENTS,
    Wanted,
    look,
    sync,
    wait,
)


def main() -> None:
    """Entry point."""
    workload = {
        "kind": {"type": "str", "choices": ["DaemonSet", "Deployment", "StatefulSet"], "required": True},
        "name": {"type": "str", "required": True},
    }
    spec = {
        "namespace": {"type": "str", "required": True},
        "workloads": {"type": "list", "elements": "dict", "required": True, "options": workload},
        "falco": {"type": "str", "default": ""},
        "digests": {"type": "dict", "default": {}},
        "absent": {"type": "list", "elements": "str", "default": []},
        "sync_token": {"type": "str", "no_log": False},
        "timeout_seconds": {"type": "int", "default": 300},
    }
    module = AnsibleModule(argument_spec={**CLUSTER_ARGUMENTS, **FALCO_ARGUMENTS, **spec}, supports_check_mode=True)
    params = module.params
    wanted = Wanted(
        namespace=params["namespace"],
        workloads=tuple((entry["kind"], entry["name"]) for entry in params["workloads"]),
        falco=params["falco"],
        metrics_port=params["metrics_port"],
        digests=params["digests"],
        absent=tuple(params["absent"]),
        container=params["container"],
    )
    started, since = time.monotonic(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    synced = 0
    try:
        client = connect(params)
        if params["sync_token"]:
            synced = sync(client, wanted, params["sync_token"], module.check_mode)
        if module.check_mode or not params["timeout_seconds"]:
            state = look(client, wanted)
        else:
            state = wait(client, wanted, params["timeout_seconds"], since)
    except KubeError as error:
        module.fail_json(msg=str(error), elapsed_seconds=round(time.monotonic() - started, 2))
    elapsed = round(time.monotonic() - started, 2)
    module.exit_json(
        changed=synced > 0,
        pods=list(state.pods),
        workloads=list(state.workloads),
        missing=list(state.missing),
        elapsed_seconds=elapsed,
    )


if __name__ == "__main__":
    main()
