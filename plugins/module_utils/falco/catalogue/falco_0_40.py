# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs from Falco 0.41 in Falco 0.40, engine 0.46.0. By tools/tables.py; do not edit."""

from __future__ import annotations

FALCO = "0.40"
ENGINE = "0.46.0"
NEWER = "0.41"

# table: (start, stop, rows in place of the newer table's rows from start to before stop), ...
DIFFERENCES = {
    "FIELDS": (
        (
            0,
            0,
            (
                ("container.cni.json", "charbuf", "none", "", "container"),
                ("container.duration", "reltime", "none", "", "container"),
                ("container.full_id", "charbuf", "none", "", "container"),
                ("container.healthcheck", "charbuf", "none", "", "container"),
                ("container.host_ipc", "bool", "none", "", "container"),
                ("container.host_network", "bool", "none", "", "container"),
                ("container.host_pid", "bool", "none", "", "container"),
                ("container.id", "charbuf", "none", "", "container"),
                ("container.image", "charbuf", "none", "", "container"),
                ("container.image.digest", "charbuf", "none", "", "container"),
                ("container.image.id", "charbuf", "none", "", "container"),
                ("container.image.repository", "charbuf", "none", "", "container"),
                ("container.image.tag", "charbuf", "none", "", "container"),
                ("container.ip", "charbuf", "none", "", "container"),
                ("container.liveness_probe", "charbuf", "none", "", "container"),
                ("container.mount", "charbuf", "required", "", "container"),
                ("container.mount.dest", "charbuf", "required", "", "container"),
                ("container.mount.mode", "charbuf", "required", "", "container"),
                ("container.mount.propagation", "charbuf", "required", "", "container"),
                ("container.mount.rdwr", "charbuf", "required", "", "container"),
                ("container.mount.source", "charbuf", "required", "", "container"),
                ("container.mounts", "charbuf", "none", "", "container"),
                ("container.name", "charbuf", "none", "", "container"),
                ("container.privileged", "bool", "none", "", "container"),
                ("container.readiness_probe", "charbuf", "none", "", "container"),
                ("container.start_ts", "uint64", "none", "", "container"),
                ("container.type", "charbuf", "none", "", "container"),
            ),
        ),
        (
            164,
            164,
            (
                ("k8s.deployment.id", "charbuf", "none", "deprecated", "k8s"),
                ("k8s.deployment.label", "charbuf", "required", "deprecated", "k8s"),
                ("k8s.deployment.labels", "charbuf", "none", "deprecated", "k8s"),
                ("k8s.deployment.name", "charbuf", "none", "deprecated", "k8s"),
                ("k8s.ns.id", "charbuf", "none", "deprecated", "k8s"),
                ("k8s.ns.label", "charbuf", "required", "deprecated", "k8s"),
                ("k8s.ns.labels", "charbuf", "none", "deprecated", "k8s"),
                ("k8s.ns.name", "charbuf", "none", "", "k8s"),
                ("k8s.pod.cni.json", "charbuf", "none", "", "k8s"),
                ("k8s.pod.full_sandbox_id", "charbuf", "none", "", "k8s"),
                ("k8s.pod.id", "charbuf", "none", "", "k8s"),
                ("k8s.pod.ip", "charbuf", "none", "", "k8s"),
                ("k8s.pod.label", "charbuf", "required", "", "k8s"),
                ("k8s.pod.labels", "charbuf", "none", "", "k8s"),
                ("k8s.pod.name", "charbuf", "none", "", "k8s"),
                ("k8s.pod.sandbox_id", "charbuf", "none", "", "k8s"),
                ("k8s.pod.uid", "charbuf", "none", "", "k8s"),
                ("k8s.rc.id", "charbuf", "none", "deprecated", "k8s"),
                ("k8s.rc.label", "charbuf", "required", "deprecated", "k8s"),
                ("k8s.rc.labels", "charbuf", "none", "deprecated", "k8s"),
                ("k8s.rc.name", "charbuf", "none", "deprecated", "k8s"),
                ("k8s.rs.id", "charbuf", "none", "deprecated", "k8s"),
                ("k8s.rs.label", "charbuf", "required", "deprecated", "k8s"),
                ("k8s.rs.labels", "charbuf", "none", "deprecated", "k8s"),
                ("k8s.rs.name", "charbuf", "none", "deprecated", "k8s"),
                ("k8s.svc.id", "charbuf", "none", "deprecated", "k8s"),
                ("k8s.svc.label", "charbuf", "required", "deprecated", "k8s"),
                ("k8s.svc.labels", "charbuf", "none", "deprecated", "k8s"),
                ("k8s.svc.name", "charbuf", "none", "deprecated", "k8s"),
            ),
        ),
        (
            176,
            177,
            (
                ("syslog.facility", "uint32", "none", "", "syslog"),
                ("syslog.facility.str", "charbuf", "none", "", "syslog"),
                ("syslog.message", "charbuf", "none", "", "syslog"),
                ("syslog.severity", "uint32", "none", "", "syslog"),
                ("syslog.severity.str", "charbuf", "none", "", "syslog"),
            ),
        ),
        (183, 184, (("proc.args", "charbuf", "none", "", "thread"),)),
        (
            201,
            201,
            (
                ("proc.is_container_healthcheck", "bool", "none", "", "thread"),
                ("proc.is_container_liveness_probe", "bool", "none", "", "thread"),
                ("proc.is_container_readiness_probe", "bool", "none", "", "thread"),
            ),
        ),
    ),
    "PLUGINS": ((0, 1, ()),),
    "SYSCALLS": ((143, 144, ()),),
}
