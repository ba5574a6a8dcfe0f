"""Content-addressed folders are complete or absent, and their names tell different inputs apart."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.cache import cache_root, digest, digest_files, produce, prune, write_atomically


@given(st.lists(st.text()), st.lists(st.text()))
def test_digest_tells_sequences_apart(one: list[str], other: list[str]) -> None:
    assert (digest(one) == digest(other)) is (one == other)


def test_digest_of_files_sees_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a.go").write_text("one")
    before = digest(digest_files(tmp_path, ["*.go"]))
    (tmp_path / "ignored.md").write_text("text")
    assert digest(digest_files(tmp_path, ["*.go"])) == before
    (tmp_path / "a.go").rename(tmp_path / "b.go")
    assert digest(digest_files(tmp_path, ["*.go"])) != before


def test_produce_makes_a_folder_once(tmp_path: Path) -> None:
    calls = []

    def make(folder: Path) -> None:
        calls.append(folder)
        (folder / "file").write_text("content")

    target = tmp_path / "thing-1"
    assert produce(target, make) == target
    assert produce(target, make) == target
    assert len(calls) == 1
    assert (target / "file").read_text() == "content"


def test_produce_starts_over_after_a_failure(tmp_path: Path) -> None:
    target = tmp_path / "thing"

    def fail(folder: Path) -> None:
        (folder / "half").write_text("done")
        raise RuntimeError("no luck")

    with pytest.raises(RuntimeError, match="no luck"):
        produce(target, fail)
    assert not target.exists()
    produce(target, lambda folder: (folder / "whole").touch())
    assert [path.name for path in target.iterdir()] == ["whole"]


def test_atomic_write_reports_changes_and_keeps_secrets_private(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "secret"
    assert write_atomically(file, "one", mode=0o600)
    assert file.stat().st_mode & 0o777 == 0o600
    assert not write_atomically(file, "one", mode=0o600)
    assert write_atomically(file, "two", mode=0o600)
    assert write_atomically(file, "two", mode=0o644)
    assert [path.name for path in file.parent.iterdir()] == ["secret"]


def test_pruning_removes_only_what_is_old_and_unused(tmp_path: Path) -> None:
    for name in ("used", "old", "young"):
        produce(tmp_path / name, lambda folder: (folder / "file").touch())
    for name in ("used", "old"):
        os.utime(tmp_path / name, (0, 0))
    assert prune(tmp_path, {tmp_path / "used"}) == [tmp_path / "old"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".used.lock", ".young.lock", "used", "young"]
    assert prune(tmp_path / "absent", set()) == []


def test_cache_root_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FALCONET_CACHE", str(tmp_path / "elsewhere"))
    assert cache_root() == tmp_path / "elsewhere"
    assert cache_root().is_dir()
