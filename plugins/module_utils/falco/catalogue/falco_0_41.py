# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs from Falco 0.42 in Falco 0.41, engine 0.50.0. By tools/tables.py; do not edit."""

from __future__ import annotations

FALCO = "0.41"
ENGINE = "0.50.0"
NEWER = "0.42"

# table: (start, stop, rows in place of the newer table's rows from start to before stop), ...
DIFFERENCES = {
    "FIELDS": (
        (28, 29, (("evt.dir", "charbuf", "none", "", "event"),)),
        (
            58,
            58,
            (
                ("evtin.span.arg", "charbuf", "required", "deprecated", "evtin"),
                ("evtin.span.args", "charbuf", "none", "deprecated", "evtin"),
                ("evtin.span.id", "int64", "none", "deprecated", "evtin"),
                ("evtin.span.m.arg", "charbuf", "required", "deprecated", "evtin"),
                ("evtin.span.m.args", "charbuf", "none", "deprecated", "evtin"),
                ("evtin.span.m.id", "int64", "none", "deprecated", "evtin"),
                ("evtin.span.m.nargs", "uint32", "none", "deprecated", "evtin"),
                ("evtin.span.m.ntags", "uint32", "none", "deprecated", "evtin"),
                ("evtin.span.m.tag", "charbuf", "required", "deprecated", "evtin"),
                ("evtin.span.m.tags", "charbuf", "none", "deprecated", "evtin"),
                ("evtin.span.nargs", "uint32", "none", "deprecated", "evtin"),
                ("evtin.span.ntags", "uint32", "none", "deprecated", "evtin"),
                ("evtin.span.p.arg", "charbuf", "required", "deprecated", "evtin"),
                ("evtin.span.p.args", "charbuf", "none", "deprecated", "evtin"),
                ("evtin.span.p.id", "int64", "none", "deprecated", "evtin"),
                ("evtin.span.p.nargs", "uint32", "none", "deprecated", "evtin"),
                ("evtin.span.p.ntags", "uint32", "none", "deprecated", "evtin"),
                ("evtin.span.p.tag", "charbuf", "required", "deprecated", "evtin"),
                ("evtin.span.p.tags", "charbuf", "none", "deprecated", "evtin"),
                ("evtin.span.s.arg", "charbuf", "required", "deprecated", "evtin"),
                ("evtin.span.s.args", "charbuf", "none", "deprecated", "evtin"),
                ("evtin.span.s.id", "int64", "none", "deprecated", "evtin"),
                ("evtin.span.s.nargs", "uint32", "none", "deprecated", "evtin"),
                ("evtin.span.s.ntags", "uint32", "none", "deprecated", "evtin"),
                ("evtin.span.s.tag", "charbuf", "required", "deprecated", "evtin"),
                ("evtin.span.s.tags", "charbuf", "none", "deprecated", "evtin"),
                ("evtin.span.tag", "charbuf", "required", "deprecated", "evtin"),
                ("evtin.span.tags", "charbuf", "none", "deprecated", "evtin"),
            ),
        ),
        (
            136,
            136,
            (
                ("marathon.app.id", "charbuf", "none", "deprecated", "mesos"),
                ("marathon.app.label", "charbuf", "required", "deprecated", "mesos"),
                ("marathon.app.labels", "charbuf", "none", "deprecated", "mesos"),
                ("marathon.app.name", "charbuf", "none", "deprecated", "mesos"),
                ("marathon.group.id", "charbuf", "none", "deprecated", "mesos"),
                ("marathon.group.name", "charbuf", "none", "deprecated", "mesos"),
                ("mesos.framework.id", "charbuf", "none", "deprecated", "mesos"),
                ("mesos.framework.name", "charbuf", "none", "deprecated", "mesos"),
                ("mesos.task.id", "charbuf", "none", "deprecated", "mesos"),
                ("mesos.task.label", "charbuf", "required", "deprecated", "mesos"),
                ("mesos.task.labels", "charbuf", "none", "deprecated", "mesos"),
                ("mesos.task.name", "charbuf", "none", "deprecated", "mesos"),
            ),
        ),
        (
            226,
            226,
            (
                ("span.arg", "charbuf", "required", "deprecated", "tracer"),
                ("span.args", "charbuf", "none", "deprecated", "tracer"),
                ("span.childcount.fortag", "uint64", "required", "deprecated table_only", "tracer"),
                ("span.count", "uint64", "none", "deprecated table_only", "tracer"),
                ("span.count.fortag", "uint64", "required", "deprecated table_only", "tracer"),
                ("span.duration", "reltime", "none", "deprecated", "tracer"),
                ("span.duration.fortag", "reltime", "required", "deprecated table_only", "tracer"),
                ("span.duration.human", "charbuf", "none", "deprecated", "tracer"),
                ("span.duration.quantized", "uint64", "none", "deprecated table_only", "tracer"),
                ("span.enterarg", "charbuf", "required", "deprecated", "tracer"),
                ("span.enterargs", "charbuf", "none", "deprecated", "tracer"),
                ("span.id", "int64", "none", "deprecated", "tracer"),
                ("span.idtag", "charbuf", "required", "deprecated table_only", "tracer"),
                ("span.nargs", "uint32", "none", "deprecated", "tracer"),
                ("span.ntags", "uint32", "none", "deprecated", "tracer"),
                ("span.rawparenttime", "charbuf", "none", "deprecated table_only", "tracer"),
                ("span.rawtime", "charbuf", "none", "deprecated table_only", "tracer"),
                ("span.tag", "charbuf", "required", "deprecated", "tracer"),
                ("span.tags", "charbuf", "none", "deprecated", "tracer"),
                ("span.time", "charbuf", "none", "deprecated", "tracer"),
            ),
        ),
    ),
    "PLUGINS": (
        (
            0,
            1,
            (
                (
                    "container",
                    "0.3.1",
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
    "EVENTS": ((197, 198, ("scapevent",)), (269, 270, ("tracer",))),
    "SYSCALLS": ((35, 37, ()),),
    "OBSOLETE_EVENTS": ((1, 4, ()),),
}
