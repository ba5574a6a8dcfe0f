"""What AWX lacks or has otherwise, by object and field."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.awx.compare import differences

from .test_objects import made

NAMED = {
    "organization",
    "credential_type",
    "credential",
    "execution_environment",
    "project",
    "inventory",
    "source_project",
    "unified_job_template",
    "workflow_job_template",
}
CREDENTIALS = [{"name": "mine", "type": "Kubeconfig", "inputs": {"kubeconfig": "planted-secret"}}]


def wanted() -> list[dict[str, Any]]:
    return made(
        awx_objects_credentials=CREDENTIALS,
        awx_objects_attached={"cluster": "mine", "ssh": "nodes"},
        awx_objects_execution_environment="ee",
        awx_objects_execution_environment_image="registry.example/ee:1",
    )


def as_the_api_tells(objects: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The objects in the API's form: related ones as ids, with their names in summary_fields."""
    ids = {one["name"]: number for number, one in enumerate(objects) if one["kind"] == "node"}
    found = []
    for number, one in enumerate(objects):
        item: dict[str, Any] = {"id": number, "name": one["name"], "summary_fields": {}}
        if one["kind"] == "node":
            item["identifier"] = one["name"]
        for field, value in copy.deepcopy(one["fields"]).items():
            if field in NAMED:
                item[field] = 1 if value else None
                item["summary_fields"] |= {field: {"name": value}} if value else {}
            elif field == "credentials":
                item["summary_fields"]["credentials"] = [{"name": name} for name in reversed(value)]
            elif field == "success_nodes":
                item["success_nodes"] = [ids[name] for name in value]
            elif field == "approval_node":
                item["summary_fields"]["unified_job_template"] = value
            elif field == "inputs" and one["kind"] == "credential":
                item["inputs"] = {"kubeconfig": "$encrypted$"}
            else:
                item[field] = value
        found.append([item])
    return found


def at(objects: list[dict[str, Any]], kind: str, name: str) -> int:
    return next(number for number, one in enumerate(objects) if (one["kind"], one["name"]) == (kind, name))


def test_what_is_as_wanted_has_no_difference() -> None:
    assert differences(wanted(), as_the_api_tells(wanted())) == []


def test_what_is_missing_is_named() -> None:
    objects = wanted()
    found = as_the_api_tells(objects)
    found[at(objects, "job_template", "falconet Falco")] = []
    (told,) = differences(objects, found)
    assert (told["message"], told["field"]) == ("job template 'falconet Falco' is missing.", None)


@pytest.mark.parametrize(
    ("kind", "name", "changed", "message"),
    [
        (
            "job_template",
            "falconet Falco",
            {"playbook": "falco.yml"},
            'job template \'falconet Falco\': playbook is "falco.yml", must be "playbooks/falco.yml".',
        ),
        (
            "job_template",
            "falconet Falco",
            {"survey_spec": {}},
            "job template 'falconet Falco': survey_spec is {}, must be {",
        ),
        (
            "schedule",
            "falconet Proof every night",
            {"enabled": False},
            "schedule 'falconet Proof every night': enabled is false, must be true.",
        ),
        ("node", "gate", {"success_nodes": []}, "node 'gate': success_nodes is [], must be [\"nodes\"]."),
        ("node", "gate", {"success_nodes": [9999]}, 'node \'gate\': success_nodes is ["9999"], must be ["nodes"].'),
        (
            "credential_type",
            "falconet Kubeconfig",
            {"injectors": {}},
            "credential type 'falconet Kubeconfig': injectors is {}, must be {",
        ),
        (
            "credential_type",
            "falconet Kubeconfig",
            {"inputs": {}},
            "credential type 'falconet Kubeconfig': inputs is {}, must be {",
        ),
    ],
)
def test_field_that_differs_is_told(kind: str, name: str, changed: dict[str, Any], message: str) -> None:
    objects = wanted()
    found = as_the_api_tells(objects)
    found[at(objects, kind, name)][0] |= changed
    (told,) = differences(objects, found)
    assert told["message"].startswith(message)


@pytest.mark.parametrize(("letters", "shown"), [(118, "x" * 118 + '"'), (119, "x" * 116 + "...")])
def test_value_of_more_than_120_characters_is_cut_in_the_message(letters: int, shown: str) -> None:
    one = {"kind": "project", "name": "p", "fields": {"scm_url": "x" * letters}}
    (told,) = differences([one], [[{"scm_url": ""}]])
    assert told["message"] == f'project \'p\': scm_url is "", must be "{shown}.'
    assert told["wanted"] == "x" * letters


@pytest.mark.parametrize(
    ("field", "should", "has", "same"),
    [
        ("scm_type", "manual", "", True),  # as AWX calls a project on its own disk
        ("scm_type", "manual", "git", False),
        ("scm_type", "git", "git", True),
        ("scm_type", "git", "", False),
        ("survey_spec", {}, None, True),
        ("survey_spec", {}, {"spec": []}, False),
    ],
)
def test_what_awx_says_otherwise_is_the_same(field: str, should: Any, has: Any, same: bool) -> None:
    one = {"kind": "project", "name": "p", "fields": {field: should}}
    assert (differences([one], [[{field: has}]]) == []) is same


def test_keys_of_a_value_are_told_in_one_order() -> None:
    one = {"kind": "project", "name": "p", "fields": {"options": {"b": 1, "a": 2}}}
    (told,) = differences([one], [[{"options": {"c": 1, "b": 1}}]])
    assert told["message"] == 'project \'p\': options is {"b": 1, "c": 1}, must be {"a": 2, "b": 1}.'


@pytest.mark.parametrize(
    ("kind", "name", "field", "related"),
    [
        ("job_template", "falconet Falco", "execution_environment", {}),
        ("job_template", "falconet Falco", "project", {"project": {"name": "other"}}),
        ("job_template", "falconet Falco", "credentials", {"credentials": [{"name": "mine"}, {"name": "more"}]}),
        ("node", "approval", "approval_node", {"unified_job_template": {"name": "Go on", "description": ""}}),
    ],
)
def test_related_object_that_differs_is_told(kind: str, name: str, field: str, related: dict[str, Any]) -> None:
    objects = wanted()
    found = as_the_api_tells(objects)
    item = found[at(objects, kind, name)][0]
    item["summary_fields"].pop(field, None)
    item["summary_fields"] |= related
    (told,) = differences(objects, found)
    assert told["field"] == field


def test_inputs_of_credentials_are_neither_compared_nor_told() -> None:
    objects = wanted()
    found = as_the_api_tells(objects)
    for number, one in enumerate(objects):
        if one["kind"] == "credential":
            found[number][0]["summary_fields"] = {}
    told = differences(objects, found)
    assert {one["field"] for one in told} == {"organization", "credential_type"}
    assert "planted-secret" not in str(told)
