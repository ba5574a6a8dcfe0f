"""Where roles keep files on the controller where nobody says it: below the directory in which somebody stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ..ansible_playbook import ansible_playbook
from ..test_roles import ROOT

KEPT = ("verify_evidence_directory", "verify_incidents_directory", "respond_directory")


@pytest.mark.parametrize("shell", ["", "/by/a/link"], ids=["by no shell", "by a shell"])
def test_files_are_kept_below_the_directory_that_a_run_is_started_in(tmp_path: Path, shell: str) -> None:
    defaults = [str(ROOT / "roles" / role / "defaults" / "main.yml") for role in ("verify", "respond")]
    told = {"ansible.builtin.debug": {"msg": [f"<{{{{ {name} }}}}>" for name in KEPT]}}
    play = {"hosts": "localhost", "gather_facts": False, "vars_files": defaults, "tasks": [told]}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    done = ansible_playbook("-i", "localhost,", tmp_path / "play.yml", PWD=shell)
    started = shell or str(ROOT)
    places = [f"{started}/{folder}/localhost" for folder in ("evidence", "incidents", "incidents")]
    assert re.findall("<(.+?)>", done.stdout) == places, done.stdout + done.stderr
