# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs from Falco 0.40 in Falco 0.39, engine 0.43.0. By tools/tables.py; do not edit."""

from __future__ import annotations

FALCO = "0.39"
ENGINE = "0.43.0"
NEWER = "0.40"

# table: (start, stop, rows in place of the newer table's rows from start to before stop), ...
DIFFERENCES = {
    "FIELDS": (
        (4, 7, ()),
        (157, 158, (("fd.types", "charbuf", "optional", "is_list no_rhs no_transformer", "fd"),)),
        (268, 269, ()),
        (278, 282, ()),
    ),
    "PLUGINS": ((0, 1, (("k8smeta", "0.4.1", None, ("syscall",), ("k8s",), ()),)),),
    "SYSCALLS": ((76, 77, ()), (101, 102, ()), (173, 174, ()), (227, 228, ())),
    "PARAMETERS": ((152, 153, (("pgid", "pid"),)), (161, 162, ())),
}
