"""The look at a pod's processes, in a real shell, at a node's processes that are made here."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.incident.processes import END, MAX_FILES, SHELL

UID = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-2222-3333-4444-555555555555"


def process(proc: Path, pid: int, cgroup: str, files: int = 0) -> Path:
    """A process of which the kernel tells what the program reads."""
    place = proc / str(pid)
    (place / "fd").mkdir(parents=True)
    (place / "net").mkdir()
    (place / "cgroup").write_text(f"0::/kubepods/{cgroup}/container\n")
    (place / "status").write_text("Name:\tshell\nUid:\t0\t0\t0\t0\nVmRSS:\t1 kB\n")
    (place / "cmdline").write_bytes(b"sh\0-c\0first\nsecond\0")
    (proc / "program").write_bytes(b"program")
    (place / "exe").symlink_to(proc / "program")
    (place / "cwd").symlink_to("/work")
    (place / "net" / "tcp").write_text("a socket\n")
    for number in range(files):
        (place / "fd" / str(number)).symlink_to("/some/file -> 7 -> nothing" if number == 3 else f"pipe:[{number}]")
    return place


def look(proc: Path, shell: str, uid: str = UID) -> str:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(reason=f"this machine has no {shell}")
    command = [found, "sh"] if shell == "busybox" else [found]
    text = SHELL.replace("/proc", str(proc))
    done = subprocess.run([*command, "-c", text], input=f"{uid}\n", capture_output=True, text=True, check=True)
    assert done.stdout.endswith(f"{END}\n")
    return done.stdout


@pytest.mark.parametrize("shell", ["sh", "bash", "busybox"])
def test_processes_of_the_pod_alone_are_told_with_files_and_sockets(tmp_path: Path, shell: str) -> None:
    process(tmp_path, 7, f"pod{UID}", files=12)
    process(tmp_path, 8, f"kubepods-pod{UID.replace('-', '_')}.slice")
    process(tmp_path, 9, f"pod{OTHER}")
    lines = look(tmp_path, shell).splitlines()
    assert [one for one in lines if one.startswith("== process")] == ["== process 7", "== process 8"]
    assert "Command: sh -c first second " in lines
    assert f"Program's digest: {hashlib.sha256(b'program').hexdigest()}" in lines
    assert "Directory: /work" in lines
    files = [one for one in lines if one.startswith("File")]
    assert len(files) == 12
    assert {"File 11: pipe:[11]", "File 3: /some/file -> 7 -> nothing"} <= set(files)
    assert "a socket" in lines
    assert not any("VmRSS" in one for one in lines)


def test_a_process_with_very_many_files_is_cut(tmp_path: Path) -> None:
    process(tmp_path, 7, f"pod{UID}", files=MAX_FILES + 1)
    files = [one for one in look(tmp_path, "sh").splitlines() if one.startswith("File")]
    assert (len(files), files[-1]) == (MAX_FILES + 1, "File: and more")


def test_a_pod_without_a_process_is_told(tmp_path: Path) -> None:
    process(tmp_path, 9, f"pod{OTHER}")
    assert look(tmp_path, "sh") == f"== no process of this pod runs on this node\n{END}\n"
