"""Debian packages that came in another version than was tried are told by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox import debian_versions
from sandbox.debian_versions import installed, moved, read, record
from sandbox.errors import SandboxError
from sandbox.rootfs import PACKAGES

TRIED = {("bookworm", "redis-server"): "5:7.0.15-1~deb12u3", ("bookworm", "runc"): "1.1.5"}
STATUS = """Package: {}
Status: install ok installed
Maintainer: x
Architecture: amd64
Version: {}
Description: x

"""


def test_what_was_tried_is_not_told() -> None:
    assert moved({"runc": "1.1.5"}, "bookworm", TRIED) == []


def test_another_version_is_tolerated_and_told() -> None:
    assert moved({"redis-server": "5:7.0.15-1~deb12u9", "more": "1"}, "bookworm", TRIED) == [
        "more is 1, nothing was tried: tolerated",
        "redis-server is 5:7.0.15-1~deb12u9, 5:7.0.15-1~deb12u3 was tried: tolerated",
    ]


def test_another_suite_is_told_once() -> None:
    assert moved({"runc": "2", "kmod": "3"}, "trixie", TRIED) == [
        "Debian packages of trixie were not tried yet: a fault may be theirs"
    ]


def test_versions_are_read_from_a_root_file_system(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "lib" / "dpkg"
    (folder / "info").mkdir(parents=True)
    (folder / "updates").mkdir()
    (folder / "status").write_text(STATUS.format("runc", "1.1.5") + STATUS.format("kmod", "30"))
    assert installed(tmp_path, ["runc", "kmod"]) == {"kmod": "30", "runc": "1.1.5"}
    with pytest.raises(SandboxError, match="no packages found matching netbase"):
        installed(tmp_path, ["runc", "netbase"])


def test_trying_anew_keeps_other_suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian_versions, "TRIED", tmp_path / "tried.tsv")
    record("noble", {"runc": "1.2"}, write=True)
    assert record("bookworm", {"runc": "1.1.5"}, write=True) == [
        "Debian packages of bookworm were not tried yet: a fault may be theirs"
    ]
    assert record("bookworm", {"runc": "1.1.6"}, write=False) == ["runc is 1.1.6, 1.1.5 was tried: tolerated"]
    assert read((tmp_path / "tried.tsv").read_text()) == {("bookworm", "runc"): "1.1.5", ("noble", "runc"): "1.2"}
    assert record("bookworm", {"runc": "1.1.5"}, write=True) == ["Debian packages of bookworm: those that were tried"]


def test_everything_of_the_root_file_system_was_tried() -> None:
    tried = read(debian_versions.TRIED.read_text())
    assert {package for suite, package in tried if suite == "bookworm"} == {*PACKAGES, "redis-server"}


def test_nodes_have_the_names_of_protocols() -> None:
    assert "netbase" in PACKAGES
