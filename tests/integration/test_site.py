"""site.yml as a user runs it: proves, says what it proved, and leaks no secret.

That a second run changes nothing is what molecule's scenario C(default) holds it to.
"""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from .cluster import Cluster
from .playbook import ROOT, Outcome, Site

pytestmark = pytest.mark.cluster
SECRETS = ("planted-slack-secret", "planted-telegram-secret")


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evidence")


@pytest.fixture(scope="module")
def finished(site: Site, evidence: Path) -> Outcome:
    """A site that is finished, by a run that shows its differences and all that modules return."""
    outcome = site.run("site.yml", "--diff", "-vv", extra={"verify_evidence_directory": str(evidence)})
    assert outcome.returncode == 0, outcome.output[-6000:]
    return outcome


def test_check_mode_of_a_finished_site_changes_nothing(finished: Outcome, site: Site) -> None:
    checked = site.run("site.yml", "--check", "--diff")
    assert checked.returncode == 0, checked.output[-6000:]
    assert checked.total_changed == 0


def test_evidence_says_what_was_proven(finished: Outcome, evidence: Path) -> None:
    report = json.loads((evidence / "report.json").read_text())
    assert report["summary"]["failed"] == 0
    stages = {check["stage"] for check in report["checks"] if check["status"] == "passed"}
    assert stages == {"node_prep", "falco", "falco_rules", "network_policies", "verify"}
    assert {node["name"] for node in report["nodes"]} == {"cp01", "worker01", "worker02"}
    assert any("stand-in" in note for note in report["notes"])


def test_evidence_is_readable_by_people_and_by_ci(finished: Outcome, evidence: Path) -> None:
    page = (evidence / "report.html").read_text()
    assert "Evidence for cluster sandbox" in page
    assert "stand-in" in page
    suites = ET.parse(evidence / "junit.xml").getroot()
    assert int(suites.attrib["tests"]) == len(suites.findall(".//testcase")) > 10
    assert suites.findall(".//failure") == []


def test_alerts_reached_their_destination(finished: Outcome, evidence: Path) -> None:
    checks = json.loads((evidence / "report.json").read_text())["checks"]
    arrived = [c for c in checks if c["stage"] == "verify" and c["check"].startswith("Alert arrives at ")]
    assert {c["check"].removeprefix("Alert arrives at ") for c in arrived} == {"Falco's log", "slack", "webhook"}
    assert {c["status"] for c in arrived if c["check"] != "Alert arrives at slack"} == {"passed"}
    # What is below slack's least priority is not awaited there, and says so.
    assert {c["detail"].partition(":")[0] for c in arrived if c["status"] == "skipped"} <= {"not awaited here"}


def test_every_trigger_was_done_on_every_node_and_followed(finished: Outcome, evidence: Path) -> None:
    checks = json.loads((evidence / "report.json").read_text())["checks"]
    done = [c for c in checks if c["stage"] == "verify" and c["code"] in ("alert", "silence") and "nodes" in c["data"]]
    assert len({c["subject"] for c in done}) > 25
    assert {tuple(node["node"] for node in c["data"]["nodes"]) for c in done} == {("cp01", "worker01", "worker02")}
    alerts = [node for c in done if c["code"] == "alert" and c["status"] == "passed" for node in c["data"]["nodes"]]
    # Falco writes its log and calls Falcosidekick side by side, so either may be seen first.
    assert all(-5 < node["event_ms"] <= min(node["falco_ms"], node["latency_ms"]) for node in alerts)


def test_what_is_harmless_raised_nothing(finished: Outcome, evidence: Path) -> None:
    checks = json.loads((evidence / "report.json").read_text())["checks"]
    silent = {c["subject"]: c["status"] for c in checks if c["stage"] == "verify" and c["code"] == "silence"}
    assert len(silent) > 5
    assert set(silent.values()) == {"passed"}


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_in_any_output(finished: Outcome, evidence: Path, secret: str) -> None:
    assert secret not in finished.output
    written = [path for path in evidence.rglob("*") if path.is_file()]
    assert [path.name for path in written if secret in path.read_text()] == []
    assert {"report.json", "summary.md", "metrics.prom"} < {path.name for path in written}


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_live_in_secrets_alone(finished: Outcome, cluster: Cluster, secret: str) -> None:
    kinds = "configmaps,pods,deployments,daemonsets,statefulsets,services,replicasets,events"
    assert secret not in cluster.kubectl("get", kinds, "--all-namespaces", "-o", "yaml")
    assert secret not in cluster.helm("get", "all", "falco", "--namespace", "falco")


def test_triggers_leave_nothing_behind(finished: Outcome, cluster: Cluster) -> None:
    left = cluster.kubectl(
        "get", "pods", "--all-namespaces", "-l", "app.kubernetes.io/managed-by=falconet.k8s", "-o", "name"
    )
    assert left == ""


def test_a_rule_that_does_not_alert_fails_the_run_and_is_named(finished: Outcome, site: Site, tmp_path: Path) -> None:
    silent = {"name": "nothing", "rule": "Read of etc shadow", "namespace": "prod", "command": ["true"]}
    outcome = site.run(
        "verify.yml",
        extra={
            "verify_catalogue": [],
            "verify_triggers": [silent],
            "verify_alert_timeout_seconds": 3,
            "verify_evidence_directory": str(tmp_path),
            "verify_stages": [],
        },
    )
    assert outcome.returncode != 0
    assert "Read of etc shadow" in outcome.output
    assert "did not arrive within 3 seconds" in outcome.output
    assert json.loads((tmp_path / "report.json").read_text())["summary"]["failed"] > 0


@pytest.fixture
def unenforced(cluster: Cluster) -> Iterator[None]:
    """A network that accepts policies and enforces none, as some CNIs do."""
    cluster.sandbox("enforcement", "off")
    yield
    cluster.sandbox("enforcement", "on")


@pytest.mark.skipif("INVENTORY" in os.environ, reason="enforcement can be switched off in the sandbox alone")
@pytest.mark.usefixtures("finished", "unenforced")
def test_a_network_that_enforces_nothing_is_noticed(site: Site, tmp_path: Path) -> None:
    outcome = site.run(
        "verify.yml", extra={"verify_catalogue": [], "verify_triggers": [], "verify_evidence_directory": str(tmp_path)}
    )
    assert outcome.returncode != 0
    failed = [c for c in json.loads((tmp_path / "report.json").read_text())["checks"] if c["status"] == "failed"]
    assert {c["stage"] for c in failed} == {"network_policies"}


@pytest.mark.skipif("INVENTORY" in os.environ, reason="enforcement can be switched off in the sandbox alone")
@pytest.mark.usefixtures("finished", "unenforced")
def test_policies_are_taken_back_where_nothing_enforces_them(site: Site, cluster: Cluster) -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "quarantine", "namespace": "dev"},
        "spec": {"podSelector": {"matchLabels": {"app": "visitor"}}, "policyTypes": ["Ingress"]},
    }

    def policies() -> dict[tuple[str, str], object]:
        found = cluster.get("networkpolicies", "--all-namespaces")["items"]
        return {(one["metadata"]["namespace"], one["metadata"]["name"]): one["spec"] for one in found}

    before = policies()
    outcome = site.run("network_policies.yml", extra={"network_policies_definitions": [policy]})
    assert outcome.returncode != 0
    assert "What stood before was restored: quarantine." in " ".join(outcome.output.split())
    assert policies() == before


def test_the_sample_is_what_was_run(site: Site) -> None:
    sample = ROOT / "inventory" / "sample"
    for path in [p for p in sample.rglob("*") if p.is_file() and p.name != "hosts.yml"]:
        assert (site.inventory / path.relative_to(sample)).read_text() == path.read_text()
    assert yaml.safe_load((site.inventory / "hosts.yml").read_text())["all"]["children"]["redis_nodes"]
