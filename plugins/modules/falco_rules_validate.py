#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Falco rules judged as `falco -V` judges them, without Falco."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_rules_validate
short_description: Falco rules judged as Falco judges them, without Falco
version_added: "0.1.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Says of Falco rules what C(falco -V) says, without Falco and its plugins, with the same C(LOAD_*) codes.
  - Adds file, line and column, a hint and the nearest name to each finding, and looks for mistakes that Falco
    does not look for (codes C(FN*)).
  - Falco stops at the first error of a file. Here the other entries and rules are judged all the same, as far as they
    can be; what Falco does not come to is marked (RV(findings[].beyond)).
  - Rules are also found within Helm values (C(customRules)), a ConfigMap, a Secret, the operator's Rulesfile, Ansible
    variables and the code blocks of Markdown (C(*.md)), also where these stand in one another; the findings have the
    places of the file around them.
  - A template of Helm or Ansible that is no YAML is judged with a word in the place of each expression. Nothing is said
    of what the expressions become; give what the template renders to for that.
  - Give exactly one of O(files), O(content) and O(rulesets).
extends_documentation_fragment:
  - falconet.k8s.ruleset
  - falconet.k8s.catalogue
options:
  rulesets:
    description: Several rulesets, each judged by itself.
    type: list
    elements: dict
    suboptions:
      name:
        description: How the ruleset is called in the result.
        type: str
        required: true
      files:
        description: As O(files).
        type: list
        elements: path
      content:
        description: As O(content).
        type: str
  upgrade_from:
    description:
      - The Falco version that runs, where O(falco_version) is the one to come.
      - Says as well what the version to come makes of the rules (codes V(FN101) to V(FN105)) - what it refuses, what
        it loads and what never fires again, what is deprecated - and what to write in its place (RV(upgrade)).
    type: str
    version_added: 1.0.0
  fail_on:
    description:
      - What makes the module fail. V(error), V(warning) (errors, too), V(never), or codes such as
        V(LOAD_UNUSED_MACRO) and V(FN004).
    type: list
    elements: str
    default: [error]
  lint:
    description: Whether to look for what Falco does not look for.
    type: bool
    default: true
  optional_checks:
    description: Codes of checks that are off unless named here, such as V(FN007) (rules without a MITRE tag).
    type: list
    elements: str
    default: []
  apply_fixes:
    description:
      - Write the mends that are certain (RV(findings[].fix)) into O(files). RV(patch) shows them before.
      - What is reported is what is left; the reverse of RV(patch) takes them back.
    type: bool
    default: false
    version_added: 1.0.0
  sarif_path:
    description: Write the findings to this file as SARIF 2.1.0.
    type: path
  junit_path:
    description: Write the findings to this file as JUnit XML, one test case per ruleset or file.
    type: path
attributes:
  check_mode:
    description: Nothing is written, neither reports nor, with O(apply_fixes), rules.
    support: full
  diff_mode:
    description: Shows what O(apply_fixes) changes.
    support: full
"""

EXAMPLES = r"""
- name: The rules survive the upgrade from 0.40 to 0.44
  falconet.k8s.falco_rules_validate:
    content: |
      - rule: Connection to a database
        desc: Something connects to a database
        condition: evt.type = connect and evt.dir = < and fd.sport = 5432
        output: Connection (command=%proc.cmdline connection=%fd.name)
        priority: NOTICE
    upgrade_from: "0.40"
    falco_version: "0.44"
  register: upgrade

- name: The rules are what Falco accepts
  falconet.k8s.falco_rules_validate:
    content: |
      - rule: Shell in container
        desc: A shell was started in a container
        condition: evt.type = execve and container.id != host and proc.name in (bash, sh)
        output: Shell in container (command=%proc.cmdline container=%container.name)
        priority: WARNING

- name: Each ruleset is judged by itself, warnings count
  falconet.k8s.falco_rules_validate:
    rulesets:
      - name: with a typo
        content: |
          - list: shells
            items: [bash, sh]
    fail_on: [never]
  register: verdict
"""

RETURN = r"""
successful:
  description: Whether Falco would start with every ruleset.
  returned: always
  type: bool
  sample: true
findings:
  description: What is to know, errors first.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: Falco's C(LOAD_*) code or this collection's C(FN*).
      type: str
      sample: LOAD_UNUSED_LIST
    severity:
      description: V(error), V(warning) or V(info).
      type: str
      sample: warning
    file:
      description: The file, as it was given.
      type: str
      sample: content
    line:
      description: Line, from 1; null where there is no place.
      type: int
      sample: 1
    column:
      description: Column, from 1; null where there is no place.
      type: int
      sample: 3
    item:
      description: The entry it is about.
      type: str
      sample: list 'shells'
    message:
      description: What is wrong.
      type: str
      sample: List not referred to by any other rule/macro
    hint:
      description: What would be right.
      type: str
      sample: use it in a condition or another list, or remove it
    excerpt:
      description: The line with a caret below the spot.
      type: str
      sample: "- list: shells\n  ^"
    ruleset:
      description: The ruleset's name, with O(rulesets).
      type: str
      sample: with a typo
    way:
      description:
        - From the entry that it was found in to where it stands - macros, lists, the exception.
        - Empty where it stands in the entry itself.
      type: list
      elements: str
      sample: ["rule 'Shell in container'", "macro 'shells'", "list 'shell_names'"]
    beyond:
      description:
        - Whether Falco does not come to it, because it stops at an earlier error of the file.
        - RV(successful) and RV(falco_load_results) say what Falco says, without it.
      type: bool
      sample: false
    fix:
      description:
        - The mend, where there is one that is certain. The text from C(column) to before C(end_column) of the line is
          replaced by C(text). It was proven to end the finding without a new one; otherwise null.
        - SARIF has it under C(fixes), RV(patch) as a difference.
      type: dict
      sample: null
patch:
  description: All mends that are certain as a unified difference, as the program patch takes it; empty for none.
  returned: always
  type: str
  sample: ""
upgrade:
  description:
    - With O(upgrade_from), what to do before the upgrade, the gravest first; otherwise empty.
    - Each entry has the keys of RV(findings) and two more.
  returned: always
  type: list
  elements: dict
  contains:
    key:
      description: The key of the entry whose value is to be replaced; empty where nothing takes its place.
      type: str
      sample: condition
    instead:
      description: The value to write there. Lists and macros stand in it as they did.
      type: str
      sample: evt.type = connect and fd.sport = 5432
falco_load_results:
  description: What C(falco -V) prints in JSON, per file; with O(rulesets) each entry has the ruleset's name, too.
  returned: always
  type: list
  elements: dict
  sample:
    - name: content
      successful: true
      errors: []
      warnings: []
rulesets:
  description: Name and verdict of each ruleset.
  returned: always
  type: list
  elements: dict
  sample:
    - name: with a typo
      successful: true
"""

import gc
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import Finding, refusal
from ansible_collections.falconet.k8s.plugins.module_utils.common.mend import mended_files, patch
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import Catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.codes import ERROR
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import (
    Ruleset,
    Verdict,
    check_fail_on,
    fails,
    validate,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.embedded import (
    Embedded,
    all_placed,
    placed,
    unpacked,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile
from ansible_collections.falconet.k8s.plugins.module_utils.falco.upgrade.steps import Step
from ansible_collections.falconet.k8s.plugins.module_utils.falco.upgrade.upgrade import upgrade
from ansible_collections.falconet.k8s.plugins.module_utils.files.catalogue import (
    CATALOGUE,
    catalogue_before,
    catalogue_of,
)
from ansible_collections.falconet.k8s.plugins.module_utils.files.reports import write_reports
from ansible_collections.falconet.k8s.plugins.module_utils.files.rules import (
    at_least_one,
    read_rules_files,
    write_rules_files,
)

SOURCE: dict[str, dict[str, Any]] = {"files": {"type": "list", "elements": "path"}, "content": {"type": "str"}}

TOOL = "falco_rules_validate"


def given_in(entry: dict[str, Any], name: str) -> Ruleset:
    """The files of the options `files` or `content`, as they stand there."""
    if entry.get("content") is not None:
        return Ruleset(name, (RulesFile("content", entry["content"]),))
    files, unreadable = read_rules_files(at_least_one(entry["files"]))
    return Ruleset(name, files, unreadable)


class Judged(NamedTuple):
    """What came out: verdicts, what to do before an upgrade, and files that are templates."""

    verdicts: list[Verdict]
    steps: list[list[Step]]
    templates: list[str]

    @property
    def findings(self) -> list[Finding]:
        return [finding for verdict in self.verdicts for finding in verdict.findings]


def judged(given: Sequence[Ruleset], known: Catalogue, before: Catalogue | None, params: dict[str, Any]) -> Judged:
    """Judge rulesets, also those within other files, and place what is found in the files that were given."""
    inner: dict[str, Embedded] = {}
    rulesets = []
    for one in given:
        files, within = unpacked(one.files, templates=True)
        inner.update(within)
        rulesets.append(replace(one, files=files))
    verdicts = validate(rulesets, known, params["lint"], params["optional_checks"])
    steps: list[list[Step]] = []
    if before is not None:
        steps = [upgrade(one.files, before, known, one.name) for one in rulesets]
        steps = [[replace(one, finding=placed(one.finding, inner)) for one in found] for found in steps]
        verdicts = [with_steps(verdict, found) for verdict, found in zip(verdicts, steps)]
    verdicts = [told(one, inner) for one in verdicts]
    return Judged(verdicts, steps, sorted({one.host for one in inner.values() if one.template}))


def told(verdict: Verdict, inner: Mapping[str, Embedded]) -> Verdict:
    """A verdict with its findings where the files that were given have them; of templates by what is known of them."""
    findings = all_placed(verdict.findings, inner)
    unknown = len(findings) < len(verdict.findings)
    return replace(
        verdict, findings=findings, successful=verdict.successful or (unknown and not fails(findings, ["error"]))
    )


def with_texts(given: Ruleset, texts: Mapping[str, str]) -> Ruleset:
    """A ruleset with other texts in some of its files."""
    files = (RulesFile(file.name, texts.get(file.name, file.text)) for file in given.files)
    return replace(given, files=tuple(files))


def with_steps(verdict: Verdict, steps: list[Step]) -> Verdict:
    """The verdict with what the upgrade finds, errors first."""
    findings = verdict.findings + [step.finding for step in steps]
    return replace(verdict, findings=sorted(findings, key=lambda one: one.severity != ERROR))


def suites_of(verdicts: Sequence[Verdict], failing: Sequence[Finding]) -> Sequence[Any]:
    """The JUnit report's suites; what writes XML is read only for it."""
    # as the function's summary says
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.junit import suite_of

    return [suite_of(verdicts, failing, TOOL)]


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **SOURCE,
            "rulesets": {
                "type": "list",
                "elements": "dict",
                "options": {"name": {"type": "str", "required": True}, **SOURCE},
                "mutually_exclusive": [("files", "content")],
                "required_one_of": [("files", "content")],
            },
            **CATALOGUE,
            "upgrade_from": {"type": "str"},
            "fail_on": {"type": "list", "elements": "str", "default": ["error"]},
            "lint": {"type": "bool", "default": True},
            "optional_checks": {"type": "list", "elements": "str", "default": []},
            "apply_fixes": {"type": "bool", "default": False},
            "sarif_path": {"type": "path"},
            "junit_path": {"type": "path"},
        },
        mutually_exclusive=[("files", "content", "rulesets")],
        required_one_of=[("files", "content", "rulesets")],
        supports_check_mode=True,
    )
    # A large ruleset is hundreds of thousands of small values that live until the process ends; collecting
    # garbage among them would take most of the time.
    gc.disable()
    params = module.params
    try:
        if params["rulesets"] is None:
            given = [given_in(params, "")]
        else:
            given = [given_in(entry, entry["name"]) for entry in params["rulesets"]]
    except FalcoError as error:
        module.fail_json(msg=str(error))
    contents = {file.name: file.text for ruleset in given for file in ruleset.files}
    if params["apply_fixes"] and "content" in contents:
        module.fail_json(msg="apply_fixes writes into files: give 'files' in place of 'content'")
    texts = [file.text for ruleset in given for file in unpacked(ruleset.files, templates=True)[0]]
    try:
        check_fail_on(params["fail_on"])
        known = catalogue_of(params, texts)
        if known.note:
            module.warn(known.note)
        before = catalogue_before(params, texts, params["upgrade_from"]) if params["upgrade_from"] else None
    except FalcoError as error:
        module.fail_json(msg=str(error))
    verdicts, steps, templates = found = judged(given, known, before, params)
    for name in templates:
        module.warn(f"{name}: a template, judged with a word in the place of each of its expressions")
    mended = mended_files(found.findings, contents)
    proposed = patch(contents, mended)
    applied = bool(params["apply_fixes"] and mended)
    if applied:
        verdicts, steps, _templates = found = judged([with_texts(one, mended) for one in given], known, before, params)
        if not module.check_mode:
            write_rules_files(mended)
    findings = found.findings
    failing = fails(findings, params["fail_on"])
    wrote = not module.check_mode and write_reports(params, TOOL, findings, lambda: suites_of(verdicts, failing))
    result = {
        "changed": applied or wrote,
        "patch": proposed,
        "successful": all(verdict.successful for verdict in verdicts),
        "findings": [finding.to_dict() for finding in findings],
        "upgrade": [step.to_dict() for found in steps for step in found],
        "falco_load_results": [
            {**entry, "ruleset": verdict.name} if verdict.name else entry
            for verdict in verdicts
            for entry in verdict.results
        ],
        "rulesets": [{"name": verdict.name, "successful": verdict.successful} for verdict in verdicts],
    }
    if applied:
        result["diff"] = {"prepared": proposed}
    if failing:
        module.fail_json(msg=refusal(failing), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
