#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module kube_audit_counters_info: what an API server counts of its audit events."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kube_audit_counters_info
short_description: Read how many audit events an API server sent and lost
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Reads C(/metrics) of the API server that answers. Needs C(get) on the URL C(/metrics).
  - Counters are those of one process since its start, so two looks can only be compared if RV(started) is the same.
extends_documentation_fragment:
  - falconet.k8s.cluster
  - falconet.k8s.read_only
options: {}
"""

EXAMPLES = r"""
- name: What the API server sent and lost is known
  falconet.k8s.kube_audit_counters_info:
  register: counted
"""

RETURN = r"""
events:
  description: Events that went to a backend.
  returned: success
  type: int
errors:
  description: Events that failed, by plugin; V(webhook), V(log), and V(buffered) for those that found the buffer full.
  returned: success
  type: dict
  sample: {webhook: 12}
rejected:
  description: Requests that were refused because their event could not be recorded.
  returned: success
  type: int
started:
  description: When the process started, in seconds since 1970, as it tells it.
  returned: success
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.k8s_audit.counters import read_audit_counters
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError, from_response


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=dict(CLUSTER_ARGUMENTS), supports_check_mode=True)
    try:
        answer = connect(module.params).request("GET", "/metrics")
        if answer.status != 200:
            raise from_response(answer.status, answer.data, "get", "/metrics")
    except KubeError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **read_audit_counters(answer.data.decode(errors="replace")))


if __name__ == "__main__":
    main()
