"""What preflight refuses before it looks at any host: tags that no play has, sealed files that no password opens."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from ..ansible_playbook import ansible_playbook

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """An inventory with one cluster that nobody will ask, for a variable is misspelt."""
    hosts = {"clusters": {"hosts": {"east": {"ansible_connection": "local", "falco_chart_vresion": "9.1.0"}}}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(hosts))
    (tmp_path / "group_vars" / "clusters").mkdir(parents=True)
    return tmp_path


def preflight(inventory: Path, *arguments: str, playbook: str = "preflight") -> str:
    done = ansible_playbook("-i", inventory / "hosts.yml", f"playbooks/{playbook}.yml", *arguments)
    assert done.returncode != 0, done.stdout + done.stderr
    return " ".join((done.stdout + done.stderr).split())


def sealed(path: Path, text: str, password: str) -> None:
    """A file as ansible-vault encrypt makes it."""
    path.write_text(text)
    key = path.parent.parent.parent / "key"
    key.write_text(password)
    command = ["ansible-vault", "encrypt", "--vault-password-file", str(key), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


NEXT = "did you mean 'falco_chart_version'?"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--tags", "flaco"], "--tags: there is no tag flaco; did you mean falco?"),
        (["--tags", "verify,node-prep"], "--tags: there is no tag node-prep; did you mean node_prep?"),
        (["--skip-tags", "preflght"], "--skip-tags: there is no tag preflght; did you mean preflight?"),
    ],
)
def test_a_tag_that_no_play_has(inventory: Path, arguments: list[str], told: str) -> None:
    said = preflight(inventory, *arguments)
    assert told in said
    assert NEXT not in said


@pytest.mark.parametrize("playbook", ["falco", "falco_rules", "network_policies", "node_prep", "uninstall", "verify"])
def test_a_stage_alone_knows_its_tags(inventory: Path, playbook: str) -> None:
    hosts = yaml.safe_load((inventory / "hosts.yml").read_text())
    hosts["kube_nodes"] = {"hosts": {"worker": {"ansible_connection": "local"}}}
    (inventory / "hosts.yml").write_text(yaml.safe_dump(hosts))
    for option in ("--tags", "--skip-tags"):
        assert f"{option}: there is no tag flaco; did you mean falco?" in preflight(
            inventory, option, "flaco", playbook=playbook
        )


def test_tags_of_ones_own_are_named(inventory: Path) -> None:
    own = json.dumps({"falconet_known_tags": ["mine"]})
    assert NEXT in preflight(inventory, "--tags", "mine", "--extra-vars", own)
    assert NEXT in preflight(inventory, "--tags", "falco", "--skip-tags", "node_prep")


def test_a_sealed_file_that_no_password_opens_is_named(inventory: Path) -> None:
    path = inventory / "group_vars" / "clusters" / "secrets.yml"
    sealed(path, "falco_ui_password: planted\n", "right")
    said = preflight(inventory)
    assert f"{path} is sealed by Ansible Vault, and no password was given that opens it" in said
    assert "--vault-password-file" in said
    (inventory / "wrong").write_text("wrong")
    assert f"{path} is sealed" in preflight(inventory, "--vault-password-file", str(inventory / "wrong"))
    opened = preflight(inventory, "--vault-password-file", str(inventory / "key"))
    assert NEXT in opened
    assert "planted" not in opened


def test_a_sealed_value_that_no_password_opens_names_its_file(inventory: Path) -> None:
    hosts = (inventory / "hosts.yml").read_text()
    (inventory / "hosts.yml").write_text(hosts.replace("falco_chart_vresion", "falco_chart_version"))
    path = inventory / "group_vars" / "clusters" / "secrets.yml"
    sealed(path, "planted", "right")
    path.write_text("falco_ui_password: !vault |\n" + "".join(f"  {line}\n" for line in path.read_text().splitlines()))
    said = preflight(inventory)
    assert "falco_ui_password: sealed by Ansible Vault, and no password was given that opens it" in said
    assert f"Files with sealed values: {path}." in said
    assert "--vault-password-file" in said


def test_words_of_a_message_are_not_taken_for_a_seal(inventory: Path) -> None:
    hosts = (inventory / "hosts.yml").read_text()
    (inventory / "hosts.yml").write_text(hosts.replace("falco_chart_vresion", "falco_chart_version"))
    path = inventory / "group_vars" / "clusters" / "own.yml"
    path.write_text("falco_priority: how to decrypt\nfalco_ui_password: given\n")
    said = preflight(inventory)
    assert "how to decrypt" in said
    assert "sealed by Ansible Vault" not in said
