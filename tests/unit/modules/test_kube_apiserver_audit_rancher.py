"""kube_apiserver_audit on servers of k3s and RKE2, whose systemd is played."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.rancher import flags_of
from ansible_collections.falconet.k8s.plugins.module_utils.live_apiserver import change, service
from ansible_collections.falconet.k8s.plugins.module_utils.live_apiserver.processes import Process

from ..module_runner import run_module
from .control_plane_node import BROKEN, POLICY

DROP_IN = "config.yaml.d/zz-falconet-audit.yaml"


class Server:
    """A server whose service reads its settings when it is started."""

    def __init__(self, folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.name = name
        self.folder = folder
        self.config = folder / "rancher"
        (self.config / "config.yaml.d").mkdir(parents=True)
        (self.config / "config.yaml").write_text("token: secret\nkube-apiserver-arg:\n- v=2\n")
        self.restarts: list[str] = []
        self.seconds = 0.0
        self.process: Process | None = None
        self.fails = ""
        self._start()
        monkeypatch.setattr(change, "now", lambda: self.seconds)
        monkeypatch.setattr(change, "pause", self._pause)
        monkeypatch.setattr(change, "processes", lambda program: [self.process] if self.process else [])
        monkeypatch.setattr(change, "unhealthy", lambda argv: "")
        monkeypatch.setattr(change, "restart", self._restart)
        monkeypatch.setattr(change, "reason_of", lambda unit: f"{unit}: level=fatal")

    def _pause(self, seconds: float) -> None:
        self.seconds += seconds

    def _start(self) -> None:
        own = self.config / DROP_IN
        flags = flags_of(own.read_text(), "f") if own.exists() else []
        argv = (
            ["/usr/local/bin/k3s", "server"]
            if self.name == "k3s"
            else ["kube-apiserver", "--audit-log-path=/r", *flags]
        )
        number = len(self.restarts)
        self.process = Process(100 + number, number, tuple(argv))

    def _restart(self, unit: str) -> str:
        self.restarts.append(unit)
        policy = self.folder / "audit" / "policy.yaml"
        if (self.config / DROP_IN).exists() and "# broken" in policy.read_text():
            self.process = None
            return "level=fatal: loading audit policy file"
        self._start()
        return self.fails

    def run(self, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        given: dict[str, Any] = {
            "distribution": self.name,
            "config_directory": str(self.config),
            "directory": str(self.folder / "audit"),
            "backup_directory": str(self.folder / "backup"),
            "pod_logs": str(self.folder / "pods"),
            "policy": POLICY,
            "log": {"path": str(self.folder / "log" / "audit.log")},
        }
        return run_module("kube_apiserver_audit", {**given, **options}, check_mode, diff_mode=True)

    def files(self) -> dict[str, str]:
        return {str(path): path.read_text() for path in sorted(self.folder.rglob("*")) if path.is_file()}


@pytest.fixture(params=["k3s", "rke2"])
def server(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    return Server(tmp_path, request.param, monkeypatch)


def test_a_file_of_settings_comes_and_goes_and_the_service_reads_it(server: Server) -> None:
    before = server.files()
    assert server.run(check_mode=True)["changed"] is True
    assert server.files() == before
    result = server.run()
    assert result["changed"] is True, result
    assert result["files"] == [str(server.config / DROP_IN), str(server.folder / "audit" / "policy.yaml")]
    assert (server.folder / "log").is_dir()
    unit = {"k3s": "k3s", "rke2": "rke2-server"}[server.name]
    assert server.restarts == [unit]
    assert server.run()["changed"] is False
    assert server.restarts == [unit]
    (server.folder / "audit" / "policy.yaml").write_text("else")
    for changed in (True, False):
        assert server.run()["changed"] is changed
    assert server.restarts == [unit] * 2
    assert server.run(state="absent")["changed"] is True
    assert server.restarts == [unit] * 3
    assert server.files() == before
    assert server.run(state="absent")["changed"] is False


def test_a_service_that_does_not_start_gets_its_old_settings_back(server: Server) -> None:
    before = server.files()
    result = server.run(policy=BROKEN)
    assert "level=fatal: loading audit policy file" in result["msg"]
    assert "is healthy with it" in result["msg"]
    assert server.files() == before
    assert len(server.restarts) == 2


def test_a_process_that_does_not_come_is_told_with_the_journal(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change, "restart", lambda unit: "")
    result = server.run(timeout_seconds=5)
    assert ": level=fatal" in result["msg"]


def test_settings_of_somebody_else_are_named(server: Server) -> None:
    (server.config / "config.yaml.d" / "a.yaml").write_text("kube-apiserver-arg+:\n- audit-log-path=/x\n")
    before = server.files()
    assert "config.yaml.d/a.yaml:2:3: audit-log-path=/x" in server.run()["msg"]
    assert server.files() == before


def test_a_node_without_such_a_server_is_refused(server: Server) -> None:
    result = server.run(config_directory=str(server.folder / "none"))
    assert f"there is no {server.folder}/none: no server of {server.name} has run on this node" in result["msg"]


def program(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_systemd_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert service.restart("k3s") == "there is no systemctl to start k3s again"
    assert service.reason_of("k3s") == ""
    program(tmp_path, "systemctl", 'test "$*" = "restart k3s"')
    assert service.restart("k3s") == ""
    program(tmp_path, "systemctl", "echo failed >&2; exit 1")
    assert service.restart("k3s") == "failed"
    program(tmp_path, "journalctl", 'echo "level=info a"; echo "level=fatal b"; echo "level=info c"')
    assert service.restart("k3s") == "level=fatal b"
