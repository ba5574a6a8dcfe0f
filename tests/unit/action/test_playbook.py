"""A task of ansible-playbook: Ansible finds the action, gives it the group's options, and takes its result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from ..kube.fake_api import FakeApi
from ..modules.test_netpol_probe import api, flow, pair, port

__all__ = ["api", "port"]
ROOT = Path(__file__).resolve().parents[3]


def test_a_playbook_s_task_starts_no_module(api: FakeApi, port: int, tmp_path: Path) -> None:
    pair(api, port)
    options = {"required_flows": [flow(port)], "verify_ssl": True, "validate_certs": True}
    group = {"group/falconet.k8s.cluster": {"host": api.url, "method": "exec"}}
    tasks = [{"falconet.k8s.netpol_probe": options}]
    play = {"hosts": "localhost", "gather_facts": False, "module_defaults": group, "tasks": tasks}
    path = tmp_path / "probe.yml"
    path.write_text(json.dumps([play]))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-vvv", str(path)]
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
        "ANSIBLE_NOCOLOR": "1",
    }
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 connections tried: 0 against expectation, 0 without proof" in done.stdout
    assert "Both option validate_certs and its alias verify_ssl are set." in done.stderr
    assert "Using module file" not in done.stdout
