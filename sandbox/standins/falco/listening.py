"""A server of HTTP that answers each client in a thread of its own, and asks no DNS for its own name when it starts."""

from __future__ import annotations

from http.server import ThreadingHTTPServer
from socketserver import TCPServer


class Listener(ThreadingHTTPServer):
    """Listens from its making on; `serve_forever` answers."""

    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        """Take the address; `HTTPServer` would look its name up, and wait for that where DNS is away."""
        TCPServer.server_bind(self)
        self.server_port = self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that ends amid a request is the client's affair."""
