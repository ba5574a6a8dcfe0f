"""Changed code takes the place of what is loaded and is tried by the tests that run it, where that can be told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.mutation.code import Loaded, differences

ROOT = Path(__file__).resolve().parents[3]
FILE = "some/file.py"
BEFORE = """
LIMIT = 1

def outer(value, most=2):
    def within():
        return value < 3
    return within() or [one for one in range(4)]
"""


def touched(after: str) -> dict[str, bool]:
    """Name of each code that differs, and whether it does so itself."""
    found = differences(compile(BEFORE, FILE, "exec"), compile(after, FILE, "exec"))
    return {one.before.co_name: one.itself for one in found}


@pytest.mark.parametrize(
    ("before", "after", "itself"),
    [
        ("< 3", "<= 3", {"<module>": False, "outer": False, "within": True}),
        ("or [", "and [", {"<module>": False, "outer": True}),
        ("LIMIT = 1", "LIMIT = True", {"<module>": True}),
        ("most=2", "most=3", {"<module>": True}),
        ("or [one for one in range(4)]", "", {"<module>": False, "outer": True}),
        ("3", "(3)", {}),
    ],
)
def test_a_change_is_of_the_innermost_code_that_differs(before: str, after: str, itself: dict[str, bool]) -> None:
    assert touched(BEFORE.replace(before, after)) == itself


def test_changed_code_is_put_into_functions_wherever_they_are_held() -> None:
    text = "def made(x):\n    return lambda: x + 1\n"
    old, new = (compile(one, FILE, "exec") for one in (text, text.replace("+ 1", "+ 2")))
    space: dict[str, object] = {}
    exec(old, space)
    made = space["made"]
    assert callable(made)
    bound = made(1)
    loaded = Loaded()
    found = list(differences(old, new))
    assert loaded.running(FILE, found[-1].before) is not None
    assert loaded.running(FILE, old) is None
    assert loaded.running("another/file.py", found[-1].before) is None
    loaded.replace(FILE, found)
    assert (bound(), made(2)()) == (3, 4)


CORE = """
import functools
from dataclasses import dataclass

LIMIT = 4

def small(x):
    return x < 3

def unasked(x):
    return x < 3

@functools.lru_cache
def kept(x):
    return x + 1

def at_load(x):
    return x + 2

TABLE = at_load(2)

def loops(x):
    while x > 0:
        x -= 1
    return x

def surrounded(x):
    return x or 1

def made(x):
    y = x
    def inside():
        return y and x
    return inside

MADE = made(3)
"""
TESTS = """
import pytest
import core
from hypothesis import given, strategies

KEPT = core.kept(1)

@pytest.fixture(scope="module")
def shared():
    return core.surrounded(3)

def test_small():
    assert core.small(2) and not core.small(3)

def test_kept():
    assert core.kept(2) == 3

def test_kept_again():
    assert core.kept(2) == 3

def test_unasked():
    core.unasked(3)

def test_made():
    assert core.MADE() == 3

def test_loops():
    assert core.loops(3) == 0

@given(strategies.integers())
def test_any(x):
    core.small(x)

def test_shared(shared):
    pass

def test_shared_is_asked(shared):
    assert shared == 3

@pytest.mark.xfail(reason="is not there")
def test_not_there():
    assert core.small(5)

@pytest.mark.skip
def test_left():
    core.nothing()
"""
PROGRAM = """
import sys
import pytest
from tools.mutation.code import differences
from tools.mutation.trials import Trials
sys.path.insert(0, ".")
source = open("core.py").read()

def work(trials):
    file = sys.modules["core"].__file__
    for before, after in CHANGES:
        assert before in source, before
        old, new = (compile(one, file, "exec", dont_inherit=True) for one in (source, source.replace(before, after)))
        answers.append(trials.noticed(file, list(differences(old, new)), "test_core.py"))
    # Each test that asks for a kept answer runs what is kept.
    kept = next(id(code) for code in trials.loaded.functions[file] if code.co_name == "kept")
    answers.append([trials.items[number].name for number, ran in enumerate(trials.ran) if kept in ran])

answers = []
without = ["-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no"]
pytest.main(["-q", *without, "test_core.py"], plugins=[Trials("core", work)])
print(answers, file=sys.stderr)
"""


def tried(folder: Path, changes: list[tuple[str, str]], core: str = CORE) -> str:
    (folder / "core.py").write_text(core)
    (folder / "test_core.py").write_text(TESTS)
    program = PROGRAM.replace("CHANGES", repr(changes))
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)}
    )
    return done.stderr


def test_a_change_is_tried_by_the_tests_that_run_it(tmp_path: Path) -> None:
    said = tried(
        tmp_path,
        [
            ("def small(x):\n    return x < 3", "def small(x):\n    return x <= 3"),
            ("def unasked(x):\n    return x < 3", "def unasked(x):\n    return x <= 3"),
            ("x + 1", "x - 1"),
            ("return x + 2", "return x + 3"),
            ("LIMIT = 4", "LIMIT = 5"),
            ("x -= 1", "x -= -1"),
            ("x or 1", "x and 1"),
            ("y and x", "y or None"),
            ("y and x", "y or 0"),
            ("y and x", "x"),
        ],
    )
    known = [True, False, True, None, None, True, True, None, None, None]
    assert said == f"{[*known, ['test_kept', 'test_kept_again']]}\n"


def test_tests_that_fail_without_a_change_are_no_trial(tmp_path: Path) -> None:
    assert tried(tmp_path, [("LIMIT = 4", "LIMIT = 5")], CORE.replace("x < 3", "x < 4")) == "[]\n"
