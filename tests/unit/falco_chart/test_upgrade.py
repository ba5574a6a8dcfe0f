"""What the way from one chart to another does to values: removed, deprecated, renamed, another default."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.upgrade import NEWEST, beyond, upgrade_steps


def mine(values: dict[str, Any], old: str, new: str) -> list[tuple[str, str, str]]:
    """What concerns one's own values: path, change, chart."""
    return [(one.path, one.change, one.chart) for one in upgrade_steps(values, old, new) if one.change != "default"]


@pytest.mark.parametrize(
    ("values", "old", "new", "expected"),
    [
        ({"collectors": {"docker": {"enabled": False}}}, "6.4.0", "7.0.0", [("collectors.docker", "removed", "7.0.0")]),
        ({"collectors": {"docker": {}}}, "falco-4.18.0", "9.1.0", [("collectors.docker", "removed", "7.0.0")]),
        ({"collectors": {"docker": {}}}, "4.18.0", "5.0.0", [("collectors.docker", "deprecated", "4.22.0")]),
        ({"collectors": {"docker": {}}}, "7.0.0", "9.1.0", []),
        ({"driver": {"kind": "ebpf"}}, "8.0.0", "9.0.0", [("driver.kind=ebpf", "removed", "9.0.0")]),
        ({"driver": {"kind": "ebpf"}}, "7.0.0", "8.0.0", [("driver.kind=ebpf", "deprecated", "8.0.0")]),
        ({"driver": {"kind": "modern_ebpf"}}, "7.0.0", "9.0.0", []),
        ({"falco": {"grpc": {"enabled": True}}}, "7.2.1", "9.1.0", [("falco.grpc", "removed", "9.0.0")]),
        (
            {"falco": {"engine": {"ebpf": {"probe": "x"}}}},
            "7.2.1",
            "9.1.0",
            [("falco.engine.ebpf", "removed", "9.0.0")],
        ),
        (
            {"falco": {"engine": {"gvisor": {}}}},
            "7.2.1",
            "8.0.5",
            [("falco.engine.gvisor", "deprecated", "8.0.0")],
        ),
        ({"falco": {"container_engines": {}}}, "4.18.0", "6.4.1", [("falco.container_engines", "removed", "4.22.0")]),
        ({"driver": {"kind": "module"}}, "3.9.0", "4.0.0", [("driver.kind=module", "renamed", "4.0.0")]),
        ({"falco": {"grpc": {}}}, "9.1.0", "7.0.0", []),
    ],
)
def test_one_s_own_values(values: dict[str, Any], old: str, new: str, expected: list[tuple[str, str, str]]) -> None:
    assert mine(values, old, new) == expected


def test_a_default_that_changed_is_told_once_and_only_where_it_is_not_set() -> None:
    def told(values: dict[str, Any], old: str = "4.0.0") -> dict[str, str]:
        return {one.path: one.message for one in upgrade_steps(values, old, "9.1.0") if one.change == "default"}

    refs = "falcoctl.config.artifact.install.refs"
    assert told({})[refs] == "its default was ['falco-rules:3'] and is ['falco-rules:5']."
    assert refs not in told({"falcoctl": {"config": {"artifact": {"install": {"refs": []}}}}})
    assert "collectors.docker.enabled" not in told({}), "the value itself is gone"
    assert told({}, "9.0.0") == {}


@pytest.mark.parametrize(
    ("old", "new", "begin"),
    [("6.4.0", "7.0.0", "is removed with chart 7.0.0"), ("4.18.0", "5.0.0", "is deprecated with chart 4.22.0")],
)
def test_what_is_gone_is_told_apart_from_what_will_be(old: str, new: str, begin: str) -> None:
    (one,) = (step for step in upgrade_steps({"collectors": {"docker": {}}}, old, new) if step.change != "default")
    assert one.message.startswith(begin)


def test_the_replacement_is_named() -> None:
    steps = {
        one.path: one.hint for one in upgrade_steps({"falco": {"metrics": {}, "grpc_output": {}}}, "6.0.0", "9.1.0")
    }
    assert steps["falco.metrics"] == "Use metrics."
    assert steps["falco.grpc_output"] == "Use falco.http_output or falcosidekick."


def test_a_chart_that_is_too_new_is_said_and_no_version_is_refused() -> None:
    assert beyond(NEWEST) == beyond("4.0.0") == ""
    assert "9.2.0" in beyond("9.2.0")
    assert mine({"falco": {"grpc": {}}}, "8.0.0", "9.2.0")
    with pytest.raises(FalcoChartError, match="'latest' is no version"):
        upgrade_steps({}, "latest", "9.1.0")
