"""`make doctor`: exit code, words, and that it runs on a machine that has nothing yet."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.doctor import Finding
from tools import doctor
from tools.diagnosis import sections

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    findings: list[Finding] = []
    monkeypatch.setattr(sections, "sections", lambda *_: [("this machine", lambda: findings)])
    return findings


def test_errors_are_counted_and_each_says_what_to_do(found: list[Finding], capsys: pytest.CaptureFixture[str]) -> None:
    found += [Finding("ok", "fine", "not shown"), Finding("note", "odd", "look"), Finding("error", "bad", "mend it")]
    assert doctor.main([]) == 1
    assert capsys.readouterr().out == (
        "--- this machine\nok     fine\nnote   odd\n       -> look\nerror  bad\n       -> mend it\n"
        "\n1 of these must be mended first\n"
    )


def test_notes_are_no_errors(found: list[Finding]) -> None:
    found.append(Finding("note", "odd"))
    assert doctor.main([]) == 0


@pytest.mark.parametrize(
    ("environment", "arguments", "wish"),
    [
        ({}, [], sections.Wish()),
        ({"KUBECONFIG": "/x"}, ["--offline"], sections.Wish(sandbox=False, offline=True)),
        ({"SANDBOX": "kind"}, ["--fresh"], sections.Wish(kind=True, fresh=True)),
    ],
)
def test_what_the_user_is_about_to_do_is_read(
    environment: dict[str, str], arguments: list[str], wish: sections.Wish, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KUBECONFIG", "SANDBOX"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    given: list[Any] = []

    def nothing(*values: Any) -> list[Any]:
        given[:] = values
        return []

    monkeypatch.setattr(sections, "sections", nothing)
    assert doctor.main(arguments) == 0
    assert given == [wish]


def test_an_old_python_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(doctor.sys, "version_info", (3, 9, 18))
    assert doctor.main([]) == 1
    assert "Python 3.9, 3.11 or newer is needed" in capsys.readouterr().out


def test_an_old_python_can_read_it() -> None:
    ast.parse((ROOT / "tools" / "doctor.py").read_text(), feature_version=(3, 6))
    assert "from __future__ import annotations" not in (ROOT / "tools" / "doctor.py").read_text()


def test_it_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    # -I and -S: neither site-packages nor the environment's paths.
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tools.diagnosis import sections"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "FALCONET_CACHE": str(tmp_path)}
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
