#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit tests of Falco rules, what they leave out, and which changes of the rules they would not notice."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_rules_test
short_description: Unit tests for Falco rules, with coverage and mutants, without Falco
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Runs test files on rulesets as Falco would evaluate them. C(docs/rule-tests.md) describes the format of test files.
  - A failure names the part of the condition that was not met, its place in the rules file, and the event's value.
  - Tells which rules, exceptions, macros and comparisons no case exercises, once every case passes.
  - >-
    With O(mutation), changes each condition one operator or literal at a time, and tells which changes no case notices.
  - Fails when a case fails, when a test file is not as its format has it, and when a minimum is missed.
options:
  tests:
    description: Test files and directories of them.
    type: list
    elements: path
    required: true
  files:
    description: Rules files and directories, loaded in this order, for test files that name no C(rulesets).
    type: list
    elements: path
  contents:
    description:
      - File name to text of the rules files that are rolled out, in the order in which Falco loads them, such as
        RV(falconet.k8s.falco_rules_compose#module:files).
      - Each ruleset is tried with them. They are loaded behind its other files, and in place of those of the same name;
        a file that adds to what none of those others has is loaded behind them.
      - Entries that change a rule, macro or list which a ruleset does not have are left out of it.
    type: dict
    default: {}
  mutation:
    description: Whether mutants are tried. They are not while a case fails.
    type: bool
    default: false
  minimum_coverage:
    description: Percentages that must be reached in each ruleset; what is not given may be anything.
    type: dict
    suboptions:
      rules:
        description: Of the enabled rules, those that a case expects to fire.
        type: float
      exceptions:
        description: Of the exceptions with values, those that silence a rule in a case.
        type: float
      macros:
        description: Of the macros that enabled rules use, those that a case comes to.
        type: float
      parts:
        description: Of the comparisons, both ways counted, those that decide in a case.
        type: float
  minimum_mutation_score:
    description:
      - Percentage of mutants that must be killed, or accepted with a reason, in each ruleset. It turns O(mutation) on.
      - With V(100), an accepted mutant that does not survive is a failure as well.
    type: float
  jobs:
    description: Processes that share the mutants; V(0) takes as many as there are processors.
    type: int
    default: 0
  sarif_path:
    description: Where to write the findings as SARIF.
    type: path
  junit_path:
    description: Where to write the cases and surviving mutants as JUnit XML.
    type: path
extends_documentation_fragment:
  - falconet.k8s.catalogue
attributes:
  check_mode:
    description: The reports are not written.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: The rules do what their tests say
  falconet.k8s.falco_rules_test:
    tests:
      - rules_tests/
    junit_path: rules-tests.xml

- name: Every rule is tested, and no change of one would go unnoticed
  falconet.k8s.falco_rules_test:
    tests:
      - rules_tests/
    minimum_coverage:
      rules: 100
      exceptions: 100
    minimum_mutation_score: 100
"""

RETURN = r"""
successful:
  description: Whether every case passed and every minimum was reached.
  returned: always
  type: bool
  sample: true
findings:
  description: Failures, surviving mutants and what is not exercised, in this order.
  returned: always
  type: list
  elements: dict
  sample:
    - code: FT002
      severity: error
      file: rules_tests/production.yaml
      line: 24
      column: 13
      item: case 'A shell at a terminal'
      message: "rule 'Shell' did not fire:\n  rules/production.yaml:14:9: proc.tty != 0: proc.tty is 0"
      hint: ""
      excerpt: ""
      ruleset: ""
cases:
  description: What became of each case, on each ruleset.
  returned: always
  type: list
  elements: dict
  sample:
    - name: A shell at a terminal
      file: rules_tests/production.yaml
      line: 23
      ruleset: own
      result: passed
      messages: []
counts:
  description: How many cases passed, failed and were skipped.
  returned: always
  type: dict
  sample: {passed: 1, failed: 0, skipped: 0}
coverage:
  description: What the cases exercise, by ruleset; C(missing) names what they do not. Nothing when a case failed.
  returned: always
  type: dict
  sample:
    own:
      rules: {total: 1, covered: 1, percent: 100.0}
      exceptions: {total: 0, covered: 0, percent: 100.0}
      macros: {total: 1, covered: 1, percent: 100.0}
      parts: {total: 4, covered: 3, percent: 75.0}
      missing:
        - kind: parts
          item: rule 'Shell'
          what: "'proc.tty != 0' never fails where it decides"
          place: rules/production.yaml:14:9
mutants:
  description: How many mutants there were and which survived, by ruleset; nothing without O(mutation).
  returned: always
  type: dict
  sample:
    own:
      total: 12
      killed: 11
      score: 91.7
      survivors:
        - item: rule 'Shell'
          change: proc.tty != 0 → proc.tty != 1
          place: rules/production.yaml:14:9
          reason:
"""

import gc
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.versions import resolve
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loader
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.coverage import KINDS
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.report import TOOL, Report, missed
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.workers import processors
from ansible_collections.falconet.k8s.plugins.module_utils.files.catalogue import CATALOGUE, catalogue_of, texts_in
from ansible_collections.falconet.k8s.plugins.module_utils.files.reports import write_reports
from ansible_collections.falconet.k8s.plugins.module_utils.files.tests import run_tests


def report_of(params: dict[str, Any]) -> Report:
    """Read and run the tests."""
    contents = {str(name): str(text) for name, text in params["contents"].items()}
    loader = Loader(catalogue_of(params, texts_in(params["files"], contents)))
    mutate = params["mutation"] or params["minimum_mutation_score"] is not None
    return run_tests(loader, params["tests"], params["files"], contents, mutate, params["jobs"] or processors())


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "tests": {"type": "list", "elements": "path", "required": True},
            "files": {"type": "list", "elements": "path"},
            "contents": {"type": "dict", "default": {}},
            "mutation": {"type": "bool", "default": False},
            "minimum_coverage": {"type": "dict", "options": {kind: {"type": "float"} for kind in KINDS}},
            "minimum_mutation_score": {"type": "float"},
            "jobs": {"type": "int", "default": 0},
            **CATALOGUE,
            "sarif_path": {"type": "path"},
            "junit_path": {"type": "path"},
        },
        supports_check_mode=True,
    )
    gc.disable()  # hundreds of thousands of small values live until the process ends
    params = module.params
    try:
        note = resolve(params["falco_version"]).note
        if note:
            module.warn(note)
        report = report_of(params)
        changed = not module.check_mode and write_reports(params, TOOL, report.findings(), report.to_suites)
    except FalcoError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"a report cannot be written: {error}")
    problems = missed(report, params["minimum_coverage"] or {}, params["minimum_mutation_score"])
    result = {
        "changed": changed,
        "successful": not problems,
        "findings": [finding.to_dict() for finding in report.findings()],
        **report.to_data(),
    }
    if problems:
        more = f"\nand {len(problems) - 1} more" if len(problems) > 1 else ""
        module.fail_json(msg=problems[0] + more, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
