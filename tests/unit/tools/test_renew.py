"""Locks are renewed by one command, which says what moved."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from sandbox.toolchain import Go
from tools import renew
from tools.environment import SetupError
from tools.renew import Move, direct, index_of_pip, locks, moves, newer_modules, python_of, renew_lock

ROOT = Path(__file__).resolve().parents[3]


def test_what_moved_is_told_by_name() -> None:
    found = moves({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "1"})
    assert [one.text() for one in found] == ["b 1 -> 2", "c 1 went", "d 1 is new"]


def test_every_lock_of_the_repository_is_found() -> None:
    found = {lock.name for _source, lock in locks()}
    assert found == {path.name for path in (ROOT / "requirements").glob("*.txt")}
    assert {"dev.txt", "go.txt"} <= found


def test_a_lock_is_for_the_python_that_it_names() -> None:
    assert python_of("# What is tested.\n# python: 3.12\nansible-core\n") == "3.12"
    assert python_of("ansible-core\n") == renew.OLDEST_PYTHON


class Uv:
    """Stands in for uv: locks everything in one version."""

    def __init__(self, text: str, code: int = 0) -> None:
        self.text, self.code, self.argv = text, code, [""]

    def __call__(self, argv: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        if argv[1:3] == ["-m", "pip"]:
            return subprocess.CompletedProcess(argv, 0, "global.index-url='https://index.test/simple'\n", "")
        self.argv = argv
        target = next(one.split("=", 1)[1] for one in argv if one.startswith("--output-file="))
        Path(target).write_text(self.text)
        return subprocess.CompletedProcess(argv, self.code, "", "no solution for a\n")


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_lock_is_written_unless_it_is_a_dry_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    source, lock = tmp_path / "x.in", tmp_path / "x.txt"
    source.write_text("# python: 3.12\na\n")
    lock.write_text("a==1 --hash=sha256:1\n")
    program = Uv("a==2 --hash=sha256:2\n")
    monkeypatch.setattr(renew, "run", program)
    assert renew_lock(Path("uv"), source, lock, dry_run=dry_run) == [Move("a", "1", "2")]
    assert lock.read_text().startswith("a==1" if dry_run else "a==2")
    wanted = {"--generate-hashes", "--no-strip-extras", "--universal", "--upgrade", "--python-version=3.12"}
    assert wanted <= set(program.argv)


def test_what_cannot_be_locked_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, lock = tmp_path / "x.in", tmp_path / "x.txt"
    source.write_text("a\n")
    lock.write_text("a==1\n")
    monkeypatch.setattr(renew, "run", Uv("", code=1))
    with pytest.raises(SetupError, match="no solution for a"):
        renew_lock(Path("uv"), source, lock, dry_run=False)
    assert lock.read_text() == "a==1\n"


def test_uv_asks_the_index_that_pip_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renew, "run", Uv(""))
    assert index_of_pip() == {"UV_DEFAULT_INDEX": "https://index.test/simple"}


def test_modules_that_a_go_mod_asks_for_itself_are_read() -> None:
    text = "module m\n\ngo 1.26\n\nrequire k8s.io/kubernetes v1.35.4\nrequire (\n\tgithub.com/a/b v1.0.0\n"
    text += "\tgithub.com/c/d v1.0.0 // indirect\n)\n\nreplace k8s.io/api => k8s.io/api v0.35.4\n"
    assert direct(text) == ["k8s.io/kubernetes", "github.com/a/b"]


def test_newer_modules_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "go.mod").write_text("module m\nrequire github.com/a/b v1.0.0\n")
    monkeypatch.setattr(renew, "find_go", lambda: Go(Path("/nowhere/go"), "go version go1.99.0"))
    told = '{"Path": "github.com/a/b", "Version": "v1.0.0", "Update": {"Version": "v1.1.0"}}\n{"Path": "x.test/y"}\n'
    monkeypatch.setattr(renew, "run", lambda argv, **_: subprocess.CompletedProcess(argv, 0, told, ""))
    assert list(newer_modules(tmp_path)) == [Move("github.com/a/b", "v1.0.0", "v1.1.0")]
    monkeypatch.setattr(renew, "run", lambda argv, **_: subprocess.CompletedProcess(argv, 1, "", "go: no proxy\n"))
    with pytest.raises(SetupError, match="go: no proxy"):
        list(newer_modules(tmp_path))


def test_a_lock_that_there_is_not_names_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert renew.main(["--dry-run", "dve"]) == 2
    assert "there is no lock 'dve'; those are" in capsys.readouterr().err
