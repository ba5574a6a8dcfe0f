"""The Lease: taken, renewed, refused, taken over from the dead, and given back."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.kube.client import Client
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import LeaseHeldError
from ansible_collections.falconet.k8s.plugins.module_utils.kube.lease import Lease, is_gone, run_identity

from .fake_api import FakeApi

PATH = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def lease(client: Client, holder: str, at: datetime = NOON) -> Lease:
    return Lease(client, "set", "default", holder, seconds=60, now=lambda: at)


def test_it_is_taken_renewed_and_given_back(api: FakeApi, client: Client) -> None:
    assert lease(client, "elsewhere/1/2").take() is True
    assert lease(client, "elsewhere/1/2", NOON + timedelta(seconds=50)).take() is False
    (stored,) = api.collections[PATH]
    assert stored["spec"]["renewTime"] == "2026-01-01T12:00:50.000000Z"
    lease(client, "elsewhere/1/2").release()
    assert api.collections[PATH] == []


def test_another_run_is_refused_and_the_holder_is_named(api: FakeApi, client: Client) -> None:
    lease(client, "elsewhere/1/2").take()
    with pytest.raises(LeaseHeldError, match="elsewhere/1/2 holds Lease default/set"):
        lease(client, "here/3/4").take()
    lease(client, "here/3/4").release()
    assert len(api.collections[PATH]) == 1


def test_it_is_taken_over_when_its_time_is_over(client: Client) -> None:
    lease(client, "elsewhere/1/2").take()
    assert lease(client, "here/3/4", NOON + timedelta(seconds=61)).take() is True


def test_it_is_taken_over_at_once_from_a_process_of_this_host_that_ended(client: Client) -> None:
    lease(client, f"{socket.gethostname()}/4194305/77").take()
    assert lease(client, "here/3/4").take() is True


def test_only_one_of_two_writers_wins(api: FakeApi, client: Client) -> None:
    lease(client, "elsewhere/1/2").take()
    conflicts = iter([(409, {"reason": "Conflict"})])
    api.faults = lambda method, _p, _q: next(conflicts, None) if method == "PUT" else None
    assert lease(client, "here/3/4", NOON + timedelta(seconds=61)).take(wait_seconds=2) is True


def test_the_identity_is_that_of_the_ansible_run(tmp_path: Path) -> None:
    def process(pid: int, parent: int, command: bytes, start: int, state: str = "S") -> None:
        folder = tmp_path / str(pid)
        folder.mkdir(exist_ok=True)
        (folder / "cmdline").write_bytes(command)
        fields = [state, str(parent), *["0"] * 17, str(start)]
        (folder / "stat").write_text(f"{pid} (a (b) c) {' '.join(fields)}")

    process(os.getpid(), 30, b"python\0AnsiballZ_netpol_apply.py", 300)
    process(30, 20, b"python\0ansible-playbook\0site.yml", 200)
    process(20, 10, b"/usr/bin/python3\0-sP\0/usr/bin/ansible-playbook\0site.yml", 100)
    # A script with such a name may start several runs.
    process(10, 5, b"bash\0/opt/deploy-ansible-twice.sh", 50)
    process(5, 1, b"sh\0-c\0ansible-playbook a.yml & ansible-playbook b.yml", 40)
    identity = run_identity(tmp_path)
    assert identity == f"{socket.gethostname()}/20/100"
    assert is_gone(identity, tmp_path) is False
    assert is_gone(f"{socket.gethostname()}/20/99", tmp_path) is True
    assert is_gone("another-host/99/1", tmp_path) is False
    process(20, 10, b"", 100, state="Z")
    assert is_gone(identity, tmp_path) is True
