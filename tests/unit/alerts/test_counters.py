"""What Falcosidekick counted since another look."""

from __future__ import annotations

from ansible_collections.falconet.k8s.plugins.module_utils.alerts.counters import (
    Counter,
    increases,
    read_counters,
    summed,
)

TEXT = r"""
# TYPE falcosecurity_falcosidekick_outputs_total counter
falcosecurity_falcosidekick_outputs_total{destination="slack",status="ok"} 3
falcosecurity_falcosidekick_outputs_total{destination="slack",status="error"} 1e+00
falcosecurity_falcosidekick_falco_events_total{rule="a \"b\" \\ {c} 1\nd",priority="4"} 2
falcosecurity_falcosidekick_inputs_total{source="requests",status="accepted"} NaN
falcosecurity_falcosidekick_standin_info{stand_in="falcosidekick"} 1
go_goroutines 7
"""
OK = Counter("outputs_total", (("destination", "slack"), ("status", "ok")), 3)


def test_counters_are_read_and_other_samples_are_not() -> None:
    found = read_counters(TEXT)
    assert found[0] == OK
    assert found[1].value == 1
    assert found[2].labels == (("priority", "4"), ("rule", 'a "b" \\ {c} 1\nd'))
    assert len(found) == 3


def test_a_counter_grew_since_another_look() -> None:
    assert increases([OK], {OK.key: 1}) == [(OK, 2)]
    assert increases([OK], {OK.key: 3}) == [(OK, 0)]
    assert increases([OK], {}) == increases([OK], None) == [(OK, 3)]


def test_a_counter_that_began_anew_counts_from_there() -> None:
    assert increases([OK], {OK.key: 5}) == [(OK, 3)]


def test_pods_are_counted_together() -> None:
    (total,) = summed([[(OK, 2)], [(OK, 3)]])
    assert total == {"name": "outputs_total", "labels": dict(OK.labels), "value": 6, "increase": 5}
