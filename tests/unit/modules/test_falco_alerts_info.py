"""falco_alerts_info reads logs and a receiver through the API server, waits, and names what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ..api_server import ApiServer, api_server
from ..module_runner import run_module


def pods(*, container: str = "one", ended: str = "", uid: str = "u1") -> str:
    """A list with one Falco, whose container may have been another one before."""
    status: dict[str, Any] = {"name": "falco", "containerID": container}
    if ended:
        status["lastState"] = {"terminated": {"containerID": ended, "finishedAt": "2026-01-31T12:00:01Z"}}
    about = {"name": "falco-a", "namespace": "falco", "uid": uid}
    item = {"metadata": about, "spec": {"nodeName": "n1"}, "status": {"containerStatuses": [status]}}
    return json.dumps({"metadata": {}, "items": [item]})


ALERT = {
    "output": "x",
    "output_fields": {"k8s.pod.name": "p1"},
    "priority": "Warning",
    "rule": "R1",
    "source": "syscall",
    "tags": [],
    "time": "2026-01-31T12:00:00.5Z",
}
PODS = "/api/v1/namespaces/falco/pods"
LOG = f"{PODS}/falco-a/log"
RECEIVER = {"namespace": "alerts", "service": "receiver", "port": 8080}


def logged(*documents: dict[str, Any], at: str = "2026-01-31T12:00:00.503Z") -> str:
    """Lines of a log as the API server gives them with their times."""
    return "".join(f"{document.get('at', at)} {json.dumps(document)}\n" for document in documents)


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with api_server() as running:
        running.answer(PODS, pods())
        yield running


def run(server: ApiServer, **options: object) -> dict[str, Any]:
    return run_module("falco_alerts_info", {"host": server.url, **options})


def test_an_alert_in_the_log_is_matched(server: ApiServer) -> None:
    server.answer(LOG, "2026-01-31T12:00:00Z starting\n" + logged(ALERT))
    result = run(server, expected=[{"rule": "R1", "fields": {"k8s.pod.name": "p1"}}], since="2026-01-31T12:00:00Z")
    assert result["missing"] == []
    assert result["matches"][0]["latency_ms"] == 3.0
    assert result["changed"] is False
    asked = dict(server.asked)
    assert asked[LOG]["sinceTime"] == ["2026-01-31T12:00:00Z"]
    assert asked[PODS]["labelSelector"] == ["app.kubernetes.io/name=falco"]


def test_an_older_alert_does_not_count(server: ApiServer) -> None:
    server.answer(LOG, logged(ALERT))
    result = run(server, expected=[{"rule": "R1"}], since="2026-01-31T12:00:00.6Z")
    assert result["missing"] == ["R1"]


def test_it_waits_for_an_alert_that_comes_later(server: ApiServer) -> None:
    server.answer(LOG, "", "", logged(ALERT))
    assert run(server, expected=[{"rule": "R1"}], wait_seconds=20)["missing"] == []
    assert [path for path, _ in server.asked].count(LOG) == 3


@pytest.mark.parametrize(("deadline", "looks"), [("2020-01-31T12:00:00Z", 1), ("2999-01-31T12:00:00Z", 3)])
def test_the_wait_ends_at_the_deadline(server: ApiServer, deadline: str, looks: int) -> None:
    server.answer(LOG, "", "", logged(ALERT))
    result = run(server, expected=[{"rule": "R1"}], wait_seconds=20, deadline=deadline)
    assert (result["missing"] == []) is (looks == 3)
    assert [path for path, _ in server.asked].count(LOG) == looks


def test_a_deadline_far_away_makes_no_wait_longer(server: ApiServer) -> None:
    server.answer(LOG, "")
    assert run(server, expected=[{"rule": "R1"}], deadline="2999-01-31T12:00:00Z")["missing"] == ["R1"]


def test_the_receiver_is_asked_through_the_proxy_and_tells_the_latency(server: ApiServer) -> None:
    path = "/api/v1/namespaces/alerts/services/receiver:8080/proxy/alerts"
    line = {"received": "2026-01-31T12:00:00.520Z", "destination": "webhook", "rule": "R1", "text": "x", "alert": ALERT}
    server.answer(path, json.dumps(line))
    result = run(server, source="receiver", receiver=RECEIVER, expected=[{"rule": "R1", "destination": "webhook"}])
    assert result["matches"][0]["latency_ms"] == 20.0


def test_a_receiver_that_is_missing_is_named(server: ApiServer) -> None:
    result = run(server, source="receiver", receiver=RECEIVER)
    assert result["failed"]
    assert "receiver" in result["msg"]


def test_no_falco_pod_is_an_error_and_not_silence(server: ApiServer) -> None:
    server.answers[PODS] = [(200, '{"metadata": {}, "items": []}')]
    result = run(server)
    assert result["failed"]
    assert "Is Falco installed there?" in result["msg"]


@pytest.mark.parametrize(
    ("options", "word"),
    [({"since": "noon"}, "noon"), ({"deadline": "soon"}, "soon"), ({"expected": [{"name": "x"}]}, "any alert")],
)
def test_bad_input_is_told_before_the_cluster_is_asked(
    server: ApiServer, options: dict[str, object], word: str
) -> None:
    result = run(server, **options)
    assert result["failed"]
    assert word in result["msg"]
    assert server.asked == []
