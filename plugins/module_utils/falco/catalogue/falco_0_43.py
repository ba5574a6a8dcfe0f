# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs from Falco 0.44 in Falco 0.43, engine 0.58.0. By tools/tables.py; do not edit."""

from __future__ import annotations

FALCO = "0.43"
ENGINE = "0.58.0"
NEWER = "0.44"

# table: (start, stop, rows in place of the newer table's rows from start to before stop), ...
DIFFERENCES = {
    "PLUGINS": (
        (
            0,
            1,
            (
                (
                    "container",
                    "0.6.4",
                    None,
                    ("syscall",),
                    ("container", "container_removed"),
                    (
                        "container.id",
                        "container.name",
                        "container.image.repository",
                        "container.image.tag",
                        "k8s.pod.name",
                        "k8s.ns.name",
                    ),
                ),
            ),
        ),
    ),
    "EVENTS": ((430, 454, ()),),
    "SYSCALLS": ((16, 16, ("close_range",)), (95, 95, ("keyctl",)), (100, 101, ()), (181, 182, ()), (281, 282, ())),
    "PARAMETERS": ((67, 68, ()), (182, 182, (("arg", "uint64"),)), (198, 223, ())),
}
