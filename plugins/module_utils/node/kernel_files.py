# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what a node's kernel tells about itself in /proc, /sys, /boot and /lib/modules."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

from ..falco_driver.features import Probe, RawNode
from .ring_buffer import probe_ring_buffer

_SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#: BTF of a distribution's kernel has 5 to 8 MB; a limit keeps a strange file from filling the memory.
_LIMIT_BYTES = 64 * 1024 * 1024
_PIECE_BYTES = 64 * 1024
#: Container engines and where their sockets are, the names being those of Falco's container plugin.
_SOCKETS = (
    ("containerd", "run/containerd/containerd.sock"),
    ("containerd", "run/k3s/containerd/containerd.sock"),
    ("cri-o", "run/crio/crio.sock"),
    ("docker", "run/docker.sock"),
    ("podman", "run/podman/podman.sock"),
)


class _Reader:
    """Reads files below a root directory and remembers those that exist but could not be read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.unreadable: dict[str, str] = {}

    def bytes(self, path: str) -> bytes | None:
        try:
            # Unbuffered and in pieces: one big read of a sysctl is refused by the kernel for want of memory.
            with (self.root / path).open("rb", buffering=0) as file:
                pieces = []
                size_bytes = 0
                while size_bytes < _LIMIT_BYTES:
                    piece = file.read(_PIECE_BYTES)
                    if not piece:
                        break
                    pieces.append(piece)
                    size_bytes += len(piece)
                return b"".join(pieces)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.unreadable["/" + path] = error.strerror or str(error)
            return None

    def text(self, path: str) -> str | None:
        data = self.bytes(path)
        return None if data is None else data.decode("utf-8", "replace")

    def config(self, release: str) -> tuple[str | None, str | None]:
        """Text of the kernel's configuration and the path where it was found."""
        for path in (f"boot/config-{release}", f"lib/modules/{release}/config"):
            text = self.text(path)
            if text is not None:
                return text, "/" + path
        packed = self.bytes("proc/config.gz")
        if packed is not None:
            try:
                return gzip.decompress(packed).decode("utf-8", "replace"), "/proc/config.gz"
            except (OSError, EOFError) as error:
                self.unreadable["/proc/config.gz"] = str(error)
        return None, None


def read_node(root: str = "/", probe: bool = True) -> RawNode:
    """Read the node whose file system is mounted at `root`.

    probe: also ask the running kernel for a ring buffer map. Only meaningful where `root` is the running system.
    Raises OSError only where `root` itself has no /proc/sys/kernel/osrelease.
    """
    base = Path(root)
    reader = _Reader(base)
    release = (base / "proc/sys/kernel/osrelease").read_text(encoding="ascii", errors="replace").strip()
    config, config_path = reader.config(release)
    modules = base / "lib/modules"
    try:
        installed = tuple(sorted(entry.name for entry in modules.iterdir() if entry.is_dir()))
    except OSError:
        installed = ()
    sockets: dict[str, str] = {}
    for engine, path in _SOCKETS:
        if engine not in sockets and (base / path).is_socket():
            sockets[engine] = "/" + path
    # `build` is a link to /usr/src/kernels/<release>, absolute: below another root it would lead out of it.
    tree = (modules / release / "build/Makefile", base / "usr/src/kernels" / release / "Makefile")
    return RawNode(
        release=release,
        machine=os.uname().machine,
        btf=reader.bytes("sys/kernel/btf/vmlinux"),
        config=config,
        config_path=config_path,
        lockdown=reader.text("sys/kernel/security/lockdown"),
        secure_boot=reader.bytes(_SECURE_BOOT),
        efi=(base / "sys/firmware/efi").is_dir(),
        paranoid=reader.text("proc/sys/kernel/perf_event_paranoid"),
        cap_last_cap=reader.text("proc/sys/kernel/cap_last_cap"),
        modules_disabled=reader.text("proc/sys/kernel/modules_disabled"),
        sig_enforce=reader.text("sys/module/module/parameters/sig_enforce"),
        filesystems=reader.text("proc/filesystems"),
        mounts=reader.text("proc/self/mounts") if root == "/" else reader.text("proc/mounts"),
        build_tree=any(path.is_file() for path in tree),
        installed=installed,
        sockets=sockets,
        unreadable=reader.unreadable,
        ring_buffer_probe=probe_ring_buffer() if probe else Probe(),
    )
