# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names in a kernel's BTF blob (/sys/kernel/btf/vmlinux): the kernel's own list of what it was built with.

Format: https://docs.kernel.org/bpf/btf.html, section 3 (header, then a type section, then a string section).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from .errors import DriverError

_MAGIC = 0xEB9F
_HEADER = "HBBIIIII"
_HEADER_BYTES = struct.calcsize("<" + _HEADER)


def btf_names(blob: bytes, wanted: Iterable[str]) -> frozenset[str]:
    """Those of the names `wanted` that the blob's string section holds as whole strings.

    Enumerators, structures, functions and typedefs all have their names there, so an enumerator such as
    BPF_MAP_TYPE_RINGBUF tells that the kernel knows that map type, also where a vendor ported it back to an old
    version. Raises DriverError where the bytes are not BTF or were cut short.
    """
    if len(blob) < _HEADER_BYTES:
        raise DriverError(f"BTF of {len(blob)} bytes is shorter than its header of {_HEADER_BYTES} bytes")
    for order in "<>":
        magic, version, _flags, header_bytes, _types, _types_bytes, start, size_bytes = struct.unpack_from(
            order + _HEADER, blob
        )
        if magic == _MAGIC:
            break
    else:
        raise DriverError(f"BTF starts with {blob[:2].hex()}, not with its magic number eb9f")
    if version != 1:
        raise DriverError(f"BTF of version {version} is unknown, version 1 is expected")
    begin = header_bytes + start
    if begin + size_bytes > len(blob):
        raise DriverError(f"BTF ends at byte {len(blob)}, its string section should end at byte {begin + size_bytes}")
    strings = blob[begin : begin + size_bytes]
    return frozenset(name for name in wanted if b"\0" + name.encode("ascii") + b"\0" in strings)
