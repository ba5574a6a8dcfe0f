"""Login by user name and password: a token for the play, revoked whatever happens, and neither in any output."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ..ansible_playbook import ansible_playbook
from .oauth_server import OAuth, oauth_server

ROOT = Path(__file__).resolve().parents[3]
PLAYBOOKS = ROOT / "playbooks"
PASSWORD, TOKEN = "planted-password", "sha256~planted-token"


@pytest.fixture
def oauth(tmp_path: Path) -> Iterator[OAuth]:
    with oauth_server({"admin": PASSWORD}, TOKEN, tmp_path) as server:
        yield server


def play(tmp_path: Path, oauth: OAuth, task: dict[str, object], **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one task between login and logout, as the stages' playbooks do."""
    (stage,) = yaml.safe_load((PLAYBOOKS / "on_clusters.yml").read_text())
    stage["vars"] = {"__falconet_title": "Tried"}
    (block,) = yaml.safe_load((PLAYBOOKS / "tasks" / "logged_in.yml").read_text())
    login, _work = block["block"]
    (logout,) = block["always"]
    for task_file, way in ((login, "import"), (logout, "include")):
        task_file[f"ansible.builtin.{way}_tasks"] = str(PLAYBOOKS / "tasks" / task_file[f"ansible.builtin.{way}_tasks"])
    block["block"] = [login, task]
    stage["tasks"] = [block]
    stage.pop("module_defaults")
    (tmp_path / "play.yml").write_text(yaml.safe_dump([{**stage, "hosts": "localhost", "connection": "local"}]))
    python = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    given = {
        **python,
        "cluster_host": oauth.url,
        "cluster_ca_cert": oauth.ca_file,
        "cluster_username": "admin",
        "cluster_password": PASSWORD,
        **variables,
    }
    (tmp_path / "vars.json").write_text(json.dumps(given))
    return ansible_playbook("-i", "localhost,", tmp_path / "play.yml", "-e", f"@{tmp_path / 'vars.json'}", "-vvv")


USE: dict[str, object] = {
    "name": "Used",
    "ansible.builtin.assert": {"that": "__falconet_token | length == 20", "quiet": True},
}


def test_the_token_is_used_and_revoked_and_never_shown(tmp_path: Path, oauth: OAuth) -> None:
    done = play(tmp_path, oauth, USE)
    assert done.returncode == 0, done.stdout
    assert oauth.given == [TOKEN]
    assert oauth.revoked == [oauth.object_name()]
    assert "changed=0" in done.stdout
    assert PASSWORD not in done.stdout + done.stderr
    assert TOKEN not in done.stdout + done.stderr


def test_the_token_is_revoked_when_the_stage_fails(tmp_path: Path, oauth: OAuth) -> None:
    done = play(tmp_path, oauth, {"name": "Broken", "ansible.builtin.fail": {"msg": "no such thing"}})
    assert done.returncode != 0
    assert oauth.revoked == [oauth.object_name()]
    assert TOKEN not in done.stdout + done.stderr


def test_a_wrong_password_names_the_user_and_not_the_password(tmp_path: Path, oauth: OAuth) -> None:
    done = play(tmp_path, oauth, USE, cluster_password="planted-wrong")
    assert done.returncode != 0
    assert f"admin could not log in at {oauth.url}: Authorization failed." in " ".join(done.stdout.split())
    assert oauth.given == oauth.revoked == []
    assert "planted-wrong" not in done.stdout + done.stderr


def test_a_token_that_cannot_be_revoked_is_told_and_is_no_failure(tmp_path: Path, oauth: OAuth) -> None:
    oauth.refuse_revocation = True
    done = play(tmp_path, oauth, USE)
    assert done.returncode == 0, done.stdout
    assert "could not be revoked" in done.stdout
    assert TOKEN not in done.stdout + done.stderr


def test_the_play_on_clusters_logs_out_in_any_case() -> None:
    (play,) = yaml.safe_load((PLAYBOOKS / "on_clusters.yml").read_text())
    *_asked_first, work = play["tasks"]
    assert "'logged_in' if cluster_username is defined" in work["ansible.builtin.include_tasks"]
    (block,) = yaml.safe_load((PLAYBOOKS / "tasks" / "logged_in.yml").read_text())
    assert block["block"][0]["ansible.builtin.import_tasks"] == "login.yml"
    assert block["always"][-1]["ansible.builtin.include_tasks"] == "logout.yml"
    assert "__falconet_token" in play["module_defaults"]["group/kubernetes.core.helm"]["api_key"]


@pytest.mark.parametrize("stage", ["falco", "falco_rules", "network_policies", "preflight", "uninstall", "verify"])
def test_every_stage_on_clusters_is_in_the_frame(stage: str) -> None:
    plays = yaml.safe_load((PLAYBOOKS / f"{stage}.yml").read_text())
    imported = [play["ansible.builtin.import_playbook"] for play in plays if "hosts" not in play]
    assert [playbook for playbook in imported if playbook != "together.yml"] == ["on_clusters.yml"]
    assert [play for play in plays if play.get("hosts") == "clusters"] == []
