"""The webhook: what the plugin takes and refuses, plain and by TLS."""

from __future__ import annotations

import http.client
import json
import queue
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import Event

from sandbox.standins.falco.config import Plugin
from sandbox.standins.falco.k8saudit import AuditSource
from sandbox.standins.falco.k8saudit_webhook import Webhook

from .setting import certificate
from .test_k8saudit import event

JSON = {"Content-Type": "application/json"}


@contextmanager
def webhook(
    path: str = "/k8s-audit", tls: Path | None = None, most: int = 1000
) -> Iterator[tuple[int, Iterator[bytes]]]:
    """A webhook's port, and the bodies that it takes."""
    one = Webhook("127.0.0.1:0", path, None if tls is None else str(tls), most)
    one.start()
    try:
        yield one.port, one.bodies()
    finally:
        one.close()


def ask(port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_a_batch_is_taken_by_a_connection_that_stays() -> None:
    with webhook() as (port, bodies):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        for number in range(3):
            connection.request("POST", "/k8s-audit?timeout=30s", str(number), {"Content-Type": "application/json; x=y"})
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b"")
        assert [next(bodies) for _ in range(3)] == [b"0", b"1", b"2"]
        connection.request("POST", "/k8s-audit", iter([b"in ", b"chunks"]), JSON, encode_chunked=True)
        assert connection.getresponse().status == 200
        assert next(bodies) == b"in chunks"
        connection.close()


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "answer"),
    [
        ("GET", "/k8s-audit", b"", {}, (405, "GET method not allowed\n")),
        ("PUT", "/k8s-audit", b"{}", JSON, (405, "PUT method not allowed\n")),
        ("POST", "/k8s-audit", b"{}", {"Content-Type": "text/plain"}, (400, "wrong Content Type\n")),
        ("POST", "/k8s-audit", b"{}", {}, (400, "wrong Content Type\n")),
        ("POST", "/k8s-audit", b"x" * 1001, JSON, (400, "bad request: http: request body too large\n")),
        ("POST", "/", b"{}", JSON, (404, "404 page not found\n")),
        ("POST", "/k8s-audit/", b"{}", JSON, (404, "404 page not found\n")),
        ("GET", "/other", b"", {}, (404, "404 page not found\n")),
    ],
)
def test_what_is_refused(method: str, path: str, body: bytes, headers: dict[str, str], answer: tuple[int, str]) -> None:
    with webhook() as (port, _):
        assert ask(port, method, path, body, headers) == answer


def test_a_chunked_body_over_the_bound_is_refused() -> None:
    with webhook() as (port, _):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("POST", "/k8s-audit", iter([b"x" * 600, b"x" * 600]), JSON, encode_chunked=True)
        assert connection.getresponse().status == 400


def test_a_path_that_ends_with_a_slash_is_everything_below_it() -> None:
    with webhook("/audit/") as (port, bodies):
        assert ask(port, "POST", "/audit/node1", b"[]", JSON) == (200, "")
        assert next(bodies) == b"[]"


def test_tls_and_a_client_that_says_nothing_holds_up_no_other(tmp_path: Path) -> None:
    pem = certificate(tmp_path / "falco.pem")
    with webhook(tls=pem) as (port, bodies), socket.create_connection(("127.0.0.1", port)):
        trust = ssl.create_default_context(cafile=str(pem))
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=trust)
        connection.request("POST", "/k8s-audit", b"[]", JSON)
        assert connection.getresponse().status == 200
        assert next(bodies) == b"[]"
        connection.close()


def test_plain_http_where_tls_is_wanted_is_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused = pytest.raises((OSError, http.client.HTTPException))
    with webhook(tls=certificate(tmp_path / "falco.pem")) as (port, _), refused:
        ask(port, "POST", "/k8s-audit", b"[]", JSON)
    assert "TLS handshake error" in capsys.readouterr().err


def test_events_come_out_of_what_is_posted() -> None:
    found: queue.Queue[Event] = queue.Queue()
    source = AuditSource(Plugin("k8saudit", {}, "http://127.0.0.1:0/k8s-audit"), found.put)
    source.open()
    worker = threading.Thread(target=source.run)
    worker.start()
    assert source.port is not None
    batch = {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [event("a"), event("b")]}
    for body in (b"{broken", json.dumps(batch).encode()):
        assert ask(source.port, "POST", "/k8s-audit", body, JSON)[0] == 200
    assert [found.get(timeout=20).fields["ka.target.name"] for _ in range(2)] == ["a", "b"]
    source.close()
    worker.join(timeout=20)
    assert not worker.is_alive()
