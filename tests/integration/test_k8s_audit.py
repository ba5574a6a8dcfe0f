"""From an unconfigured control plane to alerts at their destination, again without a change, and back."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.k8s_audit.requests import REFUSED

from .cluster import Cluster, wait_for
from .playbook import Site

pytestmark = [pytest.mark.cluster, pytest.mark.long]

NODE = "cp01"
MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"
#: Its own Falcosidekick, so that nothing but this role is needed. Slack's stand-in gets all priorities.
EXTRA: dict[str, Any] = {
    "k8s_audit_alerts": "own",
    "k8s_audit_outputs": {
        "slack": {"webhookurl": "http://alert-receiver.alert-receiver.svc:8080/services/T0/B0/audit"},
        "webhook": {"address": "http://alert-receiver.alert-receiver.svc:8080/webhook"},
    },
}

RECEIVER = {"namespace": "alert-receiver", "service": "alert-receiver", "port": 8080, "path": "/alerts"}
#: The proof of this stage alone, at both channels.
PROOF: dict[str, Any] = {
    "verify_stages": ["k8s_audit"],
    "verify_catalogue": [],
    "verify_triggers": [],
    "verify_alert_destinations": [{"name": name, "receiver": RECEIVER} for name in ("slack", "webhook")],
    "k8s_audit_verify_session_namespace": "prod",
}


@pytest.fixture
def installed(site: Site, cluster: Cluster) -> Iterator[str]:
    """The manifest of before; afterwards all is taken back."""
    before = cluster.sandbox("exec", NODE, "--", "cat", MANIFEST)
    yield before
    gone = site.run("k8s_audit_uninstall.yml", extra=EXTRA, limit_seconds=900)
    assert gone.returncode == 0, gone.output[-4000:]
    assert cluster.sandbox("exec", NODE, "--", "cat", MANIFEST) == before
    assert cluster.get("services,networkpolicies", "-n", "falco", "-l", "app.kubernetes.io/part-of")["items"] == []


def proof(tmp_path: Path, site: Site, **extra: Any) -> dict[str, Any]:
    wanted = {**extra, "dest": str(tmp_path / "proof.json")}
    done = site.run("../tests/integration/k8s_audit_proof.yml", extra=wanted, limit_seconds=600)
    assert done.returncode == 0, done.output[-4000:]
    found: dict[str, Any] = json.loads((tmp_path / "proof.json").read_text())
    return found


def test_real_requests_raise_their_alerts_in_time_and_a_second_run_changes_nothing(
    installed: str, site: Site, cluster: Cluster, tmp_path: Path
) -> None:
    first = site.run("k8s_audit.yml", extra=EXTRA, limit_seconds=1200)
    assert first.returncode == 0, first.output[-6000:]
    assert cluster.sandbox("exec", NODE, "--", "cat", MANIFEST) != installed

    found = proof(tmp_path, site)
    missing = [one["name"] for place in ("logged", "told") for one in found[place] if not one["arrived"]]
    assert missing == []
    assert len({one["rule"] for one in found["told"]} & set(REFUSED)) >= 15
    assert found["tried"]["left"] == []
    latencies = [one["latency_ms"] for one in found["told"]]
    print(f"{len(latencies)} alerts, median {statistics.median(latencies)} ms, worst {max(latencies)} ms")

    pod = cluster.get("pods", "-n", "prod", "-l", "app=backend")["items"][0]["metadata"]["name"]
    cluster.kubectl("exec", "-n", "prod", pod, "--", "true")
    receiver = "/api/v1/namespaces/alert-receiver/services/alert-receiver:8080/proxy/alerts"

    def told() -> list[dict[str, Any]]:
        lines = cluster.kubectl("get", "--raw", receiver).splitlines()
        alerts = [json.loads(line) for line in lines if pod in line and "Attach/Exec Pod" in line]
        return [alert for alert in alerts if alert.get("destination") == "slack"]

    wait_for(told, what="an alert of kubectl exec at Slack's stand-in")

    evidence = site.run("verify.yml", extra={**EXTRA, **PROOF, "verify_evidence_directory": str(tmp_path)})
    assert evidence.returncode == 0, evidence.output[-6000:]
    checks = [
        one for one in json.loads((tmp_path / "report.json").read_text())["checks"] if one["stage"] == "k8s_audit"
    ]
    passed = {one["code"] for one in checks if one["status"] == "passed"}
    assert passed == {one["code"] for one in checks} >= {"api_server", "certificate", "handover", "alert", "session"}
    [slack] = [one for one in checks if one["code"] == "session" and one["data"]["place"] == "slack"]
    assert slack["data"]["worst_ms"] < 2000
    assert len([one for one in checks if one["code"] == "alert" and one["data"]["place"] == "slack"]) >= 15

    second = site.run("k8s_audit.yml", extra=EXTRA, limit_seconds=900)
    assert second.returncode == 0, second.output[-4000:]
    assert second.total_changed == 0, [line for line in second.output.splitlines() if line.startswith("changed:")]
