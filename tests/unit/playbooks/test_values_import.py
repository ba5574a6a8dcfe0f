"""values_import.yml as people run it: from the output of helm get values to an inventory."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

from ..ansible_playbook import ansible_playbook

ROOT = Path(__file__).resolve().parents[3]
VALUES = "USER-SUPPLIED VALUES:\ndriver: {kind: modern_ebpf}\ncustomRules: {mine.yaml: '- {list: mine, items: [a]}'}\n"


def imported(*arguments: str) -> subprocess.CompletedProcess[str]:
    return ansible_playbook("playbooks/values_import.yml", *arguments)


def test_the_command_of_the_pages_writes_an_inventory(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text(VALUES)
    done = imported("-e", f"values={tmp_path}/values.yaml dest={tmp_path}/mine")
    assert done.returncode == 0, done.stdout + done.stderr
    variables = tmp_path / "mine" / "group_vars" / "clusters" / "falco.yml"
    assert yaml.safe_load(variables.read_text())["falco_driver"] == "modern_ebpf"
    assert (tmp_path / "mine" / "rules" / "mine.yaml").read_text().startswith("- {list: mine")
    assert f"Written: {variables}" in " ".join(done.stdout.split())


def test_what_to_read_and_where_to_write_is_asked_for() -> None:
    done = imported()
    assert done.returncode != 0
    assert "-e values=values.yaml -e dest=inventory/mine" in " ".join((done.stdout + done.stderr).split())
