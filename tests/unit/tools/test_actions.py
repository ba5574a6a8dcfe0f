"""Actions are pinned by commit, and renewed within their major version from the repository that has them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.actions import Pin, newest, renew, tags
from tools.environment import SetupError

ROOT = Path(__file__).resolve().parents[3]


def git(folder: Path, *arguments: str) -> str:
    identity = [
        "-c",
        "user.name=x",
        "-c",
        "user.email=x@y.test",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "tag.gpgsign=false",
    ]
    return subprocess.run(
        ["git", *identity, "-C", str(folder), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def forge(tmp_path: Path) -> Path:
    """A folder with one action that has four versions."""
    folder = tmp_path / "forge" / "actions" / "thing"
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet")
    for tag in ("v4.1.0", "v4.10.0", "v4", "v5.0.0", "v4.2.0-rc1"):
        git(folder, "commit", "--quiet", "--allow-empty", "--message", tag)
        git(folder, "tag", *(["--annotate", "--message", "x"] if tag == "v4.10.0" else []), tag)
    return tmp_path / "forge"


def commit(forge: Path, tag: str) -> str:
    return git(forge / "actions" / "thing", "rev-parse", f"{tag}^{{commit}}")


def workflow(folder: Path, sha: str, tag: str = "v4.1.0") -> Path:
    path = folder / "ci.yml"
    path.write_text(f"steps:\n  - uses: actions/thing@{sha} # {tag}\n  - uses: actions/thing/part@{sha} # {tag}\n")
    return path


@pytest.mark.parametrize("dry_run", [True, False])
def test_the_newest_of_the_same_major_version_is_pinned(forge: Path, tmp_path: Path, dry_run: bool) -> None:
    path = workflow(tmp_path, commit(forge, "v4.1.0"))
    before = path.read_text()
    told = renew(path, dry_run=dry_run, forge=f"file://{forge}")
    assert told == ["actions/thing v4.1.0 -> v4.10.0", "actions/thing v5.0.0 can be had (told, not written)"]
    after = before.replace(commit(forge, "v4.1.0"), commit(forge, "v4.10.0")).replace("v4.1.0", "v4.10.0")
    assert path.read_text() == (before if dry_run else after)


def test_a_tag_that_was_moved_is_told(forge: Path, tmp_path: Path) -> None:
    path = workflow(tmp_path, "0" * 40, "v4.10.0")
    with pytest.raises(SetupError, match=r"its tag v4\.10\.0 is [0-9a-f]{40}, and was 0{40}: it was moved"):
        renew(path, dry_run=False, forge=f"file://{forge}")


def test_a_forge_that_does_not_answer_is_told(tmp_path: Path) -> None:
    path = workflow(tmp_path, "0" * 40)
    before = path.read_text()
    with pytest.raises(SetupError, match="actions/thing: "):
        renew(path, dry_run=False, forge=f"file://{tmp_path}/none")
    assert path.read_text() == before


def test_listings_are_read() -> None:
    listing = "aa\trefs/tags/v1.0.0\nbb\trefs/tags/v1.0.0^{}\ncc\trefs/tags/v1\ndd\trefs/tags/v1.1.0\n"
    assert tags(listing) == {"v1.0.0": "bb", "v1.1.0": "dd"}
    assert newest(Pin("a/b", "v1.0.0", "bb"), {}) == (Pin("a/b", "v1.0.0", "bb"), "")
