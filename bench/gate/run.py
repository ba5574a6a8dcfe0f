#!/usr/bin/env python3
"""How long a change waits for its gate: rules with tests and mutants, policies with flows, and the revision before.

Usage:
    python3 bench/gate/run.py [--rules 100] [--pods 500] [--policies 150] [--repeat 3]

The gate runs as an editor or a hook starts it (tools/gate.py) and as a pipeline does (playbooks/gate.yml), each as a
process. Beside it, in the same run, libyaml composes the same files once. Exit status 1 when the bound of the command's
wall time is missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.netpol.generate import generate
from bench.rules.generate import ruleset

BOUND_SECONDS = 10.0
READ = """
import pathlib, sys, yaml
for path in pathlib.Path(sys.argv[1]).rglob("*.yaml"):
    list(yaml.compose_all(path.read_text(), yaml.CSafeLoader))
"""
CASE = """\
  - name: rule {number} fires
    given:
      evt.type: openat
      proc.name: cat{group}
      proc.pname: sh
      proc.args: argument{number}
      fd.name: /srv/data
      container.id: 3f2a1b0c9d8e
    expect: Generated rule {number}
"""
OPTIONS = """\
title: Rules and policies
rulesets:
  - name: own
    files: [rules]
    tests: [rules_tests]
policies:
  - name: all
    paths: [manifests]
    required_flows:
      - from: {cidr: 192.0.2.0/24}
        to: {namespace: kube-system, labels: {app: dns}}
        ports: ["53/UDP"]
fail_on: never
minimum_mutation_score: 1
"""


def revision(folder: Path, rules: int, pods: int, policies: int) -> None:
    """A repository with rules, their tests, manifests and the gate's options."""
    for name in ("rules", "rules_tests", "manifests"):
        (folder / name).mkdir(parents=True)
    (folder / "rules" / "generated.yaml").write_text(ruleset(rules))
    cases = "".join(CASE.format(number=number, group=number // 10) for number in range(rules))
    (folder / "rules_tests" / "generated.yaml").write_text(f"rulesets: {{own: [../rules]}}\ncases:\n{cases}")
    generate(folder / "manifests", namespaces=25, pods=pods // 25, policies=policies)
    (folder / "gate.yml").write_text(OPTIONS)


def seconds(command: list[str], folder: Path, repeat: int) -> float:
    """The least wall time of several runs of a command."""
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections")}
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter()
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        best = min(best, time.perf_counter() - start)
        if done.returncode:
            sys.exit(f"{' '.join(command)}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
    return best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rules", type=int, default=100)
    parser.add_argument("--pods", type=int, default=500)
    parser.add_argument("--policies", type=int, default=150)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        after, before = Path(name) / "after", Path(name) / "before"
        for folder in (after, before):
            revision(folder, options.rules, options.pods, options.policies)
        changed = after / "rules" / "generated.yaml"
        changed.write_text(changed.read_text().replace("[cat0, bash0, zsh0]", "[cat0, bash0]"))
        read = seconds([sys.executable, "-c", READ, str(after)], after, options.repeat)
        command = [sys.executable, str(ROOT / "tools" / "gate.py")]
        alone = seconds(command, after, options.repeat)
        beside = seconds([*command, "--before", str(before)], after, options.repeat)
        playbook = ["ansible-playbook", "falconet.k8s.gate", "-e", "@gate.yml", "-e", f"before={before}"]
        played = seconds(playbook, after, options.repeat)
    size = f"{options.rules} rules with a test each, {options.pods} pods, {options.policies} policies"
    print(f"{size}; wall time, the least of {options.repeat} runs")
    print(f"libyaml reads the files of one revision: {read:.2f} s")
    print(f"tools/gate.py: {alone:.2f} s, {alone / read:.1f} times")
    print(f"tools/gate.py --before: {beside:.2f} s, {beside / read:.1f} times (bound {BOUND_SECONDS:g} s)")
    print(f"ansible-playbook falconet.k8s.gate with before: {played:.2f} s")
    return 0 if beside <= BOUND_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
