#!/usr/bin/env python3
"""How long falco_rules_validate takes, as CPU time of whole processes, beside a bound measured in the same run.

Usage:
    python3 bench/rules/run.py [--rules 1000 10000] [--files FILE...] [--falco PATH_OF_FALCO] [--repeat 3]

The module runs as Ansible starts it: a process of its own with its arguments in a file. Beside it runs a real
`falco -V`, where one is given, and always libyaml's bare event stream over the same text in a process of its own.
Exit status 1 when a bound is missed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.rules.generate import ruleset

EVENTS = """
import sys
from yaml._yaml import CParser
from yaml.events import StreamEndEvent
parser = CParser(open(sys.argv[1], encoding="utf-8").read())
while type(parser.get_event()) is not StreamEndEvent:
    pass
"""
EVENT_FACTOR = 15.0
LINEAR = 1.1
MEMORY_MB = 300.0
FALCO_FACTORS = {1000: 1.5, 10_000: 0.5}
FILES_FACTOR = 2.0


def cpu_seconds(command: list[str], repeat: int) -> tuple[float, float]:
    """The least CPU time of several runs in seconds, and the most memory of any in MB."""
    best, memory = math.inf, 0.0
    for _ in range(repeat):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment())
        assert process.stderr is not None
        problem = process.stderr.read()
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{' '.join(command)}: {problem.decode(errors='replace')}")
        best = min(best, usage.ru_utime + usage.ru_stime)
        memory = max(memory, usage.ru_maxrss / 1024)
    return best, memory


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "build" / "collections")}


def module_command(files: list[Path], folder: Path) -> list[str]:
    arguments = folder / "arguments.json"
    arguments.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {"files": [str(file) for file in files]}}))
    return [sys.executable, str(ROOT / "plugins" / "modules" / "falco_rules_validate.py"), str(arguments)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rules", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--files", type=Path, nargs="+", default=[])
    parser.add_argument("--falco", default="")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    missed: list[str] = []

    def judge(what: str, value: float, bound: float) -> None:
        print(f"{what}: {value:.2f} (bound {bound:g}){'' if value <= bound else '  MISSED'}")
        if value > bound:
            missed.append(what)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        empty = folder / "empty.yaml"
        empty.write_text("")
        start, _ = cpu_seconds(module_command([empty], folder), options.repeat)
        print(f"an empty file: {start:.2f} s")
        taken: dict[int, float] = {}
        for rules in options.rules:
            file = folder / f"{rules}.yaml"
            file.write_text(ruleset(rules))
            ours, memory = cpu_seconds(module_command([file], folder), options.repeat)
            taken[rules] = ours
            print(f"{rules} rules: {ours:.2f} s, {memory:.0f} MB")
            if rules >= 10_000:
                events, _ = cpu_seconds([sys.executable, "-c", EVENTS, str(file)], options.repeat)
                judge(f"{rules} rules, ratio to libyaml's events ({events:.2f} s)", ours / events, EVENT_FACTOR)
                judge(f"{rules} rules, memory in MB", memory, MEMORY_MB)
            if options.falco:
                falco, _ = cpu_seconds([options.falco, "-V", str(file)], options.repeat)
                judge(f"{rules} rules, ratio to Falco ({falco:.2f} s)", ours / falco, FALCO_FACTORS.get(rules, 1.5))
        if len(taken) > 1:
            low, high = min(taken), max(taken)
            exponent = math.log((taken[high] - start) / (taken[low] - start)) / math.log(high / low)
            judge(f"exponent from {low} to {high} rules", exponent, LINEAR)
        if options.files:
            ours, memory = cpu_seconds(module_command(options.files, folder), options.repeat)
            print(f"{', '.join(file.name for file in options.files)}: {ours:.2f} s, {memory:.0f} MB")
            if options.falco:
                command = [options.falco, *(word for file in options.files for word in ("-V", str(file)))]
                falco, _ = cpu_seconds(command, options.repeat)
                judge(f"these files, ratio to Falco ({falco:.2f} s)", ours / falco, FILES_FACTOR)
    if missed:
        sys.exit(f"missed: {'; '.join(missed)}")


if __name__ == "__main__":
    main()
