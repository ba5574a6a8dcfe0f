# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs from Falco 0.39 in Falco 0.38, engine 0.40.0. By tools/tables.py; do not edit."""

from __future__ import annotations

FALCO = "0.38"
ENGINE = "0.40.0"
NEWER = "0.39"

# table: (start, stop, rows in place of the newer table's rows from start to before stop), ...
DIFFERENCES = {
    "FIELDS": (
        (25, 26, (("evt.arg", "charbuf", "required", "", "event"),)),
        (28, 29, (("evt.buffer", "bytebuf", "none", "", "event"),)),
        (77, 78, (("evt.res", "charbuf", "none", "", "event"),)),
        (125, 126, ()),
        (127, 128, ()),
        (262, 263, ()),
        (286, 292, ()),
    ),
    "EVENTS": ((426, 430, ()),),
    "SYSCALLS": ((125, 126, ()), (219, 219, ("setregid",)), (221, 221, ("setreuid",)), (274, 275, ())),
    "PARAMETERS": ((37, 38, ()), (39, 40, (("op", "enumflags16"),))),
}
