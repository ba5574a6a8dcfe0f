"""A real API server is made to audit: its log and its webhook get events, what is broken comes back, no byte stays."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import instance

from ..unit.live_apiserver.api_server import Request, certificates, serving
from .apiserver_node import FOLDERS, LOG, POLICY, ControlPlane
from .cluster import ROOT, Cluster, wait_for
from .playbook import Site

pytestmark = [pytest.mark.cluster, pytest.mark.long]


@pytest.fixture
def control_plane(site: Site, cluster: Cluster) -> Iterator[ControlPlane]:
    found = ControlPlane(site, cluster)
    yield found
    found.run(state="absent")


def test_from_an_unconfigured_api_server_to_events_and_back(control_plane: ControlPlane, tmp_path: Path) -> None:
    node, cluster = control_plane, control_plane.cluster
    start, configuration = node.manifest(), node.configuration()
    made = certificates()
    batches: list[Request] = []

    def take(request: Request) -> tuple[int, str]:
        batches.append(request)
        return 200, ""

    sandbox = instance.load(os.environ.get("SANDBOX_NAME", "falconet"))
    assert sandbox is not None
    gateway = str(sandbox.gateway)
    with serving(tmp_path, take, made, host=gateway) as (port, _):
        options: dict[str, Any] = {
            "policy": POLICY,
            "log": {},
            "webhook": {
                "server": f"https://{gateway}:{port}/k8s-audit",
                "ca": made.authority.certificate,
                "client_certificate": made.client.certificate,
                "client_key": made.client.key,
                "tls_server_name": "localhost",
            },
        }
        began = time.monotonic()
        first = node.run(**options)
        assert first["changed"] is True, first
        assert first["cluster_configuration"] == "changed"
        print(f"from unconfigured to healthy in {time.monotonic() - began:.1f} s")
        assert node.manifest() != start
        assert "audit-webhook-config-file" in node.configuration()

        cluster.kubectl("create", "configmap", "seen-by-audit", "-n", "default", "--from-literal=password=s3cret")
        cluster.kubectl("delete", "configmap", "seen-by-audit", "-n", "default")
        wait_for(lambda: "seen-by-audit" in node.on_node("cat", LOG), what="a line in the audit log")
        wait_for(lambda: any("seen-by-audit" in one.body for one in list(batches)), what="an event at the webhook")
        [batch, *_] = [one for one in batches if "seen-by-audit" in one.body]
        assert (batch.method, batch.path.partition("?")[0]) == ("POST", "/k8s-audit")
        assert json.loads(batch.body)["kind"] == "EventList"
        assert "commonName" in batch.client
        assert "s3cret" not in node.on_node("cat", LOG)

        second = node.run(**options)
        assert (second["changed"], second["repaired"]) == (False, "")

        configured = node.manifest()
        broken = node.run(**{**options, "policy": POLICY.replace("RequestReceived", "Nonsense")})
        print(broken.get("msg"))
        assert broken["failed"], broken
        assert "Nonsense" in broken["msg"]
        assert "The old manifest came back, and the API server is healthy with it" in broken["msg"]
        assert node.manifest() == configured
        assert cluster.kubectl("get", "--raw", "/readyz").strip() == "ok"

        _kill_in_the_middle(node, {**options, "policy": POLICY + "# another\n"})
        repaired = node.run(**options)
        assert not repaired["failed"], repaired
        assert "an earlier run was cut off" in repaired["repaired"]
        assert node.run(**options)["changed"] is False

    gone = node.run(state="absent")
    assert gone["changed"] is True, gone
    assert node.manifest() == start
    assert node.configuration() == configuration
    assert [
        folder for folder in FOLDERS if node.on_node("sh", "-c", f"ls -d {folder} 2>&1; true").strip() == folder
    ] == []
    assert node.run(state="absent")["changed"] is False
    assert cluster.kubectl("get", "--raw", "/readyz").strip() == "ok"


def _kill_in_the_middle(node: ControlPlane, options: dict[str, Any]) -> None:
    """The module on the node gets SIGKILL once it has begun to write."""
    # From a file, not through a pipe, so that its processes are told by their command line.
    environment = {**os.environ, "ANSIBLE_PIPELINING": "0", "ANSIBLE_SSH_PIPELINING": "0"}
    process = subprocess.Popen(
        node.command(options), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    note = f"{FOLDERS[1]}/change.json"
    wait_for(lambda: note in node.on_node("sh", "-c", f"ls {note} 2>/dev/null; true"), what="the note of a change")
    assert node.module_processes()
    for number in node.module_processes():
        node.on_node("sh", "-c", f"kill -9 {number} 2>/dev/null; true")
    process.wait(timeout=60)
    assert note in node.on_node("ls", note)
