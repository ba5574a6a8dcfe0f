"""What keeps a node from being prepared, each told with what would be right."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.filter.node_problems import node_problems

FACTS: dict[str, Any] = {
    "distribution": "Rocky",
    "distribution_version": "9.6",
    "distribution_major_version": "9",
    "python": {"version": {"major": 3, "minor": 9, "micro": 21}, "executable": "/usr/bin/python3"},
}
SETTINGS: dict[str, Any] = {
    "redis_directory": "/mnt/data/redis",
    "redis_mode": "0750",
    "firewalld_ports": ["30080/tcp", "1-5/udp"],
    "sysctl_minimums": {"fs.inotify.max_user_instances": 512},
}
BLOCKED = {
    "driver": "none",
    "reasons": [
        {"effect": "blocks", "message": "lockdown is on", "hint": "boot without it"},
        {"effect": "warns", "message": "not told", "hint": ""},
    ],
}
STORAGE = {"target": "/mnt", "options": ["rw"], "free_mb": 512}


def python(minor: int) -> dict[str, Any]:
    return {**FACTS, "python": {"version": {"major": 3, "minor": minor, "micro": 8}, "executable": "/usr/bin/python3"}}


REBOOT = {"known": "1", "kubernetes_name": "w1.example", "next": "5.14.1", "kernels": ["5.14.1", "5.14.2"]}


def test_a_node_that_can_be_rebooted() -> None:
    assert node_problems({"reboot": REBOOT}, "w1") == []


@pytest.mark.parametrize("known", ["0", 2])
def test_a_node_that_kubernetes_does_not_know_is_not_rebooted(known: object) -> None:
    assert node_problems({"reboot": {**REBOOT, "known": known, "next": "x"}}, "w1") == [
        "w1 was not rebooted: Kubernetes has no node w1.example; name this one in node_prep_node_name."
    ]


def test_a_node_whose_next_boot_would_not_help_is_not_rebooted() -> None:
    assert node_problems({"reboot": {**REBOOT, "next": "5.14.0"}}, "w1") == [
        "w1 was not rebooted: the next boot takes 5.14.0; run grubby --set-default=/boot/vmlinuz-5.14.1."
    ]


REPOSITORY = (
    "node_prep_kernel_repository to a repository that has them: the distribution's vault for an older kernel. "
    "The package dkms comes from EPEL."
)


@pytest.mark.parametrize(
    ("kernels", "rebooted", "way"),
    [
        ([], False, "Set "),
        (
            ["5"],
            False,
            "Reboot into 5, which is installed and has headers there (node_prep_reboot: if_needed does it), or set ",
        ),
        (["5", "6"], True, "Reboot into 5 or 6, which is installed and has headers there, or set "),
    ],
)
def test_what_helps_where_headers_are_missing(kernels: list[str], rebooted: bool, way: str) -> None:
    asked = {"said": "dnf says: no.", "kernels": kernels, "rebooted": rebooted}
    assert node_problems({"headers": asked}, "w1") == [f"w1: dnf says: no. {way}{REPOSITORY}"]


def test_a_node_as_it_should_be() -> None:
    asked = {
        "facts": FACTS,
        "settings": SETTINGS,
        "driver": "auto",
        "decision": {"driver": "kmod", "reasons": []},
        "storage": STORAGE,
        "directory": "/mnt/data/redis",
        "min_free_mb": "512",
    }
    assert node_problems(asked, "n1") == []
    assert node_problems({"decision": {}, "storage": {}}, "n1") == []


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        (
            {**FACTS, "distribution": "Debian", "distribution_version": "12"},
            "n1 runs Debian 12; node_prep supports Rocky",
        ),
        ({**FACTS, "distribution_major_version": "7"}, "or leave this stage out with --skip-tags node_prep."),
        (python(8), "n1 has Python 3.8.8 at /usr/bin/python3"),
        (python(6), "n1 has Python 3.6.8 at /usr/bin/python3; this collection needs 3.9 or newer on nodes."),
    ],
)
def test_a_system_that_is_not_supported(facts: dict[str, Any], told: str) -> None:
    (problem,) = node_problems({"facts": facts}, "n1")
    assert told in problem


@pytest.mark.parametrize("directory", ["/mnt/redis", "/srv/usr", "/srv/lib/redis"])
def test_a_directory_of_two_parts_is_deep_enough(directory: str) -> None:
    assert node_problems({"settings": {**SETTINGS, "redis_directory": directory}}, "n1") == []


def test_a_python_with_two_digits_is_newer() -> None:
    assert node_problems({"facts": python(10)}, "n1") == []


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"redis_directory": "mnt/data"}, "node_prep_redis_directory is 'mnt/data'; it must be an absolute path"),
        ({"redis_directory": "/mnt"}, "of at least two parts"),
        ({"redis_directory": "/mnt/../etc"}, "node_prep_redis_directory is '/mnt/../etc'"),
        ({"redis_directory": "/var/"}, "node_prep_redis_directory is '/var/'"),
        ({"redis_directory": "/usr/redis"}, "node_prep_redis_directory is '/usr/redis'"),
        ({"redis_directory": "/usr/lib/redis"}, "outside of the system's own directories, such as /mnt/data/redis"),
        (
            {"redis_mode": 511},
            "node_prep_redis_mode is 511; write the mode as a quoted octal number with its leading zero",
        ),
        ({"redis_mode": "750"}, 'node_prep_redis_mode is "750"; write'),
        ({"firewalld_ports": [30080]}, "node_prep_firewalld_ports has '30080'; write a port as number/protocol"),
        ({"firewalld_ports": ["30080/tpc"]}, "has '30080/tpc'"),
        ({"sysctl_minimums": {"vm.max": "many"}}, 'node_prep_sysctl_minimums has vm.max: "many"; the value must be'),
        ({"sysctl_minimums": {"vm.max": -1}}, "has vm.max: -1"),
        ({"sysctl_minimums": {"vm max": 1}}, "has vm max: 1"),
    ],
)
def test_a_setting_that_cannot_be_right(settings: dict[str, Any], told: str) -> None:
    (problem,) = node_problems({"settings": {**SETTINGS, **settings}}, "n1")
    assert told in problem


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("auto", "n1: no driver of Falco can run. lockdown is on: boot without it. To go on without events"),
        ("kmod", "n1: kmod was asked for, but cannot run. lockdown is on"),
    ],
)
def test_no_driver_can_run(wanted: str, told: str) -> None:
    (problem,) = node_problems({"driver": wanted, "decision": BLOCKED}, "n1")
    assert told in problem
    assert "not told" not in problem


@pytest.mark.parametrize(
    ("storage", "told"),
    [
        ({"options": ["ro", "relatime"]}, "n1: /mnt/data/redis cannot be used by Redis: /mnt is mounted read-only."),
        (
            {"free_mb": 511},
            "/mnt is 511 MiB free, less than node_prep_redis_min_free_mb (512). Mount a file system with",
        ),
    ],
)
def test_redis_has_no_place(storage: dict[str, Any], told: str) -> None:
    asked = {"storage": {**STORAGE, **storage}, "directory": "/mnt/data/redis", "min_free_mb": 512}
    (problem,) = node_problems(asked, "n1")
    assert told in problem


def test_all_problems_are_told_at_once() -> None:
    asked = {"facts": {**python(6), "distribution": "Debian"}, "settings": {**SETTINGS, "redis_mode": 511}}
    assert len(node_problems(asked, "n1")) == 3
