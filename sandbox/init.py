"""A node's first process, before it becomes the supervisor: mounts, then the change of root.

Runs with the machine's Python, as PID 1 of new mount, network, PID, UTS, IPC and cgroup namespaces
(``unshare`` made them). Imports the standard library only. Its argument is the node's specification
(see ``node.py``).
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import socket
import stat
import sys
from pathlib import Path
from typing import Any

_LIBC = ctypes.CDLL(None, use_errno=True)

# Flags of mount(2) and umount2(2); the values are those of the kernel header linux/mount.h.
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE, MS_SHARED = 4096, 16384, 1 << 18, 1 << 20
MNT_DETACH = 2

_QUIET = MS_NOSUID | MS_NODEV | MS_NOEXEC

#: Devices that programs expect: name to type, major, minor. Source: Linux Documentation/admin-guide/devices.txt
DEVICES = {
    "null": (1, 3),
    "zero": (1, 5),
    "full": (1, 7),
    "random": (1, 8),
    "urandom": (1, 9),
    "kmsg": (1, 11),
    "tty": (5, 0),
    "fuse": (10, 229),
    "net/tun": (10, 200),
}


def mount(source: str, target: Path, kind: str, flags: int = 0, data: str = "") -> None:
    """mount(2); makes the target folder if it is missing.

    Raises:
        OSError: with the target's name.
    """
    if not flags & MS_BIND:
        target.mkdir(parents=True, exist_ok=True)
    if _LIBC.mount(source.encode(), str(target).encode(), kind.encode(), ctypes.c_ulong(flags), data.encode()) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"mount {source} ({kind or 'bind'} {data}): {os.strerror(number)}", str(target))


def bind(source: Path, target: Path, *, read_only: bool = False) -> None:
    """Show a file or folder at a second place."""
    mount(str(source), target, "", MS_BIND | MS_REC)
    if read_only:
        mount("none", target, "", MS_BIND | MS_REMOUNT | MS_RDONLY)


def mount_control_groups(target: Path, root: Path) -> None:
    """The hierarchies as this control group namespace sees them, below ``target``; ``root`` shows which there are."""
    if (root / "cgroup.controllers").exists():
        mount("cgroup2", target, "cgroup2", _QUIET)
        return
    names = sorted(path.name for path in root.iterdir())
    mount("tmpfs", target, "tmpfs", _QUIET, "mode=755")
    for name in names:
        if (root / name).is_symlink():
            (target / name).symlink_to((root / name).readlink())
        elif name == "unified":
            mount("cgroup2", target / name, "cgroup2", _QUIET)
        else:
            data = "none,name=systemd" if name == "systemd" else name
            mount("cgroup", target / name, "cgroup", _QUIET, data)


def mount_devices(dev: Path) -> None:
    """A /dev of our own: the machine's disks are not in it."""
    mount("tmpfs", dev, "tmpfs", MS_NOSUID, "mode=755")
    for name, (major, minor) in DEVICES.items():
        node = dev / name
        node.parent.mkdir(exist_ok=True)
        os.mknod(node, stat.S_IFCHR | 0o666, os.makedev(major, minor))
        node.chmod(0o666)
    mount("devpts", dev / "pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620,gid=5")
    (dev / "ptmx").symlink_to("pts/ptmx")
    mount("shm", dev / "shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
    mount("mqueue", dev / "mqueue", "mqueue", _QUIET)
    for name, target in {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}.items():
        (dev / name).symlink_to(target)


def shield_sysctls(proc: Path, shield: Path, values: dict[str, str]) -> None:
    """Let the node read and write sysctls that the whole machine shares without touching the machine's.

    Args:
        proc: the node's /proc.
        shield: folder for the files that stand in for the entries.
        values: sysctl name to the value it shows at first; an empty text stands for the machine's value.
    """
    shield.mkdir(parents=True, exist_ok=True)
    for name, value in values.items():
        entry = proc / "sys" / name.replace(".", "/")
        if not entry.exists():
            continue
        file = shield / name
        if not file.exists():
            file.write_text(f"{value}\n" if value else entry.read_text())
        bind(file, entry)


def load_sysctls(folder: Path, proc: Path, shielded: dict[str, str]) -> None:
    """Set at boot what /etc/sysctl.d asks for, as systemd-sysctl would; only where the node has a value of its own.

    Args:
        folder: holds files of ``name = value`` lines, see sysctl.d(5); later files win.
        proc: where the node's /proc is.
        shielded: the sysctls that are the node's own.
    """
    for file in sorted(folder.glob("*.conf")):
        for line in file.read_text().splitlines():
            name, found, value = (part.strip() for part in line.partition("="))
            if found and name.lstrip("-") in shielded:
                (proc / "sys" / name.lstrip("-").replace(".", "/")).write_text(value + "\n")


def write_files(root: Path, files: list[dict[str, Any]]) -> None:
    """Write the specification's files; one that the node changed since we wrote it stays if it says ``keep``."""
    record = root / "var/lib/sandbox/written.json"
    written = json.loads(record.read_text()) if record.exists() else {}
    for file in files:
        path = root / file["path"].lstrip("/")
        current = path.read_text() if path.is_file() else None
        ours = current is None or current == written.get(file["path"])
        if not ours and file.get("keep"):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file["text"])
        path.chmod(file.get("mode", 0o644))
        if file.get("keep"):
            written[file["path"]] = file["text"]
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(written))


def change_root(root: Path) -> None:
    """Make ``root`` the root and let go of the old one with all that was mounted in it."""
    os.chdir(root)
    # The old root lands on top of the new one and is taken off again: no folder for it is needed. See pivot_root(2).
    if _LIBC.pivot_root(b".", b".") != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"pivot_root: {os.strerror(number)}", str(root))
    if _LIBC.umount2(b".", MNT_DETACH) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"umount of the old root: {os.strerror(number)}", "/")
    os.chdir("/")


def build_root(spec: dict[str, Any]) -> Path:
    """Mount everything that the node sees; returns the new root."""
    root, disk = Path(spec["root"]), Path(spec["disk"])
    mount("none", Path("/"), "", MS_REC | MS_PRIVATE)
    for name in ("upper", "work"):
        (disk / name).mkdir(parents=True, exist_ok=True)
    lower = ":".join(spec["lower"])
    mount("overlay", root, "overlay", 0, f"lowerdir={lower},upperdir={disk}/upper,workdir={disk}/work")
    mount("proc", root / "proc", "proc", _QUIET)
    mount("sysfs", root / "sys", "sysfs", _QUIET)
    mount_control_groups(root / "sys/fs/cgroup", Path("/sys/fs/cgroup"))
    for kind, place in (("bpf", "sys/fs/bpf"), ("debugfs", "sys/kernel/debug"), ("tracefs", "sys/kernel/tracing")):
        if (root / place).is_dir():
            try:
                mount(kind, root / place, kind, _QUIET)
            except OSError as error:
                # Only what-if observers such as a real Falco need these.
                print(f"without {kind}: {error}", file=sys.stderr)
    mount_devices(root / "dev")
    # Unless told otherwise each may take half of the machine's memory, and four machines have two of them.
    mount("tmpfs", root / "run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=256m")
    mount("tmpfs", root / "tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=1g")
    for place, source in spec["binds"].items():
        Path(source).mkdir(parents=True, exist_ok=True)
        target = root / place.lstrip("/")
        target.mkdir(parents=True, exist_ok=True)
        bind(Path(source), target)
    shield_sysctls(root / "proc", root / "run/sandbox/sysctl", spec["sysctls"])
    return root


def main(arguments: list[str]) -> None:
    """Become the node: ``init.py SPECIFICATION MARKER...``."""
    spec = json.loads(Path(arguments[0]).read_text())
    socket.sethostname(spec["name"])
    root = build_root(spec)
    write_files(root, spec["files"])
    (root / "run/sandbox").mkdir(parents=True, exist_ok=True)
    shutil.copy(arguments[0], root / "run/sandbox/spec.json")
    for folder in ("run/sshd", "run/netns", "run/lock"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    change_root(root)
    load_sysctls(Path("/etc/sysctl.d"), Path("/proc"), spec["sysctls"])
    # Pods may ask to see later mounts of the node (mountPropagation), so the node shares them.
    mount("none", Path("/"), "", MS_REC | MS_SHARED)
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/root",
    }
    program = ["/usr/bin/python3", "/usr/local/lib/sandbox/supervisor.py", *arguments[1:]]
    os.execve(program[0], program, environment)  # noqa: S606 - becoming the supervisor is the point


if __name__ == "__main__":
    main(sys.argv[1:])
