"""A control-plane node for tests: its files are real ones in a folder, its kubelet and its API server are played."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.manifest import Manifest
from ansible_collections.falconet.k8s.plugins.module_utils.live_apiserver import audit, change
from ansible_collections.falconet.k8s.plugins.module_utils.live_apiserver.cluster_configuration import Stored
from ansible_collections.falconet.k8s.plugins.module_utils.live_apiserver.processes import Process

from ..apiserver.manifests import KUBEADM
from ..module_runner import run_module

POLICY = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n"
BROKEN = POLICY + "# broken\n"
CONFIGURATION = "apiServer: {}\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n"


class Killed(BaseException):
    """The run is killed here."""


class Node:
    """What a module finds on a control-plane node.

    Attributes:
        cause: what the API server says when it reads a policy that is broken.
        ready: what it answers when it is asked; nothing means that it is ready.
        runs: whether the kubelet looks at manifests.
        configuration: the cluster's ClusterConfiguration, None where kubeadm has made none.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.manifest = folder / "manifests" / "kube-apiserver.yaml"
        self.manifest.parent.mkdir()
        self.manifest.write_text(KUBEADM)
        self.manifest.chmod(0o640)
        self.audit = folder / "audit"
        self.backup = folder / "backup"
        self.logs = folder / "pods"
        self.cause = 'E1128 01:02:03.4    1 run.go:72] "command failed" err="loading audit policy file: no kind"'
        self.ready = ""
        self.runs = True
        self.configuration: str | None = CONFIGURATION
        self.seconds = 0.0
        self.process: Process | None = None
        self.started = 0
        self.seen = b""
        self.history: list[list[str]] = []
        self._kubelet()
        patch = monkeypatch.setattr
        patch(change, "now", lambda: self.seconds)
        patch(change, "pause", self._pause)
        patch(change, "processes", lambda program: [self.process] if self.process else [])
        patch(change, "unhealthy", lambda argv: self.ready)
        patch(audit, "processes", lambda program: [])
        patch(audit, "stored", lambda path: None if self.configuration is None else Stored(self.configuration, "7"))
        patch(audit, "store", self._store)

    def _store(self, path: str, before: Stored, text: str) -> None:
        assert before.version == "7"
        self.configuration = text

    def _pause(self, seconds: float) -> None:
        self.seconds += seconds
        self._kubelet()

    def _kubelet(self) -> None:
        content = self.manifest.read_bytes()
        if not self.runs or (content == self.seen and self.process):
            return
        self.seen = content
        self.started += 1
        argv = Manifest(content.decode(), "m").argv
        policy = self.audit / "policy.yaml"
        reads = any(str(policy) in argument for argument in argv)
        fails = reads and (not policy.exists() or "# broken" in policy.read_text())
        log = self.logs / "kube-system_kube-apiserver-n_1" / "kube-apiserver" / f"{self.started}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(f"2026-11-28T01:02:03.4Z stderr F {self.cause}\n" if fails else "")
        self.process = None if fails else Process(100 + self.started, self.started, tuple(argv))
        self.history.append(argv)

    def run(self, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """The module's result."""
        places = {
            "manifest": str(self.manifest),
            "directory": str(self.audit),
            "backup_directory": str(self.backup),
            "pod_logs": str(self.logs),
            "timeout_seconds": 60,
        }
        given = {"policy": POLICY, "log": {"path": str(self.folder / "log" / "audit.log")}}
        if options.get("state") == "absent":
            given = {}
        return run_module("kube_apiserver_audit", {**places, **given, **options}, check_mode, diff_mode=True)

    def done(self, **options: Any) -> dict[str, Any]:
        """The result of a run that must not fail."""
        result = self.run(**options)
        assert result.get("failed") is None, result
        return result

    def files(self) -> dict[str, bytes]:
        """All of its files but logs."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and self.logs not in path.parents
        }
