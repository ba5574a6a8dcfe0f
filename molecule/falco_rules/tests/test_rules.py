"""Rules that are in place, asked of every Falco pod itself, and rules that Falco refuses."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
INVENTORY = ROOT / "inventory" / "sandbox"
SHARED = ROOT / "molecule" / "shared"
RULES = SHARED / "rules"
NAMESPACE = "falco-molecule"
MAPS = [f"falco-own-rules-{number}" for number in range(1, 5)]
BROKEN = "- rule: A\n  desc: a\n  condition: proc.nmae = x\n  output: a\n  priority: INFO\n"


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
    variables = [SHARED / "vars" / "falco.yml", Path(__file__).resolve().parents[1] / "vars" / "main.yml"]
    argv = [
        "ansible-playbook",
        "playbooks/falco_rules.yml",
        "-i",
        str(INVENTORY),
        *(f"-e@{file}" for file in variables),
        "-e",
        json.dumps(extra),
    ]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def module(name: str, **options: Any) -> dict[str, Any]:
    """The result of one module run on the controller."""
    arguments = json.dumps({"kubeconfig": kubeconfig(), "namespace": NAMESPACE, "workload": NAMESPACE, **options})
    argv = ["ansible", "localhost", "-m", f"falconet.k8s.{name}", "-a", arguments]
    environment = {**os.environ, "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1", "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
    run = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    result: dict[str, Any] = json.loads(run.stdout)["plays"][0]["tasks"][0]["hosts"]["localhost"]
    return result


def rolled_out(files: dict[str, str], **options: Any) -> dict[str, Any]:
    return module(
        "falco_rules_rollout", files=files, config_maps=MAPS, second_opinion=False, timeout_seconds=60, **options
    )


def running() -> list[str]:
    """Everything that says which rules are in place, and what a trial would leave."""
    objects = json.loads(kubectl("get", "configmaps,jobs", "-o", "json"))["items"]
    told = [f"{one['kind']} {one['metadata']['name']} {json.dumps(one.get('data'))}" for one in objects]
    return told + [str(sorted(line for line in metrics(pod).splitlines() if "sha256_rules" in line)) for pod in pods()]


def test_every_node_has_a_pod_and_every_pod_reports_our_bytes() -> None:
    nodes = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    assert len(pods()) == len(nodes)
    text = (RULES / "first.yaml").read_bytes()
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
        (BROKEN, "proc.nmae"),
    ],
)
def test_broken_rules_stop_before_the_cluster_is_touched(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "broken.yaml").write_text(text)
    before = kubectl("get", "configmaps", "-o", "yaml")
    run = playbook(falco_rules_files=[str(tmp_path)])
    assert run.returncode != 0
    assert told in run.stdout + run.stderr
    assert kubectl("get", "configmaps", "-o", "yaml") == before


def test_rules_that_one_node_refuses_reach_no_other() -> None:
    before = running()
    result = rolled_out({"broken.yaml": BROKEN}, canary_node="worker02")
    assert result["failed"] is True
    assert "Falco refuses these rules on node worker02, where they were tried" in result["msg"]
    assert "proc.nmae" in result["msg"]
    assert running() == before


def test_rules_that_one_node_takes_run_on_every_node() -> None:
    text = (RULES / "first.yaml").read_text()
    result = rolled_out(
        {"first.yaml": text, "second.yaml": text.replace("Shell in", "Another shell in")}, canary_node="auto"
    )
    assert result["canary"]["node"] in {pod["spec"]["nodeName"] for pod in pods()}
    assert all('file_name="second.yaml"' in metrics(pod) for pod in pods())
    assert kubectl("get", "jobs", "-o", "name") == ""
    assert rolled_out({"first.yaml": text})["changed"] is True


def test_falcos_own_rules_are_scoped_switched_off_and_excepted() -> None:
    exception = {"name": "backup", "fields": ["proc.name"], "comps": ["="], "values": [["tar"]]}
    run = playbook(
        falco_rules_scope={"namespaces": ["prod"]},
        falco_rules_disabled_tags=["T1552.001"],
        falco_rules_exceptions=[{"rule": "Read sensitive file untrusted", "exceptions": [exception]}],
    )
    assert run.returncode == 0, run.stdout
    (data,) = [
        one for one in json.loads(kubectl("get", "configmaps", "-o", "json"))["items"] if "zz-scope.yaml" in one["data"]
    ]
    scoped = {entry["rule"]: entry["condition"] for entry in yaml.safe_load(data["data"]["zz-scope.yaml"])}
    assert scoped["Terminal shell in container"] == 'and k8s.ns.name in ("prod")'
    assert "Search Private Keys or Passwords" in data["data"]["zz-disabled.yaml"]


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"falco_rules_disabled": ["Terminal shel in container"]}, "did you mean 'Terminal shell in container'?"),
        ({"falco_rules_disabled_tags": ["mitre_exeuction"]}, "did you mean 'mitre_execution'?"),
        (
            {"falco_rules_scope": {"namespaces": ["prod"], "rules": ["Shell in teh*"]}},
            "no rule is called 'Shell in teh*'",
        ),
    ],
)
def test_a_name_that_falco_does_not_have_stops_the_run(variables: dict[str, Any], told: str) -> None:
    before = running()
    run = playbook(**variables)
    assert run.returncode != 0
    assert told in " ".join((run.stdout + run.stderr).split()).replace("''", "'")
    assert running() == before


def test_a_rule_that_falcos_own_hides_is_warned_of(tmp_path: Path) -> None:
    condition = "spawned_process and container and shell_procs and proc.tty != 0 and k8s.ns.name = prod"
    (tmp_path / "own.yaml").write_text(
        f"- rule: Own\n  desc: d\n  condition: {condition}\n  output: o\n  priority: NOTICE\n"
    )
    run = playbook(falco_rules_files=[str(tmp_path)], falco_rule_matching="first", falco_rules_warnings_are_errors=True)
    assert run.returncode != 0
    said = " ".join((run.stdout + run.stderr).split()).replace("''", "'")
    assert "rule 'Own' never fires: " in said
    assert "'Terminal shell in container' comes first" in said
    assert "set falco_rule_matching: all" in said
