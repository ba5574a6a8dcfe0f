"""Exec streams for the fake API server: a websocket that runs the command on this machine."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from io import BufferedIOBase
from typing import Optional
from urllib.parse import parse_qs, urlsplit

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#: What the "container" does with (path of the pod, argv, standard input) if the test does not want a real process:
#: gives standard output and exit code, or None to run it.
Script = Callable[[str, list[str], bytes], Optional[tuple[str, int]]]


def _send(stream: BufferedIOBase, payload: bytes, opcode: int = 2) -> None:
    size = len(payload)
    head = struct.pack("!BB", 0x80 | opcode, size) if size < 126 else struct.pack("!BBH", 0x80 | opcode, 126, size)
    if size > 65535:
        head = struct.pack("!BBQ", 0x80 | opcode, 127, size)
    stream.write(head + payload)
    stream.flush()


def _receive(stream: BufferedIOBase) -> tuple[int, bytes]:
    try:
        head = stream.read(2)
    except OSError:
        head = b""
    if len(head) < 2:
        return 8, b""
    size = head[1] & 0x7F
    if size == 126:
        size = struct.unpack("!H", stream.read(2))[0]
    elif size == 127:
        size = struct.unpack("!Q", stream.read(8))[0]
    mask = stream.read(4)
    data = stream.read(size)
    return head[0] & 0x0F, bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))


def handle(request: BaseHTTPRequestHandler, script: Script | None) -> None:
    """Serve one exec request to its end."""
    split = urlsplit(request.path)
    query = parse_qs(split.query)
    key = request.headers["Sec-WebSocket-Key"]
    accept = base64.b64encode(hashlib.sha1((key + _MAGIC).encode()).digest()).decode()
    request.wfile.write(
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n"
        ).encode()
    )
    request.wfile.flush()
    request.close_connection = True
    said = script(split.path, query["command"], b"") if script else None
    if said is not None:
        _send(request.wfile, b"\x01" + said[0].encode())
        _finish(request, said[1])
        return
    process = subprocess.Popen(query["command"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def feed() -> None:
        while True:
            opcode, data = _receive(request.rfile)
            if opcode == 8 or process.stdin is None:
                return
            if data[:1] == b"\0":
                try:
                    process.stdin.write(data[1:])
                    process.stdin.flush()
                except (BrokenPipeError, ValueError):
                    return

    threading.Thread(target=feed, daemon=True).start()
    assert process.stdout and process.stderr
    output = process.stdout.read()
    errors = process.stderr.read()
    _send(request.wfile, b"\x01" + output)
    if errors:
        _send(request.wfile, b"\x02" + errors)
    _finish(request, process.wait())


def _finish(request: BaseHTTPRequestHandler, code: int) -> None:
    status: dict[str, object] = {"status": "Success"}
    if code:
        cause = {"reason": "ExitCode", "message": str(code)}
        status = {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": [cause]}}
    _send(request.wfile, b"\x03" + json.dumps(status).encode())
    _send(request.wfile, struct.pack("!H", 1000), opcode=8)
