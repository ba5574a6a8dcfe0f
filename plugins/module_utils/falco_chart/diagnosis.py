# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why pods do not come up, read from API objects: images, scheduling, volumes, admission, crashes, memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

#: Text in a reason or a log, and what to do about it. Kubernetes and Falco say these in words alone, and the words only
#: choose a hint: whether a pod is ready is read from its status.
HINTS = (
    (
        r"ErrImage|ImagePullBackOff|InvalidImageName",
        "Check falco_images, falco_image_registry, falco_image_pull_secrets, and that the node reaches the registry.",
    ),
    (r"OOMKilled", "Raise falco_resources.limits.memory."),
    (r"violates PodSecurity", "The namespace must enforce the Pod Security level privileged (falco_namespace_labels)."),
    (r"security context constraint", "On OpenShift leave scc.create at true and log in as who may create SCCs."),
    (r"untolerated taint", "Add the taint to falco_tolerations."),
    (r"unbound immediate PersistentVolumeClaims|didn't find available persistent volumes",
     "Redis' claim has no volume: see falco_redis_storage."),
    (r"Insufficient (cpu|memory)", "Lower falco_resources.requests or make room on the node."),
    (r"[Pp]ermission denied|avc: +denied", "If SELinux enforces, look for a denial on the node: ausearch -m avc."),
    (
        r"(?i)bpf probe|libbpf|driver.*(load|found)|/dev/falco|tracefs|ring ?buffer",
        "The driver does not fit this kernel: run role node_prep, or set falco_driver.",
    ),
    (r"(?i)LOAD_ERR|rules? file|compil(e|ing) rules", "Falco refuses the rules that it finds: see role falco_rules."),
)  # fmt: skip
#: Waiting reasons that say nothing yet.
_STARTING = {"ContainerCreating", "PodInitializing"}


def diagnose(pods: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]) -> list[str]:
    """Reasons why pods are not ready, each once, with the pod and its node.

    Args:
      pods: Pod objects that should be ready.
      events: Event objects of the namespace; only warnings count, and those of objects that are not among the pods
        (a DaemonSet that may create no pod, a claim without a volume) are told as they are.
    """
    reasons: list[str] = []
    pods = list(pods)
    names = {pod["metadata"]["name"] for pod in pods}
    unready = {pod["metadata"]["name"] for pod in pods if not is_ready(pod)}
    for pod in pods:
        if pod["metadata"]["name"] in unready:
            where = f"pod {pod['metadata']['name']} on {pod.get('spec', {}).get('nodeName') or 'no node yet'}"
            reasons += [f"{where}: {reason}" for reason in _pod_reasons(pod)]
    for event in events:
        involved = event.get("involvedObject", {})
        if event.get("type") != "Warning" or (involved.get("kind") == "Pod" and involved.get("name") not in unready):
            continue
        if involved.get("kind") == "Pod" and involved.get("name") not in names:
            continue
        what = f"{str(involved.get('kind', '')).lower()} {involved.get('name')}"
        reasons.append(f"{what}: {event.get('reason')}: {_short(event.get('message', ''))}")
    return list(dict.fromkeys(reasons))


def hints(texts: Iterable[str]) -> list[str]:
    """What to do about reasons and log lines, each hint once."""
    joined = "\n".join(texts)
    return [hint for pattern, hint in HINTS if re.search(pattern, joined)]


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Whether the pod runs, is ready and is not being deleted."""
    conditions = {c.get("type"): c.get("status") for c in pod.get("status", {}).get("conditions") or []}
    return conditions.get("Ready") == "True" and not pod["metadata"].get("deletionTimestamp")


def crashed_containers(pod: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """(container, whether its log is that of an earlier run) of containers that ended with an error."""
    found = []
    for status in _statuses(pod):
        state, last = status.get("state") or {}, status.get("lastState") or {}
        if (state.get("terminated") or {}).get("exitCode"):
            found.append((status["name"], False))
        elif (last.get("terminated") or {}).get("exitCode"):
            found.append((status["name"], True))
    return found


def _pod_reasons(pod: Mapping[str, Any]) -> Iterator[str]:
    status = pod.get("status", {})
    if pod["metadata"].get("deletionTimestamp"):
        yield "is being deleted"
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            yield f"{condition.get('reason')}: {_short(condition.get('message', ''))}"
    if status.get("reason"):
        yield f"{status['reason']}: {_short(status.get('message', ''))}"
    for container in _statuses(pod):
        name = f"container {container['name']}"
        waiting = (container.get("state") or {}).get("waiting") or {}
        ended = [(container.get(key) or {}).get("terminated") or {} for key in ("state", "lastState")]
        if waiting.get("reason") and waiting["reason"] not in _STARTING:
            yield f"{name}: {waiting['reason']}: {_short(waiting.get('message', ''))}".rstrip(": ")
        for terminated in ended:
            if terminated.get("exitCode"):
                reason, code = terminated.get("reason", "Error"), terminated["exitCode"]
                yield f"{name}: {reason} with exit code {code} {_short(terminated.get('message', ''))}".rstrip()
        running = (container.get("state") or {}).get("running")
        if running and not container.get("ready"):
            yield f"{name}: runs, is not ready yet"


def _statuses(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    status = pod.get("status", {})
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _short(text: str, limit: int = 300) -> str:
    flat = " ".join(str(text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
