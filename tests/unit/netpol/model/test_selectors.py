"""A requirement on labels: whom it selects, and how it is told."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.selectors import (
    EVERYTHING,
    Requirement,
    Selector,
    make_selector,
)

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


def test_selectors_that_say_the_same_are_the_same_however_they_are_written() -> None:
    app, tier = Requirement("app", "In", ("a",)), Requirement("tier", "Exists")
    assert make_selector((tier, app, tier)) == make_selector((app, tier)) == Selector((app, tier))
    assert str(make_selector((tier, app))) == "app=a, tier"
    assert make_selector((tier, app)).keys == ("app", "tier")


def test_a_selector_asks_for_all_of_its_requirements_and_the_empty_one_for_nothing() -> None:
    both = Selector((Requirement("app", "In", ("a",)), Requirement("tier", "Exists")))
    assert both.matches({"app": "a", "tier": "x"})
    assert not both.matches({"app": "a"})
    assert EVERYTHING.matches({})
    assert str(EVERYTHING) == "everything"
