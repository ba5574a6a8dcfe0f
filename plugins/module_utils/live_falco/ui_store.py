# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts in the store of Falcosidekick's UI, read by its search as a stream.

Source: https://github.com/falcosecurity/falcosidekick-ui (GET /api/v1/events/search)
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from ..alerts import AlertsError, read_time
from ..alerts.cursor import Entry, Position
from ..falco_chart.diagnosis import is_ready
from ..kube.client import Client
from ..kube.errors import KubeError
from ..kube.forward import get
from ..kube.resource import KNOWN
from .streams import SECOND, Read, of_store

PODS = KNOWN[("v1", "Pod")]
PAGE = 1000
#: The store has events by their own time; one that came late is found if it is no older than this before the last one.
SPAN_NS = 60 * SECOND
_STREAM = "ui"
Fetch = Callable[[str], tuple[int, bytes]]


def read_ui(
    client: Client,
    namespace: str,
    about: Mapping[str, Any],
    since_ns: int | None,
    positions: Mapping[str, Position],
    now_ns: Callable[[], int] = time.time_ns,
) -> Read:
    """New alerts in the store of the UI.

    Args:
        about: C(label_selector), C(port), C(username) and C(password) of the UI.
        since_ns: from when it is read if no position is known; None for all that it keeps.
        positions: where the read before stood.

    Raises:
        KubeError: no pod of the UI is ready, it cannot be asked, or does not take the password.
    """
    pods = client.list_all(PODS, namespace, label_selector=about["label_selector"])
    ready = sorted(str(pod["metadata"]["name"]) for pod in pods if is_ready(pod))
    if not ready:
        raise KubeError(
            f"no pod in namespace {namespace} with the labels {about['label_selector']} is ready",
            "Is the UI installed?",
        )
    token = base64.b64encode(f"{about['username'] or ''}:{about['password'] or ''}".encode()).decode()
    headers = {"Authorization": f"Basic {token}"} if about["username"] else {}

    def fetch(path: str) -> tuple[int, bytes]:
        return get(client, namespace, ready[0], about["port"], path, headers)

    position = positions.get(_STREAM)
    start = position.last_ns - SPAN_NS if position else since_ns
    entries = stored(fetch, start, now_ns())
    return of_store(entries, _STREAM, position, SPAN_NS, "the UI's store does not keep what it had")


def stored(fetch: Fetch, start_ns: int | None, now_ns: int) -> list[Entry]:
    """Events of the store, the oldest first, each once.

    Args:
        fetch: gives status and body of a path.
        start_ns: older ones are left out; None for all.

    Raises:
        KubeError: the UI refuses, or answers something else.
    """
    # The UI takes whole seconds back from its own clock, which may be another one than ours.
    back = "" if start_ns is None else f"{max(1, (now_ns - start_ns) // SECOND + 60)}s"
    found: dict[str, Entry] = {}
    page = 1
    while True:
        query = {"limit": PAGE, "page": page, **({"since": back} if back else {})}
        results = _results(*fetch("/api/v1/events/search?" + urlencode(query)))
        for key, entry in results:
            # A page is cut anew at each request, so that what came meanwhile shifts the rest: one is taken once.
            found[key] = entry
        if len(results) < PAGE:
            break
        page += 1
    entries = sorted(found.values(), key=lambda entry: entry.stamp_ns)
    return [entry for entry in entries if start_ns is None or entry.stamp_ns >= start_ns]


def _results(status: int, body: bytes) -> list[tuple[str, Entry]]:
    """Events of one page with what tells them apart."""
    if status == 401:
        raise KubeError("the UI refuses the user and the password", "See ui: username, password.")
    if status != 200:
        raise KubeError(f"the UI answers {status} to a search of events")
    try:
        # It leaves out what is empty.
        events = json.loads(body).get("results") or []
        return [
            (str(one.get("uuid") or one), Entry(read_time(one["time"]), json.dumps(one, sort_keys=True)))
            for one in events
        ]
    except (ValueError, KeyError, TypeError, AttributeError, AlertsError):
        raise KubeError("the UI does not answer a search of events as one") from None
