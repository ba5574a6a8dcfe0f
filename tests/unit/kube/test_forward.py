"""HTTP over the API server's port-forward: what is sent, what is read, and what becomes of everything else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import websocket
from ansible_collections.falconet.k8s.plugins.module_utils.kube import forward, pod_stream
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import ConnectionFailedError, ForbiddenError

BEGUN = [b"\x00\xf2\x0a", b"\x01\xf2\x0a"]  # on both channels the port, 2802
BINARY, CLOSE = websocket.ABNF.OPCODE_BINARY, websocket.ABNF.OPCODE_CLOSE


class Stream:
    """A websocket that gives these messages and is closed then."""

    def __init__(self, *messages: bytes) -> None:
        self.messages = list(messages)
        self.sent = b""
        self.closed = False

    def send(self, data: bytes, _opcode: int) -> None:
        self.sent += data

    def settimeout(self, _seconds: float) -> None:
        return

    def recv_data_frame(self, _control: bool) -> tuple[int, Any]:
        if not self.messages:
            return CLOSE, SimpleNamespace(data=b"")
        return BINARY, SimpleNamespace(data=self.messages.pop(0))

    def shutdown(self) -> None:
        self.closed = True


def ask(monkeypatch: pytest.MonkeyPatch, stream: Stream | Exception) -> tuple[int, bytes]:
    asked: list[str] = []

    def connected(_configuration: object, url: str, _headers: dict[str, str]) -> Stream:
        asked.append(url)
        if isinstance(stream, Exception):
            raise stream
        return stream

    monkeypatch.setattr(pod_stream, "create_websocket", connected)
    client: Any = SimpleNamespace(
        host="https://api:6443", configuration=None, authorization=dict, count_call=lambda: None
    )
    answer = forward.get(client, "falco", "ui-1", 2802, "/events?limit=1", {"Authorization": "Basic planted"})
    assert asked == ["wss://api:6443/api/v1/namespaces/falco/pods/ui-1/portforward?ports=2802"]
    return answer


def test_an_answer_is_put_together_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(*BEGUN, b"\x00HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nab", b"\x00cd", b"\x00 more")
    assert ask(monkeypatch, stream) == (200, b"abcd")
    assert stream.sent == b"\x00GET /events?limit=1 HTTP/1.0\r\nHost: ui-1\r\nAuthorization: Basic planted\r\n\r\n"
    assert stream.messages == [b"\x00 more"]
    assert stream.closed


def test_an_answer_without_a_length_ends_with_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(monkeypatch, Stream(*BEGUN, b"\x00HTTP/1.0 401 No\r\n\r\n", b"\x00why")) == (401, b"why")


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([*BEGUN, b"\x01connection refused"], "port 2802 of falco/ui-1: connection refused"),
        ([*BEGUN, b"\x00SSH-2.0\r\n"], "does not answer as HTTP does"),
        (BEGUN, "does not answer as HTTP does"),
    ],
)
def test_what_is_no_answer_is_told(monkeypatch: pytest.MonkeyPatch, messages: list[bytes], why: str) -> None:
    with pytest.raises(ConnectionFailedError, match=why) as told:
        ask(monkeypatch, Stream(*messages))
    assert "planted" not in str(told.value)


def test_a_missing_right_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = websocket.WebSocketBadStatusException("%s", 403)
    with pytest.raises(ForbiddenError, match="pods/portforward"):
        ask(monkeypatch, refusal)


def test_an_api_server_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConnectionFailedError, match="https://api:6443 does not answer"):
        ask(monkeypatch, OSError("refused"))
