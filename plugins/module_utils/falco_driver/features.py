# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Features of a node that drivers depend on, made of the raw contents of its files.

`None` means "could not be told" throughout, which is neither yes nor no.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .btf import btf_names
from .errors import DriverError
from .kernel import KernelRelease, parse_release

#: Names in BTF that tell what the kernel can do. https://docs.kernel.org/bpf/ringbuf.html and, for typed tracepoints,
#: the typedefs btf_trace_<tracepoint> that include/trace/bpf_probe.h makes.
BTF_RING_BUFFER = "BPF_MAP_TYPE_RINGBUF"
BTF_TRACING = "BPF_PROG_TYPE_TRACING"
BTF_RAW_TRACEPOINT = "BPF_TRACE_RAW_TP"
BTF_SYSCALL_TRACEPOINTS = ("btf_trace_sys_enter", "btf_trace_sys_exit")
BTF_WANTED = (BTF_RING_BUFFER, BTF_TRACING, BTF_RAW_TRACEPOINT, *BTF_SYSCALL_TRACEPOINTS)

#: Kernel options worth showing; the decision uses those that it names in its reasons.
CONFIG_SHOWN = (
    "CONFIG_BPF_EVENTS",
    "CONFIG_BPF_SYSCALL",
    "CONFIG_DEBUG_INFO_BTF",
    "CONFIG_FTRACE_SYSCALLS",
    "CONFIG_KPROBES",
    "CONFIG_MODULES",
    "CONFIG_MODULE_SIG_FORCE",
    "CONFIG_SECURITY_LOCKDOWN_LSM",
)

CAP_BPF = 39  # include/uapi/linux/capability.h; CAP_PERFMON is 38


@dataclass(frozen=True)
class Probe:
    """Answer of the running kernel to a request for a ring buffer map (bpf(2), BPF_MAP_CREATE).

    outcome: `created`, `refused` (the kernel has no such map, EINVAL), `denied` (we may not ask, EPERM or ENOSYS),
    or `skipped` (not asked).
    """

    outcome: str = "skipped"
    detail: str = ""


@dataclass(frozen=True)
class RawNode:
    """What was read from a node, untouched. A file that does not exist or cannot be read is None.

    release: uname -r.  machine: uname -m.
    btf: /sys/kernel/btf/vmlinux.  config: text of the kernel's configuration, config_path where it was found.
    lockdown: /sys/kernel/security/lockdown.  secure_boot: the EFI variable SecureBoot with its four attribute bytes.
    efi: whether the machine was booted by EFI.  paranoid: kernel.perf_event_paranoid.  cap_last_cap: its sysctl.
    modules_disabled: kernel.modules_disabled.  sig_enforce: /sys/module/module/parameters/sig_enforce.
    filesystems: /proc/filesystems.  mounts: /proc/mounts.
    build_tree: whether /lib/modules/<release>/build has a Makefile.
    installed: releases that have a directory in /lib/modules.
    sockets: container engines' sockets that exist, engine → path.
    unreadable: path → why, for files that exist but could not be read.
    """

    release: str
    machine: str = ""
    btf: bytes | None = None
    config: str | None = None
    config_path: str | None = None
    lockdown: str | None = None
    secure_boot: bytes | None = None
    efi: bool | None = None
    paranoid: str | None = None
    cap_last_cap: str | None = None
    modules_disabled: str | None = None
    sig_enforce: str | None = None
    filesystems: str | None = None
    mounts: str | None = None
    build_tree: bool | None = None
    installed: tuple[str, ...] = ()
    sockets: Mapping[str, str] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    ring_buffer_probe: Probe = field(default_factory=Probe)


@dataclass(frozen=True)
class Features:
    """The same, understood."""

    kernel: KernelRelease
    machine: str
    btf: bool | None
    btf_problem: str
    ring_buffer: bool | None
    ring_buffer_probe: Probe
    tracing_programs: bool | None
    syscall_tracepoints: bool | None
    bpf_capability: bool | None
    config: Mapping[str, str] | None
    config_path: str | None
    lockdown: str | None
    secure_boot: bool | None
    module_signatures_enforced: bool | None
    modules_loadable: bool | None
    perf_event_paranoid: int | None
    tracefs_available: bool | None
    tracefs_mount: str | None
    bpffs_mount: str | None
    build_tree: bool | None
    installed_kernels: tuple[str, ...]
    sockets: Mapping[str, str]
    unreadable: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """For a module's result: plain types, the kernel's options cut down to those of CONFIG_SHOWN."""
        config = None if self.config is None else {name: self.config.get(name, "n") for name in CONFIG_SHOWN}
        return {
            "architecture": self.machine,
            "bpf_capability": self.bpf_capability,
            "bpffs_mount": self.bpffs_mount,
            "btf": self.btf,
            "btf_problem": self.btf_problem,
            "build_tree": self.build_tree,
            "config": config,
            "config_path": self.config_path,
            "installed_kernels": list(self.installed_kernels),
            "kernel": self.kernel.text,
            "kernel_version": ".".join(map(str, self.kernel.version)),
            "lockdown": self.lockdown,
            "module_signatures_enforced": self.module_signatures_enforced,
            "modules_loadable": self.modules_loadable,
            "perf_event_paranoid": self.perf_event_paranoid,
            "ring_buffer": self.ring_buffer,
            "ring_buffer_probe": self.ring_buffer_probe.outcome,
            "secure_boot": self.secure_boot,
            "syscall_tracepoints": self.syscall_tracepoints,
            "tracefs_available": self.tracefs_available,
            "tracefs_mount": self.tracefs_mount,
            "tracing_programs": self.tracing_programs,
            "unreadable": dict(self.unreadable),
        }


def parse_config(text: str) -> dict[str, str]:
    """A kernel's .config: option → value as written; options that are not set are left out."""
    return dict(re.findall(r"^(CONFIG_[A-Za-z0-9_]+)=(.*)$", text, re.MULTILINE))


def parse_lockdown(text: str) -> str:
    """The chosen level of `none [integrity] confidentiality`; raises DriverError where none is chosen."""
    match = re.search(r"\[(\w+)\]", text)
    if match is None:
        raise DriverError(f"/sys/kernel/security/lockdown reads {text.strip()!r}, which chooses no level")
    return match.group(1)


def parse_secure_boot(variable: bytes) -> bool:
    """The EFI variable SecureBoot as efivarfs shows it: four bytes of attributes, then the value.

    https://docs.kernel.org/filesystems/efivarfs.html; UEFI specification, section 3.3: 1 is on, 0 is off.
    """
    if len(variable) != 5 or variable[4] not in (0, 1):
        raise DriverError(f"the EFI variable SecureBoot reads {variable.hex() or 'nothing'}, expected 4 + 1 bytes")
    return variable[4] == 1


def mount_point(mounts: str, kind: str, *preferred: str) -> str | None:
    """Where a file system of this kind is mounted in /proc/mounts, a preferred place first, or None."""
    points = [fields[1] for fields in map(str.split, mounts.splitlines()) if len(fields) > 2 and fields[2] == kind]
    return next((place for place in preferred if place in points), points[0] if points else None)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.match(r"\s*-?\d+\s*\Z", text) else None


def features_of(raw: RawNode) -> Features:
    """Understand what was read. Raises DriverError where a file does not hold what its format promises."""
    config = None if raw.config is None else parse_config(raw.config)
    btf: bool | None = raw.btf is not None
    problem = ""
    names: frozenset[str] | None = None
    btf_path = "/sys/kernel/btf/vmlinux"
    if raw.btf is not None:
        try:
            names = btf_names(raw.btf, BTF_WANTED)
        except DriverError as error:
            btf, problem = False, str(error)
    elif btf_path in raw.unreadable:
        btf, problem = None, raw.unreadable[btf_path]

    probe = raw.ring_buffer_probe
    ring_buffer = None if names is None else BTF_RING_BUFFER in names
    if probe.outcome in ("created", "refused"):
        ring_buffer = probe.outcome == "created"

    enforced = None if raw.sig_enforce is None else raw.sig_enforce.strip() == "Y"
    modules: bool | None = None
    if config is not None:
        modules = config.get("CONFIG_MODULES") == "y"
        enforced = enforced or config.get("CONFIG_MODULE_SIG_FORCE") == "y"
    if _number(raw.modules_disabled) == 1:
        modules = False

    last_cap = _number(raw.cap_last_cap)
    secure_boot = parse_secure_boot(raw.secure_boot) if raw.secure_boot is not None else None
    if raw.efi is False:
        secure_boot = False
    filesystems = None if raw.filesystems is None else raw.filesystems.split()
    return Features(
        kernel=parse_release(raw.release),
        machine=raw.machine,
        btf=btf,
        btf_problem=problem,
        ring_buffer=ring_buffer,
        ring_buffer_probe=probe,
        tracing_programs=None if names is None else {BTF_TRACING, BTF_RAW_TRACEPOINT} <= names,
        syscall_tracepoints=None if names is None else set(BTF_SYSCALL_TRACEPOINTS) <= names,
        bpf_capability=None if last_cap is None else last_cap >= CAP_BPF,
        config=config,
        config_path=raw.config_path,
        lockdown=None if raw.lockdown is None else parse_lockdown(raw.lockdown),
        secure_boot=secure_boot,
        module_signatures_enforced=enforced,
        modules_loadable=modules,
        perf_event_paranoid=_number(raw.paranoid),
        tracefs_available=None if filesystems is None else "tracefs" in filesystems,
        tracefs_mount=None
        if raw.mounts is None
        else mount_point(raw.mounts, "tracefs", "/sys/kernel/tracing", "/sys/kernel/debug/tracing"),
        bpffs_mount=None if raw.mounts is None else mount_point(raw.mounts, "bpf", "/sys/fs/bpf"),
        build_tree=raw.build_tree,
        installed_kernels=raw.installed,
        sockets=raw.sockets,
        unreadable=raw.unreadable,
    )
