# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an alert to its end: decide, collect, hold, prove, stop, and note what happened when."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from ..incident.archive import keep, pack
from ..incident.collect import collect, owners, to_json
from ..incident.note import note
from ..kube.client import Client
from ..kube.errors import KubeError
from ..live_netpol.quarantine import Quarantine
from ..netpol.errors import NetpolError
from ..netpol.isolate.plan import Wanted
from ..probe.cluster.probers import Probers
from ..probe.cluster.workspace import workspace_of
from ..probe.question import OwnPods
from ..respond.alert import Alert, decode, plain, read_alert
from ..respond.answer import approved, question
from ..respond.errors import RespondError
from ..respond.guard import Limits, plan
from ..respond.ladder import COLLECT, QUARANTINE, STOP, Rung
from ..respond.timeline import timeline
from .proof import nodes_for, show
from .signature import signer
from .state import Known, ask
from .stop import stop

TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True)
class Wishes:
    """How a response is done.

    Attributes:
        kill_switch: namespace and name of the ConfigMap that stops responses.
        dest: directory in which each incident has its own.
        by: who responds, for annotations and the manifest.
        minutes: how long a pod is held; None for no end.
        cidrs, dns: what may still reach a held pod, and whether it may ask DNS.
        probe: whether the network is tried.
        stop: one of `stop.HOWS`.
        own_pods: how privileged pods are made.
        change: whether anything is changed or kept.
        answer: file with a signed answer, whose signature is beside it; None without one.
        allowed_signers: file that says who may sign.
    """

    kill_switch: tuple[str, str]
    dest: Path
    by: str
    minutes: int | None
    cidrs: tuple[str, ...]
    dns: bool
    probe: bool
    stop: str
    own_pods: OwnPods
    change: bool
    answer: Path | None = None
    allowed_signers: Path | None = None


@dataclass
class Response:
    """What was decided and done.

    Attributes:
        plan: what was decided, as `guard.plan` returns it.
        timeline: what happened when.
        directory: the incident's.
        archive: what was collected; empty if nothing was.
        held: result of the quarantine: `steps`, `until`, `unheld`, `proven` by analysis; empty if nothing was held.
        shown: what the network did: `tried`, `closed`, `open`; empty if it was not tried.
        problems: what could not be done, in sentences.
        changed: whether anything is different, in the cluster or on the disk.
    """

    plan: dict[str, Any]
    timeline: list[dict[str, Any]] = field(default_factory=list)
    directory: str = ""
    archive: str = ""
    held: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    changed: bool = False


def now() -> datetime:
    return datetime.now(timezone.utc)


def respond(
    client: Client,
    text: str,
    ladder: Sequence[Rung],
    limits: Limits,
    wishes: Wishes,
    clock: Callable[[], datetime] = now,
) -> Response:
    """Do what a ladder says about an alert.

    Args:
        client: connection to the cluster.
        text: the alert's JSON, percent-encoded or not.
        ladder: rungs, of which the first that fits counts.
        limits: how far a response goes.
        wishes: how it is done.
        clock: the time, with its zone.

    Raises:
        RespondError: the alert is none, or the answer is not signed by somebody who may.
        KubeError: the cluster cannot be asked what is known of the pod; nothing was done, and nothing noted.
        OSError: the note cannot be written, or the answer cannot be read.
    """
    return _Course(client, text, limits, wishes, clock).run(ladder)


class _Course:
    def __init__(
        self, client: Client, text: str, limits: Limits, wishes: Wishes, clock: Callable[[], datetime]
    ) -> None:
        self.client, self.limits, self.wishes, self.clock = client, limits, wishes, clock
        self.data = decode(text)
        self.alert: Alert = read_alert(self.data)
        self.directory = wishes.dest / self.alert.incident
        self.marks: list[dict[str, str]] = []
        self.mark("response began")

    def mark(self, what: str, detail: str = "") -> None:
        self.marks.append({"at": self.clock().strftime(TIME), "what": what, "detail": detail})

    def run(self, ladder: Sequence[Rung]) -> Response:
        limits = self._with_answer()
        known = ask(self.client, self.alert, self.wishes.kill_switch, self.directory, self.clock())
        made = plan(self.alert, ladder, limits, known.state)
        found = Response(made, directory=str(self.directory))
        try:
            with contextlib.ExitStack() as stack:
                self._steps(found, known, stack)
        except KubeError as error:
            # What was started could not be removed; the cluster does at its deadline.
            self._failed(found, "clean-up", error)
        finally:
            found.timeline = timeline(made, self.marks)
            if self.wishes.change:
                asked = question(made, self.clock(), limits.oldest_minutes)
                note(self.directory, self.data, self._kept(found), asked)
        found.changed = found.changed or bool(found.archive)
        return found

    def _with_answer(self) -> Limits:
        """The limits, with the steps that a signed answer approves."""
        path, allowed = self.wishes.answer, self.wishes.allowed_signers
        if path is None:
            return self.limits
        if allowed is None:
            raise RespondError(["an answer needs allowed_signers: the file that says whose signature counts"])
        text = path.read_bytes()
        name = signer(text, path.with_name(f"{path.name}.sig"), allowed)
        steps = approved(text, self.alert.incident, self.clock())
        self.mark("approved", f"{', '.join(sorted(steps))} by {name}")
        return replace(self.limits, approved=self.limits.approved | steps)

    def _kept(self, found: Response) -> dict[str, Any]:
        return {
            "plan": found.plan,
            "timeline": found.timeline,
            "archive": Path(found.archive).name,
            "held": found.held,
            "shown": found.shown,
            "problems": found.problems,
        }

    def _steps(self, found: Response, known: Known, stack: contextlib.ExitStack) -> None:
        wanted = set(found.plan["do"]) & {COLLECT, QUARANTINE, STOP}
        if not wanted:
            return
        own_pods = self.wishes.own_pods
        probers = Probers(self.client, lambda: workspace_of(self.client, own_pods, privileged=True), stack)
        nodes = self._begin(known, probers, wanted)
        above = self._tried(found, STOP, lambda: list(owners(self.client, known.pod))) if STOP in wanted else []
        with ThreadPoolExecutor(1) as pool:
            # While privileged pods start, it is computed how the pod is held; nothing changes before all is collected.
            collected = pool.submit(self._tried, found, COLLECT, lambda: self._collect(found, probers, wanted))
            hold = partial(self._hold, found, collected.result)
            objects = self._tried(found, QUARANTINE, hold) if QUARANTINE in wanted else None
        if objects and nodes:
            self._tried(found, "probe", lambda: self._prove(found, probers, nodes, objects))
        if STOP in wanted and above is not None:
            self._tried(found, STOP, lambda: self._stop(found, known, above))

    def _begin(self, known: Known, probers: Probers, wanted: set[str]) -> list[str]:
        """Have privileged pods made that start while others wait; gives the nodes from which the network is tried."""
        if not self.wishes.change:
            return []
        own = [node for node in [(known.pod.get("spec") or {}).get("nodeName")] if node]
        open_to_nobody = self.wishes.probe and not self.wishes.cidrs and not self.wishes.dns
        nodes = nodes_for(self.client, known.pod) if QUARANTINE in wanted and open_to_nobody else []
        begun = nodes or (own if COLLECT in wanted else [])
        # Why there are none is told by the steps that need them.
        with contextlib.suppress(KubeError):
            probers.begin(begun)
        return nodes

    def _tried(self, found: Response, what: str, act: Callable[[], Any]) -> Any:
        """What an act gives; None where it failed, which is kept, and keeps no other step from being done."""
        try:
            return act()
        except (KubeError, NetpolError, OSError) as error:
            self._failed(found, what, error)
            return None

    def _failed(self, found: Response, what: str, error: Exception) -> None:
        found.problems.append(f"{what}: {error}")
        self.mark(f"{what} failed", str(error))

    def _collect(self, found: Response, probers: Probers, wanted: set[str]) -> None:
        at = self.clock()
        name = f"{self.alert.namespace}-{self.alert.pod}-{at:%Y%m%dT%H%M%SZ}.tar.gz"
        path = self.directory / name
        if COLLECT not in wanted or not self.wishes.change:
            return
        collected = collect(self.client, self.alert.namespace, self.alert.pod, probers)
        collected.files["alert.json"] = to_json(self.data)
        about = {
            "namespace": self.alert.namespace,
            "pod": self.alert.pod,
            "collected": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "by": self.wishes.by,
            "missing": collected.missing,
        }
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        digest = keep(str(path), pack(collected.files, about, int(at.timestamp())))
        found.archive = str(path)
        missing = f", without {', '.join(sorted(collected.missing))}" if collected.missing else ""
        self.mark("collected", f"{len(collected.files)} files, SHA-256 {digest}{missing}")

    def _hold(self, found: Response, before_change: Callable[[], object]) -> list[dict[str, Any]]:
        """The cluster's objects once the pod is held."""
        wishes, alert = self.wishes, self.alert
        wanted = Wanted(
            alert.namespace, alert.pod, wishes.cidrs, wishes.dns, wishes.by, plain(alert.rule), plain(alert.rule)
        )
        quarantine = Quarantine(self.client, self.clock)
        outcome = quarantine.hold(wanted, wishes.minutes, True, wishes.change, before_change)
        until = outcome.plan.wanted.until if outcome.plan else None
        found.held = {
            "steps": outcome.steps,
            "until": until,
            "unheld": outcome.notes,
            "proven": not outcome.unasked,
        }
        found.changed = found.changed or bool(outcome.steps)
        if outcome.unasked:
            raise KubeError(f"connections are open: {'; '.join(map(str, outcome.unasked[:5]))}")
        self.mark("held, proven by analysis", f"until {until or 'it is released'}")
        return outcome.objects

    def _prove(self, found: Response, probers: Probers, nodes: Sequence[str], objects: list[dict[str, Any]]) -> None:
        shown = show(self.client, self.alert.namespace, self.alert.pod, probers, nodes, objects)
        found.shown = {"tried": shown.tried, "closed": shown.closed, "open": list(shown.open)}
        if shown.open:
            raise KubeError(f"the network lets pass: {'; '.join(shown.open[:5])}", "Does its plugin enforce policies?")
        if not shown.proven:
            raise KubeError(f"none of {shown.tried} connections could be proven to be closed")
        self.mark("held, proven on the live network", f"{shown.closed} of {shown.tried} connections are closed")

    def _stop(self, found: Response, known: Known, above: Sequence[Mapping[str, Any]]) -> None:
        words = stop(self.client, self.wishes.stop, known.pod, above, self.wishes.change)
        found.changed = True
        self.mark("stopped", words)
