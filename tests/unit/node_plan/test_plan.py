"""A node's plan: what is wanted and missing is changed, what is there is left alone, and the record can undo it all."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.filter.node_plan import FilterModule
from ansible_collections.falconet.k8s.plugins.module_utils.node_plan import EMPTY_RECORD

PORTS = ["30080/tcp", "30000-30010/udp"]
WANTED: dict[str, Any] = {
    "driver": "modern_ebpf",
    "features": {"tracefs_available": True, "tracefs_mount": "/sys/kernel/tracing", "bpffs_mount": "/sys/fs/bpf"},
    "sysctl": {},
    "ports": [],
    "zone": "",
    "directories": [],
    "repository": False,
}


def answer(stdout: str = "", rc: int = 0, **more: str) -> dict[str, Any]:
    return {"rc": rc, "stdout": stdout, "stderr": "", **more}


def planned(
    wanted: dict[str, Any] | None = None,
    answers: dict[str, Any] | None = None,
    record: dict[str, Any] | None = None,
    **state: Any,
) -> dict[str, Any]:
    found = {
        "answers": answers or {},
        "record": {**EMPTY_RECORD, **(record or {})},
        "paths": {},
        "writable": [],
        **state,
    }
    plan: dict[str, Any] = FilterModule().filters()["node_plan"](found, "n1", {**WANTED, **(wanted or {})})
    return plan


def test_where_all_is_there_nothing_changes_and_the_record_stays() -> None:
    plan = planned()
    assert plan["record"] == plan["before"] == dict(EMPTY_RECORD)
    changes = ("problems", "packages", "sysctl", "read_only", "ports", "mounts", "booleans", "directories")
    assert {name: plan[name] for name in changes if plan[name]} == {}


def test_of_a_node_that_was_never_changed_nothing_is_the_roles() -> None:
    assert not any(EMPTY_RECORD.values())


@pytest.mark.parametrize("name", ["getsebool", "sysctl", "firewalld_zone", "firewalld_ports"])
def test_a_program_that_answers_is_no_problem(name: str) -> None:
    assert planned(answers={name: answer("x")})["problems"] == []


def test_missing_packages_are_recorded_beside_those_of_earlier_runs() -> None:
    asked = answer("package kernel-devel-5.14 is not installed\ngcc-11.5.0\npackage dkms is not installed", rc=2)
    plan = planned({"repository": True}, {"rpm": asked}, {"packages": ["make"]})
    assert plan["packages"] == ["kernel-devel-5.14", "dkms"]
    assert plan["record"]["packages"] == ["dkms", "kernel-devel-5.14", "make"]
    assert plan["record"]["repository"] is True


@pytest.mark.parametrize(
    ("repository", "before", "rpm", "kept"),
    [
        (True, False, "gcc-11", False),
        (False, False, "package gcc is not installed", False),
        (False, True, "gcc-11", True),
    ],
)
def test_a_repository_is_the_roles_once_packages_came_from_it(
    repository: bool, before: bool, rpm: str, kept: bool
) -> None:
    plan = planned({"repository": repository}, {"rpm": answer(rpm)}, {"repository": before})
    assert plan["record"]["repository"] is kept


def test_a_limit_that_is_too_low_is_raised_and_its_value_kept() -> None:
    least = {"fs.a": "512", "fs.b": 100, "fs.unknown": 1}
    plan = planned({"sysctl": least}, {"sysctl": answer("fs.a = 128\nfs.b = 100")}, writable=["fs.a"])
    assert plan["sysctl"] == {"fs.a": 512}
    assert plan["read_only"] == []
    assert plan["record"]["sysctl"] == {"fs.a": "128"}


def test_a_limit_of_the_roles_own_stays_in_its_file_and_its_first_value_in_the_record() -> None:
    plan = planned({"sysctl": {"fs.a": 512}}, {"sysctl": answer("fs.a = 512")}, {"sysctl": {"fs.a": "128"}})
    assert plan["sysctl"] == {"fs.a": 512}
    assert plan["read_only"] == []
    assert plan["record"] == plan["before"]


def test_a_limit_that_cannot_be_set_here_waits_for_the_next_boot() -> None:
    plan = planned({"sysctl": {"fs.a": 512, "fs.b": 1}}, {"sysctl": answer("fs.a = 128\nfs.b = 2")})
    assert (plan["sysctl"], plan["read_only"]) == ({"fs.a": 512}, ["fs.a"])


@pytest.mark.parametrize("value", ["1\t2\t3", "word", "-1"])
def test_a_value_that_is_no_such_number_is_too_low(value: str) -> None:
    assert planned({"sysctl": {"fs.a": 1}}, {"sysctl": answer(f"fs.a = {value}")})["sysctl"] == {"fs.a": 1}


def test_ports_that_are_shut_are_recorded_with_their_zone() -> None:
    answers = {
        "firewalld": answer("running"),
        "firewalld_zone": answer("public"),
        "firewalld_ports": answer("30080/tcp 22/tcp"),
    }
    plan = planned({"ports": PORTS}, answers)
    assert (plan["ports"], plan["zone"]) == (PORTS, "public")
    assert plan["record"]["ports"] == [{"port": "30000-30010/udp", "zone": "public"}]
    again = planned({"ports": PORTS}, {**answers, "firewalld_ports": answer("")}, {"ports": plan["record"]["ports"]})
    assert [row["port"] for row in again["record"]["ports"]] == ["30000-30010/udp", "30080/tcp"]


def test_a_zone_that_is_named_is_taken() -> None:
    plan = planned({"ports": PORTS, "zone": "dmz"}, {"firewalld": answer("running"), "firewalld_ports": answer()})
    assert plan["zone"] == "dmz"
    assert {row["zone"] for row in plan["record"]["ports"]} == {"dmz"}


@pytest.mark.parametrize("state", [answer("not running", rc=252), answer(rc=2, msg="firewall-cmd: No such file")])
def test_without_firewalld_no_port_is_opened(state: dict[str, Any]) -> None:
    plan = planned({"ports": PORTS}, {"firewalld": state})
    assert (plan["ports"], plan["record"]["ports"], plan["problems"]) == ([], [], [])


@pytest.mark.parametrize(
    ("driver", "features", "mounts"),
    [
        ("modern_ebpf", {"tracefs_available": True, "tracefs_mount": None, "bpffs_mount": None}, ["tracefs", "bpf"]),
        ("modern_ebpf", {"tracefs_available": False, "tracefs_mount": None, "bpffs_mount": "/x"}, []),
        ("kmod", {"tracefs_available": True, "tracefs_mount": None, "bpffs_mount": None}, []),
        ("none", {}, []),
    ],
)
def test_file_systems_are_mounted_for_modern_ebpf_alone(
    driver: str, features: dict[str, Any], mounts: list[str]
) -> None:
    plan = planned({"driver": driver, "features": features})
    assert plan["mounts"] == mounts
    assert plan["record"]["mounts"] == sorted(mounts)


def test_booleans_that_are_off_are_turned_on_and_stay_the_roles() -> None:
    asked = {"getsebool": answer("virt_use_nfs --> off\ncontainer_use_devices --> on")}
    plan = planned(answers=asked, record={"booleans": ["container_use_devices"]})
    assert plan["booleans"] == ["virt_use_nfs"]
    assert plan["record"]["booleans"] == ["container_use_devices", "virt_use_nfs"]


def test_only_directories_that_are_missing_are_the_roles() -> None:
    paths = {"/mnt/data/redis": {"exists": False}, "/mnt/data": {"exists": True}}
    plan = planned({"directories": list(paths)}, record={"directories": ["/old"]}, paths=paths)
    assert plan["directories"] == ["/mnt/data/redis"]
    assert plan["record"]["directories"] == ["/mnt/data/redis", "/old"]


def test_the_cordon_stays_in_the_record() -> None:
    assert planned(record={"cordoned": "worker01"})["record"]["cordoned"] == "worker01"


@pytest.mark.parametrize(
    ("name", "refused", "words"),
    [
        (
            "getsebool",
            answer(rc=1, stderr="getsebool:  SELinux boolean x does not exist\n"),
            "n1: getsebool:  SELinux boolean",
        ),
        ("getsebool", answer(rc=2, msg="getsebool: No such file or directory"), "No such file or directory (node_prep"),
        ("getsebool", answer(rc=1), "n1: no reason given (node_prep_selinux_booleans). getsebool -a lists"),
        ("sysctl", answer(rc=2, msg="sysctl: No such file"), "n1: settings of the kernel cannot be read: sysctl"),
        ("firewalld_zone", answer(rc=13, stderr="no"), "default zone: no; name one in node_prep_firewalld_zone"),
        ("firewalld_ports", answer(rc=112, stderr="INVALID_ZONE: x"), "INVALID_ZONE: x (node_prep_firewalld_zone)"),
    ],
)
def test_a_program_that_refuses_is_a_problem_with_its_variable(name: str, refused: dict[str, Any], words: str) -> None:
    (problem,) = planned({"ports": PORTS}, {"firewalld": answer("running"), name: refused})["problems"]
    assert words in problem
