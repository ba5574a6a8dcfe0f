#!/usr/bin/env python3
"""How fast rules are evaluated, beside the plain walk over the same conditions in the same run.

Usage:
    python3 bench/evaluate/run.py [--rules 100] [--events 10000] [--repeat 3]

The machine's speed cancels out: every bound is a ratio of two measurements of one run. Exit status 1 when one is
missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "build" / "collections")]

from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.engine import Engine
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import Event, parse_event
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.reference import reference_holds
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loaded, RulesFile, load

from bench.cpu import cpu_seconds
from bench.evaluate.generate import events, ruleset

FASTER = 10.0
OTHER_RULES = 1000
OTHER_RULES_COST = 1.5
SAMPLE = 20
"""The walk sees every so-manieth event, or the run would take minutes."""


def loaded(text: str) -> Loaded:
    result = load([RulesFile("bench.yaml", text)])
    if not result.successful:
        sys.exit(f"the generated rules do not load: {[issue.message for issue in result.results[0].errors]}")
    return result


def fresh(maps: list[dict[str, object]]) -> list[Event]:
    """Events that no rule has seen yet."""
    return [Event("syscall", dict(fields), number) for number, fields in enumerate(maps, 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rules", type=int, default=100)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    missed: list[str] = []

    def judge(what: str, value: float, bound: float, at_least: bool) -> None:
        fine = value >= bound if at_least else value <= bound
        print(f"{what}: {value:.1f} ({'at least' if at_least else 'at most'} {bound:g}){'' if fine else '  MISSED'}")
        if not fine:
            missed.append(what)

    rules = loaded(ruleset(options.rules))
    maps = events(options.events)
    table, macros = rules.compiler.tables["syscall"], rules.compiler.macros
    start = time.process_time()
    engine = Engine(rules, "all")
    print(f"{options.rules} rules compiled in {time.process_time() - start:.2f} s")

    # one rule, on the events of its types only, so that more than the first comparison is evaluated
    rule = next(iter(engine.rules.values()))
    node = rules.compiler.rules[rule.name].node
    of_its_types = [fields for fields in maps if fields["evt.type"] in ("execve", "execveat")]
    seen = fresh(of_its_types)
    ours = cpu_seconds(lambda: [rule.test(event.fields) for event in seen], options.repeat) / len(seen)
    walked = fresh(of_its_types[::SAMPLE])
    walk = cpu_seconds(
        lambda: [reference_holds(table, macros, node, event.fields) for event in walked], options.repeat
    ) / len(walked)
    print(f"one rule: {1 / ours:,.0f} evaluations a second, the walk {1 / walk:,.0f}")
    judge("one rule, times as fast as the walk", walk / ours, FASTER, True)

    # all rules on all events, each event seen for the first time
    best = float("inf")
    fired = 0
    for _ in range(options.repeat):
        seen = fresh(maps)
        start = time.process_time()
        fired = sum(len(engine.matches(event)) for event in seen)
        best = min(best, time.process_time() - start)
    walked = fresh(maps[::SAMPLE])
    nodes = [compiled.node for compiled in rules.compiler.rules.values()]
    start = time.process_time()
    for event in walked:
        for each in nodes:
            reference_holds(table, macros, each, event.fields)
    walk = (time.process_time() - start) * len(maps) / len(walked)
    print(
        f"{options.rules} rules on {len(maps)} events: {best:.2f} s, {len(maps) / best:,.0f} events a second, "
        f"{fired} alerts; the walk {walk:.0f} s"
    )
    judge("all rules, times as fast as the walk", walk / best, FASTER, True)

    # rules that cannot hold for an event's type
    few = Engine(loaded(ruleset(4)), "all")
    others = "".join(
        f"- rule: Other {number}\n  desc: d\n  condition: evt.type = mount and proc.name = p{number}\n"
        "  output: o\n  priority: INFO\n"
        for number in range(OTHER_RULES)
    )
    many = Engine(loaded(ruleset(4) + others), "all")
    seen = fresh(maps)
    for event in seen:
        many.matches(event)
    alone = cpu_seconds(lambda: [few.matches(event) for event in seen], options.repeat)
    together = cpu_seconds(lambda: [many.matches(event) for event in seen], options.repeat)
    judge(f"{OTHER_RULES} rules of another event type, times as slow", together / alone, OTHER_RULES_COST, False)

    lines = [json.dumps({"fields": fields}) for fields in maps]
    reading = cpu_seconds(lambda: [parse_event(line) for line in lines], options.repeat)
    print(f"reading field maps: {len(lines) / reading:,.0f} a second")
    if missed:
        sys.exit(f"missed: {'; '.join(missed)}")


if __name__ == "__main__":
    main()
