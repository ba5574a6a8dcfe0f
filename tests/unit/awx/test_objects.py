"""What AWX is to have: the role's catalogue with a site's settings."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.filter.awx_objects import awx_objects
from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import any_option

from ..test_roles import ROOT, defaults

EXAMPLE = ROOT / "docs" / "examples" / "awx"
CATALOGUE = yaml.safe_load((ROOT / "roles" / "awx_objects" / "files" / "catalogue.yml").read_text())


def made(**variables: Any) -> list[dict[str, Any]]:
    given = {**defaults("awx_objects"), "awx_objects_project_url": "https://git.example/site.git", **variables}
    return awx_objects(given)


def by_kind(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {one["name"]: one["fields"] for one in objects if one["kind"] == kind}


def test_everything_of_the_catalogue_is_there() -> None:
    objects = made()
    kinds = list(dict.fromkeys(one["kind"] for one in objects))
    assert kinds == [
        "organization",
        "credential_type",
        "project",
        "inventory",
        "inventory_source",
        "job_template",
        "workflow",
        "node",
        "schedule",
    ]
    assert len(by_kind(objects, "job_template")) == len(CATALOGUE["job_templates"])
    assert len(by_kind(objects, "schedule")) == len(CATALOGUE["schedules"])


def test_playbooks_are_those_of_the_example() -> None:
    # Which are the collection's own behind the answers of the survey.
    for template in by_kind(made(), "job_template").values():
        plays = yaml.safe_load((EXAMPLE / "project" / template["playbook"]).read_text())
        for play in plays:
            imported = play["ansible.builtin.import_playbook"]
            assert (ROOT / "playbooks" / f"{imported.removeprefix('falconet.k8s.')}.yml").is_file()
        if template["survey_spec"]:
            assert plays[0]["ansible.builtin.import_playbook"] == "falconet.k8s.survey"


def test_every_playbook_of_the_example_is_used() -> None:
    used = {f"{template['playbook']}" for template in CATALOGUE["job_templates"]}
    assert used == {path.name for path in (EXAMPLE / "project" / "playbooks").iterdir()}


def test_questions_are_declared_variables_whose_names_are_no_secret() -> None:
    for template in CATALOGUE["job_templates"]:
        for name in template.get("survey", []):
            assert any_option(name)
            assert not re.search(r"password|token|secret|outputs", name)


def test_workflow_goes_from_the_gate_to_the_proof_past_an_approval() -> None:
    nodes = by_kind(made(), "node")
    order = ["gate", "nodes", "falco", "rules", "audit", "approval", "policies", "proof"]
    assert list(nodes) == order
    assert [node["success_nodes"] for node in nodes.values()] == [*([key] for key in order[1:]), []]
    assert nodes["approval"]["approval_node"]["name"] == "falconet Policies may be applied"
    assert nodes["policies"]["unified_job_template"] == "falconet Policies"


def test_site_without_a_job_template_is_without_its_node_and_schedule() -> None:
    objects = made(awx_objects_job_templates_without=["nodes", "drift"])
    nodes = by_kind(objects, "node")
    assert "falconet Nodes" not in by_kind(objects, "job_template")
    assert nodes["gate"]["success_nodes"] == ["falco"]
    assert "falconet Drift every hour" not in by_kind(objects, "schedule")


def test_credentials_are_attached_where_they_are_needed() -> None:
    attached = {"cluster": "kubeconfig", "ssh": "nodes", "vault": ["one", "two"]}
    templates = by_kind(made(awx_objects_attached=attached), "job_template")
    assert templates["falconet Gate"]["credentials"] == []
    assert templates["falconet Nodes"]["credentials"] == ["kubeconfig", "nodes", "one", "two"]
    assert templates["falconet Falco"]["credentials"] == ["kubeconfig", "one", "two"]


def test_credential_of_an_own_type_has_that_type() -> None:
    credentials = [
        {"name": "mine", "type": "Kubeconfig", "inputs": {"kubeconfig": "k"}},
        {"name": "ssh", "type": "Machine"},
    ]
    found = by_kind(made(awx_objects_credentials=credentials), "credential")
    assert found["mine"]["credential_type"] == "falconet Kubeconfig"
    assert found["ssh"] == {"organization": "Default", "credential_type": "Machine", "inputs": {}}


def test_rule_of_a_schedule_is_the_sites_own() -> None:
    weekly = "DTSTART:20260101T000000Z RRULE:FREQ=WEEKLY;INTERVAL=1"
    schedules = by_kind(made(awx_objects_rrules={"proof": weekly, "drift": ""}), "schedule")
    assert schedules["falconet Proof every night"]["rrule"] == weekly
    assert "falconet Drift every hour" not in schedules
    assert by_kind(made(awx_objects_rrules=None), "schedule") == by_kind(made(), "schedule")


def test_project_and_inventory_follow_git_at_each_launch_but_once_a_minute() -> None:
    objects = made(
        awx_objects_project_branch="main", awx_objects_project_credential="git", awx_objects_inventory_path="i"
    )
    project = by_kind(objects, "project")["falconet Site"]
    assert {name: value for name, value in project.items() if name.startswith(("scm_", "credential"))} == {
        "scm_type": "git",
        "scm_url": "https://git.example/site.git",
        "scm_branch": "main",
        "scm_clean": True,
        "scm_update_on_launch": True,
        "scm_update_cache_timeout": 60,
        "credential": "git",
    }
    assert by_kind(objects, "inventory_source")["falconet Project"] == {
        "inventory": "falconet Clusters",
        "source": "scm",
        "source_project": "falconet Site",
        "source_path": "i",
        "overwrite": True,
        "overwrite_vars": True,
        "update_on_launch": True,
        "update_cache_timeout": 60,
    }


def test_what_a_launch_may_ask_and_what_is_switched_on() -> None:
    objects = made()
    asked = ("ask_limit_on_launch", "ask_job_type_on_launch", "ask_diff_mode_on_launch", "survey_enabled")
    template = by_kind(objects, "job_template")["falconet Falco"]
    assert [template[name] for name in (*asked, "diff_mode", "job_type")] == [True] * 4 + [False, "run"]
    drift = by_kind(objects, "job_template")["falconet Drift"]
    assert [drift[name] for name in ("survey_enabled", "diff_mode", "job_type")] == [False, True, "check"]
    (workflow,) = by_kind(objects, "workflow").values()
    assert workflow["ask_limit_on_launch"] is True
    assert {schedule["enabled"] for schedule in by_kind(objects, "schedule").values()} == {True}


def test_project_on_the_disk_of_awx_has_no_source() -> None:
    objects = made(awx_objects_project_url="", awx_objects_project_local_path="site")
    assert by_kind(objects, "project")["falconet Site"]["local_path"] == "site"
    assert by_kind(objects, "inventory_source") == {}


def test_settings_that_do_not_fit_are_told_at_once() -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        made(
            awx_objects_job_templates_without=["node"],
            awx_objects_execution_environment_image="registry.example/ee:1",
            awx_objects_rrules={"proof": "FREQ=DAILY", "nightly": ""},
        )
    assert str(caught.value).splitlines() == [
        "awx_objects_job_templates_without: there is no job template node. Did you mean nodes?",
        "awx_objects_execution_environment: an image needs a name.",
        "awx_objects_rrules: proof must begin with DTSTART, as AWX wants it (or be empty for none).",
        "awx_objects_rrules: there is no schedule nightly. There are proof, drift, release.",
    ]


def test_value_of_another_type_is_told() -> None:
    with pytest.raises(AnsibleFilterError, match=r"awx_objects_credentials.*type: is missing"):
        made(awx_objects_credentials=[{"name": "mine"}])


def test_settings_of_the_example_make_objects() -> None:
    objects = made(**yaml.safe_load((EXAMPLE / "awx.yml").read_text()))
    assert by_kind(objects, "execution_environment")["falconet"]["image"] == "registry.example/falconet-ee:1.0.0"
