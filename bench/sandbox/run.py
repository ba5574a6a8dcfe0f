#!/usr/bin/env python3
"""Measures the sandbox: seconds from nothing to all nodes Ready with warm caches, memory, and the way down.

Usage: bench/sandbox/run.py [--runs N]. Boots a sandbox of its own (name "bench") N times from an empty state, then
takes it down; the first `up` before the measured ones fills the caches if they are empty. Numbers go to standard
output.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = "bench"
STATE = Path("/var/lib/falconet-sandbox") / NAME


def sandbox(*arguments: str) -> tuple[float, str]:
    """Run a command of the sandbox; returns the seconds it took and its standard output."""
    began = time.monotonic()
    argv = [sys.executable, "-m", "sandbox", "--name", NAME, *arguments]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stderr}")
    return time.monotonic() - began, done.stdout


def disk_bytes(folder: Path) -> int:
    """What a folder takes on disk; files that are shared by hard links with the cache are not its own."""
    return sum(
        path.lstat().st_blocks * 512 for path in folder.rglob("*") if path.is_file() and path.lstat().st_nlink == 1
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="how many boots (default: %(default)s)")
    runs = parser.parse_args().runs
    boots: list[dict[str, float]] = []
    ups, again, downs, memories = [], [], [], []
    for run in range(runs + 1):
        sandbox("down", "--purge")
        seconds, _ = sandbox("up")
        if run == 0:
            continue
        ups.append(seconds)
        boots.append(json.loads((STATE / "last-up.json").read_text())["seconds"])
        again.append(sandbox("up")[0])
        status = sandbox("status")[1]
        memories.append(next(line.split()[-2] for line in status.splitlines() if line.startswith("memory")))
        disk = disk_bytes(STATE)
        downs.append(sandbox("down", "--purge")[0])
        shutil.rmtree(STATE, ignore_errors=True)
    print(f"machine                      {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, {runs} runs, median")
    for step in boots[0]:
        print(f"{step.replace('_', ' '):<28} {statistics.median(boot[step] for boot in boots):.1f} s after the start")
    print(f"{'up, all in all':<28} {statistics.median(ups):.1f} s")
    print(f"{'up of a running sandbox':<28} {statistics.median(again):.1f} s")
    print(f"{'down':<28} {statistics.median(downs):.1f} s")
    print(f"{'memory of its processes':<28} {statistics.median(map(float, memories)):.0f} MiB")
    print(f"{'disk beyond the cache':<28} {disk / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
