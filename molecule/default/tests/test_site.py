"""A site that is finished: its nodes, its network and its evidence, seen from outside of the roles."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest
import testinfra
import yaml
from testinfra.host import Host

INVENTORY = Path(__file__).resolve().parents[3] / "inventory" / "sandbox"
FRONTEND, VISITOR = ("prod", "deployment/frontend"), ("dev", "deployment/visitor")


def cluster() -> str:
    hosts = yaml.safe_load((INVENTORY / "hosts.yml").read_text())
    kubeconfig: str = hosts["all"]["children"]["clusters"]["hosts"]["sandbox"]["cluster_kubeconfig"]
    return kubeconfig


def kubectl(*arguments: str) -> subprocess.CompletedProcess[str]:
    argv = ["kubectl", "--kubeconfig", cluster(), *arguments]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def connects(source: tuple[str, str], address: str) -> bool:
    namespace, workload = source
    connect = ["/agnhost", "connect", address, "--timeout=2s"]
    return kubectl("--namespace", namespace, "exec", workload, "--", *connect).returncode == 0


def connects_soon(source: tuple[str, str], address: str, limit_seconds: float = 60) -> bool:
    """Whether a connection that must be possible is made in time, on a machine that may be busy."""
    deadline = time.monotonic() + limit_seconds
    while time.monotonic() < deadline:
        if connects(source, address):
            return True
    return False


def service(namespace: str, name: str) -> str:
    """Address and first port of a Service."""
    found = json.loads(kubectl("--namespace", namespace, "get", "service", name, "--output=json").stdout)["spec"]
    return f"{found['clusterIP']}:{found['ports'][0]['port']}"


def test_frontend_reaches_backend() -> None:
    assert connects_soon(FRONTEND, service("prod", "backend"))


def test_a_visitor_of_another_namespace_does_not() -> None:
    # It can connect at all: to the API server, which no policy guards.
    assert connects_soon(VISITOR, service("default", "kubernetes"))
    assert not connects(VISITOR, service("prod", "backend"))


@pytest.mark.parametrize("name", ["worker01"])
def test_redis_keeps_its_data_in_the_directory_of_the_node(name: str) -> None:
    host: Host = testinfra.get_host(f"ansible://{name}?ansible_inventory={INVENTORY}")
    directory = host.file("/mnt/data/redis")
    assert (directory.uid, directory.gid) == (999, 999)
    assert not directory.mode & 0o007
    pod = ("--namespace", "falco", "exec", "statefulset/falco-falcosidekick-ui-redis", "--")
    assert kubectl(*pod, "sh", "-c", "echo kept > /data/molecule-wrote-this").returncode == 0
    assert host.file("/mnt/data/redis/molecule-wrote-this").content_string == "kept\n"
    host.run_expect([0], "rm /mnt/data/redis/molecule-wrote-this")


def test_nothing_failed_in_the_evidence() -> None:
    report = json.loads((Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "evidence" / "report.json").read_text())
    assert report["summary"]["failed"] == 0
    assert {check["stage"] for check in report["checks"] if check["status"] == "passed"} >= {
        "node_prep",
        "falco",
        "verify",
    }
