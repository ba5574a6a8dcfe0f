"""Real Rocky Linux after node_prep: Redis' directory, a port that survives a reload, limits, and all of it undone."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import testinfra
from testinfra.host import Host

SCENARIO = Path(__file__).resolve().parents[1]
ROOT = SCENARIO.parents[1]
INVENTORY = SCENARIO / "inventory"
MACHINES = ("rocky9", "rocky10")
RECORD = "/var/lib/falconet_node_prep.json"


def machine(name: str) -> Host:
    return testinfra.get_host(f"ansible://{name}?ansible_inventory={INVENTORY}")


def record(host: Host) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(host.file(RECORD).content_string)
    return found


def prepare(*arguments: str) -> subprocess.CompletedProcess[str]:
    playbook = ROOT / "molecule" / "node_prep" / "prepare_any.yml"
    argv = ["ansible-playbook", "--inventory", str(INVENTORY), str(playbook), *arguments]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MOLECULE_")}
    return subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False)


@pytest.mark.parametrize("name", MACHINES)
def test_it_is_the_release_that_it_says(name: str) -> None:
    system = machine(name).file("/etc/os-release").content_string
    assert 'ID="rocky"' in system
    assert f'VERSION_ID="{name.removeprefix("rocky")}.' in system


@pytest.mark.parametrize("name", MACHINES)
def test_redis_can_write_into_its_directory_and_others_cannot_read_it(name: str) -> None:
    host = machine(name)
    as_redis = "setpriv --reuid=999 --regid=999 --clear-groups"
    assert host.run(f"{as_redis} sh -c 'echo 1 > /mnt/data/redis/dump.rdb && rm /mnt/data/redis/dump.rdb'").rc == 0
    assert host.run("setpriv --reuid=1000 --regid=1000 --clear-groups ls /mnt/data/redis").rc != 0


@pytest.mark.parametrize("name", MACHINES)
def test_the_port_is_open_now_and_after_a_reload(name: str) -> None:
    host = machine(name)
    for _ in range(2):
        assert "30080/tcp" in host.check_output("firewall-cmd --list-ports").split()
        host.run_expect([0], "firewall-cmd --reload")


@pytest.mark.parametrize("name", MACHINES)
def test_limits_are_high_enough_now_or_at_the_next_boot(name: str) -> None:
    host = machine(name)
    now = int(host.check_output("cat /proc/sys/fs/inotify/max_user_instances"))
    assert now >= 512 or "fs.inotify.max_user_instances=512" in host.file(
        "/etc/sysctl.d/90-falconet.conf"
    ).content_string.replace(" ", "")


@pytest.mark.parametrize("name", MACHINES)
def test_no_package_came_with_it(name: str) -> None:
    assert record(machine(name))["packages"] == []


@pytest.mark.parametrize("name", MACHINES)
def test_the_platforms_own_python_runs_the_modules(name: str) -> None:
    version = machine(name).check_output("python3 -c 'import sys; print(*sys.version_info[:2])'")
    assert tuple(map(int, version.split())) >= (3, 9)


def test_uninstalling_restores_what_was_there() -> None:
    run = prepare("-e", "node_prep_state=absent")
    assert run.returncode == 0, run.stdout
    for name in MACHINES:
        host = machine(name)
        assert "30080/tcp" not in host.check_output("firewall-cmd --list-ports").split()
        assert not host.file(RECORD).exists
        assert not host.file("/etc/sysctl.d/90-falconet.conf").exists
        assert host.file("/mnt/data/redis").is_directory
    again = prepare("-e", "node_prep_state=absent")
    assert again.stdout.count("changed=0 ") == len(MACHINES), again.stdout
