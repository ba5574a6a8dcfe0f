"""Faults of where audit events go: a webhook that is wrong, slow or away, a full disk, a manifest of other hands."""

from __future__ import annotations

import contextlib
import datetime
import os
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.k8s_audit.counters import read_audit_counters
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import connect
from ansible_collections.falconet.k8s.plugins.plugin_utils.certificates import Certificates, keep_or_issue

from sandbox import instance

from ..unit.live_apiserver.api_server import Request, certificates, serving
from .apiserver_node import FOLDERS, LOG, POLICY, ControlPlane
from .cluster import Cluster, wait_for
from .playbook import Site

pytestmark = [pytest.mark.cluster, pytest.mark.long]

MAPS = "/api/v1/namespaces/default/configmaps"
#: Our own requests alone, so that what is sent, dropped and counted is theirs.
NARROW = (
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n"
    "- {level: Metadata, verbs: [get], resources: [{group: '', resources: [configmaps]}], namespaces: [default]}\n"
    "- {level: None}\n"
)
#: How much slower requests may be at the median, on a machine that is busy with other things.
MOST_TIMES = 3.0


@pytest.fixture
def control_plane(site: Site, cluster: Cluster) -> Iterator[ControlPlane]:
    found = ControlPlane(site, cluster)
    before = found.manifest()
    yield found
    found.run(state="absent")
    assert found.manifest() == before


@pytest.fixture
def gateway() -> str:
    sandbox = instance.load(os.environ.get("SANDBOX_NAME", "falconet"))
    assert sandbox is not None
    return str(sandbox.gateway)


NOW = datetime.datetime.now(datetime.timezone.utc)


def expired() -> Certificates:
    """A server's certificate whose time has ended, under a CA whose time has not."""
    return keep_or_issue(None, "", None, None, ["localhost"], 90, NOW - datetime.timedelta(days=365))


def counted(node: ControlPlane) -> dict[str, Any]:
    return read_audit_counters(node.cluster.kubectl("get", "--raw", "/metrics"))


def reads(node: ControlPlane, count: int, name: str = "kube-root-ca.crt") -> float:
    """Milliseconds of a read at the median, over one connection."""
    client = connect({"kubeconfig": str(node.site.kubeconfig)})
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        assert client.request("GET", f"{MAPS}/{name}").status in (200, 404)
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def failed(node: ControlPlane, plugin: str) -> int:
    return int(counted(node)["errors"].get(plugin, 0))


def test_a_webhook_that_is_wrong_slow_or_away_costs_events_and_never_requests(
    control_plane: ControlPlane, gateway: str, tmp_path: Path
) -> None:
    node = control_plane
    old, other = expired(), certificates()
    good = keep_or_issue(old.authority, old.trust, old.server, old.client, ["localhost"], 90, NOW)
    assert good.authority == old.authority
    plain = reads(node, 200)
    bodies: list[str] = []
    hung, refusing = threading.Event(), threading.Event()
    let_go = threading.Event()

    def take(request: Request) -> tuple[int, str]:
        if hung.is_set():
            let_go.wait(120)
        if refusing.is_set():
            return 503, ""
        bodies.append(request.body)
        return 200, ""

    with contextlib.ExitStack() as first:
        port, _ = first.enter_context(serving(tmp_path, take, old, host=gateway))
        done = node.run(
            policy=NARROW,
            webhook={
                "server": f"https://{gateway}:{port}/k8s-audit",
                "ca": old.authority.certificate,
                "client_certificate": good.client.certificate,
                "client_key": good.client.key,
                "tls_server_name": "localhost",
                "batch_max_size": 5,
                "batch_buffer_size": 50,
                "batch_max_wait_seconds": 0.2,
                # 25 events a second and 15 batches at first, fewer than are made: the rest finds the buffer full.
                "batch_throttle_qps": 5,
                "initial_backoff_seconds": 0.2,
            },
        )
        assert not done["failed"], done
        reads(node, 5, "at-an-expired-certificate")
        wait_for(lambda: failed(node, "webhook") >= 5, what="events that an expired certificate costs")
        assert node.ready()
    assert bodies == []

    with serving(tmp_path, take, other, host=gateway, port=port):
        before = failed(node, "webhook")
        reads(node, 5, "at-another-ca")
        wait_for(lambda: failed(node, "webhook") > before, what="events that another CA's certificate costs")
    assert bodies == []

    before = failed(node, "webhook")
    reads(node, 5, "at-nobody")
    wait_for(lambda: failed(node, "webhook") > before, what="events that are dropped while nobody listens")

    with serving(tmp_path, take, good, host=gateway, port=port):
        reads(node, 5, "at-last")
        wait_for(lambda: any("at-last" in body for body in list(bodies)), what="events after all was put right")
        assert not any("at-nobody" in body for body in bodies)

        refusing.set()
        reads(node, 5, "sent-again")
        refusing.clear()
        wait_for(lambda: any("sent-again" in body for body in list(bodies)), what="events that were refused at first")

        hung.set()
        slow = reads(node, 400)
        wait_for(lambda: failed(node, "buffered") > 0, what="events that found the buffer full")
        print(f"reads: {plain:.2f} ms without audit, {slow:.2f} ms with a webhook that hangs: {slow / plain:.2f} times")
        assert slow < MOST_TIMES * plain
        assert counted(node)["rejected"] == 0
        hung.clear()
        let_go.set()
        reads(node, 5, "goes-on")
        wait_for(lambda: any("goes-on" in body for body in list(bodies)), what="events after the webhook came back")


@contextlib.contextmanager
def full_disk(node: ControlPlane, folder: str) -> Iterator[None]:
    """A file system of a few KiB in the node's own mount namespace, without a free byte."""
    node.on_node("sh", "-c", f"mkdir -p {folder} && mount -t tmpfs -o size=16k,mode=700 tmpfs {folder}")
    try:
        node.on_node("sh", "-c", f"cat /dev/zero > {folder}/fills-it 2>/dev/null; true")
        yield
    finally:
        node.on_node("sh", "-c", f"umount -l {folder}; rmdir -p {folder} 2>/dev/null; true")


def test_a_full_disk_for_the_log_costs_lines_and_never_requests(control_plane: ControlPlane) -> None:
    node = control_plane
    plain = reads(node, 100)
    with full_disk(node, str(Path(LOG).parent)):
        done = node.run(policy=NARROW, log={})
        assert not done["failed"], done
        full = reads(node, 100)
        assert failed(node, "log") >= 100
        assert counted(node)["rejected"] == 0
        print(f"reads: {plain:.2f} ms without audit, {full:.2f} ms with a full disk: {full / plain:.2f} times")
        assert full < MOST_TIMES * plain
        assert node.ready()
        assert node.run(state="absent")["changed"] is True


def test_a_full_disk_for_its_files_is_named_and_the_api_server_is_left_alone(control_plane: ControlPlane) -> None:
    node = control_plane
    before, started = node.manifest(), counted(node)["started"]
    with full_disk(node, FOLDERS[0]):
        done = node.run(policy=POLICY, log={})
        assert done["failed"]
        assert "No space left on device; nothing was changed" in done["msg"]
    assert node.manifest() == before
    assert counted(node)["started"] == started


def test_a_manifest_in_another_order_with_somebody_elses_audit_flag(control_plane: ControlPlane) -> None:
    node = control_plane
    start = node.manifest()
    lines = start.splitlines(keepends=True)
    flags = [number for number, line in enumerate(lines) if line.lstrip().startswith("- --")]
    assert len(flags) > 20
    for number, line in zip(flags, [lines[number] for number in reversed(flags)]):
        lines[number] = line
    lines.insert(flags[3], "    - --audit-log-maxage=3 # ours, since 2021\n")
    edited = "# edited by hand\n" + "".join(lines)
    try:
        node.edit(edited, "--audit-log-maxage=3")
        refused = node.run(policy=POLICY, log={})
        assert refused["failed"]
        assert f":{flags[3] + 2}:" in refused["msg"]
        assert "--audit-log-maxage=3" in refused["msg"]
        assert node.manifest() == edited
        done = node.run(policy=POLICY, log={}, replace=True)
        assert not done["failed"], done
        wait_for(lambda: '"kind":"Event"' in node.on_node("head", "-c", "2000", LOG), what="a line in the audit log")
        assert node.run(policy=POLICY, log={}, replace=True)["changed"] is False
        assert node.run(state="absent")["changed"] is True
        assert node.manifest() == edited
    finally:
        node.run(state="absent")
        node.edit(start, "--audit-log-maxage=3", has=False)
