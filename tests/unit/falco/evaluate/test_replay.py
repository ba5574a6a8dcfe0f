"""A ruleset on recorded events: what fires, on which lines, why, and what a change of the ruleset adds and loses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.engine import Engine
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.replay import ALERTS, MOST_LINES, replay
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load

RULE = "- rule: {}\n  desc: d\n  condition: evt.type = open and proc.name = {}\n  output: {}\n  priority: {}\n"


def engine(*rules: tuple[str, str, str, str]) -> Engine:
    loaded = load([RulesFile("f", "".join(RULE.format(*rule) for rule in rules))])
    assert loaded.successful
    return Engine(loaded, append_output=())


def line(name: str) -> bytes:
    return json.dumps({"fields": {"evt.type": "open", "proc.name": name}}).encode()


DROPPED = b'{"kind": "Event", "auditID": "1"}'
CAT = ("Cat", "cat", "o", "NOTICE")
DOG = ("Dog", "dog", "o", "NOTICE")


def test_alerts_are_counted_with_their_first_lines() -> None:
    told: list[dict[str, Any]] = []
    lines = [line("dog"), b"", line("ls"), *[line("cat")] * (MOST_LINES + 2)]
    found = replay(engine(CAT, DOG), lines, keep=ALERTS, told=told.append)
    assert (found["events"], found["dropped"]) == (MOST_LINES + 4, [])
    assert list(found["counts"].items()) == [("Cat", MOST_LINES + 2), ("Dog", 1)]
    assert found["first_lines"] == {"Dog": [1], "Cat": list(range(4, 4 + MOST_LINES))}
    assert [alert["rule"] for alert in told] == ["Dog", *["Cat"] * (MOST_LINES + 2)]
    assert [result["event"] for result in found["results"]] == [1, *range(4, MOST_LINES + 6)]


def test_an_audit_event_that_the_plugin_drops_is_told() -> None:
    found = replay(engine(CAT), [DROPPED, line("cat")])
    assert (found["events"], found["dropped"]) == (1, [1])
    assert [(result["event"], result["rules"]) for result in found["results"]] == [(1, []), (2, ["Cat"])]
    assert replay(engine(CAT), [DROPPED], keep="none")["results"] == []


def test_only_so_many_lines_are_read_and_blank_ones_do_not_count() -> None:
    assert replay(engine(CAT), [b" ", line("cat"), b"", line("cat"), b"{"], limit=2)["counts"] == {"Cat": 2}


def test_a_line_that_is_no_event_is_named() -> None:
    with pytest.raises(FalcoError, match="event 3: not JSON"):
        replay(engine(CAT), [line("cat"), b"", b"{"])
    with pytest.raises(FalcoError, match="event 1: nested too deeply to be read"):
        replay(engine(CAT), [b'{"fields": ' + b"[" * 100_000])


def test_a_change_adds_loses_and_rewords() -> None:
    before = engine(CAT, DOG, ("Cow", "cow", "o", "NOTICE"))
    after = engine(CAT, ("Dog", "dog", "another", "NOTICE"), ("Fox", "fox", "o", "NOTICE"))
    changes = replay(after, [line(name) for name in ("cat", "dog", "cow", "fox")], before=before)["changes"]
    assert [(one["event"], one["rule"]) for one in changes["added"]] == [(4, "Fox")]
    assert [(one["event"], one["rule"]) for one in changes["lost"]] == [(3, "Cow")]
    (reworded,) = changes["reworded"]
    assert (reworded["event"], reworded["rule"]) == (2, "Dog")
    assert [reworded[key]["output"].split()[-1] for key in ("before", "after")] == ["o", "another"]
    assert "changes" not in replay(after, [])


def test_a_priority_that_changed_is_another_wording() -> None:
    changes = replay(engine(CAT), [line("cat")], before=engine(("Cat", "cat", "o", "ERROR")))["changes"]
    assert [one[key]["priority"] for one in changes["reworded"] for key in ("before", "after")] == ["Error", "Notice"]


def test_each_event_says_why_a_rule_fires_or_not() -> None:
    results = replay(engine(CAT), [line("cat"), line("dog")], explain=["Cat"])["results"]
    fires, silent = (result["explanations"][0] for result in results)
    assert (fires["rule"], fires["fires"], silent["fires"], silent["holds"]) == ("Cat", True, False, False)
    (reason,) = silent["reasons"]
    assert (reason["text"], reason["holds"], reason["values"]) == ("proc.name = cat", False, {"proc.name": "dog"})
    assert "proc.name = cat" in reason["says"]
    with pytest.raises(FalcoError, match="Cut"):
        replay(engine(CAT), [line("cat")], explain=["Cut"])
