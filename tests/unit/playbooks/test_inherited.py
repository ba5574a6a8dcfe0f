"""What tasks of all hosts need is read in the process that Ansible's workers are forked of, not by each of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ..ansible_playbook import ansible_playbook

ROOT = Path(__file__).resolve().parents[3]
# Of a worker, before it has imported anything itself.
LOOKUP = """
import sys
from ansible.plugins.lookup import LookupBase

class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        plugins = "ansible_collections.falconet.k8s.plugins."
        filters = sorted(name for name in sys.modules if name.startswith(plugins + "filter."))
        specs = sys.modules.get(plugins + "plugin_utils.role_specs")
        return [f"{len(filters)} files of filters, {specs.role_options.cache_info().currsize if specs else 0} roles"]
"""


@pytest.mark.parametrize("playbook", ["node_prep", "on_clusters", "preflight"])
def test_filters_and_what_roles_declare_are_read_once_for_all_hosts(tmp_path: Path, playbook: str) -> None:
    plays = yaml.safe_load((ROOT / "playbooks" / f"{playbook}.yml").read_text())
    keyword = next(play["max_fail_percentage"] for play in plays if "max_fail_percentage" in play)
    (tmp_path / "lookup_plugins").mkdir()
    (tmp_path / "lookup_plugins" / "inherited.py").write_text(LOOKUP)
    task = {"debug": {"msg": "{{ lookup('inherited') }}"}}
    play = {"hosts": "all", "gather_facts": False, "max_fail_percentage": keyword, "tasks": [task]}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    done = ansible_playbook("-i", "a,", "-c", "local", tmp_path / "play.yml")
    filters = len(list((ROOT / "plugins" / "filter").glob("*.py")))
    roles = len(list((ROOT / "roles").glob("*/meta/argument_specs.yml")))
    assert f"{filters} files of filters, {roles} roles" in done.stdout, done.stdout + done.stderr


def test_no_play_reads_a_file_for_each_task_of_each_host() -> None:
    """Ansible reads vars_files anew whenever it puts the variables of a host together for a task."""
    plays = [play for path in (ROOT / "playbooks").glob("*.yml") for play in yaml.safe_load(path.read_text())]
    assert len(plays) > 20
    assert [play["name"] for play in plays if "vars_files" in play] == []


def test_nodes_are_not_handed_what_the_role_declares_once_it_was_compared() -> None:
    """Ansible's own comparison of a role's variables keeps that for each node until the last one has answered."""
    (play,) = yaml.safe_load((ROOT / "playbooks" / "node_prep.yml").read_text())
    assert "roles" not in play
    known, unknown = (task for task in play["tasks"] if "ansible.builtin.include_role" in task)
    assert known["ansible.builtin.include_role"]["rolespec_validate"] is False
    assert known["when"] == "__falconet_compared is defined"
    assert "rolespec_validate" not in unknown["ansible.builtin.include_role"]
    assert unknown["when"] == "__falconet_compared is not defined"
    registered = (ROOT / "playbooks" / "tasks" / "variables.yml").read_text()
    assert "register: __falconet_compared\n" in registered
