"""An API server of nodes and their pods on loopback, which remembers how many nodes were out of service at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CONTAINERS = [{"name": "c", "image": "i"}]


class NodeApi:
    """Nodes that are ready, pods on them, and what was asked."""

    def __init__(self, *names: str) -> None:
        self.nodes = {name: self._node(name) for name in names}
        self.pods: list[dict[str, Any]] = []
        self.most_cordoned = 0
        self.history: list[tuple[str, bool]] = []
        self.refuse_uncordon = False
        #: Variables that lead Ansible's modules here, while it is served.
        self.environment: dict[str, str] = {}

    @staticmethod
    def _node(name: str) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name},
            "spec": {},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }

    def pod(self, name: str, node: str) -> None:
        """A pod that nobody would make again, so that a drain refuses to end it."""
        metadata = {"name": name, "namespace": "default"}
        self.pods.append(
            {"metadata": metadata, "spec": {"nodeName": node, "containers": CONTAINERS}, "status": {"phase": "Running"}}
        )

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        name = path.rpartition("/")[2]
        if path == "/version":
            return 200, {"major": "1", "minor": "35", "gitVersion": "v1.35.0"}
        if path == "/api":
            return 200, {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            return 200, {"kind": "APIGroupList", "groups": []}
        if path == "/api/v1":
            verbs = ["get", "list", "patch"]
            kinds = [("nodes", "Node", False), ("pods", "Pod", True)]
            entries = [{"name": n, "kind": k, "namespaced": s, "singularName": "", "verbs": verbs} for n, k, s in kinds]
            return 200, {"kind": "APIResourceList", "groupVersion": "v1", "resources": entries}
        if path == "/api/v1/pods":
            wanted = query.get("fieldSelector", [""])[0].partition("spec.nodeName=")[2]
            found = [pod for pod in self.pods if pod["spec"]["nodeName"] == wanted]
            return 200, {"apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": found}
        if path == f"/api/v1/nodes/{name}" and name in self.nodes:
            return self._patch(name, body) if method == "PATCH" else (200, self.nodes[name])
        return 404, {"kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound", "message": "not found"}

    def _patch(self, name: str, body: Any) -> tuple[int, Any]:
        cordon = bool(body["spec"]["unschedulable"])
        if self.refuse_uncordon and not cordon:
            return 403, {"kind": "Status", "status": "Failure", "code": 403, "reason": "Forbidden", "message": "no"}
        self.nodes[name]["spec"]["unschedulable"] = cordon
        self.history.append((name, cordon))
        cordoned = sum(bool(node["spec"].get("unschedulable")) for node in self.nodes.values())
        self.most_cordoned = max(self.most_cordoned, cordoned)
        return 200, self.nodes[name]


@contextmanager
def serve(api: NodeApi) -> Iterator[None]:
    """Serve it on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            split = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, body = api.answer(self.command, split.path, parse_qs(split.query), json.loads(raw) if raw else None)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PATCH = do_POST = _handle  # noqa: N815 - names that http.server calls

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    api.environment = {"K8S_AUTH_HOST": url, "K8S_AUTH_API_KEY": "for-nobody"}
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
