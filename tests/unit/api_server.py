"""An API server for unit tests: answers fixed paths over HTTP on loopback and remembers what it was asked and sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class ApiServer:
    """Answers are taken in their order, the last one stays; a path without any is answered with 404."""

    url: str = ""
    answers: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)
    sent: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, path: str, *bodies: str, status: int = 200) -> None:
        self.answers.setdefault(path, []).extend((status, body) for body in bodies)

    def take(self, path: str) -> tuple[int, str]:
        waiting = self.answers.get(path) or [(404, '{"kind": "Status", "message": "not found", "reason": "NotFound"}')]
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]


@contextmanager
def api_server() -> Iterator[ApiServer]:
    server = ApiServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            server.asked.append((address.path, parse_qs(address.query)))
            self.answered(address.path)

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            server.sent.append((self.path, self.rfile.read(length).decode()))
            self.answered(self.path)

        do_PUT = do_POST  # noqa: N815 - named as http.server calls it

        def answered(self, path: str) -> None:
            status, body = server.take(path)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args: object) -> None:
            return

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{httpd.server_port}"
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()
