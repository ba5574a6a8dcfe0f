"""Job templates run by ansible-runner as AWX does it, as far as no cluster is needed; no artifact has a secret."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from ...awx_job import ROOT, Job, run

SECRETS = {
    "Kubeconfig": {"kubeconfig": "apiVersion: v1\nkind: Config\nusers: [{name: u, user: {token: planted-token}}]\n"},
    "Alert channels": {
        "slack_webhook_url": "https://hooks.slack.com/services/planted-slack",
        "telegram_token": "planted-telegram",
    },
}
PLANTED = ("planted-token", "planted-slack", "planted-telegram")
#: A project whose variables are the example's; the API server is not there.
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


def inventory(**variables: Any) -> dict[str, Any]:
    production = {**LOCAL, "falconet_connect_timeout_seconds": 2, **variables}
    return {"clusters": {"hosts": ["production"]}, "_meta": {"hostvars": {"production": production}}}


def secrets_in(job: Job) -> list[str]:
    return [f"{secret} in {name}" for secret in PLANTED for name in job.has(secret)]


def test_gate_judges_the_project(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    shutil.copytree(ROOT / "inventory" / "files" / "rules", files / "rules")
    shutil.copytree(ROOT / "inventory" / "files" / "rules_tests", files / "rules_tests")
    job = run(tmp_path / "job", "Gate", inventory(), files=files)
    assert job.returncode == 0, job.output
    assert "rules own" in job.output
    (files / "rules" / "broken.yaml").write_text(
        "- rule: R\n  condition: evt.typ = open\n  output: x\n  desc: x\n  priority: INFO\n"
    )
    job = run(tmp_path / "broken", "Gate", inventory(), files=files)
    assert job.returncode != 0
    assert "evt.typ" in job.output


def test_answers_that_are_none_stop_the_job_at_once(tmp_path: Path) -> None:
    answers = {"network_policies_mode": "audited", "network_policies_settle_seconds": "soon"}
    job = run(tmp_path / "job", "Policies", inventory(), answers, SECRETS)
    assert job.returncode != 0
    assert (
        "survey_network_policies_mode: must be one of enforce, audit, not 'audited'. Did you mean audit?" in job.output
    )
    assert "survey_network_policies_settle_seconds: must be a number" in job.output
    assert "Role does its part" not in job.output
    assert secrets_in(job) == []


def test_answers_are_read_and_the_cluster_is_the_credential_s(tmp_path: Path) -> None:
    answers = {
        "network_policies_mode": "audit",
        "network_policies_unproven": "as in the inventory",
        "network_policies_later_flows": "",
    }
    job = run(tmp_path / "job", "Policies", inventory(), answers, SECRETS)
    assert job.returncode != 0, "there is no cluster"
    assert "network_policies_mode" in job.output
    assert "survey_" not in job.output.split("PLAY [Clusters")[1]
    assert secrets_in(job) == []


def test_inventory_and_credential_are_not_mixed(tmp_path: Path) -> None:
    mixed = inventory(cluster_host="https://192.0.2.1")
    job = run(tmp_path / "job", "Policies", mixed, {}, SECRETS)
    assert job.returncode != 0
    assert (
        "Cluster production: cluster_host is in the inventory and K8S_AUTH_KUBECONFIG in the environment" in job.output
    )
    assert "Nothing was changed." in job.output
    assert secrets_in(job) == []


def test_planted_secret_would_be_found(tmp_path: Path) -> None:
    artifacts = tmp_path / "artifacts"
    artifacts.mkdir()
    (artifacts / "stdout").write_text("planted-slack")
    assert secrets_in(Job(0, "", artifacts)) == ["planted-slack in stdout"]


def test_each_template_of_the_catalogue_is_run_by_a_test() -> None:
    catalogue = yaml.safe_load((ROOT / "roles" / "awx_objects" / "files" / "catalogue.yml").read_text())
    tests = [Path(__file__), ROOT / "tests" / "integration" / "test_awx_jobs.py"]
    text = "\n".join(path.read_text() for path in tests)
    assert [one["name"] for one in catalogue["job_templates"] if f'"{one["name"]}"' not in text] == []


@pytest.mark.parametrize("name", ["Gate", "Policies"])
def test_template_is_one_of_the_catalogue(name: str) -> None:
    from ...awx_job import template

    assert template(name)["playbook"].startswith("playbooks/")
