"""node_state_info on this machine's files and on programs that stand in for a node's."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.node import state
from ansible_collections.falconet.k8s.plugins.module_utils.node_plan import EMPTY_RECORD

from ..module_runner import run_module

MODULE = "node_state_info"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that come before the machine's own, and where nothing else is found."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(state, "_PLACES", ())
    return folder


def program(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def ran(**options: Any) -> dict[str, Any]:
    result = run_module(MODULE, options, check_mode=True)
    assert result.get("failed") is None, result
    assert result["changed"] is False
    return result


def test_nothing_is_asked_without_options(programs: Path) -> None:
    result = ran()
    assert (result["record"], result["answers"], result["paths"], result["writable"]) == ({}, {}, {}, [])
    assert "epoch_seconds" not in result


def test_a_record_is_read_and_what_it_says_nothing_of_is_empty(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    assert ran(record=str(file))["record"] == dict(EMPTY_RECORD)
    file.write_text(json.dumps({"packages": ["dkms"]}))
    assert ran(record=str(file))["record"] == {**EMPTY_RECORD, "packages": ["dkms"]}


@pytest.mark.parametrize(("text", "words"), [("{", "cannot be read"), ("[]", "must be a JSON object, not list")])
def test_a_record_that_is_none_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "record.json"
    file.write_text(text)
    result = run_module(MODULE, {"record": str(file)})
    assert result["failed"] is True
    assert str(file) in result["msg"]
    assert words in result["msg"]


def test_paths_are_looked_at_and_links_are_not_followed(tmp_path: Path) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir()
    folder.chmod(0o750)
    link.symlink_to(folder)
    missing, below = tmp_path / "missing", tmp_path / "file" / "below"
    (tmp_path / "file").write_text("")
    paths = ran(paths=[str(path) for path in (folder, link, missing, below)])["paths"]
    owner = {"uid": os.getuid(), "gid": os.getgid()}
    assert paths[str(folder)] == {"exists": True, "isdir": True, "mode": "0750", **owner}
    assert paths[str(link)]["isdir"] is False
    assert paths[str(missing)] == paths[str(below)] == {"exists": False}


def test_programs_are_asked_in_the_locale_c_with_their_arguments(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    for name in ("rpm", "sysctl", "getsebool"):
        program(programs, name, 'echo "$LC_ALL $*"')
    answers = ran(packages=["gcc", "dkms"], sysctl=["fs.a"], selinux_booleans=["virt_use_nfs"])["answers"]
    assert {name: answer["stdout"] for name, answer in answers.items()} == {
        "rpm": "C --query gcc dkms",
        "sysctl": "C --ignore fs.a",
        "getsebool": "C virt_use_nfs",
    }


def test_exit_code_and_words_of_a_program_are_kept(programs: Path) -> None:
    program(programs, "getsebool", "echo no such boolean >&2; exit 1")
    assert ran(selinux_booleans=["x"])["answers"]["getsebool"] == {"rc": 1, "stdout": "", "stderr": "no such boolean"}


def test_a_program_that_is_not_there_answers_with_its_errno(programs: Path) -> None:
    answer = ran(selinux_booleans=["x"])["answers"]["getsebool"]
    assert answer == {"rc": 2, "stdout": "", "stderr": "", "msg": "getsebool: No such file or directory"}


def test_a_program_that_hangs_is_ended(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "_LIMIT_SECONDS", 0.2)
    program(programs, "getsebool", "exec /bin/sleep 30")
    start = time.monotonic()
    assert "did not answer within 0.2 s" in ran(selinux_booleans=["x"])["answers"]["getsebool"]["msg"]
    assert time.monotonic() - start < 20


def test_programs_of_administrators_are_found(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(programs, "getsebool", "echo found")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(state, "_PLACES", (str(programs),))
    assert ran(selinux_booleans=["x"])["answers"]["getsebool"]["stdout"] == "found"


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        (
            {"firewalld": "kept"},
            {
                "firewalld": "--state",
                "firewalld_zone": "--get-default-zone",
                "firewalld_ports": "--permanent --zone=--get-default-zone --list-ports",
            },
        ),
        (
            {"firewalld": "kept", "firewalld_zone": "dmz"},
            {"firewalld": "--state", "firewalld_ports": "--permanent --zone=dmz --list-ports"},
        ),
        ({"firewalld": "open"}, {"firewalld_ports": "--list-ports"}),
        ({"firewalld": "open", "firewalld_zone": "dmz"}, {"firewalld_ports": "--list-ports --zone=dmz"}),
    ],
)
def test_firewalld_is_asked(programs: Path, options: dict[str, str], asked: dict[str, str]) -> None:
    program(programs, "firewall-cmd", 'echo "$*"')
    assert {name: answer["stdout"] for name, answer in ran(**options)["answers"].items()} == asked


def test_a_firewalld_that_does_not_run_is_not_asked_further(programs: Path) -> None:
    program(programs, "firewall-cmd", "echo not running; exit 252")
    assert ran(firewalld="kept")["answers"] == {"firewalld": {"rc": 252, "stdout": "not running", "stderr": ""}}


def test_the_clock_is_read_and_chrony_asked_where_systemd_does_not_answer(programs: Path) -> None:
    program(programs, "timedatectl", "echo yes")
    before = time.time()
    result = ran(clock=True)
    assert before <= result["epoch_seconds"] <= time.time()
    assert {name: answer["stdout"] for name, answer in result["answers"].items()} == {"timedatectl": "yes"}
    program(programs, "timedatectl", "exit 1")
    program(programs, "chronyc", 'echo "$*"')
    assert ran(clock=True)["answers"]["chronyc"]["stdout"] == "-c tracking"


def test_settings_that_can_be_written_are_told(tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(programs, "sysctl", "true")
    (tmp_path / "fs").mkdir()
    (tmp_path / "fs/free").write_text("1")
    (tmp_path / "fs/held").write_text("1")
    real = os.access
    # A test that runs as root may write any file that is on no read-only file system.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "held" and real(path, mode))
    monkeypatch.setattr(state.writable_of, "__defaults__", (str(tmp_path),))
    assert ran(sysctl=["fs.free", "fs.held", "fs.none"])["writable"] == ["fs.free"]
