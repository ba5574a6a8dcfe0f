"""A package index is asked for what a lock names, and each kind of trouble is told."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from tools.diagnosis import locks
from tools.diagnosis.locks import Answer, Locked, ask, entries, judge, look_up

from ..package_index import Index

PIP = [sys.executable, "-m", "pip"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FALCONET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(locks, "SIDE_BY_SIDE", 1)
    return tmp_path / "cache"


@pytest.fixture
def lock(index: Index, tmp_path: Path) -> Path:
    text = index.offer("covering", "1.0", "tomlish; extra == 'toml'", extras=("toml",)).replace("==", "[toml]==")
    text += index.offer("under_score", "1.0") + index.offer("tomlish", "1.0")
    for newer in ("covering", "tomlish"):
        index.offer(newer, "2.0")
    path = tmp_path / "dev.txt"
    path.write_text(text)
    return path


def test_entries_are_read_whole() -> None:
    text = "# made by\na[x]==1 ; python_version < '3.12' \\\n    --hash=sha256:0a \\\n"
    text += "    --hash=sha256:0b\n    # via b\nB_c==2\n"
    found = entries(text)
    assert found == [
        Locked("a[x]==1 ; python_version < '3.12'", frozenset({"0a", "0b"})),
        Locked("B_c==2", frozenset()),
    ]
    assert [one.name for one in found] == ["a", "b-c"]


def test_an_index_that_has_all_is_good(lock: Path) -> None:
    assert ask(PIP, lock) == Answer("dev.txt", 3)
    assert [one.level for one in judge(ask(PIP, lock))] == ["ok"]


def test_every_version_that_is_gone_is_named(index: Index, lock: Path) -> None:
    index.withdraw("tomlish", "1.0")
    index.withdraw("under_score", "1.0")
    findings = judge(ask(PIP, lock))
    assert [one.level for one in findings] == ["error", "error"]
    assert findings[0].what.startswith(f"tomlish==1.0, which {lock} names, is not to be had for Python")
    assert findings[0].what.endswith("the package index offers 2.0")
    assert findings[1].what.endswith("the package index offers no other version either")
    assert "make renew" in findings[0].advice


def test_processes_side_by_side_name_what_one_does(index: Index, lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "SIDE_BY_SIDE", 2)
    index.withdraw("tomlish", "1.0")
    index.withdraw("under_score", "1.0")
    said = ask(PIP, lock)
    assert (len(said.lost), said.count) == (2, 3)


def test_other_bytes_are_told(index: Index, lock: Path) -> None:
    index.offer("tomlish", "1.0", "surprise")
    (finding,) = judge(ask(PIP, lock))
    assert finding.level == "error"
    assert finding.what == "requirements/dev.txt: other bytes than the lock was made of: tomlish==1.0"


def test_an_index_that_is_away_is_told(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{free.getsockname()[1]}/simple/")
    monkeypatch.setattr(locks, "PATIENCE", ("--retries=1", "--timeout=1"))
    (finding,) = judge(ask(PIP, lock))
    assert finding.level == "error"
    assert finding.what == "requirements/dev.txt: pip does not reach its package index"
    assert "check network and proxy" in finding.advice


def test_an_index_that_does_not_answer_is_given_up(lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(locks, "LIMIT_SECONDS", 0.2)
    assert "did not answer for dev.txt within" in ask([str(slow)], lock).problem


def test_a_good_answer_is_believed_for_an_hour(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "dev.txt"
    lock.write_text("a==1\n")
    good, bad = Answer("dev.txt", 1), Answer("dev.txt", 1, lost=("a==1 is gone",))
    says = {"now": good}
    monkeypatch.setattr(locks, "own_pip", lambda: ["true"])
    monkeypatch.setattr(locks, "ask", lambda *_: says["now"])
    assert look_up(lock) == good
    says["now"] = bad
    assert look_up(lock).lost == ()
    assert look_up(lock, fresh=True) == bad
    # A bad one is not remembered, and replaces what was.
    assert look_up(lock) == bad
    says["now"] = good
    assert look_up(lock) == good
    (remembered,) = (cache / "doctor").glob("dev-*.json")
    hour_ago = remembered.stat().st_mtime - locks.FRESH_SECONDS - 1
    os.utime(remembered, (hour_ago, hour_ago))
    says["now"] = bad
    assert look_up(lock) == bad


def test_what_is_installed_needs_no_index() -> None:
    assert [(one.level, one.what) for one in judge(Answer("dev.txt", installed=True))] == [
        ("ok", "requirements/dev.txt is installed")
    ]


def test_a_machine_without_pip_gets_one_in_the_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    pip = locks.own_pip()
    assert Path(pip[0]).is_relative_to(cache)
    assert locks.own_pip() == pip
