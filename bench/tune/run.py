#!/usr/bin/env python3
"""How long a million recorded alerts take through tuning, and how much memory.

Usage:
    python3 bench/tune/run.py [--alerts 1000000]

The alerts are made as they are read, so what is measured is what tuning keeps. Exit status 1 when the bound on memory
is missed; the time is compared with that of json.loads on the same lines in the same run, and has no bound.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "build" / "collections"))

from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loader, RulesFile
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.noise import Noise
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.reading import Lines
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.suggest import Tuner

MOST_MB = 500
RULES = "".join(
    f"- rule: Rule {number}\n  desc: d\n  condition: evt.type = execve and proc.tty = {number}\n"
    "  output: o %proc.name\n  priority: INFO\n"
    for number in range(30)
)


def lines(count: int) -> Iterator[bytes]:
    """Alerts: a few loud workloads, and a long tail of which every command line and pod differs."""
    chooser = random.Random(1)
    for number in range(count):
        loud = chooser.random() < 0.7
        image = f"registry.example/team/image-{chooser.randrange(5 if loud else 400)}"
        yield json.dumps(
            {
                "rule": f"Rule {chooser.randrange(3 if loud else 30)}",
                "source": "syscall",
                "time": "2026-01-01T10:00:00.000000000Z",
                "priority": "Notice",
                "output": f"o {number} " * 5,
                "output_fields": {
                    "evt.time": number,
                    "proc.cmdline": f"program --number {number}",
                    "proc.name": "backup" if loud else f"program-{chooser.randrange(300)}",
                    "proc.pname": f"parent-{chooser.randrange(2 if loud else 300)}",
                    "user.name": "root",
                    "k8s.ns.name": "prod" if loud else f"space-{chooser.randrange(40)}",
                    "k8s.pod.name": f"pod-{number}",
                    "container.id": f"{number:012x}",
                    "container.image.repository": image,
                },
            }
        ).encode()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--alerts", type=int, default=1_000_000)
    asked = parser.parse_args()
    started = time.process_time()
    for line in lines(asked.alerts // 10):
        json.loads(line)
    plain = 10 * (time.process_time() - started)
    started = time.process_time()
    loader = Loader()
    noise = Noise()
    noise.count(Lines(loader.catalogue.sources["syscall"].names()).read(lines(asked.alerts)))
    counted = time.process_time() - started
    started = time.process_time()
    found = Tuner(loader, [RulesFile("bench.yaml", RULES)]).suggest(noise, 1000, 0.05)
    suggested = time.process_time() - started
    used_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{noise.total} alerts of {len(noise.rules)} rules: {sum(map(len, noise.profiles.values()))} different ones")
    print(
        f"made and parsed alone {plain:.1f} s; made, read and counted {counted:.1f} s, {counted / plain:.2f} times that"
    )
    print(f"{len(found.suggestions)} exceptions suggested and proven in {suggested:.1f} s")
    print(f"memory: {used_mb} MB of {MOST_MB}")
    return 0 if used_mb <= MOST_MB else 1


if __name__ == "__main__":
    sys.exit(main())
