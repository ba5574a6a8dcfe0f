"""Changes of a core are made one at a time, tried in parts, and told where no test notices them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

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
        ("if TYPE_CHECKING:\n    a", []),
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


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ('"""Facts."""\nfrom __future__ import annotations\nPORTS: dict[str, int] = {"ssh": 22}\nMORE = [1]', True),
        ("LIMIT = 2 * 3", False),
        ("LIMIT = 2\ndef double(a): return LIMIT * a", False),
        ("LIMIT: int", False),
    ],
)
def test_a_table_is_a_module_of_written_values_alone(text: str, table: bool, tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(text)
    assert mutation.is_table(module) is table


def test_a_table_is_changed_only_where_it_is_named() -> None:
    named, of_its_room = mutation.core_of("falco/condition/services"), mutation.core_of("falco/condition")
    assert named.modules == ("falco/condition/services",)
    assert not {*named.modules} & {*of_its_room.modules}


@pytest.mark.parametrize(("name", "why"), [("kube", "kube is no core; cores are"), ("falco/none", "has no modules")])
def test_what_is_no_core_is_refused(name: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        mutation.main([name])
    assert why in capsys.readouterr().err


def test_the_test_of_a_module_mirrors_its_path() -> None:
    assert mutation.own_test("respond/guard") == "respond/test_guard.py"
    assert mutation.own_test("respond/errors") is None


class Quick:
    """Stands for what runs tests: says of each change in turn whether one noticed it."""

    seconds = (0.5, 1.0)

    def __init__(self, *known: bool | None) -> None:
        self.known = iter(known)

    def noticed(self, *_: object) -> bool | None:
        return next(self.known)


def test_survivors_are_told_and_counted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(mutation, "core_of", lambda _name: mutation.Core(("node_plan/plan",), ("node_plan",)))
    monkeypatch.setattr(mutation, "in_turn", lambda tree, _: ((f"line {number}", tree) for number in range(10)))
    monkeypatch.setattr(mutation, "_pytest", lambda _tests, trials: trials.work(Quick(True, None, False, None, True)))
    from_the_start = iter([True, False])
    monkeypatch.setattr(mutation, "noticed", lambda *_: next(from_the_start))
    assert mutation.main(["one", "--part", "2/2"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "node_plan/plan.py line 5",
        "node_plan/plan.py line 7",
        "one: 5 of 10 changes tried, 3 noticed (60.0 %)",
    ]
    sys.settrace(None)


def test_tests_that_fail_without_a_change_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mutation, "_pytest", lambda *_: 1)
    assert mutation.main(["respond"]) == 1
    assert "respond: its tests fail without a change" in capsys.readouterr().err
    sys.settrace(None)


def test_every_part_has_its_own_changes_and_all_are_of_one() -> None:
    wanted = [mutation.Wanted(part, 3) for part in (1, 2, 3)]
    parts = [[one is not None for one in mutation.changes(["node_plan/plan"], part)] for part in wanted]
    assert [sum(one) for one in zip(*parts)] == [1] * len(parts[0])
    assert [one.index(True) for one in parts] == [0, 1, 2]


def test_what_a_run_before_told_is_tried_again_wherever_its_line_is_now(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(mutation, "core_of", lambda _name: mutation.Core(("node_plan/plan",), ("node_plan",)))
    told = ("line 4: not is left out: a", "line 9: not is left out: b", "line 9: number is one more: 1")
    monkeypatch.setattr(mutation, "in_turn", lambda tree, _: ((what, tree) for what in told))
    monkeypatch.setattr(mutation, "_pytest", lambda _tests, trials: trials.work(Quick(False)))
    before = tmp_path / "survivors.txt"
    before.write_text("node_plan/plan.py line 7: not is left out: b\none: 3 of 3 changes tried, 2 noticed (66.7 %)\n")
    assert mutation.main(["one", "--again", str(before)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "node_plan/plan.py line 9: not is left out: b",
        "one: 1 of 3 changes tried, 0 noticed (0.0 %)",
    ]
    sys.settrace(None)


def test_a_file_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        mutation.main(["respond", "--again", str(tmp_path / "none.txt")])
    assert "none.txt: No such file or directory" in capsys.readouterr().err


def test_a_core_is_tried_by_its_own_tests() -> None:
    command = [sys.executable, "-m", "tools.mutation", "node_plan", "--part", "1/9"]
    done = subprocess.run(command, cwd=mutation.ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("node_plan: 5 of 45 changes tried, 5 noticed (100.0 %)\n", "")


def test_a_change_that_is_loaded_from_the_start_stands_where_tests_look_for_it_and_no_change_is_none() -> None:
    program = """
import ast
from tools.mutation.__main__ import ROOT, noticed
source = (ROOT / "plugins/module_utils/node_plan/plan.py").read_text()
for text in (source, source.replace("< value]", "> value]"), "from . import nothing"):
    print(noticed("node_plan/plan", ast.parse(text), ("node_plan",), 60))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=mutation.ROOT, capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == (["False", "True", "True"], "")
