#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module evidence_write: a report in all its forms, and those of before."""

from __future__ import annotations

DOCUMENTATION = r"""
module: evidence_write
short_description: Write the evidence in the forms that people and machines read
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Writes C(report.json), C(junit.xml) for CI servers, C(summary.md) for a ticket, C(metrics.prom) for node_exporter's
    textfile collector and, with O(page), C(report.html) into one folder, and keeps the report in its folder C(history).
  - All forms are made before the first is written, and each file is replaced as a whole.
options:
  report:
    description: What P(falconet.k8s.evidence_report#filter) returned.
    type: dict
    required: true
  page:
    description: Text of C(report.html). Without it there is none.
    type: str
  differences:
    description: Text of C(differences.html). Without it there is none.
    type: str
    version_added: "1.0.0"
  directory:
    description: The folder, on the machine that runs the module. It is made if it is not there.
    type: path
    required: true
  history_length:
    description: How many reports are kept in C(history), this one always among them; the oldest go.
    type: int
    default: 30
attributes:
  check_mode:
    description: Can run in check mode, where nothing is written.
    support: full
  diff_mode:
    description: Shows what changes.
    support: none
    details: A report has the time in it, so that all of it would be a difference.
seealso:
  - plugin: falconet.k8s.evidence_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Evidence is written on the controller
  falconet.k8s.evidence_write:
    report: "{{ checks | falconet.k8s.evidence_report(cluster='production', time=now, stages=['falco']) }}"
    directory: evidence
  delegate_to: localhost
"""

RETURN = r"""
files:
  description: Paths of what was written.
  returned: success
  type: list
  elements: str
  sample: [evidence/report.json]
removed:
  description: Paths of reports beyond the history's length, which are gone.
  returned: success
  type: list
  elements: str
"""

import json
import re
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.junit import junit
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.markdown import markdown
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.metrics import metrics
from ansible_collections.falconet.k8s.plugins.module_utils.files.text import write_text
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError

HISTORY = "history"


def forms_of(report: dict[str, Any], pages: dict[str, str | None]) -> dict[str, str]:
    """The text of each file by its path below the folder; what follows the report comes first."""
    text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    time = re.sub("[-:]", "", report["time"])
    forms = {
        f"{HISTORY}/{time}.json": text,
        "junit.xml": junit(report),
        "summary.md": markdown(report),
        "metrics.prom": metrics(report),
        "report.json": text,
    }
    return {**forms, **{name: text for name, text in pages.items() if text is not None}}


def beyond(folder: Path, length: int, written: str) -> list[Path]:
    """Reports of the history that are too many, the oldest of them."""
    there = sorted({*folder.glob("*.json"), folder / written}, reverse=True)
    return there[max(length, 1) :]


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "report": {"type": "dict", "required": True},
            "page": {"type": "str"},
            "differences": {"type": "str"},
            "directory": {"type": "path", "required": True},
            "history_length": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    params = module.params
    folder = Path(params["directory"])
    try:
        pages = {"differences.html": params["differences"], "report.html": params["page"]}
        forms = forms_of(params["report"], pages)
    except KeyError as error:
        module.fail_json(msg=f"report: it has no {error}, so it is none of the filter evidence_report")
    gone = beyond(folder / HISTORY, params["history_length"], next(iter(forms)).rpartition("/")[2])
    try:
        if not module.check_mode:
            for name, text in forms.items():
                write_text(str(folder / name), text, 0o644)
            for path in gone:
                path.unlink(missing_ok=True)
    except (KubeError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=True, files=[str(folder / name) for name in forms], removed=[str(path) for path in gone])


if __name__ == "__main__":
    main()
