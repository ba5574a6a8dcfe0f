"""The artifact holds what users run and read, and nothing that only developers do."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from ...installed_collection import ROOT

#: All that is shipped at the top. Whoever adds a folder decides here whether users get it.
SHIPPED = {
    "CHANGELOG.rst",
    "FILES.json",
    "LICENSE",
    "MANIFEST.json",
    "README.md",
    "changelogs",
    "docs",
    "execution-environment.yml",
    "extensions",
    "inventory",
    "meta",
    "playbooks",
    "plugins",
    "roles",
}
#: What git knows and the artifact leaves out.
KEPT_BACK = {
    ".ansible-lint",
    ".ci",
    ".config",
    ".editorconfig",
    ".github",
    ".gitignore",
    ".pre-commit-config.yaml",
    ".pre-commit-hooks.yaml",
    ".yamllint",
    "CONTRIBUTING.md",
    "LICENSES",
    "Makefile",
    "REUSE.toml",
    "ansible.cfg",
    "bench",
    "galaxy.yml",
    "molecule",
    "noxfile.py",
    "pyproject.toml",
    "requirements",
    "sandbox",
    "tests",
    "tools",
}


def tracked() -> set[str]:
    told = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in told.split("\0") if name and (ROOT / name).exists()}


def test_what_is_shipped_is_listed(files: set[str]) -> None:
    assert {name.split("/")[0] for name in files} == SHIPPED


def test_each_file_of_git_is_shipped_or_kept_back(files: set[str]) -> None:
    tops = {name.split("/")[0] for name in tracked()}
    assert tops - SHIPPED == KEPT_BACK
    wanted = {name for name in tracked() if name.split("/")[0] in SHIPPED}
    wanted -= {name for name in wanted if name.startswith("changelogs/") and name != "changelogs/changelog.yaml"}
    assert wanted - files == set()


def test_nothing_is_shipped_that_git_does_not_know(files: set[str]) -> None:
    assert files - tracked() == {"FILES.json", "MANIFEST.json"}


def test_inventory_is_the_sample_with_its_files(files: set[str]) -> None:
    assert {name.split("/")[1] for name in files if name.startswith("inventory/")} == {"files", "sample"}


def test_only_text_is_shipped_and_small_pictures_of_the_documentation(collection: Path, files: set[str]) -> None:
    for name in files:
        if name.startswith("docs/pictures/") and name.endswith(".png"):
            picture = (collection / name).read_bytes()
            assert picture.startswith(b"\x89PNG\r\n"), name
            assert len(picture) < 150_000, name
        else:
            (collection / name).read_text(encoding="utf-8")


def test_it_says_where_it_comes_from(collection: Path) -> None:
    told = json.loads((collection / "MANIFEST.json").read_text())["collection_info"]
    for place in ("repository", "documentation", "homepage", "issues"):
        assert told[place].startswith("https://github.com/falconet-k8s/falconet.k8s"), place
    assert not [line for line in told["authors"] if not line.strip()]
