# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where short-lived pods of a probe live, and how they go away again however the run ends.

Everything is made so that nothing stays behind. A process of its own removes all of it should the run be killed. Should
that be killed as well (the whole machine went away), the cluster does it: pods belong to Jobs that it stops at a
deadline and then removes, and policies belong to such a Job. What then remains is an empty namespace, to which nothing
in Kubernetes gives a deadline; it carries one as an annotation, and every run first removes those whose time is over.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable
from typing import Any

from ...kube.client import Client
from ...kube.errors import ApiError, ForbiddenError, KubeError
from ...kube.resource import KNOWN
from ..model import Pod, pods_of
from ..question import OwnPods
from .guard import Guard

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "falconet.k8s"
RUN_LABEL = "falconet.k8s/probe-run"
ROLE_LABEL = "falconet.k8s/probe-role"
DEADLINE = "falconet.k8s/deadline"
PREFIX = "falconet-probe-"

_NAMESPACE = KNOWN["v1", "Namespace"]
_JOB = KNOWN["batch/v1", "Job"]
_POD = KNOWN["v1", "Pod"]
_POLICY = KNOWN["networking.k8s.io/v1", "NetworkPolicy"]
_ACCOUNT = KNOWN["v1", "ServiceAccount"]
#: How long pods may take to go. The controller of their Jobs lets them go; where the API server has just been started
#: again, so is that controller, before which the kubelet waits longer each time.
GONE_SECONDS = 180
_PAUSES_AFTER_DEATH = (0.5, 3.0)
# Reasons for which waiting longer does not help.
_HOPELESS = {
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
    "CrashLoopBackOff",
    "RunContainerError",
}


class Workspace:
    """A place for the pods of one run: a namespace of its own, or one that the user names.

    Use it as a context manager; leaving it removes all that it holds.

    Args:
        client: connection to the cluster.
        image: image of the pods; it needs a shell.
        namespace: an existing namespace to work in; None makes a temporary one.
        privileged: whether privileged pods must be admitted (a label of the temporary namespace).
        deadline_seconds: after this time the cluster removes the pods by itself.
        pull_policy: imagePullPolicy of the pods.
        pull_secrets: names of Secrets in the namespace with credentials of the registry.
        clock: wall clock in seconds since the epoch, replaced in tests.
    """

    def __init__(
        self,
        client: Client,
        image: str,
        namespace: str | None = None,
        privileged: bool = False,
        deadline_seconds: int = 600,
        pull_policy: str = "IfNotPresent",
        pull_secrets: tuple[str, ...] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.client = client
        self.image = image
        self.run = secrets.token_hex(4)
        self.own = namespace is None
        self.namespace = namespace or PREFIX + self.run
        self.privileged = privileged
        self.deadline_seconds = deadline_seconds
        self.pull_policy = pull_policy
        self.pull_secrets = pull_secrets
        self.clock = clock
        self._used = {self.namespace}
        self._jobs: dict[str, dict[str, Any]] = {}
        self._guard = Guard(self._clean_after_death)

    def labels(self, role: str = "") -> dict[str, str]:
        """Labels of everything that this run makes."""
        found = {MANAGED_BY: MANAGER, RUN_LABEL: self.run}
        return dict(found, **{ROLE_LABEL: role}) if role else found

    def __enter__(self) -> Workspace:
        sweep(self.client, self.clock)
        self._guard.start()
        try:
            self._open()
        except BaseException:
            # Why it cannot be opened matters more than what cannot be removed of it.
            with contextlib.suppress(KubeError):
                self._remove(self.client)
            self._guard.dismiss()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _open(self) -> None:
        if not self.own:
            return
        level = "privileged" if self.privileged else "restricted"
        self.client.apply(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {
                    "name": self.namespace,
                    "labels": dict(self.labels(), **{"pod-security.kubernetes.io/enforce": level}),
                    "annotations": {DEADLINE: str(int(self.clock() + self.deadline_seconds))},
                },
            }
        )
        # A pod that comes before its service account is refused, and its Job waits long before it tries again.
        _until(
            lambda: self.client.get(_ACCOUNT, "default", self.namespace),
            30,
            f"namespace {self.namespace} got no service account; is kube-controller-manager running?",
        )

    def job(
        self, role: str, spec: dict[str, Any], labels: dict[str, str] | None = None, namespace: str | None = None
    ) -> dict[str, Any]:
        """Make a Job of one pod.

        Args:
            role: what the pod is for, unique within the run.
            spec: pod spec; what all pods of a probe have in common is filled in.
            labels: more labels of the pod.
            namespace: another namespace than the workspace's.
        """
        if namespace and namespace not in self._used:
            self._guard.note(namespace)
            self._used.add(namespace)
        pod_spec = {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 0,
            "imagePullSecrets": [{"name": name} for name in self.pull_secrets],
            **spec,
        }
        self._jobs[role] = self.client.apply(
            {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "metadata": {
                    "name": f"{PREFIX}{self.run}-{role}"[:63].rstrip("-."),
                    "namespace": namespace or self.namespace,
                    "labels": self.labels(role),
                },
                "spec": {
                    "backoffLimit": 0,
                    "activeDeadlineSeconds": self.deadline_seconds,
                    "ttlSecondsAfterFinished": 0,
                    "template": {"metadata": {"labels": dict(labels or {}, **self.labels(role))}, "spec": pod_spec},
                },
            }
        )
        return self._jobs[role]

    def owner(self, role: str) -> dict[str, Any]:
        """Reference to a Job of this run, for objects that are to go with it."""
        metadata = self._jobs[role]["metadata"]
        return {"apiVersion": "batch/v1", "kind": "Job", "name": metadata["name"], "uid": metadata["uid"]}

    def container(self, command: list[str], **more: Any) -> dict[str, Any]:
        """A container that restricted Pod Security admits."""
        return {
            "name": "probe",
            "image": self.image,
            "imagePullPolicy": self.pull_policy,
            "command": command,
            "resources": {
                "requests": {"cpu": "10m", "memory": "16Mi"},
                "limits": {"cpu": "500m", "memory": "128Mi"},
            },
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "runAsNonRoot": True,
                "runAsUser": 65534,
                "runAsGroup": 65534,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            **more,
        }

    def pods(self, roles: list[str], limit_seconds: float = 120) -> dict[str, Pod]:
        """Wait until the pods of some roles run and have addresses.

        Raises:
            KubeError: one cannot start, with the reason that the cluster gives.
        """
        found: dict[str, Pod] = {}
        for role, pod in self.start(roles, limit_seconds, all_or_nothing=True).items():
            if isinstance(pod, KubeError):
                raise pod
            found[role] = pod
        return found

    def start(
        self, roles: list[str], limit_seconds: float = 120, all_or_nothing: bool = False
    ) -> dict[str, Pod | KubeError]:
        """Wait until the pods of some roles run, each by itself.

        Args:
            roles: of the pods.
            limit_seconds: how long the last of them may take.
            all_or_nothing: do not wait for the others when one of them cannot start.

        Returns:
            The pod of each role, or why it does not run.
        """
        deadline = time.monotonic() + limit_seconds
        selector = f"{RUN_LABEL}={self.run}"
        while True:
            items = [
                i for name in sorted(self._used) for i in self.client.list_all(_POD, name, label_selector=selector)
            ]
            running = {pod.labels.get(ROLE_LABEL, ""): pod for pod in pods_of(items) if pod.running and pod.addresses}
            reasons = {
                (item["metadata"].get("labels") or {}).get(ROLE_LABEL, ""): reason
                for item, reason in ((item, _stuck(item)) for item in items)
                if reason
            }
            waiting = [role for role in roles if role not in running]
            hopeless = [role for role in waiting if role in reasons and reasons[role][1]]
            over = time.monotonic() > deadline or (all_or_nothing and bool(hopeless))
            if over or len(waiting) == len(hopeless):
                # What cannot start at all comes first: it is why the others were not waited for.
                ordered = [*hopeless, *(role for role in roles if role not in hopeless)]
                return {
                    role: running[role] if role in running else self._no_start(reasons.get(role)) for role in ordered
                }
            time.sleep(0.2)

    def _no_start(self, reason: tuple[str, bool] | None) -> KubeError:
        why = reason[0] if reason else self._job_events()
        return KubeError(
            f"the probe's pods in namespace {', '.join(sorted(self._used))} do not start: {why}",
            "Set image to one that the nodes can pull, or free the node; nothing was left behind.",
        )

    def _job_events(self) -> str:
        """Why Jobs made no pods (admission, quota), from their conditions."""
        selector = f"{RUN_LABEL}={self.run}"
        jobs = [j for name in sorted(self._used) for j in self.client.list_all(_JOB, name, label_selector=selector)]
        for job in jobs:
            for condition in (job.get("status") or {}).get("conditions") or []:
                if condition.get("type") == "Failed":
                    return f"{condition.get('reason')}: {condition.get('message')}"
        return "no pod was made; look at the events of the Jobs there (admission or quota)"

    def close(self) -> None:
        """Remove everything that this run made, and wait until no pod of it is left.

        The empty namespace is deleted too; the cluster takes some seconds for that, which nobody needs to wait for.
        """
        self._remove(self.client)
        self._guard.dismiss()

    def _remove(self, client: Client) -> None:
        for namespace in sorted(self._used):
            _clear(client, namespace, f"{RUN_LABEL}={self.run}")
        if self.own:
            client.delete(_NAMESPACE, self.namespace)

    def _clean_after_death(self, namespaces: list[str]) -> None:
        """What the guard does when the run was killed, in a process and with connections of its own."""
        self._used.update(namespaces)
        for pause in _PAUSES_AFTER_DEATH:
            # What the run had sent before its death may arrive after a first look.
            time.sleep(pause)
            with contextlib.suppress(KubeError):
                self._remove(Client(self.client.configuration))


def workspace_of(client: Client, own_pods: OwnPods, privileged: bool = False) -> Workspace:
    """A workspace, not open yet, for pods that are made as a question says."""
    return Workspace(
        client,
        own_pods.image,
        namespace=own_pods.namespace,
        privileged=privileged,
        deadline_seconds=own_pods.deadline_seconds,
        pull_policy=own_pods.pull_policy,
        pull_secrets=own_pods.pull_secrets,
    )


def sweep(client: Client, clock: Callable[[], float] = time.time) -> list[str]:
    """Remove temporary namespaces of runs that were killed, after their deadline. Gives their names."""
    try:
        found = client.list_all(_NAMESPACE, label_selector=f"{MANAGED_BY}={MANAGER},{RUN_LABEL}")
    except ForbiddenError:
        return []
    removed = []
    for item in found:
        deadline = (item["metadata"].get("annotations") or {}).get(DEADLINE, "")
        if item["metadata"]["name"].startswith(PREFIX) and deadline.isdigit() and int(deadline) < clock():
            client.delete(_NAMESPACE, item["metadata"]["name"], uid=item["metadata"].get("uid"))
            removed.append(item["metadata"]["name"])
    return removed


def _clear(client: Client, namespace: str, selector: str) -> None:
    for resource in (_POLICY, _JOB, _POD):
        try:
            client.delete_all(resource, namespace, selector, grace_seconds=0)
        except ApiError as error:
            # Rights that were not needed to make it are not needed to remove it.
            if error.status not in (403, 404) or resource is _POD:
                raise
    _until(
        lambda: not client.list_all(_POD, namespace, label_selector=selector),
        GONE_SECONDS,
        f"pods of the probe in namespace {namespace} are still there after {GONE_SECONDS} s",
    )


def _until(condition: Callable[[], Any], limit_seconds: float, complaint: str) -> None:
    deadline = time.monotonic() + limit_seconds
    pause = 0.05
    while not condition():
        if time.monotonic() > deadline:
            raise KubeError(complaint)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)


def _stuck(item: dict[str, Any]) -> tuple[str, bool] | None:
    """Why a pod does not run yet, and whether that is final."""
    status = item.get("status") or {}
    name = item["metadata"]["name"]
    for container in status.get("containerStatuses") or []:
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason"):
            return (
                f"{name}: {waiting['reason']} {waiting.get('message', '')}".strip(),
                waiting["reason"] in _HOPELESS,
            )
        ended = (container.get("state") or {}).get("terminated") or {}
        if ended:
            return f"{name}: its container ended with code {ended.get('exitCode')} {ended.get('reason', '')}", True
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return f"{name}: {condition.get('message')}", False
    if status.get("phase") == "Failed":
        return f"{name}: {status.get('reason', 'Failed')} {status.get('message', '')}".strip(), True
    return (f"{name} is {status.get('phase', 'not scheduled')}", False) if status.get("phase") != "Running" else None
