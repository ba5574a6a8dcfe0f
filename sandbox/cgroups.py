"""Control groups of a sandbox's nodes, in version 1 (a hierarchy per controller) and version 2 (one for all).

Sources: Linux Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
#: A group has the weight of one process beside it: with all that runs in a sandbox, it would starve beside a few tests.
#: Times that weight; the files are of version 1 and of version 2, each with what it is for one.
WEIGHT = 8
_WEIGHT_FILES = {"cpu.shares": 1024, "cpu.weight": 100}


def is_version_2(root: Path = ROOT) -> bool:
    """Whether the machine has the unified hierarchy only."""
    return (root / "cgroup.controllers").exists()


def hierarchies(root: Path = ROOT) -> list[Path]:
    """Mount points of the hierarchies: one in version 2, one per controller in version 1."""
    if is_version_2(root):
        return [root]
    # Names such as cpu -> cpu,cpuacct are links to the same hierarchy.
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink())


def _prepare_cpuset(group: Path) -> None:
    """A version 1 cpuset accepts no process until it has processors and memory nodes."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        file = group / name
        if file.exists() and not file.read_text().strip():
            file.write_text((group.parent / name).read_text())
    clone = group / "cgroup.clone_children"
    if (group / "cpuset.cpus").exists() and clone.exists():
        clone.write_text("1")


def _delegate(group: Path) -> None:
    """In version 2: give a group's children all the controllers that the group has."""
    available = (group / "cgroup.controllers").read_text().split()
    for controller in available:
        try:
            (group / "cgroup.subtree_control").write_text(f"+{controller}")
        except OSError:
            # A controller that the machine's own set-up keeps for itself; the kubelet says if it needs it.
            continue


def _give_weight(group: Path) -> None:
    for name, one in _WEIGHT_FILES.items():
        if (group / name).exists():
            (group / name).write_text(str(WEIGHT * one))


def ensure_groups(parent: str, child: str, root: Path = ROOT) -> list[Path]:
    """Make ``parent/child`` in every hierarchy, ready to take processes; the parent has a weight of its own.

    Returns:
        The groups.
    """
    groups = []
    for hierarchy in hierarchies(root):
        group = hierarchy
        for name in (parent, child):
            if is_version_2(root):
                _delegate(group)
            group = group / name
            group.mkdir(exist_ok=True)
            _prepare_cpuset(group)
        _give_weight(hierarchy / parent)
        groups.append(group)
    return groups


def move_launcher(parent: str, pid: int, root: Path = ROOT) -> None:
    """In version 2: move the process that started a node out of the node's group, which must be empty itself."""
    if is_version_2(root):
        group = root / parent / "launchers"
        group.mkdir(exist_ok=True)
        (group / "cgroup.procs").write_text(str(pid))


def _groups_of(parent: str, root: Path) -> Iterator[Path]:
    for hierarchy in hierarchies(root):
        top = hierarchy / parent
        if top.is_dir():
            for folder, _, _ in os.walk(top, topdown=False):
                yield Path(folder)


def processes(parent: str, root: Path = ROOT) -> set[int]:
    """Processes in the group ``parent`` or below it."""
    found: set[int] = set()
    for group in _groups_of(parent, root):
        try:
            found.update(int(line) for line in (group / "cgroup.procs").read_text().split())
        except OSError:
            # The group went while we read.
            continue
    # Zero stands for a process that this PID namespace does not see.
    return found - {0}


def kill_all(parent: str, timeout_seconds: float = 20) -> set[int]:
    """Kill every process of the group and wait until they are gone; returns those that are not."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        left = processes(parent) - {os.getpid()}
        if not left or time.monotonic() > deadline:
            return left
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.05)


def remove(parent: str, timeout_seconds: float = 10, root: Path = ROOT) -> list[Path]:
    """Remove the group in every hierarchy; returns what is left of it.

    A group stays busy for a moment after its last process died, so this tries until the time is over.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        left = []
        for group in _groups_of(parent, root):
            try:
                group.rmdir()
            except OSError:
                left.append(group)
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


def memory_bytes(parent: str, root: Path = ROOT) -> int | None:
    """Memory that the group's processes hold without file caches, or None if the kernel does not say."""
    group = (root if is_version_2(root) else root / "memory") / parent
    try:
        pairs = (line.split() for line in (group / "memory.stat").read_text().splitlines())
        numbers = {name: int(value) for name, value in pairs}
    except (OSError, ValueError):
        return None
    if is_version_2(root):
        return numbers.get("anon", 0) + numbers.get("kernel", 0)
    return numbers.get("total_rss", 0)
