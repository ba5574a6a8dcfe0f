"""Filters of the role falco: what they hand on, and that their errors are Ansible's."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.filter.falco_helm_values import FilterModule

FILTERS = FilterModule().filters()


def look(release: dict[str, Any] | None, **item: Any) -> dict[str, Any]:
    return {"item": {"name": "falco", "chart": "falco-9.1.0", "values": {"a": 1}, **item}, "release": release}


@pytest.mark.parametrize(
    ("release", "changed"),
    [
        (None, True),
        ({"chart": "falco-9.1.0", "values": {"a": 1}}, False),
        ({"chart": "falco-9.0.0", "values": {"a": 1}}, True),
        ({"chart": "falco-9.1.0", "values": {"a": 2}}, True),
    ],
)
def test_a_release_is_installed_where_chart_or_values_differ(release: dict[str, Any] | None, changed: bool) -> None:
    looks = [look(release)]
    assert FILTERS["falco_changed_releases"](looks) == (looks if changed else [])


def test_outputs_are_named_as_the_caller_calls_them() -> None:
    with pytest.raises(AnsibleFilterError, match=r"falco_sidekick_more\.oncall\.slakc"):
        FILTERS["falco_outputs_secret"]({"slakc": {}}, "falco_sidekick_more.oncall")


def test_releases_beside_falcos_are_told() -> None:
    (release,) = FILTERS["falco_sidekick_releases"]({"sidekick_release": "own"})
    assert release["name"] == "falco-falcosidekick"
