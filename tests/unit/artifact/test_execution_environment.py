"""What an execution environment for AWX gets of the collection, as ansible-builder finds it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.artifact import environment

from ...installed_collection import ROOT, Installed

DEFINITION = ROOT / "execution-environment.yml"


@pytest.fixture(scope="module")
def programs() -> Path:
    """Where ansible-builder is."""
    return environment(ROOT / "requirements" / "awx.txt") / "bin"


def builder(programs: Path, *arguments: str) -> str:
    done = subprocess.run(
        [str(programs / "ansible-builder"), *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_introspection_tells_packages_and_programs(installed: Installed, programs: Path) -> None:
    found: dict[str, Any] = yaml.safe_load(
        builder(programs, "introspect", str(installed.home / ".ansible" / "collections"))
    )
    # PyYAML, which ansible-core brings, is passed over.
    assert [line.split("  #")[0] for line in found["python"]] == [
        "kubernetes>=24.2",
        "jsonpatch",
        "requests-oauthlib",
    ]
    assert any(line.startswith("openssh-clients [platform:rpm]") for line in found["system"])


def test_packages_are_those_that_the_controller_has(installed: Installed) -> None:
    names = re.findall(
        r"^([A-Za-z-]+)", (installed.collection / "meta" / "ee-requirements.txt").read_text(), re.MULTILINE
    )
    locked = (ROOT / "requirements" / "dev.txt").read_text()
    for name in names:
        assert re.search(rf"^{re.escape(name)}==", locked, re.MULTILINE | re.IGNORECASE), name


def test_definition_makes_a_containerfile_with_helm(programs: Path, tmp_path: Path) -> None:
    builder(
        programs, "create", "--file", str(DEFINITION), "--context", str(tmp_path), "--output-filename", "Containerfile"
    )
    made = (tmp_path / "Containerfile").read_text()
    assert "sha256sum --check --strict" in made
    assert "falconet.k8s" in (tmp_path / "_build" / "requirements.yml").read_text()


def test_helm_is_the_one_that_is_tried() -> None:
    tried = re.search(r"helm\.sh/helm/v3 (v\S+)", (ROOT / "sandbox" / "go" / "helm" / "go.mod").read_text())
    assert tried is not None
    assert f"HELM_VERSION={tried.group(1)}\n" in DEFINITION.read_text()


def test_ansible_core_is_the_one_that_is_tried() -> None:
    asked = yaml.safe_load(DEFINITION.read_text())["dependencies"]["ansible_core"]["package_pip"]
    assert f"{asked}\n" in (ROOT / "requirements" / "base.in").read_text()
