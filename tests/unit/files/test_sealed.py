"""What a vault sealed: files are found where Ansible would read them, variables that no password opens are named."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible.parsing.vault import AnsibleVaultError, VaultLib, VaultSecret
from ansible_collections.falconet.k8s.plugins.filter.sealed_files import sealed_files, unopened_variables

ROOT = Path(__file__).resolve().parents[3]
WHOLE = "$ANSIBLE_VAULT;1.1;AES256\n3636\n"
INLINE = "token: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3636\n"


def test_sealed_files_are_found_by_groups_and_hosts(tmp_path: Path) -> None:
    contents = {
        "group_vars/clusters/secret.yml": WHOLE,
        "group_vars/clusters/plain.yml": "a: 1\n",
        "group_vars/clusters/deep/er.yml": INLINE,
        "group_vars/workers.yml": WHOLE,
        "group_vars/strangers.yml": WHOLE,
        "host_vars/n1": WHOLE,
        "host_vars/n9.yml": WHOLE,
        "other/secret.yml": WHOLE,
    }
    for name, text in contents.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "hosts.yml").write_text("{}")
    sources = [str(tmp_path / "hosts.yml"), str(tmp_path), "n1,", str(tmp_path / "nowhere")]
    found = sealed_files(sources, ["all", "clusters", "workers"], ["n1"])
    assert found == [
        {"path": str(tmp_path / "group_vars/clusters/deep/er.yml"), "whole": False},
        {"path": str(tmp_path / "group_vars/clusters/secret.yml"), "whole": True},
        {"path": str(tmp_path / "group_vars/workers.yml"), "whole": True},
        {"path": str(tmp_path / "host_vars/n1"), "whole": True},
    ]


def test_variables_that_no_password_opens_are_named_whatever_holds_the_value(tmp_path: Path) -> None:
    cipher = VaultLib([("default", VaultSecret(b"right"))]).encrypt("planted").decode()
    sealed = "!vault |\n" + "".join(f"        {line}\n" for line in cipher.splitlines())
    variables = {"own_text": "how to decrypt", "own_template": "{{ own_secret }}", "own_broken": "{{ nowhere }}"}
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text(
        f"{yaml.safe_dump(variables)}own_secret: {sealed}own_deep:\n  - inner:\n      {sealed}other: {sealed}"
    )
    (tmp_path / "key").write_text("right")
    (tmp_path / "play.yml").write_text(
        "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - ansible.builtin.debug:\n"
        '        msg: "names({{ hostvars.localhost'
        " | falconet.k8s.unopened_variables(query('ansible.builtin.varnames', '^own_') | sort) | join(' ') }})\"\n"
    )

    def found(*arguments: str) -> list[str]:
        command = ["ansible-playbook", "-i", "localhost,", "-c", "local", str(tmp_path / "play.yml"), *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
        said = re.search(r"names\((.*)\)", done.stdout)
        assert said, done.stdout
        return said.group(1).split()

    assert found() == ["own_deep", "own_secret", "own_template"]
    assert found("--vault-password-file", str(tmp_path / "key")) == []


class _Sealed:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def __str__(self) -> str:
        raise self.error


@pytest.mark.parametrize(("error", "named"), [(AnsibleVaultError("x"), True), (ValueError("cannot decrypt"), False)])
def test_the_error_s_type_decides(error: Exception, named: bool) -> None:
    assert unopened_variables({"a": [{"b": _Sealed(error)}]}, ["a", "absent"]) == (["a"] if named else [])
