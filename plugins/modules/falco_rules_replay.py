#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rules would fire on recorded events, and what a change of the rules changes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_rules_replay
short_description: Which Falco rules fire on recorded events, without Falco
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Evaluates a ruleset on recorded events as Falco would, and returns the alerts, with output and fields.
  - With O(before_files), tells which alerts a change of the rules adds, loses and rewords.
  - With O(explain), tells which part of a rule's condition decided, with the event's values.
  - Give exactly one of O(files) and O(content).
extends_documentation_fragment:
  - falconet.k8s.ruleset
  - falconet.k8s.catalogue
options:
  before_files:
    description: Rules files and directories of an older ruleset, to be compared with this one on the same events.
    type: list
    elements: path
  events:
    description:
      - >-
        A file of JSON lines. Each is a field map, C({"fields": {"evt.type": "execve"}}), a Kubernetes audit event or
        a list of them, or an alert as Falco logs it (with C(output_fields)).
      - A field that is not there has no value. An alert has the fields that its output named, and nothing else.
      - A file that is called C(*.gz) is unpacked as it is read. Of a directory, such as that of the API server's audit
        log, every C(*.log), C(*.json), C(*.jsonl) and C(*.ndjson) is read, with C(.gz) or without, a log's rotated
        parts in the order in which they were written; lines are numbered through all files.
      - A last line that was cut off is left out, with a warning.
    type: path
    required: true
  keep:
    description:
      - Of which events RV(results) are kept. V(alerts) and V(none) let a recording of any length through with little
        memory.
    type: str
    choices: [all, alerts, none]
    default: all
  alerts_path:
    description:
      - Where to write the alerts as JSON lines, in Falco's own form, such as M(falconet.k8s.falco_exceptions_suggest)
        takes them.
    type: path
  source:
    description: The event source of field maps and alerts that do not name theirs.
    type: str
    default: syscall
  rule_matching:
    description: Whether the first rule that holds is reported, which is Falco's default, or all of them.
    type: str
    choices: [first, all]
    default: first
  priority:
    description: Rules that are less urgent than this never fire.
    type: str
    choices: [emergency, alert, critical, error, warning, notice, informational, info, debug]
    default: debug
  append_output:
    description:
      - What Falco appends to outputs, as in falco.yaml.
      - V([]) leaves outputs as they are written; when not given, the fields that plugins suggest are appended, which is
        Falco's default, those of C(k8smeta) where the rules name its fields.
    type: list
    elements: dict
  limit:
    description: How many lines with events are read at most.
    type: int
  explain:
    description: Names of rules; each result says why they fire or not.
    type: list
    elements: str
    default: []
  fail_on:
    description:
      - What makes the module fail. V(warning) (alerts that the change loses or adds), V(never), or codes such as
        V(FR002), which C(docs/findings.md) explains.
    type: list
    elements: str
    default: [never]
  sarif_path:
    description: Where to write the findings, at the rules, as SARIF.
    type: path
  junit_path:
    description: Where to write a case for each rule as JUnit XML; what O(fail_on) names are its failures.
    type: path
attributes:
  check_mode:
    description: Nothing is changed; O(sarif_path), O(junit_path) and O(alerts_path) are not written.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Which of last night's events would raise an alert
  falconet.k8s.falco_rules_replay:
    files:
      - rules.d/
    events: events.jsonl
    rule_matching: all
  register: replayed

- name: What the new rules change, and why a rule does not fire
  falconet.k8s.falco_rules_replay:
    files:
      - rules.d/
    before_files:
      - rules.old/
    events: events.jsonl
    explain: [Shell]
  register: change

- name: What of the API server's audit log would have raised an alert, as a stream
  falconet.k8s.falco_rules_replay:
    files:
      - rules.d/
    events: audit/
    keep: none
    alerts_path: alerts.jsonl

- name: A change of the rules loses no alert of the recording
  falconet.k8s.falco_rules_replay:
    files:
      - rules.d/
    before_files:
      - rules.old/
    events: events.jsonl
    fail_on: [FR002]
    junit_path: replay.xml
    sarif_path: replay.sarif
"""

RETURN = r"""
findings:
  description: A finding a rule - which fire or, with O(before_files), what the change loses, adds and rewords.
  returned: success
  type: list
  elements: dict
  sample:
    - code: FR002
      severity: warning
      file: rules.d/rules.yaml
      line: 5
      column: 3
      item: rule 'Shell'
      message: no longer alerts on 1 event (line 2) of events.jsonl
      hint: ""
      excerpt: ""
      ruleset: ""
      way: []
events:
  description: How many events were evaluated.
  returned: success
  type: int
  sample: 2
dropped:
  description: Numbers of the lines with an audit event that the plugin would drop (without C(kind) or a time).
  returned: success
  type: list
  elements: int
  sample: []
parts:
  description: The files that were read, with the number of the first line of each.
  returned: success
  type: list
  elements: dict
  sample:
    - {file: events.jsonl, line: 1}
torn:
  description: Numbers of the lines that were cut off at the end of their file, and are left out.
  returned: success
  type: list
  elements: int
  sample: []
first_lines:
  description: The first lines on which each rule fires, five at most.
  returned: success
  type: dict
  sample:
    Shell: [1]
results:
  description: What each event raises, in order; with O(keep), not of every event.
  returned: success
  type: list
  elements: dict
  contains:
    event:
      description: The number of the event's line, from 1.
      type: int
      sample: 1
    rules:
      description: Names of the rules that fire.
      type: list
      sample: [Shell]
    alerts:
      description: What Falco would report, in its own form; null stands for a field without a value.
      type: list
      elements: dict
      sample:
        - rule: Shell
          priority: Notice
          source: syscall
          tags: []
          output: "10:00:00.000000000: Notice Shell (command=bash -i)"
          output_fields: {"evt.time": 1767261600000000000, "proc.cmdline": "bash -i"}
          time: "2026-01-01T10:00:00.000000000Z"
    explanations:
      description: Why the rules of O(explain) fire or not; C(says) of each reason is a sentence.
      returned: with O(explain)
      type: list
      elements: dict
counts:
  description: How many events each rule fires on, the most frequent first; rules that never fire are left out.
  returned: success
  type: dict
  sample:
    Shell: 1
changes:
  description: What the rules of O(files) add, lose and reword on these events, compared with O(before_files).
  returned: with O(before_files)
  type: dict
  sample:
    added: []
    lost: []
    reworded: []
"""

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import refusal
from ansible_collections.falconet.k8s.plugins.module_utils.falco.codes import RECORDED
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.engine import APPEND_OUTPUT, Engine
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.replay import replay
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.recorded import replay_findings, suite_of
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import check_fail_on, fails
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.embedded import Embedded, placed, unpacked
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loaded, Loader, RulesFile
from ansible_collections.falconet.k8s.plugins.module_utils.files.catalogue import CATALOGUE, catalogue_of, texts_in
from ansible_collections.falconet.k8s.plugins.module_utils.files.recordings import Recording
from ansible_collections.falconet.k8s.plugins.module_utils.files.reports import write_reports
from ansible_collections.falconet.k8s.plugins.module_utils.files.rules import at_least_one, read_rules_files

PRIORITIES = ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "info", "debug")


TOOL = "falco_rules_replay"


def ruleset_of(
    loader: Loader, params: dict[str, Any], paths: list[str] | None, inner: dict[str, Embedded]
) -> tuple[Loaded, Engine]:
    """Load and compile the rules of some files, or of the option `content`; *inner* gets rules within other files."""
    files: tuple[RulesFile, ...] = (RulesFile("content", params["content"] or ""),)
    if paths is not None:
        files, unreadable = read_rules_files(at_least_one(paths))
        for name, reason in unreadable:
            raise FalcoError(f"{name}: {reason}")
    files, within = unpacked(files)
    inner.update(within)
    loaded = loader.load(files)
    for result in loaded.results:
        for issue in result.errors:
            raise FalcoError(f"{result.name}: {issue.code}: {issue.text}; see falco_rules_validate")
    appended = APPEND_OUTPUT if params["append_output"] is None else params["append_output"]
    return loaded, Engine(loaded, params["rule_matching"], params["priority"], appended)


def replayed(module: AnsibleModule, engine: Engine, before: Engine | None) -> tuple[dict[str, Any], bool]:
    """What the recording shows, and whether its alerts were written; a file of alerts is whole, or as before."""
    params = module.params
    recording = Recording(params["events"])
    given = (recording.lines(), params["source"], params["limit"], before, params["explain"], params["keep"])
    target = Path(params["alerts_path"]) if params["alerts_path"] and not module.check_mode else None
    if target is not None and not target.parent.is_dir():
        raise FalcoError(f"alerts_path: {target.parent} is no directory")
    with ExitStack() as stack:
        if target is None:
            found = replay(engine, *given)
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}."))
            with (Path(folder) / target.name).open("w", encoding="utf-8") as file:
                found = replay(engine, *given, told=lambda alert: file.write(json.dumps(alert) + "\n"))
            (Path(folder) / target.name).replace(target)
    for number in recording.torn:
        module.warn(f"{params['events']}: line {number} was cut off and is left out")
    return {**found, "parts": recording.parts, "torn": recording.torn}, target is not None


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "list", "elements": "path"},
            "content": {"type": "str"},
            "before_files": {"type": "list", "elements": "path"},
            "events": {"type": "path", "required": True},
            "keep": {"type": "str", "choices": ["all", "alerts", "none"], "default": "all"},
            "alerts_path": {"type": "path"},
            "source": {"type": "str", "default": "syscall"},
            "rule_matching": {"type": "str", "choices": ["first", "all"], "default": "first"},
            "priority": {"type": "str", "choices": list(PRIORITIES), "default": "debug"},
            "append_output": {"type": "list", "elements": "dict"},
            "limit": {"type": "int"},
            "explain": {"type": "list", "elements": "str", "default": []},
            **CATALOGUE,
            "fail_on": {"type": "list", "elements": "str", "default": ["never"]},
            "sarif_path": {"type": "path"},
            "junit_path": {"type": "path"},
        },
        mutually_exclusive=[("files", "content")],
        required_one_of=[("files", "content")],
        supports_check_mode=True,
    )
    params = module.params
    try:
        check_fail_on(params["fail_on"], RECORDED)
        if params["limit"] is not None and params["limit"] < 1:
            raise FalcoError("limit: at least 1")
        given = [*(params["files"] or ()), *(params["before_files"] or ())]
        loader = Loader(catalogue_of(params, texts_in(given, {"content": params["content"] or ""})))
        if loader.catalogue.note:
            module.warn(loader.catalogue.note)
        inner: dict[str, Embedded] = {}
        loaded, engine = ruleset_of(loader, params, params["files"], inner)
        old, before = None, None
        if params["before_files"] is not None:
            old, before = ruleset_of(loader, params, params["before_files"], inner)
        found, written = replayed(module, engine, before)
    except FalcoError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{params['events']}: cannot read the events: {error.strerror or error}")
    findings = [placed(one, inner) for one in replay_findings(found, params["events"], loaded, old)]
    failing = fails(findings, params["fail_on"])
    names = [*engine.rules, *(name for name in (before.rules if before else ()) if name not in engine.rules)]
    try:
        changed = not module.check_mode and write_reports(
            params, TOOL, findings, lambda: [suite_of(TOOL, names, findings, failing, "falco_rules")]
        )
    except OSError as error:
        module.fail_json(msg=f"a report cannot be written: {error}")
    result = {"changed": bool(changed or written), "findings": [one.to_dict() for one in findings], **found}
    if failing:
        module.fail_json(msg=refusal(failing), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
