# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What versions of the chart falco and of falco.yaml changed. By tools/tables.py; do not edit."""

from __future__ import annotations

# the first chart of each Falco, and the newest whose changes are known
CHARTS = (
    ("4.0.0", "0.37"),
    ("4.4.0", "0.38"),
    ("4.9.0", "0.39"),
    ("4.18.0", "0.40"),
    ("4.22.0", "0.41"),
    ("7.0.0", "0.42"),
    ("8.0.0", "0.43"),
    ("9.0.0", "0.44"),
    ("9.1.0", "0.44"),
)

# chart, path, removed/deprecated/renamed/default, replacement, detail
CHART_CHANGES = (
    ("4.0.0", "collectors.kubernetes.enabled", "default", "", "True -> False"),
    ("4.0.0", "driver.kind", "default", "", "module -> kmod"),
    ("4.0.0", "falcoctl.config.artifact.follow.refs", "default", "", "['falco-rules:2'] -> ['falco-rules:3']"),
    ("4.0.0", "falcoctl.config.artifact.install.refs", "default", "", "['falco-rules:2'] -> ['falco-rules:3']"),
    ("4.0.0", "collectors.kubernetes.apiAuth", "removed", "none (k8s-metacollector)", ""),
    ("4.0.0", "collectors.kubernetes.apiUrl", "removed", "none (k8s-metacollector)", ""),
    ("4.0.0", "collectors.kubernetes.enableNodeFilter", "removed", "none (k8s-metacollector)", ""),
    ("4.0.0", "driver.modern_bpf", "removed", "driver.modernEbpf", ""),
    ("4.0.0", "falco.metadata_download", "removed", "", ""),
    ("4.0.0", "falco.modern_bpf", "removed", "falco.engine.modern_ebpf (driver.modernEbpf)", ""),
    ("4.0.0", "falco.syscall_buf_size_preset", "removed", "driver.<kind>.bufSizePreset", ""),
    ("4.0.0", "falco.syscall_drop_failed_exit", "removed", "driver.<kind>.dropFailedExit", ""),
    ("4.0.0", "gvisor", "removed", "driver.gvisor", ""),
    ("4.0.0", "rbac", "removed", "", ""),
    ("4.0.0", "serviceAccount", "removed", "none (back in 4.1.0)", ""),
    ("4.0.0", "driver.kind", "renamed", "kmod", "module -> kmod; old name kept as alias"),
    ("4.0.0", "driver.kind", "renamed", "modern_ebpf", "modern-bpf -> modern_ebpf; old name kept as alias"),
    ("4.4.0", "driver.kind", "default", "", "kmod -> auto"),
    ("4.7.1", "falco.rules_file", "removed", "falco.rules_files", ""),
    ("4.9.0", "falco.outputs", "removed", "", ""),
    ("4.9.0", "mounts.enforceProcMount", "removed", "none (proc always mounted)", ""),
    ("4.18.0", "image.repository", "default", "", "falcosecurity/falco-no-driver -> falcosecurity/falco"),
    ("4.22.0", "falco.append_output", "default", "", "[] -> [{'suggested_output': True}]"),
    ("4.22.0", "falcoctl.config.artifact.follow.refs", "default", "", "['falco-rules:3'] -> ['falco-rules:4']"),
    ("4.22.0", "falcoctl.config.artifact.install.refs", "default", "", "['falco-rules:3'] -> ['falco-rules:4']"),
    ("4.22.0", "collectors.containerd", "deprecated", "collectors.containerEngine", ""),
    ("4.22.0", "collectors.crio", "deprecated", "collectors.containerEngine", ""),
    ("4.22.0", "collectors.docker", "deprecated", "collectors.containerEngine", ""),
    ("5.0.0", "image.tag", "default", "image.tag <version>-debian", "debian -> distroless (wolfi)"),
    ("6.0.0", "falcotalon", "removed", "falco-talon, responseActions.enabled", ""),
    ("6.2.0", "collectors.containerEngine.enabled", "default", "", "False -> True"),
    ("6.2.0", "collectors.containerd.enabled", "default", "", "True -> False"),
    ("6.2.0", "collectors.crio.enabled", "default", "", "True -> False"),
    ("6.2.0", "collectors.docker.enabled", "default", "", "True -> False"),
    ("7.0.0", "falco.plugins", "default", "", "list of 3 -> []"),
    ("7.0.0", "falcoctl.config.artifact.follow.refs", "default", "", "['falco-rules:4'] -> ['falco-rules:5']"),
    ("7.0.0", "falcoctl.config.artifact.install.refs", "default", "", "['falco-rules:4'] -> ['falco-rules:5']"),
    ("7.0.0", "collectors.containerd", "removed", "collectors.containerEngine.engines.containerd", ""),
    ("7.0.0", "collectors.crio", "removed", "collectors.containerEngine.engines.cri", ""),
    ("7.0.0", "collectors.docker", "removed", "collectors.containerEngine.engines.docker", ""),
    ("7.0.0", "falco.container_engines", "removed", "collectors.containerEngine.engines", ""),
    ("7.0.0", "falco.metrics", "removed", "metrics", ""),
    ("8.0.0", "driver.kind=ebpf", "deprecated", "modern_ebpf", ""),
    ("8.0.0", "driver.kind=gvisor", "deprecated", "", ""),
    ("8.0.0", "falco.grpc", "deprecated", "", ""),
    ("8.0.0", "falco.grpc_output", "deprecated", "falco.http_output", ""),
    ("9.0.0", "driver.ebpf", "removed", "driver.modernEbpf", "install fails when set"),
    ("9.0.0", "driver.gvisor", "removed", "", "install fails when set"),
    ("9.0.0", "driver.kind=ebpf", "removed", "modern_ebpf", "install fails"),
    ("9.0.0", "driver.kind=gvisor", "removed", "", "install fails"),
    ("9.0.0", "falco.grpc", "removed", "", "install fails when set"),
    ("9.0.0", "falco.grpc_output", "removed", "falco.http_output or falcosidekick", "install fails when set"),
)

# key of falco.yaml, deprecated since, removed since, replacement
CONFIG_CHANGES = (
    ("container_engines", "", "0.41", "init_config of the plugin container"),
    ("engine.ebpf", "0.43", "0.44", "engine.modern_ebpf or engine.kmod"),
    ("engine.gvisor", "0.43", "0.44", ""),
    ("grpc", "0.43", "0.44", ""),
    ("grpc_output", "0.43", "0.44", "http_output or other outputs"),
    ("modern_bpf", "", "0.38", "engine.modern_ebpf"),
    ("rules_file", "0.38", "", "rules_files"),
    ("syscall_buf_size_preset", "", "0.38", "engine.<kind>.buf_size_preset"),
    ("syscall_drop_failed_exit", "", "0.38", "engine.<kind>.drop_failed_exit"),
)
