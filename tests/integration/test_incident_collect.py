"""A live pod's processes and sockets, seen from its node: what runs, with which program, and nothing left behind."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..unit.module_runner import run_module
from .cluster import Cluster
from .probing import OURS, running_system, traceless

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def system(cluster: Cluster) -> Iterator[None]:
    with running_system(cluster):
        yield


def test_processes_files_and_sockets_of_a_pod_are_kept(system: None, cluster: Cluster, tmp_path: Path) -> None:
    pod = cluster.get("pods", "-n", OURS, "-l", "app=backend")["items"][0]["metadata"]["name"]
    result = run_module(
        "incident_collect",
        {"kubeconfig": os.environ["KUBECONFIG"], "namespace": OURS, "pod": pod, "dest": str(tmp_path)},
    )
    assert not result.get("failed"), result["msg"]
    assert result["missing"] == {}
    with tarfile.open(result["archive"]) as archive:
        found = archive.extractfile("processes.txt")
        assert found is not None
        told = found.read().decode()
    # Port 8080 as the kernel writes it, in a socket that listens (0A).
    listening = [line for line in told.splitlines() if ":1F90 " in line and " 0A " in line]
    assert "Command: /agnhost netexec --http-port=8080" in told
    assert "Program: /agnhost" in told
    assert len(listening) == 1
    assert told.rstrip().endswith("== end")
    traceless(cluster)
