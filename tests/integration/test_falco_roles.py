"""The roles falco and falco_rules on a cluster: failed upgrades, dead Helms, refused rules, killed rollouts, secrets.

They have a namespace and a release of their own, beside those of the site.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .cluster import ROOT, Cluster, wait_for
from .playbook import Outcome, Site

pytestmark = pytest.mark.cluster

NAME = "falco-test"
PLANTED = "planted-in-test-falco-roles"
VARIABLES: dict[str, Any] = {
    "falco_namespace": NAME,
    "falco_release_name": NAME,
    "falco_ui_enabled": False,
    "falco_sidekick_replicas": 1,
    "falco_timeout_seconds": 120,
    "falco_outputs": {"slack": {"webhookurl": f"http://alert-receiver.alert-receiver.svc:8080/services/{PLANTED}"}},
}
GOOD = """\
- rule: A
  desc: a
  condition: evt.type = execve and proc.name = {name}
  output: a %proc.name
  priority: INFO
"""
#: What our validator is not asked about, and Falco refuses.
REFUSED = GOOD.format(name="x").replace("proc.name = x", "proc.nmae = x")


def falco(site: Site, *arguments: str, **extra: Any) -> Outcome:
    return site.run("falco.yml", *arguments, extra={**VARIABLES, **extra})


def helm_revision(cluster: Cluster) -> tuple[int, str]:
    (entry,) = json.loads(cluster.helm("list", "-n", NAME, "-a", "-o", "json"))
    return int(entry["revision"]), entry["status"]


def rules_rollout(cluster: Cluster, files: dict[str, str], **options: Any) -> list[str]:
    """Command that runs the module alone, so that the validator before it is not asked."""
    arguments = {
        "kubeconfig": str(cluster.kubeconfig),
        "namespace": NAME,
        "workload": NAME,
        "files": files,
        "config_maps": ["falco-own-rules-1", "falco-own-rules-2", "falco-own-rules-3", "falco-own-rules-4"],
        "timeout_seconds": 60,
        **options,
    }
    code = (
        "import sys, json; from tests.conftest import pytest_configure as load; load();"
        "from tests.unit.module_runner import run_module;"
        "print(json.dumps(run_module('falco_rules_rollout', json.loads(sys.argv[1]))))"
    )
    return [sys.executable, "-c", code, json.dumps(arguments)]


def roll_out(cluster: Cluster, files: dict[str, str], **options: Any) -> dict[str, Any]:
    done = subprocess.run(
        rules_rollout(cluster, files, **options), cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def config_maps(cluster: Cluster) -> dict[str, dict[str, str]]:
    items = cluster.get("configmaps", "-n", NAME)["items"]
    return {i["metadata"]["name"]: i.get("data", {}) for i in items if i["metadata"]["name"].startswith("falco-own")}


@pytest.fixture(scope="module")
def installed(site: Site, cluster: Cluster) -> Iterator[Outcome]:
    outcome = falco(site)
    assert outcome.returncode == 0, outcome.output[-6000:]
    yield outcome
    cluster.kubectl("delete", "namespace", NAME, "--wait")


def test_a_second_run_changes_nothing_and_makes_no_revision(site: Site, cluster: Cluster, installed: Outcome) -> None:
    before = helm_revision(cluster)
    again = falco(site, "--diff")
    assert again.returncode == 0, again.output[-4000:]
    assert again.total_changed == 0
    assert helm_revision(cluster) == before


def test_a_secret_is_nowhere_but_in_its_secret(site: Site, cluster: Cluster, installed: Outcome) -> None:
    verbose = falco(site, "--check", "--diff", "-vvv")
    assert verbose.returncode == 0
    for output in (installed.output, verbose.output):
        assert PLANTED not in output
    assert PLANTED not in cluster.helm("get", "all", NAME, "-n", NAME)
    for item in cluster.get("all,configmaps,events", "-n", NAME)["items"]:
        assert PLANTED not in json.dumps(item), item["metadata"]["name"]
    data = cluster.get("secret", f"{NAME}-outputs", "-n", NAME)["data"]
    assert PLANTED in base64.b64decode(data["SLACK_WEBHOOKURL"]).decode()


def test_rotating_a_secret_restarts_falcosidekick_alone(site: Site, cluster: Cluster, installed: Outcome) -> None:
    def generation(kind: str, name: str) -> int:
        return int(cluster.get(kind, name, "-n", NAME)["metadata"]["generation"])

    before = generation("deployment", f"{NAME}-falcosidekick"), generation("daemonset", NAME)
    rotated = {"slack": {"webhookurl": f"http://alert-receiver.alert-receiver.svc:8080/services/{PLANTED}/2"}}
    assert falco(site, falco_outputs=rotated).returncode == 0
    assert generation("deployment", f"{NAME}-falcosidekick") == before[0] + 1
    assert generation("daemonset", NAME) == before[1]
    assert falco(site).returncode == 0


def test_an_upgrade_that_does_not_come_up_is_rolled_back_and_explained(
    site: Site, cluster: Cluster, installed: Outcome
) -> None:
    image = cluster.get("daemonset", NAME, "-n", NAME)["spec"]["template"]["spec"]["containers"][0]["image"]
    outcome = falco(site, falco_images={"falco": {"tag": "no-such-tag"}}, falco_timeout_seconds=20)
    assert outcome.returncode != 0
    output = " ".join(outcome.output.split())
    assert "no-such-tag" in output
    assert "ImagePull" in output
    assert "falco_image_pull_secrets" in output
    assert "It was rolled back to revision" in output
    spec = cluster.get("daemonset", NAME, "-n", NAME)["spec"]["template"]["spec"]
    assert spec["containers"][0]["image"] == image
    assert helm_revision(cluster)[1] == "deployed"


def test_a_helm_that_was_killed_is_recovered_from(site: Site, cluster: Cluster, installed: Outcome) -> None:
    chart = os.environ.get("FALCO_CHART") or str(ROOT / "sandbox" / "standins" / "charts" / "falco")
    revision, _ = helm_revision(cluster)
    command = ["helm", "upgrade", NAME, chart, "-n", NAME, "--reuse-values", "--set", "image.tag=none", "--wait"]
    helm = subprocess.Popen(
        command, env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}, stdout=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: helm_revision(cluster) == (revision + 1, "pending-upgrade"), what="the pending upgrade")
    finally:
        helm.send_signal(signal.SIGKILL)
        helm.wait()
    assert helm_revision(cluster)[1] == "pending-upgrade"
    finished = falco(site)
    assert finished.returncode == 0, finished.output[-6000:]
    assert helm_revision(cluster)[1] == "deployed"
    assert falco(site).total_changed == 0


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"ebpf": {"enabled": True}}, "driver.kind: modern_ebpf"),
        ({"falco": {"webserver": {"listen_prot": 1}}}, "Did you mean falco.webserver.listen_port?"),
        ({"falcosidekick": {"replicaCount": "2"}}, "falcosidekick.replicaCount: must be a number"),
        ({"fullnameOverride": "watcher"}, "Name the release in falco_release_name."),
        (
            {"falcosidekick": {"config": {"slack": {"webhookurl": "https://example.org/planted-in-values"}}}},
            "Use falco_outputs.slack.webhookurl",
        ),
    ],
)
def test_values_that_do_not_fit_stop_the_run(
    site: Site, cluster: Cluster, installed: Outcome, values: dict[str, Any], told: str
) -> None:
    before = helm_revision(cluster)
    outcome = falco(site, falco_extra_values=values)
    assert outcome.returncode != 0
    assert told in " ".join(outcome.output.split())
    assert "planted-in-values" not in outcome.output
    assert helm_revision(cluster) == before


def test_rules_reach_every_pod_and_a_second_run_changes_nothing(cluster: Cluster, installed: Outcome) -> None:
    text = GOOD.format(name="one")
    result = roll_out(cluster, {"one.yaml": text})
    nodes = cluster.get("nodes")["items"]
    assert len(result["pods"]) == len(nodes)
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert {pod["digests"]["one.yaml"] for pod in result["pods"]} == {digest}
    assert roll_out(cluster, {"one.yaml": text})["changed"] is False


def test_a_file_that_is_gone_is_gone_from_every_pod(cluster: Cluster, installed: Outcome) -> None:
    roll_out(cluster, {"one.yaml": GOOD.format(name="one"), "two.yaml": GOOD.format(name="two").replace("A", "B")})
    result = roll_out(cluster, {"one.yaml": GOOD.format(name="one")})
    assert all("two.yaml" not in pod["digests"] for pod in result["pods"])


def test_falcos_own_opinion_stops_rules_before_they_are_written(cluster: Cluster, installed: Outcome) -> None:
    before = config_maps(cluster)
    result = roll_out(cluster, {"bad.yaml": REFUSED})
    assert result["failed"]
    assert "falco -V" in result["msg"]
    assert "proc.nmae" in result["msg"]
    assert config_maps(cluster) == before


def test_refused_rules_are_taken_back_and_the_reason_is_told(cluster: Cluster, installed: Outcome) -> None:
    good = {"one.yaml": GOOD.format(name="one")}
    roll_out(cluster, good)
    before = config_maps(cluster)
    result = roll_out(cluster, {"one.yaml": REFUSED}, second_opinion=False)
    assert result["failed"]
    assert "refused the rules" in result["msg"]
    assert "proc.nmae" in result["msg"]
    assert "are in place again, and every pod was proven" in result["msg"]
    assert config_maps(cluster) == before
    assert roll_out(cluster, good)["changed"] is False


@pytest.mark.parametrize("after", ["good", "refused"])
def test_a_killed_rollout_is_finished_or_taken_back_by_the_next(
    cluster: Cluster, installed: Outcome, after: str
) -> None:
    good = {"one.yaml": GOOD.format(name="one")}
    roll_out(cluster, good)
    proven = config_maps(cluster)
    # At a port where nobody answers it waits after its write until it is killed.
    command = rules_rollout(cluster, {"one.yaml": REFUSED}, second_opinion=False, metrics_port=1)
    killed = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    wait_for(lambda: config_maps(cluster).get("falco-own-rules-1", {}) == {"one.yaml": REFUSED}, what="the write")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert "falco-own-rules-1-previous" in config_maps(cluster)
    if after == "good":
        new = {"one.yaml": GOOD.format(name="three")}
        result = roll_out(cluster, new, second_opinion=False)
        assert not result.get("failed"), result
        assert config_maps(cluster) == {"falco-own-rules-1": new}
    else:
        result = roll_out(cluster, {"one.yaml": REFUSED}, second_opinion=False)
        assert result["failed"]
        assert config_maps(cluster) == proven


def test_what_the_run_would_do_is_told_without_doing_it(
    site: Site, cluster: Cluster, tmp_path: Path, installed: Outcome
) -> None:
    rules = tmp_path / "new.yaml"
    rules.write_text(GOOD.format(name="new"))
    before = config_maps(cluster)
    extra = {"falco_rules_namespace": NAME, "falco_rules_workload": NAME, "falco_rules_files": [str(rules)]}
    outcome = site.run("falco_rules.yml", "--check", "--diff", extra=extra)
    assert outcome.returncode == 0, outcome.output[-4000:]
    assert "+    condition: evt.type = execve" in outcome.output or "+  condition: evt.type = execve" in outcome.output
    assert config_maps(cluster) == before
