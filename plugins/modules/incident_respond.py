#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module incident_respond: what a ladder says about an alert, decided and done at once."""

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_respond
short_description: Do what a ladder says about an alert
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Finds the first rung of a ladder that fits an alert, and does of its steps those that the limits allow, in the order
    note, collect, quarantine, stop. It is one module, since each further one takes its time before the pod is cut off.
  - "collect: what is known of the pod is kept in an archive, as M(falconet.k8s.incident_collect) does."
  - "quarantine: the pod is cut off, as M(falconet.k8s.netpol_quarantine) does, and connections are tried from its node
    and one more."
  - "stop: the pod is deleted, its workload scaled to zero, or its node takes no further pods."
  - "note: the alert, what was decided and why, and what happened when, are kept in C(alert.json) and C(timeline.json)."
  - A step that fails keeps no other from being done. At the end the module fails with all that failed.
extends_documentation_fragment:
  - falconet.k8s.cluster
options:
  alert:
    description:
      - The alert as Falco or Falcosidekick sends it, as JSON, percent-encoded so that nothing on its way takes it for a
        template.
    type: str
    required: true
  ladder:
    description: Rungs, each with C(name), C(rules), C(priority), C(tags), C(namespaces), C(steps) and C(approve).
    type: list
    elements: dict
    required: true
  limits:
    description: How far a response goes.
    type: dict
    suboptions:
      dry_run:
        description: Whether nothing but a note is done.
        type: bool
        default: true
      protected_namespaces:
        description:
          - Namespaces whose pods are never held or stopped, beside C(kube-system), C(kube-public), C(kube-node-lease).
        type: list
        elements: str
        default: [falco]
      pods_per_hour:
        description: How many pods may be held within an hour.
        type: int
        default: 10
      share_up:
        description: The share of a workload's ready pods that stays up, from 0 to 1.
        type: float
        default: 0.5
      oldest_minutes:
        description: Alerts that are older are noted alone.
        type: int
        default: 60
      approved:
        description: Steps that somebody has approved.
        type: list
        elements: str
        default: []
  kill_switch_namespace:
    description: Namespace of the ConfigMap whose key C(stopped) stops all responses.
    type: str
    default: falco
  kill_switch_name:
    description: Its name.
    type: str
    default: falconet-respond
  dest:
    description: Directory in which each incident has its own. It is made if it is not there.
    type: path
    required: true
  by:
    description: Who responds, for annotations and the archive's manifest.
    type: str
    default: ""
  minutes:
    description: How long a pod is held; without it, until it is released.
    type: int
  allow_cidrs:
    description: Blocks that may still reach a held pod and be reached.
    type: list
    elements: str
    default: []
  allow_dns:
    description: Whether a held pod may still ask the cluster's DNS.
    type: bool
    default: false
  probe:
    description:
      - Whether connections are tried after a pod was cut off. With O(allow_cidrs) or O(allow_dns) none are, since some
        of them may pass.
    type: bool
    default: true
  stop:
    description: What the step stop does.
    type: str
    choices: [delete, scale, cordon]
    default: delete
  answer:
    description:
      - File with the answer of somebody who approves steps that wait (C(question.json) of the incident, as it is or
        with fewer steps), whose SSH signature is beside it (C(.sig), namespace C(falconet.k8s.respond)).
    type: path
  allowed_signers:
    description: File that says whose signature counts, in OpenSSH's format. Required with O(answer).
    type: path
  image:
    description: Image of the privileged pods that look at processes and try connections.
    type: str
    default: registry.k8s.io/e2e-test-images/agnhost:2.59
  work_namespace:
    description: Existing namespace for these pods; by default a temporary one.
    type: str
attributes:
  check_mode:
    description: What would be done is decided and planned; nothing is changed, and no note is kept.
    support: full
  diff_mode:
    description: Shows the steps of the quarantine.
    support: full
notes:
  - On the controller (connection C(local), and C(ansible_python_interpreter) is C(ansible_playbook_python)) it runs
    within Ansible itself, by an action plugin of this name. To build and to start a module takes longer than to cut a
    pod off.
"""

EXAMPLES = r"""
- name: A shell in production is collected and cut off
  falconet.k8s.incident_respond:
    alert: "{{ lookup('ansible.builtin.file', 'alert.json') | urlencode }}"
    ladder:
      - {name: shells, rules: [Terminal shell in container], namespaces: [prod], steps: [collect, quarantine]}
    limits: {dry_run: false}
    dest: incidents
    minutes: 1440
"""

RETURN = r"""
plan:
  description: What was decided, as the filter P(falconet.k8s.respond_plan#filter) returns it.
  returned: success
  type: dict
  sample: {rung: shells, do: [collect, quarantine]}
timeline:
  description: What happened when, with C(seconds) since the event and C(took) since what stands before.
  returned: success
  type: list
  elements: dict
  sample:
    - {at: "2026-03-01T10:00:00Z", what: event, detail: Terminal shell in container, seconds: 0.0, took: 0.0}
    - {at: "2026-03-01T10:00:04Z", what: "held, proven by analysis", detail: "", seconds: 4.0, took: 4.0}
directory:
  description: The incident's directory.
  returned: success
  type: str
  sample: incidents/1f2e3d4c5b6a
archive:
  description: Path of the archive, empty where nothing was collected.
  returned: success
  type: str
  sample: incidents/1f2e3d4c5b6a/prod-frontend-7d9c5b6f8-x2x4q-20260301T100003Z.tar.gz
held:
  description: The quarantine, with C(steps), C(until), C(proven) and what no policy holds (C(unheld)).
  returned: success
  type: dict
  sample: {until: "2026-03-02T10:00:03Z", proven: true}
shown:
  description: What the network did, C(tried) connections, C(closed) of them, and which were C(open).
  returned: success
  type: dict
  sample: {tried: 8, closed: 8, open: []}
problems:
  description: What could not be done.
  returned: always
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.live_respond.options import ARGUMENTS, REQUIRED_BY, done


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, required_by=REQUIRED_BY, supports_check_mode=True)
    result = done(module.params, module.check_mode, module._diff)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
