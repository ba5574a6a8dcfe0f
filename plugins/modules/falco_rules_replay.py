#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rules would fire on recorded events, and what a change of the rules changes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_rules_replay
short_description: Which Falco rules fire on recorded events, without Falco
version_added: "0.3.0"
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
  - falconet.k8s.read_only
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
    type: path
    required: true
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
        Falco's default.
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
"""

RETURN = r"""
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
results:
  description: What each event raises, in order.
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

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.engine import APPEND_OUTPUT, Engine
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.replay import replay
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.embedded import unpacked
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loader, RulesFile
from ansible_collections.falconet.k8s.plugins.module_utils.files.rules import read_rules_files

PRIORITIES = ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "info", "debug")


def engine_of(loader: Loader, params: dict[str, Any], paths: list[str] | None) -> Engine:
    """Compile the rules of some files, or of the option `content`."""
    files: tuple[RulesFile, ...] = (RulesFile("content", params["content"] or ""),)
    if paths is not None:
        files, unreadable = read_rules_files(paths)
        for name, reason in unreadable:
            raise FalcoError(f"{name}: {reason}")
    loaded = loader.load(unpacked(files)[0])
    for result in loaded.results:
        for issue in result.errors:
            raise FalcoError(f"{result.name}: {issue.code}: {issue.text}; see falco_rules_validate")
    appended = APPEND_OUTPUT if params["append_output"] is None else params["append_output"]
    return Engine(loaded, params["rule_matching"], params["priority"], appended)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "list", "elements": "path"},
            "content": {"type": "str"},
            "before_files": {"type": "list", "elements": "path"},
            "events": {"type": "path", "required": True},
            "source": {"type": "str", "default": "syscall"},
            "rule_matching": {"type": "str", "choices": ["first", "all"], "default": "first"},
            "priority": {"type": "str", "choices": list(PRIORITIES), "default": "debug"},
            "append_output": {"type": "list", "elements": "dict"},
            "limit": {"type": "int"},
            "explain": {"type": "list", "elements": "str", "default": []},
            "plugins": {"type": "list", "elements": "str"},
            "falco_version": {"type": "str", "default": "0.44"},
        },
        mutually_exclusive=[("files", "content")],
        required_one_of=[("files", "content")],
        supports_check_mode=True,
    )
    params = module.params
    try:
        if params["limit"] is not None and params["limit"] < 1:
            raise FalcoError("limit: at least 1")
        plugins = None if params["plugins"] is None else tuple(params["plugins"])
        loader = Loader(catalogue(params["falco_version"], plugins))
        if loader.catalogue.note:
            module.warn(loader.catalogue.note)
        engine = engine_of(loader, params, params["files"])
        before = None if params["before_files"] is None else engine_of(loader, params, params["before_files"])
        with Path(params["events"]).open("rb") as lines:
            found = replay(engine, lines, params["source"], params["limit"], before, params["explain"])
    except FalcoError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{params['events']}: cannot read the events: {error.strerror or error}")
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
