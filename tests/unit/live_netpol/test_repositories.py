"""Directories as real repositories have them, and what Kustomize or Helm makes of them, through netpol_analyze."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..module_runner import run_module

PATCH_TEXT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n"


def workload(name: str = "web") -> str:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": []}}
    found = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {"template": template}}
    return yaml.safe_dump(found)


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(path.name.replace("_", ".", 1)).write_text(text, encoding="utf-8")


def analyze(**args: Any) -> dict[str, Any]:
    return run_module("netpol_analyze", args)


def test_a_directory_may_hold_more_than_manifests(tmp_path: Path) -> None:
    write(
        tmp_path,
        base__web_yaml=workload(),
        base__kustomization_yaml="resources: [web.yaml]\n",
        overlay__kustomization_yaml="patches:\n- path: more.yaml\n- patch: |-\n    a: b\n    c: d\n",
        overlay__more_yaml=PATCH_TEXT,
        values_yaml="replicas: 3\n",
        package_json=json.dumps({"name": "x"}),
        patches_json=json.dumps([{"op": "add", "path": "/a", "value": 1}]),
        tsconfig_json="{ // a comment\n}\n",
        chart__Chart_yaml="name: x\n",
        chart__templates__web_yaml="apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Release.Name }}}\n",
        loose_yaml="apiVersion: v1\nmetadata:\n  {{- toYaml . }}\n",
    )
    (tmp_path / "latin.yaml").write_bytes(b"a: \xff\n")
    result = analyze(paths=[str(tmp_path)])
    assert not result.get("failed"), result.get("msg")
    assert result["members"] == ["default/Deployment/web"]
    counts = {"no API object": 8, "not UTF-8 text": 1, "patch of Kustomize": 1, "template of a chart": 1}
    assert result["skipped"] == counts
    assert result["notes"] == [
        "skipped: 8 no API object, 1 not UTF-8 text, 1 patch of Kustomize, 1 template of a chart",
    ]
    assert result["problems"] == []


@pytest.mark.parametrize("text", ["replicas: 3\n", "- op: add\n", "{ // a comment\n}\n"])
def test_what_is_no_object_is_an_error_where_its_file_was_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "values.yaml"
    path.write_text(text, encoding="utf-8")
    assert analyze(paths=[str(path)])["failed"] is True
    assert not analyze(paths=[str(tmp_path)]).get("failed")


def test_a_manifest_with_a_slip_is_not_skipped(tmp_path: Path) -> None:
    write(tmp_path, web_yaml="apiVersion: v1\nkind: Pod\nmetadata: {name: a\n", other_yaml=workload())
    assert "web.yaml" in analyze(paths=[str(tmp_path)])["msg"]


def test_a_duplicate_of_an_overlay_is_explained(tmp_path: Path) -> None:
    write(tmp_path, one__web_yaml=workload(), two__web_yaml=workload())
    (problem,) = analyze(paths=[str(tmp_path)])["problems"]
    assert "replaces the one in" in problem["message"]
    assert "overlay" in problem["hint"]
    assert "render_paths" in problem["hint"]


def test_policies_without_workloads_are_one_statement() -> None:
    def policy(name: str) -> dict[str, Any]:
        peer = {"from": [{"podSelector": {"matchLabels": {"app": "y"}}}], "ports": [{"port": "http"}]}
        spec = {"podSelector": {"matchLabels": {"app": "x"}}, "ingress": [peer]}
        metadata = {"name": name, "namespace": "a"}
        return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}

    result = analyze(question="lint", resources=[policy("p"), policy("q")])
    assert [finding["code"] for finding in result["findings"]] == ["no-workloads"]
    assert "2 policies and no pod or workload" in result["text"][0]


def program(directory: Path, name: str, body: str) -> None:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


def test_kustomize_and_helm_are_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    write(
        tmp_path, overlay__kustomization_yaml="resources: [x.yaml]\n", chart__Chart_yaml="name: x\n", other__x_yaml=""
    )
    (tmp_path / "built.yaml").write_text(workload("built"), encoding="utf-8")
    (tmp_path / "rendered.yaml").write_text(workload("rendered"), encoding="utf-8")
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    program(programs, "kubectl", f'[ "$1 $2" = "kustomize {tmp_path}/overlay" ] && cat {tmp_path}/built.yaml')
    program(programs, "helm", f'case "$1" in version) echo v3.19.0;; template) cat {tmp_path}/rendered.yaml;; esac')
    result = analyze(render_paths=[str(tmp_path / "overlay"), str(tmp_path / "chart")])
    assert result["members"] == ["default/Deployment/built", "default/Deployment/rendered"]
    program(programs, "kustomize", "echo no such file >&2; exit 1")
    failed = analyze(render_paths=[str(tmp_path / "overlay")])
    assert "kustomize build" in failed["msg"]
    assert "no such file" in failed["msg"]
    neither = analyze(render_paths=[str(tmp_path / "other")])
    assert "cannot be rendered: it has no kustomization.yaml and no Chart.yaml" in neither["msg"]
