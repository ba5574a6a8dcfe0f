#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules files of a site, put together from its own files and from what it says as data, and judged."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_rules_compose
short_description: Rules files of a site from its own files and from data, judged as Falco judges them
version_added: "0.2.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Makes rules files of what a site says as data, such as rules to switch off by name or tag, exceptions, and a
    restriction to namespaces. They are overrides, which stay right when Falco's own rules are updated.
  - Judges all of it as one ruleset, behind what Falco loads before it, and fails where Falco would refuse it, with
    file, line, column and what would be right, as M(falconet.k8s.falco_rules_validate) does.
  - Names and tags that match nothing fail, each with the nearest name.
  - With O(tests), fails where the rules do not do what their tests say, as M(falconet.k8s.falco_rules_test) does.
  - Warns of rules that Falco, where it stops at the first match, may never reach because of an earlier one.
  - Needs no cluster and writes nothing; it returns the files.
extends_documentation_fragment:
  - falconet.k8s.catalogue
options:
  files:
    description:
      - The site's own rules files, or directories whose C(*.yaml) and C(*.yml) are taken. Their names must differ.
        Falco loads them in the order of their names.
      - Rules within another file (Helm values, a ConfigMap or Secret, a C(Rulesfile), Ansible variables, Markdown)
        become a file in RV(files), named after both. Findings are told where the file around them has the rules.
    type: list
    elements: path
    default: []
  cluster_files:
    description: The same for one cluster alone. What does not exist is left out.
    type: list
    elements: path
    default: []
  cluster:
    description: Name of the cluster. A folder of this name in each directory of O(files) is taken as well.
    type: str
  contents:
    description: File name to text of further rules files of the site.
    type: dict
    default: {}
  base_files:
    description: Files and directories with what Falco loads before them, in its order. Goes before O(base).
    type: list
    elements: path
    default: []
  base:
    description:
      - What Falco loads before them, in its order. RV(falconet.k8s.falco_loaded_rules_info#module:files) has this form.
        Files without a text are left out.
      - Without it and O(base_files), names cannot be checked against Falco's own rules; RV(unknown) lists what could
        not be done.
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
        description: Namespaces in which the rules shall fire, or patterns of them, with C(*) and C(?).
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
  upgrade_from:
    description:
      - The Falco version that runs, where O(falco_version) is the one to come. What becomes of the site's rules by
        that is warned of (RV(upgrade)), as M(falconet.k8s.falco_rules_validate) tells it.
      - Nothing where it is empty; of a version without a catalogue, a warning.
    type: str
    version_added: 1.0.0
  tests:
    description:
      - Test files and directories of them, run on RV(testable) by the rules of
        O(falconet.k8s.falco_rules_test#module:contents). C(docs/rule-tests.md) describes their format.
    type: list
    elements: path
    default: []
    version_added: 1.0.0
  warnings_are_errors:
    description: Whether RV(warned) makes the module fail.
    type: bool
    default: false
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
testable:
  description:
    - Those of RV(files) that say what rules do, so without those that switch rules off or say where they may fire.
  returned: success
  type: dict
  version_added: "1.0.0"
tested:
  description: How many cases passed, failed and were skipped, as RV(falconet.k8s.falco_rules_test#module:counts).
  returned: success
  type: dict
  sample: {passed: 12, failed: 0, skipped: 0}
  version_added: "1.0.0"
digests:
  description: File name to the SHA-256 of its text, as Falco's metrics tell it.
  returned: success
  type: dict
findings:
  description:
    - What is to know of the site's rules and of the base, as RV(falconet.k8s.falco_rules_validate#module:findings).
    - Files of the site are named as they were given, those made of data by their names, those of the base by their
      paths.
  returned: when the files could be read
  type: list
  elements: dict
warned:
  description:
    - Warnings on the site's own rules, with their places, and on rules that Falco may never reach.
    - What is found in the base is not among them, since nobody here is its author.
  returned: success
  type: list
  elements: str
upgrade:
  description:
    - With O(upgrade_from), what to know of the site's rules, as RV(falconet.k8s.falco_rules_validate#module:upgrade).
  returned: when the files could be read
  type: list
  elements: dict
disabled:
  description: Rules that are switched off.
  returned: success
  type: list
  elements: str
scoped:
  description:
    - What was done to scope each rule, with C(rule), C(action) (V(append), V(replace), V(skip)) and C(reason).
    - C(silenced) says why the rule never fires any more, if that is proven; otherwise it is empty.
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
  description: Whether each rule is switched on, by its name, those of the base included if RV(base_used).
  returned: success
  type: dict
  sample: {Read of the password hashes: true}
about:
  description:
    - C(enabled), C(priority) and C(tags) of each rule by its name, those of the base included if RV(base_used).
  returned: success
  type: dict
  sample: {Read of the password hashes: {enabled: true, priority: Warning, tags: [T1003, mitre_credential_access]}}
  version_added: "1.0.0"
base_used:
  description: Whether O(base_files) or O(base) was given and could be loaded.
  returned: success
  type: bool
base_digests:
  description: Name of each file of the base to the SHA-256 of its text; empty if the base was not used.
  returned: success
  type: dict
remarks:
  description: What was warned of.
  returned: success
  type: list
  elements: str
unknown:
  description: Options that need Falco's own rules, which are not known.
  returned: success
  type: list
  elements: str
"""

import gc
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import place, refusal
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import Catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.compose import (
    LIMITS,
    Scope,
    WishError,
    Wishes,
    compose,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.scope import (
    LABEL_FIELDS,
    NAMESPACE_FIELDS,
    Target,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.codes import ERROR, SHADOWED, WARNING
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.hiding import hiding_in_words
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import judge
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.embedded import unpacked
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loader, RulesFile
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.report import Report
from ansible_collections.falconet.k8s.plugins.module_utils.falco.upgrade.steps import BROKEN, Step
from ansible_collections.falconet.k8s.plugins.module_utils.falco.upgrade.upgrade import upgrade
from ansible_collections.falconet.k8s.plugins.module_utils.files.catalogue import (
    CATALOGUE,
    catalogue_before,
    catalogue_of,
)
from ansible_collections.falconet.k8s.plugins.module_utils.files.site_rules import PlaceError, read_base, read_site
from ansible_collections.falconet.k8s.plugins.module_utils.files.tests import run_tests


def scope_of(wanted: dict[str, Any] | None) -> Scope | None:
    """The scope that the option asks for; none where nothing is given.

    Raises:
        FalcoError: a label whose value YAML does not read as a text; it would be written otherwise than it is meant.
    """
    if not wanted or not any(wanted[key] for key in ("namespaces", "labels", "containers", "rules", "tags")):
        return None
    for name, value in wanted["labels"].items():
        if isinstance(value, (bool, float)) or value is None:
            raise FalcoError(f"scope.labels: put the value of '{name}' in quotes; without them it is {value!r}")
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


def base_of(params: Mapping[str, Any]) -> tuple[RulesFile, ...] | None:
    """What Falco loads before the site's own files, by its paths, also within other files; None where nobody knows.

    Raises:
        PlaceError: a file that was named cannot be read.
    """
    if params["base_files"]:
        return unpacked(read_base(params["base_files"]))[0]
    if params["base"] is None:
        return None
    return tuple(RulesFile(one["path"] or one["name"], one["content"]) for one in params["base"] if one["content"])


def upgrade_of(
    params: Mapping[str, Any], known: Catalogue, files: Mapping[str, str], base: tuple[RulesFile, ...]
) -> tuple[list[Step], str]:
    """What the way from the version that runs makes of the site's files, or why nobody knows."""
    try:
        texts = [*files.values(), *(one.text for one in base)]
        runs = catalogue_before(params, texts, params["upgrade_from"])
    except FalcoError as error:
        return [], f"what the rules meant to the Falco that runs is not known: {error}"
    if runs.falco == known.falco:
        return [], ""
    steps = upgrade([*base, *(RulesFile(name, text) for name, text in files.items())], runs, known)
    # That the version that runs does not load a rule is no matter of the one to come.
    return [one for one in steps if one.finding.file in files and one.finding.code != BROKEN], ""


def digests(files: Mapping[str, str]) -> dict[str, str]:
    """SHA-256 of each text."""
    return {name: hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest() for name, text in files.items()}


def report_of(params: Mapping[str, Any], known: Catalogue, contents: Mapping[str, str]) -> Report:
    """What the tests say of the site's rules; nothing where there are none.

    Raises:
        FalcoError: a test file cannot be read, or a ruleset that it names is refused.
    """
    if not params["tests"]:
        return Report()
    return run_tests(Loader(known), params["tests"], params["files"] or None, contents)


def main() -> None:
    """Entry point."""
    strings: dict[str, Any] = {"type": "list", "elements": "str", "default": []}
    paths: dict[str, Any] = {"type": "list", "elements": "path", "default": []}
    scope = {
        "namespaces": strings,
        "labels": {"type": "dict", "default": {}},
        "containers": strings,
        "rules": {"type": "raw"},
        "tags": strings,
        "namespace_field": {"type": "str", "choices": list(NAMESPACE_FIELDS), "default": NAMESPACE_FIELDS[0]},
        "label_field": {"type": "str", "choices": list(LABEL_FIELDS), "default": LABEL_FIELDS[0]},
    }
    text = {"type": "str"}
    base = {"name": {"type": "str", "required": True}, "content": text, "path": text, "sha256": text}
    module = AnsibleModule(
        argument_spec={
            "files": paths,
            "cluster_files": paths,
            "cluster": text,
            "contents": {"type": "dict", "default": {}},
            "base_files": paths,
            "base": {"type": "list", "elements": "dict", "options": base},
            "extra": {"type": "list", "elements": "dict", "default": []},
            "disabled": strings,
            "disabled_tags": strings,
            "exceptions": {"type": "list", "elements": "dict", "default": []},
            "scope": {"type": "dict", "options": scope},
            "rule_matching": {"type": "str", "choices": ["first", "all"], "default": "all"},
            "minimum_priority": {"type": "str", "default": "debug"},
            **CATALOGUE,
            "upgrade_from": text,
            "tests": paths,
            "warnings_are_errors": {"type": "bool", "default": False},
            "prefix": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    # Rulesets are many small values that live until the process ends: collecting garbage among them would take most of
    # the time.
    gc.disable()
    params, prefix = module.params, module.params["prefix"]
    known = ("disabled", "disabled_tags", "exceptions", "extra")
    try:
        own = read_site(params["files"], params["cluster_files"], params["cluster"] or "", params["contents"])
        before = base_of(params)
        wishes = Wishes(**{key: tuple(params[key]) for key in known}, scope=scope_of(params["scope"]))
        texts = [*own.texts.values(), *(one.text for one in before or ())]
        fields = catalogue_of(params, texts)
        if fields.note:
            module.warn(fields.note)
        site = compose(own.texts, wishes, before, fields, params["minimum_priority"])
    except (WishError, PlaceError) as error:
        module.fail_json(msg="; ".join(prefix + problem for problem in error.problems))
    except FalcoError as error:
        module.fail_json(msg=str(error))
    findings = [own.placed(one) for one in judge(site.loaded)]
    told = [finding.to_dict() for finding in findings]
    steps: list[Step] = []
    unjudged = ""
    if params["upgrade_from"]:
        beneath = before if before is not None and not site.base_problem else ()
        steps, unjudged = upgrade_of(params, fields, site.files, beneath)
        steps = [replace(one, finding=own.placed(one.finding)) for one in steps]
    upgrading = [
        f"{place(one.finding)}: {one.finding.code}: {one.finding.item}: {one.finding.message}"
        + (f"; write {one.key}: {one.instead}" if one.instead else "")
        for one in steps
    ]
    for remark in [*upgrading, *([unjudged] if unjudged else [])]:
        module.warn(remark)
    ways = [one.to_dict() for one in steps]
    errors = [finding for finding in findings if finding.severity == ERROR]
    if errors:
        module.fail_json(msg=refusal(errors), findings=told, upgrade=ways)
    files = own.rolled_out(site.files)
    testable = {name: text for name, text in files.items() if name not in LIMITS}
    hidden = hiding_in_words(site.hidden) if params["rule_matching"] == "first" else []
    remarks = [f"Falco's own rules are left out of this judgement: {site.base_problem}"] if site.base_problem else []
    remarks += [
        f"{prefix}scope: rule '{one.rule}' still fires everywhere: {one.reason}"
        for one in site.decisions
        if one.action == "skip"
    ]
    remarks += [
        f"{prefix}scope: rule '{one.rule}' never fires any more: {one.silenced}"
        for one in site.decisions
        if one.silenced
    ]
    remarks += hidden
    foreign = {file.name for file in before or ()}
    # Rules that earlier ones hide have words of their own, and only where Falco stops at the first match.
    warned = [
        f"{place(one)}: {one.code}: {one.item}: {one.message}"
        for one in findings
        if one.severity == WARNING and one.code != SHADOWED and one.file not in foreign
    ]
    for remark in [*remarks, *warned]:
        module.warn(remark)
    warned += hidden + upgrading
    if warned and params["warnings_are_errors"]:
        module.fail_json(msg=f"{prefix}warnings_are_errors is set: {'; '.join(warned)}", findings=told, upgrade=ways)
    try:
        report = report_of(params, fields, testable)
    except FalcoError as error:
        module.fail_json(msg=f"{prefix}tests: {error}", findings=told, upgrade=ways)
    if report.failures:
        told += [finding.to_dict() for finding in report.failures]
        module.fail_json(msg=refusal(report.failures), findings=told, upgrade=ways)
    used = before is not None and not site.base_problem
    module.exit_json(
        changed=False,
        files=files,
        testable=testable,
        tested=report.to_data()["counts"],
        digests=digests(files),
        generated=list(site.generated),
        findings=told,
        warned=warned,
        upgrade=ways,
        disabled=list(site.disabled),
        scoped=[
            {"rule": one.rule, "action": one.action, "reason": one.reason, "silenced": one.silenced}
            for one in site.decisions
        ],
        hidden=[
            {"rule": one.rule, "by": one.by, "always": one.always, "events": list(one.events)} for one in site.hidden
        ],
        unknown=[prefix + name for name in site.unknown],
        rules=dict(site.rules),
        about={
            name: {"enabled": enabled, "priority": rule.priority, "tags": sorted(rule.tags)}
            for name, enabled in site.rules.items()
            for rule in (site.loaded.collector.rules[name],)
        },
        remarks=remarks,
        base_used=used,
        base_digests=digests({Path(one.name).name: one.text for one in before or ()}) if used else {},
    )


if __name__ == "__main__":
    main()
