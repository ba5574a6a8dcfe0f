"""Several control planes: their API servers are made to audit one after the other, and the API is never away."""

from __future__ import annotations

import contextlib
import os
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox import instance, machines
from sandbox.inventory import write_inventory

from .apiserver_node import MANIFEST, POLICY
from .cluster import ROOT, wait_for
from .playbook import Outcome, Site

pytestmark = [pytest.mark.cluster, pytest.mark.long]

PLAYBOOK = """
- name: API servers audit, one after the other
  hosts: control_plane
  gather_facts: false
  serial: 1
  tasks:
    - name: API server writes an audit log
      falconet.k8s.kube_apiserver_audit:
        state: "{{ state }}"
        policy: "{{ policy if state == 'present' else omit }}"
        log: "{{ {} if state == 'present' else omit }}"
"""


@dataclass
class Watcher:
    """Asks the API again and again, each time over a new connection and without a second try.

    Attributes:
        asked: how many requests were sent.
        failures: what became of those that were not answered with 200, and when.
    """

    sandbox: instance.Instance
    asked: int = 0
    failures: list[str] = field(default_factory=list)
    slowest_seconds: float = 0

    def ask(self) -> None:
        context = ssl.create_default_context(cafile=str(self.sandbox.folder / "keys/kubernetes/ca.crt"))
        keys = self.sandbox.folder / "keys/kubernetes/users"
        context.load_cert_chain(keys / "admin.crt", keys / "admin.key")
        url = f"{self.sandbox.api_url}/api/v1/namespaces/kube-system/configmaps?limit=1"
        began = time.monotonic()
        self.asked += 1
        try:
            with urllib.request.urlopen(url, timeout=30, context=context) as answer:
                answer.read()
        except (OSError, urllib.error.HTTPError) as error:
            self.failures.append(f"request {self.asked}: {error}")
        self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Ask from another thread, five times a second."""
        over = threading.Event()

        def work() -> None:
            while not over.wait(0.2):
                self.ask()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        print(f"{self.asked} requests, {len(self.failures)} failed, slowest {self.slowest_seconds:.2f} s")


@dataclass
class World:
    """A sandbox of its own with several control planes."""

    sandbox: instance.Instance
    site: Site
    playbook: Path

    def command(self, *arguments: str) -> str:
        argv = [sys.executable, "-m", "sandbox", "--name", self.sandbox.name, *arguments]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def names(self) -> list[str]:
        return [node.name for node in self.sandbox.nodes if node.control_plane]

    def manifest(self, name: str) -> str:
        return self.command("exec", name, "--", "cat", MANIFEST)

    def audit(self, state: str, *arguments: str) -> Outcome:
        extra = {"state": state, "policy": POLICY}
        path = os.path.relpath(self.playbook, ROOT / "playbooks")
        return self.site.run(path, *arguments, extra=extra, limit_seconds=1500)

    def watched(self) -> Watcher:
        return Watcher(self.sandbox)


@contextlib.contextmanager
def booted(control_planes: int, folder: Path) -> Iterator[World]:
    """A sandbox with so many control planes, gone afterwards."""
    name = f"it-{control_planes}cp"
    argv = [sys.executable, "-m", "sandbox", "--name", name]
    subprocess.run([*argv, "down", "--purge"], cwd=ROOT, check=True, timeout=120)
    try:
        up = [*argv, "up", "--control-planes", str(control_planes)]
        subprocess.run(up, cwd=ROOT, check=True, timeout=900)
        sandbox = instance.load(name)
        assert sandbox is not None
        write_inventory(sandbox, folder / "inventory")
        (folder / "audit.yml").write_text(PLAYBOOK)
        yield World(sandbox, Site(folder / "inventory", sandbox.kubeconfig), folder / "audit.yml")
    finally:
        subprocess.run([*argv, "down", "--purge"], cwd=ROOT, check=True, timeout=120)


def test_three_api_servers_one_after_the_other_and_the_api_is_never_away(tmp_path: Path) -> None:
    with booted(3, tmp_path) as world:
        before = {name: world.manifest(name) for name in world.names}
        assert list(before) == ["cp01", "cp02", "cp03"]
        watcher = world.watched()
        with watcher.watching():
            done = world.audit("present")
        assert done.returncode == 0, done.output[-4000:]
        assert done.changed == dict.fromkeys(world.names, 1)
        assert watcher.failures == []
        assert watcher.asked > 100
        assert all(world.manifest(name) != before[name] for name in world.names)
        again = world.audit("present")
        assert (again.returncode, again.total_changed) == (0, 0), again.output[-4000:]

        # A machine that is off does not keep the others from what is asked, and is named.
        _off(world, "cp03")
        gone = world.audit("absent")
        assert "cp03" in gone.output
        assert gone.failed == {"cp01": 0, "cp02": 0, "cp03": 1}
        assert [world.manifest(name) for name in ("cp01", "cp02")] == [before["cp01"], before["cp02"]]
        world.command("up")
        assert world.manifest("cp03") != before["cp03"]
        gone = world.audit("absent")
        assert gone.changed == {"cp01": 0, "cp02": 0, "cp03": 1}, gone.output[-4000:]
        assert {name: world.manifest(name) for name in world.names} == before


def test_two_api_servers_with_one_down(tmp_path: Path) -> None:
    with booted(2, tmp_path) as world:
        before = {name: world.manifest(name) for name in world.names}
        _off(world, "cp02")
        wait_for(lambda: _answers(world), limit_seconds=60, what="the API by the other server")
        watcher = world.watched()
        done = world.audit("present")
        assert done.failed == {"cp01": 0, "cp02": 1}, done.output[-4000:]
        assert world.manifest("cp01") != before["cp01"]
        with watcher.watching():
            world.command("up")
            assert world.manifest("cp02") == before["cp02"]
            done = world.audit("present")
        assert done.changed == {"cp01": 0, "cp02": 1}, done.output[-4000:]
        assert watcher.failures == []
        gone = world.audit("absent")
        assert gone.changed == {"cp01": 1, "cp02": 1}, gone.output[-4000:]
        assert {name: world.manifest(name) for name in world.names} == before


def _off(world: World, name: str) -> None:
    assert machines.stop(world.sandbox, name)


def _answers(world: World) -> bool:
    watcher = world.watched()
    watcher.ask()
    return not watcher.failures
