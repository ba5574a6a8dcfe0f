"""Observed flows: which ends and ports a record means, and what is no record, by its place."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import FlowError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.flows.observed import read_records
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Model
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load

WEB, API = "prod/Pod/web", "prod/Pod/api"


def pod(name: str, address: str, phase: str = "Running") -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "prod", "labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "ports": [{"name": "http", "containerPort": 8080}]}]},
        "status": {"phase": phase, "podIP": address},
    }


def service(name: str, address: str, selector: dict[str, str] | None) -> dict[str, Any]:
    return {
        "kind": "Service",
        "metadata": {"name": name, "namespace": "prod"},
        "spec": {"clusterIP": address, "selector": selector, "ports": [{"port": 80, "targetPort": "http"}]},
    }


@pytest.fixture(scope="module")
def model() -> Model:
    objects = [
        pod("web", "192.0.2.1"),
        pod("api", "192.0.2.2"),
        pod("job", "192.0.2.3", "Succeeded"),
        service("api", "198.51.100.2", {"app": "api"}),
        service("bare", "198.51.100.3", None),
        service("empty", "198.51.100.4", {"app": "none"}),
    ]
    return load([Input("test", objects=objects)])


def read(model: Model, **record: Any) -> list[tuple[Any, Any, Any]]:
    found = read_records(model, [{"from": WEB, "to": API, **record}])
    return [(one.source, one.destination, one.intervals) for one in found]


@pytest.mark.parametrize(
    ("given", "intervals"),
    [
        ({"port": 80}, (("TCP", 80, 80),)),
        ({"ports": "80, 8000-8100", "protocol": "udp"}, (("UDP", 80, 80), ("UDP", 8000, 8100))),
        ({"ports": "1-65535"}, (("TCP", 1, 65535),)),
        ({"protocol": "SCTP"}, (("SCTP", 1, 65535),)),
        ({"protocol": "ALL", "port": 53}, (("TCP", 53, 53), ("UDP", 53, 53), ("SCTP", 53, 53))),
    ],
)
def test_ports_are_those_of_a_matrix(model: Model, given: dict[str, Any], intervals: tuple[Any, ...]) -> None:
    ((source, destination, found),) = read(model, **given)
    assert (source, destination) == (WEB, API)
    assert sorted(found) == sorted(intervals)


@pytest.mark.parametrize("name", ["prod/api", "prod/Pod/api", "192.0.2.2", "192.0.2.2/32"])
def test_a_pod_has_several_names(model: Model, name: str) -> None:
    assert [one[1] for one in read(model, to=name)] == [API]


def test_an_address_of_a_service_is_the_pods_behind_it_at_their_own_port(model: Model) -> None:
    assert read(model, to="198.51.100.2", port=80) == [(WEB, API, (("TCP", 8080, 8080),))]
    for other in ({"port": 81}, {"port": 80, "protocol": "UDP"}):
        with pytest.raises(FlowError, match=r"Service prod/api has none of these ports.*it has 80/TCP"):
            read(model, to="198.51.100.2", **other)


def test_a_block_that_begins_with_the_address_of_a_service_is_a_block(model: Model) -> None:
    ((_source, destination, _ports),) = read(model, to="198.51.100.2/31", port=80)
    assert str(destination) == "198.51.100.2/31"


def test_what_comes_from_outside_is_a_record(model: Model) -> None:
    ((source, destination, _ports),) = read(model, **{"from": "203.0.113.1"})
    assert (str(source), destination) == ("203.0.113.1", API)


@pytest.mark.parametrize(
    ("to", "why", "lost"),
    [
        ("198.51.100.3", "is the address of Service prod/bare, which has no selector", True),
        ("198.51.100.4", "is the address of Service prod/empty, which selects no pod", True),
        ("prod/job", "prod/Pod/job has run to its end: it needs no policy any more", False),
    ],
)
def test_what_gets_no_rule_says_why(model: Model, to: str, why: str, lost: bool) -> None:
    (found,) = read_records(model, [{"from": WEB, "to": to}])
    assert (why in found.note, found.lost) == (True, lost)


@pytest.mark.parametrize(
    ("record", "path", "message"),
    [
        (5, "flows[0]", "must be a mapping with from, to, protocol and ports, not 5"),
        ({"form": WEB}, "flows[0].form", "is not part of a record"),
        ({"from": 5}, "flows[0].from", "must name a workload, a pod or an address, not 5"),
        ({"from": ""}, "flows[0].from", "must name a workload"),
        (
            {"from": WEB, "to": "prod/apy"},
            "flows[0].to",
            "there is no workload or pod 'prod/apy' \\(did you mean 'prod/api'",
        ),
        ({"from": "203.0.113.1", "to": "203.0.113.2"}, "flows[0]", "both ends are outside"),
        ({"from": WEB, "to": API, "protocol": "ICMP"}, "flows[0].protocol", "'ICMP' is not a protocol"),
        ({"from": WEB, "to": API, "ports": "http"}, "flows[0].ports", "'http' is not a port or a range"),
        ({"from": WEB, "to": API, "ports": "0"}, "flows[0].ports", "'0' is not within 1 to 65535"),
        ({"from": WEB, "to": API, "ports": "90-80"}, "flows[0].ports", "'90-80' is not within"),
        ({"from": WEB, "to": API, "ports": "1-65536"}, "flows[0].ports", "'1-65536' is not within"),
    ],
)
def test_what_is_no_record_is_told_by_its_place(model: Model, record: object, path: str, message: str) -> None:
    with pytest.raises(FlowError, match=message) as caught:
        read_records(model, [record])
    assert caught.value.path == path


def test_records_are_a_list(model: Model) -> None:
    with pytest.raises(FlowError, match="must be a list of records"):
        read_records(model, {"from": WEB})
