"""Outputs: standard output, a file, HTTP. An alert that HTTP cannot deliver is lost, as with the real Falco."""

from __future__ import annotations

import http.client
import queue
import ssl
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from .config import Config, HttpOutput
from .log import log

_TIMEOUT_SECONDS = 5
_WAITING = 4096
"""Alerts that may wait for their delivery."""


class Outputs:
    """Where alerts go; they keep their order.

    Attributes:
        dropped: alerts for which there was no place to wait.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._waiting: queue.Queue[bytes] = queue.Queue(_WAITING)
        self.dropped = 0
        if config.http_output is not None:
            threading.Thread(target=self._deliver, args=(config.http_output,), daemon=True).start()

    def send(self, line: str) -> None:
        """Hand a line to each output."""
        with self._lock:
            if self._config.stdout_output:
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
            if self._config.file_output is not None:
                try:
                    with Path(self._config.file_output).open("a", encoding="utf-8") as file:
                        file.write(line + "\n")
                except OSError as error:
                    log(f"file_output: {error}")
            if self._config.http_output is not None:
                try:
                    self._waiting.put_nowait(line.encode())
                except queue.Full:
                    self.dropped += 1
                    log("output queue is full: an alert is dropped")

    def _deliver(self, output: HttpOutput) -> None:
        while True:
            body = self._waiting.get()
            try:
                post(output, body)
            except (OSError, ValueError, http.client.HTTPException) as error:
                log(f"libcurl failed to perform call: {error}")
            finally:
                self._waiting.task_done()

    def wait(self) -> None:
        """Return when nothing waits for its delivery."""
        self._waiting.join()


def post(output: HttpOutput, body: bytes) -> None:
    """Send one alert; what the server answers does not matter.

    Raises:
        OSError, HTTPException: it cannot be delivered.
        ValueError: the URL is none.
    """
    url = urlsplit(output.url)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError(f"http_output.url is '{output.url}', which is no URL of http or https")
    connection = (
        http.client.HTTPSConnection(url.hostname, url.port, timeout=_TIMEOUT_SECONDS, context=_trust(output))
        if url.scheme == "https"
        else http.client.HTTPConnection(url.hostname, url.port, timeout=_TIMEOUT_SECONDS)
    )
    try:
        headers = {"Content-Type": "application/json", "User-Agent": output.user_agent}
        connection.request("POST", url.path or "/", body, headers)
        connection.getresponse().read()
    finally:
        connection.close()


def _trust(output: HttpOutput) -> ssl.SSLContext:
    """Which servers are trusted, and who we are to them. A file that is absent is an error only where it is needed."""
    context = ssl.create_default_context()
    if output.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    for file in (output.ca_cert, output.ca_bundle):
        if file and Path(file).exists():
            context.load_verify_locations(cafile=file)
    if output.ca_path and Path(output.ca_path).is_dir():
        context.load_verify_locations(capath=output.ca_path)
    if output.client_cert:
        context.load_cert_chain(output.client_cert, output.client_key)
    return context
