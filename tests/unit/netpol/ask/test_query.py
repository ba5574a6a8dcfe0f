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
            {"source": {"service": "a"}, "destination": {}},
            "from.service: a Service opens no connections (name the workload)",
            id="from-a-service",
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


DENY = policy("{podSelector: {}}", "deny")
TO_A = {"source": {"workload": "client"}, "destination": {"workload": "a"}}
RANGE = ["8000-8100"]


@pytest.mark.parametrize("ports", [[80], ["80-81"], None], ids=["a-port", "a-range", "all"])
def test_a_pod_reaches_itself_whatever_policies_say(ports: Any) -> None:
    ends = {"source": {"workload": "a"}, "destination": {"workload": "a"}}
    result = ask(*PODS, DENY, **ends, ports=ports)
    assert (result["allowed"], result["partly"]) == (True, True)
    assert {item["reason"] for item in result["verdicts"]} == {"a pod always reaches itself"}
    assert {(item["policy"], item["rule"]) for item in result["verdicts"]} == {("", None)}


@pytest.mark.parametrize("ports", [[80], ["80-81"]], ids=["a-port", "a-range"])
def test_pods_and_themselves_are_no_pairs_among_others(ports: Any) -> None:
    """Else a part of the connections would be open wherever some pods are asked about each other."""
    prod = {"namespace": "prod"}
    result = ask(*PODS, DENY, source=prod, destination=prod, ports=ports)
    assert (result["allowed"], result["partly"], result["summary"]["pairs"]) == (False, False, 2)


@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.parametrize("ports", [[80], ["80-81"]], ids=["a-port", "a-range"])
def test_two_pods_of_a_workload_are_a_pair(ports: Any, replicas: int) -> None:
    template = {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": []}}
    metadata = {"name": "shop", "namespace": "prod"}
    shop = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
    shop["spec"] = {"replicas": replicas, "template": template}
    ends = {"workload": "shop"}
    result = ask(shop, source=ends, destination=ends, ports=ports)
    assert (result["allowed"], result["summary"]["pairs"]) == ((True, 1) if replicas > 1 else (False, 0))


def test_what_comes_from_outside_is_asked_as_well() -> None:
    result = ask(*PODS, OPEN_8080, source={"ip": "192.0.2.1"}, destination={"workload": "a"}, ports=[8080])
    assert (result["allowed"], result["notes"]) == (True, [])


def test_a_block_is_asked_in_its_parts() -> None:
    some = policy("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 192.0.2.0/25}}]}]}")
    result = ask(*PODS, some, source={"workload": "a"}, destination={"cidr": "192.0.2.0/24"}, ports=[80])
    assert (result["allowed"], result["partly"]) == (False, True)
    assert lines(result) == [("prod/a", "192.0.2.0/25", "80")]


@pytest.mark.parametrize("ports", [["8000-8100", 8080], [8080, "8000-8100"]], ids=["first", "last"])
def test_a_range_among_ports_is_asked_in_whole(ports: Any) -> None:
    result = ask(*PODS, OPEN_8080, **TO_A, ports=ports)
    assert (result["allowed"], result["partly"]) == (False, True)


@pytest.mark.parametrize("first", ["a", "b"])
def test_one_pair_that_is_denied_is_enough_for_no(first: str) -> None:
    opens = policy(f"{{podSelector: {{}}, ingress: [{{from: [{{podSelector: {{matchLabels: {{app: {first}}}}}}}]}}]}}")
    pods = [pod("a"), pod("b"), pod("db")]
    result = ask(*pods, opens, source={"labels": {}}, destination={"workload": "db"}, ports=RANGE)
    other = {"a": "b", "b": "a"}[first]
    assert {(item["from"], item["allowed"]) for item in result["verdicts"]} == {
        (f"prod/{first}", True),
        (f"prod/{other}", False),
    }
    assert (result["allowed"], result["partly"], result["summary"]["pairs"]) == (False, True, 2)


@pytest.mark.parametrize(("more", "allowed"), [((), True), ((DENY,), False)], ids=["allowed", "denied"])
@pytest.mark.parametrize("ports", [RANGE, None], ids=["a-range", "all"])
def test_the_first_pod_is_a_source_as_others_are(more: tuple[Any, ...], allowed: bool, ports: Any) -> None:
    ends = {"source": {"workload": "a"}, "destination": {"workload": "b"}}
    result = ask(pod("a"), pod("b"), *more, **ends, ports=ports)
    assert (result["allowed"], result["summary"]["pairs"]) == (allowed, 1)
    assert [item["allowed"] for item in result["verdicts"]] == [allowed]


def test_what_is_undetermined_is_told_apart_from_what_is_denied() -> None:
    maybe = policy(
        "{podSelector: {}, ingress: [{ports: [{port: 8080, endPort: 8090}], from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}"
    )
    http = policy("{podSelector: {}, ingress: [{ports: [{port: 8000}]}]}", "http")
    result = ask(*PODS, maybe, http, **TO_A, ports=RANGE)
    assert [(item["ports"], item["allowed"], item["undetermined"]) for item in result["verdicts"]] == [
        ("8000", True, False),
        ("8080-8090", False, True),
        ("8001-8079", False, False),
    ]


def test_a_denial_says_why_one_may_have_thought_otherwise_and_an_allowance_does_not() -> None:
    ignored = policy("{podSelector: {}, policyTypes: [Egress], ingress: [{}], egress: [{}]}", "ignored")
    (denied,) = ask(*PODS, DENY, ignored, **TO_A, ports=[8080])["verdicts"]
    assert [hint["code"] for hint in denied["hints"]] == ["ignored-rules"]
    assert denied["reason"].endswith("[ignored-rules]")
    (allowed,) = ask(*PODS, OPEN_8080, ignored, **TO_A, ports=[8080])["verdicts"]
    assert (allowed["allowed"], allowed["hints"], allowed["rule"]) == (True, [], 0)


def test_where_implementations_differ_about_the_host_network_that_is_said() -> None:
    node = {**pod("node"), "spec": {"hostNetwork": True}}
    ends = {"source": {"workload": "a"}, "destination": {"workload": "node"}}
    (verdict,) = ask(pod("a"), node, DENY, **ends, ports=[80])["verdicts"]
    assert (verdict["allowed"], verdict["implementation_defined"]) == (True, True)
    (verdict,) = ask(*PODS, DENY, **TO_A, ports=[80])["verdicts"]
    assert verdict["implementation_defined"] is False


def test_a_service_without_a_selector_is_said_to_be_any_address() -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "bare", "namespace": "prod"},
        "spec": {"ports": [{"port": 80}]},
    }
    result = ask(*PODS, service, source={"workload": "a"}, destination={"service": "bare", "namespace": "prod"})
    assert [note.split(", ")[0] for note in result["notes"]] == ["Service prod/bare has no selector"]
