# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes a core one place at a time, runs its tests on each change, and tells those that no test notices.

    python3 -m tools.mutation condition [--part 2/8]

Each change is tried in a process of its own, forked where pytest is loaded already: the changed module stands where the
tests look for it, and nothing is written. A change that makes tests run five times as long as before counts as noticed.
Ends with 1 if a core's tests fail without a change. A survivor is to be read: either a test is missing, or the change
changes nothing.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.util
import io
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import NamedTuple

import hypothesis.strategies  # noqa: F401 - what all tests load is loaded once, before forks
import pytest
import yaml  # noqa: F401 - as above

from tools.mutation.changes import further, mutants

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "ansible_collections.falconet.k8s"


class Core(NamedTuple):
    """What is changed (modules below plugins/module_utils), and the tests that must notice (below tests/unit)."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


CORES = {
    "condition": Core(
        ("falco/condition/parser", "falco/condition/lexer", "falco/condition/printer"), ("falco/condition",)
    ),
    "audit": Core(("audit/decide", "audit/document", "audit/source"), ("audit",)),
    "guard": Core(("respond/guard", "respond/settings", "respond/answer"), ("respond",)),
    "verdict": Core(("netpol/decide/verdict", "netpol/decide/reference"), ("netpol/decide",)),
}


def changed(module: str) -> Iterator[tuple[str, ast.Module]]:
    """Name and tree of each change of a module."""
    yield from mutants((ROOT / "plugins" / "module_utils" / f"{module}.py").read_text(encoding="utf-8"), further)


def noticed(module: str, tree: ast.Module, tests: tuple[str, ...], seconds: int) -> bool:
    """Whether tests fail, or take longer than some seconds of CPU, with a changed module."""
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        os._exit(_tested(module, tree, tests))
    _pid, status = os.waitpid(child, 0)
    return status != 0


def _tested(module: str, tree: ast.Module, tests: tuple[str, ...]) -> int:
    """pytest's exit code; 1 as well where the changed module cannot be loaded."""
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            importlib.import_module("tests.conftest").pytest_configure()
            name = f"{PACKAGE}.plugins.module_utils.{module.replace('/', '.')}"
            parent = importlib.import_module(name.rpartition(".")[0])
            made = importlib.util.module_from_spec(ModuleSpec(name, None))
            sys.modules[name] = made
            setattr(parent, name.rpartition(".")[2], made)
            exec(compile(tree, f"{module}.py", "exec"), made.__dict__)  # noqa: S102 - our own code, changed
            paths = [str(ROOT / "tests" / "unit" / one) for one in tests]
            return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", *paths]))
    except BaseException:  # whatever a changed module does when it is loaded is noticed
        return 1


def run(name: str, part: int, parts: int) -> int:
    """Try one part of the changes of a core; 1 if its tests fail without any."""
    core = CORES[name]
    start = time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    unchanged = core.modules[0]
    source = (ROOT / "plugins" / "module_utils" / f"{unchanged}.py").read_text(encoding="utf-8")
    if noticed(unchanged, ast.parse(source), core.tests, 3600):
        print(f"{name}: its tests fail without a change", file=sys.stderr)
        return 1
    seconds = 2 + 5 * int(1 + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - start)
    every = [(module, *one) for module in core.modules for one in changed(module)]
    tried = every[part - 1 :: parts]
    survivors = 0
    for module, what, tree in tried:
        if not noticed(module, tree, core.tests, seconds):
            survivors += 1
            print(f"{module}.py {what}", flush=True)
    share = 100 * (len(tried) - survivors) / max(len(tried), 1)
    print(f"{name}: {len(tried)} of {len(every)} changes tried, {len(tried) - survivors} noticed ({share:.1f} %)")
    return 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tools.mutation", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cores", nargs="+", metavar="CORE", choices=CORES, help=", ".join(CORES))
    parser.add_argument("--part", default="1/1", help="one of so many parts of the changes, such as 2/8")
    given = parser.parse_args(arguments)
    part, _, parts = given.part.partition("/")
    os.chdir(ROOT)
    return max(run(name, int(part), int(parts or 1)) for name in given.cores)


if __name__ == "__main__":
    sys.exit(main())
