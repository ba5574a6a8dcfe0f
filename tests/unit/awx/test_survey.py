"""Surveys of AWX out of what roles declare."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.awx.errors import AwxError
from ansible_collections.falconet.k8s.plugins.module_utils.awx.survey import UNANSWERED, question, survey

DECLARED: dict[str, dict[str, Any]] = {
    "a_mode": {
        "type": "str",
        "choices": ["enforce", "audit"],
        "default": "enforce",
        "description": "V(audit) only tells.",
    },
    "a_fail": {
        "type": "bool",
        "default": True,
        "description": ["Whether it fails.", "See M(falconet.k8s.netpol_probe)."],
    },
    "a_seconds": {"type": "int", "description": "Seconds."},
    "a_share": {"type": "float", "description": "A share."},
    "a_names": {"type": "list", "elements": "str", "description": "Names."},
    "a_stages": {"type": "list", "elements": "str", "choices": ["falco", "policies"], "description": "Stages."},
    "a_flows": {"type": "list", "elements": "raw", "description": "Flows."},
    "a_values": {"type": "dict", "description": "Values."},
    "a_name": {"type": "str", "description": "A name."},
    "a_level": {"type": "int", "choices": [1, 2], "description": "A level."},
    "a_rule": {"type": "raw", "description": "A rule."},
    "a_password": {"type": "str", "no_log": True, "description": "A password."},
}

WAYS = (("a_name", False), ("a_name", True), ("a_mode", False))


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a_mode", {"type": "multiplechoice", "choices": [UNANSWERED, "enforce", "audit"], "default": UNANSWERED}),
        ("a_fail", {"type": "multiplechoice", "choices": [UNANSWERED, "true", "false"], "default": UNANSWERED}),
        ("a_seconds", {"type": "integer"}),
        ("a_share", {"type": "float"}),
        ("a_names", {"type": "textarea", "max": 32768}),
        ("a_stages", {"type": "multiselect", "choices": ["falco", "policies"]}),
        ("a_flows", {"type": "textarea", "max": 32768}),
        ("a_values", {"type": "textarea", "max": 32768}),
        ("a_name", {"type": "text", "max": 1024}),
        ("a_level", {"type": "integer"}),
        ("a_rule", {"type": "textarea", "max": 32768}),
    ],
)
def test_form_is_that_of_the_type(name: str, form: dict[str, Any]) -> None:
    asked = question(name, DECLARED[name])
    assert {key: asked[key] for key in asked if key not in ("question_name", "question_description")} == {
        "variable": f"survey_{name}",
        "required": False,
        **form,
    }


def test_no_default_beats_the_inventory() -> None:
    # A default of AWX's survey is an extra variable of each job, also of those that a schedule starts.
    for name, option in DECLARED.items():
        assert question(name, option).get("default", UNANSWERED) == UNANSWERED


def test_required_choice_has_to_be_made() -> None:
    assert question("a_mode", DECLARED["a_mode"], required=True)["choices"] == ["enforce", "audit"]
    assert question("a_mode", DECLARED["a_mode"], required=True)["required"] is True


def test_description_is_the_declared_one() -> None:
    told = question("a_fail", DECLARED["a_fail"])
    assert told["question_name"] == "a_fail"
    assert told["question_description"] == "Whether it fails. See falconet.k8s.netpol_probe."
    assert question("a_names", DECLARED["a_names"])["question_description"] == (
        "Names. One a line. Left empty: as in the inventory."
    )
    assert question("a_flows", DECLARED["a_flows"])["question_description"].startswith("Flows. As YAML or JSON.")
    assert question("a_values", DECLARED["a_values"])["question_description"] == (
        "Values. As YAML or JSON. Left empty: as in the inventory."
    )


def test_description_says_what_an_empty_answer_means_where_there_may_be_one() -> None:
    told = [question(name, DECLARED[name], must)["question_description"] for name, must in WAYS]
    assert told == ["A name. Left empty: as in the inventory.", "A name.", "audit only tells."]


def test_survey_has_the_questions_in_their_order() -> None:
    made = survey("Falco", ["a_name", "a_mode"], ["a_name"], DECLARED.__getitem__)
    assert (made["name"], made["description"]) == ("Falco", "")
    assert [(one["variable"], one["required"]) for one in made["spec"]] == [
        ("survey_a_name", True),
        ("survey_a_mode", False),
    ]


def test_nothing_asked_is_no_survey() -> None:
    assert survey("Preflight", [], [], DECLARED.__getitem__) == {}


def test_what_cannot_be_asked_is_told_at_once() -> None:
    with pytest.raises(AwxError) as caught:
        survey("Falco", ["a_nmae", "a_password"], ["a_mode"], DECLARED.__getitem__)
    assert caught.value.problems == [
        "a_mode: is required and not asked for.",
        "a_nmae: no role declares it.",
        "a_password: is secret. Secrets come by credentials, not by surveys.",
    ]
