# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fire drill: a pod that is made for it raises a rule, is collected, held and proven to be so, let go, and removed.

Its pod is one of `live_falco.triggers`, so it is removed in any end, and kubelet ends it before. What the quarantine of
a run that was killed has left, the next drill removes.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

from ..alerts import Alert
from ..common.watched import watched
from ..kube.client import Client
from ..kube.errors import KubeError
from ..kube.lease import is_gone, run_identity
from ..kube.resource import KNOWN
from ..live_falco.awaiting import Logs, await_alerts
from ..live_falco.streams import read_logs, rfc3339
from ..live_falco.triggers import Pods, TriggerPods
from ..live_netpol.quarantine import Quarantine
from ..probe.question import OwnPods
from ..respond.alert import time_of
from ..respond.errors import RespondError
from ..respond.guard import Limits
from ..respond.ladder import COLLECT, NOTE, QUARANTINE, Rung
from ..respond.timeline import timeline
from .course import TIME, Wishes, now, respond

#: What the quarantine's annotation says of who holds a pod; the run's identity follows.
BY = "fire drill "
#: After this time `release.yml` lets the pod go, whatever became of the run.
HELD_MINUTES = 15
ACTION, EVENT, ARRIVED = "action", "Falco's event", "in Falco's log"
RELEASED, REMOVED = "released", "removed"
_POD, _NODE = KNOWN["v1", "Pod"], KNOWN["v1", "Node"]
_SECOND = 10**9


@dataclass(frozen=True)
class Drill:
    """What is done.

    Attributes:
        trigger: C(name), C(rule), C(namespace), C(command), C(tty), C(expect_alert) and C(not_at), as of all triggers.
        node: whose pod does it; empty for the first that Falco is to watch and that takes pods.
        selector, groups: which nodes Falco is to watch, as `common.watched` takes them.
        pods: how the pod is made.
        log: of Falco.
        destinations: each with C(name) and C(receiver).
        alert_seconds: how long alerts may take.
        own_pods: how privileged pods are made that look at processes and try connections.
        kill_switch: namespace and name of the ConfigMap that stops responses.
        protected: namespaces whose pods are never held.
        directory: where the incident is kept while it lasts.
    """

    trigger: Mapping[str, Any]
    node: str
    selector: Mapping[str, Any]
    groups: Sequence[Mapping[str, Any]]
    pods: Pods
    log: Logs
    destinations: Sequence[Mapping[str, Any]]
    alert_seconds: float
    own_pods: OwnPods
    kill_switch: tuple[str, str]
    protected: tuple[str, ...]
    directory: Path


@dataclass
class Drilled:
    """What came of it. Nothing here is a verdict.

    Attributes:
        node, namespace, pod: where it was done.
        trigger: as C(alerts.triggers.following.followed) gives it; empty if nothing was done.
        unread: by place why it could not be read at last.
        plan: what was decided about the alert, as C(respond.guard.plan) returns it; empty if there was no alert.
        archive: name of the archive of what is known of the pod; empty if there is none. It is not kept.
        held: result of the quarantine, C(shown): what the network did, C(problems): what could not be done; as
            C(live_respond.course.Response) has them.
        released: C(labels), whether the pod has those again that it had, and C(error); empty if it was never held.
        left: why something of the drill may be left; empty if nothing is.
        timeline: what happened when, with C(seconds) since the action and C(took) since what stands before.
    """

    node: str = ""
    namespace: str = ""
    pod: str = ""
    trigger: dict[str, Any] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    plan: dict[str, Any] = field(default_factory=dict)
    archive: str = ""
    held: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    released: dict[str, Any] = field(default_factory=dict)
    left: str = ""
    timeline: list[dict[str, Any]] = field(default_factory=list)


def drill(client: Client, looking: Client, asked: Drill) -> dict[str, Any]:
    """Do a fire drill.

    Args:
        client: connection to the cluster.
        looking: one that does not wait for what is away, for places of alerts.
        asked: what is done.

    Returns:
        The fields of `Drilled`.

    Raises:
        KubeError: the cluster does not answer, there is no node to do it on, or its pod could not be asked for.
    """
    return asdict(_Course(client, looking, asked).run())


class _Course:
    def __init__(self, client: Client, looking: Client, asked: Drill) -> None:
        self.client, self.looking, self.asked = client, looking, asked
        self.namespace = str(asked.trigger["namespace"])
        self.found = Drilled(namespace=self.namespace)
        self.marks: list[dict[str, Any]] = []
        self.began: str | None = None
        self.may_be_held = False
        self.labels: dict[str, str] = {}

    def mark(self, what: str, detail: str = "") -> None:
        self.marks.append({"at": now().strftime(TIME), "what": what, "detail": detail})

    def run(self) -> Drilled:
        found, place = self.found, (self._node(), self.namespace)
        self._tidy()
        pods = TriggerPods(self.client, [place], self.asked.pods)
        found.node, found.pod = place[0], pods.names[place]
        # What cannot be removed at the end is told, and hides nothing of the rest.
        pods.__enter__()
        with contextlib.ExitStack() as stack:
            stack.callback(self._remove, pods)
            stack.callback(self._let_go)
            self._in_pod(pods)
        found.timeline = timeline({"time": self.began, "rule": self.asked.trigger["rule"]}, self.marks)
        found.timeline[0]["what"] = ACTION
        return found

    def _node(self) -> str:
        nodes = sorted(self.client.list_all(_NODE), key=lambda node: str(node["metadata"]["name"]))
        names = [str(node["metadata"]["name"]) for node in nodes]
        if self.asked.node:
            if self.asked.node not in names:
                raise KubeError(f"node: the cluster has no node {self.asked.node}", f"It has {', '.join(names)}.")
            return self.asked.node
        seen = [node for node in nodes if watched(node, self.asked.selector, self.asked.groups)]
        free = [node for node in seen if not (node.get("spec") or {}).get("unschedulable")]
        if not seen:
            raise KubeError("there is no node that Falco is to watch", f"The cluster has {', '.join(names) or 'none'}.")
        return str((free or seen)[0]["metadata"]["name"])

    def _tidy(self) -> None:
        """Let go what a run held that has ended, and its pods with it."""
        quarantine = Quarantine(self.client)
        for one in quarantine.held(self.namespace):
            by = str(one["by"])
            if by.startswith(BY) and (one["expired"] or is_gone(by[len(BY) :])):
                quarantine.release(one["namespace"], one["pod"], True)
                if one["there"]:
                    self.client.delete(_POD, one["pod"], one["namespace"], grace_seconds=0)

    def _in_pod(self, pods: TriggerPods) -> None:
        acted = pods.act([self.asked.trigger])
        awaited = await_alerts(
            self.looking,
            [self.asked.trigger],
            acted.actions,
            self.asked.log,
            None,
            self.asked.destinations,
            self.asked.alert_seconds,
        )
        (self.found.trigger,) = awaited.triggers
        self.found.unread = awaited.unread
        seen: Mapping[str, Any] = self.found.trigger["nodes"][0] if self.found.trigger["nodes"] else {}
        self.began = seen.get("acted")
        self._mark_alert(seen)
        if not any(place["arrived"] for place in seen.get("places", {}).values()):
            return
        try:
            alert = self._alert()
            if alert is None:
                raise KubeError("Falco's log does not have the alert, so it is not known which pod it is about")
            self._respond(alert)
        except (KubeError, RespondError, OSError) as error:
            self.found.problems.append(f"response: {error}")

    def _mark_alert(self, seen: Mapping[str, Any]) -> None:
        began = time_of(self.began)
        places = {name: place["latency_ms"] for name, place in seen.get("places", {}).items() if name != "falco"}
        moments = {EVENT: seen.get("event_ms"), ARRIVED: seen.get("falco_ms")}
        moments.update({f"at {name}": latency for name, latency in places.items()})
        known = [(latency, what) for what, latency in moments.items() if latency is not None]
        for latency, what in sorted(known):
            if began is not None:
                at = (began + timedelta(milliseconds=latency)).astimezone(timezone.utc)
                self.marks.append({"at": at.strftime(TIME), "what": what})

    def _alert(self) -> Alert | None:
        """The alert as Falco wrote it, which alone says which pod it is about."""
        began = time_of(self.began)
        since = None if began is None else (int(began.timestamp()) - 1) * _SECOND
        log = self.asked.log
        read = read_logs(self.looking, log.namespace, log.selector, log.container, since, {})
        mine = [
            alert
            for alert in read.alerts
            if alert.rule == self.asked.trigger["rule"]
            and (self.found.pod in alert.text or self.found.pod in map(str, alert.fields.values()))
        ]
        # Where nodes share a kernel, others see it as well, and know no pod of it.
        return min(mine, key=lambda alert: alert.fields.get("k8s.pod.name") != self.found.pod, default=None)

    def _respond(self, alert: Alert) -> None:
        rung = Rung("fire drill", steps=(NOTE, COLLECT, QUARANTINE))
        # Its pod is no workload's and is let go at once, so it takes nothing of what an attacker could use up.
        limits = Limits(dry_run=False, protected_namespaces=self.asked.protected, pods_per_hour=10**6)
        by = f"{BY}{run_identity()}"
        wishes = Wishes(
            kill_switch=self.asked.kill_switch,
            dest=self.asked.directory,
            by=by,
            minutes=HELD_MINUTES,
            cidrs=(),
            dns=False,
            probe=True,
            stop="delete",
            own_pods=self.asked.own_pods,
            change=True,
        )
        self.labels = self._labels()
        self.may_be_held = True
        response = respond(self.client, as_falco_writes_it(alert), [rung], limits, wishes)
        self.found.plan, self.found.held, self.found.shown = response.plan, response.held, response.shown
        self.found.archive = Path(response.archive).name
        self.found.problems += response.problems
        self.marks += [{key: row[key] for key in ("at", "what", "detail")} for row in response.timeline[1:]]

    def _labels(self) -> dict[str, str]:
        pod = self.client.get(_POD, self.found.pod, self.namespace) or {}
        return dict((pod.get("metadata") or {}).get("labels") or {})

    def _let_go(self) -> None:
        """Let the pod go, whatever became of the rest."""
        if not self.may_be_held:
            return
        try:
            outcome = Quarantine(self.client).release(self.namespace, self.found.pod, True)
            same = self._labels() == self.labels
        except KubeError as error:
            self.found.released = {"labels": False, "error": str(error)}
            self.mark(f"{RELEASED} failed", str(error))
            return
        if outcome.steps:
            self.found.released = {"labels": same, "error": ""}
            self.mark(RELEASED, "; ".join(outcome.steps))

    def _remove(self, pods: TriggerPods) -> None:
        try:
            pods.close()
            rest = [one["pod"] for one in Quarantine(self.client).held(self.namespace) if one["pod"] == self.found.pod]
        except KubeError as error:
            self.found.left = str(error)
        else:
            self.found.left = f"a policy that holds {rest[0]} is left" if rest else ""
        self.mark(f"{REMOVED} failed" if self.found.left else REMOVED, self.found.left)


def as_falco_writes_it(alert: Alert) -> str:
    """JSON of an alert, as Falco's C(json_output) has it.

    Source: https://falco.org/docs/concepts/outputs/formatting/
    """
    time = None if alert.time_ns is None else rfc3339(alert.time_ns)
    told = {"rule": alert.rule, "priority": alert.priority, "source": alert.source, "time": time}
    return json.dumps({**told, "output": alert.text, "output_fields": dict(alert.fields), "tags": list(alert.tags)})
