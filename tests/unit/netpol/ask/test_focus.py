"""Parts of the answers: connections of some workloads, and reasons of what is allowed or denied."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import NetpolError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load

from ..lint.test_lint import pod, policy

MANIFESTS = [
    pod("web"),
    pod("api"),
    pod("db"),
    pod("web", "dev"),
    policy("{podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 5432}, {port: 9000, endPort: 9100}]}]}"),
    policy("{podSelector: {matchLabels: {app: api}}, policyTypes: [Egress]}", "q"),
]


def ask(question: str = "matrix", **options: Any) -> dict[str, Any]:
    return answer(Request(question, outside=False, **options), load([Input("test", objects=MANIFESTS)]))


def pairs(**options: Any) -> set[tuple[str, str]]:
    names = {(item["from"], item["to"]) for item in ask(**options)["connections"]}
    return {(source.replace("/Pod", ""), destination.replace("/Pod", "")) for source, destination in names}


@pytest.mark.parametrize(
    ("options", "keeps"),
    [
        ({"focus": ("prod/Pod/db",)}, lambda source, to: "prod/db" in (source, to)),
        ({"focus": ("db",), "focus_direction": "ingress"}, lambda source, to: to == "prod/db"),
        ({"focus": ("prod/web",), "focus_direction": "egress"}, lambda source, to: source == "prod/web"),
        ({"focus": ("web",)}, lambda source, to: source.endswith("/web") or to.endswith("/web")),
        (
            {"focus": ("db",), "focus_peers": ("prod/web",)},
            lambda source, to: {source, to} == {"prod/db", "prod/web"},
        ),
    ],
)
def test_a_focus_keeps_what_it_says_of_the_whole_list(options: dict[str, Any], keeps: Any) -> None:
    whole = pairs()
    assert pairs(**options) == {pair for pair in whole if keeps(*pair)} != whole


def test_one_port_narrows_the_list() -> None:
    result = ask(focus=("db",), focus_direction="ingress", ports=[9050])
    assert {item["ports"] for item in result["connections"]} == {"9050"}
    assert result["summary"]["connections"] == 2
    assert ask(focus=("db",), focus_direction="ingress", ports=["53/UDP"])["connections"] == []
    assert {item["ports"] for item in ask(ports=[5432])["connections"]} == {"5432"}


def test_a_focus_has_its_own_limit() -> None:
    result = ask(focus=("web",), limit=2)
    assert (len(result["connections"]), result["truncated"]) == (2, True)
    number = result["summary"]["connections"]
    assert number > 2
    assert ask(focus=("web",), limit=number)["truncated"] is False


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"focus": ("dbb",)}, "there is no 'dbb', did you mean 'db'"),
        ({"focus": ("db",), "focus_peers": ("x/y",)}, "there is no 'x/y'"),
        ({"focus_direction": "ingress"}, "name the workloads"),
        ({"focus_peers": ("db",)}, "name the workloads"),
        ({"ports": ["http"]}, "give its number"),
        ({"focus": ("db",), "focus_direction": "up"}, "unknown direction 'up'"),
    ],
)
def test_what_a_focus_cannot_be_is_told(options: dict[str, Any], message: str) -> None:
    with pytest.raises(NetpolError, match=message):
        ask(**options)


def test_explanations_are_narrowed_to_a_verdict() -> None:
    whole = ask("explain")["explanations"]
    for verdict in ("allowed", "denied"):
        found = ask("explain", verdict=verdict)["explanations"]
        assert found == [item for item in whole if item["allowed"] == (verdict == "allowed")]
        assert 0 < len(found) < len(whole)
