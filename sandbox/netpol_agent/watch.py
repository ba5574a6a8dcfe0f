"""Keeps the objects of one kind up to date: list, watch from there, list again when the watch cannot go on."""

# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from netpol_agent.kubeconfig import Access

LOG = logging.getLogger("netpol-agent")

#: The server ends a watch after this time and the agent starts the next from where it was.
WATCH_SECONDS = 240
LIST_LIMIT = 500
RETRY_SECONDS = 0.5


class GoneError(Exception):
    """The server no longer has the version that the watch started from (HTTP 410)."""


class Store:
    """The last known objects of one kind, shared between its watching thread and the main loop."""

    def __init__(self, kind: str, path: str, changed: threading.Event) -> None:
        self.kind = kind
        self.path = path
        self._changed = changed
        self._lock = threading.Lock()
        self._objects: dict[tuple[str, str], dict[str, Any]] = {}
        self._version = ""
        self._synced = False

    def replace(self, objects: list[dict[str, Any]], version: str) -> None:
        """Take the result of a list."""
        with self._lock:
            self._objects = {_key(thing): thing for thing in objects}
            self._version, self._synced = version, True
        self._changed.set()

    def apply(self, event: str, thing: dict[str, Any]) -> None:
        """Take one event of a watch; raises :class:`GoneError` or ``OSError`` for an ERROR event."""
        if event == "ERROR":
            if thing.get("code") == http.client.GONE:
                raise GoneError(thing.get("message", "gone"))
            raise OSError(f"watch: {thing.get('message') or thing}")
        with self._lock:
            self._version = thing["metadata"]["resourceVersion"]
            if event == "DELETED":
                self._objects.pop(_key(thing), None)
            elif event in ("ADDED", "MODIFIED"):
                self._objects[_key(thing)] = thing
        # A bookmark changes no object, but what is published as applied.
        self._changed.set()

    @property
    def version(self) -> str:
        """resourceVersion up to which the objects are current."""
        with self._lock:
            return self._version

    def read(self) -> tuple[list[dict[str, Any]], str] | None:
        """Objects and the version that they are of; ``None`` before the first list."""
        with self._lock:
            return (list(self._objects.values()), self._version) if self._synced else None


def _key(thing: dict[str, Any]) -> tuple[str, str]:
    metadata = thing["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


class Api:
    """Requests to one API server; a connection for each, so that threads share nothing."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def open(self, path: str, timeout_seconds: float) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Send a GET; raises :class:`GoneError`, ``OSError`` or ``http.client.HTTPException``."""
        where = urlsplit(self._access.server)
        connection: http.client.HTTPConnection
        if self._access.tls is None:
            connection = http.client.HTTPConnection(where.hostname or "", where.port or 80, timeout=timeout_seconds)
        else:
            connection = http.client.HTTPSConnection(
                where.hostname or "", where.port or 443, timeout=timeout_seconds, context=self._access.tls
            )
        connection.connect()
        # A server that vanished without a word is noticed in about ten seconds.
        for option, value in (("TCP_KEEPIDLE", 4), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 3)):
            connection.sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        headers = {"Accept": "application/json", "User-Agent": "falconet-sandbox-netpol-agent"}
        if self._access.token:
            headers["Authorization"] = f"Bearer {self._access.token}"
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        if response.status == http.client.GONE:
            connection.close()
            raise GoneError(path)
        if response.status != http.client.OK:
            words = response.read(500).decode(errors="replace")
            connection.close()
            raise OSError(f"GET {path}: HTTP {response.status}: {words}")
        return connection, response

    def list(self, path: str) -> tuple[list[dict[str, Any]], str]:
        """All objects, page by page, and the version of the list."""
        objects: list[dict[str, Any]] = []
        more = ""
        while True:
            connection, response = self.open(
                f"{path}?limit={LIST_LIMIT}" + (f"&continue={quote(more)}" if more else ""), 30
            )
            with contextlib.closing(connection):
                page = json.load(response)
            objects.extend(page.get("items") or [])
            more = page["metadata"].get("continue") or ""
            if not more:
                return objects, page["metadata"]["resourceVersion"]

    def watch(self, path: str, version: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Events after a version, until the server ends the watch."""
        query = f"?watch=1&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds={WATCH_SECONDS}"
        connection, response = self.open(path + query, WATCH_SECONDS + 30)
        with contextlib.closing(connection):
            while line := response.readline():
                event = json.loads(line)
                yield event["type"], event["object"]


def follow(api: Api, store: Store, stop: threading.Event, wait: Callable[[float], object] | None = None) -> None:
    """Keep a store current until ``stop``; never raises for what a server or network does."""
    pause = wait or stop.wait
    listed = False
    while not stop.is_set():
        try:
            if not listed:
                store.replace(*api.list(store.path))
                listed = True
            for event, thing in api.watch(store.path, store.version):
                store.apply(event, thing)
                if stop.is_set():
                    return
        except GoneError as error:
            LOG.info("%s: list again: %s", store.kind, error)
            listed = False
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            LOG.warning("%s: list again in %s s: %s", store.kind, RETRY_SECONDS, error)
            listed = False
            pause(RETRY_SECONDS)
