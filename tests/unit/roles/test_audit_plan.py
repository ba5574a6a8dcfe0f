"""Role k8s_audit plans its release: what is wrong is told all at once, and never a secret of a channel."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml

from ..ansible_playbook import ansible_playbook
from ..k8s_audit.nodes import node

PLANTED = "planted-by-a-channel"


def plan(folder: Path, **variables: Any) -> subprocess.CompletedProcess[str]:
    """The role's preflight on a cluster whose nodes are known, showing all that tasks return."""
    given = {
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "__falconet_needs": {"k8s_audit": {}},
        "__falconet_cluster": {"objects": {"Node": [node("cp01", "192.0.2.11")]}},
        "k8s_audit_alerts": "own",
        "k8s_audit_outputs": {"slack": {"webhookurl": f"https://chat.example/{PLANTED}"}},
        **variables,
    }
    task = {"ansible.builtin.include_role": {"name": "falconet.k8s.k8s_audit", "tasks_from": "preflight"}}
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": given, "tasks": [task]}
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    return ansible_playbook("-i", "localhost,", folder / "play.yml", "-vvv")


def test_a_release_is_planned_and_no_secret_of_a_channel_is_shown(tmp_path: Path) -> None:
    done = plan(tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-3000:]
    assert "Release is planned" in said
    assert PLANTED not in said


def test_what_is_wrong_is_told_at_once_and_no_secret_with_it(tmp_path: Path) -> None:
    done = plan(tmp_path, k8s_audit_replicas=0, k8s_audit_node_port=0)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "k8s_audit_replicas: must be 1 or more, not 0" in said
    assert "k8s_audit_node_port: must be a port number, not 0" in said
    assert PLANTED not in said
