"""A requirement on labels: whom it selects, and how it is told."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.selectors import Requirement

LABELS = [{}, {"app": "a"}, {"app": "b"}, {"app": "c"}, {"other": "a"}]


@pytest.mark.parametrize(
    ("operator", "values", "selected", "text"),
    [
        ("In", ("a",), [1], "app=a"),
        ("In", ("a", "b"), [1, 2], "app in (a, b)"),
        ("NotIn", ("a",), [0, 2, 3, 4], "app notin (a)"),
        ("NotIn", ("a", "b"), [0, 3, 4], "app notin (a, b)"),
        ("Exists", (), [1, 2, 3], "app"),
        ("DoesNotExist", (), [0, 4], "!app"),
    ],
)
def test_each_operator(operator: str, values: tuple[str, ...], selected: list[int], text: str) -> None:
    requirement = Requirement("app", operator, values)
    assert [number for number, labels in enumerate(LABELS) if requirement.matches(labels)] == selected
    assert str(requirement) == text
