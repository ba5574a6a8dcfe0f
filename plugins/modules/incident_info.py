#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module incident_info: what incident_respond has kept of incidents."""

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_info
short_description: Read what is kept of incidents
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Reads the timelines that M(falconet.k8s.incident_respond) has kept, and asks no cluster.
  - Of an incident that was responded to several times, the response counts that held the pod, else the last.
extends_documentation_fragment:
  - falconet.k8s.read_only
options:
  path:
    description: Directory in which each incident has its own, O(falconet.k8s.incident_respond#module:dest).
    type: path
    required: true
  within_hours:
    description: How long ago the last thing happened at most.
    type: int
    default: 24
  most:
    description: How many are told, the last of them first.
    type: int
    default: 20
"""

EXAMPLES = r"""
- name: What was done about incidents is known
  falconet.k8s.incident_info:
    path: incidents
  register: known
"""

RETURN = r"""
incidents:
  description:
    - Of each C(directory), C(rule), C(namespace), C(pod), C(responses) (how many alerts were responded to), C(do) (what
      was to be done), C(why) (why other steps were not), C(archive), C(held), C(shown), C(problems) and C(timeline).
    - Without the directory there are none.
  returned: success
  type: list
  elements: dict
  sample:
    - directory: 1f2e3d4c5b6a
      rule: Terminal shell in container
      namespace: prod
      pod: frontend-7d9c5b6f8-x2x4q
      responses: 1
      do: [note, collect, quarantine]
      why: []
      archive: prod-frontend-7d9c5b6f8-x2x4q-20260301T100003Z.tar.gz
      held: {until: "2026-03-02T10:00:03Z", proven: true}
      shown: {tried: 8, closed: 8, open: []}
      problems: []
      timeline:
        - {at: "2026-03-01T10:00:00Z", what: event, detail: Terminal shell in container, seconds: 0.0, took: 0.0}
"""

from datetime import datetime, timedelta, timezone
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.incident.kept import incidents


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "within_hours": {"type": "int", "default": 24},
            "most": {"type": "int", "default": 20},
        },
        supports_check_mode=True,
    )
    since = datetime.now(timezone.utc) - timedelta(hours=module.params["within_hours"])
    try:
        found = incidents(Path(module.params["path"]), since, module.params["most"])
    except OSError as error:
        module.fail_json(msg=f"what is kept of incidents cannot be read: {error}")
    module.exit_json(changed=False, incidents=found)


if __name__ == "__main__":
    main()
