# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP requests to a pod's port over the API server's port-forward, for what its proxy does not pass on.

The proxy takes the header Authorization for itself, so whoever asks for a password cannot be asked through it.
Source: https://github.com/kubernetes/kubernetes/blob/v1.35.0/staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward
"""

from __future__ import annotations

import http.client
import io
import time
from collections.abc import Mapping

from .client import Client
from .errors import ConnectionFailedError
from .pod_stream import PodStream, StreamTimeoutError, opened

# Channels of one forwarded port: the first byte of each message. The first message on each is the port.
_DATA, _ERROR = 0, 1


def get(
    client: Client,
    namespace: str,
    pod: str,
    port: int,
    path: str,
    headers: Mapping[str, str],
    timeout_seconds: float = 30.0,
) -> tuple[int, bytes]:
    """Ask a pod's port.

    Args:
        path: of the request, with its query.
        headers: of the request; no log and no error has them.

    Returns:
        Status and body.

    Raises:
        ForbiddenError: RBAC does not allow C(pods/portforward).
        ConnectionFailedError: nobody answered, or not as HTTP does.
    """
    what = f"port {port} of {namespace}/{pod}"
    # An older protocol has neither chunks nor a connection that stays.
    lines = [f"GET {path} HTTP/1.0", f"Host: {pod}", *(f"{name}: {value}" for name, value in headers.items())]
    try:
        with opened(client, (namespace, pod), "portforward", [("ports", str(port))], what) as stream:
            stream.send(_DATA, "\r\n".join([*lines, "", ""]).encode())
            return _answer(_received(stream, what, time.monotonic() + timeout_seconds), what)
    except StreamTimeoutError:
        raise ConnectionFailedError(f"{what} did not answer within {timeout_seconds:g} s") from None


def _received(stream: PodStream, what: str, deadline: float) -> bytes:
    """All that comes from the port until it is closed."""
    data = b""
    begun = {_DATA: False, _ERROR: False}
    for channel, message in stream.messages(deadline):
        part = message
        if not begun.get(channel, True):
            begun[channel] = True
            part = part[2:]
        if channel == _DATA:
            data += part
            if _is_whole(data):
                break
        elif channel == _ERROR and part:
            raise ConnectionFailedError(f"{what}: {part.decode('utf-8', 'replace')[:300]}")
    return data


def _is_whole(data: bytes) -> bool:
    """Whether an answer that says its length is all there."""
    head, blank, body = data.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n") if blank else ():
        name, _colon, value = line.partition(b":")
        if name == b"content-length":
            return value.strip().isdigit() and len(body) >= int(value)
    return False


class _Bytes:
    """What an HTTP answer is read from."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self.data)


def _answer(data: bytes, what: str) -> tuple[int, bytes]:
    answer = http.client.HTTPResponse(_Bytes(data))  # type: ignore[arg-type]  # all that it asks of a socket
    try:
        answer.begin()
        return answer.status, answer.read()
    except (http.client.HTTPException, ValueError) as error:
        raise ConnectionFailedError(f"{what} does not answer as HTTP does: {type(error).__name__}") from error
