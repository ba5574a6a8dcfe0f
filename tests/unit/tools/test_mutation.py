"""Changes of a core are made one at a time, tried in parts, and told where no test notices them."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from tools.mutation import __main__ as mutation
from tools.mutation.changes import further, mutants


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a < 2", ["a >= 2", "a <= 2", "a < 3"]),
        ("a or b == c", ["b == c", "a", "a and b == c", "a or b != c"]),
        ("not a", ["a"]),
        ("a + True", ["a - True", "a + False"]),
        ("a['text']", []),
        ("a: int | None = b | c", ["a: int | None = b & c"]),
        ("def f(a: int | None) -> int | None:\n    ...", []),
    ],
)
def test_each_place_is_changed_alone(before: str, after: list[str]) -> None:
    found = [ast.unparse(tree) for _name, tree in mutants(before, further)]
    assert sorted(found) == sorted(after)


@pytest.mark.parametrize(
    ("name", "modules", "tests"),
    [
        ("falco/condition/parser", {"falco/condition/parser"}, "falco/condition"),
        ("respond", {"respond/guard", "respond/settings"}, "respond"),
        ("netpol/model", {"netpol/model/ports"}, "netpol/model"),
        ("falco/errors", {"falco/errors"}, "falco"),
    ],
)
def test_a_room_has_its_modules_and_the_nearest_tests(name: str, modules: set[str], tests: str) -> None:
    core = mutation.core_of(name)
    assert modules <= set(core.modules)
    assert core.tests == (tests,)
    assert not any(one.endswith("__init__") for one in core.modules)


@pytest.mark.parametrize(("name", "why"), [("kube", "kube is no core; cores are"), ("falco/none", "has no modules")])
def test_what_is_no_core_is_refused(name: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        mutation.main([name])
    assert why in capsys.readouterr().err


@pytest.fixture
def nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutation, "load_libraries", lambda _tests: None)


def test_the_test_of_a_module_mirrors_its_path() -> None:
    assert mutation.own_test("respond/guard") == "respond/test_guard.py"
    assert mutation.own_test("respond/errors") is None


@pytest.mark.usefixtures("nothing_loaded")
def test_survivors_are_told_and_counted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    changes = [(f"line {number}", ast.Module([], [])) for number in range(10)]
    monkeypatch.setattr(mutation, "changed", lambda _module: iter(changes))
    monkeypatch.setattr(mutation, "core_of", lambda _name: mutation.Core(("respond/guard",), ("respond",)))
    answers = iter([False, True, False, True, True, True])  # the first is of no change
    monkeypatch.setattr(mutation, "noticed", lambda *_: next(answers))
    assert mutation.main(["one", "--part", "2/2"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "respond/guard.py line 3",
        "one: 5 of 10 changes tried, 4 noticed (80.0 %)",
    ]


@pytest.mark.usefixtures("nothing_loaded")
def test_tests_that_fail_without_a_change_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mutation, "noticed", lambda *_: True)
    assert mutation.main(["respond"]) == 1
    assert "respond: its tests fail without a change" in capsys.readouterr().err


def test_a_change_stands_where_tests_look_for_it_and_no_change_is_none() -> None:
    program = """
import ast
from tools.mutation.__main__ import ROOT, load_libraries, noticed
load_libraries(["node_plan"])
source = (ROOT / "plugins/module_utils/node_plan/plan.py").read_text()
for text in (source, source.replace("< value]", "> value]"), "from . import nothing"):
    print(noticed("node_plan/plan", ast.parse(text), ("node_plan",), 60))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=mutation.ROOT, capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == (["False", "True", "True"], "")
