"""The source of Kubernetes audit events, as the k8saudit plugin opens it by its `open_params`.

`http://ADDRESS/PATH` and `https://ADDRESS/PATH` are a webhook (`k8saudit_webhook`). A path is a file, or a folder whose
files are read from the oldest on: one JSON value a line, to the end. `file:///PATH` is a file that is followed: what is
added from now on, through rotations.
Source: `pkg/k8saudit/source.go` and `config.go` of the plugin in falcosecurity/plugins.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import AuditFields, Event, audit_events
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.json_text import parse, to_text

from .config import ConfigError, Plugin
from .k8saudit_webhook import Webhook
from .log import log

SCHEMES = ("http", "https", "file", "")
_LONGEST_LINE_BYTES = 64 * 1024
"""Of a file that is read to its end: what Go's bufio.Scanner takes."""
_POLL_SECONDS = 0.2


class AuditError(Exception):
    """The source cannot be opened, or ended with an error: with it ends Falco."""


class AuditSource:
    """Audit events from one plugin's `open_params`.

    Attributes:
        max_event_size: bytes of one event; `init_config.maxEventSize`.
        max_batch_size: bytes of one request; `init_config.webhookMaxBatchSize`.
        certificate: file with key and certificate, for https; `init_config.sslCertificate`.
    """

    def __init__(self, plugin: Plugin, handle: Callable[[Event], None]) -> None:
        """Read the plugin's configuration; nothing is opened yet.

        Args:
            plugin: with `init_config` and `open_params`.
            handle: gets each event, one at a time.

        Raises:
            ConfigError: the plugin would not take it.
        """
        self._url = urlsplit(plugin.open_params)
        self._path = plugin.open_params.strip()
        self._handle = handle
        self._number = 0
        self._ended = threading.Event()
        self._webhook: Webhook | None = None
        self.max_event_size = _size(plugin, "maxEventSize", 256 * 1024)
        self.max_batch_size = _size(plugin, "webhookMaxBatchSize", 12 * 1024 * 1024)
        self.certificate = str(plugin.init_config.get("sslCertificate", "/etc/falco/falco.pem"))
        if self._url.scheme not in SCHEMES:
            raise ConfigError(f'plugins: open_params of k8saudit: scheme "{self._url.scheme}" is not supported')

    def open(self) -> None:
        """Open what `run` reads.

        Raises:
            AuditError: the address is taken, the certificate is none, the file is not there.
        """
        try:
            if self._url.scheme in ("http", "https"):
                certificate = self.certificate if self._url.scheme == "https" else None
                self._webhook = Webhook(self._url.netloc, self._url.path, certificate, self.max_batch_size)
                self._webhook.start()
            elif not self._url.scheme:
                Path(self._path).stat()
        except (OSError, ValueError) as error:
            raise AuditError(f"k8saudit: open_params '{self._path}': {error}") from error

    @property
    def port(self) -> int | None:
        """Where the webhook listens; None where there is none."""
        return None if self._webhook is None else self._webhook.port

    def run(self) -> None:
        """Hand over events until the end: of what is read, or by `close`.

        Raises:
            AuditError: a file cannot be read any further.
        """
        try:
            if self._webhook is not None:
                for body in self._webhook.bodies():
                    self._take(body)
            elif self._url.scheme == "file":
                for line in _followed(Path(self._url.path), self.max_event_size, self._ended):
                    self._take(line)
            else:
                for line in _lines(Path(self._path)):
                    self._take(line)
        except OSError as error:
            raise AuditError(f"k8saudit: {error}") from error

    def close(self) -> None:
        """End it."""
        self._ended.set()
        if self._webhook is not None:
            self._webhook.close()

    def _take(self, payload: bytes) -> None:
        """The events of a request or a line; what is none is logged and left out, as the plugin does."""
        try:
            value = parse(payload.decode("utf-8", "surrogateescape"))
        except (FalcoError, ValueError, RecursionError) as error:
            log(f"[k8saudit] {error}")
            return
        events = audit_events(value, 0)
        if not events:
            log("[k8saudit] data not recognized as a k8s audit event")
        for event in events:
            fields = event.fields
            if isinstance(fields, AuditFields) and len(payload) > self.max_event_size:
                size = len(to_text(fields.event).encode("utf-8", "surrogateescape"))
                if size > self.max_event_size:
                    log(f"[k8saudit] event larger than maxEventSize: size={size}")
                    continue
            self._number += 1
            event.number = fields["evt.num"] = self._number
            self._handle(event)


def _size(plugin: Plugin, key: str, default: int) -> int:
    value = plugin.init_config.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigError(f"plugins: init_config of {plugin.name}: {key} is {value!r}; a number of bytes is wanted")
    return value


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, or of the files of a folder from the oldest on."""
    files = [path]
    if path.is_dir():
        files = sorted((file for file in path.iterdir() if file.is_file()), key=lambda file: file.stat().st_mtime_ns)
    for file in files:
        with file.open("rb") as stream:
            for line in _bounded(stream):
                if line.strip():
                    yield line


def _bounded(stream: BinaryIO) -> Iterator[bytes]:
    while line := stream.readline(_LONGEST_LINE_BYTES + 1):
        if len(line) > _LONGEST_LINE_BYTES:
            raise OSError("bufio.Scanner: token too long")
        yield line


def _followed(path: Path, longest: int, ended: threading.Event) -> Iterator[bytes]:
    """Lines that are added to a file from now on; one that takes its place is read from its beginning."""
    stream: BinaryIO | None = path.open("rb") if path.exists() else None
    if stream is not None:
        stream.seek(0, 2)
    try:
        while not ended.wait(_POLL_SECONDS):
            if stream is not None:
                yield from _added(stream, longest)
            try:
                now = path.stat()
            except OSError:
                continue
            if stream is None or (now.st_ino, now.st_dev) != _identity(stream):
                if stream is not None:
                    stream.close()
                stream = path.open("rb")
                yield from _added(stream, longest)
            elif now.st_size < stream.tell():
                stream.seek(0)
    finally:
        if stream is not None:
            stream.close()


def _identity(stream: BinaryIO) -> tuple[int, int]:
    state = Path(f"/proc/self/fd/{stream.fileno()}").stat()
    return state.st_ino, state.st_dev


def _added(stream: BinaryIO, longest: int) -> Iterator[bytes]:
    """Whole lines up to the end; one that is still being written is left for later."""
    while True:
        start = stream.tell()
        line = stream.readline()
        if not line.endswith(b"\n"):
            stream.seek(start)
            return
        if len(line) > longest:
            log("[k8saudit] bufio.Scanner: token too long")
        elif line.strip():
            yield line
