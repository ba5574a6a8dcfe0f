"""Outputs: a line reaches each of them; HTTP is real, its TLS too."""

from __future__ import annotations

import queue
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sandbox.standins.falco.config import Config, HttpOutput
from sandbox.standins.falco.outputs import Outputs, post

from .setting import certificate

Posted = queue.Queue[tuple[str, str, bytes]]


@contextmanager
def receiver(tls: ssl.SSLContext | None = None) -> Iterator[tuple[int, Posted]]:
    """A server that keeps what is posted, and answers that it failed."""
    got: Posted = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.put((self.path, self.headers["User-Agent"], body))
            self.send_response(500)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port, got
    finally:
        server.shutdown()
        server.server_close()


def test_each_output_gets_each_line_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with receiver() as (port, got):
        output = HttpOutput(f"http://127.0.0.1:{port}/here", "agent")
        outputs = Outputs(Config("", (), file_output=str(tmp_path / "alerts"), http_output=output))
        outputs.send("one")
        outputs.send("tw\u00f6")
        assert got.get(timeout=10) == ("/here", "agent", b"one")
        assert got.get(timeout=10)[2] == "tw\u00f6".encode()
    assert capsys.readouterr().out == "one\ntw\u00f6\n"
    assert (tmp_path / "alerts").read_text() == "one\ntw\u00f6\n"
    assert outputs.dropped == 0


def test_an_alert_that_cannot_be_delivered_is_lost_and_the_next_one_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with receiver() as (port, _):
        free = port
    outputs = Outputs(Config("", (), stdout_output=False, http_output=HttpOutput(f"http://127.0.0.1:{free}")))
    outputs.send("lost")
    outputs.wait()
    assert "libcurl failed to perform call" in capsys.readouterr().err


def test_a_url_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no URL of http or https"):
        post(HttpOutput("falcosidekick:2801"), b"x")


def test_tls_is_refused_without_trust_and_accepted_with_it(tmp_path: Path) -> None:
    pem = certificate(tmp_path / "server.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with receiver(context) as (port, got):
        url = f"https://127.0.0.1:{port}/"
        with pytest.raises(ssl.SSLCertVerificationError):
            post(HttpOutput(url), b"x")
        post(HttpOutput(url, ca_cert=str(pem)), b"trusted")
        post(HttpOutput(url, insecure=True), b"insecure")
        assert {got.get(timeout=10)[2] for _ in range(2)} == {b"trusted", b"insecure"}


def test_mutual_tls(tmp_path: Path) -> None:
    pem, own = certificate(tmp_path / "server.pem"), certificate(tmp_path / "client.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.load_verify_locations(own)
    context.verify_mode = ssl.CERT_REQUIRED
    with receiver(context) as (port, got):
        url = f"https://127.0.0.1:{port}/"
        with pytest.raises(OSError):
            post(HttpOutput(url, ca_cert=str(pem)), b"x")
        post(HttpOutput(url, ca_cert=str(pem), client_cert=str(own), client_key=str(own)), b"known")
        assert got.get(timeout=10)[2] == b"known"
