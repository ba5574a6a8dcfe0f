#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules files of a site, put together from its own files and from what it says as data."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_rules_compose
short_description: Rules files of a site from its own files and from data
version_added: "0.2.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Makes rules files of what a site says as data, such as rules to switch off by name or tag, exceptions, and a
    restriction to namespaces. They are overrides, which stay right when Falco's own rules are updated.
  - Names and tags that match nothing fail, each with the nearest name.
  - Warns of rules that Falco, where it stops at the first match, may never reach because of an earlier one.
  - Needs no cluster and writes nothing; it returns the files.
options:
  files:
    description: File name to text of the site's own rules files.
    type: dict
    default: {}
  base:
    description:
      - What Falco loads before them, in its order. RV(falconet.k8s.falco_loaded_rules_info#module:files) has this form.
      - Without it, names cannot be checked against Falco's own rules; RV(unknown) lists what could not be done.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the file.
        type: str
        required: true
      content:
        description: Its text.
        type: str
        required: true
      path:
        description: Where Falco has it.
        type: str
      sha256:
        description: The digest of the text.
        type: str
  extra:
    description: Rules, macros and lists as data.
    type: list
    elements: dict
    default: []
  disabled:
    description: Names of rules to switch off.
    type: list
    elements: str
    default: []
  disabled_tags:
    description: Rules with any of these tags are switched off, too.
    type: list
    elements: str
    default: []
  exceptions:
    description:
      - Exceptions to add to rules, each with C(rule) and C(exceptions), a list of C(name), C(fields), C(comps) and
        C(values) as in a rule. For an exception that the rule has already, C(name) and C(values) suffice.
    type: list
    elements: dict
    default: []
  scope:
    description: Where rules shall fire. All that is given must hold.
    type: dict
    suboptions:
      namespaces:
        description: Namespaces in which the rules shall fire.
        type: list
        elements: str
        default: []
      labels:
        description: Pod labels, value by name.
        type: dict
        default: {}
      containers:
        description: Patterns of container names, with C(*) and C(?).
        type: list
        elements: str
        default: []
      rules:
        description:
          - V(all), V(own) for those that O(files) and O(extra) define, or a list of names and patterns (C(*), C(?)).
          - All, when there are no O(scope.tags) either.
        type: raw
      tags:
        description: Rules with any of these tags.
        type: list
        elements: str
        default: []
      namespace_field:
        description: The field that holds the namespace.
        type: str
        choices: [k8s.ns.name, k8smeta.ns.name]
        default: k8s.ns.name
      label_field:
        description: The field that holds pod labels.
        type: str
        choices: [k8s.pod.label, k8smeta.pod.label]
        default: k8s.pod.label
  rule_matching:
    description: Falco's setting. With V(first), rules that an earlier one hides are warned of.
    type: str
    choices: [first, all]
    default: all
  minimum_priority:
    description: Falco's C(priority); rules below it are not loaded and hide nothing.
    type: str
    default: debug
  falco_version:
    description: The Falco version whose fields and event types count.
    type: str
    default: "0.44"
  prefix:
    description: Put before the names of options in messages, such as the beginning of a role's variables.
    type: str
    default: ""
attributes:
  check_mode:
    description: Nothing is ever changed.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Our rules fire in namespace prod only, and one of them spares the backup
  falconet.k8s.falco_rules_compose:
    files:
      site.yaml: |
        - rule: Read of the password hashes
          desc: Somebody read them.
          condition: evt.type in (open, openat, openat2) and fd.name = /etc/shadow
          output: Password hashes were read (command=%proc.cmdline)
          priority: WARNING
    exceptions:
      - rule: Read of the password hashes
        exceptions:
          - name: backup
            fields: [proc.name]
            comps: ["="]
            values: [[tar]]
    scope:
      namespaces: [prod]
      rules: own
  register: site
"""

RETURN = r"""
files:
  description: File name to text, the site's own and those made of data.
  returned: success
  type: dict
generated:
  description: Names of those made of data.
  returned: success
  type: list
  elements: str
  sample: [zz-exceptions.yaml, zz-scope.yaml]
judged:
  description: Whether the files load. If not, falco_rules_validate says why, and nothing was scoped or checked.
  returned: success
  type: bool
  sample: true
disabled:
  description: Rules that are switched off.
  returned: success
  type: list
  elements: str
scoped:
  description: What was done to scope each rule, with C(rule), C(action) (V(append), V(replace), V(skip)) and C(reason).
  returned: success
  type: list
  elements: dict
hidden:
  description:
    - Rules of the site's own that an earlier one hides where Falco stops at the first match, with C(rule), C(by),
      C(always) (proven, else it may) and C(events).
  returned: success
  type: list
  elements: dict
rules:
  description:
    - Whether each rule is switched on, by its name, those of O(base) included if RV(base_used).
    - Empty if the files do not load.
  returned: success
  type: dict
  sample: {Read of the password hashes: true}
base_used:
  description: Whether O(base) was given and could be loaded.
  returned: success
  type: bool
remarks:
  description: What was warned of.
  returned: success
  type: list
  elements: str
unknown:
  description: Options that need Falco's own rules, which O(base) does not give.
  returned: success
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.compose import Scope, WishError, Wishes, compose
from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.scope import (
    LABEL_FIELDS,
    NAMESPACE_FIELDS,
    Target,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.hiding import hiding_in_words
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile


def scope_of(wanted: dict[str, Any] | None) -> Scope | None:
    """The scope that the option asks for; none where nothing is given."""
    if not wanted or not any(wanted[key] for key in ("namespaces", "labels", "containers", "rules", "tags")):
        return None
    where = ("namespaces", "containers")
    target = Target(
        **{key: tuple(wanted[key]) for key in where},
        labels={key: str(value) for key, value in wanted["labels"].items()},
        namespace_field=wanted["namespace_field"],
        label_field=wanted["label_field"],
    )
    rules = wanted["rules"] or ""
    named = tuple(str(name) for name in rules) if isinstance(rules, list) else str(rules)
    return Scope(target, named, tuple(wanted["tags"]))


def main() -> None:
    """Entry point."""
    strings: dict[str, Any] = {"type": "list", "elements": "str", "default": []}
    scope = {
        "namespaces": strings,
        "labels": {"type": "dict", "default": {}},
        "containers": strings,
        "rules": {"type": "raw"},
        "tags": strings,
        "namespace_field": {"type": "str", "choices": list(NAMESPACE_FIELDS), "default": NAMESPACE_FIELDS[0]},
        "label_field": {"type": "str", "choices": list(LABEL_FIELDS), "default": LABEL_FIELDS[0]},
    }
    text = {"type": "str", "required": True}
    base = {"name": text, "content": text, "path": {"type": "str"}, "sha256": {"type": "str"}}
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "dict", "default": {}},
            "base": {"type": "list", "elements": "dict", "options": base},
            "extra": {"type": "list", "elements": "dict", "default": []},
            "disabled": strings,
            "disabled_tags": strings,
            "exceptions": {"type": "list", "elements": "dict", "default": []},
            "scope": {"type": "dict", "options": scope},
            "rule_matching": {"type": "str", "choices": ["first", "all"], "default": "all"},
            "minimum_priority": {"type": "str", "default": "debug"},
            "falco_version": {"type": "str", "default": "0.44"},
            "prefix": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    params, prefix = module.params, module.params["prefix"]
    known = ("disabled", "disabled_tags", "exceptions", "extra")
    files = None if params["base"] is None else [RulesFile(one["name"], one["content"]) for one in params["base"]]
    try:
        wishes = Wishes(**{key: tuple(params[key]) for key in known}, scope=scope_of(params["scope"]))
        fields = catalogue(params["falco_version"])
        site = compose(params["files"], wishes, files, fields, params["minimum_priority"])
    except WishError as error:
        module.fail_json(msg="; ".join(prefix + problem for problem in error.problems))
    except FalcoError as error:
        module.fail_json(msg=str(error))
    remarks = [f"Falco's own rules are left out of this judgement: {site.base_problem}"] if site.base_problem else []
    remarks += [
        f"{prefix}scope: rule '{one.rule}' still fires everywhere: {one.reason}"
        for one in site.decisions
        if one.action == "skip"
    ]
    remarks += hiding_in_words(site.hidden) if params["rule_matching"] == "first" else []
    for remark in remarks:
        module.warn(remark)
    module.exit_json(
        changed=False,
        files=site.files,
        generated=list(site.generated),
        judged=site.judged,
        disabled=list(site.disabled),
        scoped=[{"rule": one.rule, "action": one.action, "reason": one.reason} for one in site.decisions],
        hidden=[
            {"rule": one.rule, "by": one.by, "always": one.always, "events": list(one.events)} for one in site.hidden
        ],
        unknown=[prefix + name for name in site.unknown],
        rules=dict(site.rules),
        remarks=remarks,
        base_used=files is not None and not site.base_problem,
    )


if __name__ == "__main__":
    main()
