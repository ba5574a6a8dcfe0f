"""Prepared machines behave as a node for Falco and Redis has to."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

Machine = Callable[[str], Host]
Prepare = Callable[..., "subprocess.CompletedProcess[str]"]
PREPARED = ("ebpf", "kmod", "vault", "firewall", "generous", "frozen")
#: Those whose settings of the kernel can be changed.
LIVE = PREPARED[:4]


def record(host: Host) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(host.file("/var/lib/falconet_node_prep.json").content_string)
    return found


def test_redis_can_write_into_its_directory_and_others_cannot_read_it(machine: Machine) -> None:
    host = machine("ebpf")
    as_redis = "setpriv --reuid=999 --regid=999 --clear-groups"
    assert host.run(f"{as_redis} sh -c 'echo 1 > /mnt/data/redis/dump.rdb && rm /mnt/data/redis/dump.rdb'").rc == 0
    assert host.run("setpriv --reuid=1000 --regid=1000 --clear-groups ls /mnt/data/redis").rc != 0
    above = host.file("/mnt/data")
    assert (above.uid, above.gid, above.mode) == (0, 0, 0o755)


@pytest.mark.parametrize("name", ["kmod", "firewall"])
def test_only_nodes_for_redis_get_its_directory(machine: Machine, name: str) -> None:
    assert not machine(name).file("/mnt/data").exists


@pytest.mark.parametrize("name", LIVE)
def test_limits_hold_now_and_after_a_reboot(machine: Machine, name: str) -> None:
    host = machine(name)
    assert int(host.check_output("cat /proc/sys/fs/inotify/max_user_instances")) >= 512
    host.run_expect([0], "echo 1 > /proc/sys/fs/inotify/max_user_instances")
    # What a boot does with the files of /etc/sysctl.d.
    host.run_expect([0], "sysctl --load=/etc/sysctl.d/90-falconet.conf")
    assert int(host.check_output("cat /proc/sys/fs/inotify/max_user_instances")) == 512


@pytest.mark.parametrize("name", ["ebpf", "firewall"])
def test_nothing_is_installed_where_modern_ebpf_runs(machine: Machine, name: str) -> None:
    assert machine(name).check_output("rpm -qa") == ""
    assert record(machine(name))["packages"] == []


@pytest.mark.parametrize(("name", "kernel"), [("kmod", "5.14.0-503.14.1.el9_5"), ("vault", "5.14.0-427.13.1.el9_4")])
def test_the_running_kernel_has_its_own_build_tree(machine: Machine, name: str, kernel: str) -> None:
    host = machine(name)
    running = host.check_output("cat /proc/sys/kernel/osrelease")
    assert running == f"{kernel}.x86_64"
    assert host.file(f"/lib/modules/{running}/build/Makefile").is_file
    installed = set(host.check_output("rpm -qa --queryformat '%{NAME}-%{VERSION}-%{RELEASE}\\n'").splitlines())
    assert f"kernel-devel-{kernel}" in installed
    assert {package.rsplit("-", 2)[0] for package in installed} == {
        "kernel-devel", "kernel-headers", "gcc", "make", "elfutils-libelf-devel", "dkms",
    }  # fmt: skip


def test_the_vault_is_only_asked_when_named(machine: Machine) -> None:
    assert "enabled = 0" in machine("vault").file("/etc/yum.repos.d/falconet-kernel.repo").content_string
    assert not machine("kmod").file("/etc/yum.repos.d/falconet-kernel.repo").exists


def test_ports_are_open_now_and_after_a_reload(machine: Machine) -> None:
    host = machine("firewall")
    for _ in range(2):
        assert host.check_output("firewall-cmd --list-ports").split() == ["30080/tcp", "30000-30010/udp"]
        assert "dport 30080" in host.check_output("nft list ruleset")
        host.run_expect([0], "firewall-cmd --reload")
    assert host.run("nft list ruleset | grep 'dport 30081'").rc != 0


def test_check_mode_on_a_prepared_machine_changes_and_announces_nothing(prepare: Prepare) -> None:
    run = prepare("--limit", ",".join(PREPARED), "--check", "--diff")
    assert run.returncode == 0, run.stdout
    assert run.stdout.count("changed=0 ") == len(PREPARED)


def test_a_higher_limit_is_left_alone(machine: Machine) -> None:
    host = machine("generous")
    assert "max_user_watches" not in host.file("/etc/sysctl.d/90-falconet.conf").content_string
    assert host.check_output("cat /proc/sys/fs/inotify/max_user_watches") == "999999"


def test_settings_that_are_read_only_wait_for_the_next_boot(machine: Machine) -> None:
    host = machine("frozen")
    assert host.check_output("cat /proc/sys/fs/inotify/max_user_instances") == "128"
    assert "fs.inotify.max_user_instances=512" in host.file("/etc/sysctl.d/90-falconet.conf").content_string


def test_tracefs_is_mounted_now_and_at_boot(machine: Machine) -> None:
    host = machine("generous")
    assert host.file("/sys/kernel/tracing/events/syscalls").is_directory
    assert "/sys/kernel/tracing" in host.file("/etc/fstab").content_string
    assert machine("ebpf").run("grep tracing /etc/fstab").rc != 0


def test_uninstalling_restores_what_was_there(machine: Machine, prepare: Prepare) -> None:
    before = record(machine("vault"))
    assert before["sysctl"] == {
        "fs.inotify.max_user_instances": "128",
        "fs.inotify.max_user_watches": before["sysctl"]["fs.inotify.max_user_watches"],
    }
    machine("ebpf").run_expect([0], "echo data > /mnt/data/redis/appendonly.aof")
    run = prepare("--limit", ",".join(PREPARED), "-e", "node_prep_state=absent")
    assert run.returncode == 0, run.stdout
    for name in PREPARED:
        host = machine(name)
        assert host.check_output("rpm -qa") == ""
        assert host.check_output("cat /proc/sys/fs/inotify/max_user_instances") == "128"
        assert not host.file("/etc/sysctl.d/90-falconet.conf").exists
        assert not host.file("/etc/yum.repos.d/falconet-kernel.repo").exists
        assert not host.file("/var/lib/falconet_node_prep.json").exists
    assert machine("firewall").check_output("firewall-cmd --list-ports") == ""
    assert machine("ebpf").file("/mnt/data/redis/appendonly.aof").content_string == "data\n"

    again = prepare("--limit", "vault", "-e", "node_prep_state=absent")
    assert "changed=0 " in again.stdout, again.stdout


def test_data_are_removed_only_when_told_and_only_where_the_role_made_them(machine: Machine, prepare: Prepare) -> None:
    remove = ("-e", "node_prep_state=absent", "-e", "node_prep_remove_data=true")
    host = machine("ebpf")
    # The directory is there already, so it is not the role's to remove.
    assert prepare("--limit", "ebpf").returncode == 0
    assert prepare("--limit", "ebpf", *remove).returncode == 0
    assert host.file("/mnt/data/redis/appendonly.aof").exists
    host.run_expect([0], "rm -r /mnt/data")
    assert prepare("--limit", "ebpf").returncode == 0
    assert prepare("--limit", "ebpf", *remove).returncode == 0
    assert not host.file("/mnt/data/redis").exists
