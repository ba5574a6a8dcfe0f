"""The k8saudit plugin's webhook: takes what the API server posts, refuses what the plugin refuses.

A request is answered when its body waits for its evaluation; as long as 50 others do, it waits, too. Clients are not
asked for certificates: the plugin's server does not either.
Source: `OpenWebServer` in `pkg/k8saudit/source.go` of the plugin in falcosecurity/plugins.
"""

from __future__ import annotations

import queue
import ssl
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import cast
from urllib.parse import urlsplit

from .listening import Listener
from .log import log

_WAITING = 50
_IDLE_SECONDS = 300


class _Server(Listener):
    def __init__(self, host: str, port: int, path: str, certificate: str | None, max_batch_size: int) -> None:
        self.path = path
        self.max_batch_size = max_batch_size
        self.bodies: queue.Queue[bytes | None] = queue.Queue(_WAITING)
        self.tls: ssl.SSLContext | None = None
        if certificate is not None:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate)
        super().__init__((host, port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS

    def setup(self) -> None:
        """Greet by TLS in the connection's own thread, so that one that is silent holds up no other."""
        context = self._server.tls
        if context is not None:
            self.request.settimeout(10)
            try:
                self.request = context.wrap_socket(self.request, server_side=True)
            except OSError as error:
                log(f"[k8saudit] http: TLS handshake error from {self.client_address[0]}: {error}")
                raise
        super().setup()

    @property
    def _server(self) -> _Server:
        return cast("_Server", self.server)

    def do_POST(self) -> None:
        """Take a batch of events."""
        if not self._is_here():
            self._answer(HTTPStatus.NOT_FOUND, "404 page not found")
        elif "application/json" not in self.headers.get("Content-Type", ""):
            self._answer(HTTPStatus.BAD_REQUEST, "wrong Content Type")
        else:
            try:
                body = self._body()
            except ValueError as error:
                self.close_connection = True
                log(f"[k8saudit] bad request: {error}")
                self._answer(HTTPStatus.BAD_REQUEST, f"bad request: {error}")
                return
            self._server.bodies.put(body)
            self._answer(HTTPStatus.OK)

    def _refuse(self) -> None:
        self.close_connection = True  # a body, if there is one, is not read
        if self._is_here():
            self._answer(HTTPStatus.METHOD_NOT_ALLOWED, f"{self.command} method not allowed")
        else:
            self._answer(HTTPStatus.NOT_FOUND, "404 page not found")

    do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refuse  # noqa: N815 - the standard library's names

    def _is_here(self) -> bool:
        asked, own = urlsplit(self.path).path, self._server.path
        return asked.startswith(own) if own.endswith("/") else asked == own

    def _body(self) -> bytes:
        """The request's body.

        Raises:
            ValueError: it is over the bound, or is not as its headers say.
        """
        most = self._server.max_batch_size
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = bytearray()
            while size := int(self.rfile.readline(64).partition(b";")[0], 16):
                if len(body) + size > most:
                    raise ValueError("http: request body too large")
                body += self.rfile.read(size)
                self.rfile.readline(8)
            while self.rfile.readline(1024).strip():
                pass
            return bytes(body)
        size = int(self.headers.get("Content-Length", "0"))
        if size > most:
            raise ValueError("http: request body too large")
        body_read = self.rfile.read(size)
        if len(body_read) != size:
            raise ValueError("unexpected EOF")
        return body_read

    def _answer(self, status: HTTPStatus, text: str = "") -> None:
        content = f"{text}\n".encode() if text else b""
        self.send_response(status)
        if content:
            self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Nothing: requests are not logged."""


class Webhook:
    """A server for one address and path."""

    def __init__(self, address: str, path: str, certificate: str | None, max_batch_size: int) -> None:
        """Listen.

        Args:
            address: `HOST:PORT`; no host is every address of the machine, and no port the scheme's.
            path: of the requests; one that ends with a slash stands for everything below it.
            certificate: file with key and certificate, for TLS; None for none.
            max_batch_size: bytes of a request.

        Raises:
            OSError: the address is taken, or the certificate cannot be read.
            ValueError: it is no address.
        """
        host, _colon, port = address.rpartition(":") if ":" in address else (address, "", "")
        if not path:
            raise ValueError("a path is wanted")
        usual = 443 if certificate is not None else 80
        self._server = _Server(host.strip("[]"), int(port) if port else usual, path, certificate, max_batch_size)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    def start(self) -> None:
        """Serve from a thread of its own."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def bodies(self) -> Iterator[bytes]:
        """The body of each request, in order, until it is closed."""
        while (body := self._server.bodies.get()) is not None:
            yield body

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._server.bodies.put(None)
