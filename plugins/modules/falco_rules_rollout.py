#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module falco_rules_rollout: every Falco pod runs exactly these rules files, or those of before."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_rules_rollout
short_description: Bring rules files to every Falco pod and prove that they run
version_added: "0.1.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Writes rules files into ConfigMaps that Falco's pods mount, makes their kubelets look at once, and waits until every
    pod reports the files by their SHA-256 in its own metrics.
  - A pod that refuses new rules stays ready and keeps the old ones, and would crash at its next restart. So if any pod
    does not report the new files, the set before is written again, proven in the same way, and the module fails with
    the reason from that pod's log.
  - A run that was killed is finished by the next one; what to go back to is kept in the cluster until the proof.
extends_documentation_fragment:
  - falconet.k8s.cluster
  - falconet.k8s.live_falco
  - falconet.k8s.live_falco.workload
attributes:
  check_mode:
    description: Can run in check mode. Rules are given to C(falco -V) there, too, and nothing is written.
    support: full
  diff_mode:
    description: Shows the text of the rules before and after.
    support: full
options:
  namespace:
    description: Namespace of Falco.
    type: str
    required: true
  files:
    description: File name (without directory) to text. Falco loads them in the order of their names.
    type: dict
    required: true
  config_maps:
    description: Names of the ConfigMaps that the pods mount, in the order in which they are filled.
    type: list
    elements: str
    required: true
  second_opinion:
    description: Ask a running Falco with its own C(-V) before anything is written.
    type: bool
    default: true
  base_file:
    description: Rules file in Falco's image whose macros ours may use, for O(second_opinion). Empty for none.
    type: str
    default: /etc/falco/falco_rules.yaml
  canary_node:
    description:
      - Try changed rules on this node first, and touch nothing that Falco's own pods see unless they load there.
        V(auto) takes a node on which Falco runs; empty is no trial.
      - The trial is a Job whose pod is made from the workload's own template, with its image, configuration, plugins
        and Falco's own rules, but without driver and outputs. It is removed in every end; after a run that was killed,
        by the API server.
    type: str
    default: ""
    version_added: "0.2.0"
  timeout_seconds:
    description: How long all pods together may take, and before them the trial of O(canary_node).
    type: int
    default: 120
"""

EXAMPLES = r"""
- name: Every pod runs our rules
  falconet.k8s.falco_rules_rollout:
    namespace: falco
    config_maps: [falco-own-rules-1, falco-own-rules-2]
    files:
      site.yaml: "{{ lookup('ansible.builtin.file', 'site.yaml', rstrip=false) }}"

- name: They are tried on one node first
  falconet.k8s.falco_rules_rollout:
    namespace: falco
    config_maps: [falco-own-rules-1, falco-own-rules-2]
    files:
      site.yaml: "{{ lookup('ansible.builtin.file', 'site.yaml', rstrip=false) }}"
    canary_node: worker01
"""

RETURN = r"""
pods:
  description: Each Falco pod with C(name), C(node), C(digests) and C(differs).
  returned: success
  type: list
  elements: dict
digests:
  description: File name to SHA-256 of what was asked for.
  returned: success
  type: dict
opinion:
  description: What the running Falco said; V(accepted), or why it was not asked.
  returned: success
  type: str
present_refused:
  description:
    - What the running Falco says of what the ConfigMaps hold, if that is other than what was asked for and Falco
      refuses it, so that no pod would come up with it. Empty if it accepts it or could not be asked.
  returned: in check mode
  type: str
  version_added: "1.0.0"
canary:
  description: The C(node) of the trial and its C(elapsed_seconds).
  returned: when rules were tried
  type: dict
elapsed_seconds:
  description: How long it took.
  returned: success
  type: float
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.rule_maps import as_text, digests, spread
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import ExecError, ForbiddenError, KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco import canary as falco_canary
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco import rules as falco_rules
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.rollout import (
    WORKLOAD_ARGUMENTS,
    Wanted,
    wanted_of,
)


def main() -> None:
    """Entry point."""
    spec: dict[str, Any] = {
        "namespace": {"type": "str", "required": True},
        "files": {"type": "dict", "required": True},
        "config_maps": {"type": "list", "elements": "str", "required": True},
        "second_opinion": {"type": "bool", "default": True},
        "base_file": {"type": "str", "default": "/etc/falco/falco_rules.yaml"},
        "canary_node": {"type": "str", "default": ""},
        "timeout_seconds": {"type": "int", "default": 120},
    }
    module = AnsibleModule(argument_spec={**CLUSTER_ARGUMENTS, **WORKLOAD_ARGUMENTS, **spec}, supports_check_mode=True)
    started, since = time.monotonic(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    try:
        module.exit_json(**bring(module, since), elapsed_seconds=round(time.monotonic() - started, 2))
    except (KubeError, FalcoChartError) as error:
        module.fail_json(msg=str(error), elapsed_seconds=round(time.monotonic() - started, 2))


def bring(module: AnsibleModule, since: str) -> dict[str, Any]:
    """Compare, ask, write, wait; the result for exit_json."""
    params = module.params
    maps = spread(params["files"], params["config_maps"])
    wanted = wanted_of(params)
    client = connect(params)
    present = falco_rules.read(client, wanted.namespace, params["config_maps"])
    changed = present.maps != maps
    result: dict[str, Any] = {"changed": changed or present.journal is not None, "digests": digests(maps)}
    result["diff"] = {"before": as_text(present.maps), "after": as_text(maps)} if changed else {}
    result["opinion"] = ask(module, client, wanted, changed)
    if module.check_mode:
        result["present_refused"] = present_refused(client, wanted, present.maps, params) if changed else ""
        result["pods"] = list(falco_rules.unproven(client, wanted, maps).pods)
        return result
    if changed and params["files"] and params["canary_node"]:
        result["canary"] = try_first(client, wanted, maps, params)
    state = falco_rules.roll_out(client, wanted, maps, present, params["timeout_seconds"], since)
    return {**result, "pods": list(state.pods)}


def try_first(client: Any, wanted: Wanted, maps: Any, params: dict[str, Any]) -> dict[str, Any]:
    """The trial on one node; ends the run if it fails."""
    try:
        trial = falco_canary.try_rules(client, wanted, maps, params["canary_node"], params["timeout_seconds"])
    except KubeError as error:
        raise KubeError(f"{error}\nNothing that Falco's pods see was changed.") from error
    return {"node": trial.node, "elapsed_seconds": trial.elapsed_seconds}


def present_refused(client: Any, wanted: Wanted, maps: Any, params: dict[str, Any]) -> str:
    """What the running Falco says of the ConfigMaps' rules; empty if it accepts them or cannot be asked."""
    files = {name: text for data in maps.values() for name, text in data.items()}
    try:
        return falco_rules.second_opinion(client, wanted, files, params["base_file"]) if files else ""
    except (ExecError, ForbiddenError):
        return ""


def ask(module: AnsibleModule, client: Any, wanted: Wanted, changed: bool) -> str:
    """The running Falco's verdict on changed rules; ends the run if it refuses them."""
    if not (module.params["second_opinion"] and changed and module.params["files"]):
        return "not asked: nothing is new" if module.params["second_opinion"] else "not asked"
    try:
        refused = falco_rules.second_opinion(client, wanted, module.params["files"], module.params["base_file"])
    except (ExecError, ForbiddenError) as error:
        return f"not asked: {error}"
    if refused:
        raise KubeError(f"The running Falco refuses these rules (falco -V): {refused}\nNothing was changed.")
    return "accepted"


if __name__ == "__main__":
    main()
