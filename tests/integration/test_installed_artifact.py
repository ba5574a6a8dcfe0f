"""The artifact alone, installed as a user does: it deploys the sandbox's site and proves it, without the repository."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from ..installed_collection import Installed, install
from .cluster import Cluster
from .playbook import ROOT, Site

pytestmark = [pytest.mark.cluster, pytest.mark.long]
#: Of a whole site on a machine that has other work.
LIMIT_SECONDS = 900


@pytest.fixture
def installed(tmp_path: Path, site: Site) -> Installed:
    """The collection, the sandbox's inventory and the stand-ins' chart, and nothing else of the repository."""
    there = install(tmp_path)
    sandbox = there.work / "inventory" / "sandbox"
    shutil.copytree(site.inventory / "group_vars", sandbox / "group_vars")
    shutil.copytree(ROOT / "sandbox" / "standins" / "charts" / "falco", there.work / "chart")
    hosts = yaml.safe_load((site.inventory / "hosts.yml").read_text())
    hosts["all"]["children"]["clusters"]["hosts"]["sandbox"] |= {
        "cluster_kubeconfig": str(site.kubeconfig),
        "falconet_files": "{{ inventory_dir }}/../files",
    }
    (sandbox / "hosts.yml").write_text(yaml.safe_dump(hosts))
    return there


def play(there: Installed, playbook: str) -> str:
    """All that a playbook of the installed collection prints, which must end well."""
    done = there.run(
        "ansible-playbook",
        f"falconet.k8s.{playbook}",
        "--inventory=inventory/sandbox",
        limit_seconds=LIMIT_SECONDS,
        FALCO_CHART=str(there.work / "chart"),
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout + done.stderr


def test_the_artifact_alone_deploys_and_proves_the_site(installed: Installed, cluster: Cluster) -> None:
    play(installed, "uninstall")
    assert "falco" not in cluster.helm("list", "--all-namespaces", "--short").split()

    said = play(installed, "site")
    assert str(ROOT) not in said
    (written,) = installed.work.rglob("report.json")
    report = json.loads(written.read_text())
    assert report["summary"]["failed"] == 0
    proven = {check["stage"] for check in report["checks"] if check["status"] == "passed"}
    assert proven == {"node_prep", "falco", "falco_rules", "network_policies", "verify"}
    assert {node["name"] for node in report["nodes"]} == {"cp01", "worker01", "worker02"}
