"""A sandbox of its own is killed, finished, edited and taken down; nothing of it stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import cgroups, down, instance, machines, network

from .cluster import Cluster, wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.long]

ROOT = Path(__file__).resolve().parents[2]
NAME = "it-lifecycle"


def sandbox(*arguments: str, limit_seconds: float = 400) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "sandbox", "--name", NAME, *arguments]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=limit_seconds)


def leftovers() -> list[str]:
    """What the kernel still holds of the sandbox, whether or not its state is there."""
    found = [f"process {path.name}" for path in Path("/proc").iterdir() if path.name.isdigit() and _is_ours(path)]
    found += [str(group / instance.Instance(NAME, instance.NODE_NETWORKS[0]).cgroup) for group in cgroups.hierarchies()]
    found = [entry for entry in found if entry.startswith("process") or Path(entry).exists()]
    found += down.mounts_below(instance.STATE / NAME, Path("/proc/self/mountinfo").read_text())
    for bridge in Path("/sys/class/net").glob("falconet*"):
        alias = bridge / "ifalias"
        if alias.exists() and alias.read_text().strip() == instance.bridge_alias(NAME):
            found.append(bridge.name)
    return found


def _is_ours(process: Path) -> bool:
    try:
        return f"falconet-sandbox={NAME}/".encode() in (process / "cmdline").read_bytes()
    except OSError:
        return False


@pytest.fixture(scope="module", autouse=True)
def _clean() -> Iterator[None]:
    assert sandbox("down", "--purge").returncode == 0
    yield
    assert sandbox("down", "--purge").returncode == 0
    assert leftovers() == []


def kill_up_when(condition: str) -> None:
    """Start `up`, and SIGKILL it as soon as the file or interface appears."""
    argv = [sys.executable, "-m", "sandbox", "--name", NAME, "up"]
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not list(Path("/").glob(condition.lstrip("/"))) and process.poll() is None:
        assert time.monotonic() < deadline, f"{condition} did not appear"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()


STATE = f"{instance.STATE}/{NAME}"


@pytest.mark.parametrize(
    "moment",
    [
        f"{STATE}/instance.json",
        f"{STATE}/keys",
        f"{STATE}/nodes/cp01/upper",
        f"{STATE}/logs/worker02/sshd.log",
        f"{STATE}/logs/cp01/kubelet.log",
        f"{STATE}/nodes/cp01/etcd/member",
    ],
)
def test_up_that_was_killed_is_finished_by_the_next(moment: str) -> None:
    assert sandbox("down", "--purge").returncode == 0
    kill_up_when(moment)
    done = sandbox("up")
    assert done.returncode == 0, done.stderr
    status = sandbox("status")
    assert status.returncode == 0, status.stdout


def test_edited_manifest_rules_and_survives_a_restart(tmp_path: Path) -> None:
    assert sandbox("up").returncode == 0
    current = instance.load(NAME)
    assert current is not None
    cluster = Cluster(current.kubeconfig)
    manifest = "/etc/kubernetes/manifests/kube-apiserver.yaml"
    edit = f"sed -i 's/- --allow-privileged=true/&\\n    - --max-requests-inflight=401/' {manifest}"
    assert sandbox("exec", "cp01", "--", "sh", "-c", edit).returncode == 0

    def flag_rules() -> bool:
        ps = sandbox("exec", "cp01", "--", "sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'")
        return "--max-requests-inflight=401" in ps.stdout

    wait_for(flag_rules, 60, "the API server to run with the new flag")
    wait_for(lambda: sandbox("status").returncode == 0, 90, "the cluster to be well again")
    assert sandbox("down").returncode == 0
    assert leftovers() == []
    done = sandbox("up")
    assert done.returncode == 0, done.stderr
    assert flag_rules()
    assert cluster.get("nodes")["items"]


def test_dead_node_is_started_again() -> None:
    assert sandbox("up").returncode == 0
    current = instance.load(NAME)
    assert current is not None
    before = machines.find(current, "worker02")
    assert before is not None
    os.kill(before[0], signal.SIGKILL)
    wait_for(lambda: machines.find(current, "worker02") is None, 20, "worker02 to die")
    status = sandbox("status")
    assert status.returncode == 1
    assert "worker02: does not run" in status.stdout
    assert sandbox("up").returncode == 0
    assert sandbox("status").returncode == 0
    assert json.loads((current.folder / "last-up.json").read_text())["machines"] == 1


def test_two_sandboxes_have_networks_of_their_own() -> None:
    current = instance.load(NAME)
    assert current is not None
    others = [one for one in instance.known() if one.name != NAME]
    assert all(not one.network.overlaps(current.network) for one in others)


def test_down_leaves_nothing_even_when_its_state_is_lost() -> None:
    assert sandbox("up").returncode == 0
    current = instance.load(NAME)
    assert current is not None
    (current.folder / "instance.json").unlink()
    done = sandbox("down", "--purge")
    assert done.returncode == 0, done.stderr
    assert leftovers() == []
    assert network.links_of(current) == []
    assert not current.folder.exists()
