"""Helm is found and new enough, or it is told which one is needed and how to get it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.files.helm import find_helm
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError

from ..module_runner import run_module

NEEDED = "Helm 3.8 or newer is needed where this role runs: install it (https://helm.sh/docs/intro/install/), or name"


def program(folder: Path, version: str) -> Path:
    path = folder / "helm"
    path.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo "{version}"\n')
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("version", ["v3.8.0+gd141386", "v3.20.2", "v4.0.1", "built by ourselves"])
def test_a_helm_that_is_new_enough_is_taken(tmp_path: Path, version: str) -> None:
    helm = program(tmp_path, version)
    assert find_helm(None, lambda _argv: (0, version, ""), str(tmp_path)) == str(helm)
    result = run_module("falco_chart_check", {"binary_path": str(helm)})
    # Before ansible-core 2.21 modules repeat their options as well.
    assert {key: value for key, value in result.items() if key != "invocation"} == {"changed": False}


@pytest.mark.parametrize(("text", "version"), [("v3.7.2+g663a896", "3.7.2"), ("Client: v2.17.0+ga690bad", "2.17.0")])
def test_a_helm_that_is_too_old_is_named(tmp_path: Path, text: str, version: str) -> None:
    helm = program(tmp_path, text)
    told = run_module("falco_chart_check", {"binary_path": str(helm)})["msg"]
    assert f"{helm} is Helm {version}, which is too old. {NEEDED}" in told


def test_no_helm_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    told = run_module("falco_chart_check", {})["msg"]
    assert told.startswith(f"there is no program helm in PATH. {NEEDED}")


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_a_helm_that_is_named_and_is_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(KubeError, match="falco_helm_binary: there is no program"):
        find_helm(str(tmp_path / name), lambda _argv: (0, "", ""))
