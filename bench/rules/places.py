#!/usr/bin/env python3
"""What the places of findings cost: rulesets judged with them and without, as CPU time of one process.

Usage:
    python3 bench/rules/places.py [--rules 10000] [--repeat 3]

Without means: each finding stands where Falco says that it is. The bound is for the ruleset as it is, which has no
finding, and for one with a finding in each rule. Exit status 1 when it is missed.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "build" / "collections")]

from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.findings import findings_of
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.positions import Place, Places
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.result import Issue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load

from bench.rules.generate import ruleset

FACTOR = 1.3


def as_falco(_places: Places, issue: Issue) -> list[Place]:
    """Where Falco says that something is."""
    mark = issue.context.locations[-1].mark
    return [Place(issue.context.file, mark.line + 1, mark.column + 1)]


def seconds(text: str, repeat: int) -> tuple[float, int]:
    """The least CPU time of several judgements, and how many findings there are."""
    best, count = float("inf"), 0
    for _ in range(repeat):
        gc.collect()
        start = time.process_time()
        count = len(findings_of(load([RulesFile("rules.yaml", text)])))
        best = min(best, time.process_time() - start)
    return best, count


def ratio(text: str, repeat: int) -> tuple[float, str]:
    """How many times as long it takes with places, and a line about it."""
    with mock.patch.object(Places, "of", as_falco):
        without, _ = seconds(text, repeat)
    took, count = seconds(text, repeat)
    return took / without, f"{count} findings: {without:.2f} s without places, with them {took / without:.2f} times"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rules", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    text = ruleset(options.rules)
    gc.disable()
    missed = False
    for name, rules in (
        (f"{options.rules} rules", text),
        ("one in each", text.replace("evt.type in", "evt.dir = < and evt.type in")),
    ):
        factor, line = ratio(rules, options.repeat)
        print(f"{name}, {line} (bound {FACTOR:g}){'' if factor <= FACTOR else '  MISSED'}")
        missed = missed or factor > FACTOR
    sys.exit(missed)


if __name__ == "__main__":
    main()
