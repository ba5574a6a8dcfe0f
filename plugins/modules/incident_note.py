#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module incident_note: an alert, what was decided about it, and what happened when, kept in files."""

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_note
short_description: Keep an alert and what was done about it
version_added: "0.3.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Writes C(alert.json), the alert as it came, and C(timeline.json), what was decided and what happened when, into a
    directory that is called after the incident. Only their owner can read them.
  - The first alert of an incident stays; what is done about a later one of the same rule and pod is added.
options:
  alert:
    description: The alert as JSON, percent-encoded so that nothing on its way takes it for a template.
    type: str
    required: true
  plan:
    description: What was decided, as the filter P(falconet.k8s.respond_plan#filter) returns it.
    type: dict
    required: true
  marks:
    description: What happened, each with C(at) (RFC 3339, UTC), C(what) and, where there is one, C(detail).
    type: list
    elements: dict
    default: []
  dest:
    description: Directory in which each incident has its own. It is made if it is not there.
    type: path
    required: true
attributes:
  check_mode:
    description: Nothing is written.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: What was done is kept
  falconet.k8s.incident_note:
    alert: "{{ lookup('ansible.builtin.file', 'alert.json') | urlencode }}"
    plan: "{{ plan }}"
    marks:
      - {at: "2026-03-01T10:00:03Z", what: held}
    dest: incidents
"""

RETURN = r"""
directory:
  description: The incident's directory.
  returned: success
  type: str
  sample: incidents/1f2e3d4c5b6a
timeline:
  description:
    - What happened when, from the event on, with C(seconds) since the event and C(took) since what stands before it.
  returned: success
  type: list
  elements: dict
  sample:
    - {at: "2026-03-01T10:00:00Z", what: event, detail: Terminal shell in production, seconds: 0.0, took: 0.0}
    - {at: "2026-03-01T10:00:03Z", what: held, detail: "", seconds: 3.0, took: 3.0}
"""

import json
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.incident.archive import private
from ansible_collections.falconet.k8s.plugins.module_utils.respond.alert import decode, read_alert
from ansible_collections.falconet.k8s.plugins.module_utils.respond.errors import RespondError
from ansible_collections.falconet.k8s.plugins.module_utils.respond.timeline import timeline

#: Responses that one incident's file keeps, the last of them.
MOST = 100


def noted(params: dict[str, Any], write: bool) -> dict[str, Any]:
    """Put the files where they belong."""
    alert = decode(params["alert"])
    directory = Path(params["dest"]) / read_alert(alert).incident
    rows = timeline(params["plan"], params["marks"])
    if write:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (directory / "alert.json").exists():
            private(directory / "alert.json", _json(alert))
        before = _responses(directory / "timeline.json")
        private(directory / "timeline.json", _json([*before, {"plan": params["plan"], "timeline": rows}][-MOST:]))
    return {"changed": True, "directory": str(directory), "timeline": rows}


def _responses(path: Path) -> list[Any]:
    """What is kept already; what somebody broke is begun anew."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return found if isinstance(found, list) else []


def _json(data: Any) -> bytes:
    return json.dumps(data, indent=2, sort_keys=True).encode() + b"\n"


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "alert": {"type": "str", "required": True},
            "plan": {"type": "dict", "required": True},
            "marks": {"type": "list", "elements": "dict", "default": []},
            "dest": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**noted(module.params, not module.check_mode))
    except RespondError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"the incident cannot be kept: {error}")


if __name__ == "__main__":
    main()
