"""Processes as /proc tells them, an API server that answers on a port, and what its containers have logged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.live_apiserver import logs, processes
from ansible_collections.falconet.k8s.plugins.module_utils.live_apiserver.processes import (
    Process,
    audits_as,
    unhealthy,
)

from .api_server import serving


def process(folder: Path, pid: int, argv: list[str], state: str = "S", name: str = "kube) (x") -> None:
    place = folder / str(pid)
    place.mkdir()
    (place / "cmdline").write_text("".join(f"{word}\0" for word in argv))
    (place / "stat").write_text(f"{pid} ({name}) {state} " + " ".join(["0"] * 18) + f" {pid * 10} 0\n")


def test_processes_of_a_program_are_found_by_the_first_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PROC", str(tmp_path))
    process(tmp_path, 7, ["/usr/local/bin/kube-apiserver", "--a=b"])
    process(tmp_path, 8, ["sh", "kube-apiserver"])
    process(tmp_path, 9, [])
    process(tmp_path, 10, ["kube-apiserver"], state="Z")
    (tmp_path / "11").mkdir()
    (tmp_path / "self").mkdir()
    assert processes.processes("kube-apiserver") == [Process(7, 70, ("/usr/local/bin/kube-apiserver", "--a=b"))]


def test_this_process_is_found_in_the_real_proc() -> None:
    own = Path("/proc/self/cmdline").read_bytes().decode().split("\0")[0]
    assert os.getpid() in [found.pid for found in processes.processes(Path(own).name)]


def test_audit_flags_are_compared_in_whatever_order() -> None:
    process = Process(1, 1, ("kube-apiserver", "--audit-log-path=/a", "--v=2", "--audit_policy_file", "/b"))
    assert audits_as(process, ["kube-apiserver", "--audit-policy-file=/b", "--audit-log-path=/a"])
    assert not audits_as(process, ["kube-apiserver", "--audit-policy-file=/b"])
    assert not audits_as(process, ["kube-apiserver", "--audit-policy-file=/b", "--audit-log-path=/c"])


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, "ok", ""),
        (401, "Unauthorized", ""),
        (403, "Forbidden", ""),
        (500, "[-]etcd failed", "/readyz answers 500: [-]etcd failed"),
    ],
)
def test_an_api_server_is_asked_on_its_own_port(tmp_path: Path, status: int, body: str, said: str) -> None:
    with serving(tmp_path, lambda request: (status, body)) as (port, seen):
        for host in ("0.0.0.0", "127.0.0.1", "api.example"):
            assert unhealthy(["kube-apiserver", f"--bind-address={host}", "--secure-port", str(port)]) == said
    assert [(one.method, one.path) for one in seen] == [("GET", "/readyz")] * 3


def test_one_that_does_not_answer_says_so(tmp_path: Path) -> None:
    with serving(tmp_path, lambda request: (200, "")) as (port, _):
        pass
    assert "it does not answer: " in unhealthy(["kube-apiserver", f"--secure-port={port}"])


def log(folder: Path, number: int, text: str, seconds: int) -> str:
    file = folder / "kube-system_kube-apiserver-n_1" / "kube-apiserver" / f"{number}.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    os.utime(file, (seconds, seconds))
    return str(file)


STAMP = "2026-11-28T01:02:03.4Z stderr F "


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('E1128 01:02:03.4       1 run.go:72] "command failed" err="no kind"', '"command failed" err="no kind"'),
        ("Error: unknown flag: --x", "Error: unknown flag: --x"),
        ("panic: runtime error", "panic: runtime error"),
        ("F1128 01:02:03.4       1 a.go:7] bind: address already in use", "bind: address already in use"),
    ],
)
def test_the_cause_is_taken_from_the_newest_log_that_has_one(tmp_path: Path, line: str, said: str) -> None:
    old = log(tmp_path, 0, f"{STAMP}E1128 01:02:03.4 1 a.go:1] old\n", 1)
    new = log(tmp_path, 1, f"{STAMP}I1128 started\n{STAMP}{line}\n{STAMP}I1128 more\n", 2)
    starting = log(tmp_path, 2, f"{STAMP}I1128 started\n", 3)
    assert logs.log_files(str(tmp_path)) == {old, new, starting}
    assert logs.reason({old, new, starting}) == said


def test_without_a_cause_the_last_line_is_told(tmp_path: Path) -> None:
    assert logs.reason({log(tmp_path, 0, f"{STAMP}I1 a\n{STAMP}I1 b\n", 1)}) == "I1 b"
    assert logs.reason({log(tmp_path, 0, "", 1), str(tmp_path / "gone")}) == ""


def test_of_a_long_log_the_end_is_read(tmp_path: Path) -> None:
    file = log(tmp_path, 0, f"{STAMP}E1128 1 1 a.go:1] first\n" + f"{STAMP}I1128 {'x' * 100}\n" * 2000, 1)
    assert "first" not in logs.reason({file})
