"""netpol_probe through its real main(): pods on loopback addresses, the script in a real shell, real connections."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from ..kube.cluster import closed_port, fill, listening, namespace, pod, policy
from ..kube.fake_api import FakeApi, serve
from ..module_runner import run_module

CLIENT, SERVER = "127.0.0.2", "127.0.0.3"


@pytest.fixture
def api() -> Iterator[FakeApi]:
    fake = FakeApi()
    fill(fake, namespace("a"), namespace("b"))
    with serve(fake):
        yield fake


@pytest.fixture
def port() -> Iterator[int]:
    with listening(SERVER) as number:
        yield number


def probe(api: FakeApi, **options: Any) -> dict[str, Any]:
    return run_module("netpol_probe", {"host": api.url, "method": "exec", "settle_seconds": 1, **options})


def flow(port: int | str, name: str = "client to server") -> dict[str, Any]:
    return {"name": name, "from": {"namespace": "a"}, "to": {"namespace": "b"}, "ports": [port]}


def pair(api: FakeApi, *ports: int) -> None:
    fill(api, pod("a", "client", CLIENT), pod("b", "server", SERVER, ports, workload="db"))


def test_a_required_flow_that_passes_is_met(api: FakeApi, port: int) -> None:
    pair(api, port)
    result = probe(api, required_flows=[flow(port)])
    assert not result.get("failed"), result
    (row,) = result["results"]
    assert (row["from"], row["to"], row["verdict"], row["status"]) == ("a/client", "b/server", "allowed", "met")
    assert row["to_workload"] == "StatefulSet/db"
    assert result["changed"] is False
    assert result["matrix"] == [
        {"from": "a/Pod/client", "to": "b/StatefulSet/db", "port": port, "protocol": "TCP", "allowed": True}
    ]


def test_a_forbidden_flow_that_passes_fails_and_names_the_policy(api: FakeApi, port: int) -> None:
    pair(api, port)
    fill(api, policy("b", "deny", policyTypes=["Ingress"]))
    result = probe(api, forbidden_flows=[flow(port)])
    assert result["failed"] is True
    (row,) = result["violations"]
    assert (row["expected"], row["conclusion"]) == ("denied", "allowed")
    assert "deny" in row["because"]
    assert f"a/client -> b/server on {port}/TCP should be denied and is allowed" in result["msg"]


def test_a_closed_port_is_no_denial(api: FakeApi) -> None:
    port = closed_port(SERVER)
    pair(api, port)
    result = probe(api, forbidden_flows=[flow(port)])
    assert not result.get("failed"), result
    (row,) = result["unproven"]
    assert (row["verdict"], row["conclusion"], row["status"]) == ("refused", "unknown", "unproven")
    assert "no server listens there" in row["detail"]
    assert probe(api, forbidden_flows=[flow(port)], on_unproven="fail")["failed"] is True


def test_a_pod_without_a_shell_is_no_denial(api: FakeApi, port: int) -> None:
    pair(api, port)
    missing = {"status": "Failure", "reason": "InternalError", "message": 'exec: "sh": executable file not found'}
    api.faults = lambda method, path, _q: (500, missing) if method == "EXEC" and "/client/" in path else None
    result = probe(api, forbidden_flows=[flow(port)])
    (row,) = result["unproven"]
    assert row["verdict"] == "probe_failed"
    assert "method node needs none" in row["detail"]


def test_a_pod_that_is_evicted_meanwhile_is_no_denial(api: FakeApi, port: int) -> None:
    pair(api, port)
    gone = {"reason": "NotFound", "message": 'pods "client" not found'}
    api.faults = lambda method, path, _q: (404, gone) if method == "EXEC" and "/client/" in path else None
    result = probe(api, forbidden_flows=[flow(port)])
    assert [row["verdict"] for row in result["unproven"]] == ["probe_failed"]
    assert "not found" in result["unproven"][0]["detail"]


@pytest.mark.parametrize("gone", ["client", "server"])
def test_nothing_is_concluded_about_a_pod_that_went_away_meanwhile(api: FakeApi, port: int, gone: str) -> None:
    pair(api, port)
    asked: list[str] = []

    def away(method: str, path: str, _query: Any) -> Any:
        asked.append(path) if method == "GET" else None
        if asked.count("/api/v1/pods") == 2:
            pods = [item for item in api.collections["/api/v1/pods"] if item["metadata"]["name"] != gone]
            return 200, {"items": pods}
        return None

    api.faults = away
    result = probe(api, forbidden_flows=[flow(port)])
    (row,) = result["unproven"]
    assert row["verdict"] == "probe_failed"
    assert f"/{gone} went away or ended meanwhile" in row["detail"]
    assert result["violations"] == []


def test_an_api_server_that_restarts_meanwhile_is_waited_for(api: FakeApi, port: int) -> None:
    pair(api, port)
    away = iter([(503, {"message": "starting"})] * 3)
    api.faults = lambda method, path, _q: next(away, None) if method == "EXEC" or path == "/readyz" else None
    api.collections["/readyz"] = []
    result = probe(api, required_flows=[flow(port)])
    assert [(row["status"], row["attempts"]) for row in result["results"]] == [("met", 1)], result


def test_silence_with_a_listening_server_is_a_denial(api: FakeApi, port: int) -> None:
    pair(api, port)
    real = {"/api/v1/namespaces/b/pods/server/exec"}

    def container(path: str, _argv: list[str], _stdin: bytes) -> tuple[str, int] | None:
        return None if path in real else ("T tcp nc \nR 0 dropped 2000 no answer\nE\n", 0)

    api.exec = container
    result = probe(api, forbidden_flows=[flow(port)])
    (row,) = result["results"]
    assert (row["verdict"], row["conclusion"], row["status"]) == ("dropped", "denied", "met")


def test_missing_rights_are_named(api: FakeApi, port: int) -> None:
    pair(api, port)
    api.faults = lambda method, _p, _q: (403, {"reason": "Forbidden", "message": "no"}) if method == "EXEC" else None
    result = probe(api, required_flows=[flow(port)])
    assert result["failed"] is True
    assert "create pods/exec" in result["msg"]
    assert 'resources: ["pods/exec"], verbs: ["create"]' in result["hint"]


def test_one_exec_carries_all_targets_of_a_source(api: FakeApi) -> None:
    addresses = [f"127.0.0.{n}" for n in range(10, 20)]
    fill(api, *(pod("a", f"p{n}", address) for n, address in enumerate(addresses)))
    ports = ["9", "17", "19"]
    result = probe(api, namespaces=["a"], ports=ports)
    assert result["counts"]["probes"] == 10 * 9 * 3
    assert sum(1 for method, *_rest in api.requests if method == "EXEC") == 10


def test_udp_is_answered_and_sctp_is_no_denial(api: FakeApi, port: int) -> None:
    pair(api, port)
    result = probe(api, required_flows=[flow(f"{port}/UDP", "udp")], flows=[flow(f"{port}/SCTP", "sctp")])
    by_protocol = {row["protocol"]: row for row in result["results"]}
    assert by_protocol["UDP"]["status"] == "met"
    assert by_protocol["SCTP"]["conclusion"] == "unknown"


def test_both_address_families_are_tried_where_both_ends_have_them(api: FakeApi) -> None:
    with listening("::1") as port:
        server = pod("b", "server", "::1", (port,))
        client = pod("a", "client", CLIENT)
        client["status"]["podIPs"].append({"ip": "::1"})
        fill(api, client, server)
        result = probe(api, required_flows=[flow(port), flow(f"{port}/UDP", "udp")])
        assert [(row["address"], row["status"]) for row in result["results"]] == [("::1", "met")] * 2, result
        assert probe(api, required_flows=[flow(port)], ip_families=["IPv4"])["not_probed"][0]["why"].startswith("they")


def test_a_server_on_one_family_proves_nothing_on_the_other(api: FakeApi, port: int) -> None:
    pair(api, port)
    for item in api.collections["/api/v1/pods"]:
        item["status"]["podIPs"].append({"ip": "::1"})
    result = probe(api, forbidden_flows=[flow(port)])
    assert {row["address"]: row["status"] for row in result["results"]} == {SERVER: "violated", "::1": "unproven"}


def service(port: int, *addresses: str, target: int = 0, **spec: Any) -> dict[str, Any]:
    return {
        "kind": "Service",
        "metadata": {"namespace": "b", "name": "front"},
        "spec": {
            "clusterIP": addresses[0],
            "clusterIPs": list(addresses),
            "selector": {"app": "server"},
            "ports": [{"port": port, "targetPort": target or port, "protocol": "TCP", "name": "web"}],
            **spec,
        },
    }


def test_services_are_called_by_each_of_their_addresses_and_by_name(api: FakeApi, port: int) -> None:
    pair(api, port)
    # No proxy stands before the pods of this test: the Service's address is the pod's own.
    fill(api, service(port, SERVER, "::1"))
    for item in api.collections["/api/v1/pods"]:
        item["status"]["podIPs"].append({"ip": "::1"})
    to_service = {"name": "front", "from": {"namespace": "a"}, "to": {"namespace": "b", "service": "front"}}
    result = probe(api, required_flows=[to_service], on_violation="report")
    assert {row["address"]: row["verdict"] for row in result["results"]} == {SERVER: "allowed", "::1": "refused"}
    assert {row["to"] for row in result["results"]} == {"service b/front"}
    result = probe(api, required_flows=[to_service], service_names=True)
    (row,) = result["results"]
    assert (row["address"], row["verdict"], row["status"]) == ("front.b.svc", "unresolved", "unproven")


def test_node_ports_are_called_as_addresses_of_nodes(api: FakeApi, port: int) -> None:
    pair(api, port)
    by_node = {"name": "node port", "from": {"namespace": "a"}, "to": {"ip": SERVER}, "ports": [port]}
    (row,) = probe(api, required_flows=[by_node])["results"]
    assert (row["to"], row["status"]) == (SERVER, "met")


def test_the_analysis_is_compared_with_the_network(api: FakeApi, port: int) -> None:
    pair(api, port)
    assert probe(api, namespaces=["a", "b"], expected="analysis")["results"][0]["status"] == "met"
    fill(api, policy("b", "deny", policyTypes=["Ingress"]))
    result = probe(api, namespaces=["a", "b"], expected="analysis")
    assert result["failed"] is True
    assert re.search(r"the policies say: .*b/deny", result["msg"])


def test_a_stored_matrix_is_compared_with_the_network(api: FakeApi, port: int) -> None:
    pair(api, port)
    before = probe(api, required_flows=[flow(port)])["matrix"]
    assert probe(api, expected_matrix=before)["results"][0]["status"] == "met"
    result = probe(api, expected_matrix=[dict(before[0], allowed=False)])
    assert [row["status"] for row in result["violations"]] == ["violated"]


def test_what_cannot_be_tried_is_told(api: FakeApi, port: int) -> None:
    fill(
        api,
        pod("a", "host", CLIENT, hostNetwork=True, labels={"app": "host"}),
        pod("a", "meshed", CLIENT, containers=[{"name": "main"}, {"name": "istio-proxy"}]),
        pod("b", "server", SERVER, (port,)),
    )
    result = probe(
        api,
        required_flows=[
            {"name": "host", "from": {"pod": "host"}, "to": {"pod": "server"}, "ports": [port]},
            {"name": "mesh", "from": {"pod": "meshed"}, "to": {"pod": "server"}, "ports": [port]},
            {"name": "nobody", "from": {"namespace": "bb"}, "to": {"pod": "server"}},
            {"name": "block", "from": {"pod": "server"}, "to": {"cidr": "192.0.2.0/24"}, "ports": [80]},
            {"name": "from outside", "from": {"ip": "192.0.2.1"}, "to": {"pod": "server"}},
        ],
    )
    why = {row["flow"]: row["why"] for row in result["not_probed"]}
    assert "network of its node" in why["host"]
    assert "istio-proxy" in why["mesh"]
    assert "did you mean 'b'" in why["nobody"]
    assert "single addresses" in why["block"]
    assert "from inside the cluster" in why["from outside"]
    assert len(result["unproven"]) == 5


def test_a_flow_outside_the_vocabulary_is_refused(api: FakeApi) -> None:
    result = probe(api, required_flows=[{"from": {"namspace": "a"}}])
    assert result["failed"] is True
    assert "namspace" in result["msg"]
    assert "did you mean 'namespace'" in result["msg"]


def test_flows_that_contradict_each_other_are_refused(api: FakeApi, port: int) -> None:
    pair(api, port)
    result = probe(api, required_flows=[flow(port, "one")], forbidden_flows=[flow(port, "two")])
    assert "one and two contradict each other" in result["msg"]


def test_check_mode_starts_no_pods(api: FakeApi) -> None:
    result = run_module("netpol_probe", {"host": api.url, "question": "enforcement"}, check_mode=True)
    assert result["skipped"] is True
    assert api.requests == []
