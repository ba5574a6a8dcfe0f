"""A TLS server on this machine that answers as it is told."""

from __future__ import annotations

import contextlib
import datetime
import http.server
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.falconet.k8s.plugins.plugin_utils.certificates import Certificates, keep_or_issue


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    body: str
    client: str


def certificates() -> Certificates:
    """Those of the server, and of a client that it knows."""
    return keep_or_issue(None, "", None, None, ["localhost"], 90, datetime.datetime.now(datetime.timezone.utc))


@contextlib.contextmanager
def serving(
    folder: Path,
    answer: Callable[[Request], tuple[int, str]],
    made: Certificates | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[tuple[int, list[Request]]]:
    """Its port (a free one unless given), and what it is asked; with certificates it asks for the client's."""
    known = made is not None
    made = made or certificates()
    seen: list[Request] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            client = str(self.connection.getpeercert()) if known else ""
            request = Request(self.command, self.path, self.rfile.read(length).decode(), client)
            seen.append(request)
            status, body = answer(request)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_PATCH = do_POST = _answer  # noqa: N815 - the library's names

        def log_message(self, *arguments: object) -> None:
            """Nothing on the terminal."""

    (folder / "server.pem").write_text(made.server.certificate + made.server.key)
    (folder / "ca.pem").write_text(made.authority.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    if known:
        context.load_verify_locations(folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    server = http.server.ThreadingHTTPServer((host, port), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1], seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
