"""A release is made where version, changelog and tree agree; its signatures are what Ansible and people verify."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tools import release

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository of which 1.0.0 may be released."""
    root = tmp_path / "tree"
    (root / "changelogs" / "fragments").mkdir(parents=True)
    (root / "galaxy.yml").write_text("version: 1.0.0\n")
    (root / "changelogs" / "changelog.yaml").write_text("releases: {1.0.0: {}, 1.1.0-rc.1: {}}\n")
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    return root


def test_what_agrees_has_no_obstacles(tree: Path) -> None:
    assert list(release.obstacles("1.0.0", tree)) == []


@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "1.0.0-dev0", "01.0.0", "1.0.0 --force"])
def test_other_versions_are_refused(tree: Path, version: str) -> None:
    first, *rest = release.obstacles(version, tree)
    assert first == f"{version} is no version of a release: give three numbers, such as 1.0.0 or 1.0.0-rc.1"
    assert rest[0] == f"galaxy.yml says version 1.0.0: set it to {version}"


def test_a_candidate_is_a_version(tree: Path) -> None:
    (tree / "galaxy.yml").write_text("version: 1.1.0-rc.1\n")
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qam", "b"], cwd=tree, check=True)
    assert list(release.obstacles("1.1.0-rc.1", tree)) == []


def test_a_changelog_without_the_release_is_told(tree: Path) -> None:
    (tree / "galaxy.yml").write_text("version: 1.0.1\n")
    assert "changelogs/changelog.yaml has no release 1.0.1: antsibull-changelog release" in release.obstacles(
        "1.0.1", tree
    )


def test_changes_of_no_release_and_a_changed_tree_are_told(tree: Path) -> None:
    (tree / "changelogs" / "fragments" / "late.yml").write_text("")
    assert list(release.obstacles("1.0.0", tree)) == [
        "1 changes are in no release yet, such as late.yml: antsibull-changelog release",
        "the working tree differs from its commit: ?? changelogs/fragments/",
    ]


def test_what_is_refused_makes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(["1.0.0-dev0", "--output", str(tmp_path / "files")]) == 1
    assert "release: 1.0.0-dev0 is no version of a release" in capsys.readouterr().err
    assert not (tmp_path / "files").exists()


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of a release whose artifact holds a manifest alone."""
    manifest = json.dumps({"collection_info": {"name": "k8s"}}).encode()

    def build(folder: Path) -> Path:
        folder.mkdir(parents=True)
        member = tarfile.TarInfo("MANIFEST.json")
        member.size = len(manifest)
        with tarfile.open(folder / "falconet-k8s-1.0.0.tar.gz", "w:gz") as archive:
            archive.addfile(member, io.BytesIO(manifest))
        return folder / "falconet-k8s-1.0.0.tar.gz"

    def parts(arguments: list[str]) -> int:
        Path(arguments[1]).write_text("{}")
        return 0

    monkeypatch.setattr(release, "build", build)
    monkeypatch.setattr(release.sbom, "main", parts)
    release.make(tmp_path / "files")
    return tmp_path / "files"


def test_the_files_have_the_artifacts_manifest_and_sums_that_hold(files: Path) -> None:
    names = {"MANIFEST.json", "SHA256SUMS", "falconet-k8s-1.0.0.tar.gz", "sbom.cdx.json"}
    assert {path.name for path in files.iterdir()} == names
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=files, check=True)
    (files / "MANIFEST.json").write_text("{}")
    assert subprocess.run(["sha256sum", "--check", "--status", "SHA256SUMS"], cwd=files).returncode == 1


@pytest.fixture
def short() -> Iterator[Path]:
    """A place with a short name: gpg-agent's socket lies there, whose path has 107 letters at most."""
    with tempfile.TemporaryDirectory(prefix="sign-", dir="/tmp") as path:
        yield Path(path)


@pytest.mark.skipif(not shutil.which("gpg"), reason="no gpg on this machine")
def test_the_workflow_signs_what_is_verified_with_the_public_key(files: Path, short: Path) -> None:
    steps = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())["jobs"]["sign"]["steps"]
    (script,) = [step["run"] for step in steps if step.get("id") == "signatures"]
    home = short / "home"
    home.mkdir(mode=0o700)
    environment = {**os.environ, "GNUPGHOME": str(home)}
    gpg = ["gpg", "--batch", "--quiet", "--passphrase", ""]
    user = "Release <release@example.org>"
    try:
        subprocess.run([*gpg, "--quick-generate-key", user, "ed25519", "sign"], env=environment, check=True)
        exported = {
            kind: subprocess.run(
                [*gpg, "--armor", kind], env=environment, capture_output=True, text=True, check=True
            ).stdout
            for kind in ("--export", "--export-secret-keys")
        }
    finally:
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=environment, check=True)
    given = {**os.environ, "RELEASE_KEY": exported["--export-secret-keys"], "TMPDIR": str(short)}
    before = set(short.iterdir())
    subprocess.run(["bash", "-e", "-c", script], cwd=files, env=given, check=True, capture_output=True)
    assert set(short.iterdir()) == before  # the key is gone
    keyring = short / "keyring.gpg"
    subprocess.run(["gpg", "--dearmor", "--output", str(keyring)], input=exported["--export"], text=True, check=True)
    for name in ("MANIFEST.json", "SHA256SUMS"):
        verify = ["gpgv", "--keyring", str(keyring), str(files / f"{name}.asc"), str(files / name)]
        assert subprocess.run(verify, capture_output=True).returncode == 0
        (files / name).write_text("another")
        assert subprocess.run(verify, capture_output=True).returncode == 1
