"""A small API server for tests: real HTTP on loopback, objects in memory, faults on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from . import fake_exec

Answer = tuple[int, Any]


class FakeApi:
    """Collections by path, each a list of objects; C(faults) is asked before every request and may answer instead."""

    def __init__(self) -> None:
        self.collections: dict[str, list[dict[str, Any]]] = {}
        self.requests: list[tuple[str, str, dict[str, list[str]], Any]] = []
        self.headers: list[dict[str, str]] = []
        self.faults: Callable[[str, str, dict[str, list[str]]], Answer | None] | None = None
        self.exec: fake_exec.Script | None = None
        self.url = ""

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        self.requests.append((method, path, query, body))
        fault = self.faults(method, path, query) if self.faults else None
        if fault:
            return fault
        collection, _slash, name = path.rpartition("/")
        if method == "PATCH" and self.headers[-1].get("content-type") == "application/merge-patch+json":
            return self._merge(collection, name, body)
        if method == "PATCH":
            return self._apply(collection, name, query, body)
        if method == "DELETE" and "labelSelector" in query:
            return self._delete_all(path, query["labelSelector"][0])
        if method == "DELETE":
            return self._delete(collection, name)
        if method == "POST":
            return self._create(path, body)
        if method == "PUT":
            return self._apply(collection, name, query, body)
        if path in self.collections:
            return self._page(path, query)
        for item in self.collections.get(collection, []):
            if item["metadata"]["name"] == name:
                return 200, item
        return 404, {"kind": "Status", "reason": "NotFound", "message": f"{path} not found"}

    def _page(self, path: str, query: dict[str, list[str]]) -> Answer:
        items = [item for item in self.collections[path] if _selected(item, query.get("labelSelector", [""])[0])]
        start = int(query.get("continue", ["0"])[0])
        limit = int(query.get("limit", ["0"])[0]) or len(items)
        rest = len(items) - start - limit
        metadata = {"continue": str(start + limit)} if rest > 0 else {}
        bare = [{k: v for k, v in item.items() if k not in ("apiVersion", "kind")} for item in items]
        return 200, {"kind": "List", "metadata": metadata, "items": bare[start : start + limit]}

    def _apply(self, collection: str, name: str, query: dict[str, list[str]], body: Any) -> Answer:
        if "dryRun" not in query:
            body = dict(body, metadata={"uid": "u", "resourceVersion": str(len(self.requests)), **body["metadata"]})
            others = [item for item in self.collections.get(collection, []) if item["metadata"]["name"] != name]
            self.collections[collection] = [*others, body]
        return 200, body

    def _merge(self, collection: str, name: str, body: Any) -> Answer:
        """A merge patch (RFC 7386), if the object is at the resource version that the patch names."""
        for item in self.collections.get(collection, []):
            if item["metadata"]["name"] == name:
                wanted = body.get("metadata", {}).get("resourceVersion")
                if wanted is not None and wanted != item["metadata"].get("resourceVersion"):
                    return 409, {"kind": "Status", "reason": "Conflict", "message": "the object has been modified"}
                _merge_into(item, body)
                item["metadata"]["resourceVersion"] = str(len(self.requests))
                return 200, item
        return 404, {"kind": "Status", "reason": "NotFound", "message": f"{name} not found"}

    def _create(self, path: str, body: Any) -> Answer:
        if any(item["metadata"]["name"] == body["metadata"]["name"] for item in self.collections.get(path, [])):
            return 409, {"kind": "Status", "reason": "AlreadyExists", "message": "already exists"}
        return self._apply(path, body["metadata"]["name"], {}, body)

    def _delete_all(self, path: str, selector: str) -> Answer:
        wanted = dict(pair.split("=", 1) for pair in selector.split(",") if "=" in pair)
        kept = [
            item
            for item in self.collections.get(path, [])
            if not wanted.items() <= (item["metadata"].get("labels") or {}).items()
        ]
        self.collections[path] = kept
        return 200, {"kind": "Status", "status": "Success"}

    def _delete(self, collection: str, name: str) -> Answer:
        before = self.collections.get(collection, [])
        after = [item for item in before if item["metadata"]["name"] != name]
        if len(after) == len(before):
            return 404, {"kind": "Status", "reason": "NotFound", "message": "not found"}
        self.collections[collection] = after
        return 200, {"kind": "Status", "status": "Success"}


def _selected(item: dict[str, Any], selector: str) -> bool:
    """Whether an object has the labels that C(key) and C(key=value) ask for; other requirements are not looked at."""
    labels = item["metadata"].get("labels") or {}
    asked = [one.partition("=") for one in selector.split(",") if one and not set("!() ") & set(one)]
    return all(key in labels and (not equals or labels[key] == value) for key, equals, value in asked)


def _merge_into(target: dict[str, Any], patch: dict[str, Any]) -> None:
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge_into(target[key], value)
        else:
            target[key] = value


@contextmanager
def serve(api: FakeApi, port: int = 0) -> Iterator[str]:
    """Serve the API on a port of loopback, a free one unless told; gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            split = urlsplit(self.path)
            if split.path.endswith("/exec"):
                self._exec(split.path, parse_qs(split.query))
                return
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            api.headers.append({key.lower(): value for key, value in self.headers.items()})
            status, body = api.answer(self.command, split.path, parse_qs(split.query), json.loads(raw) if raw else None)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _exec(self, path: str, query: dict[str, list[str]]) -> None:
            api.requests.append(("EXEC", path, query, None))
            fault = api.faults("EXEC", path, query) if api.faults else None
            if fault:
                data = json.dumps(fault[1]).encode()
                self.send_response(fault[0])
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                return
            fake_exec.handle(self, api.exec)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 - names that http.server calls

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature of http.server
            """Say nothing: tests read C(requests)."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield api.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
