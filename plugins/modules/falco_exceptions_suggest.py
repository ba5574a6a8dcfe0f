#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From recorded alerts to the smallest exceptions that silence the noise, proven to silence nothing that must fire."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_exceptions_suggest
short_description: Exceptions for noisy Falco rules, proven to silence nothing that must fire
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Tells who raises the alerts of a recording, by rule, workload, image and program.
  - >-
    For what is noise, suggests exceptions as the variable C(falco_rules_exceptions) takes them. Each asks for an image
    or a workload and for the program, and for more where that would silence other alerts. None asks for a command line
    or a file name, which an attacker chooses.
  - >-
    Each was tried: the rules load with it, the tests of O(tests) pass, the events of O(keep) and O(triggers) still
    fire, and there is still an event on which the rule fires.
options:
  alerts:
    description:
      - >-
        A file of JSON lines with alerts, read as a stream: Falco's log, Falcosidekick's messages, Loki's (C(logcli
        --output=jsonl), or answers of its API) or Elasticsearch's export. Lines without an alert are passed over.
    type: path
    required: true
  files:
    description: The rules files and directories that raised them, in the order in which they are loaded.
    type: list
    elements: path
  contents:
    description:
      - File name to text of rules files that are rolled out, as M(falconet.k8s.falco_rules_test) takes them.
      - Give O(files), this, or both.
    type: dict
    default: {}
  base_files:
    description:
      - Rules files and directories that are loaded before, such as Falco's own.
      - >-
        Exceptions for their rules are suggested and proven by O(keep) and O(triggers). O(tests) are not of them, and
        none of their own exceptions is called dead.
    type: list
    elements: path
  base_contents:
    description: File name to text of such files, in the order in which Falco loads them.
    type: dict
    default: {}
  tests:
    description: >-
      Test files and directories of them, for M(falconet.k8s.falco_rules_test); they are tried on O(files) and
      O(contents).
    type: list
    elements: path
  keep:
    description: >-
      A file of JSON lines, each an event as M(falconet.k8s.falco_rules_replay) takes it, on which rules must go on to
      fire.
    type: path
  triggers:
    description:
      - What the role C(verify) fires, as its variable C(verify_triggers) has it. An exception that would silence one is
        refused and names it.
      - The event of a trigger is made of its pod (image, namespace, program) and of the condition of its rule. A
        trigger for which none is found is warned of.
    type: list
    elements: dict
    default: []
  trigger_image:
    description: Image of the pods of O(triggers), as C(verify_trigger_image).
    type: str
    default: docker.io/library/busybox:1.37
  minimum_alerts:
    description: How many alerts of one workload and program are noise.
    type: int
    default: 100
  minimum_share:
    description: Which part of the rule's alerts they must be, 0 to 1.
    type: float
    default: 0.05
  picture_path:
    description: Where to draw who makes the noise, as SVG.
    type: path
  fail_on:
    description:
      - What makes the module fail. V(warning), V(never), or codes such as V(FR013) (a dead exception), which
        C(docs/findings.md) explains.
    type: list
    elements: str
    default: [never]
  sarif_path:
    description: Where to write the findings, at the rules and exceptions, as SARIF.
    type: path
  junit_path:
    description: Where to write a case for each rule as JUnit XML; what O(fail_on) names are its failures.
    type: path
extends_documentation_fragment:
  - falconet.k8s.catalogue
attributes:
  check_mode:
    description: The picture and the reports are not written.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: What would silence last night's noise
  falconet.k8s.falco_exceptions_suggest:
    alerts: alerts.jsonl
    files:
      - rules/
    tests:
      - rules_tests/
    keep: triggers.jsonl
  register: tuning

- name: Exceptions as falco_rules_exceptions takes them
  ansible.builtin.debug:
    var: tuning.exceptions
"""

RETURN = r"""
findings:
  description: Noise, exceptions that would silence it, dead exceptions and unknown rules, where they stand.
  returned: success
  type: list
  elements: dict
  sample:
    - code: FR013
      severity: warning
      file: rules/shell.yaml
      line: 7
      column: 7
      item: rule 'Shell'
      message: no recorded alert meets the exception 'old_backup'
      hint: remove it, unless the Falco that recorded had it
      excerpt: ""
      ruleset: ""
      way: []
alerts:
  description: How many alerts were read.
  returned: success
  type: int
  sample: 33000
skipped:
  description: How many lines held no alert.
  returned: success
  type: int
  sample: 3
noise:
  description: Alerts by rule, namespace, image and program, and who raises which rule (C(loudest)).
  returned: success
  type: dict
  sample:
    rules: [{name: Shell, alerts: 30000}]
    namespaces: [{name: prod, alerts: 30000}]
    images: [{name: registry.example/backup, alerts: 30000}]
    programs: [{name: bash, alerts: 30000}]
    loudest:
      - {rule: Shell, workload: prod/backup, image: registry.example/backup, program: bash, alerts: 30000}
exceptions:
  description: Data for the variable C(falco_rules_exceptions) of the role C(falco_rules).
  returned: success
  type: list
  elements: dict
  sample:
    - rule: Shell
      exceptions:
        - name: suggested_image_program
          fields: [container.image.repository, proc.name]
          comps: ["=", "="]
          values: [[registry.example/backup, bash]]
suggestions:
  description:
    - What each exception does, and how it was proven.
    - >-
      C(silenced) alerts of the recording, C(share) of the rule's; C(others) that it silences besides the noise, with
      C(examples); C(workloads) that it covers; C(tests) that pass and events (C(kept)) that fire with it.
  returned: success
  type: list
  elements: dict
  sample:
    - rule: Shell
      name: suggested_image_program
      fields: [container.image.repository, proc.name]
      values: [[registry.example/backup, bash]]
      silenced: 30000
      share: 0.97
      others: 0
      examples: []
      workloads: 1
      tests: 22
      kept: 1
refused:
  description: Noise that nothing is suggested for, and why.
  returned: success
  type: list
  elements: dict
  sample:
    - {rule: Shell, workload: "", program: sh, alerts: 900, reason: the alerts name neither an image nor a workload}
dead:
  description: Exceptions of the rules that no recorded alert of their rule meets, where the recording can tell.
  returned: success
  type: list
  elements: dict
  sample: [{rule: Shell, exception: old_backup}]
unknown:
  description: Rules that raised alerts and are not among those given.
  returned: success
  type: list
  elements: str
  sample: []
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import refusal
from ansible_collections.falconet.k8s.plugins.module_utils.falco.codes import RECORDED
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import parse_event
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.recorded import suite_of
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import check_fail_on, fails
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loader, RulesFile
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.format import read_tests
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.noise import Noise
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.picture import bars
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.reading import Lines
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.report import tuning_findings
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.suggest import Tuner
from ansible_collections.falconet.k8s.plugins.module_utils.files.catalogue import CATALOGUE, catalogue_of, texts_in
from ansible_collections.falconet.k8s.plugins.module_utils.files.reports import write_reports
from ansible_collections.falconet.k8s.plugins.module_utils.files.rules import write_if_changed
from ansible_collections.falconet.k8s.plugins.module_utils.files.tests import load_ruleset, read_test_files

MOST = 20
TOOL = "falco_exceptions_suggest"
BY = {"namespaces": "k8s.ns.name", "images": "container.image.repository", "programs": "proc.name"}


def tuner_of(params: dict[str, Any], loader: Loader) -> Tuner:
    """The rules with all that must go on to hold for them."""
    contents = {str(name): str(text) for name, text in params["contents"].items()}
    base = [*read_test_files(params["base_files"] or [])]
    base += [RulesFile(str(name), str(text)) for name, text in params["base_contents"].items()]
    own = load_ruleset(loader, "own", params["files"] or [], contents).loaded.files
    files = load_ruleset(loader, "all", params["files"] or [], contents, base).loaded.files if base else own
    tests = []
    for file in read_test_files(params["tests"] or []):
        one, findings = read_tests(file.name, file.text, loader.tables, ["files"])
        for finding in findings:
            raise FalcoError(f"{finding.file}:{finding.line}: {finding.message}")
        tests.append(one)
    keep = []
    if params["keep"] is not None:
        with Path(params["keep"]).open("rb") as lines:
            for number, line in enumerate(lines, 1):
                keep += parse_event(line, number) if line.strip() else []
    return Tuner(loader, files, tests, keep, params["triggers"], params["trigger_image"], own if base else None)


def tables(noise: Noise) -> dict[str, Any]:
    """Who makes the noise."""
    found: dict[str, Any] = {
        "rules": [{"name": name, "alerts": count} for name, count in noise.rules.most_common(MOST)]
    }
    for key, name in BY.items():
        found[key] = [{"name": value, "alerts": count} for value, count in noise.by(name)[:MOST]]
    return {**found, "loudest": [one._asdict() for one in noise.loudest(MOST)]}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "alerts": {"type": "path", "required": True},
            "files": {"type": "list", "elements": "path"},
            "contents": {"type": "dict", "default": {}},
            "base_files": {"type": "list", "elements": "path"},
            "base_contents": {"type": "dict", "default": {}},
            "tests": {"type": "list", "elements": "path"},
            "keep": {"type": "path"},
            "triggers": {"type": "list", "elements": "dict", "default": []},
            "trigger_image": {"type": "str", "default": "docker.io/library/busybox:1.37"},
            "minimum_alerts": {"type": "int", "default": 100},
            "minimum_share": {"type": "float", "default": 0.05},
            "picture_path": {"type": "path"},
            "fail_on": {"type": "list", "elements": "str", "default": ["never"]},
            "sarif_path": {"type": "path"},
            "junit_path": {"type": "path"},
            **CATALOGUE,
        },
        supports_check_mode=True,
    )
    params = module.params
    changed = False
    try:
        check_fail_on(params["fail_on"], RECORDED)
        given = [*(params["base_files"] or ()), *(params["files"] or ())]
        contents = {**params["base_contents"], **params["contents"]}
        loader = Loader(catalogue_of(params, texts_in(given, contents)))
        if loader.catalogue.note:
            module.warn(loader.catalogue.note)
        if params["files"] is None and not params["contents"]:
            raise FalcoError("give the rules that raised the alerts: files, contents, or both")
        tuner = tuner_of(params, loader)
        for name in tuner.untried:
            module.warn(
                f"trigger '{name}': no event of it was found on which its rule fires, so nothing is proven for it"
            )
        reader = Lines(name for source in loader.catalogue.sources.values() for name in source.names())
        noise = Noise()
        with Path(params["alerts"]).open("rb") as lines:
            noise.count(reader.read(lines))
        if not noise.total:
            raise FalcoError(
                f"{params['alerts']}: no alert in it; each is a line of JSON with 'rule' and 'output_fields'"
            )
        result = tuner.suggest(noise, params["minimum_alerts"], params["minimum_share"])
        findings = tuning_findings(result, params["alerts"], tuner.before.loaded)
        failing = fails(findings, params["fail_on"])
        if params["picture_path"] and not module.check_mode:
            changed = write_if_changed(params["picture_path"], bars(noise.loudest(MOST)))
        if not module.check_mode:
            suites = [suite_of(TOOL, sorted(noise.rules), findings, failing, "falco_rules")]
            changed = write_reports(params, TOOL, findings, lambda: suites) or changed
    except FalcoError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror or error}")
    found = {
        "changed": changed,
        "findings": [one.to_dict() for one in findings],
        "alerts": noise.total,
        "skipped": reader.skipped,
        "noise": tables(noise),
        "exceptions": result.exceptions(),
        "suggestions": [one._asdict() for one in result.suggestions],
        "refused": [one._asdict() for one in result.refused],
        "dead": [one._asdict() for one in result.dead],
        "unknown": result.unknown,
    }
    if failing:
        module.fail_json(msg=refusal(failing), **found)
    module.exit_json(**found)


if __name__ == "__main__":
    main()
