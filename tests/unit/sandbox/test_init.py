"""What a node does at boot before it starts anything."""

from __future__ import annotations

from pathlib import Path

from sandbox.init import load_sysctls


def test_sysctls_of_the_node_are_set_and_those_of_the_machine_are_not(tmp_path: Path) -> None:
    folder, proc = tmp_path / "sysctl.d", tmp_path / "proc"
    folder.mkdir()
    for name in ("fs/inotify/max_user_instances", "kernel/panic"):
        (proc / "sys" / name).parent.mkdir(parents=True)
        (proc / "sys" / name).write_text("1\n")
    (folder / "10-first.conf").write_text("# comment\nfs.inotify.max_user_instances = 2\nkernel.panic = 2\n")
    (folder / "90-last.conf").write_text("-fs.inotify.max_user_instances=512\n")
    load_sysctls(folder, proc, {"fs.inotify.max_user_instances": ""})
    assert (proc / "sys/fs/inotify/max_user_instances").read_text() == "512\n"
    assert (proc / "sys/kernel/panic").read_text() == "1\n"
