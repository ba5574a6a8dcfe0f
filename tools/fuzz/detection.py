# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged texts of detection: conditions, tests of rules, events, alerts, audit policies, Helm values."""

from __future__ import annotations

import contextlib
import functools
import json
import re
from typing import Any

import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.alerts.cursor import read_positions
from ansible_collections.falconet.k8s.plugins.module_utils.alerts.reading import AlertsError, read_line
from ansible_collections.falconet.k8s.plugins.module_utils.alerts.triggers.script import read_done
from ansible_collections.falconet.k8s.plugins.module_utils.audit.check import check
from ansible_collections.falconet.k8s.plugins.module_utils.audit.errors import AuditError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.parser import parse
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.printer import to_text
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.engine import ALL, Engine
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import Event, parse_event
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loaded, Loader, RulesFile
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.format import read_tests
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.run import Ruleset, check_names, run
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.reading import Lines
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.chart import Chart
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.check import check_values
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.importing.imported import import_values
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.importing.source import read_values
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.importing.text import group_vars, vault_vars
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.files.chart import read_chart
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.watch.records import records
from ansible_collections.falconet.k8s.plugins.module_utils.respond.alert import decode, read_alert
from ansible_collections.falconet.k8s.plugins.module_utils.respond.errors import RespondError

from tools.fuzz.subject import ROOT, Subject, either, files, recorded, rules_files

LOADER = Loader()
#: Events that conditions are tried on.
EVENTS = 20
#: Cases of a text with tests: what is read costs more than what is tried.
CASES = 3
#: Lines of recordings that are damaged.
LINES = 300
_DONE = "falconet-trigger 1 began 1764324000.25\nfalconet-trigger 1 ended 1764324001.5 0\n"


def conditions() -> Subject:
    """Conditions and outputs of rules: parsed, printed and parsed again, and evaluated on events."""
    found = []
    for text in rules_files():
        found += re.findall(r"^ *(?:condition|output): +(.+)$", text, re.MULTILINE)
    for entry in recorded("falco/evaluate/system-calls.jsonl.gz")[:LINES]:
        found += re.findall(r'^ *condition: "(.+)"$', entry.get("text", ""), re.MULTILINE)
    return Subject(found, _evaluate)


def rule_tests() -> Subject:
    """Tests of rules: read, and run where they can be."""
    found = []
    for text in files("inventory/files/rules_tests/*.yaml", "inventory/files/audit_rules_tests/*.yaml"):
        head, begin, rest = text.partition("\ncases:\n")
        cases = re.split(r"^(?=  - name: )", rest, flags=re.MULTILINE)[1:]
        found += [head + begin + "".join(cases[place : place + CASES]) for place in range(0, len(cases), CASES)]
    return Subject(found, _test)


def events() -> Subject:
    """System calls' fields, audit events, and alerts, a line each: read, and rules evaluated on them."""
    return Subject([*alert_lines(), *_event_lines()], _replay)


def alerts() -> Subject:
    """Lines of Falco's and receivers' logs, cursors, and what triggers print, as the proof and responses read them."""
    cursor = json.dumps(
        {"format": 1, "source": "falco", "streams": {"a": {"last": 1, "seen": {"d": [1, 2]}, "about": {}}}}
    )
    return Subject([*alert_lines(), cursor, _DONE], _read_alert)


def audit_policies() -> Subject:
    """Audit policies, held against rules."""
    found = [entry["policy"] for entry in recorded("audit/policies.jsonl.gz")]
    return Subject(found + [yaml.safe_dump(json.loads(text)) for text in found[:LINES]], _check_policy)


def values() -> Subject:
    """Helm values of each age: imported into variables of the role, and held against a chart."""
    found = files("tests/unit/falco_chart/importing/values/*", "sandbox/standins/charts/falco/values.yaml")
    return Subject(found, _import)


@functools.cache
def _ruleset() -> Loaded:
    texts = files("inventory/files/rules/*.yaml", "inventory/files/audit_rules/*.yaml")
    return LOADER.load([RulesFile(f"{number}.yaml", text) for number, text in enumerate(texts)])


@functools.cache
def _engine() -> Engine:
    return Engine(_ruleset(), ALL)


@functools.cache
def _tested() -> Ruleset:
    return Ruleset("files", _ruleset())


@functools.cache
def _chart() -> Chart:
    return read_chart(str(ROOT / "sandbox" / "standins" / "charts" / "falco"))


@functools.cache
def _samples() -> tuple[Event, ...]:
    return tuple(event for line in _event_lines()[:EVENTS] for event in parse_event(line))


def _event_lines() -> list[str]:
    found = []
    for name in ("system-calls", "audit"):
        entries = [entry for entry in recorded(f"falco/evaluate/{name}.jsonl.gz") if "fields" in entry][:LINES]
        found += [json.dumps({"source": "syscall", "fields": entry["fields"]}) for entry in entries if name != "audit"]
        found += [json.dumps(entry["event"]) for entry in entries if "event" in entry]
    return found


def alert_lines() -> list[str]:
    """Alerts as Falco logs them, and as a receiver keeps them."""
    found = []
    for entry in recorded("falco/evaluate/audit.jsonl.gz")[:LINES]:
        for told in entry.get("alerts", ()):
            fields = {"k8s.ns.name": "prod", "k8s.pod.name": "web-0", "fd.name": "10.0.0.1:40000->10.0.0.2:80"}
            alert = {**told, "output_fields": {**told["output_fields"], **fields}, "source": "k8s_audit", "tags": ["a"]}
            alert |= {"time": "2026-01-31T12:00:00.000000000Z", "output": "Warning | a=b", "hostname": "n"}
            found.append(json.dumps(alert))
            received = {"received": "2026-01-31T12:00:00.02Z", "destination": "webhook", "text": "", "alert": alert}
            found.append(json.dumps(received))
    return found[:LINES]


def _evaluate(number: int, text: str, _whole: str) -> None:
    try:
        again = to_text(parse(text))
        if to_text(parse(again)) != again:
            raise AssertionError(f"printed as {again!r}, which is printed otherwise")
    except FalcoError:
        pass
    condition, output = (text, "o") if number % 4 else ("evt.type = open", text)
    rule = {"rule": "R", "desc": "d", "condition": condition, "output": output, "priority": "INFO"}
    loaded = LOADER.load([RulesFile("damaged.yaml", json.dumps([rule]))])
    if loaded.successful:
        engine = Engine(loaded, ALL)
        for event in _samples():
            engine.alerts(event)
            if "R" in engine.rules:
                engine.explain("R", event)


def _test(_number: int, text: str, _whole: str) -> None:
    tests, findings = read_tests("damaged.yaml", text, LOADER.tables, ["files"])
    if not findings and not check_names(tests, "files", _tested()):
        run(tests, "files", _tested())


def _replay(number: int, text: str, whole: str) -> None:
    text = either(number, text, whole)
    for place, line in enumerate(text.splitlines(), 1):
        try:
            for event in parse_event(line, place):
                _engine().alerts(event)
        except FalcoError:
            pass
    found = list(Lines(("fd.name", "proc.name")).read(text.encode("utf-8", "replace").splitlines()))
    records([alert._asdict() for alert in found])


def _read_alert(number: int, text: str, whole: str) -> None:
    text = either(number, text, whole)
    for line in text.splitlines():
        read_line(line)
        try:
            found: Any = decode(line)
            read_alert(found)
        except RespondError:
            pass
    read_done(text)
    with contextlib.suppress(AlertsError):
        read_positions(text, "falco")


def _check_policy(number: int, text: str, whole: str) -> None:
    text = either(number, text, whole)
    with contextlib.suppress(AuditError):
        check(text, _ruleset() if number % 2 else None, secret_bodies=bool(number % 3))


def _import(_number: int, text: str, _whole: str) -> None:
    try:
        found = read_values(text)
        imported = import_values(found, _chart())
        group_vars(imported)
        vault_vars(imported)
        check_values(found, _chart())
    except FalcoChartError:
        pass
