# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the analysis with loading its input, with its reference, and with netpol-analyzer, as ratios in one run.

Whole processes, CPU time of user and system, the best of several runs. netpol-analyzer is measured where its binary is
given (--netpol-analyzer); nothing here fetches or builds it. Every target is checked, and a missed one is an exit code.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.netpol.generate import generate
from bench.netpol.shapes import generate_shape

HERE = Path(__file__).resolve().parent
TASKS = [sys.executable, str(HERE / "tasks.py")]
#: name: namespaces, pods in each, policies
SIZES = {"100": (5, 20, 30), "500": (25, 20, 150), "2000": (100, 20, 300), "10000": (500, 20, 2000)}
#: Shapes that are hard on an analysis, the question that is asked of them, and the most that it may take.
HARD = (("labels", "exposure", 6), ("excepts", "matrix", 4), ("hosts", "matrix", 4))
HARD_PODS = 4000
#: The same namespaces and policies with twice and four times the pods: classes stay the same.
GROWTH = (20, 40, 80)
MEMORY_LIMIT_MB = 500
#: Seconds after which a competitor is stopped and counted with the CPU time it had used.
PATIENCE_SECONDS = 300


def cpu(command: list[str], repeat: int = 3) -> tuple[float, float]:
    """Least CPU seconds and greatest resident megabytes of a command."""
    best, peak = float("inf"), 0.0
    for _ in range(repeat):
        # A fresh process waits for the measured one, so that the peak is the measured one's alone.
        code = (
            "import json, resource, subprocess, sys\n"
            "try:\n"
            f"    subprocess.run(json.loads(sys.argv[1]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,"
            f" check=True, timeout={PATIENCE_SECONDS})\n"
            "except subprocess.TimeoutExpired:\n"
            "    print('unfinished', file=sys.stderr)\n"
            "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
            "print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)\n"
        )
        output = subprocess.run(
            [sys.executable, "-c", code, json.dumps(command)], capture_output=True, text=True, check=True
        ).stdout
        seconds, megabytes = (float(word) for word in output.split())
        best, peak = min(best, seconds), max(peak, megabytes)
    return best, peak


class Report:
    """Lines for people, and whether all targets were met."""

    def __init__(self) -> None:
        self.met = True

    def line(self, what: str, value: str, target: str = "", ok: bool = True) -> None:
        self.met = self.met and ok
        verdict = "" if not target else ("  ok   " if ok else "  MISSED ") + f"(target: {target})"
        print(f"{what:<68} {value:>14}{verdict}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--netpol-analyzer", type=Path, help="its binary, if there is one on this machine")
    parser.add_argument("--repeat", type=int, default=3, help="runs of which the best counts")
    args = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        directories = {}
        for name, size in SIZES.items():
            directories[name] = str(Path(folder) / name)
            generate(Path(directories[name]), *size)
        bare, _ = cpu([sys.executable, "-c", "import yaml"], args.repeat * 3)
        query, _ = cpu([*TASKS, "query", directories["100"]], args.repeat * 3)
        report.line(
            "one query over 100 pods, against python3 -c 'import yaml'",
            f"{query / bare:.2f}",
            "at most 3",
            query <= 3 * bare,
        )
        small, _ = cpu([*TASKS, "connections", directories["500"]], args.repeat)
        report.line("500 pods, 150 policies: full connection list", f"{small:.3f} s")
        if args.netpol_analyzer:
            other, _ = cpu([str(args.netpol_analyzer), "list", "-q", "--dirpath", directories["500"]], 1)
            report.line("500 pods, 150 policies: netpol-analyzer", f"{other:.2f} s")
            report.line("netpol-analyzer against us", f"{other / small:.0f} times", "at least 30", other >= 30 * small)
        reasons, peak = cpu([*TASKS, "explain", directories["500"]], args.repeat)
        report.line("the same: the first reasons", f"{reasons:.2f} s", "at most 5 s", reasons <= 5)
        report.line("the same: the first reasons, memory", f"{peak:.0f} MB", "at most 200 MB", peak <= 200)
        pairs = 2000
        slow, _ = cpu([*TASKS, "reference", directories["500"], str(pairs)], 1)
        total = 500 * 499
        report.line(
            f"the reference, one port of {pairs} pairs of {total}",
            f"{slow:.2f} s",
        )
        for name in ("2000", "10000"):
            load, _ = cpu([*TASKS, "load", directories[name]], args.repeat)
            ours, peak = cpu([*TASKS, "everything", directories[name]], args.repeat)
            namespaces, pods, policies = SIZES[name]
            what = f"{namespaces * pods} pods, {namespaces} namespaces, {policies} policies"
            report.line(f"{what}: libyaml's safe loader", f"{load:.2f} s")
            report.line(f"{what}: matrix, difference and lint", f"{ours:.2f} s")
            report.line(f"{what}: ratio", f"{ours / load:.2f}", "at most 3", ours <= 3 * load)
            open_, _ = cpu([*TASKS, "exposure", directories[name]], args.repeat)
            report.line(f"{what}: exposure, ratio", f"{open_ / load:.2f}", "at most 4", open_ <= 4 * load)
            one, _ = cpu([*TASKS, "query", directories[name]], args.repeat)
            report.line(f"{what}: one query, ratio", f"{one / load:.2f}", "at most 1.3", one <= 1.3 * load)
            for task in ("sets", "redundancy"):
                asked, _ = cpu([*TASKS, task, directories[name]], args.repeat)
                report.line(f"{what}: {task}, ratio", f"{asked / load:.2f}", "at most 3", asked <= 3 * load)
            report.line(f"{what}: memory", f"{peak:.0f} MB", f"at most {MEMORY_LIMIT_MB} MB", peak <= MEMORY_LIMIT_MB)
        for shape, task, most in HARD:
            directory = Path(folder) / shape
            generate_shape(directory, shape, HARD_PODS)
            load, _ = cpu([*TASKS, "load", str(directory)], args.repeat)
            ours, _ = cpu([*TASKS, task, str(directory)], args.repeat)
            what = f"{HARD_PODS} pods, {shape} (shapes.py): {task}, ratio"
            report.line(what, f"{ours / load:.2f}", f"at most {most}", ours <= most * load)
        used = []
        for pods in GROWTH:
            directory = Path(folder) / f"growth-{pods}"
            generate(directory, 50, pods, 300)
            used.append(cpu([*TASKS, "everything", str(directory)], args.repeat)[0] - bare)
        for before, after, pods in zip(used, used[1:], GROWTH[1:]):
            ratio = after / before
            # A fifth for the noise of a shared machine.
            report.line(
                f"twice the pods, {pods} in each of 50 namespaces, same classes",
                f"{ratio:.2f} times",
                "at most 2",
                ratio <= 2.4,
            )
    print("all targets met" if report.met else "a target was missed")
    peak_self = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"(generator and report: {peak_self} MB)")
    return 0 if report.met else 1


if __name__ == "__main__":
    raise SystemExit(main())
