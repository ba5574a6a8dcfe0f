# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that do the actions of triggers: one per node and namespace, side by side, and none of them is left in any end.

Each carries who made it. What a run that was killed has left is removed by the next one, and kubelet ends it before
that.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ..alerts.triggers.following import Action
from ..alerts.triggers.script import Done, read_done, scripts
from ..kube.client import Client
from ..kube.errors import ApiError, KubeError
from ..kube.exec import Command, run
from ..kube.lease import is_gone, run_identity
from ..kube.resource import KNOWN

PODS, NODES = KNOWN[("v1", "Pod")], KNOWN[("v1", "Node")]
LABELS = {"app.kubernetes.io/managed-by": "falconet.k8s", "falconet.k8s/purpose": "trigger"}
SELECTOR = ",".join(f"{key}={value}" for key, value in LABELS.items())
RUN_LABEL = "falconet.k8s/trigger-run"
OWNER = "falconet.k8s/run-by"
DEADLINE = "falconet.k8s/deadline"
CONTAINER = "trigger"
#: Falco sees a container's first processes before it knows the container's name. Nothing tells when it does.
SETTLE_SECONDS = 2.0
ABREAST = 16
POLL_SECONDS = 0.2
GONE_SECONDS = 30
#: Reasons for which waiting longer does not help.
_HOPELESS = ("ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError", "ErrImagePull", "ImagePullBackOff")


@dataclass(frozen=True)
class Pods:
    """How the pods are made.

    Attributes:
        image: with C(sh).
        pull_policy, pull_secrets: as Kubernetes has them.
        start_seconds: how long one may take until it runs.
        life_seconds: after that time kubelet ends it, whatever became of the run.
    """

    image: str
    pull_policy: str
    pull_secrets: tuple[str, ...]
    start_seconds: float
    life_seconds: int


@dataclass
class Clock:
    """By how much a node's clock is ahead of ours: between these, in nanoseconds."""

    least_ns: int | None = None
    most_ns: int | None = None

    def seen(self, began_ns: int, ended_ns: int, sent_ns: int, received_ns: int) -> None:
        """What began there began after it was sent, and ended before that was received."""
        least, most = ended_ns - received_ns, began_ns - sent_ns
        self.least_ns = least if self.least_ns is None else max(self.least_ns, least)
        self.most_ns = most if self.most_ns is None else min(self.most_ns, most)


@dataclass
class Acted:
    """What was done: actions, and the clocks of the nodes that did them."""

    actions: list[Action] = field(default_factory=list)
    clocks: dict[str, Clock] = field(default_factory=dict)


class TriggerPods:
    """The pods of one run, as a context manager: leaving it removes them.

    Args:
        client: connection to the cluster.
        places: node and namespace of each pod.
        pods: how they are made.
    """

    def __init__(self, client: Client, places: Iterable[tuple[str, str]], pods: Pods) -> None:
        self.client = client
        self.pods = pods
        self.run = secrets.token_hex(4)
        self.names = {place: f"falconet-trigger-{self.run}-{n}" for n, place in enumerate(dict.fromkeys(places))}
        self.namespaces = sorted({namespace for _node, namespace in self.names})
        self.refused: dict[tuple[str, str], str] = {}
        self.ready_at: dict[tuple[str, str], float] = {}

    def __enter__(self) -> TriggerPods:
        sweep(self.client, self.namespaces)
        try:
            with ThreadPoolExecutor(max_workers=ABREAST) as pool:
                list(pool.map(self._make, self.names))
            self._await()
        except BaseException:
            # Why they cannot be made matters more than what cannot be removed of them.
            with contextlib.suppress(KubeError):
                self.close()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the pods, and wait until none is left.

        Raises:
            KubeError: one is left.
        """
        _clear(self.client, self.namespaces, f"{SELECTOR},{RUN_LABEL}={self.run}")

    def _make(self, place: tuple[str, str]) -> None:
        node, namespace = place
        manifest = pod_manifest(self.names[place], node, namespace, self.run, self.pods)
        try:
            self.client.call("POST", PODS, namespace, body=manifest)
        except ApiError as error:
            self.refused[place] = str(error)

    def _await(self) -> None:
        """Wait until each pod runs; those that do not are known with why."""
        deadline = time.monotonic() + self.pods.start_seconds
        while True:
            found = {
                (str(pod["spec"].get("nodeName")), str(pod["metadata"]["namespace"])): pod
                for namespace in self.namespaces
                for pod in self.client.list_all(PODS, namespace, label_selector=f"{SELECTOR},{RUN_LABEL}={self.run}")
            }
            waiting = {}
            for place in self.names:
                if place in self.ready_at or place in self.refused:
                    continue
                why, final = _state(found.get(place))
                if not why:
                    self.ready_at[place] = time.monotonic()
                elif final:
                    self.refused[place] = why
                else:
                    waiting[place] = why
            if not waiting:
                return
            if time.monotonic() > deadline:
                self.refused.update(waiting)
                return
            time.sleep(POLL_SECONDS)

    def act(self, triggers: Sequence[Mapping[str, Any]], now_ns: Callable[[], int] = time.time_ns) -> Acted:
        """Do all triggers on all nodes, side by side; on each those first that must raise nothing.

        Args:
            triggers: each with C(namespace), C(command), C(tty) and C(expect_alert).
            now_ns: our clock, nanoseconds since the epoch.
        """
        acted = Acted()
        nodes = list(dict.fromkeys(node for node, _namespace in self.names))
        with ThreadPoolExecutor(max_workers=ABREAST) as pool:
            for node, (actions, clock) in zip(
                nodes, pool.map(lambda node: self._act_on(node, triggers, now_ns), nodes)
            ):
                acted.actions += actions
                acted.clocks[node] = clock
        return acted

    def _act_on(
        self, node: str, triggers: Sequence[Mapping[str, Any]], now_ns: Callable[[], int]
    ) -> tuple[list[Action], Clock]:
        ready = [moment for place, moment in self.ready_at.items() if place[0] == node]
        if ready:
            time.sleep(max(0.0, max(ready) + SETTLE_SECONDS - time.monotonic()))
        clock = Clock()
        actions: list[Action] = []
        for namespace, tty, numbers in _batches(triggers):
            place = (node, namespace)
            if place not in self.names:
                continue
            pod = self.names[place]
            if place in self.refused:
                actions += [Action(number, node, pod, None, self.refused[place]) for number in numbers]
                continue
            for script, inside in scripts((number, triggers[number]["command"]) for number in numbers):
                done, error = self._run(pod, namespace, tty, script, clock, now_ns)
                missing = error or "it did not end"
                actions += [
                    Action(number, node, pod, done.get(number), "" if number in done else missing) for number in inside
                ]
        return actions, clock

    def _run(
        self,
        pod: str,
        namespace: str,
        tty: bool,
        script: str,
        clock: Clock,
        now_ns: Callable[[], int],
        again: bool = False,
    ) -> tuple[dict[int, Done], str]:
        """Run one script, and once more if it could not be started: what was done, and why not all of it."""
        command = Command(
            namespace, pod, CONTAINER, ("/bin/sh", "-c", script), timeout_seconds=self.pods.start_seconds, tty=tty
        )
        sent, start = now_ns(), time.monotonic()
        try:
            output = run(self.client, command)
        except KubeError as error:
            # A busy runtime refuses to start a shell; what it began all the same is before the second one's time.
            if again or time.monotonic() - start > self.pods.start_seconds / 2:
                return {}, str(error)
            return self._run(pod, namespace, tty, script, clock, now_ns, again=True)
        done = read_done(output.stdout)
        if done:
            began, ended = min(one.began_ns for one in done.values()), max(one.ended_ns for one in done.values())
            clock.seen(began, ended, sent, now_ns())
        why = "" if done else f"the shell in the pod ended with {output.exit_code}: {output.stderr.strip()[:200]}"
        return done, why


def _batches(triggers: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, bool, list[int]]]:
    """Triggers that one shell does, those first that must raise nothing: namespace, terminal, their numbers."""
    found: dict[tuple[bool, str, bool], list[int]] = {}
    for number, trigger in enumerate(triggers):
        key = (bool(trigger["expect_alert"]), str(trigger["namespace"]), bool(trigger["tty"]))
        found.setdefault(key, []).append(number)
    for (_loud, namespace, tty), numbers in sorted(found.items()):
        yield namespace, tty, numbers


def pod_manifest(name: str, node: str, namespace: str, run_id: str, pods: Pods) -> dict[str, Any]:
    """The pod of one node and namespace. It is bound to its node, whose taints and cordon do not keep it off."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {**LABELS, RUN_LABEL: run_id},
            "annotations": {OWNER: run_identity(), DEADLINE: str(int(time.time()) + pods.life_seconds)},
        },
        "spec": {
            "nodeName": node,
            "tolerations": [{"operator": "Exists"}],
            "restartPolicy": "Never",
            "activeDeadlineSeconds": pods.life_seconds,
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "imagePullSecrets": [{"name": secret} for secret in pods.pull_secrets],
            "containers": [
                {
                    "name": CONTAINER,
                    "image": pods.image,
                    "imagePullPolicy": pods.pull_policy,
                    "command": ["/bin/sh", "-c", f"exec sleep {pods.life_seconds}"],
                    "resources": {"requests": {"cpu": "5m", "memory": "8Mi"}, "limits": {"memory": "64Mi"}},
                }
            ],
        },
    }


def sweep(client: Client, namespaces: Iterable[str]) -> list[str]:
    """Remove pods of runs that have ended without removing them. Gives their names."""
    removed = []
    for namespace in namespaces:
        for pod in client.list_all(PODS, namespace, label_selector=SELECTOR):
            about = pod["metadata"].get("annotations") or {}
            deadline = str(about.get(DEADLINE) or "")
            over = not deadline.isdigit() or int(deadline) < time.time()
            if over or is_gone(str(about.get(OWNER) or "")):
                name = str(pod["metadata"]["name"])
                client.delete(PODS, name, namespace, grace_seconds=0, uid=pod["metadata"].get("uid"))
                removed.append(name)
    return removed


def _clear(client: Client, namespaces: Sequence[str], selector: str) -> None:
    for namespace in namespaces:
        try:
            client.delete_all(PODS, namespace, selector, grace_seconds=0)
        except ApiError as error:
            if error.status != 404:
                raise
    deadline = time.monotonic() + GONE_SECONDS
    while any(client.list_all(PODS, namespace, label_selector=selector) for namespace in namespaces):
        if time.monotonic() > deadline:
            raise KubeError(
                f"pods of triggers in {', '.join(namespaces)} are still there after {GONE_SECONDS} s",
                f"Remove them: kubectl delete pods --selector {selector} --grace-period 0 --force",
            )
        time.sleep(POLL_SECONDS)


def _state(pod: Mapping[str, Any] | None) -> tuple[str, bool]:
    """Why a pod does not run yet, empty if it does; and whether that is final."""
    if pod is None:
        return "the pod is gone", False
    status = pod.get("status") or {}
    for one in status.get("containerStatuses") or []:
        state = one.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
        if state.get("running") is not None:
            return "", False
        if waiting.get("reason"):
            why = f"{waiting['reason']} {waiting.get('message') or ''}".strip()
            return f"its pod does not start: {why}", waiting["reason"] in _HOPELESS
        if ended:
            return f"its pod's container ended with {ended.get('exitCode')} {ended.get('reason') or ''}".strip(), True
    if status.get("phase") == "Failed":
        return f"its pod failed: {status.get('reason') or ''} {status.get('message') or ''}".strip(), True
    return f"its pod did not start; it is {status.get('phase') or 'not seen by kubelet'}", False
