#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module falco_release_rollback: a Helm release is again what an earlier revision was."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_release_rollback
short_description: Roll a Helm release back to a revision
version_added: "0.1.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Runs C(helm rollback), which kubernetes.core has no module for. Does nothing if that revision is the deployed one.
extends_documentation_fragment:
  - falconet.k8s.cluster
attributes:
  check_mode:
    description: Can run in check mode and says what it would do.
    support: full
  diff_mode:
    description: Shows what changes.
    support: full
options:
  name:
    description: Name of the release.
    type: str
    required: true
  namespace:
    description: Namespace of the release.
    type: str
    required: true
  revision:
    description: Number of the revision.
    type: int
    required: true
  binary_path:
    description: The helm program; by default the one in E(PATH).
    type: path
"""

EXAMPLES = r"""
- name: The release is as before
  falconet.k8s.falco_release_rollback:
    name: falco
    namespace: falco
    revision: 3
"""

RETURN = r"""
revision:
  description: The revision that was deployed before.
  returned: success
  type: int
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.release import read_release

ENVIRONMENT = {
    "kubeconfig": "KUBECONFIG",
    "context": "HELM_KUBECONTEXT",
    "host": "HELM_KUBEAPISERVER",
    "api_key": "HELM_KUBETOKEN",
    "ca_cert": "HELM_KUBECAFILE",
}


def main() -> None:
    """Entry point."""
    spec = {
        "name": {"type": "str", "required": True},
        "namespace": {"type": "str", "required": True},
        "revision": {"type": "int", "required": True},
        "binary_path": {"type": "path"},
    }
    module = AnsibleModule(argument_spec={**CLUSTER_ARGUMENTS, **spec}, supports_check_mode=True)
    params = module.params
    try:
        found = read_release(connect(params), params["namespace"], params["name"])
    except KubeError as error:
        module.fail_json(msg=str(error))
    now = found.deployed.revision if found.deployed else 0
    changed = now != params["revision"] or bool(found.unfinished)
    if changed and not module.check_mode:
        # Credentials go by the environment: an argument list can be read by every process of the machine.
        environment = {variable: str(params[name]) for name, variable in ENVIRONMENT.items() if params.get(name)}
        if params.get("validate_certs") is False:
            environment["HELM_KUBEINSECURE_SKIP_TLS_VERIFY"] = "true"
        helm = params["binary_path"] or module.get_bin_path("helm", required=True)
        command = [helm, "rollback", params["name"], str(params["revision"]), "--namespace", params["namespace"]]
        code, _out, err = module.run_command(command, environ_update=environment)
        if code:
            module.fail_json(msg=f"helm rollback {params['name']} {params['revision']} failed: {err.strip()}", rc=code)
    diff = {"before": f"revision: {now}\n", "after": f"content of revision: {params['revision']}\n"} if changed else {}
    module.exit_json(changed=changed, revision=now, diff=diff)


if __name__ == "__main__":
    main()
