"""A node that is played: it answers the modules of role node_prep at once, as a Rocky 9 that lacks nothing.

No process is started for it, so what a run over many of them costs is the controller's own.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.connection import ConnectionBase
from ansible_collections.falconet.k8s.plugins.module_utils.node_plan import EMPTY_RECORD

DOCUMENTATION = """
name: played_node
short_description: a node that is played
description: [It answers at once.]
author: [falconet.k8s contributors (@falconet-k8s)]
options: {}
"""

KERNEL = "5.14.0-570.12.1.el9_6.x86_64"
ASKED = re.compile(rb"ansible(?:_collections\.falconet\.k8s\.plugins)?\.modules\.(\w+)")
ANSWERS: dict[str, dict[str, Any]] = {
    "ping": {"ping": "pong"},
    "setup": {
        "ansible_facts": {
            "ansible_distribution": "Rocky",
            "ansible_distribution_version": "9.6",
            "ansible_distribution_major_version": "9",
            "ansible_os_family": "RedHat",
            "ansible_python": {"version": {"major": 3, "minor": 9, "micro": 21}},
            "ansible_selinux": {"status": "disabled"},
        }
    },
    "falco_driver_info": {
        "driver": "modern_ebpf",
        "summary": f"kernel {KERNEL}: modern_ebpf",
        "reasons": [],
        "candidates": {"modern_ebpf": {"usable": True, "reasons": []}},
        "least_privileged": True,
        "least_privileged_reason": "the kernel tells its types",
        "header_packages": [],
        "container_engines": {"containerd": "/run/containerd/containerd.sock"},
        "storage": {},
        "features": {
            "kernel": KERNEL,
            "btf": True,
            "tracefs_mount": "/sys/kernel/tracing",
            "bpffs_mount": "/sys/fs/bpf",
        },
    },
    "node_state_info": {
        "record": dict(EMPTY_RECORD),
        "answers": {
            "sysctl": {
                "rc": 0,
                "stdout": "fs.inotify.max_user_instances = 8192\nfs.inotify.max_user_watches = 1048576",
                "stderr": "",
            },
            "timedatectl": {"rc": 0, "stdout": "yes", "stderr": ""},
        },
        "writable": ["fs.inotify.max_user_instances", "fs.inotify.max_user_watches"],
        "paths": {},
    },
}


class Connection(ConnectionBase):  # type: ignore[misc]  # Ansible is not typed
    """What Ansible calls to reach a host."""

    transport = "played_node"
    has_pipelining = True
    always_pipeline_modules = True
    has_tty = False

    def _connect(self) -> Connection:
        self._connected = True
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        asked = ASKED.search(in_data or b"")
        name = asked.group(1).decode() if asked else ""
        if name not in ANSWERS:
            return 1, b"", f"no answer for {name or cmd}".encode()
        answer = {"changed": False, **ANSWERS[name]}
        if name == "node_state_info":
            answer["epoch_seconds"] = time.time()
        return 0, json.dumps(answer).encode(), b""

    def put_file(self, *_paths: str) -> None:
        raise AnsibleError("a played node takes no files")

    def fetch_file(self, *_paths: str) -> None:
        raise AnsibleError("a played node has no files")

    def close(self) -> None:
        self._connected = False
