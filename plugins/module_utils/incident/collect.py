# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a pod: its object, owners, events, policies, the logs of its containers, its processes and sockets.

Whatever cannot be had is named in the manifest, and does not keep the rest from being collected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..kube.client import Client
from ..kube.errors import KubeError, from_response
from ..kube.exec import Command, run
from ..kube.resource import KNOWN
from ..probe.cluster.probers import Probers
from ..probe.wire.script import LOADER
from .hide import without_secrets
from .processes import END, program

_POD = KNOWN["v1", "Pod"]
#: Bytes of one container's log, the last of it.
LOG_BYTES = 20_000_000
#: Owners are followed so far: a pod, its ReplicaSet, its Deployment, and what an operator puts above.
_MOST_OWNERS = 4
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


@dataclass
class Collected:
    """What there is, and what is missing.

    Attributes:
        files: contents by name.
        missing: what could not be had, by name, with the reason.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def take(self, name: str, ask: Callable[[], bytes | None]) -> None:
        """Keep what is answered, or why it is not; an answer of None is left out."""
        try:
            content = ask()
        except KubeError as error:
            self.missing[name] = str(error)
            return
        if content is not None:
            self.files[name] = content


def collect(client: Client, namespace: str, name: str, probers: Probers | None) -> Collected:
    """Ask for all that is known of a pod.

    Args:
        client: connection to the cluster.
        namespace, name: the pod.
        probers: the privileged pods from which processes are looked at; None does without.

    Raises:
        KubeError: there is no such pod, or the API server is away.
    """
    pod = client.get(_POD, name, namespace)
    if pod is None:
        raise KubeError(f"there is no pod {namespace}/{name}")
    found = Collected()
    # What goes first when a pod dies is asked for first.
    if probers is not None:
        found.take("processes.txt", lambda: _processes(client, pod, probers))
    for container, previous in _logs(pod):
        log = f"logs/{_UNSAFE.sub('_', container)}{'.previous' if previous else ''}.log"
        found.take(log, partial(_log, client, pod, container, previous))
    found.files["pod.json"] = to_json(without_secrets(pod))
    found.take("owners.json", lambda: to_json([without_secrets(one) for one in owners(client, pod)]))
    found.take("events.json", lambda: to_json(_events(client, pod)))
    found.take(
        "policies.json", lambda: to_json(client.list_all(KNOWN["networking.k8s.io/v1", "NetworkPolicy"], namespace))
    )
    return found


def to_json(data: Any) -> bytes:
    """Data as a file."""
    return json.dumps(data, indent=2, sort_keys=True).encode() + b"\n"


def _processes(client: Client, pod: Mapping[str, Any], probers: Probers) -> bytes:
    node = (pod.get("spec") or {}).get("nodeName")
    if not node:
        raise KubeError("the pod is on no node yet")
    prober = probers.on([node])[node]
    if isinstance(prober, str):
        raise KubeError(prober)
    command = Command(prober.namespace, prober.name, prober.container, LOADER, program(pod["metadata"]["uid"]))
    output = run(client, command)
    if END not in output.stdout:
        raise KubeError(f"the look at the processes broke off: {output.stderr.strip()[:200]}")
    return output.stdout.encode("utf-8", "replace")


def _logs(pod: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Containers that have run, and whether the log is that of the run before."""
    status = pod.get("status") or {}
    for kind in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for one in status.get(kind) or []:
            yield one["name"], False
            if one.get("restartCount"):
                yield one["name"], True


def _log(client: Client, pod: Mapping[str, Any], container: str, previous: bool) -> bytes:
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    query = {"container": container, "timestamps": "true", "limitBytes": LOG_BYTES}
    if previous:
        query["previous"] = "true"
    response = client.request("GET", _POD.path(namespace, name, "log"), query=query)
    if response.status >= 400:
        raise from_response(response.status, response.data, "get", "pods/log", "", namespace, name)
    return bytes(response.data)


def owners(client: Client, item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Who owns an object, then who owns that, and so on.

    Raises:
        KubeError: the API server is away, or a permission is missing.
    """
    namespace = item["metadata"]["namespace"]
    for _step in range(_MOST_OWNERS):
        owner = next((one for one in item["metadata"].get("ownerReferences") or () if one.get("controller")), None)
        if owner is None:
            return
        found = client.get(client.resource(owner["apiVersion"], owner["kind"]), owner["name"], namespace)
        if found is None:
            return
        yield found
        item = found


def _events(client: Client, pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    metadata = pod["metadata"]
    selector = f"involvedObject.kind=Pod,involvedObject.name={metadata['name']}"
    return client.list_all(client.resource("v1", "Event"), metadata["namespace"], field_selector=selector)
