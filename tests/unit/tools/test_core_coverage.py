"""A room of a core that its tests leave below the floor is named, with the file and what is not run of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools import core_coverage, rooms
from tools.core_coverage import CoverageError, judged, ranges, told

NODES, PARSER = "falco/yaml/nodes.py", "falco/condition/parser.py"


def of_file(
    lines: tuple[int, int], branches: tuple[int, int], missing: list[int], ways: list[list[int]]
) -> dict[str, Any]:
    return {
        "summary": dict(
            zip(
                ("covered_lines", "num_statements", "covered_branches", "num_branches"),
                (*lines, *branches),
                strict=True,
            )
        ),
        "missing_lines": missing,
        "missing_branches": ways,
    }


def report(**files: dict[str, Any]) -> dict[str, Any]:
    return {
        "meta": {"branch_coverage": True},
        "files": {f"plugins/module_utils/{name}": of for name, of in files.items()},
    }


WHOLE = of_file((20, 20), (8, 8), [], [])


def test_a_room_below_the_floor_is_named_with_its_file_and_lines() -> None:
    bad = of_file((96, 100), (18, 20), [4, 7, 8, 9], [[3, 4], [30, 33], [40, -12]])
    found = judged(report(**{NODES: bad, PARSER: WHOLE}), [NODES, PARSER])
    assert [(room.name, room.is_below()) for room in found] == [("falco/condition", False), ("falco/yaml", True)]
    assert list(told(found)) == [
        "falco/condition  100.0 % of branches, 100.0 % of lines",
        "falco/yaml        90.0 % of branches,  96.0 % of lines  below 95 %",
        "    plugins/module_utils/falco/yaml/nodes.py: lines 4, 7-9 are not run; "
        "never goes from line 30 to 33, 40 to the end",
    ]


@pytest.mark.parametrize(
    ("lines", "branches", "below"),
    [
        ((100, 100), (95, 100), False),
        ((100, 100), (94, 100), True),
        ((94, 100), (100, 100), True),
        ((5, 5), (0, 0), False),
    ],
    ids=["at the floor", "branches", "lines", "without branches"],
)
def test_lines_do_not_make_up_for_branches(lines: tuple[int, int], branches: tuple[int, int], below: bool) -> None:
    (room,) = judged(report(**{NODES: of_file(lines, branches, [], [])}), [NODES])
    assert room.is_below() is below


def test_a_room_is_judged_by_all_its_files_together() -> None:
    poor = of_file((90, 100), (9, 10), [5], [[4, 5]])
    good = of_file((300, 300), (90, 90), [], [])
    (room,) = judged(report(**{NODES: poor, "falco/yaml/write.py": good}), [NODES, "falco/yaml/write.py"])
    assert not room.is_below()
    assert list(told([room])) == ["falco/yaml   99.0 % of branches,  97.5 % of lines"]


@pytest.mark.parametrize(
    ("path", "room"),
    [("falco/yaml/nodes.py", "falco/yaml"), ("falco/errors.py", "falco"), ("a/b/c/d.py", "a/b")],
)
def test_what_is_in_no_room_is_the_package_s_own(path: str, room: str) -> None:
    assert core_coverage.room_of(path) == room


@pytest.mark.parametrize(
    ("given", "files", "why"),
    [
        (report(), [NODES], "knows nothing of plugins/module_utils/falco/yaml/nodes.py"),
        (report(), [], "no file to judge"),
        ({"meta": {"branch_coverage": False}, "files": {}}, [NODES], "made without branches"),
    ],
)
def test_what_was_not_measured_is_no_pass(given: dict[str, Any], files: list[str], why: str) -> None:
    with pytest.raises(CoverageError, match=why):
        judged(given, files)


def test_numbers_in_a_row_are_joined() -> None:
    assert ranges([9, 3, 7, 8, 1]) == "1, 3, 7-9"


def test_each_core_has_tests_and_files() -> None:
    for core in rooms.cores():
        assert (core_coverage.ROOT / "tests" / "unit" / core).is_dir(), core
        assert core_coverage.files_of([core]), core


@pytest.mark.parametrize(
    ("tests", "branches", "code", "last"),
    [
        (0, (20, 20), 0, "1 rooms, 0 below 95 %"),
        (0, (18, 20), 1, "1 rooms, 1 below 95 %: awx"),
        (1, (20, 20), 1, "core_coverage: tests fail, so nothing is judged"),
    ],
    ids=["above", "below", "tests fail"],
)
def test_the_exit_code_is_the_verdict(
    tests: int,
    branches: tuple[int, int],
    code: int,
    last: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "cores.json"
    path.write_text(
        json.dumps(report(**{name: of_file((9, 9), branches, [], []) for name in core_coverage.files_of(["awx"])}))
    )
    monkeypatch.setattr(core_coverage, "REPORT", path)
    monkeypatch.setattr(core_coverage, "measure", lambda _packages: tests)
    assert core_coverage.main(["awx"]) == code
    out, err = capsys.readouterr()
    assert (out + err).splitlines()[-1] == last


def test_what_is_no_core_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert core_coverage.main(["kube"]) == 2
    assert "no core: kube; cores are alerts, " in capsys.readouterr().err
