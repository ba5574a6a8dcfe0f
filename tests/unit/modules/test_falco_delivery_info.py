"""falco_delivery_info reads the logs of all pods, tells of each what got lost, and keeps no secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ..api_server import ApiServer, api_server
from ..module_runner import run_module

PODS = "/api/v1/namespaces/falco/pods"


def pods(*names: str, phase: str = "Running") -> str:
    items = [
        {"metadata": {"name": name}, "spec": {"nodeName": f"on-{name}"}, "status": {"phase": phase}} for name in names
    ]
    return json.dumps({"metadata": {}, "items": items})


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with api_server() as running:
        yield running


def run(server: ApiServer, **options: object) -> dict[str, Any]:
    return run_module("falco_delivery_info", {"host": server.url, **options})


def test_each_falco_and_each_output_is_told(server: ApiServer) -> None:
    server.answer(PODS, pods("falco-a", "falco-b"), pods("side-a", "side-b"))
    server.answer(f"{PODS}/falco-a/log", "x: libcurl failed to perform call: Timeout was reached\n")
    server.answer(f"{PODS}/falco-b/log", "fine\n")
    server.answer(f"{PODS}/side-a/log", '[ERROR] : Slack - Post "https://h.example/T/secret": EOF\n')
    server.answer(f"{PODS}/side-b/log", "[INFO]  : Slack - POST OK (200)\n[INFO]  : Webhook - POST OK (200)\n")
    result = run(server, since="2026-11-28T04:00:00Z")
    assert [(one["node"], one["lost"]["failed"]) for one in result["falco"]] == [("on-falco-a", 1), ("on-falco-b", 0)]
    assert result["falco"][0]["lost"]["failure"]["kind"] == "silent"
    slack = result["outputs"]["slack"]
    assert (slack["sent"], slack["failed"], slack["failure"]["host"]) == (1, 1, "h.example")
    assert result["outputs"]["webhook"]["failure"] is None
    assert "secret" not in json.dumps(result)
    asked = [(path, query) for path, query in server.asked]
    assert dict(asked)[f"{PODS}/falco-a/log"]["sinceTime"] == ["2026-11-28T04:00:00Z"]
    selectors = [query["labelSelector"][0] for path, query in asked if path == PODS]
    assert selectors == [
        "app.kubernetes.io/name=falco",
        "app.kubernetes.io/name=falcosidekick,app.kubernetes.io/component=core",
    ]


def test_a_log_that_cannot_be_read_is_told_and_no_failure(server: ApiServer) -> None:
    server.answer(PODS, pods("falco-a"), pods("side-a", phase="Pending"))
    server.answer(f"{PODS}/falco-a/log", "{}", status=400)
    result = run(server)
    assert result["falco"][0]["unread"] == "HTTP 400"
    assert (result["sidekick"], result["outputs"]) == ([], {})


def test_logs_that_may_not_be_read_fail(server: ApiServer) -> None:
    server.answer(PODS, pods("falco-a"), pods())
    server.answer(f"{PODS}/falco-a/log", json.dumps({"kind": "Status", "message": "no"}), status=403)
    assert "pods/log" in run(server)["msg"]


def test_a_wrong_time_is_refused(server: ApiServer) -> None:
    assert "is not an RFC 3339 time" in run(server, since="yesterday")["msg"]
