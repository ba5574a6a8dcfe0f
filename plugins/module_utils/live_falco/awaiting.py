# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts of triggers, awaited at all places together, until all are there or one deadline is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ..alerts import Alert
from ..alerts.cursor import Position
from ..alerts.triggers.following import LOG, SIDEKICK, Action, complete, followed
from ..falco_chart.diagnosis import is_ready
from ..kube.client import Client
from ..kube.errors import KubeError
from .streams import PODS, SECOND, Read, read_logs, read_receiver, rfc3339

POLL_SECONDS = 0.4
#: What Falco has logged is awaited no longer elsewhere where for so long no Falcosidekick is ready to send it on.
NOBODY_SECONDS = 5.0
#: How far a receiver's clock may be behind the nodes' clocks.
RECEIVER_BEHIND_NS = 300 * SECOND


@dataclass(frozen=True)
class Logs:
    """Where pods log.

    Attributes:
        selector: label selector.
    """

    namespace: str
    selector: str
    container: str


@dataclass
class Source:
    """One that is read again and again: how, for which places, and what it gave so far."""

    read: Callable[[Mapping[str, Position]], Read]
    positions: dict[str, Position] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    why_not: str = ""

    def look(self) -> None:
        """Read what is new; what cannot be read now is tried again the next time."""
        try:
            got = self.read(self.positions)
        except KubeError as error:
            self.why_not = str(error)
            return
        self.why_not = "; ".join(f"{name}: {why}" for name, why in sorted(got.unread.items()))
        self.positions = got.positions
        self.alerts += got.alerts
        self.gaps += got.gaps


@dataclass(frozen=True)
class Awaited:
    """What came of it.

    Attributes:
        triggers: as C(followed) gives them.
        unread: by place why it could not be read at last.
        gaps: what may have been lost, in words.
        waited_seconds: from the last action.
    """

    triggers: list[dict[str, Any]]
    unread: dict[str, str]
    gaps: list[str]
    waited_seconds: float


def await_alerts(
    client: Client,
    triggers: Sequence[Mapping[str, Any]],
    actions: Sequence[Action],
    log: Logs,
    sidekick: Logs | None,
    destinations: Sequence[Mapping[str, Any]],
    wait_seconds: float,
) -> Awaited:
    """Look at all places until every alert that is awaited is there, or the time is over.

    Args:
        client: one that does not wait for what is away.
        triggers, actions: what was done.
        log: of Falco.
        sidekick: its pods, whose log is looked at once, at the end; None to leave them.
        destinations: each with C(name) and C(receiver).
        wait_seconds: for all alerts at all places together; no longer than until it is known that nobody sends any on.
    """
    start = time.monotonic()
    began = [action.done.began_ns for action in actions if action.done]
    since = min(began) - SECOND if began else time.time_ns()
    logs = Source(lambda positions: read_logs(client, log.namespace, log.selector, log.container, since, positions))
    receivers: dict[str, Source] = {}
    for destination in destinations:
        receivers.setdefault(_key(destination["receiver"]), _receiver(client, destination["receiver"], since))
    sources = [logs, *receivers.values()]
    nobody_since = 0.0
    with ThreadPoolExecutor(max_workers=len(sources)) as pool:
        while True:
            for looked in [pool.submit(source.look) for source in sources]:
                looked.result()
            places = {LOG: logs.alerts}
            for destination in destinations:
                name = str(destination["name"])
                at_receiver = receivers[_key(destination["receiver"])].alerts
                places[name] = [alert for alert in at_receiver if alert.destination == name]
            found = followed(triggers, actions, places)
            waited = time.monotonic() - start
            # Falcosidekick sends on what it has taken; what Falco logs while there is none is lost.
            if sidekick is None or not complete(found, LOG) or _somebody_sends(client, sidekick):
                nobody_since = waited
            if complete(found) or waited >= wait_seconds or waited >= nobody_since + NOBODY_SECONDS:
                break
            time.sleep(POLL_SECONDS)
    if sidekick is not None:
        passing = Source(
            lambda positions: read_logs(
                client, sidekick.namespace, sidekick.selector, sidekick.container, since, positions
            )
        )
        passing.look()
        found = followed(triggers, actions, {**places, SIDEKICK: passing.alerts})
    unread = {LOG: logs.why_not}
    unread.update({str(one["name"]): receivers[_key(one["receiver"])].why_not for one in destinations})
    return Awaited(
        found,
        {place: why for place, why in unread.items() if why},
        [gap for source in sources for gap in source.gaps],
        round(waited, 1),
    )


def _somebody_sends(client: Client, sidekick: Logs) -> bool:
    """Whether a Falcosidekick is ready, or nobody knows."""
    try:
        return any(is_ready(pod) for pod in client.list_all(PODS, sidekick.namespace, label_selector=sidekick.selector))
    except KubeError:
        return True


def _key(receiver: Mapping[str, Any]) -> str:
    return "/".join(str(receiver[name]) for name in ("namespace", "service", "port", "path"))


def _receiver(client: Client, receiver: Mapping[str, Any], since_ns: int) -> Source:
    since = rfc3339(since_ns - RECEIVER_BEHIND_NS)
    return Source(lambda positions: read_receiver(client, dict(receiver), since, positions))
