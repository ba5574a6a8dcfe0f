# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way to a cluster: a small REST client over the connection settings of the C(kubernetes) library.

Objects stay plain dictionaries, as the API server sent them. The library is used for what it is good at (kubeconfig
files, tokens that are refreshed, client certificates, proxies); its generated classes are not, because they change with
its version and lose fields that they do not know.
"""

from __future__ import annotations

import json
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from .errors import ApiError, ConnectionFailedError, KubeError, from_response
from .resource import KNOWN, Resource

KUBERNETES_IMPORT_ERROR: str | None = None
try:
    import urllib3
    from kubernetes.client import rest as kubernetes_rest
    from urllib3.exceptions import HTTPError
except ImportError:
    KUBERNETES_IMPORT_ERROR = traceback.format_exc()

FIELD_MANAGER = "falconet.k8s"
PAGE_SIZE = 500
CONNECT_TIMEOUT_SECONDS = 10
READ_TIMEOUT_SECONDS = 60
DEFAULT_PATIENCE_SECONDS = 60.0

# The verbs of an HTTP method, as RBAC names them, for requests to one object and to a collection.
_VERBS = {
    "GET": ("get", "list"),
    "POST": ("create", "create"),
    "PATCH": ("patch", "patch"),
    "PUT": ("update", "update"),
}
_VERBS["DELETE"] = ("delete", "deletecollection")


class Client:
    """A connection to one cluster. Safe to use from several threads.

    Args:
        configuration: a C(kubernetes.client.Configuration) that has been loaded.
        patience_seconds: how long a request that may be repeated is repeated while the API server is away.
        connect_timeout_seconds: how long one attempt to connect may take.
    """

    def __init__(
        self,
        configuration: Any,
        patience_seconds: float = DEFAULT_PATIENCE_SECONDS,
        connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS,
    ) -> None:
        self.configuration = configuration
        self.patience_seconds = patience_seconds
        self.connect_timeout_seconds = connect_timeout_seconds
        self.calls = 0
        self._count_lock = threading.Lock()
        self._discovered: dict[str, dict[str, Resource]] = {}
        configuration.connection_pool_maxsize = 32
        self._pool = kubernetes_rest.RESTClientObject(configuration).pool_manager

    @property
    def host(self) -> str:
        return str(self.configuration.host).rstrip("/")

    def authorization(self) -> dict[str, str]:
        """Headers that carry the token or the basic credentials, refreshed if they have expired."""
        headers: dict[str, str] = {}
        for setting in self.configuration.auth_settings().values():
            if setting.get("in") == "header" and setting.get("value"):
                headers[str(setting["key"]).lower()] = str(setting["value"])
        return headers

    def count_call(self) -> None:
        """Count a request that goes out by another way than C(request) (an exec stream)."""
        with self._count_lock:
            self.calls += 1

    def request(
        self,
        method: str,
        path: str,
        query: dict[str, Any] | None = None,
        body: Any | None = None,
        content_type: str = "application/json",
        timeout_seconds: float = READ_TIMEOUT_SECONDS,
        stream: bool = False,
        repeat: bool | None = None,
    ) -> Any:
        """Send one request and return the urllib3 response, whatever its status.

        Args:
            method: HTTP method.
            path: absolute path, such as C(/api/v1/namespaces).
            query: query parameters; None values are left out.
            body: object to send as JSON.
            content_type: type of the body.
            timeout_seconds: time limit of the read.
            stream: leave the body unread (for watches).
            repeat: whether the request may be sent again when the connection breaks or the server is busy
                (429, 502, 503, 504); by default every method but POST.

        Raises:
            ConnectionFailedError: nobody answered within the client's patience.
        """
        wanted = {key: value for key, value in (query or {}).items() if value is not None}
        url = self.host + path + ("?" + urlencode(wanted) if wanted else "")
        payload = json.dumps(body) if body is not None else None
        may_repeat = method != "POST" if repeat is None else repeat
        deadline = time.monotonic() + self.patience_seconds
        delay = 0.2
        while True:
            headers = dict(self.authorization(), accept="application/json")
            if payload is not None:
                headers["content-type"] = content_type
            self.count_call()
            failure: Exception | None = None
            response = None
            try:
                response = self._pool.request(
                    method,
                    url,
                    body=payload,
                    headers=headers,
                    timeout=urllib3.Timeout(connect=self.connect_timeout_seconds, read=timeout_seconds),
                    preload_content=not stream,
                    retries=False,
                )
                if response.status not in (429, 502, 503, 504):
                    return response
            except HTTPError as error:
                failure = error
            # A connection that was never made did nothing, so even a POST may be sent again.
            never_sent = isinstance(failure, urllib3.exceptions.NewConnectionError)
            if time.monotonic() + delay > deadline or not (may_repeat or never_sent):
                if response is not None:
                    return response
                raise ConnectionFailedError(
                    f"the API server at {self.host} does not answer: {_root_cause(failure)}",
                    "Check that it runs, that it can be reached from here, and that kubeconfig and context are right.",
                )
            time.sleep(delay)
            delay = min(delay * 2, 2.0)

    def call(
        self,
        method: str,
        resource: Resource,
        namespace: str | None = None,
        name: str | None = None,
        subresource: str | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Send one request about a resource and return the decoded answer.

        Raises:
            ApiError: the server answered with a status of 400 or more; C(ForbiddenError) names the missing permission.
            ConnectionFailedError: nobody answered.
        """
        response = self.request(method, resource.path(namespace, name, subresource), **options)
        if response.status >= 400:
            plural = f"{resource.plural}/{subresource}" if subresource else resource.plural
            verb = _VERBS[method][0 if name else 1]
            raise from_response(response.status, response.data, verb, plural, resource.group, namespace, name or "")
        decoded = json.loads(response.data.decode("utf-8"))
        if not isinstance(decoded, dict):
            raise KubeError(f"{resource.path(namespace, name)} answered with something that is no object")
        return decoded

    def resource(self, api_version: str, kind: str) -> Resource:
        """Find how a kind is served, asking the server only for kinds that this collection does not know.

        Raises:
            KubeError: the cluster does not serve this kind.
        """
        known = KNOWN.get((api_version, kind))
        if known:
            return known
        served = self.served(api_version)
        if kind not in served:
            raise KubeError(
                f"this cluster does not serve {kind} of {api_version}",
                "It serves %s." % (", ".join(sorted(served)) if served else "nothing of that version"),
            )
        return served[kind]

    def served(self, api_version: str) -> dict[str, Resource]:
        """Kinds that the server has in one group and version; empty if it does not have that version."""
        if api_version not in self._discovered:
            path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
            response = self.request("GET", path)
            found: dict[str, Resource] = {}
            if response.status == 200:
                group, _slash, version = api_version.rpartition("/")
                for entry in json.loads(response.data.decode("utf-8")).get("resources", []):
                    if "/" not in entry["name"]:
                        found[entry["kind"]] = Resource(
                            group, version, entry["name"], entry["kind"], entry["namespaced"]
                        )
            elif response.status != 404:
                raise from_response(response.status, response.data, "get", path)
            self._discovered[api_version] = found
        return self._discovered[api_version]

    def versions(self, group: str) -> list[str]:
        """Versions of an API group that the server has, the preferred one first; empty without that group."""
        path = f"/apis/{group}"
        response = self.request("GET", path)
        if response.status == 404:
            return []
        if response.status >= 400:
            raise from_response(response.status, response.data, "get", path)
        answer = json.loads(response.data.decode("utf-8"))
        preferred = (answer.get("preferredVersion") or {}).get("version")
        return sorted((entry["version"] for entry in answer.get("versions", [])), key=lambda one: one != preferred)

    def get(self, resource: Resource, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        """One object, or None if it does not exist."""
        try:
            found = self.call("GET", resource, namespace, name)
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        return dict(found, apiVersion=resource.api_version, kind=resource.kind)

    def list_all(
        self,
        resource: Resource,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> list[dict[str, Any]]:
        """All objects of a kind, page by page, each with its apiVersion and kind (lists leave them out).

        A list that expires between two pages (HTTP 410) is started again without pages.
        """
        items: list[dict[str, Any]] = []
        query = {"limit": PAGE_SIZE, "labelSelector": label_selector, "fieldSelector": field_selector, "continue": None}
        while True:
            try:
                page = self.call("GET", resource, namespace, query=query)
            except ApiError as error:
                if error.status == 410 and query["continue"]:
                    items, query = [], dict(query, limit=None)
                    query["continue"] = None
                    continue
                raise
            for item in page.get("items") or []:
                item["apiVersion"] = resource.api_version
                item["kind"] = resource.kind
                items.append(item)
            query["continue"] = (page.get("metadata") or {}).get("continue") or None
            if not query["continue"]:
                return items

    def apply(
        self,
        manifest: dict[str, Any],
        field_manager: str = FIELD_MANAGER,
        force: bool = True,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Server-side apply: the object becomes as declared, fields of other owners stay.

        See https://kubernetes.io/docs/reference/using-api/server-side-apply/.

        Args:
            manifest: object with apiVersion, kind and metadata.name.
            field_manager: who owns the fields.
            force: take over fields that another manager owns.
            dry_run: let the server compute the result without storing it.

        Returns:
            The object as the server has it (or would have it).
        """
        resource = self.resource(manifest["apiVersion"], manifest["kind"])
        metadata = manifest["metadata"]
        clean = dict(
            manifest, metadata={k: v for k, v in metadata.items() if k not in ("managedFields", "resourceVersion")}
        )
        query = {
            "fieldManager": field_manager,
            "force": "true" if force else "false",
            "dryRun": "All" if dry_run else None,
        }
        namespace = metadata.get("namespace") if resource.namespaced else None
        # JSON is YAML, and the server takes the apply patch as YAML.
        return self.call(
            "PATCH",
            resource,
            namespace,
            metadata["name"],
            query=query,
            body=clean,
            content_type="application/apply-patch+yaml",
        )

    def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        grace_seconds: int | None = None,
        uid: str | None = None,
    ) -> bool:
        """Delete one object; False if there was none (any more).

        Args:
            grace_seconds: 0 kills at once; None leaves the object's own period.
            uid: delete only this very object, not another of the same name.
        """
        body: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if grace_seconds is not None:
            body["gracePeriodSeconds"] = grace_seconds
        if uid:
            body["preconditions"] = {"uid": uid}
        try:
            self.call("DELETE", resource, namespace, name, body=body)
        except ApiError as error:
            if error.status in (404, 409):
                return False
            raise
        return True

    def delete_all(
        self, resource: Resource, namespace: str, label_selector: str, grace_seconds: int | None = None
    ) -> None:
        """Delete the objects of a namespace that a selector matches, in one call.

        Args:
            grace_seconds: 0 kills at once; None leaves each object's own period.
        """
        body: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if grace_seconds is not None:
            body["gracePeriodSeconds"] = grace_seconds
        self.call("DELETE", resource, namespace, query={"labelSelector": label_selector}, body=body)

    def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
        resource_version: str | None = None,
        timeout_seconds: float = 60,
    ) -> Iterator[dict[str, Any]]:
        """Events of a collection until the time is over: dictionaries with C(type) and C(object)."""
        query = {
            "watch": "true",
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
            "resourceVersion": resource_version,
            "timeoutSeconds": max(1, int(timeout_seconds)),
        }
        response = self.request(
            "GET", resource.path(namespace), query=query, stream=True, timeout_seconds=timeout_seconds + 5
        )
        try:
            if response.status >= 400:
                raise from_response(
                    response.status, response.read(), "watch", resource.plural, resource.group, namespace
                )
            pending = b""
            for chunk in response.stream(amt=None):
                pending += chunk
                *lines, pending = pending.split(b"\n")
                for line in lines:
                    if line.strip():
                        yield json.loads(line.decode("utf-8"))
        except HTTPError as error:
            raise ConnectionFailedError(f"the watch of {resource.plural} broke off: {_root_cause(error)}") from error
        finally:
            response.close()


def _root_cause(error: BaseException | None) -> str:
    """The innermost reason of a connection error, which is the one that a human can act on."""
    while error is not None and (error.__cause__ or getattr(error, "reason", None)):
        inner = error.__cause__ or getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            break
        error = inner
    return str(error) or type(error).__name__
