"""Changes of a core are made one at a time, tried in parts, and told where no test notices them."""

from __future__ import annotations

import ast

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
    ],
)
def test_each_place_is_changed_alone(before: str, after: list[str]) -> None:
    found = [ast.unparse(tree) for _name, tree in mutants(before, further)]
    assert sorted(found) == sorted(after)


def test_each_core_is_there_and_has_changes_and_tests() -> None:
    for core in mutation.CORES.values():
        for module in core.modules:
            name, _tree = next(mutation.changed(module), ("", ast.Module([], [])))
            assert name.startswith("line "), module
        assert all((mutation.ROOT / "tests" / "unit" / one).exists() for one in core.tests)


def test_survivors_are_told_and_counted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    changes = [(f"line {number}", ast.Module([], [])) for number in range(10)]
    monkeypatch.setattr(mutation, "changed", lambda _module: iter(changes))
    monkeypatch.setattr(mutation, "CORES", {"one": mutation.Core(("respond/guard",), ("respond",))})
    answers = iter([False, True, False, True, True, True])  # the first is of no change
    monkeypatch.setattr(mutation, "noticed", lambda *_: next(answers))
    assert mutation.main(["one", "--part", "2/2"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "respond/guard.py line 3",
        "one: 5 of 10 changes tried, 4 noticed (80.0 %)",
    ]


def test_tests_that_fail_without_a_change_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mutation, "noticed", lambda *_: True)
    assert mutation.main(["guard"]) == 1
    assert "guard: its tests fail without a change" in capsys.readouterr().err
