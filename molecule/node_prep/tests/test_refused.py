"""What a node cannot give is refused: named, with what would help, and with an exit code that is not zero."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable

import pytest
from testinfra.host import Host

Machine = Callable[[str], Host]
Prepare = Callable[..., "subprocess.CompletedProcess[str]"]

REFUSED = ("debian", "nossh", "full", "readonly", "headerless", "nodriver", "cramped")


def said(run: subprocess.CompletedProcess[str]) -> str:
    """Everything that was printed, line breaks within messages undone."""
    return re.sub(r"\s+", " ", run.stdout + run.stderr).replace("''", "'")


@pytest.fixture(scope="module")
def refusal(prepare: Prepare) -> subprocess.CompletedProcess[str]:
    return prepare("--limit", ",".join(REFUSED))


@pytest.mark.parametrize(
    "words",
    [
        "debian runs Debian 12.15; node_prep supports Rocky Linux, AlmaLinux and RHEL 8, 9, 10. Take the node out of",
        "full: /mnt/data/redis cannot be used by Redis: /mnt is 0 MiB free, less than node_prep_redis_min_free",
        "readonly: /mnt/data/redis cannot be used by Redis: /mnt is mounted read-only",
        "headerless: dnf says: No package kernel-devel-5.14.0-427.13.1.el9_4 available. Falco's kernel module needs",
        "Reboot into 5.14.0-570.17.1.el9_6.x86_64, which is installed and has headers there (node_prep_reboot:",
        "nodriver: no driver of Falco can run. the site avoids it on kernels like *: drops events here.",
        "cramped: no room for kernel-devel-5.14.0-503.14.1.el9_5, kernel-headers, gcc, make",
    ],
)
def test_the_message_names_the_node_and_what_would_help(refusal: subprocess.CompletedProcess[str], words: str) -> None:
    told = said(refusal)
    assert words in told, told


def test_a_node_that_is_not_reached_is_named(refusal: subprocess.CompletedProcess[str]) -> None:
    # Ansible tells what ssh said, or that ssh was gone before it took anything, whichever it saw first.
    gone = "Data could not be sent to remote host '127.0.0.1'. Make sure this host can be reached over SSH"
    told = said(refusal)
    assert "nossh]: UNREACHABLE!" in told, told
    assert "127.0.0.1 port 1: Connection refused" in told or gone in told, told


def test_every_one_is_counted_as_failed(refusal: subprocess.CompletedProcess[str]) -> None:
    assert refusal.returncode != 0
    assert said(refusal).count("failed=1 ") == len(REFUSED) - 1
    assert said(refusal).count("unreachable=1 ") == 1


@pytest.mark.parametrize("name", ["debian", "full", "readonly", "nodriver"])
def test_what_preflight_refuses_is_left_untouched(
    machine: Machine, refusal: subprocess.CompletedProcess[str], name: str
) -> None:
    host = machine(name)
    assert not host.file("/var/lib/falconet_node_prep.json").exists
    assert not host.file("/etc/sysctl.d/90-falconet.conf").exists
    assert host.check_output("rpm -qa") == ""


#: Wrong variables, each given to a host of its own (all of them are the machine `ebpf`), and what is said.
WRONG: dict[str, tuple[dict[str, object], str]] = {
    "driver": ({"node_prep_driver": "ebpf"}, "value of node_prep_driver must be one of: auto, modern_ebpf, kmod, none"),
    "unusable": ({"node_prep_driver": "kmod"}, "kmod was asked for, but cannot run. this kernel loads no modules"),
    "user": ({"node_prep_redis_uid": "redis"}, "argument 'node_prep_redis_uid' is of type"),
    "mode": (
        {"node_prep_redis_mode": 0o750},
        "node_prep_redis_mode is 488; write the mode as a quoted octal number with its leading zero",
    ),
    "port": ({"node_prep_firewalld_ports": [30080]}, "has '30080'; write a port as number/protocol, such as 30080/tcp"),
    "limit": ({"node_prep_sysctl_minimums": {"vm.x": "many"}}, 'vm.x: "many"; the value must be a whole number'),
    "shallow": ({"node_prep_redis_directory": "/mnt"}, "absolute path of at least two parts"),
    "system": ({"node_prep_redis_directory": "/etc/redis"}, "outside of the system's own directories"),
}


@pytest.fixture(scope="module")
def wrong(prepare: Prepare, tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    hosts = {name: {"ansible_host": "ebpf", **variables} for name, (variables, _) in WRONG.items()}
    file = tmp_path_factory.mktemp("inventory") / "wrong.json"
    file.write_text(json.dumps({"kube_nodes": {"hosts": hosts}}))
    return prepare("--inventory", str(file), "--limit", ",".join(hosts))


@pytest.mark.parametrize("name", WRONG)
def test_wrong_variables_are_refused(wrong: subprocess.CompletedProcess[str], name: str) -> None:
    assert wrong.returncode != 0
    assert WRONG[name][1] in said(wrong)
    assert re.search(rf"{name} +: ok=\d+ +changed=0 .*failed=1 ", wrong.stdout)


def test_an_unknown_clock_is_refused_where_one_is_required(prepare: Prepare) -> None:
    run = prepare("--limit", "ebpf", "--extra-vars", "node_prep_time_sync=require")
    assert run.returncode != 0
    assert "ebpf: the clock agrees with the controller's, but neither systemd nor chrony tells" in said(run)


def test_a_node_without_a_driver_may_be_accepted(prepare: Prepare) -> None:
    run = prepare("--limit", "nodriver", "--check", "-e", "node_prep_driver_required=false")
    assert run.returncode == 0, run.stdout
    assert "no driver can run" in said(run)
