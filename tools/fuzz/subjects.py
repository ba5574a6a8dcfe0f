# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is fuzzed, by name; and what is done with damaged manifests (every question in turn) and rules files."""

from __future__ import annotations

from collections.abc import Callable

import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import Ruleset, validate
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import QUESTIONS, Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import NetpolError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.flows.observed import read_records
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.suggest.suggest import suggest

from tools.fuzz import changes, detection, readers, spoken
from tools.fuzz.subject import CORPUS, Subject, files, rules_files

_LIMIT = 50


def manifests() -> Subject:
    """The cases, recipes and examples of policies, and the analysis."""
    found = []
    for path in sorted((CORPUS / "netpol").rglob("*.yaml")):
        content = yaml.safe_load(path.read_text())
        if isinstance(content, dict) and isinstance(content.get("objects"), list):
            found.append(yaml.safe_dump_all(content["objects"], sort_keys=False))
    found += files("inventory/files/policies/*.yaml", "sandbox/demo/*.yaml")
    return Subject(found, _analyse)


def rules() -> Subject:
    """The cases of Falco's own verdicts and the rules of the sample inventory, and the validation."""
    return Subject(rules_files(), _validate)


SUBJECTS: dict[str, Callable[[], Subject]] = {
    "manifests": manifests,
    "rules": rules,
    "conditions": detection.conditions,
    "rule_tests": detection.rule_tests,
    "events": detection.events,
    "alerts": detection.alerts,
    "audit_policies": detection.audit_policies,
    "values": detection.values,
    "api_servers": readers.api_servers,
    "reports": readers.reports,
    "flows": readers.flows,
    "variables": readers.variables,
    "answers": readers.answers,
    "embedded": changes.embedded,
    "rule_changes": changes.rule_changes,
    "recordings": changes.recordings,
    "quarantines": changes.quarantines,
    "logs": spoken.logs,
    "said_by_falco": spoken.said_by_falco,
    "nodes": spoken.nodes,
    "incidents_kept": spoken.incidents_kept,
    "surveys": spoken.surveys,
    "charts": spoken.charts,
}


def _analyse(number: int, text: str, whole: str) -> None:
    text = text.encode("utf-8", "replace").decode()  # a file that is not UTF-8 is refused before it comes here
    model = load([Input("damaged.yaml", text=text, named=bool(number % 2))], "skip")
    before = load([Input("whole.yaml", text=whole)], "skip")
    question = (*QUESTIONS, "suggest")[number % (len(QUESTIONS) + 1)]
    flow = {"from": {}, "to": {}, "ports": [80, "53/UDP"]}
    try:
        if question == "suggest":
            names = [pod.full_name for pod in model.pods][:3]
            suggest(model, read_records(model, [{"from": names[0], "to": names[-1], "ports": "80"}] if names else []))
            return
        asked = Request(question, source={}, destination={}, limit=_LIMIT)
        answer(asked._replace(required_flows=[flow], forbidden_flows=[flow]), model, before)
    except NetpolError:
        return


def _validate(_number: int, text: str, _whole: str) -> None:
    validate([Ruleset("", (RulesFile("damaged.yaml", text),))])
