"""The filters falco_changes, falco_manifests and falco_way_back: from Helm's records to a plan, and
the words where that failed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.filter.falco_changes import FilterModule

from .role import answer, falco_plan, given
from .test_plan import CHARTS

FILTERS = FilterModule().filters()


def planned(**variables: Any) -> dict[str, Any]:
    plan: dict[str, Any] = falco_plan(given(**variables), answer(), charts=CHARTS)
    return plan


def deployed(plan: dict[str, Any], **changed: Any) -> list[dict[str, Any]]:
    """What Helm has recorded where it has done just that."""
    return [
        {
            "name": one["name"],
            "beside": one["name"] != "falco",
            "release": {"revision": 3, "chart": one["chart"], "values": one["values"], **changed},
            "unfinished": [],
        }
        for one in plan["releases"]
    ]


class Lazy(dict[str, Any]):
    """As the mappings that ansible-core gives filters since 2.19: nobody else may make one."""

    def __init__(self, *given: Any) -> None:
        raise TypeError("Ansible alone makes lazy containers.")

    @classmethod
    def of(cls, value: Any) -> Any:
        if isinstance(value, list):
            return [cls.of(item) for item in value]
        if not isinstance(value, dict):
            return value
        made = cls.__new__(cls)
        made.update({key: cls.of(item) for key, item in value.items()})
        return made


def changes(plan: dict[str, Any], looks: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = FILTERS["falco_changes"](Lazy.of(plan), Lazy.of(looks))
    return found


@pytest.mark.parametrize(
    ("changed", "install"), [({}, []), ({"chart": "falco-9.0.0"}, ["falco"]), ({"values": {"a": 2}}, ["falco"])]
)
def test_a_release_is_installed_where_chart_or_values_differ(changed: dict[str, Any], install: list[str]) -> None:
    found = changes(planned(), deployed(planned(), **changed))
    assert [one["name"] for one in found["install"]] == install
    assert [one["deployed"]["revision"] for one in found["install"]] == [3] * len(install)
    assert found["remove"] == found["recover"] == found["moving"] == []


def test_what_is_not_there_is_installed() -> None:
    looks = [{"name": "falco", "beside": False, "release": None, "unfinished": [{"revision": 1}]}]
    found = changes(planned(), looks)
    assert found["install"] == [{**planned()["releases"][0], "deployed": None}]
    assert found["recover"] == ["falco"]
    assert found["moving"] == []


def test_what_nobody_wants_goes_and_is_not_recovered() -> None:
    left = {"name": "falco-old", "beside": True, "release": {"revision": 1}, "unfinished": [{"revision": 2}]}
    found = changes(planned(), [*deployed(planned()), left])
    assert found["remove"] == [left]
    assert found["recover"] == []


def test_workloads_move_where_falcosidekick_gets_a_release_of_its_own_or_loses_it() -> None:
    own, chart = planned(sidekick_release="own"), planned()
    names = ["falco-falcosidekick", "falco-falcosidekick-ui", "falco-falcosidekick-ui-redis"]
    absent = {"name": names[0], "beside": False, "release": None, "unfinished": []}
    assert changes(own, [*deployed(chart), absent])["moving"] == names
    assert changes(own, deployed(own))["moving"] == []
    assert changes(chart, deployed(own))["moving"] == names
    first = {"name": "falco", "beside": False, "release": None, "unfinished": []}
    assert changes(own, [first, absent])["moving"] == []


def told(changed: bool = True, roll_back: bool = True, **steps: Any) -> list[str]:
    found = {"rolled_back": {"skipped": True}, "uninstalled": {}, "returned": {}, **steps}
    words: str = FILTERS["falco_way_back"]("A pod crashed.", "here", changed, roll_back, found)
    assert words.startswith("Falco did not come up on here.\nA pod crashed.\n")
    return words.splitlines()[2:]


def test_what_was_taken_back_is_told() -> None:
    item = {"name": "falco", "deployed": {"revision": 4}}
    back = {"results": [{"changed": True, "item": item}, {"changed": False, "item": item}]}
    first = {"results": [{"changed": True, "item": {"name": "a"}}, {"item": {"name": "b"}}]}
    again = {"results": [{"changed": True, "item": {"name": "c", "release": {"revision": 2}}}]}
    assert told(rolled_back=back, uninstalled=first, returned=again) == [
        "falco: It was rolled back to revision 4.",
        "falco: It had not changed.",
        "a: It was the first installation and has been uninstalled.",
        "b: It had not been installed.",
        "c: It is there again, as revision 2 was.",
        "Secrets are as before this run.",
    ]


def test_what_was_not_taken_back_is_told() -> None:
    assert told(changed=False) == ["The releases were already so before this run; nothing was taken back."]
    assert told(roll_back=False) == ["The releases are left as they are (falco_rollback_on_failure is false)."]
    failed = {"results": [{"failed": True, "msg": "no route"}, {"failed": True}, {"failed": False, "msg": "fine"}]}
    assert told(secrets_restored=failed) == [
        "They could not be taken back now, the next run does that: no route; no reason given"
    ]


def test_secrets_and_what_moves_are_not_tried() -> None:
    rendered = [
        "kind: Secret\nmetadata: {name: keys}\n---\n---\nkind: DaemonSet\nmetadata: {name: falco}\n",
        "kind: Deployment\nmetadata: {name: falco-falcosidekick}\n",
    ]
    tried = FILTERS["falco_manifests"](rendered, ["falco-falcosidekick"])
    assert [one["kind"] for one in tried] == ["DaemonSet"]
    assert [one["kind"] for one in FILTERS["falco_manifests"](rendered, [])] == ["DaemonSet", "Deployment"]
