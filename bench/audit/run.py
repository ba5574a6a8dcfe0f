#!/usr/bin/env python3
"""How fast the rules for audit events are matched, beside the parse of the same lines, and how much memory a log needs.

Usage:
    python3 bench/audit/run.py [--events 10000] [--repeat 3] [--megabytes 0]

The machine's speed cancels out: the time is a ratio of two measurements of one run. With --megabytes, a log of that
size is replayed in a process of its own, whose memory is bounded. Exit status 1 when a bound is missed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "build" / "collections")]

from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.engine import Engine
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import parse_event
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.replay import replay
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load
from ansible_collections.falconet.k8s.plugins.module_utils.files.recordings import Recording

from bench.audit.generate import lines
from bench.cpu import cpu_seconds

RULES = ROOT / "inventory" / "files" / "audit_rules"
MOST_TIMES = 30.0
MOST_MB = 100
CHUNK = 10_000


def engine() -> Engine:
    """The shipped rules."""
    loaded = load([RulesFile(path.name, path.read_text()) for path in sorted(RULES.glob("*.yaml"))])
    if not loaded.successful:
        sys.exit("the shipped rules do not load")
    return Engine(loaded, "all")


def replay_file(path: str) -> None:
    """Replay a log as the module does with keep: none, and say how much memory that took."""
    start = time.process_time()
    found = replay(engine(), Recording(path).lines(), keep="none")
    seconds = time.process_time() - start
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"events": found["events"], "seconds": seconds, "used_mb": used}))


def memory(megabytes: int) -> int:
    """Megabytes of memory that a log of this size takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit.log"
        chunk = b"".join(lines(CHUNK))
        with path.open("wb") as file:
            while file.tell() < megabytes * 1_000_000:
                file.write(chunk)
        size_mb = path.stat().st_size // 1_000_000
        command = [sys.executable, __file__, "--replay", str(path)]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(f"{size_mb} MB, {told['events']} events: {told['seconds']:.0f} s, {told['used_mb']} MB of memory")
    return int(told["used_mb"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=0)
    parser.add_argument("--replay", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.replay:
        replay_file(asked.replay)
        return 0
    used = memory(asked.megabytes) if asked.megabytes else 0  # first: a child's peak begins with what its parent holds
    rules, log = engine(), list(lines(asked.events))
    parsed = cpu_seconds(lambda: [json.loads(line) for line in log], asked.repeat)
    read = cpu_seconds(lambda: [parse_event(line) for line in log], asked.repeat)
    matched = cpu_seconds(lambda: [rules.matches(event) for line in log for event in parse_event(line)], asked.repeat)
    times = matched / parsed
    print(f"{asked.events} events, {len(rules.rules)} rules: json.loads {parsed:.2f} s, read {read:.2f} s,")
    print(f"read and matched {matched:.2f} s, {asked.events / matched:,.0f} events a second")
    print(f"times as long as json.loads: {times:.1f} (at most {MOST_TIMES:g})")
    return 0 if times <= MOST_TIMES and used <= MOST_MB else 1


if __name__ == "__main__":
    sys.exit(main())
