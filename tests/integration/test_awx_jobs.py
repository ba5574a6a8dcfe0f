"""Each job template that needs a cluster, by ansible-runner as AWX runs it: what it does, and no secret is left."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..awx_job import EXAMPLE, ROOT, Job, run
from .cluster import Cluster
from .playbook import Site

pytestmark = [pytest.mark.cluster, pytest.mark.long]

SLACK, TELEGRAM = "T000/B000/planted-by-awx", "0000:planted-by-awx"
RECEIVER = "http://alert-receiver.alert-receiver.svc:8080"
#: The proof of a site with a few of the triggers: what is tried here is what jobs make of it.
FEW = {"verify_catalogue": ["file-shown", "shadow-read", "falco-shadow-read"]}


class Awx:
    """What AWX knows of the sandbox: the inventory as its source would read it, and credentials.

    Args:
        site: the sandbox's.
    """

    def __init__(self, site: Site) -> None:
        told = subprocess.run(
            ["ansible-inventory", "--inventory", str(site.inventory), "--list"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        self.inventory: dict[str, Any] = json.loads(told.stdout)
        hosts = self.inventory["_meta"]["hostvars"]
        key = {hosts[name].pop("ansible_ssh_private_key_file") for name in hosts if name != "sandbox"}
        (path,) = key
        kubeconfig = site.kubeconfig.read_text()
        self.credentials: dict[str, dict[str, str]] = {
            "Kubeconfig": {"kubeconfig": kubeconfig},
            "Machine": {"ssh_key_data": Path(path).read_text()},
            "Alert channels": {"slack_webhook_url": f"{RECEIVER}/services/{SLACK}", "telegram_token": TELEGRAM},
        }
        (user,) = yaml.safe_load(kubeconfig)["users"]
        whole = user["user"]["client-key-data"]
        self.secrets = [SLACK, TELEGRAM, whole, _body(base64.b64decode(whole).decode()), _body(Path(path).read_text())]
        del hosts["sandbox"]["cluster_kubeconfig"]
        hosts["sandbox"] |= self._of_the_project()

    def _of_the_project(self) -> dict[str, Any]:
        """Variables of the project's example, and what the sandbox's inventory sees from the repository's playbooks."""
        example = yaml.safe_load((EXAMPLE / "inventory" / "group_vars" / "clusters.yml").read_text())
        outputs = {
            "slack": {"webhookurl": "{{ vault_slack_webhook_url }}", "minimumpriority": "warning"},
            "telegram": {"token": "{{ vault_telegram_token }}", "chatid": "4242", "minimumpriority": "critical"},
            "webhook": {"address": f"{RECEIVER}/webhook"},
        }
        chart = str(ROOT / "sandbox" / "standins" / "charts" / "falco")
        return {**example, "falco_outputs": outputs, "falco_chart_ref": chart, **FEW}

    def job(self, folder: Path, name: str, answers: dict[str, Any] | None = None) -> Job:
        """A job that ends well and leaves no secret."""
        job = run(folder, name, self.inventory, answers, self.credentials, limit_seconds=900)
        assert job.returncode == 0, job.output[-6000:]
        assert [f"{secret[:12]}... in {place}" for secret in self.secrets for place in job.has(secret)] == []
        return job


def _body(key: str) -> str:
    """A line out of the middle of an armored key."""
    lines = key.strip().splitlines()
    return lines[len(lines) // 2]


def changed(job: Job) -> int:
    """How much a job changed on all hosts, by the event that ends it."""
    for path in (job.artifacts / "job_events").glob("*.json"):
        event = json.loads(path.read_text())
        if event.get("event") == "playbook_on_stats":
            return sum(event["event_data"]["changed"].values())
    raise AssertionError("the job has no end")


@pytest.fixture(scope="module")
def awx(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Awx:
    """A cluster whose site a job deployed."""
    found = Awx(site)
    whole = found.job(tmp_path_factory.mktemp("site") / "job", "Whole site", {"verify_fail": "yes"})
    assert whole.stats["falconet_evidence"]["sandbox"]["verdict"] == "passed", whole.stats
    return found


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("Preflight", {}),
        ("Nodes", {"node_prep_driver": "auto"}),
        ("Falco", {"falco_sidekick_replicas": 2}),
        ("Rules", {}),
        ("Policies", {"network_policies_settle_seconds": "0"}),
        ("Drift", {}),
    ],
)
def test_a_stage_s_job_finds_nothing_to_change(awx: Awx, name: str, answers: dict[str, Any], tmp_path: Path) -> None:
    assert changed(awx.job(tmp_path / "job", name, answers)) == 0


def test_a_proof_tells_its_verdict_and_keeps_its_evidence(awx: Awx, cluster: Cluster, tmp_path: Path) -> None:
    job = awx.job(tmp_path / "job", "Proof", {"verify_stages": ["falco"], "verify_notes": "asked by a survey"})
    assert job.stats["falconet_evidence"]["sandbox"]["summary"]["failed"] == 0, job.stats
    kept = cluster.get("configmap", "falconet-evidence", "-n", "falco")
    assert "asked by a survey" in json.dumps(kept)
    assert [secret for secret in awx.secrets if secret in json.dumps(kept)] == []


def test_an_alert_is_answered_by_a_dry_run_and_nothing_is_left_to_release(
    awx: Awx, cluster: Cluster, tmp_path: Path
) -> None:
    pod = cluster.get("pods", "-n", "prod", "-l", "app=backend")["items"][0]["metadata"]["name"]
    alert = {
        "rule": "Terminal shell in production",
        "priority": "Warning",
        "time": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "output_fields": {"k8s.ns.name": "prod", "k8s.pod.name": pod},
    }
    before = cluster.digest()
    answered = awx.job(tmp_path / "respond", "Respond", {"respond_alert": json.dumps(alert), "respond_dry_run": "yes"})
    assert "dry run" in answered.output
    assert changed(awx.job(tmp_path / "release", "Release")) == 0
    assert cluster.digest() == before


def test_audit_events_are_brought_by_a_job(awx: Awx, site: Site, tmp_path: Path) -> None:
    try:
        awx.job(tmp_path / "job", "Audit events", {"k8s_audit_alerts": "own"})
    finally:
        gone = site.run("k8s_audit_uninstall.yml", extra={"k8s_audit_alerts": "own"}, limit_seconds=900)
    assert gone.returncode == 0, gone.output[-4000:]
