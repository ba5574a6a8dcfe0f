# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs from Falco 0.43 in Falco 0.42, engine 0.57.0. By tools/tables.py; do not edit."""

from __future__ import annotations

FALCO = "0.42"
ENGINE = "0.57.0"
NEWER = "0.43"

# table: (start, stop, rows in place of the newer table's rows from start to before stop), ...
DIFFERENCES = {
    "FIELDS": (
        (
            45,
            50,
            (
                ("evt.latency", "reltime", "none", "", "event"),
                ("evt.latency.human", "charbuf", "none", "", "event"),
                ("evt.latency.ns", "reltime", "none", "", "event"),
                ("evt.latency.quantized", "uint64", "none", "table_only", "event"),
                ("evt.latency.s", "reltime", "none", "", "event"),
            ),
        ),
        (56, 57, (("evt.wait_latency", "reltime", "none", "", "event"),)),
    ),
    "PLUGINS": (
        (
            0,
            1,
            (
                (
                    "container",
                    "0.4.1",
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
}
