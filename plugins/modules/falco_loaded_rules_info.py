#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module falco_loaded_rules_info: the rules that a running Falco loads before a site's own."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_loaded_rules_info
short_description: The rules files that a running Falco loads before a site's own, with their text
version_added: "0.2.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Reads Falco's configuration and rules files in one of its ready pods, so that own rules, and overrides of Falco's,
    can be judged beside the very rules that run.
  - A Falco that is not there, or cannot be asked, is no failure; RV(found) and RV(reason) tell.
extends_documentation_fragment:
  - falconet.k8s.cluster
  - falconet.k8s.live_falco
  - falconet.k8s.live_falco.workload
attributes:
  check_mode:
    description: Nothing is ever changed.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
options:
  namespace:
    description: Namespace of Falco.
    type: str
    required: true
  config_maps:
    description: ConfigMaps with the site's own rules; the directory that mounts them is not read.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Falco's own rules are known
  falconet.k8s.falco_loaded_rules_info:
    namespace: falco
    config_maps: [falco-own-rules-1]
  register: loaded
"""

RETURN = r"""
found:
  description: Whether a Falco could be asked.
  returned: success
  type: bool
  sample: true
reason:
  description: Why not; empty if it could.
  returned: success
  type: str
  sample: ""
app_version:
  description: The version of Falco in the Helm release that has the name of the workload; empty if there is none.
  returned: success
  type: str
  sample: 0.44.1
  version_added: "1.0.0"
pod:
  description: The pod that was asked.
  returned: when found
  type: str
node:
  description: Its node.
  returned: when found
  type: str
rule_matching:
  description: V(first) or V(all), as its configuration says.
  returned: when found
  type: str
  sample: all
priority:
  description: Rules below this priority are not loaded.
  returned: when found
  type: str
  sample: debug
files:
  description: The files, in Falco's order, each with C(name), C(path), C(content) and C(sha256).
  returned: when found
  type: list
  elements: dict
later:
  description: Paths that Falco loads after the site's own rules.
  returned: when found
  type: list
  elements: str
differing:
  description: Pods that run other bytes of these files, in words.
  returned: when found
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.kube.client import Client
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import ExecError, ForbiddenError, KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.loaded import read_load
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.release import read_release
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.rollout import WORKLOAD_ARGUMENTS, wanted_of


def version_of_release(client: Client, params: dict[str, Any]) -> str:
    """The version of Falco that Helm has recorded; empty for one that is no release, or if Secrets may not be read."""
    try:
        return read_release(client, params["namespace"], params["workload"]).app_version
    except ForbiddenError:
        return ""


def main() -> None:
    """Entry point."""
    spec: dict[str, Any] = {
        "namespace": {"type": "str", "required": True},
        "config_maps": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule(argument_spec={**CLUSTER_ARGUMENTS, **WORKLOAD_ARGUMENTS, **spec}, supports_check_mode=True)
    params = module.params
    wanted, version = wanted_of(params), ""
    try:
        client = connect(params)
        version = version_of_release(client, params)
        load = read_load(client, wanted, params["config_maps"])
    except (ExecError, ForbiddenError) as error:
        module.exit_json(changed=False, found=False, reason=str(error), app_version=version)
    except KubeError as error:
        module.fail_json(msg=str(error))
    files = [{"name": f.name, "path": f.path, "content": f.text, "sha256": f.sha256} for f in load.files]
    told = {key: getattr(load, key) for key in ("pod", "node", "rule_matching", "priority")}
    lists = {"later": list(load.later), "differing": list(load.differing)}
    module.exit_json(changed=False, found=True, reason="", app_version=version, files=files, **told, **lists)


if __name__ == "__main__":
    main()
