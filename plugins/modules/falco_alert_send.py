#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module falco_alert_send: one event to Falcosidekick, which passes it on as it does Falco's."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_alert_send
short_description: Send an event to Falcosidekick, through the API server
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Sends an event of Falco's form to Falcosidekick, which sends it to all of its outputs, as it does with Falco's.
  - It is reached through the API server's proxy, so that nothing must be exposed. This needs C(create) on
    C(services/proxy).
  - That Falcosidekick took the event does not say that an output did; its metrics do.
  - The proxy can show no client certificate, so a Falcosidekick that asks for one (mutual TLS) refuses it.
options:
  event:
    description:
      - The event. Falcosidekick refuses one without C(rule), C(priority), C(time), C(output) and at least one of
        C(output_fields).
    type: dict
    required: true
  namespace:
    description: Where Falcosidekick is.
    type: str
    default: falco
  service:
    description: Its Service.
    type: str
    default: falco-falcosidekick
  port:
    description: The port of the Service.
    type: int
    default: 2801
  scheme:
    description: Whether it speaks TLS there. The API server does not look at its certificate.
    type: str
    choices: [http, https]
    default: http
attributes:
  check_mode:
    description: Can run in check mode, where nothing is sent.
    support: full
  diff_mode:
    description: Shows what changes.
    support: none
    details: It changes nothing that could be compared.
extends_documentation_fragment:
  - falconet.k8s.cluster
seealso:
  - plugin: falconet.k8s.evidence_alert
    plugin_type: filter
"""

EXAMPLES = r"""
- name: The channels are told that maintenance begins
  falconet.k8s.falco_alert_send:
    event:
      rule: Maintenance begins
      priority: Notice
      source: falconet
      time: "{{ now(utc=true).strftime('%Y-%m-%dT%H:%M:%SZ') }}"
      output: Nodes are drained from now on.
      output_fields: {maintenance.of: nodes}
"""

RETURN = r"""
status:
  description: The HTTP status that Falcosidekick answered.
  returned: when it was sent
  type: int
  sample: 200
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.alerts import send_event

#: What Falcosidekick refuses an event without.
NEEDED = ("rule", "priority", "time", "output", "output_fields")
ARGUMENTS: dict[str, dict[str, Any]] = {
    "event": {"type": "dict", "required": True},
    "namespace": {"type": "str", "default": "falco"},
    "service": {"type": "str", "default": "falco-falcosidekick"},
    "port": {"type": "int", "default": 2801},
    "scheme": {"type": "str", "choices": ["http", "https"], "default": "http"},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec={**CLUSTER_ARGUMENTS, **ARGUMENTS}, supports_check_mode=True)
    params = module.params
    missing = [name for name in NEEDED if not params["event"].get(name)]
    if missing:
        module.fail_json(msg=f"event: it has no {', '.join(missing)}, so that Falcosidekick would refuse it")
    if module.check_mode:
        module.exit_json(changed=True)
    try:
        status = send_event(connect(params), {**params, "path": "/"}, params["event"])
    except KubeError as error:
        module.fail_json(msg=f"Falcosidekick was not told: {error}")
    module.exit_json(changed=True, status=status)


if __name__ == "__main__":
    main()
