"""Whether one end reaches another: each verdict, the whole answer, and what cannot be asked."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask import query
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import FlowError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load

from ..lint.test_lint import pod, policy
from .test_assertions import named

OPEN_8080 = policy("{podSelector: {}, ingress: [{ports: [{port: 8080}]}]}")
PODS = [named("a", 8080), named("b", 9090), pod("client", "dev")]
NAMED = {"source": {"workload": "client"}, "destination": {"namespace": "prod"}, "ports": ["http"]}


def ask(*manifests: dict[str, Any], **options: Any) -> dict[str, Any]:
    return answer(Request("query", **options), load([Input("test", objects=list(manifests))]))


def lines(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(item["from"], item["to"], item["ports"]) for item in result["connections"]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"source": {"ip": "192.0.2.1"}, "destination": {"cidr": "198.51.100.0/24"}},
            "to: both ends are outside (policies are about pods)",
            id="both-ends-outside",
        ),
        pytest.param(
            {"source": {}, "destination": {"workload": "client"}, "ports": ["http"]},
            "ports: dev/client has no such named port (give the number, or declare it)",
            id="a-name-that-the-pod-does-not-have",
        ),
        pytest.param(
            {"source": {}, "destination": {"ip": "192.0.2.1"}, "ports": ["http"]},
            "ports: 192.0.2.1 has no such named port (give the number, or declare it)",
            id="a-name-outside",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(FlowError, match=f"^{re.escape(message)}$"):
        ask(*PODS, **options)


def test_each_port_of_each_pair_has_its_verdict() -> None:
    ends = {"source": {"workload": "client"}, "destination": {"workload": "a"}}
    result = ask(*PODS, OPEN_8080, **ends, ports=[8080, 9090])
    assert [(item["ports"], item["allowed"]) for item in result["verdicts"]] == [("8080", True), ("9090", False)]
    assert (result["allowed"], result["partly"]) == (False, True)
    assert lines(result) == [("dev/client", "prod/a", "8080")]
    whole = ask(*PODS, OPEN_8080, **ends, ports=[8080])
    assert (whole["allowed"], whole["partly"]) == (True, True)
    none = ask(*PODS, OPEN_8080, **ends, ports=[9090])
    assert (none["allowed"], none["partly"], none["connections"]) == (False, False, [])


def test_a_name_of_a_port_is_a_number_of_its_own_at_each_pod() -> None:
    result = ask(*PODS, OPEN_8080, **NAMED)
    assert [(item["to"], item["ports"], item["allowed"]) for item in result["verdicts"]] == [
        ("prod/a", "8080", True),
        ("prod/b", "9090", False),
    ]


def test_beyond_so_many_verdicts_the_answer_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it comes from classes of pods, which no policy tells apart by the numbers of their ports."""
    one_by_one = ask(*PODS, OPEN_8080, **NAMED)
    monkeypatch.setattr(query, "MAX_VERDICTS", 1)
    found = ask(*PODS, OPEN_8080, **NAMED)
    for part in ("allowed", "partly", "connections", "summary"):
        assert found[part] == one_by_one[part], part
    assert found["verdicts"] == one_by_one["verdicts"][:1]
    with pytest.raises(FlowError, match="prod/c has no such named port"):
        ask(*PODS, pod("c"), OPEN_8080, **NAMED)


def test_a_range_of_ports_is_answered_in_its_parts() -> None:
    ends = {"source": {"workload": "client"}, "destination": {"workload": "a"}}
    result = ask(*PODS, OPEN_8080, **ends, ports=["8000-8100"])
    assert lines(result) == [("dev/client", "prod/a", "8080")]
    told = [(item["ports"], item["allowed"]) for item in result["verdicts"]]
    assert told == [("8080", True), ("8000-8079", False)]
    assert (result["allowed"], result["partly"]) == (False, True)


def test_connections_are_listed_as_far_as_the_limit_goes_and_all_pairs_are_counted() -> None:
    result = ask(*PODS, source={}, destination={}, limit=2)
    assert (len(result["connections"]), result["summary"]["pairs"]) == (2, 6)
    assert result["allowed"] is True
