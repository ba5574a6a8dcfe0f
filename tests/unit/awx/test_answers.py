"""Answers of a survey become the roles' variables, with their types."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.awx.answers import read_answers
from ansible_collections.falconet.k8s.plugins.module_utils.awx.errors import AwxError
from ansible_collections.falconet.k8s.plugins.module_utils.awx.survey import UNANSWERED, question
from hypothesis import given
from hypothesis import strategies as st

from .test_survey import DECLARED


def read(**answers: Any) -> dict[str, Any]:
    named = {f"survey_{name}": value for name, value in answers.items()}
    return read_answers(named, DECLARED.__getitem__, DECLARED)


@pytest.mark.parametrize(
    ("name", "answer", "value"),
    [
        ("a_mode", "audit", "audit"),
        ("a_fail", "false", False),
        ("a_fail", "true", True),
        ("a_seconds", 5, 5),
        ("a_seconds", "5", 5),
        ("a_share", 0.5, 0.5),
        ("a_names", "one", ["one"]),
        ("a_names", "one\n two \n\n", ["one", "two"]),
        ("a_names", "one, two", ["one", "two"]),
        ("a_names", "- one\n- two\n", ["one", "two"]),
        ("a_names", '["one, two"]', ["one, two"]),
        ("a_stages", ["falco"], ["falco"]),
        ("a_flows", "- name: f\n  ports: [80]\n", [{"name": "f", "ports": [80]}]),
        ("a_flows", '[{"name": "f"}]', [{"name": "f"}]),
        ("a_values", "falco:\n  tty: true\n", {"falco": {"tty": True}}),
        ("a_values", '{"falco": {"tty": true}}', {"falco": {"tty": True}}),
        ("a_name", "007", "007"),
        ("a_name", "a: b", "a: b"),
        ("a_name", "- a", "- a"),
        ("a_level", "2", 2),
        ("a_rule", "5", 5),
        ("a_rule", "a: [b]", {"a": ["b"]}),
        ("a_name", "{{ 1 + 1 }}", "{{ 1 + 1 }}"),
    ],
)
def test_answer_has_the_declared_type(name: str, answer: Any, value: Any) -> None:
    found = read(**{name: answer})[name]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("answer", ["", "  \n", UNANSWERED, [], None])
@pytest.mark.parametrize("name", [name for name in DECLARED if name != "a_password"])
def test_what_was_left_as_it_was_stays_as_in_the_inventory(name: str, answer: Any) -> None:
    assert read(**{name: answer}) == {}


def test_other_variables_are_left_alone() -> None:
    assert read_answers({"a_mode": "audit", "awx_job_id": 7}, DECLARED.__getitem__, DECLARED) == {}


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(AwxError) as caught:
        read(a_mode="enforced", a_seconds="soon", a_nmae="x", a_password="s3cret", a_values="{", a_flows="just\nwords")
    assert caught.value.problems == [
        "survey_a_flows: must be a list, or one as JSON, not a string that is none.",
        "survey_a_mode: must be one of enforce, audit, not 'enforced'. Did you mean enforce?",
        "survey_a_nmae: no role declares a_nmae. Did you mean survey_a_name?",
        "survey_a_password: a_password is secret. Secrets come by credentials, not by surveys.",
        "survey_a_seconds: must be a whole number, not a string that is none.",
        "survey_a_values: must be a mapping, or one as JSON, not a string that is none.",
    ]
    assert "s3cret" not in str(caught.value)


@given(st.sampled_from(sorted(DECLARED)), st.text() | st.integers() | st.floats() | st.lists(st.text()))
def test_any_answer_has_its_type_or_is_told(name: str, answer: Any) -> None:
    types = {"bool": bool, "int": int, "float": float, "str": str, "list": list, "dict": dict, "raw": object}
    try:
        found = read(**{name: answer})
    except AwxError as error:
        assert all(problem.startswith("survey_") for problem in error.problems)
        return
    for value in found.values():
        assert isinstance(value, types[DECLARED[name]["type"]])


def test_each_choice_of_a_question_is_an_answer() -> None:
    for name, option in DECLARED.items():
        for choice in question(name, option).get("choices", []):
            answer = [choice] if option["type"] == "list" else choice
            assert read(**{name: answer}) or choice == UNANSWERED
