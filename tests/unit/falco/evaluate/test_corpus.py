"""The evaluator against what the real Falco answered, event by event, rule by rule, field by field."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.engine import Engine
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import (
    Event,
    event_of,
    events_of,
    parse_event,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.reference import reference_holds

from .corpus import entries, lines, loaded_rules

SYSTEM_CALLS = "system-calls.jsonl.gz"
AUDIT = "audit.jsonl.gz"


def system_calls() -> list[Event]:
    return [event_of(entry, entry["n"], None) for entry in entries(SYSTEM_CALLS) if "fields" in entry]


def audit_line(line: str) -> str:
    """The audit event of a corpus line as it was written, numbers included."""
    start = line.index('{"event": ') + len('{"event": ')
    _event, end = json.JSONDecoder().raw_decode(line, start)
    return line[start:end]


def test_each_rule_fires_on_the_system_calls_on_which_falco_fired_it() -> None:
    engine = Engine(loaded_rules(SYSTEM_CALLS), "all")
    fired: dict[str, list[int]] = defaultdict(list)
    for event in system_calls():
        for rule in engine.matches(event):
            fired[rule.name].append(event.number)
    expected = {entry["rule"]: entry["fired"] for entry in entries(SYSTEM_CALLS) if "rule" in entry}
    assert len(expected) > 250
    assert {rule: fired[rule] for rule in expected} == expected


def test_the_reference_agrees_with_falco_on_system_calls() -> None:
    loaded = loaded_rules(SYSTEM_CALLS)
    compiler = loaded.compiler
    events = system_calls()
    expected = {entry["rule"]: set(entry["fired"]) for entry in entries(SYSTEM_CALLS) if "rule" in entry}
    for number, (name, fired) in enumerate(expected.items()):
        node = compiler.rules[name].node
        for event in events[number % 17 :: 17]:
            holds = reference_holds(compiler.tables["syscall"], compiler.macros, node, event.fields)
            assert holds == (event.number in fired), (name, compiler.rules[name].condition, event.number)


def audit_entries() -> list[tuple[str, dict[str, Any]]]:
    return [(line, entry) for line, entry in zip(lines(AUDIT), entries(AUDIT)) if "event" in entry]


def test_audit_events_have_the_fields_that_falco_printed() -> None:
    compared = 0
    for line, entry in audit_entries():
        events = parse_event(audit_line(line), entry["n"])
        assert len(events) == (1 if entry["delivered"] else 0), entry["n"]
        for event in events:
            wrong = {
                name: (event.fields[name], value)
                for name, value in (entry["fields"] or {}).items()
                if event.fields[name] != value
            }
            assert wrong == {}, entry["n"]
            compared += len(entry["fields"] or {})
    assert compared > 40_000


def test_each_audit_rule_fires_on_the_events_on_which_falco_fired_it() -> None:
    engine = Engine(loaded_rules(AUDIT), "all")
    for line, entry in audit_entries():
        for event in parse_event(audit_line(line), entry["n"]):
            fired = [rule.name for rule in engine.matches(event) if rule.name != "x000"]
            assert sorted(fired) == sorted(set(entry["own"]) - {"x000"}), entry["n"]


def test_alerts_of_other_rules_name_the_values_that_the_event_has() -> None:
    alerts = 0
    for line, entry in audit_entries():
        for alert in entry["alerts"]:
            (event,) = parse_event(audit_line(line), entry["n"])
            assert {name: event.fields[name] for name in alert["output_fields"]} == alert["output_fields"]
            alerts += 1
    assert alerts > 200


@pytest.mark.parametrize("name", [SYSTEM_CALLS, AUDIT])
def test_the_corpus_is_small_enough_for_the_repository(name: str) -> None:
    from .corpus import CORPUS

    assert (CORPUS / name).stat().st_size < 1024 * 1024


def test_plain_values_make_the_same_event_where_numbers_are_plain() -> None:
    line, entry = audit_entries()[1]
    (exact,) = parse_event(audit_line(line), entry["n"])
    (plain,) = events_of(entry["event"], entry["n"])
    assert plain.fields["ka.req.pod.containers.image"] == exact.fields["ka.req.pod.containers.image"]
    assert plain.time_ns == exact.time_ns
