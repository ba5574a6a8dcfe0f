"""A node has what long-running programs and Ansible look for on a Rocky Linux, and what it may take is bounded."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from sandbox.instance import NODES, Instance, load

from .cluster import Cluster
from .test_sandbox import on_node

pytestmark = pytest.mark.cluster

WORKER = next(member for member in NODES if not member.control_plane)


@pytest.fixture
def ours() -> Instance:
    found = load(os.environ.get("SANDBOX_NAME", "falconet"))
    assert found is not None
    return found


def by_ssh(ours: Instance, *argv: str) -> str:
    ssh = ["ssh", "-i", str(ours.ssh_key), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    done = subprocess.run(
        [*ssh, f"root@{ours.address(WORKER)}", *argv], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("table", "key"), [("protocols", "udp"), ("services", "https"), ("hosts", "cp01")])
def test_names_are_known(table: str, key: str) -> None:
    assert key in on_node(WORKER.name, "getent", table, key).stdout


def test_a_session_speaks_utf8(ours: Instance) -> None:
    # Ansible's own sessions are like this one: no shell that has read a profile.
    assert by_ssh(ours, "locale", "charmap").strip() == "UTF-8"
    assert by_ssh(ours, "sudo", "-n", "id", "-u").strip() == "0"


def test_mounts_are_told_by_mtab() -> None:
    assert " / overlay " in on_node(WORKER.name, "cat", "/etc/mtab").stdout


def test_yum_is_dnf() -> None:
    installed = on_node(WORKER.name, "yum", "--version")
    assert installed.returncode == 0, installed.stderr
    assert installed.stdout == on_node(WORKER.name, "dnf", "--version").stdout


def test_each_node_has_an_identity_of_its_own(cluster: Cluster) -> None:
    told = {one["metadata"]["name"]: one["status"]["nodeInfo"]["machineID"] for one in cluster.get("nodes")["items"]}
    assert len(set(told.values())) == len(NODES)
    assert told == {name: on_node(name, "cat", "/etc/machine-id").stdout.strip() for name in told}


@pytest.mark.parametrize("place", ["/run", "/tmp"])
def test_memory_for_files_is_bounded(place: str) -> None:
    told = json.loads(on_node(WORKER.name, "findmnt", "--json", "--bytes", "--output", "SIZE", place).stdout)
    assert int(told["filesystems"][0]["size"]) <= 1 << 30


def test_logs_of_containers_are_rotated(cluster: Cluster) -> None:
    config = json.loads(cluster.kubectl("get", "--raw", f"/api/v1/nodes/{WORKER.name}/proxy/configz"))["kubeletconfig"]
    assert (config["containerLogMaxSize"], config["containerLogMaxFiles"]) == ("10Mi", 5)
