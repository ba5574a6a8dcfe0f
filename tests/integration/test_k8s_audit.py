"""From an unconfigured control plane to alerts where people look, again, through faults, and back, byte for byte."""

from __future__ import annotations

import base64
import datetime
import gzip
import json
import os
import statistics
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import connect
from ansible_collections.falconet.k8s.plugins.plugin_utils.certificates import keep_or_issue
from cryptography import x509

from sandbox import instance, machines
from sandbox.image_import import enter

from .apiserver_node import LOG, NODE, ControlPlane
from .cluster import ROOT, Cluster, wait_for
from .playbook import Outcome, Site

pytestmark = [pytest.mark.cluster, pytest.mark.long]

RELEASE, WEBHOOK = "falco-k8s-audit", "falco-k8s-audit-webhook"
KUBECONFIG = "/etc/kubernetes/falconet-audit/webhook.kubeconfig"
#: Its own Falcosidekick, so that nothing but this role is needed. Slack's stand-in gets all priorities.
EXTRA: dict[str, Any] = {
    "k8s_audit_alerts": "own",
    "k8s_audit_outputs": {
        "slack": {"webhookurl": "http://alert-receiver.alert-receiver.svc:8080/services/T0/B0/audit"},
        "webhook": {"address": "http://alert-receiver.alert-receiver.svc:8080/webhook"},
    },
}
TOLD = "/api/v1/namespaces/alert-receiver/services/alert-receiver:8080/proxy/alerts"
RECEIVER = {"namespace": "alert-receiver", "service": "alert-receiver", "port": 8080, "path": "/alerts"}
#: The proof of this stage alone, at both channels.
PROOF: dict[str, Any] = {
    "verify_stages": ["k8s_audit"],
    "verify_catalogue": [],
    "verify_triggers": [],
    "verify_alert_destinations": [{"name": name, "receiver": RECEIVER} for name in ("slack", "webhook")],
    "k8s_audit_verify_session_namespace": "prod",
}
#: How much slower a read may be at the median, on a machine that is busy with other things.
MOST_TIMES = 3.0


@dataclass(frozen=True)
class Audited:
    """A cluster with the role."""

    site: Site
    cluster: Cluster
    node: ControlPlane

    def run(self, *arguments: str, **more: Any) -> Outcome:
        """The playbook, which must not fail."""
        done = self.site.run("k8s_audit.yml", *arguments, extra={**EXTRA, **more}, limit_seconds=1200)
        assert done.returncode == 0, done.output[-6000:]
        return done

    def pod(self) -> str:
        """A pod in prod."""
        found = self.cluster.get("pods", "-n", "prod", "-l", "app=backend")["items"]
        return str(found[0]["metadata"]["name"])

    def session(self, command: str) -> None:
        """A session in that pod by kubectl; it fails where there is no such program."""
        asked = ["kubectl", "--kubeconfig", str(self.site.kubeconfig), "exec", "-n", "prod", self.pod(), "--", command]
        subprocess.run(asked, capture_output=True, timeout=60)

    def told(self, mark: str) -> list[dict[str, Any]]:
        """Alerts of sessions at Slack's stand-in that have this mark in them."""
        lines = self.cluster.kubectl("get", "--raw", TOLD).splitlines()
        alerts = [json.loads(line) for line in lines if mark in line and "Attach/Exec Pod" in line]
        return [alert for alert in alerts if alert.get("destination") == "slack"]

    def proof(self, folder: Path, *, passes: bool = True) -> list[dict[str, Any]]:
        """The checks of the stage in the evidence."""
        extra = {**EXTRA, **PROOF, "verify_evidence_directory": str(folder)}
        done = self.site.run("prove.yml", extra=extra, limit_seconds=600)
        assert (done.returncode == 0) is passes, done.output[-6000:]
        checks = json.loads((folder / "report.json").read_text())["checks"]
        return [one for one in checks if one["stage"] == "k8s_audit"]


@pytest.fixture(scope="module")
def audited(site: Site, cluster: Cluster) -> Iterator[Audited]:
    """Check mode, then the role; afterwards all is taken back and the manifest has the bytes that it had."""
    found = Audited(site, cluster, ControlPlane(site, cluster))
    before, configuration, objects = found.node.manifest(), found.node.configuration(), cluster.digest()
    only_told = found.run("--check", "--diff")
    assert only_told.total_changed > 0
    assert (found.node.manifest(), cluster.digest()) == (before, objects)
    try:
        assert found.run().total_changed > 0
        assert found.node.manifest() != before
        yield found
    finally:
        gone = site.run("k8s_audit_uninstall.yml", extra=EXTRA, limit_seconds=900)
    assert gone.returncode == 0, gone.output[-4000:]
    assert (found.node.manifest(), found.node.configuration()) == (before, configuration)
    left = cluster.get("services,networkpolicies,deployments", "-n", "falco")["items"]
    assert [one["metadata"]["name"] for one in left if one["metadata"]["name"].startswith(RELEASE)] == []


def test_a_second_run_changes_nothing(audited: Audited) -> None:
    for arguments in ((), ("--check",)):
        again = audited.run(*arguments)
        assert again.total_changed == 0, [line for line in again.output.splitlines() if line.startswith("changed:")]


def test_requests_raise_their_alerts_in_time_and_the_evidence_tells_how_fast(audited: Audited, tmp_path: Path) -> None:
    audited.session("true")
    wait_for(lambda: audited.told(audited.pod()), what="an alert of kubectl exec at Slack's stand-in")
    checks = audited.proof(tmp_path)
    assert [one for one in checks if one["status"] != "passed"] == []
    codes = {one["code"] for one in checks}
    assert codes >= {"release", "certificate", "policy", "api_server", "loaded", "handover", "alert", "session"}
    [slack] = [one for one in checks if one["code"] == "session" and one["data"]["place"] == "slack"]
    print("sessions at Slack's stand-in:", slack["data"])
    assert slack["data"]["sessions"] >= 10
    assert slack["data"]["worst_ms"] < 2000
    assert len([one for one in checks if one["code"] == "alert" and one["data"]["place"] == "slack"]) >= 15


def test_rules_whose_requests_are_made_and_deleted_alert_too(audited: Audited, tmp_path: Path) -> None:
    wanted = {"rules": ["all"], "dest": str(tmp_path / "proof.json"), "wait_seconds": 60}
    done = audited.site.run("../tests/integration/k8s_audit_proof.yml", extra=wanted, limit_seconds=600)
    assert done.returncode == 0, done.output[-4000:]
    found = json.loads((tmp_path / "proof.json").read_text())
    missing = {one["name"] for place in ("logged", "told") for one in found[place] if not one["arrived"]}
    print(f"{len(found['told'])} requests, without an alert: {sorted(missing)}")
    assert found["tried"]["left"] == []
    latencies = [one["latency_ms"] for one in found["told"] if one["arrived"]]
    print(f"{len(latencies)} alerts, median {statistics.median(latencies)} ms, worst {max(latencies)} ms")
    assert missing == set()


def _read_ms(audited: Audited, count: int = 200) -> float:
    client = connect({"kubeconfig": str(audited.site.kubeconfig)})
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        assert client.request("GET", "/api/v1/namespaces/default/configmaps/kube-root-ca.crt").status == 200
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def test_while_falco_is_away_no_request_waits_and_events_come_later(audited: Audited) -> None:
    cluster = audited.cluster
    before = _read_ms(audited)
    scale = ("scale", "deployment", RELEASE, "-n", "falco", "--replicas")
    pods = ("pods", "-n", "falco", "-l", f"app.kubernetes.io/name=falco,app.kubernetes.io/instance={RELEASE}")
    cluster.kubectl(*scale, "0")
    try:
        wait_for(lambda: not cluster.get(*pods)["items"], what="Falco to be away")
        audited.session("while-falco-is-away")
        away = _read_ms(audited)
        print(f"reads: {before:.2f} ms with Falco, {away:.2f} ms while it is away: {away / before:.2f} times")
    finally:
        cluster.kubectl(*scale, "1")
    assert away < MOST_TIMES * before
    wait_for(lambda: audited.told("while-falco-is-away"), limit_seconds=150, what="the alert of a batch sent again")


def test_the_log_that_the_api_server_wrote_is_replayed_and_leads_to_exceptions(
    audited: Audited, tmp_path: Path
) -> None:
    audited.session("seen-in-the-log")
    wait_for(lambda: "seen-in-the-log" in audited.node.on_node("cat", LOG), what="a line in the audit log")
    lines = audited.node.on_node("cat", LOG).splitlines(keepends=True)
    third = len(lines) // 3
    folder = tmp_path / "audit"
    folder.mkdir()
    packed = folder / "audit-2026-03-01T10-00-00.000.log.gz"
    packed.write_bytes(gzip.compress("".join(lines[:third]).encode()))
    (folder / "audit-2026-03-02T10-00-00.000.log").write_text("".join(lines[third : 2 * third]))
    (folder / "audit.log").write_text("".join(lines[2 * third :]))
    rules = [str(ROOT / "inventory" / "files" / "audit_rules")]

    def module(name: str, **options: Any) -> dict[str, Any]:
        asked = ["ansible", "localhost", "-m", f"falconet.k8s.{name}", "-a", json.dumps({**options, "files": rules})]
        quiet = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}
        done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=300, env=quiet)
        assert "SUCCESS" in done.stdout or "CHANGED" in done.stdout, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout.partition("=> ")[2])
        return found

    alerts = tmp_path / "alerts.jsonl"
    replayed = module(
        "falco_rules_replay", events=str(folder), rule_matching="all", keep="none", alerts_path=str(alerts)
    )
    print(f"{replayed['events']} events, {sum(replayed['counts'].values())} alerts of {len(replayed['counts'])} rules")
    assert replayed["events"] >= 3 * third
    assert [part["file"] for part in replayed["parts"]] == sorted(map(str, folder.iterdir()))
    assert "Attach/Exec Pod" in replayed["counts"]
    assert any("seen-in-the-log" in line for line in alerts.read_text().splitlines())
    suggested = module("falco_exceptions_suggest", alerts=str(alerts), minimum_alerts=2, minimum_share=0)
    assert suggested["alerts"] == sum(replayed["counts"].values())


def _data(audited: Audited, secret: str) -> dict[str, str]:
    held = audited.cluster.get("secret", secret, "-n", "falco")["data"]
    return {name: base64.b64decode(value).decode() for name, value in held.items()}


def test_certificates_that_have_ended_are_found_by_the_proof_and_renewed_by_the_role(
    audited: Audited, tmp_path: Path
) -> None:
    cluster = audited.cluster
    names = x509.load_pem_x509_certificate(_data(audited, f"{WEBHOOK}-certificate")["server.crt"].encode())
    alternatives = names.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=3600)
    old = keep_or_issue(None, "", None, None, alternatives.get_values_for_type(x509.DNSName), 397, past)
    contents = {
        f"{WEBHOOK}-authority": {
            "ca.crt": old.authority.certificate,
            "ca.key": old.authority.key,
            "trust.crt": old.trust,
        },
        f"{WEBHOOK}-certificate": {
            "server.crt": old.server.certificate,
            "server.key": old.server.key,
            "falco.pem": old.server.certificate + old.server.key,
        },
    }
    for secret, content in contents.items():
        cluster.kubectl("patch", "secret", secret, "-n", "falco", "-p", json.dumps({"stringData": content}))
    red = audited.proof(tmp_path, passes=False)
    [certificate] = [one for one in red if one["code"] == "certificate"]
    assert certificate["status"] == "failed", certificate
    print("certificate:", certificate["detail"])

    renewed = audited.run()
    assert renewed.changed[NODE] == 1, "the API server trusts the new CA"
    new = _data(audited, f"{WEBHOOK}-authority")
    assert new["ca.crt"] != old.authority.certificate
    assert new["trust.crt"] == new["ca.crt"] + old.authority.certificate, "the old CA is trusted until it has ended"
    audited.session("after-the-renewal")
    wait_for(lambda: audited.told("after-the-renewal"), limit_seconds=60, what="an alert with the new certificate")
    assert audited.run().total_changed == 0


def _connects(sandbox: instance.Instance, machine: str, host: str, port: int) -> bool:
    found = machines.find(sandbox, machine)
    assert found is not None
    program = f"import socket; socket.create_connection(({host!r}, {port}), timeout=3)"
    done = subprocess.run([*enter(found[0]), "/usr/bin/python3", "-c", program], capture_output=True, timeout=30)
    return done.returncode == 0


def test_a_node_port_is_for_api_servers_alone(audited: Audited) -> None:
    sandbox = instance.load(os.environ.get("SANDBOX_NAME", "falconet"))
    assert sandbox is not None
    changed = audited.run(k8s_audit_exposure="node_port")
    try:
        assert changed.changed[NODE] == 1
        address = str(sandbox.address(sandbox.nodes[0]))
        assert f"https://{address}:30765/k8s-audit" in audited.node.on_node("cat", KUBECONFIG)
        audited.session("through-the-node-port")
        wait_for(lambda: audited.told("through-the-node-port"), limit_seconds=60, what="an alert through the NodePort")
        pods = audited.cluster.get(
            "pods", "-n", "falco", "-l", f"app.kubernetes.io/name=falco,app.kubernetes.io/instance={RELEASE}"
        )["items"]
        [where] = [node for node in sandbox.nodes if node.name == pods[0]["spec"]["nodeName"]]
        assert _connects(sandbox, NODE, address, 30765)
        assert not _connects(sandbox, instance.OUTSIDE, str(sandbox.address(where)), 30765)
        # That it is the NetworkPolicy which keeps it out.
        policy = audited.cluster.get("networkpolicy", WEBHOOK, "-n", "falco")
        audited.cluster.kubectl("delete", "networkpolicy", WEBHOOK, "-n", "falco")
        wait_for(
            lambda: _connects(sandbox, instance.OUTSIDE, str(sandbox.address(where)), 30765),
            what="the way for everybody without the NetworkPolicy",
        )
        assert policy["spec"]["policyTypes"] == ["Ingress"]
    finally:
        audited.run()
