"""From a module's options to a question with types, and what is told of options that cannot be right."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.probe.options import ARGUMENTS
from ansible_collections.falconet.k8s.plugins.module_utils.probe.question import Question, QuestionError, question_of

CELL = {"from": "a/Pod/x", "to": "b/Pod/y", "port": 80, "allowed": True}


def ask(check_mode: bool = False, **options: Any) -> Question:
    return question_of({**{name: one.get("default") for name, one in ARGUMENTS.items()}, **options}, check_mode)


def test_the_defaults_ask_for_nothing() -> None:
    question = ask()
    assert (question.canary, question.method, question.wish.required, question.wish.ports) == (False, "auto", (), None)
    assert (question.violation_fails, question.unproven_fails, question.needs_pods) == (True, False, False)
    assert question.wish.families == (4, 6)
    with pytest.raises(dataclasses.FrozenInstanceError):
        question.method = "node"  # type: ignore[misc]  # what mypy refuses must fail at run time, too


def test_options_arrive_where_they_are_used() -> None:
    question = ask(
        required_flows=[{"name": "one", "to": {"namespace": "a"}}],
        expected_matrix=[{**CELL, "protocol": "udp", "allowed": "False"}],
        image="i",
        image_pull_secrets=["s"],
        work_namespace="w",
        udp_payload="hello",
        connect_timeout=5,
        concurrency=7,
        on_violation="report",
        on_unproven="fail",
    )
    assert [flow.name for flow in question.wish.required] == ["one"]
    (cell,) = question.wish.matrix
    assert (cell.where, cell.source, cell.protocol, cell.port, cell.allowed) == (
        "expected_matrix[0]",
        "a/Pod/x",
        "UDP",
        80,
        False,
    )
    assert (question.own_pods.image, question.own_pods.namespace, question.own_pods.pull_secrets) == ("i", "w", ("s",))
    assert (question.attempts.wait_seconds, question.attempts.bound, question.attempts.payload) == (5, 7, b"hello")
    assert (question.violation_fails, question.unproven_fails) == (False, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"connect_timeout": 0}, "connect_timeout must be 1 or more, not 0"),
        ({"concurrency": -1}, "concurrency must be 1 or more, not -1"),
        ({"parallel": 0}, "parallel must be 1 or more, not 0"),
        ({"deadline_seconds": 0}, "deadline_seconds must be 1 or more, not 0"),
        ({"settle_seconds": -0.5}, "settle_seconds must be 0 or more, not -0.5"),
        ({"pods_per_workload": -1}, "pods_per_workload must be 0 or more, not -1"),
        ({"required_flows": [{"form": {}}]}, "required_flows[0]"),
        ({"forbidden_flows": [{"ports": ["x y"]}]}, "forbidden_flows[0].ports[0]"),
        ({"flows": [3]}, "flows[0]"),
        ({"ports": ["0"]}, "ports[0]"),
        ({"expected_matrix": [CELL, {**CELL, "to": None}]}, "expected_matrix[1]: to is missing"),
        ({"expected_matrix": [{**CELL, "port": "http"}]}, "expected_matrix[0].port: must be a number from 1 to 65535"),
        ({"expected_matrix": [{**CELL, "port": 65536}]}, "not '65536'"),
        ({"expected_matrix": [{**CELL, "protocol": "icmp"}]}, "must be one of TCP, UDP, SCTP, not 'ICMP'"),
        ({"expected_matrix": [{**CELL, "allowed": "perhaps"}]}, "allowed: must be true or false, not 'perhaps'"),
    ],
)
def test_what_cannot_be_right_is_told_with_its_name(options: dict[str, Any], message: str) -> None:
    with pytest.raises(QuestionError) as error:
        ask(**options)
    assert message in error.value.message


@pytest.mark.parametrize(
    ("options", "method", "needs_pods"),
    [
        ({"method": "auto", "listen": True}, "exec", False),
        ({"method": "exec", "listen": True}, "exec", False),
        ({"method": "node"}, "node", True),
        ({"method": "pod"}, "pod", True),
        ({"question": "enforcement"}, "exec", True),
    ],
)
def test_check_mode_starts_nothing(options: dict[str, Any], method: str, needs_pods: bool) -> None:
    question = ask(True, **options)
    assert (question.method, question.listen, question.needs_pods) == (method, False, needs_pods)
    assert ask(False, listen=True).listen
