"""The Go module proxy is asked, through go, for what the sandbox is built from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.toolchain import Go
from tools.diagnosis.modules import FOLDERS, Answer, ask, judge, needed, read

GO_MOD = {
    "Require": [
        {"Path": "m.test/a", "Version": "v1.0.0"},
        {"Path": "m.test/b", "Version": "v0.0.0"},
        {"Path": "m.test/c", "Version": "v1.0.0", "Indirect": True},
        {"Path": "m.test/local", "Version": "v0.0.0"},
    ],
    "Replace": [
        {"Old": {"Path": "m.test/b"}, "New": {"Path": "m.test/b", "Version": "v0.35.4"}},
        {"Old": {"Path": "m.test/local"}, "New": {"Path": "../local"}},
    ],
}


def test_replaced_modules_are_asked_for_in_their_place() -> None:
    assert needed(GO_MOD) == {"m.test/a@v1.0.0", "m.test/b@v0.35.4"}  # type: ignore[arg-type]  # as go prints it
    assert needed({"Require": None, "Replace": None}) == set()  # type: ignore[dict-item]  # as go prints it


def answer(path: str, error: str = "") -> str:
    return json.dumps({"Path": path, "Version": "v1.0.0", **({"Error": {"Err": error}} if error else {})})


def test_what_is_gone_is_kept_apart_from_other_trouble() -> None:
    lost, problem = read(
        answer("m.test/a")
        + "\n"
        + answer("m.test/b", "m.test/b@v1.0.0: reading https://proxy.test/b: 404 Not Found\n\tserver response: x")
        + answer("m.test/c", 'Get "https://proxy.test/c":\n dial tcp: connection refused')
        + answer("m.test/d", "another")
    )
    assert lost == ["m.test/b@v1.0.0"]
    assert problem == 'Get "https://proxy.test/c": dial tcp: connection refused'
    assert read("") == ([], "")


def go(folder: Path, listed: str, code: int = 0) -> Go:
    program = folder / "go"
    (folder / "listed").write_text(listed)
    program.write_text(
        f'#!/bin/sh\nif [ "$1" = mod ]; then cat "$PWD/go.mod"; else echo "$@" >> {folder}/asked; '
        f'[ -e "$GOMODCACHE" ] || echo "new cache" >> {folder}/asked; cat {folder}/listed; exit {code}; fi\n'
    )
    program.chmod(0o755)
    return Go(program, "go version go1.99.0 linux/amd64")


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FALCONET_CACHE", str(tmp_path / "cache"))
    (tmp_path / "modules" / "one").mkdir(parents=True)
    # The stand-in for go prints it as it is.
    (tmp_path / "modules" / "one" / "go.mod").write_text(json.dumps(GO_MOD))
    return tmp_path / "modules"


def test_go_asks_with_an_empty_cache(folders: Path, tmp_path: Path) -> None:
    said = ask(go(tmp_path, answer("m.test/a") + answer("m.test/b")), folders)
    assert said == Answer("go version go1.99.0 linux/amd64", 2)
    asked = (tmp_path / "asked").read_text()
    assert asked == "list -m -e -json m.test/a@v1.0.0 m.test/b@v0.35.4\nnew cache\n"


def test_modules_that_are_gone_are_named(folders: Path, tmp_path: Path) -> None:
    said = ask(go(tmp_path, answer("m.test/a", "m.test/a@v1.0.0: 410 Gone")), folders)
    findings = judge(said, cached=False)
    assert [one.level for one in findings] == ["ok", "error"]
    assert findings[1].what == "the Go module proxy does not have m.test/a@v1.0.0"
    assert [one.level for one in judge(said, cached=True)] == ["ok", "note"]


def test_a_proxy_that_is_away_is_told(folders: Path, tmp_path: Path) -> None:
    said = ask(go(tmp_path, answer("m.test/a", "dial tcp: connection refused")), folders)
    findings = judge(said, cached=False)
    assert [one.level for one in findings] == ["ok", "error"]
    assert findings[1].what == "the Go module proxy: dial tcp: connection refused"
    assert "go env GOPROXY" in findings[1].advice
    assert "in the cache" in judge(said, cached=True)[1].advice


def test_go_that_fails_is_told(folders: Path, tmp_path: Path) -> None:
    assert "exit code 3" in ask(go(tmp_path, "", code=3), folders).problem


def test_a_machine_without_go_is_told() -> None:
    (note,) = judge(Answer(advice="see above"), cached=False)
    assert note.level == "note"
    assert "no Go 1.26.6 or newer here" in note.what
    (error,) = judge(Answer(problem="cannot be had"), cached=False)
    assert (error.level, error.what) == ("error", "cannot be had")


def test_all_is_well() -> None:
    assert [one.level for one in judge(Answer("go version go1.99.0", 38), cached=False)] == ["ok", "ok"]


def test_the_modules_of_the_sandbox_are_found() -> None:
    assert len(list(FOLDERS.glob("*/go.mod"))) > 5
