"""falco_alert_send posts an event to Falcosidekick through the API server, and tells why it could not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ..api_server import ApiServer, api_server
from ..module_runner import run_module

EVENT = {"rule": "R", "priority": "Notice", "time": "2026-01-31T12:00:00Z", "output": "x", "output_fields": {"a": 1}}
PATH = "/api/v1/namespaces/falco/services/falco-falcosidekick:2801/proxy/"


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with api_server() as running:
        yield running


def send(server: ApiServer, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return run_module("falco_alert_send", {"host": server.url, "event": EVENT, **options}, check_mode=check_mode)


def test_the_event_is_sent_as_falco_does(server: ApiServer) -> None:
    server.answer(PATH, "")
    assert send(server)["status"] == 200
    ((path, body),) = server.sent
    assert (path, json.loads(body)) == (PATH, EVENT)


def test_tls_is_in_the_path(server: ApiServer) -> None:
    path = "/api/v1/namespaces/f/services/https:s:1/proxy/"
    server.answer(path, "")
    assert send(server, namespace="f", service="s", port=1, scheme="https")["changed"]
    assert [sent for sent, _body in server.sent] == [path]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (503, '{"message": "no endpoints available for service"}', "no endpoints available for service"),
        (403, '{"reason": "Forbidden", "message": "no"}', 'resources: ["services/proxy"], verbs: ["create"]'),
        (400, "Please send a valid request body", "Please send a valid request body"),
    ],
)
def test_why_it_was_not_told_is_told(server: ApiServer, status: int, body: str, words: str) -> None:
    server.answer(PATH, body, status=status)
    result = send(server)
    assert result["failed"]
    assert result["msg"].startswith("Falcosidekick was not told: ")
    assert words in result["msg"]


@pytest.mark.parametrize("name", sorted(EVENT))
def test_what_falcosidekick_would_refuse_is_not_sent(server: ApiServer, name: str) -> None:
    result = send(server, event={**EVENT, name: ""})
    assert f"it has no {name}," in result["msg"]
    assert server.sent == []


def test_check_mode_sends_nothing(server: ApiServer) -> None:
    assert send(server, check_mode=True)["changed"]
    assert server.sent == []
