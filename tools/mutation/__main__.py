# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes a core one place at a time, runs its tests on each change, and tells those that no test notices.

    python3 -m tools.mutation falco/condition [--part 2/8] > survivors.txt
    python3 -m tools.mutation falco/condition --again survivors.txt

Each change is tried in a process of its own, forked where the tests are loaded already, by the tests that run what was
changed (C(trials)); nothing is written. What runs while modules are loaded is tried in a process that loads them anew.
A module that is a table of facts is left out, unless it is asked for by its name. Each property draws a few examples.
A change that makes tests run five times as long as before counts as noticed.

Ends with 1 if a core's tests fail without a change. A survivor is to be read: either a test is missing, or the change
changes nothing.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import io
import os
import re
import resource
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from tools import rooms
from tools.mutation.changes import further, in_turn
from tools.mutation.code import Difference, differences
from tools.mutation.trials import TIMES, Trials

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests" / "unit"
PACKAGE = "ansible_collections.falconet.k8s"
LOADED = ROOT / "build" / "collections" / PACKAGE.replace(".", "/") / "plugins" / "module_utils"


class Core(NamedTuple):
    """What is changed (modules below plugins/module_utils), and the tests that must notice (below tests/unit)."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


def core_of(name: str) -> Core:
    """A room without its tables, or one module of it, with the tests of the room, or else of its package.

    Args:
        name: below plugins/module_utils, such as C(respond), C(falco/condition) or C(falco/condition/parser).

    Raises:
        ValueError: there is none.
    """
    package = name.partition("/")[0]
    if package not in rooms.cores():
        raise ValueError(f"{package} is no core; cores are {', '.join(rooms.cores())}")
    top = rooms.UTILS / name
    alone = top.with_suffix(".py")
    files = [alone] if alone.is_file() else [one for one in sorted(top.rglob("*.py")) if not is_table(one)]
    modules = [str(path.relative_to(rooms.UTILS).with_suffix("")) for path in files if path.stem != "__init__"]
    if not modules:
        raise ValueError(f"{name} has no modules below plugins/module_utils")
    room = "/".join(modules[0].split("/")[:-1][:2])
    return Core(tuple(modules), (room if (TESTS / room).is_dir() else package,))


def is_table(path: Path) -> bool:
    """Whether a module holds written values alone: facts, such as the port of each service, that nothing decides."""
    for one in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(one, (ast.Assign, ast.AnnAssign, ast.Expr)) and one.value is not None:
            try:
                ast.literal_eval(one.value)
            except ValueError:
                return False
        elif not isinstance(one, (ast.Import, ast.ImportFrom)):
            return False
    return True


class Change(NamedTuple):
    """A change of a module: what it is, the module's file as it is loaded, and what differs in its compiled code."""

    module: str
    what: str
    file: str
    tree: ast.Module
    differences: list[Difference]


class Wanted(NamedTuple):
    """Which changes of a core are tried: one part of them all, or those that a run before told."""

    part: int = 1
    parts: int = 1
    again: frozenset[str] | None = None

    def has(self, number: int, told: str) -> bool:
        if self.again is not None:
            return without_line(told) in self.again
        return number % self.parts == self.part % self.parts


def without_line(told: str) -> str:
    """How a change is told, without its line, which moves when the file is edited."""
    return re.sub(r"^(\S+\.py) line \d+: ", r"\1: ", told.strip())


def changes(modules: Iterable[str], wanted: Wanted) -> Iterator[Change | None]:
    """Each change of some modules, None for those that are not wanted. Its tree is good until the next is asked for."""
    number = 0
    for module in modules:
        file = str(LOADED / f"{module}.py")
        tree = ast.parse((rooms.UTILS / f"{module}.py").read_text(encoding="utf-8"))
        before = compile(tree, file, "exec", dont_inherit=True)
        for what, changed in in_turn(tree, further):
            number += 1
            if not wanted.has(number, f"{module}.py {what}"):
                yield None
                continue
            after = compile(changed, file, "exec", dont_inherit=True)
            yield Change(module, what, file, changed, list(differences(before, after)))


class Changed(MetaPathFinder, Loader):
    """Finds one module as it was changed, so that whatever imports it, its own package first, has the change."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self.name, self.tree = name, tree

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.tree, self.name, "exec"), module.__dict__)  # noqa: S102 - our own code, changed


def noticed(module: str, tree: ast.Module, tests: tuple[str, ...], seconds: int) -> bool:
    """Whether tests fail, or take more than some seconds of CPU, with a changed module, loaded from the start."""
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
            forget()
            importlib.import_module("tests.conftest").pytest_configure()
            name = f"{PACKAGE}.plugins.module_utils.{module.replace('/', '.')}"
            sys.meta_path.insert(0, Changed(name, tree))
            importlib.import_module(name)
            # The module's own tests first: they are the quickest, and most changes get no further.
            own = own_test(module)
            return (_pytest([own]) if own else 0) or _pytest(tests)
    except BaseException:  # whatever a changed module does when it is loaded is noticed
        return 1


def forget() -> None:
    """Load anew, when it is asked for, what is the collection's and the tests' own."""
    for name in [one for one in sys.modules if one.partition(".")[0] in ("ansible_collections", "tests")]:
        del sys.modules[name]


def own_test(module: str) -> str | None:
    """The test file of a module (below tests/unit), where the one mirrors the path of the other."""
    folder, _slash, name = module.rpartition("/")
    mirrored = f"{folder}/test_{name}.py"
    return mirrored if (TESTS / mirrored).is_file() else None


def _pytest(tests: Collection[str], *plugins: object) -> int:
    without = ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", "--assert=plain", "--tb=no"]
    without += ["--ignore-glob=*/test_mutations.py"]  # which would try each of its changes on each change
    paths = [str(TESTS / one) for one in tests]
    return int(pytest.main(["-x", "-q", "-p", "tools.few_examples", *without, *paths], plugins=list(plugins)))


def run(name: str, wanted: Wanted) -> int:
    """Try what is wanted of the changes of a core; 1 if its tests fail without any.

    Raises:
        ValueError: there is no such core.
    """
    core = core_of(name)
    screen = sys.stdout
    found: list[bool | None] = []

    def work(trials: Trials) -> None:
        seconds = int(5 + TIMES * sum(trials.seconds))
        for change in changes(core.modules, wanted):
            if change is None:
                found.append(None)
                continue
            own = own_test(change.module)
            known = trials.noticed(change.file, change.differences, "" if own is None else str(TESTS / own))
            found.append(noticed(change.module, change.tree, core.tests, seconds) if known is None else known)
            if not found[-1]:
                print(f"{change.module}.py {change.what}", file=screen, flush=True)

    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as said:
        status = _pytest(core.tests, Trials(PACKAGE, work))
    if status:
        print(f"{name}: its tests fail without a change", said.getvalue(), file=sys.stderr)
        return 1
    tried = [one for one in found if one is not None]
    share = 100 * sum(tried) / max(len(tried), 1)
    print(f"{name}: {len(tried)} of {len(found)} changes tried, {sum(tried)} noticed ({share:.1f} %)")
    return 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tools.mutation", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "cores", nargs="+", metavar="CORE", help="a room of a core, or a module: respond, falco/condition"
    )
    parser.add_argument("--part", default="1/1", help="one of so many parts of the changes, such as 2/8")
    parser.add_argument("--again", type=Path, metavar="FILE", help="only those that a run before told, kept in a file")
    given = parser.parse_args(arguments)
    part, _, parts = given.part.partition("/")
    try:
        told = None if given.again is None else given.again.read_text(encoding="utf-8").splitlines()
        again = None if told is None else frozenset(without_line(line) for line in told)
        os.chdir(ROOT)
        return max([run(name, Wanted(int(part), int(parts or 1), again)) for name in given.cores])
    except OSError as error:
        parser.error(f"--again {given.again}: {error.strerror}")
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    sys.exit(main())
