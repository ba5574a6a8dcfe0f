"""Nodes to decide about: what the files of well-known kernels say, and BTF blobs made by hand."""

from __future__ import annotations

import struct
from pathlib import Path

from ansible_collections.falconet.k8s.plugins.module_utils.falco_driver import Probe, RawNode
from ansible_collections.falconet.k8s.plugins.module_utils.falco_driver.features import BTF_WANTED

ROCKY_9 = "5.14.0-570.12.1.el9_6.x86_64"
ROCKY_8 = "4.18.0-553.16.1.el8_10.x86_64"
OLD_8 = "4.18.0-147.8.1.el8_1.x86_64"

MOUNTS = """\
proc /proc proc rw 0 0
tracefs /sys/kernel/tracing tracefs rw 0 0
bpf /sys/fs/bpf bpf rw 0 0
"""
SECURE_BOOT_VARIABLE = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def btf(names: tuple[str, ...] = BTF_WANTED, order: str = "<") -> bytes:
    """A BTF blob without types whose string section holds `names`, in little or big endian."""
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in names)
    types = b"\1" * 12
    return struct.pack(order + "HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(strings)) + types + strings


def raw(**changes: object) -> RawNode:
    """A Rocky 9 machine booted by EFI without Secure Boot, everything in place, changed where asked."""
    values: dict[str, object] = {
        "release": ROCKY_9,
        "machine": "x86_64",
        "btf": btf(),
        "config": "CONFIG_MODULES=y\nCONFIG_DEBUG_INFO_BTF=y\n# CONFIG_MODULE_SIG_FORCE is not set\n",
        "config_path": f"/boot/config-{ROCKY_9}",
        "lockdown": "[none] integrity confidentiality\n",
        "secure_boot": b"\6\0\0\0\0",
        "efi": True,
        "paranoid": "2\n",
        "cap_last_cap": "40\n",
        "modules_disabled": "0\n",
        "sig_enforce": "N\n",
        "filesystems": "nodev\ttracefs\nnodev\tbpf\n",
        "mounts": MOUNTS,
        "build_tree": True,
        "installed": (ROCKY_9,),
        "ring_buffer_probe": Probe("created"),
    }
    return RawNode(**{**values, **changes})  # type: ignore[arg-type]  # a dictionary of mixed values


def tree(root: Path, **changes: object) -> Path:
    """The same machine as files below `root`; a change of None leaves the file out."""
    release = str(changes.pop("release", ROCKY_9))
    files: dict[str, object] = {
        "proc/sys/kernel/osrelease": release + "\n",
        "proc/sys/kernel/perf_event_paranoid": "2\n",
        "proc/sys/kernel/cap_last_cap": "40\n",
        "proc/sys/kernel/modules_disabled": "0\n",
        "proc/filesystems": "nodev\ttracefs\n",
        "proc/mounts": MOUNTS,
        "sys/kernel/btf/vmlinux": btf(),
        "sys/kernel/security/lockdown": "[none] integrity confidentiality\n",
        f"sys/firmware/efi/efivars/{SECURE_BOOT_VARIABLE}": b"\6\0\0\0\0",
        "sys/module/module/parameters/sig_enforce": "N\n",
        f"boot/config-{release}": "CONFIG_MODULES=y\n",
        f"lib/modules/{release}/modules.dep": "",
        f"usr/src/kernels/{release}/Makefile": "",
        **changes,
    }
    for path, content in files.items():
        if content is None:
            continue
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else str(content).encode())
    return root
