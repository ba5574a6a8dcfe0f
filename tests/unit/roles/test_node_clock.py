"""Whatever the controller's time zone, a node whose clock agrees with the controller's is told to agree."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from ..ansible_playbook import ansible_playbook

PLAY = [
    {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "node_prep_driver": "none",
            "node_prep_sysctl_minimums": {},
        },
        "tasks": [
            {"ansible.builtin.include_role": {"name": "falconet.k8s.node_prep", "tasks_from": "verify"}},
            {
                "ansible.builtin.copy": {
                    "content": "{{ node_prep_evidence | to_json }}",
                    "dest": "{{ playbook_dir }}/evidence.json",
                    "mode": "0600",
                }
            },
        ],
    }
]


def test_a_clock_agrees_with_a_controller_in_another_time_zone(tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(yaml.safe_dump(PLAY))
    done = ansible_playbook("-i", "localhost,", tmp_path / "play.yml", TZ="MST7")
    assert done.returncode == 0, done.stdout + done.stderr
    (clock,) = [check for check in json.loads((tmp_path / "evidence.json").read_text()) if check["code"] == "clock"]
    assert clock["status"] != "failed", clock
    assert "off the controller's" not in clock["detail"]
