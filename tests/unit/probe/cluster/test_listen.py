"""Listening in the place of pods: only where nothing does, only if asked, and what could not be done is told."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.kube.client import Client
from ansible_collections.falconet.k8s.plugins.module_utils.probe.cluster.listen import Listeners, listener
from ansible_collections.falconet.k8s.plugins.module_utils.probe.model import Endpoint, Pod
from ansible_collections.falconet.k8s.plugins.module_utils.probe.wire.node_script import SILENCE

from ...kube.cluster import closed_port, fill, listening, namespace, pod
from ...kube.fake_api import FakeApi, serve
from ...module_runner import run_module
from ..jobs import JobsApi

CLIENT, SERVER = "127.0.0.2", "127.0.0.3"
ONE = Pod("b", "one", "u1", "n1", ("192.0.2.1",), "c")
TWO = Pod("b", "two", "u2", "n2", ("192.0.2.2",), "c")
PROBER = Pod("tools", "prober", "u9", "n1", ("192.0.2.9",), "probe")


class Probers:
    """A prober on the first node only."""

    def on(self, nodes: Iterable[str]) -> dict[str, Pod | str]:
        return {node: PROBER if node == "n1" else "node n2 is not Ready" for node in nodes}


def at(pod: Pod, port: int, protocol: str = "TCP") -> Endpoint:
    return (pod, protocol, port, pod.addresses[0])


def test_what_listens_and_what_does_not_is_told(api: FakeApi, client: Client) -> None:
    commands: list[list[str]] = []

    def container(_path: str, argv: list[str], _stdin: bytes) -> tuple[str, int]:
        commands.append(argv)
        return "L u1 tcp 80\nX u2 not here\nL u7 tcp 1\nL u1 tcp x\nE\n", 0

    api.exec = container
    with Listeners(client, Probers(), 60) as listeners:  # type: ignore[arg-type]  # a stand-in for the test
        listeners([at(ONE, 80), at(TWO, 80), at(ONE, 9, "SCTP")])
        assert listeners.rows() == [
            {"pod": "b/one", "port": 80, "protocol": "TCP", "failed": None},
            {"pod": "b/two", "port": None, "protocol": None, "failed": "node n2 is not Ready"},
        ]
    assert commands[1:] == [list(SILENCE)]


@pytest.mark.parametrize("protocol", ["TCP", "UDP"])
def test_a_listener_is_one_line_of_shell(protocol: str) -> None:
    command = listener(protocol, 80)
    assert "\n" not in command
    assert subprocess.run(["sh", "-n", "-c", command]).returncode == 0
    assert listener("SCTP", 80) == ""


class Cluster:
    """A client and a server that does not listen until somebody does it in its place."""

    def __init__(self, api: JobsApi, stack: contextlib.ExitStack) -> None:
        self.api = api
        self.port = closed_port(SERVER)
        fill(api, namespace("a"), namespace("b"), pod("a", "client", CLIENT), pod("b", "server", SERVER))
        self.listens = True

        def container(path: str, argv: list[str], _stdin: bytes) -> tuple[str, int] | None:
            if "falconet-probe-" not in path:
                return None
            if argv == list(SILENCE):
                return "", 0
            if self.listens:
                stack.enter_context(listening(SERVER, self.port))
            said = f"L uid-b-server tcp {self.port}" if self.listens else "X uid-b-server no"
            return f"{said}\nE\n", 0

        api.exec = container

    def probe(self, **options: Any) -> dict[str, Any]:
        flow = {"from": {"namespace": "a"}, "to": {"namespace": "b"}, "ports": [self.port]}
        options = {"host": self.api.url, "method": "exec", "settle_seconds": 1, "work_namespace": "tools", **options}
        return run_module("netpol_probe", {"required_flows": [flow], **options})


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    api = JobsApi()
    with contextlib.ExitStack() as stack:
        stack.enter_context(serve(api))
        yield Cluster(api, stack)


def test_the_module_listens_only_if_it_is_asked(cluster: Cluster) -> None:
    result = cluster.probe()
    assert [row["status"] for row in result["unproven"]] == ["unproven"]
    assert result["listened"] == []
    assert not [path for _method, path, _query, _body in cluster.api.requests if "/jobs/" in path]
    result = cluster.probe(listen=True)
    assert [row["status"] for row in result["results"]] == ["met"], result
    assert result["listened"] == [{"pod": "b/server", "port": cluster.port, "protocol": "TCP", "failed": None}]
    assert cluster.api.pods("tools") == []
    assert cluster.api.collections["/apis/batch/v1/namespaces/tools/jobs"] == []


def test_where_it_cannot_listen_nothing_is_concluded(cluster: Cluster) -> None:
    cluster.listens = False
    result = cluster.probe(listen=True)
    assert [row["status"] for row in result["unproven"]] == ["unproven"]
    assert result["listened"][0]["failed"] == "no"


def test_a_node_that_is_away_is_not_waited_for(cluster: Cluster) -> None:
    away = {"type": "Ready", "status": "Unknown", "message": "Kubelet stopped posting node status."}
    fill(cluster.api, {"kind": "Node", "metadata": {"name": "n1"}, "status": {"conditions": [away]}})
    result = cluster.probe(listen=True)
    assert result["listened"][0]["failed"] == "node n1 is not Ready: Kubelet stopped posting node status."
    result = cluster.probe(method="node")
    assert [row["verdict"] for row in result["unproven"]] == ["probe_failed"]
    assert "node n1 is not Ready" in result["unproven"][0]["detail"]
