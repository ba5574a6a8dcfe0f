# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged texts of the rest: files of API servers, reports, variables with flows and triggers, answers, probes."""

from __future__ import annotations

import contextlib
import functools
import json
from datetime import datetime, timezone
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.alerts.trigger_problems import problems_of_triggers
from ansible_collections.falconet.k8s.plugins.module_utils.alerts.triggers.choice import (
    chosen_triggers,
    named_triggers,
    problems_of_choice,
)
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.errors import ApiServerError
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.kubeadm import (
    configuration_with_audit,
    configuration_without_audit,
)
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.kubeconfig import access
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.manifest import with_audit, without_audit
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.policy import check_policy
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.rancher import check_settings, flags_of
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.wanted import Settings, wanted
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.alert import alert
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.history import history
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.report import report
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.outputs import build_outputs
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.values import build_values
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import QUESTIONS, Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import NetpolError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.flows.observed import read_records
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.flows.vocabulary import parse_flows
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Model
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.suggest.suggest import suggest
from ansible_collections.falconet.k8s.plugins.module_utils.probe.cluster.cni import configured
from ansible_collections.falconet.k8s.plugins.module_utils.probe.wire.protocol import Target, read
from ansible_collections.falconet.k8s.plugins.module_utils.respond.answer import approved
from ansible_collections.falconet.k8s.plugins.module_utils.respond.errors import RespondError
from ansible_collections.falconet.k8s.plugins.module_utils.respond.ladder import read_ladder
from ansible_collections.falconet.k8s.plugins.module_utils.respond.settings import read_limits
from ansible_collections.falconet.k8s.plugins.module_utils.variables.declared import VariableError, read_variable
from ansible_collections.falconet.k8s.plugins.module_utils.variables.text import NotReadableError, collection

from tools.fuzz.subject import Subject, either, files, options, value_of

NOW = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
AUDIT = wanted(
    Settings("/etc/kubernetes/falconet-audit", {"mode": "batch"}, {"path": "/var/log/a/audit.log"}), "sha256:0"
)
ROLES = ("falco", "verify", "network_policies", "falco_rules", "k8s_audit", "node_prep")
TARGETS = [Target(1, "TCP", "10.0.0.1", 80), Target(2, "UDP", "10.0.0.2", 53)]
_FLOWS = """\
- name: frontend to backend
  from: {namespace: prod, labels: {app: frontend}}
  to: {namespace: prod, labels: {app: backend}}
  ports: ["8080/TCP", 80-90, http]
- {name: out, from: {namespace: prod}, to: {cidr: 0.0.0.0/0}}
- {name: dns, from: {pod: web-0, namespace: prod}, to: {service: kube-dns, namespace: kube-system}, ports: [53/UDP]}
"""
_RECORDS = """\
- {from: prod/frontend, to: prod/backend, ports: 8080/TCP}
- {from: prod/frontend, to: 192.0.2.7, ports: [443]}
"""
_TRIGGERS = """\
verify_catalogue: [file-shown, shadow-read]
verify_triggers_disabled: [packet-socket]
verify_triggers:
- {name: own, rule: Shell in a pod, namespace: prod, command: [/bin/sh, -c, "true"], tty: true, expect_alert: false}
"""
_ANSWER = '{"approve": ["collect", "quarantine"], "incident": "a1", "until": "2026-02-01T12:00:00Z"}'
_LIMITS = (
    '{"pods_per_hour": 3, "share_up": 0.5, "dry_run": true, "approved": ["quarantine"], "protected_namespaces": ["a"]}'
)
_LADDER = """\
- {name: shells, rules: [Shell in a pod], priority: warning, namespaces: [prod], steps: [note, collect, quarantine]}
- {name: rest, tags: [network], steps: [note], approve: [stop]}
"""
_CNI = '{"cniVersion": "1.0.0", "name": "k8s-pod-network", "plugins": [{"type": "calico"}, {"type": "portmap"}]}'
_REPORTED = "T tcp python3 -\nR 1 open 1.25\nR 2 closed 0.5 refused\nX uid no such process\nE\n"


def api_servers() -> Subject:
    """Manifests of API servers, kubeadm's configuration, kubeconfigs, settings of k3s and RKE2: read and edited."""
    return Subject(files("tests/corpus/apiserver/*.yaml"), _edit)


def reports() -> Subject:
    """The report of before, with which a new one is compared."""
    checks = [
        {"stage": stage, "code": "A1", "check": "c", "subject": subject, "status": status, "detail": "d"}
        for stage in ("falco", "verify")
        for subject, status in (("a", "passed"), ("b", "failed"))
    ]
    found = [report(checks[:count], "c", f"2026-01-3{count % 2}T12:00:00Z") for count in (1, 3, 4)]
    return Subject([json.dumps(one) for one in found] + [json.dumps(found[0], indent=1)], _compare)


def flows() -> Subject:
    """Flows that must or may not be, and those that were seen, asked of a model."""
    return Subject([_FLOWS, _RECORDS, *files("inventory/sample/group_vars/clusters/network_policies.yml")], _ask)


def variables() -> Subject:
    """Variables of the inventory: read with their types, then made into values, outputs and triggers."""
    return Subject([_TRIGGERS, *files("inventory/sample/group_vars/*/*.yml")], _configure)


def answers() -> Subject:
    """What people and pods answer: approvals, limits, ladders, CNI configurations, reports of probes."""
    return Subject([_ANSWER, _LIMITS, _LADDER, _CNI, _REPORTED], _read)


@functools.cache
def _model() -> Model:
    return load([Input("workloads.yaml", text=files("sandbox/demo/workloads.yaml")[0])], "skip")


def _edit(number: int, text: str, _whole: str) -> None:
    for what in (
        lambda: without_audit(with_audit(text, "file", AUDIT, bool(number % 2)), "file"),
        lambda: configuration_without_audit(configuration_with_audit(text, "file", AUDIT, bool(number % 2)), "file"),
        lambda: access(text, "file"),
        lambda: flags_of(text, "file"),
        lambda: check_settings(AUDIT, {"/etc/rancher/k3s/config.yaml": text}),
        lambda: check_policy(text, "file"),
    ):
        with contextlib.suppress(ApiServerError):
            what()


def _compare(number: int, text: str, whole: str) -> None:
    text = either(number, text, whole)
    checks = json.loads(whole)["checks"]
    now = report(checks, "c", "2026-02-01T12:00:00Z", previous=text)
    history([text], now)
    alert(now, text)


def _ask(number: int, text: str, _whole: str) -> None:
    found = value_of(text)
    found = found.get("network_policies_required_flows") if isinstance(found, dict) else found
    try:
        parse_flows(found)
        asked = Request(QUESTIONS[number % len(QUESTIONS)], source={}, destination={}, limit=20)
        answer(asked._replace(required_flows=found, forbidden_flows=found), _model(), _model())
    except NetpolError:
        pass
    with contextlib.suppress(NetpolError):
        suggest(_model(), read_records(_model(), found))


def _configure(_number: int, text: str, _whole: str) -> None:
    with contextlib.suppress(NotReadableError):
        collection(text)
    found = value_of(text)
    if not isinstance(found, dict):
        return
    declared = {name: option for role in ROLES for name, option in options(role).items()}
    given = dict[str, Any]()
    for name in found:
        try:
            given[name] = read_variable(name, found[name], declared[name]) if name in declared else None
        except VariableError:
            return
    try:
        build_values(
            {name.removeprefix("falco_"): value for name, value in given.items() if str(name).startswith("falco_")}
        )
        build_outputs(given.get("falco_outputs") or {})
    except FalcoChartError:
        pass
    names, off = given.get("verify_catalogue") or [], given.get("verify_triggers_disabled") or []
    own = given.get("verify_triggers") or []
    problems_of_choice(names, off, own)
    problems_of_triggers(named_triggers(names, off, own), {"Shell in a pod": True}, bool(own))
    chosen_triggers(names, off, own, "default", {})


def _read(number: int, text: str, whole: str) -> None:
    text = either(number, text, whole)
    with contextlib.suppress(RespondError):
        approved(text.encode("utf-8", "replace"), "a1", NOW)
    configured(text, "node: file")
    read(text, TARGETS, {"uid": [1]})
    found = value_of(text)
    with contextlib.suppress(RespondError):
        read_ladder(found)
    with contextlib.suppress(RespondError):
        read_limits(found if isinstance(found, dict) else {})
