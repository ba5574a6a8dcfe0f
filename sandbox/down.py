"""``down``: every process, mount, interface and control group of a sandbox goes, also after a crash.

What is to go is found by name in the kernel's own tables; state files only say which network was chosen.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from sandbox import cgroups, instance, machines, network
from sandbox.errors import SandboxError
from sandbox.instance import Instance
from sandbox.process import run, say


def mounts_below(folder: Path, table: str) -> list[str]:
    """Mount points at or below a folder, innermost first.

    Args:
        folder: where to look.
        table: text of /proc/self/mountinfo.
    """
    points = [line.split()[4].encode().decode("unicode_escape") for line in table.splitlines() if len(line.split()) > 4]
    inside = [point for point in points if point == str(folder) or point.startswith(f"{folder}/")]
    return sorted(inside, key=len, reverse=True)


def stop_everything(sandbox: Instance) -> list[str]:
    """Kill, unmount and remove all that the kernel holds of the sandbox; returns what could not be removed."""
    for name in sandbox.machines:
        machines.stop(sandbox, name)
    left = [f"process {pid}" for pid in sorted(cgroups.kill_all(sandbox.cgroup))]
    for point in mounts_below(sandbox.folder, Path("/proc/self/mountinfo").read_text()):
        run(["umount", "--lazy", point], timeout_seconds=20, check=False)
    network.remove_links(sandbox)
    left += [f"control group {group}" for group in cgroups.remove(sandbox.cgroup)]
    left += [f"mount {point}" for point in mounts_below(sandbox.folder, Path("/proc/self/mountinfo").read_text())]
    left += [f"interface {name}" for name in network.links_of(sandbox)]
    return left


def down(name: str, *, purge: bool = False) -> None:
    """Take the sandbox down; with ``purge`` forget its state too (etcd, nodes' disks, keys, logs).

    Raises:
        SandboxError: something is still there; names it.
    """
    with instance.exclusive(name, wait=False):
        sandbox = instance.load_damaged(name)
        left = stop_everything(sandbox)
        if left:
            raise SandboxError(f"sandbox {name!r}: could not remove {', '.join(left)}")
        if purge and sandbox.folder.exists():
            shutil.rmtree(sandbox.folder)
    say(f"sandbox {name!r} is down" + (", its state removed" if purge else ""))
