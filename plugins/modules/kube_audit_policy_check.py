#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an audit policy of the Kubernetes API server records what Falco rules need, without a cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kube_audit_policy_check
short_description: Whether an audit policy records what Falco rules need
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Reads an audit policy of the Kubernetes API server as the API server does, and names everything that it would
    refuse or pass over, each with its line.
  - Says for each Falco rule for audit events whether the policy records the requests that its condition is about, at
    the stages and with the bodies that it looks into. A rule that never fires is an error that names the policy's rule.
  - A policy that would record the bodies of secrets, tokens or TokenReviews is an error unless O(allow_secret_bodies).
  - Give one of O(policy) and O(preset). Without O(files) and O(content) the policy alone is looked at.
extends_documentation_fragment:
  - falconet.k8s.ruleset
  - falconet.k8s.catalogue
  - falconet.k8s.read_only
options:
  policy:
    description: Path of the audit policy, YAML or JSON.
    type: path
  preset:
    description:
      - An audit policy of this collection in place of O(policy).
      - V(minimal) has no bodies, V(recommended) those that rules look into, V(full) all but those of secrets and
        tokens.
    type: str
    choices: [minimal, recommended, full]
  allow_secret_bodies:
    description: Whether the policy may record the bodies of secrets, tokens and TokenReviews.
    type: bool
    default: false
  requests:
    description: Requests of which RV(decisions) says what is recorded. What is not given is empty.
    type: list
    elements: dict
    default: []
    suboptions:
      verb:
        description: The verb, such as V(create), or of a path the method of HTTP in small letters.
        type: str
        required: true
      user:
        description: Name of the user.
        type: str
        default: ""
      groups:
        description: Groups of the user.
        type: list
        elements: str
        default: []
      path:
        description: The path of a request for no resource, such as V(/healthz).
        type: str
        default: ""
      namespace:
        description: Namespace of the resource.
        type: str
        default: ""
      group:
        description: API group of the resource; empty for the core.
        type: str
        default: ""
      resource:
        description: The resource, such as V(pods).
        type: str
        default: ""
      subresource:
        description: A part of it, such as V(exec).
        type: str
        default: ""
      name:
        description: Name of the object. What is created has none yet.
        type: str
        default: ""
  fail_on:
    description: What makes the module fail. V(error), V(warning) (errors, too), V(never), or codes such as V(FA012).
    type: list
    elements: str
    default: [error]
"""

EXAMPLES = r"""
- name: The recommended policy records what these rules need
  falconet.k8s.kube_audit_policy_check:
    preset: recommended
    content: |
      - rule: Session in a pod
        desc: Somebody opened a shell in a pod
        condition: ka.stage = ResponseStarted and ka.target.resource = pods and ka.target.subresource = exec
        output: Session (user=%ka.user.name pod=%ka.target.name)
        priority: NOTICE
        source: k8s_audit

- name: What is recorded when somebody reads a secret
  falconet.k8s.kube_audit_policy_check:
    preset: full
    requests:
      - {verb: get, resource: secrets, namespace: prod, name: database, user: alice@example.com}
  register: asked
"""

RETURN = r"""
findings:
  description: What is to know, errors first.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: C(FA) and a number; the collection's page on findings explains each.
      type: str
      sample: FA011
    severity:
      description: V(error), V(warning) or V(info).
      type: str
      sample: error
    file:
      description: The policy, or the file of the Falco rule that it is about.
      type: str
      sample: rules/audit.yaml
    line:
      description: Line, from 1; null where there is no place.
      type: int
      sample: 12
    column:
      description: Column, from 1; null where there is no place.
      type: int
      sample: 3
    item:
      description: The rule of the policy or of Falco.
      type: str
      sample: rule 'Session in a pod'
    message:
      description: What is wrong, with the place in the policy.
      type: str
      sample: >-
        rule 'Session in a pod' never fires: the policy records get, create of pods/exec at None (policy.yaml:12)
    hint:
      description: What would be right.
      type: str
      sample: record get, create of pods/exec at Metadata by a rule before policy.yaml:12
rules:
  description: What each enabled rule for audit events gets.
  returned: always
  type: list
  elements: dict
  contains:
    rule:
      description: Name of the rule.
      type: str
      sample: Session in a pod
    verdict:
      description:
        - V(recorded), V(partly) or V(never).
        - V(unknown) for a condition that is too large to be judged.
      type: str
      sample: recorded
    level:
      description: The level that the condition needs.
      type: str
      sample: Metadata
    reasons:
      description: What of it is not recorded, and by which rule of the policy.
      type: list
      elements: str
      sample: []
counts:
  description: How many rules have which verdict.
  returned: always
  type: dict
  sample: {recorded: 46, partly: 0, never: 1, unknown: 0}
decisions:
  description: Of each of O(requests), level and stages that are recorded, and the rule that decides.
  returned: always
  type: list
  elements: dict
  contains:
    level:
      description: V(None), V(Metadata), V(Request) or V(RequestResponse).
      type: str
      sample: Metadata
    stages:
      description: The stages that are recorded.
      type: list
      elements: str
      sample: [ResponseStarted, ResponseComplete, Panic]
    rule:
      description: Where the rule stands that decides; the name of the policy where none matches.
      type: str
      sample: policy.yaml:12
text:
  description: The policy as it was read, such as the preset's, to be written to where the API server reads it.
  returned: always
  type: str
  sample: "apiVersion: audit.k8s.io/v1\n"
"""

from collections import Counter
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.audit.check import VERDICTS, check
from ansible_collections.falconet.k8s.plugins.module_utils.audit.codes import CODES
from ansible_collections.falconet.k8s.plugins.module_utils.audit.errors import AuditError
from ansible_collections.falconet.k8s.plugins.module_utils.audit.model import STAGES, Level, Policy, Request
from ansible_collections.falconet.k8s.plugins.module_utils.audit.presets import PRESETS
from ansible_collections.falconet.k8s.plugins.module_utils.audit.reference import decide
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import refusal
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.findings import findings_of
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import check_fail_on, fails
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.embedded import unpacked
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loaded, RulesFile, load
from ansible_collections.falconet.k8s.plugins.module_utils.files.catalogue import CATALOGUE, catalogue_of
from ansible_collections.falconet.k8s.plugins.module_utils.files.rules import at_least_one, read_rules_files
from ansible_collections.falconet.k8s.plugins.module_utils.files.text import read_text
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError


def ruleset(module: AnsibleModule) -> Loaded | None:
    """The rules, loaded; None where none are given. What Falco refuses ends the module."""
    params = module.params
    if params["content"] is not None:
        files: tuple[RulesFile, ...] = (RulesFile("content", params["content"]),)
    elif params["files"] is not None:
        files, unreadable = read_rules_files(at_least_one(params["files"]))
        if unreadable:
            module.fail_json(msg="; ".join(f"{name}: {reason}" for name, reason in unreadable))
    else:
        return None
    files, _within = unpacked(files)
    known = catalogue_of(params, [file.text for file in files])
    if known.note:
        module.warn(known.note)
    loaded = load(files, known)
    if not loaded.successful:
        module.fail_json(msg=f"Falco refuses the rules: {refusal(findings_of(loaded))}")
    return loaded


def decisions(policy: Policy, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is recorded of the requests that are asked for."""
    found = []
    for one in asked:
        level, omitted, rule = decide(policy, Request(**{**one, "groups": frozenset(one["groups"])}))
        stages = [stage for stage in STAGES if stage not in omitted] if level > Level.NONE else []
        found.append({"level": level.text, "stages": stages, "rule": policy.at(rule)})
    return found


def main() -> None:
    words = ("user", "path", "namespace", "group", "resource", "subresource", "name")
    module = AnsibleModule(
        argument_spec={
            "policy": {"type": "path"},
            "preset": {"type": "str", "choices": list(PRESETS)},
            "files": {"type": "list", "elements": "path"},
            "content": {"type": "str"},
            **CATALOGUE,
            "allow_secret_bodies": {"type": "bool", "default": False},
            "requests": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "verb": {"type": "str", "required": True},
                    "groups": {"type": "list", "elements": "str", "default": []},
                    **{word: {"type": "str", "default": ""} for word in words},
                },
            },
            "fail_on": {"type": "list", "elements": "str", "default": ["error"]},
        },
        mutually_exclusive=[("policy", "preset"), ("files", "content")],
        required_one_of=[("policy", "preset")],
        supports_check_mode=True,
    )
    params = module.params
    try:
        check_fail_on(params["fail_on"], CODES)
        name = params["policy"] or params["preset"]
        text = read_text(params["policy"]) if params["policy"] else PRESETS[params["preset"]]
        checked = check(text, ruleset(module), name, params["allow_secret_bodies"])
    except (AuditError, FalcoError, KubeError) as error:
        module.fail_json(msg=str(error))
    counts = Counter(one.verdict for one in checked.rules)
    result = {
        "findings": [finding.to_dict() for finding in checked.findings],
        "rules": [one.to_dict() for one in checked.rules],
        "counts": {verdict: counts[verdict] for verdict in VERDICTS},
        "decisions": decisions(checked.policy, params["requests"]) if checked.policy else [],
        "text": text,
    }
    failing = fails(checked.findings, params["fail_on"])
    if failing:
        module.fail_json(msg=refusal(failing), **result)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
