#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""First tests of Falco rules that have none."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_rules_test_generate
short_description: Write first tests for Falco rules that have none
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Writes a test file for M(falconet.k8s.falco_rules_test), from recorded alerts or from the rules' conditions.
  - >-
    From a condition, an event is found on which the rule fires, and events that differ little from it, as few of them
    as make its comparisons decide both ways and tell the rule from its mutants.
  - From alerts, cases have the fields that the alerts tell; what the rule asks for besides them is made up, and named.
  - What is written says what the rules do today, which need not be what they should. Read it before you trust it.
options:
  files:
    description: Rules files and directories, loaded in this order.
    type: list
    elements: path
    required: true
  dest:
    description: The test file to write.
    type: path
    required: true
  rules:
    description: Names of the rules that are to have tests; all that are enabled, when not given.
    type: list
    elements: str
  alerts:
    description: A file of JSON lines, each an alert as Falco logs it. Of each rule a few that differ become cases.
    type: path
  force:
    description: Whether a file that holds something else may be overwritten.
    type: bool
    default: false
extends_documentation_fragment:
  - falconet.k8s.catalogue
attributes:
  check_mode:
    description: Nothing is written.
    support: full
  diff_mode:
    description: The file before and after.
    support: full
"""

EXAMPLES = r"""
- name: Rules without tests get first ones
  falconet.k8s.falco_rules_test_generate:
    files:
      - rules/
    dest: rules_tests/first.yaml

- name: Last night's alerts become tests
  falconet.k8s.falco_rules_test_generate:
    files:
      - rules/
    alerts: alerts.jsonl
    dest: rules_tests/recorded.yaml
"""

RETURN = r"""
rules:
  description: Names of the rules that have cases in the file.
  returned: success
  type: list
  elements: str
  sample: [Shell]
left:
  description: What has none, and why.
  returned: success
  type: list
  elements: dict
  sample:
    - rule: Never
      reason: "no event was found on which these hold together: proc.name = a; proc.name = b"
content:
  description: The test file.
  returned: success
  type: str
  sample: "---\nrulesets: ..."
"""

import gc
import os
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.versions import resolve
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loader
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.generate import Generated, generate
from ansible_collections.falconet.k8s.plugins.module_utils.files.catalogue import CATALOGUE, catalogue_of, texts_in
from ansible_collections.falconet.k8s.plugins.module_utils.files.tests import load_ruleset
from ansible_collections.falconet.k8s.plugins.module_utils.files.text import differing, write_text
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError


def generated(params: dict[str, Any]) -> Generated:
    """The test file as it is to be."""
    loader = Loader(catalogue_of(params, texts_in(params["files"])))
    loaded = load_ruleset(loader, "own", params["files"]).loaded
    folder = Path(params["dest"]).parent.resolve()
    rulesets = {"own": [os.path.relpath(Path(path).resolve(), folder) for path in params["files"]]}
    if params["alerts"] is None:
        return generate(loaded, rulesets, params["rules"])
    with Path(params["alerts"]).open("rb") as lines:
        return generate(loaded, rulesets, params["rules"], lines)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "list", "elements": "path", "required": True},
            "dest": {"type": "path", "required": True},
            "rules": {"type": "list", "elements": "str"},
            "alerts": {"type": "path"},
            "force": {"type": "bool", "default": False},
            **CATALOGUE,
        },
        supports_check_mode=True,
    )
    gc.disable()  # hundreds of thousands of small values live until the process ends
    params = module.params
    dest = params["dest"]
    try:
        note = resolve(params["falco_version"]).note
        if note:
            module.warn(note)
        made = generated(params)
        if not made.rules:
            raise FalcoError("no test was made" + "".join(f"; {one.rule}: {one.reason}" for one in made.left))
        changed = bool(differing({dest: made.text}, params["force"]))
        before = Path(dest).read_text(encoding="utf-8") if changed and Path(dest).exists() else ""
        if changed and not module.check_mode:
            write_text(dest, made.text, 0o644)
    except (FalcoError, KubeError) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: cannot read the alerts: {error.strerror or error}")
    result: dict[str, Any] = {
        "changed": changed,
        "rules": made.rules,
        "left": [{"rule": one.rule, "reason": one.reason} for one in made.left],
        "content": made.text,
    }
    if changed:
        result["diff"] = {"before": before, "after": made.text, "before_header": dest, "after_header": dest}
    module.exit_json(**result)


if __name__ == "__main__":
    main()
