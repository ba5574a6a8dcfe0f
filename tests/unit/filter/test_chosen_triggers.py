"""chosen_triggers as templates call it; tests/unit/alerts/triggers has the choice itself."""

from __future__ import annotations

from ansible_collections.falconet.k8s.plugins.filter.chosen_triggers import FilterModule


def test_triggers_of_ones_own_and_of_the_catalogue_are_chosen() -> None:
    chosen = FilterModule().filters()["chosen_triggers"]
    own = {"name": "mine", "rule": "Mine", "namespace": "prod", "command": ["true"]}
    assert [trigger["name"] for trigger in chosen([own])] == ["mine"]
    names = [trigger["name"] for trigger in chosen([own], ["shadow-read"], [], "prod")]
    assert sorted(names) == ["mine", "shadow-read"]
