#!/usr/bin/env python3
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the cores' own tests, and fail for each room of a core that they leave below the floor.

Usage:
    python tools/core_coverage.py [PACKAGE...]

Without a package: all cores, with the tests of all of them. With some: those alone, with their own tests alone, so that
a figure may be lower than in the whole. Each property draws ten examples (tools/few_examples.py). What is run and what
is not is left in build/coverage/cores.json.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools import rooms  # noqa: E402 - run as a program, tools is found by then

REPORT = ROOT / "build" / "coverage" / "cores.json"
#: Percent of a room's branches that must be taken, and of its lines that must be run.
FLOOR = 95.0


class CoverageError(Exception):
    """Nothing can be said; the message tells why."""


class File(NamedTuple):
    """What the tests run of one file.

    Attributes:
        path: below the repository.
        lines: how many are run, of how many.
        branches: how many are taken, of how many.
        lines_left: numbers of those that are not run.
        branches_left: (from line, to line) of those that are not taken; to a negative line: out of the function.
    """

    path: str
    lines: tuple[int, int]
    branches: tuple[int, int]
    lines_left: tuple[int, ...]
    branches_left: tuple[tuple[int, int], ...]

    def told(self) -> str:
        """The file with what is left, or its name alone where nothing is."""
        unseen = set(self.lines_left)
        # A branch from or to a line that is not run says nothing more.
        left = [(a, b) for a, b in self.branches_left if not {a, b} & unseen]
        parts = [f"lines {ranges(self.lines_left)} are not run"] if self.lines_left else []
        if left:
            ways = ", ".join(f"{a} to {b}" if b > 0 else f"{a} to the end" for a, b in left)
            parts.append(f"never goes from line {ways}")
        return f"{self.path}: {'; '.join(parts)}" if parts else self.path


class Room(NamedTuple):
    """What the tests run of one room.

    Attributes:
        name: such as C(falco/condition), or a package's where it has no rooms or the file is in none.
        files: what is known of its files.
    """

    name: str
    files: tuple[File, ...]

    def percent_of_branches(self) -> float:
        """0 to 100; 100 where there is none."""
        return _percent([one.branches for one in self.files])

    def percent_of_lines(self) -> float:
        """0 to 100; 100 where there is none."""
        return _percent([one.lines for one in self.files])

    def is_below(self) -> bool:
        """Whether it is below the floor, by its branches or by its lines."""
        return min(self.percent_of_branches(), self.percent_of_lines()) < FLOOR


def _percent(counts: list[tuple[int, int]]) -> float:
    every = sum(whole for _done, whole in counts)
    return 100.0 * sum(done for done, _whole in counts) / every if every else 100.0


def ranges(numbers: Collection[int]) -> str:
    """Numbers, with runs of them joined: C(3, 7-9)."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def room_of(path: str) -> str:
    """The room that a file of a core (path below module_utils) belongs to."""
    folders = path.split("/")[:-1]
    return "/".join(folders[:2])


def files_of(packages: Collection[str], utils: Path = rooms.UTILS) -> list[str]:
    """The Python files of packages, as paths below module_utils."""
    return [str(path.relative_to(utils)) for name in packages for path in sorted((utils / name).rglob("*.py"))]


def judged(report: Mapping[str, Any], files: Collection[str]) -> list[Room]:
    """The rooms of files, by name, with what a report of coverage says of them.

    Args:
        report: as C(coverage json) writes it, with branches.
        files: paths below module_utils of all files that must be in it.

    Raises:
        CoverageError: there is no file, or the report does not know one, or it was made without branches.
    """
    if not files:
        raise CoverageError("there is no file to judge")
    if not report.get("meta", {}).get("branch_coverage"):
        raise CoverageError("the report was made without branches: run with --cov-branch")
    found: dict[str, list[File]] = {}
    for name in files:
        path = f"plugins/module_utils/{name}"
        of_file = report["files"].get(path)
        if of_file is None:
            raise CoverageError(f"the report knows nothing of {path}: it was made for other sources")
        counts = of_file["summary"]
        found.setdefault(room_of(name), []).append(
            File(
                path,
                (counts["covered_lines"], counts["num_statements"]),
                (counts["covered_branches"], counts["num_branches"]),
                tuple(of_file["missing_lines"]),
                tuple((first, second) for first, second in of_file["missing_branches"]),
            )
        )
    return [Room(name, tuple(found[name])) for name in sorted(found)]


def told(found: Collection[Room]) -> Iterator[str]:
    """One line for each room; below those that are below the floor, each file of theirs that is not run in whole."""
    width = max((len(room.name) for room in found), default=0)
    for room in found:
        below = f"  below {FLOOR:g} %" if room.is_below() else ""
        branches, lines = room.percent_of_branches(), room.percent_of_lines()
        yield f"{room.name:{width}}  {branches:5.1f} % of branches, {lines:5.1f} % of lines{below}"
        if below:
            yield from (f"    {one.told()}" for one in room.files if one.lines_left or one.branches_left)


def measure(packages: Collection[str]) -> int:
    """Run the packages' own tests and leave the report; pytest's exit code."""
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.unlink(missing_ok=True)
    sources = [f"--cov={rooms.UTILS.relative_to(ROOT) / name}" for name in packages]
    tests = [f"tests/unit/{name}" for name in packages]
    command = [sys.executable, "-m", "pytest", "--numprocesses=auto", *sources, "--cov-branch", "--cov-report="]
    command += [f"--cov-report=json:{REPORT}", "-p", "tools.few_examples", *tests]
    # Beside a run of all unit tests, which may measure as well.
    environment = {**os.environ, "COVERAGE_FILE": str(REPORT.with_name("data"))}
    return subprocess.run(command, check=False, cwd=ROOT, env=environment).returncode


def main(arguments: list[str]) -> int:
    """1 if a room is below the floor or tests fail, 2 if a package is no core or nothing can be said."""
    cores = rooms.cores()
    packages = arguments or cores
    unknown = sorted(set(packages) - set(cores))
    if unknown:
        print(f"core_coverage: no core: {', '.join(unknown)}; cores are {', '.join(cores)}", file=sys.stderr)
        return 2
    if measure(packages):
        print("core_coverage: tests fail, so nothing is judged", file=sys.stderr)
        return 1
    try:
        found = judged(json.loads(REPORT.read_text(encoding="utf-8")), files_of(packages))
    except CoverageError as error:
        print(f"core_coverage: {error}", file=sys.stderr)
        return 2
    print(*told(found), sep="\n")
    below = [room.name for room in found if room.is_below()]
    print(f"{len(found)} rooms, {len(below)} below {FLOOR:g} %{': ' if below else ''}{', '.join(below)}")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
