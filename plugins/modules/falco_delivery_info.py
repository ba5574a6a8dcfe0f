#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module falco_delivery_info: which alerts got lost between Falco, Falcosidekick and the outputs, and why."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_delivery_info
short_description: What Falco and Falcosidekick passed on and what they lost, and why
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Reads what the pods of Falco logged of alerts that they could not hand over to Falcosidekick, of events that they
    dropped and of rules that they refused.
  - Reads what the pods of Falcosidekick logged of each output, and why an output did not take alerts (the HTTP status
    that it answered, a name that cannot be resolved, a connection that is refused, dropped or closed, TLS).
  - Addresses of outputs hold secrets. Of what is logged only the output's name, the status, the kind of failure and the
    host are returned.
options:
  namespace:
    description: Where Falco and Falcosidekick are.
    type: str
    default: falco
  label_selector:
    description: Which pods are Falco's.
    type: str
    default: app.kubernetes.io/name=falco
  container:
    description: Which of their containers is Falco.
    type: str
    default: falco
  sidekick_selector:
    description: Which pods are Falcosidekick's.
    type: str
    default: app.kubernetes.io/name=falcosidekick,app.kubernetes.io/component=core
  since:
    description: Only what was logged at or after this RFC 3339 time; all that is kept without it.
    type: str
extends_documentation_fragment:
  - falconet.k8s.cluster
  - falconet.k8s.read_only
seealso:
  - module: falconet.k8s.falco_alerts_info
"""

EXAMPLES = r"""
- name: It is known why alerts do not arrive
  falconet.k8s.falco_delivery_info:
    since: "{{ started }}"
  register: delivery

- name: Each output took what it was sent
  ansible.builtin.assert:
    that: delivery.outputs.values() | selectattr('failed') | length == 0
"""

RETURN = r"""
falco:
  description: What each pod of Falco lost.
  returned: success
  type: list
  elements: dict
  contains:
    pod: {description: Name of the pod., type: str}
    node: {description: Its node., type: str}
    lost:
      description: Alerts that Falcosidekick did not take, as RV(outputs) tells them (C(sent) is not known).
      type: dict
    drops: {description: How often Falco told that it dropped events., type: int}
    refused: {description: Whether Falco refused new rules and kept the old ones., type: bool}
    unread: {description: Why its log could not be read; empty if it could., type: str}
sidekick:
  description: What each pod of Falcosidekick sent, with C(pod), C(node), C(outputs) and C(unread).
  returned: success
  type: list
  elements: dict
outputs:
  description:
    - By an output's name in small letters, C(sent) (alerts that it took), C(failed) (lines that tell of a failure) and
      C(failure), the last one or null.
    - A failure has C(kind) (V(status), V(unresolved), V(no_dns), V(refused), V(silent), V(closed), V(tls) or V(other)),
      C(status), C(host) and C(words).
  returned: success
  type: dict
  sample:
    slack:
      sent: 0
      failed: 2
      failure: {kind: status, status: 403, host: "", words: it was answered 403 (Forbidden)}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.alerts import AlertsError, read_time
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.delivery import of_falco, of_sidekick, together

ARGUMENTS: dict[str, dict[str, Any]] = {
    "namespace": {"type": "str", "default": "falco"},
    "label_selector": {"type": "str", "default": "app.kubernetes.io/name=falco"},
    "container": {"type": "str", "default": "falco"},
    "sidekick_selector": {
        "type": "str",
        "default": "app.kubernetes.io/name=falcosidekick,app.kubernetes.io/component=core",
    },
    "since": {"type": "str"},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec={**CLUSTER_ARGUMENTS, **ARGUMENTS}, supports_check_mode=True)
    params = module.params
    namespace, since = params["namespace"], params["since"]
    try:
        if since:
            read_time(since)
        client = connect(params)
        falco = of_falco(client, namespace, params["label_selector"], params["container"], since)
        sidekick = of_sidekick(client, namespace, params["sidekick_selector"], since)
    except (AlertsError, KubeError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, falco=falco, sidekick=sidekick, outputs=together(sidekick))


if __name__ == "__main__":
    main()
