"""Machines that need another kernel are rebooted only where that is allowed, one at a time, and take pods again."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from node_api import NodeApi, serve
from testinfra.host import Host

Machine = Callable[[str], Host]
Prepare = Callable[..., "subprocess.CompletedProcess[str]"]
MACHINES = ("older1", "older2")
NEWER = "5.14.0-570.17.1.el9_6"
ALLOWED = ("-e", "node_prep_reboot=if_needed")


def said(run: subprocess.CompletedProcess[str]) -> str:
    return re.sub(r"\s+", " ", run.stdout + run.stderr).replace("''", "'")


def shutdowns(host: Host) -> list[str]:
    found: list[str] = host.run("cat /run/shutdowns").stdout.splitlines()
    return found


@pytest.fixture
def api() -> Iterator[NodeApi]:
    served = NodeApi(*MACHINES)
    with serve(served):
        yield served


def test_without_leave_the_message_says_what_would_help(machine: Machine, prepare: Prepare, api: NodeApi) -> None:
    run = prepare("--limit", "older1", environment=api.environment)
    assert run.returncode != 0
    assert "which is installed and has headers there (node_prep_reboot: if_needed does it)" in said(run)
    assert api.history == []
    assert shutdowns(machine("older1")) == []


def test_check_mode_announces_the_reboot(machine: Machine, prepare: Prepare, api: NodeApi) -> None:
    run = prepare("--limit", "older1", "--check", *ALLOWED, environment=api.environment)
    assert f"older1 is drained and rebooted into {NEWER}.x86_64" in said(run)
    assert api.history == []
    assert shutdowns(machine("older1")) == []


def test_a_node_that_cannot_be_drained_takes_pods_again(machine: Machine, prepare: Prepare, api: NodeApi) -> None:
    api.pod("nobodys", "older1")
    run = prepare("--limit", "older1", *ALLOWED, environment=api.environment)
    assert run.returncode != 0
    assert "nobodys" in said(run)
    assert api.history == [("older1", True), ("older1", False)]
    assert shutdowns(machine("older1")) == []


def test_a_node_that_kubernetes_does_not_know_is_left_alone(machine: Machine, prepare: Prepare, api: NodeApi) -> None:
    run = prepare("--limit", "older1", *ALLOWED, "-e", "node_prep_node_name=nobody", environment=api.environment)
    assert run.returncode != 0
    assert "older1 was not rebooted: Kubernetes has no node nobody; name this one in node_prep_node_name" in said(run)
    assert shutdowns(machine("older1")) == []


def test_another_default_kernel_is_left_alone(machine: Machine, prepare: Prepare, api: NodeApi) -> None:
    host = machine("older1")
    grubby = host.file("/usr/sbin/grubby").content_string
    host.run_expect([0], "sed -i s/570.17.1/427.13.1/ /usr/sbin/grubby")
    try:
        run = prepare("--limit", "older1", *ALLOWED, environment=api.environment)
    finally:
        host.run_expect([0], f"printf %s '{grubby}' > /usr/sbin/grubby")
    assert run.returncode != 0
    assert f"run grubby --set-default=/boot/vmlinuz-{NEWER}.x86_64." in said(run)
    assert api.history == []


def test_one_after_the_other_is_rebooted_and_prepared(machine: Machine, prepare: Prepare, api: NodeApi) -> None:
    run = prepare("--limit", ",".join(MACHINES), *ALLOWED, environment=api.environment)
    assert run.returncode == 0, run.stdout
    assert api.most_cordoned == 1
    assert [cordon for _name, cordon in api.history] == [True, False, True, False]
    for name in MACHINES:
        host = machine(name)
        assert len(shutdowns(host)) == 1
        assert f"kernel-devel-{NEWER}" in host.check_output("rpm -q kernel-devel")
        assert host.file(f"/lib/modules/{NEWER}.x86_64/build/Makefile").is_file
        assert json.loads(host.file("/var/lib/falconet_node_prep.json").content_string)["cordoned"] == ""
    again = prepare("--limit", ",".join(MACHINES), *ALLOWED, environment=api.environment)
    assert again.stdout.count("changed=0 ") == len(MACHINES), again.stdout
    assert len(api.history) == 4


def test_what_a_killed_run_cordoned_takes_pods_again(machine: Machine, prepare: Prepare, api: NodeApi) -> None:
    host = machine("older1")
    file = "/var/lib/falconet_node_prep.json"
    host.run_expect([0], f'sed -i \'s/"cordoned": ""/"cordoned": "older1"/\' {file}')
    api.nodes["older1"]["spec"]["unschedulable"] = True
    api.refuse_uncordon = True
    run = prepare("--limit", "older1", "-e", "__node_prep_uncordon_tries=1", environment=api.environment)
    assert run.returncode != 0
    assert "node older1 may still be out of service" in said(run)
    assert "kubectl uncordon older1" in said(run)
    api.refuse_uncordon = False
    assert prepare("--limit", "older1", environment=api.environment).returncode == 0
    assert api.history == [("older1", False)]
    assert json.loads(host.file(file).content_string)["cordoned"] == ""


def test_the_default_is_not_to_reboot() -> None:
    import yaml

    defaults = Path(__file__).resolve().parents[3] / "roles" / "node_prep" / "defaults" / "main.yml"
    assert yaml.safe_load(defaults.read_text())["node_prep_reboot"] == "never"
