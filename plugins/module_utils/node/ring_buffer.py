# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks the running kernel for a ring buffer map, which is the surest way to know that it has them.

bpf(2), command BPF_MAP_CREATE: https://man7.org/linux/man-pages/man2/bpf.2.html. The map is one page, belongs to a
file descriptor that is closed at once, and leaves nothing behind.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os

from ..falco_driver.features import Probe

#: Number of the system call bpf, by architecture.
_SYSCALL = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "s390x": 351, "ppc64le": 361}
_BPF_MAP_CREATE = 0
_BPF_MAP_TYPE_RINGBUF = 27


def probe_ring_buffer() -> Probe:
    """Whether the kernel makes such a map for us; never raises."""
    number = _SYSCALL.get(os.uname().machine)
    if number is None:
        return Probe("skipped", f"the number of the bpf system call is not known on {os.uname().machine}")
    # union bpf_attr for BPF_MAP_CREATE begins with map_type, key_size, value_size, max_entries, map_flags.
    attributes = (ctypes.c_uint32 * 12)(_BPF_MAP_TYPE_RINGBUF, 0, 0, mmap.PAGESIZE, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    answer = libc.syscall(number, _BPF_MAP_CREATE, ctypes.byref(attributes), ctypes.sizeof(attributes))
    if answer >= 0:
        os.close(answer)
        return Probe("created")
    code = ctypes.get_errno()
    name = errno.errorcode.get(code, str(code))
    return Probe("refused" if code == errno.EINVAL else "denied", f"{name}: {os.strerror(code)}")
