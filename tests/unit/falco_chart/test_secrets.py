"""What is given for a channel, any of them, lives in the Secret of that channel and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.outputs import build_outputs
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.values import (
    build_sidekick_releases,
    build_values,
)

from .planted import PLANTED, every_output

OUTPUTS = every_output()


def test_every_channel_is_tried() -> None:
    assert len(OUTPUTS) >= 56
    assert sum(PLANTED in repr(settings) for settings in OUTPUTS.values()) == len(OUTPUTS)


@pytest.mark.parametrize("output", sorted(OUTPUTS))
@pytest.mark.parametrize("release", ["chart", "own"])
def test_what_is_planted_in_a_channel_is_in_its_secret_alone(output: str, release: str) -> None:
    outputs = {output: OUTPUTS[output]}
    secret = build_outputs(outputs).secret
    planted = [value for value in leaves(OUTPUTS[output]) if PLANTED in str(value)]
    assert set(planted) <= set(secret.values())
    given: dict[str, Any] = {"outputs": outputs, "sidekick_release": release}
    more = {"sidekick_more": [{"name": "second", "outputs": outputs}]}
    for variables in (given, {**given, "outputs": {}, **more}):
        assert PLANTED not in repr([build_values(variables), build_sidekick_releases(variables)])


@pytest.mark.parametrize("output", sorted(OUTPUTS))
def test_no_message_about_a_channel_shows_what_is_planted_there(output: str) -> None:
    wrong = {**OUTPUTS[output], "no-such-setting": PLANTED, "minimumpriority": "no-such-priority"}
    wrong = {key: [value] if not isinstance(value, dict) else value for key, value in wrong.items()}
    with pytest.raises(FalcoChartError) as error:
        build_outputs({output: wrong})
    assert PLANTED not in str(error.value)


def leaves(node: Any) -> list[Any]:
    return [leaf for inner in node.values() for leaf in leaves(inner)] if isinstance(node, dict) else [node]
