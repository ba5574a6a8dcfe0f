#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Falco rules on connections that a cluster's policies deny, made of what is there and what is to come."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netpol_falco_rules_info
short_description: Falco rules that alert on connections which a cluster's policies should have stopped
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Reads a cluster's pods and policies and makes the rules of them that the filter
    P(falconet.k8s.netpol_to_falco#filter) makes of objects.
  - The role C(falco_rules) does this at each run, with C(falco_rules_policies).
options:
  namespaces:
    description:
      - The namespaces whose pods are watched. All of them by default.
      - One in which no pod runs yet has nothing to watch, and is named in RV(left_out).
    type: list
    elements: str
    default: []
  priority:
    description: The rules' priority.
    type: str
    choices: [emergency, alert, critical, error, warning, notice, informational, debug]
    default: warning
  definitions:
    description: Policies that are to come, as objects. They stand for those of their names in the cluster.
    type: list
    elements: dict
    default: []
  kept:
    description:
      - Where rules that were made before are kept. If they are on the same workloads and directions, RV(entries) is
        what is kept, whatever pods came and went since, and RV(stale) says whether it would be another one now.
      - For whoever wants to know whether what is loaded is what was made, and not whether it is of this minute.
    type: dict
    suboptions:
      namespace:
        description: Where the ConfigMaps are.
        type: str
        required: true
      config_maps:
        description: Their names.
        type: list
        elements: str
        required: true
      file:
        description: Their key that has the rules.
        type: str
        default: zz-extra.yaml
  pod_cidrs:
    description: As O(falconet.k8s.netpol_analyze#module:pod_cidrs).
    type: list
    elements: str
    default: []
  ip_block_matches_pods:
    description: As O(falconet.k8s.netpol_analyze#module:ip_block_matches_pods).
    type: bool
    default: true
extends_documentation_fragment:
  - falconet.k8s.cluster
  - falconet.k8s.read_only
"""

EXAMPLES = r"""
- name: Rules on what the policies of namespace prod deny
  falconet.k8s.netpol_falco_rules_info:
    namespaces: [prod]
  register: made
"""

RETURN = r"""
content:
  description: The rules file, empty if policies deny nothing.
  returned: success
  type: str
entries:
  description: The same as data, lists and rules.
  returned: success
  type: list
  elements: dict
rules:
  description: Of each rule its C(rule), C(workload), C(direction) and the C(reason) of the first denial.
  returned: success
  type: list
  elements: dict
stale:
  description: Whether RV(entries) is what O(kept) has and would be another one now.
  returned: success
  type: bool
left_out:
  description: Workloads and namespaces that cannot be watched, with the C(reason).
  returned: success
  type: list
  elements: dict
"""

import traceback
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.kube.resource import KNOWN
from ansible_collections.falconet.k8s.plugins.module_utils.live_netpol.inputs import gather, read_cluster
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import NetpolError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Options
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import load
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.watch.kept import kept
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.watch.rules import PRIORITIES, falco_rules

YAML_IMPORT_ERROR: str | None = None
try:
    import yaml
except ImportError:
    YAML_IMPORT_ERROR = traceback.format_exc()

CONFIG_MAPS = KNOWN[("v1", "ConfigMap")]
ARGUMENTS: dict[str, dict[str, Any]] = {
    "namespaces": {"type": "list", "elements": "str", "default": []},
    "priority": {"type": "str", "choices": [name.lower() for name in PRIORITIES], "default": "warning"},
    "definitions": {"type": "list", "elements": "dict", "default": []},
    "kept": {
        "type": "dict",
        "options": {
            "namespace": {"type": "str", "required": True},
            "config_maps": {"type": "list", "elements": "str", "required": True},
            "file": {"type": "str", "default": "zz-extra.yaml"},
        },
    },
    "pod_cidrs": {"type": "list", "elements": "str", "default": []},
    "ip_block_matches_pods": {"type": "bool", "default": True},
}


def made(params: dict[str, Any]) -> dict[str, Any]:
    """The rules, and what cannot be watched.

    Raises:
        KubeError: the cluster cannot be read.
        NetpolError: a policy is none.
    """
    inputs = read_cluster(params) + gather([], params["definitions"], "definitions")
    model = load(inputs, "skip", None, params["pod_cidrs"])
    inhabited = {pod.namespace for pod in model.running}
    empty = [name for name in params["namespaces"] if name not in inhabited]
    left_out = [{"workload": name, "reason": "no pod runs in this namespace"} for name in empty]
    namespaces = [name for name in params["namespaces"] if name in inhabited]
    if empty and not namespaces:
        return {"content": "", "entries": [], "rules": [], "left_out": left_out, "stale": False}
    result = falco_rules(model, namespaces, params["priority"], Options(params["ip_block_matches_pods"]))
    entries = yaml.safe_load(result["content"]) or []
    before = kept(kept_entries(params), entries) if params["kept"] else None
    return {
        **result,
        "entries": entries if before is None else before,
        "left_out": result["left_out"] + left_out,
        "stale": before is not None and before != entries,
    }


def kept_entries(params: dict[str, Any]) -> list[Any]:
    """What the rules file that is kept has; nothing where there is none, or it is broken.

    Raises:
        KubeError: the ConfigMaps cannot be read.
    """
    about, client = params["kept"], connect(params)
    maps = [client.get(CONFIG_MAPS, name, about["namespace"]) for name in about["config_maps"]]
    texts = [text for found in maps if found for key, text in (found.get("data") or {}).items() if key == about["file"]]
    try:
        documents = [yaml.safe_load(text) for text in texts]
    except yaml.YAMLError:
        return []
    return [entry for document in documents if isinstance(document, list) for entry in document]


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec={**CLUSTER_ARGUMENTS, **ARGUMENTS}, supports_check_mode=True)
    if YAML_IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("PyYAML"), exception=YAML_IMPORT_ERROR)
    try:
        result = made(module.params)
    except (NetpolError, KubeError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
