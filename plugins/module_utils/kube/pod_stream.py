# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams to a pod over the API server: a websocket whose messages begin with the number of a channel."""

from __future__ import annotations

import socket
import ssl
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from .client import Client
from .errors import ConnectionFailedError, KubeError, from_response

WEBSOCKET_IMPORT_ERROR: str | None = None
try:
    import websocket
    from kubernetes.stream.ws_client import create_websocket
except ImportError:
    WEBSOCKET_IMPORT_ERROR = traceback.format_exc()


class StreamTimeoutError(KubeError):
    """What was awaited on a stream did not come in time."""


class PodStream:
    """An open stream; C(opened) makes one."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def send(self, channel: int, data: bytes) -> None:
        """Send a message on a channel."""
        self._stream.send(bytes([channel]) + data, websocket.ABNF.OPCODE_BINARY)

    def messages(self, deadline: float) -> Iterator[tuple[int, bytes]]:
        """Channel and content of every message that comes until the stream is closed.

        Args:
            deadline: until when, on C(time.monotonic).
        """
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise websocket.WebSocketTimeoutException
            self._stream.settimeout(remaining)
            opcode, frame = self._stream.recv_data_frame(True)
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return
            if opcode in (websocket.ABNF.OPCODE_BINARY, websocket.ABNF.OPCODE_TEXT) and frame.data:
                yield frame.data[0], bytes(frame.data[1:])


@contextmanager
def opened(
    client: Client,
    pod: tuple[str, str],
    subresource: str,
    query: Sequence[tuple[str, str]],
    what: str,
    headers: Mapping[str, str] | None = None,
) -> Iterator[PodStream]:
    """A stream to a pod, closed afterwards.

    Args:
        pod: its namespace and name.
        subresource: C(exec) or C(portforward).
        query: what the API server is to know about it.
        what: what is done, for messages.
        headers: further ones of the request to the API server.

    Raises:
        ForbiddenError: RBAC does not allow it.
        ApiError: the API server refuses it.
        ConnectionFailedError: nobody answered, or the stream broke off.
        StreamTimeoutError: within the block, what was awaited did not come in time.
    """
    if WEBSOCKET_IMPORT_ERROR:
        raise KubeError(
            "the Python library 'websocket-client' is missing on the controller",
            "It comes with the library 'kubernetes': python3 -m pip install 'kubernetes>=24.2'.",
        )
    namespace, name = pod
    path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(name)}/{subresource}"
    url = client.host.replace("http", "ws", 1) + path + "?" + urlencode(query)
    client.count_call()
    try:
        stream = create_websocket(client.configuration, url, {**client.authorization(), **(headers or {})})
    except websocket.WebSocketBadStatusException as error:
        body = getattr(error, "resp_body", None) or str(error).encode()
        raise from_response(
            error.status_code, body, "create", f"pods/{subresource}", namespace=namespace, name=name
        ) from error
    except (websocket.WebSocketException, OSError, ssl.SSLError) as error:
        raise ConnectionFailedError(f"{what}: the API server at {client.host} does not answer: {error}") from error
    try:
        yield PodStream(stream)
    except (websocket.WebSocketTimeoutException, socket.timeout) as error:
        raise StreamTimeoutError(f"{what} did not end in time") from error
    except (websocket.WebSocketException, OSError, ssl.SSLError) as error:
        raise ConnectionFailedError(f"{what}: the stream broke off: {error}") from error
    finally:
        stream.shutdown()
