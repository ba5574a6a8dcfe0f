# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decision: each driver is weighed by its own reasons, the first usable one of the wanted order is chosen.

What Falco itself asks of a kernel: a ring buffer map and tracing programs for the modern eBPF probe
(pman_check_support in falcosecurity/libs), minimal versions for the module (README.md there).
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .errors import DriverError
from .features import Features
from .known_bad import KNOWN_BAD, parse_falco_version
from .reasons import BLOCKS, SUPPORTS, WARNS, Reason

MODERN_EBPF = "modern_ebpf"
KMOD = "kmod"
NONE = "none"
DRIVERS = (MODERN_EBPF, KMOD)

#: Architectures that the drivers are made for, with the oldest kernel for the module (falcosecurity/libs, README.md).
MODULE_MINIMUM = {
    "x86_64": (3, 10),
    "aarch64": (3, 16),
    "s390x": (3, 10),
    "ppc64le": (3, 10),
    "riscv64": (5, 0),
}
MODERN_ARCHITECTURES = ("x86_64", "aarch64", "s390x", "ppc64le")

_DOCS = "https://falco.org/docs/concepts/event-sources/kernel/"
_LOCKDOWN = "https://man7.org/linux/man-pages/man7/kernel_lockdown.7.html"
_SIGNING = "https://docs.kernel.org/admin-guide/module-signing.html"


@dataclass(frozen=True)
class Avoid:
    """A site's own verdict: this driver is not to be used on kernels whose release matches the shell pattern."""

    driver: str
    kernel: str
    reason: str


@dataclass(frozen=True)
class Policy:
    """What the site wants.

    order: drivers to consider, best first.  falco_version: for kernels known to be bad.
    modules_signed: the site signs its modules with a key that its nodes trust (Secure Boot, lockdown).
    avoid: the site's own list of bad kernels.
    """

    order: tuple[str, ...] = DRIVERS
    falco_version: str = "0.44.1"
    modules_signed: bool = False
    avoid: tuple[Avoid, ...] = ()

    def __post_init__(self) -> None:
        for driver in (*self.order, *(entry.driver for entry in self.avoid)):
            if driver not in DRIVERS:
                raise DriverError(f"{driver!r} is no driver of Falco", f"the drivers are {' and '.join(DRIVERS)}")
        parse_falco_version(self.falco_version)


@dataclass(frozen=True)
class Candidate:
    """One driver with all its reasons; usable where none of them blocks."""

    driver: str
    reasons: tuple[Reason, ...]

    @property
    def usable(self) -> bool:
        return not self.blocking

    @property
    def blocking(self) -> tuple[Reason, ...]:
        return tuple(reason for reason in self.reasons if reason.effect == BLOCKS)

    def as_dict(self) -> dict[str, Any]:
        return {"usable": self.usable, "reasons": [reason.as_dict() for reason in self.reasons]}


@dataclass(frozen=True)
class Decision:
    """The chosen driver (`none` where nothing can run), every candidate, and one line that says why.

    least_privileged: whether Falco may run unprivileged with its capabilities alone (the chart's
    driver.modernEbpf.leastPrivileged); least_privileged_reason says why or why not.
    """

    driver: str
    summary: str
    candidates: tuple[Candidate, ...]
    least_privileged: bool
    least_privileged_reason: str
    header_packages: tuple[str, ...] = field(default=())

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Reasons of the chosen driver, or what blocks each one where none was chosen."""
        for candidate in self.candidates:
            if candidate.driver == self.driver:
                return candidate.reasons
        return tuple(reason for candidate in self.candidates for reason in candidate.blocking)


def decide(features: Features, policy: Policy) -> Decision:
    """Choose for this node. Never raises: a node on which nothing runs is a decision, too."""
    falco = parse_falco_version(policy.falco_version)
    weigh = {MODERN_EBPF: _modern_ebpf, KMOD: _kmod}
    candidates = tuple(
        Candidate(driver, (*weigh[driver](features, policy), *_bad_kernels(driver, features, policy, falco)))
        for driver in policy.order
    )
    chosen = next((candidate for candidate in candidates if candidate.usable), None)
    least, why = _least_privileged(features, chosen.driver if chosen else NONE)
    if chosen is None:
        told = "; ".join(f"{c.driver}: {', '.join(r.message for r in c.blocking)}" for c in candidates)
        return Decision(NONE, f"kernel {features.kernel.text}: no driver can run ({told})", candidates, least, why)
    told = ", ".join(reason.message for reason in chosen.reasons if reason.effect == SUPPORTS)
    passed = candidates[: candidates.index(chosen)]
    instead = "".join(f"; not {c.driver}: {', '.join(r.message for r in c.blocking)}" for c in passed)
    return Decision(
        driver=chosen.driver,
        summary=f"kernel {features.kernel.text}: {chosen.driver} ({told}{instead})",
        candidates=candidates,
        least_privileged=least,
        least_privileged_reason=why,
        header_packages=features.kernel.header_packages if chosen.driver == KMOD else (),
    )


def _modern_ebpf(features: Features, _policy: Policy) -> Iterator[Reason]:
    """What the modern eBPF probe needs: BTF for CO-RE, ring buffers, typed tracepoints, reads of kernel memory."""
    if features.machine and features.machine not in MODERN_ARCHITECTURES:
        yield Reason(
            "architecture",
            BLOCKS,
            f"the modern eBPF probe is not made for {features.machine}",
            f"it is made for {', '.join(MODERN_ARCHITECTURES)}",
            _DOCS,
        )
    if features.btf:
        yield Reason("btf", SUPPORTS, "the kernel tells its types (BTF)", "", _DOCS)
    else:
        yield _missing_btf(features)
    yield from _feature(features.ring_buffer, "ring_buffer", "BPF ring buffers")
    if features.ring_buffer_probe.outcome == "denied":
        yield Reason(
            "bpf_denied",
            WARNS,
            f"the bpf system call was denied here ({features.ring_buffer_probe.detail})",
            "Falco needs it in its pod: run the check as root, outside of a container",
        )
    yield from _feature(features.tracing_programs, "tracing_programs", "tracing programs")
    yield from _feature(features.syscall_tracepoints, "syscall_tracepoints", "typed tracepoints of system calls")
    if features.lockdown == "confidentiality":
        yield Reason(
            "lockdown",
            BLOCKS,
            "kernel lockdown is at 'confidentiality', under which BPF may not read kernel memory",
            "boot with lockdown=integrity, or without lockdown",
            _LOCKDOWN,
        )
    if features.tracefs_available is False:
        yield Reason(
            "tracefs",
            WARNS,
            "the kernel has no tracefs, so the helpers against changed arguments of open and connect stay off",
            "a kernel with CONFIG_FTRACE has it",
        )
    elif features.tracefs_mount is None:
        yield Reason(
            "tracefs",
            WARNS,
            "tracefs is not mounted",
            "mount it at /sys/kernel/tracing (systemd does so by itself)",
        )


def _missing_btf(features: Features) -> Reason:
    path = "/sys/kernel/btf/vmlinux"
    if features.btf is None:
        return Reason("btf", BLOCKS, f"{path} cannot be read: {features.btf_problem}", "run the check as root", _DOCS)
    if features.btf_problem:
        return Reason("btf", BLOCKS, f"{path} is damaged: {features.btf_problem}", "boot another kernel", _DOCS)
    told = ""
    if features.config is not None and features.config.get("CONFIG_DEBUG_INFO_BTF") != "y":
        told = f" (CONFIG_DEBUG_INFO_BTF is not set in {features.config_path})"
    return Reason("btf", BLOCKS, f"no {path}{told}", "boot a kernel that was built with CONFIG_DEBUG_INFO_BTF=y", _DOCS)


def _feature(present: bool | None, code: str, name: str) -> Iterator[Reason]:
    """A feature that must be there; what cannot be told blocks nothing by itself, for BTF has been judged already."""
    if present:
        yield Reason(code, SUPPORTS, name)
    elif present is False:
        hint = "boot Linux 5.8 or newer, or a vendor's kernel to which it was ported back"
        yield Reason(code, BLOCKS, f"the kernel has no {name}", hint, _DOCS)


def _kmod(features: Features, policy: Policy) -> Iterator[Reason]:
    """What the kernel module needs: loadable modules, a kernel it compiles for, a signature where one is asked."""
    minimum = MODULE_MINIMUM.get(features.machine) if features.machine else (3, 10)
    if minimum is None:
        yield Reason(
            "architecture",
            BLOCKS,
            f"the kernel module is not made for {features.machine}",
            f"it is made for {', '.join(MODULE_MINIMUM)}",
            _DOCS,
        )
    elif not features.kernel.at_least(*minimum):
        yield Reason(
            "kernel_version",
            BLOCKS,
            f"the kernel module needs Linux {'.'.join(map(str, minimum))} or newer",
            "boot a newer kernel",
            _DOCS,
        )
    else:
        yield Reason("kernel_version", SUPPORTS, f"Linux {'.'.join(map(str, features.kernel.version))} is new enough")
    if features.modules_loadable is False:
        yield Reason(
            "modules",
            BLOCKS,
            "this kernel loads no modules",
            "it was built without CONFIG_MODULES, or kernel.modules_disabled is 1 until the next boot",
        )
    yield from _signature(features, policy)
    if features.build_tree:
        yield Reason("build_tree", SUPPORTS, "its build tree is installed")
    else:
        yield Reason(
            "build_tree",
            WARNS,
            f"/lib/modules/{features.kernel.text}/build is missing",
            f"install {features.kernel.header_packages[0]}",
        )


def _signature(features: Features, policy: Policy) -> Iterator[Reason]:
    """Secure Boot, lockdown and sig_enforce all mean the same for the module: it must be signed by a trusted key."""
    demands = [
        text
        for asked, text in (
            (features.secure_boot, "Secure Boot is on"),
            (features.lockdown in ("integrity", "confidentiality"), f"kernel lockdown is at '{features.lockdown}'"),
            (features.module_signatures_enforced, "the kernel enforces module signatures"),
        )
        if asked
    ]
    if not demands:
        return
    told = f"{' and '.join(demands)}, so the module must be signed by a key that the machine trusts"
    if policy.modules_signed:
        yield Reason("signature", WARNS, f"{told}; the site says that it signs its modules", "", _SIGNING)
        return
    yield Reason(
        "signature",
        BLOCKS,
        told,
        "make a key, enrol it (mokutil --import, then confirm at the next boot on the console), let DKMS sign with it, "
        "and say that modules are signed",
        _SIGNING,
    )


def _bad_kernels(driver: str, features: Features, policy: Policy, falco: tuple[int, ...]) -> Iterator[Reason]:
    for entry in KNOWN_BAD:
        if entry.driver == driver and entry.matches(features.kernel, falco):
            yield Reason("known_bad_kernel", BLOCKS, entry.symptom, entry.hint, entry.source)
    for own in policy.avoid:
        if own.driver == driver and fnmatch.fnmatchcase(features.kernel.text, own.kernel):
            yield Reason("avoided_kernel", BLOCKS, f"the site avoids it on kernels like {own.kernel}: {own.reason}")


def _least_privileged(features: Features, driver: str) -> tuple[bool, str]:
    if driver == NONE:
        return False, "no driver can run"
    if driver != MODERN_EBPF:
        return False, "the kernel module needs a privileged pod"
    if features.bpf_capability is not True:
        return False, "the kernel does not know CAP_BPF and CAP_PERFMON (Linux 5.8 or a port of them)"
    if features.perf_event_paranoid is not None and features.perf_event_paranoid > 2:
        return False, (
            f"kernel.perf_event_paranoid is {features.perf_event_paranoid}: above 2 some vendors ask for CAP_SYS_ADMIN"
        )
    return True, "CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and CAP_SYS_RESOURCE suffice"
