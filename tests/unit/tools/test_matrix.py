"""The matrix of ansible-cores: what is claimed is run, whatever is left out is told, and failures are none of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tools import matrix
from tools.environment import SetupError
from tools.matrix import NoPythonError, Row, ansible_tests, changed, python_for, table, versions

ROOT = Path(__file__).resolve().parents[3]


def test_the_oldest_is_the_one_that_is_claimed_and_every_version_has_its_pythons() -> None:
    claimed = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["requires_ansible"]
    assert claimed == f">={versions()[0]}.0"
    assert set(versions()) == set(matrix.PYTHONS)
    minors = [int(core.split(".")[1]) for core in versions()]
    assert minors == list(range(minors[0], minors[-1] + 1))


@pytest.mark.parametrize("core", versions())
def test_a_lock_holds_its_ansible_core_for_the_oldest_python(core: str) -> None:
    folder = ROOT / "requirements"
    assert re.search(rf"^ansible-core=={re.escape(core)}\.", (folder / f"ansible-core-{core}.txt").read_text(), re.M)
    made_for = re.search(r"^# python: (\S+)", (folder / f"ansible-core-{core}.in").read_text(), re.M)
    assert (made_for[1] if made_for else "3.11") == ".".join(map(str, matrix.PYTHONS[core][0]))


@pytest.mark.parametrize(("folder", "called"), [("modules", r'"{}"'), ("filter", r"plugins\.filter\.{}\b")])
def test_every_module_and_filter_is_run_by_a_test_of_the_matrix(folder: str, called: str) -> None:
    text = "\n".join(path.read_text() for path in (ROOT / "tests" / "unit").rglob("*.py") if "tools" not in path.parts)
    plugins = [path.stem for path in (ROOT / "plugins" / folder).glob("*.py") if path.stem != "__init__"]
    assert [plugin for plugin in plugins if not re.search(called.format(plugin), text)] == []


def test_tests_of_cores_alone_are_left_to_the_unit_session() -> None:
    chosen = {str(path.relative_to(ROOT / "tests" / "unit")) for path in ansible_tests()}
    assert {"modules/test_falco_release.py", "roles/test_given_as_text.py", "playbooks/test_login.py"} <= chosen
    assert not {name for name in chosen if name.startswith(("sandbox/", "tools/", "falco_driver/"))}


def test_the_first_python_that_is_supported_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"old": (3, 10), "fits": (3, 12), "fits-too": (3, 11)}

    def version(python: str) -> tuple[int, int]:
        if python not in known:
            raise SetupError("it does not run")
        return known[python]

    monkeypatch.setattr(matrix, "python_version", version)
    assert python_for("2.16", ["away", "old", "fits", "fits-too"]) == "fits"
    with pytest.raises(NoPythonError, match=r"needs Python 3\.12 to 3\.14, here is 3\.10, 3\.11"):
        python_for("2.21", ["fits-too", "away", "old"])


def test_what_was_not_run_is_told_and_a_failure_is_not_left_out() -> None:
    rows = [
        Row("2.16", "3.11.7", "2.16.19", ["432 tests", "preflight.yml"]),
        Row("2.17", "3.11.7", "2.17.14", ["432 tests"], failed=["preflight.yml"]),
        Row("2.21", left_out="needs Python 3.12 to 3.14, here is 3.11"),
    ]
    assert table(rows).splitlines() == [
        "ansible-core  Python  what was run",
        "2.16.19       3.11.7  432 tests, preflight.yml  passed",
        "2.17.14       3.11.7  432 tests                 failed: preflight.yml",
        "2.21                                            left out: needs Python 3.12 to 3.14, here is 3.11",
    ]


def test_an_environment_that_cannot_be_made_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(*arguments: object) -> None:
        raise SetupError("a version is gone")

    monkeypatch.setattr(matrix, "make", cannot)
    row = matrix.run("2.18", ["preflight"], None, [sys.executable], [])
    assert (row.failed, row.left_out) == (["its environment: a version is gone"], "")


def test_a_second_run_that_changes_something_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    recap = "PLAY RECAP ***\nsandbox : ok=9    changed=2    unreachable=0    failed=0\n"

    class Recorded(matrix.Environment):
        def run(self, argv, **more):  # type: ignore[no-untyped-def]  # the signature does not matter here
            output = "5 passed in 1s" if argv[0] == "pytest" else recap
            return subprocess.CompletedProcess(argv, 0, output)

    def ended(tests: list[Path]) -> list[tuple[str, bool]]:
        ran = matrix.steps(Recorded(tmp_path, {}), ["site", "site again", "x"], tmp_path, tests)
        return [(name, passed) for name, passed, _output in ran]

    assert changed(recap) == 2
    plays = [("site.yml", True), ("site.yml without a change", False)]
    assert ended(matrix.ansible_tests()) == [("5 tests", True), *plays]
    assert ended([]) == plays


def test_plays_alone_without_a_cluster_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        matrix.main(["--only", "plays"])
    assert "--only plays needs --inventory" in capsys.readouterr().err


def test_sharing_versions_run_all_at_the_ends_a_part_each_between_and_nothing_twice() -> None:
    tests = [Path(name) for name in "abcde"]
    shared = matrix.shares(tests, ["2.16", "2.17", "2.18", "2.19", "2.20"], "2.19")
    assert shared["2.16"] == shared["2.20"] == tests
    assert shared["2.19"] == []
    assert sorted(shared["2.17"] + shared["2.18"]) == tests
    assert matrix.shares(tests, ["2.16"], "2.19") == {"2.16": tests}
    assert matrix.shares(tests, ["2.16", "2.17"], "2.17") == {"2.16": tests, "2.17": []}
    assert matrix._version_here() in matrix.PYTHONS


def test_oldest_and_newest_run_the_whole_site() -> None:
    cores = ["2.16", "2.17", "2.18"]
    inventory = Path("inventory")
    assert [matrix.plays_of(core, cores, inventory, True) for core in cores] == [
        ["uninstall", "site"],
        ["preflight"],
        ["site again"],
    ]
    assert matrix.plays_of("2.16", ["2.16"], inventory, True) == ["uninstall", "site", "site again"]
    assert matrix.plays_of("2.16", cores, inventory, False) == ["preflight"]
    assert matrix.plays_of("2.16", cores, None, True) == []
