"""A sandbox that has run for hours serves its pods, and one that does not is told and mended."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from sandbox import health, machines
from sandbox.api import Api
from sandbox.instance import NODES, Instance, load

from .cluster import ROOT, wait_for
from .test_sandbox import on_node, sandbox

pytestmark = pytest.mark.cluster

#: What `make doctor` runs; with a KUBECONFIG it leaves sandboxes out.
DOCTOR = [sys.executable, str(ROOT / "tools" / "doctor.py"), "--offline"]
WITHOUT_KUBECONFIG = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
EVERYWHERE = [member.name for member in NODES]


@pytest.fixture
def ours() -> Instance:
    found = load(os.environ.get("SANDBOX_NAME", "falconet"))
    assert found is not None
    return found


@pytest.fixture
def ask(ours: Instance) -> Callable[[], list[health.Health]]:
    api = Api(ours, ours.folder / "keys" / "kubernetes")
    return lambda: health.ask(api)


def order(ours: Instance, name: str, verb: str) -> None:
    found = machines.find(ours, name)
    assert found is not None
    machines.order(found[0], {"do": verb, "service": "kube-proxy"})


def last_sync(name: str) -> float:
    """When kube-proxy last wrote its rules, by its own metrics; 0 if it does not answer."""
    told = on_node(name, "busybox", "wget", "-qO-", "http://127.0.0.1:10249/metrics").stdout
    found = re.search(r"^kubeproxy_sync_proxy_rules_last_timestamp_seconds\S* (\S+)", told, re.MULTILINE)
    return float(found.group(1)) if found else 0.0


def synced(name: str, since: float) -> bool:
    return last_sync(name) > since


def restarted(ours: Instance) -> None:
    """kube-proxy starts again everywhere, and has written its rules, as its hourly sync does."""
    since = time.time()
    for name in EVERYWHERE:
        order(ours, name, "restart")
    for name in EVERYWHERE:
        wait_for(partial(synced, name, since), what=f"the sync of kube-proxy on {name}")


def test_services_outlive_two_full_syncs_of_kube_proxy(ours: Instance, ask: Callable[[], list[health.Health]]) -> None:
    for _ in range(2):
        restarted(ours)
        assert {one.node: one.text() for one in ask() if not one.good} == {}
    assert {one.node for one in ask()} == set(EVERYWHERE)


def test_nodes_know_protocols_by_name() -> None:
    for name in EVERYWHERE:
        assert on_node(name, "getent", "protocols", "tcp").stdout.split()[:2] == ["tcp", "6"]


@pytest.fixture
def without_services(ours: Instance) -> Iterator[str]:
    """A node whose rules for Services are gone."""
    name = "worker02"
    order(ours, name, "stop")
    deleted: subprocess.CompletedProcess[str] = on_node(name, "nft", "delete", "table", "ip", "kube-proxy")
    assert deleted.returncode == 0, deleted.stderr
    yield name
    order(ours, name, "restart")


def test_a_node_that_serves_nothing_is_told_and_mended(
    ours: Instance, without_services: str, ask: Callable[[], list[health.Health]]
) -> None:
    told = sandbox("status")
    assert told.returncode == 1
    assert f"network of pods {without_services}: DNS over UDP does not answer" in told.stdout
    assert [one.node for one in ask() if not one.good] == [without_services]
    doctor = subprocess.run(DOCTOR, capture_output=True, text=True, timeout=120, env=WITHOUT_KUBECONFIG)
    assert doctor.returncode == 1
    assert f"sandbox {ours.name} runs, but {without_services}: DNS over UDP does not answer" in doctor.stdout
    mended = sandbox("up")
    assert mended.returncode == 0, mended.stderr
    assert f"{without_services}: DNS over UDP does not answer" in mended.stderr
    assert f"Services answer again on {without_services}" in mended.stderr
    assert [one.text() for one in ask() if not one.good] == []
