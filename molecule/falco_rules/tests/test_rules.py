"""Rules that are in place, asked of every Falco pod itself, and rules that Falco refuses."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
INVENTORY = ROOT / "inventory" / "sandbox"
NAMESPACE = "falco-molecule"


def kubeconfig() -> str:
    hosts = yaml.safe_load((INVENTORY / "hosts.yml").read_text())
    path: str = hosts["all"]["children"]["clusters"]["hosts"]["sandbox"]["cluster_kubeconfig"]
    return path


def kubectl(*arguments: str) -> str:
    argv = ["kubectl", "--kubeconfig", kubeconfig(), "--namespace", NAMESPACE, *arguments]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout


def pods() -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(
        kubectl("get", "pods", "-l", "app.kubernetes.io/name=falco", "-o", "json")
    )["items"]
    return items


def metrics(pod: dict[str, Any]) -> str:
    name = pod["metadata"]["name"]
    return kubectl("get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/{name}:8765/proxy/metrics")


def playbook(**extra: Any) -> subprocess.CompletedProcess[str]:
    variables = Path(__file__).resolve().parents[1] / "vars" / "main.yml"
    argv = [
        "ansible-playbook",
        "playbooks/falco_rules.yml",
        "-i",
        str(INVENTORY),
        "-e",
        f"@{variables}",
        "-e",
        json.dumps(extra),
    ]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def test_every_node_has_a_pod_and_every_pod_reports_our_bytes() -> None:
    nodes = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    assert len(pods()) == len(nodes)
    text = (Path(__file__).resolve().parents[1] / "rules" / "first.yaml").read_bytes()
    for pod in pods():
        assert f'file_name="first.yaml",sha256="{hashlib.sha256(text).hexdigest()}"' in metrics(pod)
        assert 'file_name="zz-extra.yaml"' in metrics(pod)


def test_no_rollout_is_unfinished() -> None:
    names = kubectl("get", "configmaps", "-o", "name")
    assert "configmap/falco-own-rules-1" in names
    assert "-previous" not in names


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- rule: [unclosed\n", "broken.yaml"),
        ("- rule: A\n  desc: a\n  condition: proc.nmae = x\n  output: a\n  priority: INFO\n", "proc.nmae"),
    ],
)
def test_broken_rules_stop_before_the_cluster_is_touched(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "broken.yaml").write_text(text)
    before = kubectl("get", "configmaps", "-o", "yaml")
    run = playbook(falco_rules_files=[str(tmp_path)])
    assert run.returncode != 0
    assert told in run.stdout + run.stderr
    assert kubectl("get", "configmaps", "-o", "yaml") == before
