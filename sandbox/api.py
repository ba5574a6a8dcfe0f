"""The API server of a sandbox, asked with the administrator's certificate; standard library only."""

from __future__ import annotations

import datetime
import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError
from sandbox.instance import Instance

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


def is_since(timestamp: str, moment: datetime.datetime | None) -> bool:
    """Whether a timestamp of the API (RFC 3339, whole seconds) is not before a moment; true if there is no moment."""
    return moment is None or datetime.datetime.fromisoformat(timestamp) >= moment


class Api:
    """A connection to the API server.

    Args:
        instance: the sandbox.
        keys: its folder of Kubernetes keys.
    """

    def __init__(self, instance: Instance, keys: Path) -> None:
        self.url = instance.api_url
        self.nodes = instance.nodes
        self.context = ssl.create_default_context(cafile=str(keys / "ca.crt"))
        self.context.load_cert_chain(keys / "users/admin.crt", keys / "users/admin.key")

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: Any = None,
        kind: str = "application/json",
        timeout_seconds: float = 10,
    ) -> str:
        """One request; returns the answer's text.

        Raises:
            SandboxError: the server answered with an error, or not at all.
        """
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": kind, "Accept": "application/json, */*"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310 - always https
        try:
            with urllib.request.urlopen(request, timeout=timeout_seconds, context=self.context) as answer:  # noqa: S310 - always https
                text: str = answer.read().decode(errors="replace")
                return text
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")[:500]
            raise SandboxError(f"{method} {path}: {error.code} {said}") from error
        except (OSError, ValueError) as error:
            raise SandboxError(f"the API server at {self.url} does not answer: {error}") from error

    def get(self, path: str, timeout_seconds: float = 10) -> Any:
        """An object or list."""
        return json.loads(self.ask(path, timeout_seconds=timeout_seconds))

    def ready(self) -> bool:
        """Whether the API server says that it is ready."""
        try:
            return self.ask("/readyz", timeout_seconds=2) == "ok"
        except SandboxError:
            return False

    def apply(self, path: str, document: Any) -> Any:
        """Server-side apply of an object, as the field manager ``falconet-sandbox``."""
        query = "?fieldManager=falconet-sandbox&force=true"
        return json.loads(self.ask(path + query, method="PATCH", body=document, kind=APPLY))
