#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Falco ruleset as data, and what changed between two."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_rules_info
short_description: A Falco ruleset as data, and what changed since another one
version_added: "0.1.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Describes rules with their resolved conditions, fields, event types, macros, lists and MITRE ATT&CK tags.
  - With O(compare_with), tells what changed and whether that is a major, minor or patch version.
  - Give exactly one of O(files) and O(content).
extends_documentation_fragment:
  - falconet.k8s.ruleset
  - falconet.k8s.catalogue
options:
  compare_with:
    description: An older ruleset, to be compared with this one.
    type: dict
    suboptions:
      files:
        description: As O(files).
        type: list
        elements: path
      content:
        description: As O(content).
        type: str
  page_path:
    description:
      - Where to write the ruleset as one HTML page, for those who review it. It needs neither server nor network.
      - The same ruleset gives the same page.
    type: path
    version_added: 1.0.0
  page_title:
    description: Title of the page.
    type: str
    default: Falco rules
    version_added: 1.0.0
attributes:
  check_mode:
    description: Nothing is changed; O(page_path) is not written.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: What is in the ruleset
  falconet.k8s.falco_rules_info:
    content: |
      - list: shells
        items: [bash, sh]
      - macro: shell_started
        condition: evt.type = execve and proc.name in (shells)
      - rule: Shell
        desc: A shell was started
        condition: shell_started and container.id != host
        output: Shell (command=%proc.cmdline)
        priority: NOTICE
        tags: [mitre_execution, T1059]
    compare_with:
      content: |
        - list: shells
          items: [bash]
  register: ruleset

- name: The ruleset as a page to read
  falconet.k8s.falco_rules_info:
    files:
      - rules/
    page_path: rules.html
    page_title: Rules of the cluster production
"""

RETURN = r"""
rules:
  description: The rules, in order of definition.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the rule.
      type: str
      sample: Shell
    resolved_condition:
      description: The condition with macros and lists written out; null when that is too long.
      type: str
      sample: evt.type = execve and proc.name in (bash, sh) and container.id != host
    fields:
      description: Fields that the condition uses, macros included.
      type: list
      sample: [container.id, evt.type, proc.name]
    output_fields:
      description: Fields that the output prints.
      type: list
      sample: [proc.cmdline]
    event_types:
      description: Event types the rule can hold for; null when they are more than a hundred, or for other sources.
      type: list
      sample: [execve]
    macros:
      description: Macros that the rule uses, directly or through others.
      type: list
      sample: [shell_started]
    mitre_techniques:
      description: MITRE ATT&CK techniques among the tags.
      type: list
      sample: [T1059]
macros:
  description: The macros, with what they use and whether anything uses them.
  returned: success
  type: list
  elements: dict
lists:
  description: The lists, with their items and whether anything uses them.
  returned: success
  type: list
  elements: dict
mitre:
  description: Names of rules by tactic and by technique.
  returned: success
  type: dict
  sample:
    tactics:
      mitre_execution: [Shell]
    techniques:
      T1059: [Shell]
dependencies:
  description: Who uses whom.
  returned: success
  type: list
  elements: dict
  sample:
    - from: rule Shell
      to: macro shell_started
required_engine_version:
  description: The newest engine that the files ask for.
  returned: success
  type: str
  sample: null
required_plugin_versions:
  description: Plugins that the files ask for; of each list of alternatives any will do.
  returned: success
  type: list
  elements: list
  sample: []
comparison:
  description: What changed since O(compare_with).
  returned: with O(compare_with)
  type: dict
  sample:
    verdict: minor
    changes:
      - level: minor
        kind: rule
        name: Shell
        change: added
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.falco.describe.compare import compare
from ansible_collections.falconet.k8s.plugins.module_utils.falco.describe.info import describe
from ansible_collections.falconet.k8s.plugins.module_utils.falco.describe.page import page
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import judge
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.embedded import Embedded, placed, unpacked
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loaded, Loader, RulesFile
from ansible_collections.falconet.k8s.plugins.module_utils.files.catalogue import CATALOGUE, catalogue_of
from ansible_collections.falconet.k8s.plugins.module_utils.files.rules import (
    at_least_one,
    read_rules_files,
    write_if_changed,
)

SOURCE = {"files": {"type": "list", "elements": "path"}, "content": {"type": "str"}}


def files_of(entry: dict[str, Any]) -> tuple[tuple[RulesFile, ...], dict[str, Embedded]]:
    """The rules files of the options `files` or `content`, and which of them were found within other files."""
    if entry["content"] is not None:
        files: tuple[RulesFile, ...] = (RulesFile("content", entry["content"]),)
    else:
        files, unreadable = read_rules_files(at_least_one(entry["files"]))
        for name, reason in unreadable:
            raise FalcoError(f"{name}: {reason}")
    return unpacked(files)


def accepted(loaded: Loaded) -> Loaded:
    """A ruleset; refuse one that Falco would refuse."""
    for result in loaded.results:
        for issue in result.errors:
            raise FalcoError(f"{result.name}: {issue.code}: {issue.text}; see falco_rules_validate")
    return loaded


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **SOURCE,
            "compare_with": {
                "type": "dict",
                "options": SOURCE,
                "mutually_exclusive": [("files", "content")],
                "required_one_of": [("files", "content")],
            },
            "page_path": {"type": "path"},
            "page_title": {"type": "str", "default": "Falco rules"},
            **CATALOGUE,
        },
        mutually_exclusive=[("files", "content")],
        required_one_of=[("files", "content")],
        supports_check_mode=True,
    )
    params = module.params
    try:
        files, inner = files_of(params)
        before = files_of(params["compare_with"])[0] if params["compare_with"] else ()
        known = catalogue_of(params, [file.text for file in (*files, *before)])
        if known.note:
            module.warn(known.note)
        loader = Loader(known)
        loaded = accepted(loader.load(files))
        result = describe(loaded)
        if params["compare_with"]:
            result["comparison"] = compare(accepted(loader.load(before)), loaded)
    except FalcoError as error:
        module.fail_json(msg=str(error))
    changed = False
    if params["page_path"] and not module.check_mode:
        findings = [placed(finding, inner) for finding in judge(loaded)]
        try:
            changed = write_if_changed(params["page_path"], page(result, loaded, findings, params["page_title"]))
        except OSError as error:
            module.fail_json(msg=f"{params['page_path']}: the page cannot be written: {error.strerror or error}")
    module.exit_json(changed=changed, **result)


if __name__ == "__main__":
    main()
