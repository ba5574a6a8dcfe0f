# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where alerts are in a cluster: a receiver behind a Service, and Falcosidekick, which passes them on."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ..kube.client import Client
from ..kube.errors import from_response
from ..kube.resource import KNOWN

#: How long a receiver may take to answer.
RECEIVER_SECONDS = 10.0


def service_lines(
    client: Client, receiver: dict[str, Any], since: str | None, timeout_seconds: float = RECEIVER_SECONDS
) -> list[str]:
    """Lines that a receiver answers, asked through the API server's proxy, so that nothing must be exposed.

    Args:
        receiver: C(namespace), C(service), C(port) and C(path) of an HTTP endpoint that answers JSON lines.
        since: RFC 3339 time that is sent as the query parameter C(since), or None.
        timeout_seconds: how long it may take to answer.

    Raises:
        KubeError: the receiver cannot be asked.
    """
    path = _proxy_path(receiver)
    response = client.request("GET", path, query={"since": since}, timeout_seconds=timeout_seconds)
    if response.status >= 400:
        raise from_response(
            response.status, response.data, "get", "services/proxy", "", receiver["namespace"], receiver["service"]
        )
    return str(response.data.decode("utf-8", "replace")).splitlines()


def send_event(client: Client, receiver: dict[str, Any], event: dict[str, Any]) -> int:
    """Send an event as Falco does, through the API server's proxy.

    Args:
        receiver: C(namespace), C(service), C(port), C(path) and C(scheme) (V(http) or V(https)) of Falcosidekick.
        event: of Falco's form: C(rule), C(priority), C(time), C(output), C(output_fields) and what else it has.

    Returns:
        The HTTP status that Falcosidekick answered.

    Raises:
        KubeError: it cannot be asked, or did not take the event.
    """
    response = client.request("POST", _proxy_path(receiver), body=event)
    if response.status >= 400:
        raise from_response(
            response.status, response.data, "create", "services/proxy", "", receiver["namespace"], receiver["service"]
        )
    return int(response.status)


def _proxy_path(receiver: dict[str, Any]) -> str:
    """Where the API server passes requests on to a Service.

    Source: https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/
    """
    services = KNOWN[("v1", "Service")].path(receiver["namespace"])
    scheme = "https:" if receiver.get("scheme") == "https" else ""
    # The colons around the name are part of the path's syntax, so they must not be quoted.
    return f"{services}/{scheme}{receiver['service']}:{receiver['port']}/proxy/{quote(receiver['path'].lstrip('/'))}"
