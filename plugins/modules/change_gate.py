#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules, policies and chart values judged before they are merged, and compared with the revision before."""

from __future__ import annotations

DOCUMENTATION = r"""
module: change_gate
short_description: Judge a change of Falco rules, audit policies, NetworkPolicies and chart values
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Loads and lints Falco rules as M(falconet.k8s.falco_rules_validate) does, runs their tests and mutants as
    M(falconet.k8s.falco_rules_test) does, and replays a recording as M(falconet.k8s.falco_rules_replay) does.
  - Checks and lints NetworkPolicies and asserts flows as M(falconet.k8s.netpol_analyze) does.
  - Compares values files with a chart as M(falconet.k8s.falco_chart_check) does.
  - With O(before), tells what the change does to rules, alerts and connections.
  - Writes one comment in Markdown, SARIF and JUnit XML of all of it. It needs no cluster, no Falco and no Helm.
  - What is named and is not there is an error.
options:
  root:
    description: Directory of the revision that is judged. Other paths are looked up in it.
    type: path
    default: .
  before:
    description:
      - Directory of the revision that it is compared with, such as a C(git worktree) of the target branch.
      - Without it nothing is compared.
    type: path
  title:
    description: Title of the comment.
    type: str
    default: Gate
  rulesets:
    description: Rulesets, each judged by itself.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: How it is called.
        type: str
        required: true
      files:
        description: Rules files and directories, loaded in this order.
        type: list
        elements: str
        required: true
      base_files:
        description:
          - What Falco loads before, such as the maintained rules. Only their errors count.
        type: list
        elements: str
        default: []
      tests:
        description: Test files and directories. C(docs/rule-tests.md) describes their format.
        type: list
        elements: str
        default: []
      events:
        description: A recording, as O(falconet.k8s.falco_rules_replay#module:events), whose alerts are compared.
        type: str
      source:
        description: The event source of the recording's field maps that do not name theirs.
        type: str
        default: syscall
      rule_matching:
        description: Whether the first rule that holds is reported, or all of them.
        type: str
        choices: [first, all]
        default: first
  audit_policies:
    description:
      - Audit policies of the API server, each judged by itself and against rules for audit events as
        M(falconet.k8s.kube_audit_policy_check) does. Each has either O(audit_policies[].policy) or
        O(audit_policies[].preset).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: How it is called.
        type: str
        required: true
      policy:
        description: The policy's file.
        type: str
      preset:
        description: A policy of this collection in its place.
        type: str
        choices: [minimal, recommended, full]
      files:
        description: Rules for audit events; without them the policy alone is judged.
        type: list
        elements: str
        default: []
      base_files:
        description: What Falco loads before.
        type: list
        elements: str
        default: []
      allow_secret_bodies:
        description: Whether it may record the bodies of secrets, tokens and TokenReviews.
        type: bool
        default: false
  policies:
    description: Sets of manifests, policies and workloads together, each judged by itself.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: How it is called.
        type: str
        required: true
      paths:
        description: Manifests, as O(falconet.k8s.netpol_analyze#module:paths).
        type: list
        elements: str
        required: true
      required_flows:
        description: Flows that must be allowed, as O(falconet.k8s.netpol_analyze#module:required_flows).
        type: list
        elements: dict
        default: []
      forbidden_flows:
        description: Flows of which no part may be allowed.
        type: list
        elements: dict
        default: []
      questions:
        description:
          - Questions about the set as a whole, as O(falconet.k8s.netpol_analyze#module:question) has them.
          - An answer that is not the expected one fails the gate.
        type: list
        elements: dict
        default: []
        suboptions:
          question:
            description: The question.
            type: str
            required: true
            choices: [permits, forbids, containment, equivalence, interference, vacuity, emptiness, redundancy]
          other_paths:
            description: Manifests with the other set of policies, as O(falconet.k8s.netpol_analyze#module:other_paths).
            type: list
            elements: str
            default: []
          expect:
            description:
              - The answer without which the gate fails.
              - By default yes to V(permits), V(forbids), V(containment) and V(equivalence), and no to the others.
            type: bool
  charts:
    description: Values files of Helm releases, each judged by itself.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the release.
        type: str
        required: true
      path:
        description: The chart, a directory or an archive.
        type: str
        required: true
      values:
        description: Values files.
        type: list
        elements: str
        required: true
  fail_on:
    description:
      - From which severity on findings count as failure.
      - Tests that fail, minima that are missed, flows that do not hold and what cannot be read always do.
    type: str
    choices: [error, warning, never]
    default: error
  minimum_coverage:
    description: Percentages that the tests of each ruleset must reach.
    type: dict
    default: {}
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
    description: Percentage of mutants that the tests of each ruleset must kill. Without it no mutant is tried.
    type: float
  jobs:
    description: Processes that share the mutants; V(0) takes as many as there are processors.
    type: int
    default: 0
  markdown_path:
    description: Where to write the comment.
    type: path
  sarif_path:
    description: Where to write the findings as SARIF.
    type: path
  junit_path:
    description: Where to write the parts, cases and flows as JUnit XML.
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
- name: A change of rules and policies may be merged
  falconet.k8s.change_gate:
    before: ../target
    rulesets:
      - name: own
        files: [rules]
        tests: [rules_tests]
    policies:
      - name: prod
        paths: [manifests]
        required_flows:
          - name: frontend to backend
            from: {namespace: prod, labels: {app: frontend}}
            to: {namespace: prod, labels: {app: backend}}
            ports: ["8080/TCP"]
        questions:
          - {question: forbids, other_paths: [security/metadata-service.yaml]}
          - {question: emptiness}
    minimum_mutation_score: 100
    markdown_path: gate.md
    sarif_path: gate.sarif
    junit_path: gate.xml
"""

RETURN = r"""
successful:
  description: Whether no part failed, and one was looked at.
  returned: always
  type: bool
  sample: true
sections:
  description: What each part says, in the order of the options.
  returned: always
  type: list
  elements: dict
  sample:
    - kind: rules
      name: own
      status: passed
      reasons: []
      changes:
        - title: Rules
          lines: ["rule Shell: condition changed (patch)"]
      counts: {rules: 12, findings: 0, cases passed: 40, cases failed: 0, cases skipped: 0}
      notes: []
      skipped: ""
      findings: 0
findings:
  description: All findings, with those that do not count as failure.
  returned: always
  type: list
  elements: dict
  sample: []
comment:
  description: All of it as one comment in Markdown.
  returned: always
  type: str
  sample: |
    <!-- falconet.k8s gate -->
    ## Gate: passed
"""

import gc
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.audit.presets import PRESETS
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import FAIL_ON
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.coverage import KINDS
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.workers import processors
from ansible_collections.falconet.k8s.plugins.module_utils.files.catalogue import CATALOGUE
from ansible_collections.falconet.k8s.plugins.module_utils.files.reports import write_reports
from ansible_collections.falconet.k8s.plugins.module_utils.files.rules import write_if_changed
from ansible_collections.falconet.k8s.plugins.module_utils.gate.comment import comment
from ansible_collections.falconet.k8s.plugins.module_utils.gate.report import (
    TOOL,
    GateError,
    Report,
    describe,
    entries_of,
    gate,
)
from ansible_collections.falconet.k8s.plugins.module_utils.gate.rules import Demands
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import RELATIONS, WHOLE

NAMES = {"type": "list", "elements": "str"}
FLOWS = {"type": "list", "elements": "dict", "default": []}
RULESET: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "files": {**NAMES, "required": True},
    "base_files": {**NAMES, "default": []},
    "tests": {**NAMES, "default": []},
    "events": {"type": "str"},
    "source": {"type": "str", "default": "syscall"},
    "rule_matching": {"type": "str", "choices": ["first", "all"], "default": "first"},
}
AUDIT: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "policy": {"type": "str"},
    "preset": {"type": "str", "choices": list(PRESETS)},
    "files": {**NAMES, "default": []},
    "base_files": {**NAMES, "default": []},
    "allow_secret_bodies": {"type": "bool", "default": False},
}
QUESTION: dict[str, Any] = {
    "question": {"type": "str", "required": True, "choices": [*RELATIONS, *WHOLE]},
    "other_paths": {**NAMES, "default": []},
    "expect": {"type": "bool"},
}
POLICIES: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "paths": {**NAMES, "required": True},
    "required_flows": FLOWS,
    "forbidden_flows": FLOWS,
    "questions": {"type": "list", "elements": "dict", "default": [], "options": QUESTION},
}
CHART: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "path": {"type": "str", "required": True},
    "values": {**NAMES, "required": True},
}


def report_of(params: dict[str, Any]) -> Report:
    """Judge what the options name."""
    demands = Demands(
        (params["fail_on"],),
        {name: params[name] for name in CATALOGUE},
        params["minimum_coverage"],
        params["minimum_mutation_score"],
        params["jobs"] or processors(),
    )
    return gate(entries_of(params), params["root"], params["before"], demands)


def write(params: dict[str, Any], report: Report, told: str) -> bool:
    """Write the reports that were asked for; tell whether a file changed."""
    findings = report.findings
    changed = write_reports(params, TOOL, findings, report.suites, describe(findings))
    if params["markdown_path"]:
        changed = write_if_changed(params["markdown_path"], told) or changed
    return changed


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": "."},
            "before": {"type": "path"},
            "title": {"type": "str", "default": "Gate"},
            "rulesets": {"type": "list", "elements": "dict", "default": [], "options": RULESET},
            "audit_policies": {"type": "list", "elements": "dict", "default": [], "options": AUDIT},
            "policies": {"type": "list", "elements": "dict", "default": [], "options": POLICIES},
            "charts": {"type": "list", "elements": "dict", "default": [], "options": CHART},
            "fail_on": {"type": "str", "choices": list(FAIL_ON), "default": "error"},
            "minimum_coverage": {
                "type": "dict",
                "default": {},
                "options": {kind: {"type": "float"} for kind in KINDS},
            },
            "minimum_mutation_score": {"type": "float"},
            "jobs": {"type": "int", "default": 0},
            **CATALOGUE,
            "markdown_path": {"type": "path"},
            "sarif_path": {"type": "path"},
            "junit_path": {"type": "path"},
        },
        supports_check_mode=True,
    )
    gc.disable()  # hundreds of thousands of small values live until the process ends
    params = module.params
    try:
        report = report_of(params)
        told = comment(params["title"], report.sections)
        changed = not module.check_mode and write(params, report, told)
    except (FalcoError, GateError) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"a report cannot be written: {error}")
    result = {
        "changed": changed,
        "successful": report.successful,
        "sections": [one.to_dict() for one in report.sections],
        "findings": [one.to_dict() for one in report.findings],
        "comment": told,
    }
    if report.reasons:
        more = f"\nand {len(report.reasons) - 1} more" if len(report.reasons) > 1 else ""
        module.fail_json(msg=report.reasons[0] + more, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
