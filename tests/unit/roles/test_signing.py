"""Role verify signs the report on request: an auditor can check it, a changed one is refused, and no key is shown."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from ..ansible_playbook import ansible_playbook
from ..test_roles import ROOT


@pytest.fixture
def key(tmp_path: Path) -> Path:
    made = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(made)], check=True, timeout=60)
    public = (tmp_path / "key.pub").read_text()
    (tmp_path / "allowed_signers").write_text(f"falconet {public}")
    (tmp_path / "report.json").write_text("{}\n")
    return made


def sign(folder: Path, key: Path) -> subprocess.CompletedProcess[str]:
    (task,) = [
        task
        for task in yaml.safe_load((ROOT / "roles" / "verify" / "tasks" / "report.yml").read_text())
        if task.get("ansible.builtin.include_tasks") == "sign.yml"
    ]
    task["ansible.builtin.include_tasks"] = str(ROOT / "roles" / "verify" / "tasks" / "sign.yml")
    given = {"verify_evidence_directory": str(folder), "verify_signing_key": str(key)}
    given["ansible_python_interpreter"] = "{{ ansible_playbook_python }}"
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": given, "tasks": [task]}
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    return ansible_playbook("-i", "localhost,", folder / "play.yml", "-vvv", SSH_AUTH_SOCK="")


def accepted(folder: Path, namespace: str = "falconet.k8s") -> bool:
    signature = str(folder / "report.json.sig")
    argv = ["ssh-keygen", "-Y", "verify", "-f", str(folder / "allowed_signers"), "-I", "falconet"]
    with (folder / "report.json").open() as report:
        done = subprocess.run([*argv, "-n", namespace, "-s", signature], stdin=report, capture_output=True, timeout=60)
    return done.returncode == 0


def test_a_report_is_signed_and_a_changed_one_is_refused(tmp_path: Path, key: Path) -> None:
    done = sign(tmp_path, key)
    assert done.returncode == 0, done.stdout
    secret = "".join(line for line in key.read_text().splitlines() if "-----" not in line)
    assert secret[:40] not in done.stdout + done.stderr
    assert accepted(tmp_path)
    assert not accepted(tmp_path, "another")
    (tmp_path / "report.json").write_text('{"verdict": "passed"}\n')
    assert not accepted(tmp_path)
    # The role removes the signature of the report of before when it writes the next one; ssh-keygen overwrites none.
    (tmp_path / "report.json.sig").unlink()
    assert sign(tmp_path, key).returncode == 0
    assert accepted(tmp_path)


def test_a_key_that_cannot_be_used_ends_the_run_at_once(tmp_path: Path, key: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "planted-words", "-f", str(key)], check=True, timeout=60)
    done = sign(tmp_path, key)
    assert done.returncode != 0
    assert not (tmp_path / "report.json.sig").exists()
