"""What failed in a run of many sessions is said at its end, with why: from the files of nox and pytest themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.test_results import lines

NOXFILE = """
import nox
nox.options.default_venv_backend = "none"
@nox.session
def unit(session):
    session.run("{python}", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=results/unit.xml", "test_it.py",
                external=True)
@nox.session
def types(session):
    pass
"""
TESTS = {
    "passes": "def test_passes(): assert True",
    "fails": "def test_sum(): assert 1 + 1 == 3, 'the sum is\\nwrong'",
    "fails a lot": "import pytest\n@pytest.mark.parametrize('n', range(12))\ndef test_many(n): assert n > 99",
    "breaks": "import pytest\n@pytest.fixture\ndef cluster(): raise OSError('no cluster')\ndef test_pod(cluster): pass",
}


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("passes", ["success  unit", "success  types"]),
        ("fails", ["success  types", "failed   unit", "test_it::test_sum", "the sum is wrong"]),
        ("breaks", ["success  types", "failed   unit", "test_it::test_pod", "OSError: no cluster"]),
        ("fails a lot", ["success  types", "failed   unit", *["test_it::test_many", "assert"] * 10, "and 2 more"]),
    ],
)
def test_a_session_is_told_with_its_failed_tests(tmp_path: Path, test: str, told: list[str]) -> None:
    (tmp_path / "noxfile.py").write_text(NOXFILE.format(python=sys.executable))
    (tmp_path / "test_it.py").write_text(TESTS[test])
    command = [sys.executable, "-m", "nox", "--report", "results/no-cluster.json", "--session", "unit", "types"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == (test != "passes"), ran.stderr
    found = lines(tmp_path / "results")
    assert len(found) == len(told)
    assert [wanted for wanted, line in zip(told, found) if wanted not in line] == []


def test_a_run_that_left_nothing_has_no_lines(tmp_path: Path) -> None:
    assert lines(tmp_path) == []
