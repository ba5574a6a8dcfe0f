"""Where a directory is or would be is told by the mount that is seen there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.node.storage import storage_of

from ..module_runner import run_module


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    """A mount with a blank in its name that hides another one at the same place."""
    place = tmp_path / "a disk"
    (place / "data").mkdir(parents=True)
    listed = tmp_path / "mounts"
    where = str(place).replace(" ", "\\040")
    listed.write_text(
        f"/dev/a / ext4 rw 0 0\n/dev/b {where} ext4 rw 0 0\n"
        f"/dev/c {where} xfs ro,relatime 0 0\n/dev/d /other nfs rw 0 0\n"
    )
    return listed


def test_a_directory_that_is_to_be_made(mounts: Path) -> None:
    place = mounts.parent / "a disk"
    found = storage_of(str(place / "data" / "redis" / "more"), str(mounts))
    room = os.statvfs(place)
    assert abs(found.pop("free_mb") - room.f_bavail * room.f_frsize // 1024**2) < 1024
    assert found == {
        "directory": str(place / "data"),
        "target": str(place),
        "filesystem": "xfs",
        "options": ["ro", "relatime"],
    }


def test_a_link_leads_to_another_mount(mounts: Path) -> None:
    link = mounts.parent / "link"
    link.symlink_to(mounts.parent / "a disk" / "data")
    assert storage_of(str(link / "redis"), str(mounts))["filesystem"] == "xfs"


def test_the_root(mounts: Path) -> None:
    assert storage_of("/no-such/directory", str(mounts))["target"] == "/"


def test_the_module_tells_it_of_this_machine(tmp_path: Path) -> None:
    storage = run_module("falco_driver_info", {"storage_path": str(tmp_path / "redis")})["storage"]
    assert storage["directory"] == str(tmp_path)
    assert storage["free_mb"] >= 0
    assert storage["filesystem"]
    assert run_module("falco_driver_info", {})["storage"] == {}


def test_a_directory_bound_to_its_own_file_system_is_a_mount_of_its_own(tmp_path: Path) -> None:
    bound = tmp_path / "mnt"
    (bound / "data").mkdir(parents=True)
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\n/dev/vda {bound.resolve()} ext4 ro,relatime 0 0\n")
    found = storage_of(str(bound / "data" / "redis"), str(mounts))
    assert (found["target"], found["options"]) == (str(bound.resolve()), ["ro", "relatime"])
