# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the running Falco and Falcosidekick logged of alerts that they passed on or lost, pod by pod."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..alerts.delivery import read_falco, read_sidekick
from ..kube.client import Client
from ..kube.errors import KubeError, from_response
from ..kube.resource import KNOWN

PODS = KNOWN[("v1", "Pod")]
LOG_LIMIT_BYTES = 5_000_000
_AT_ONCE = 16


def of_falco(client: Client, namespace: str, selector: str, container: str, since: str | None) -> list[dict[str, Any]]:
    """What each Falco lost.

    Args:
        namespace: where its pods are.
        selector: label selector of its pods.
        container: which of their containers is Falco.
        since: RFC 3339 time; None for all that is kept.

    Returns:
        Of each pod C(pod), C(node), C(lost) (as C(alerts.delivery.Passing)), C(drops), C(refused), C(unread) (why its
        log could not be read, else empty).

    Raises:
        KubeError: the pods cannot be listed, or logs may not be read at all.
    """

    def told(pod: Mapping[str, Any]) -> dict[str, Any]:
        lines, unread = _log(client, namespace, pod, container, since)
        found = read_falco(lines)
        return {
            **_named(pod),
            "lost": found.lost.to_dict(),
            "drops": found.drops,
            "refused": found.refused,
            "unread": unread,
        }

    return _each(client, namespace, selector, told)


def of_sidekick(client: Client, namespace: str, selector: str, since: str | None) -> list[dict[str, Any]]:
    """What each Falcosidekick sent to its outputs and what it could not.

    Args:
        namespace, selector, since: as in C(of_falco).

    Returns:
        Of each pod C(pod), C(node), C(outputs) (by their names in small letters, as C(alerts.delivery.Passing)) and
        C(unread).

    Raises:
        KubeError: as in C(of_falco).
    """

    def told(pod: Mapping[str, Any]) -> dict[str, Any]:
        lines, unread = _log(client, namespace, pod, None, since)
        outputs = {name: passing.to_dict() for name, passing in sorted(read_sidekick(lines).items())}
        return {**_named(pod), "outputs": outputs, "unread": unread}

    return _each(client, namespace, selector, told)


def together(pods: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What all Falcosidekicks sent, by output; of failures the last one that is known."""
    found: dict[str, dict[str, Any]] = {}
    for pod in pods:
        for name, passing in pod["outputs"].items():
            known = found.setdefault(name, {"sent": 0, "failed": 0, "failure": None})
            known["sent"] += passing["sent"]
            known["failed"] += passing["failed"]
            known["failure"] = passing["failure"] or known["failure"]
    return dict(sorted(found.items()))


def _each(
    client: Client, namespace: str, selector: str, told: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> list[dict[str, Any]]:
    pods = client.list_all(PODS, namespace, label_selector=selector)
    pods = [pod for pod in pods if pod.get("status", {}).get("phase") == "Running"]
    if not pods:
        return []
    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(pods))) as pool:
        return sorted(pool.map(told, pods), key=lambda entry: (str(entry["node"]), str(entry["pod"])))


def _named(pod: Mapping[str, Any]) -> dict[str, str]:
    return {"pod": str(pod["metadata"]["name"]), "node": str(pod.get("spec", {}).get("nodeName", ""))}


def _log(
    client: Client, namespace: str, pod: Mapping[str, Any], container: str | None, since: str | None
) -> tuple[list[str], str]:
    """Lines of a pod's log, and why there are none (empty if there are).

    Raises:
        ForbiddenError: logs may not be read.
    """
    name = str(pod["metadata"]["name"])
    query = {"container": container, "sinceTime": since, "limitBytes": LOG_LIMIT_BYTES}
    try:
        response = client.request("GET", PODS.path(namespace, name, "log"), query=query, timeout_seconds=10)
    except KubeError as error:
        return [], str(error)
    if response.status in (401, 403):
        raise from_response(response.status, response.data, "get", "pods/log", "", namespace, name)
    if response.status >= 400:
        return [], f"HTTP {response.status}"
    return response.data.decode("utf-8", "replace").splitlines(), ""
