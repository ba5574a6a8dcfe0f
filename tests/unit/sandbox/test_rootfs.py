"""Making the nodes' root file system from a mirror that has everything, something less, or nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox import debian, rootfs
from sandbox.debian import Mirror
from sandbox.errors import SandboxError

BOOKWORM, TRIXIE = (Mirror("http://mirror.test/debian", suite, ("main",)) for suite in ("bookworm", "trixie"))

# A debootstrap whose mirror is a folder: a suite's file holds the words with which it fails, or nothing. What it makes
# is dpkg's list of packages.
DEBOOTSTRAP = """#!/bin/sh
for word; do case $word in --include=*) packages=$(echo "${word#--include=}" | tr , ' ');; esac; shift; done
suite=$(sed -n 1p "$MIRROR/next"); sed -i 1d "$MIRROR/next"
if [ -s "$MIRROR/$suite" ]; then cat "$MIRROR/$suite" >&2; exit 1; fi
mkdir -p "$ROOT/var/lib/dpkg/info" "$ROOT/var/lib/dpkg/updates" "$ROOT/etc/ssh" "$ROOT/usr/share/doc/x"
: > "$ROOT/etc/ssh/ssh_host_rsa_key"
for package in $packages libc6; do
  printf 'Package: %s\\nStatus: install ok installed\\nMaintainer: x\\nArchitecture: amd64\\nVersion: 1-%s\\n' \\
    "$package" "$suite"
  printf 'Description: x\\n\\n'
done > "$ROOT/var/lib/dpkg/status"
"""


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one file for each suite; empty means that the mirror has everything."""
    folder, programs = tmp_path / "mirror", tmp_path / "bin"
    for one in (folder, programs):
        one.mkdir()
    (folder / "next").write_text("bookworm\ntrixie\n")
    program = programs / "debootstrap"
    program.write_text(DEBOOTSTRAP)
    program.chmod(0o755)
    environment = {"MIRROR": str(folder), "ROOT": str(tmp_path / "made" / "root"), "PATH": f"{programs}:/usr/bin:/bin"}
    monkeypatch.setenv("PATH", environment["PATH"])
    monkeypatch.setattr(rootfs, "proxy_environment", lambda: environment)
    (tmp_path / "made").mkdir()
    return folder


def test_all_that_went_in_is_written_down(mirror: Path, tmp_path: Path) -> None:
    rootfs._make([BOOKWORM, TRIXIE], tmp_path / "made")
    made = json.loads((tmp_path / "made" / "made.json").read_text())
    assert made["suite"] == "bookworm"
    assert made["packages"] == dict.fromkeys(sorted([*rootfs.PACKAGES, "libc6"]), "1-bookworm")
    (tmp_path / "version").write_text("5:7\n")
    suite, named = rootfs.what_came(tmp_path / "made" / "root", tmp_path)
    assert (suite, named) == ("bookworm", {**dict.fromkeys(rootfs.PACKAGES, "1-bookworm"), "redis-server": "5:7"})


def test_it_is_dressed_as_rocky(mirror: Path, tmp_path: Path) -> None:
    rootfs._make([BOOKWORM], tmp_path / "made")
    root = tmp_path / "made" / "root"
    assert 'ID="rocky"' in (root / "etc/os-release").read_text()
    assert {path: str((root / path).readlink()) for path in rootfs.LINKS} == rootfs.LINKS
    assert "SetEnv LANG=C.UTF-8" in (root / "etc/ssh/sshd_config").read_text()
    assert list((root / "etc/ssh").glob("ssh_host_*")) == []
    assert not (root / "usr/share/doc").exists()


def test_a_package_that_is_gone_is_taken_from_the_next_suite(mirror: Path, tmp_path: Path) -> None:
    (mirror / "bookworm").write_text("E: Couldn't find these debs: nftables\n")
    rootfs._make([BOOKWORM, TRIXIE], tmp_path / "made")
    assert json.loads((tmp_path / "made" / "made.json").read_text())["suite"] == "trixie"


def test_a_package_that_is_gone_everywhere_is_named(mirror: Path, tmp_path: Path) -> None:
    (mirror / "bookworm").write_text("I: Checking\nE: Couldn't find these debs: runc nftables\n")
    (mirror / "trixie").write_text("E: Couldn't download packages: sudo\n")
    with pytest.raises(SandboxError) as told:
        rootfs._make([BOOKWORM, TRIXIE], tmp_path / "made")
    assert "bookworm: http://mirror.test/debian does not have runc, nftables\n" in told.value.message
    assert told.value.message.endswith("trixie: http://mirror.test/debian does not have sudo")
    assert "replaced in sandbox/rootfs.py" in told.value.hint


def test_a_mirror_that_does_not_answer_is_told_in_its_words(mirror: Path, tmp_path: Path) -> None:
    (mirror / "bookworm").write_text("E: Failed getting release file http://mirror.test/Release\n")
    with pytest.raises(SandboxError, match="Failed getting release file") as told:
        rootfs._make([BOOKWORM], tmp_path / "made")
    assert told.value.hint == "is the mirror that apt uses reachable?"


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("E: Couldn't find these debs: nor-this no-such-thing", ["nor-this", "no-such-thing"]),
        ("E: Unable to locate package redis-server", ["redis-server"]),
        ("E: Package 'redis-server' has no installation candidate", ["redis-server"]),
        (
            "E: Failed to fetch http://mirror.test/pool/main/r/redis/redis-tools_7.0.15-1~deb12u3_amd64.deb  404  Not "
            "Found [IP: 192.0.2.1 80]\nE: Failed to fetch http://mirror.test/pool/main/l/lzf/liblzf1_3.6-3_amd64.deb  "
            "404  Not Found\nE: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?",
            ["redis-tools", "liblzf1"],
        ),
        ("E: Failed to fetch http://mirror.test/dists/bookworm/InRelease  Could not connect to mirror.test:80", []),
        ("E: Couldn't download packages: a b\nE: Couldn't download packages: b", ["a", "b"]),
    ],
)
def test_packages_that_are_gone_are_read_from_the_tools_words(words: str, names: list[str]) -> None:
    assert debian.gone_packages(words) == names


def test_redis_that_is_gone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "base" / "root"
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "busybox").write_text("")
    monkeypatch.setattr(rootfs, "cache_root", lambda: tmp_path / "cache")
    monkeypatch.setattr(rootfs, "proxy_environment", dict)

    def gone(*_: object, **__: object) -> None:
        raise SandboxError("exit code 100 from: unshare\n    E: Unable to locate package redis-server")

    monkeypatch.setattr(rootfs, "run_in_scratch", gone)
    with pytest.raises(SandboxError, match=r"Redis .* does not have redis-server:") as told:
        rootfs.debian_programs(root)
    assert "try again" in told.value.hint
