"""Which rules a proof raises."""

from __future__ import annotations

from ansible_collections.falconet.k8s.plugins.module_utils.k8s_audit.choice import SESSION, chosen
from ansible_collections.falconet.k8s.plugins.module_utils.k8s_audit.requests import REFUSED


def test_without_names_all_that_are_refused_and_on_are_raised() -> None:
    on = dict.fromkeys([*REFUSED, "Another"], True)
    assert chosen([], {**on, REFUSED[0]: False}, 1) == list(REFUSED[1:])
    assert chosen([], {}, 5) == []


def test_sessions_are_opened_as_often_as_is_asked_and_the_rest_once() -> None:
    assert chosen(["A", SESSION, "A"], {}, 3) == ["A", SESSION, SESSION, SESSION]
    assert chosen([SESSION], {}, 0) == [SESSION]
