"""A rung is for the alerts that have all it asks for, and a ladder is read as it is written or refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.respond.alert import Alert
from ansible_collections.falconet.k8s.plugins.module_utils.respond.errors import RespondError
from ansible_collections.falconet.k8s.plugins.module_utils.respond.ladder import Rung, read_ladder

ALERT = Alert("Shell", "warning", frozenset(["T1059"]), None, "prod", "web-1")


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ({}, True),
        ({"rules": ["Shell", "Other"]}, True),
        ({"rules": ["Other"]}, False),
        ({"priority": "notice"}, True),
        ({"priority": "Warning"}, True),
        ({"priority": "error"}, False),
        ({"tags": ["T1059", "other"]}, True),
        ({"tags": ["other"]}, False),
        ({"namespaces": ["prod", "other"]}, True),
        ({"namespaces": ["other"]}, False),
        ({"rules": ["Shell"], "namespaces": ["other"]}, False),
    ],
)
def test_a_rung_fits_an_alert_that_has_all_it_asks_for(asked: dict[str, Any], fits: bool) -> None:
    (rung,) = read_ladder([{"name": "x", "steps": ["note"], **asked}])
    assert rung.fits(ALERT) is fits


def test_a_rung_is_read_with_its_steps_in_their_order() -> None:
    (rung,) = read_ladder([{"name": "x", "priority": "Error", "steps": ["stop", "note"], "approve": ["stop"]}])
    assert rung == Rung("x", priority="error", steps=("note", "stop"), approve=frozenset(["stop"]))


@pytest.mark.parametrize("data", [[], None, "note", {"name": "x", "steps": ["note"]}])
def test_what_is_no_list_of_rungs_is_refused(data: Any) -> None:
    with pytest.raises(RespondError, match=r"^respond_ladder: a list with at least one rung$"):
        read_ladder(data)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": ""}, "respond_ladder[0].name: a text"),
        ({"name": 5}, "respond_ladder[0].name: a text"),
        ({"tags": [5]}, "respond_ladder[0].tags: a list of texts"),
        ({"tags": "T1059"}, "respond_ladder[0].tags: a list of texts"),
    ],
)
def test_each_part_of_a_rung_is_held_to_its_kind(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(RespondError) as told:
        read_ladder([{"name": "x", "steps": ["note"], **wrong}])
    assert str(told.value) == message
