"""Of an alert are read its tags, where they are a list, and an incident's name that has one length."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.respond.alert import read_alert

ALERT = {"rule": "Shell", "priority": "Warning"}


@pytest.mark.parametrize(
    ("tags", "read"),
    [
        (["T1059", "{{ x }}", 5], {"T1059", "(( x ))", "5"}),
        ([], set()),
        ("shell", set()),
        ({"a": 1}, set()),
        (5, set()),
    ],
)
def test_tags_are_those_of_a_list(tags: Any, read: set[str]) -> None:
    assert read_alert({**ALERT, "tags": tags}).tags == read


def test_an_incident_has_twelve_digits() -> None:
    found = read_alert(ALERT).incident
    assert len(found) == 12
    assert int(found, 16)
