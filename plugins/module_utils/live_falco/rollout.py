# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits until workloads are rolled out and every Falco pod reports the wanted rules, and tells why if they do not."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..falco_chart.diagnosis import crashed_containers, diagnose, hints, is_ready
from ..falco_chart.metrics import differences, process_facts, rules_digests
from ..falco_chart.workload import images_of, placement_of, running_images
from ..kube.client import Client
from ..kube.errors import ApiError, KubeError, from_response
from ..kube.resource import KNOWN, Resource

PODS = KNOWN[("v1", "Pod")]
EVENTS = Resource("", "v1", "events", "Event", True)
#: Falco tells a refused reload by this alert only; the pod stays ready and keeps the old rules.
REFUSED = "Falco internal: hot restart failure"
SYNC_ANNOTATION = "falconet.k8s/rules"
POLL_SECONDS = 0.5
LOG_LINES = 10
LINE_LIMIT = 400
#: Options of every module that asks Falco's pods, as the documentation fragment live_falco has them.
FALCO_ARGUMENTS: dict[str, Any] = {
    "container": {"type": "str", "default": "falco"},
    "metrics_port": {"type": "int", "default": 8765},
}
#: The same with the workload, of its part C(workload).
WORKLOAD_ARGUMENTS: dict[str, Any] = {
    "workload": {"type": "str", "default": "falco"},
    "workload_kind": {"type": "str", "choices": ["DaemonSet", "Deployment"], "default": "DaemonSet"},
    **FALCO_ARGUMENTS,
}


@dataclass(frozen=True)
class Wanted:
    """What a rollout is waited for.

    Attributes:
        namespace: of everything below.
        workloads: (kind, name) of DaemonSets, Deployments and StatefulSets that must be rolled out.
        falco: name of the workload whose pods are Falco's; empty if no metrics are to be asked.
        metrics_port: port of Falco's web server.
        digests: rules file name to SHA-256 that each Falco pod must report.
        absent: rules file names that no pod may report.
        container: name of Falco's container, for its log.
    """

    namespace: str
    workloads: tuple[tuple[str, str], ...]
    falco: str = ""
    metrics_port: int = 8765
    digests: Mapping[str, str] | None = None
    absent: tuple[str, ...] = ()
    container: str = "falco"


def wanted_of(params: Mapping[str, Any]) -> Wanted:
    """What is wanted of the one workload that the options of C(WORKLOAD_ARGUMENTS) and C(namespace) name."""
    name = params["workload"]
    workloads = ((params["workload_kind"], name),)
    return Wanted(params["namespace"], workloads, name, params["metrics_port"], container=params["container"])


@dataclass(frozen=True)
class State:
    """What was found at one moment: whatever is still missing, each Falco pod with its rules, each workload."""

    missing: tuple[str, ...]
    pods: tuple[dict[str, Any], ...]
    unready: tuple[dict[str, Any], ...]
    workloads: tuple[dict[str, Any], ...] = ()


def look(client: Client, wanted: Wanted) -> State:
    """The state now, in a few calls: one per workload, one for its pods, one per Falco pod for its metrics.

    Raises:
        KubeError: the API server does not answer or does not allow it.
    """
    missing: list[str] = []
    reports: list[dict[str, Any]] = []
    unready: list[dict[str, Any]] = []
    workloads: list[dict[str, Any]] = []
    for kind, name in wanted.workloads:
        workload = client.get(KNOWN[("apps/v1", kind)], name, wanted.namespace)
        report = workload_report(kind, name, workload)
        workloads.append(report)
        missing += report["missing"]
        if workload is None:
            continue
        selector = ",".join(f"{k}={v}" for k, v in sorted(workload["spec"]["selector"]["matchLabels"].items()))
        pods = client.list_all(PODS, wanted.namespace, label_selector=selector)
        pods = [pod for pod in pods if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")]
        late = [pod for pod in pods if not is_ready(pod)]
        unready += late
        report.update(reasons=diagnose(late, []), running=running_images(pods))
        if name == wanted.falco:
            reports = falco_reports(
                client, wanted, [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
            )
            missing += [
                f"pod {report['name']} on {report['node']} {text}" for report in reports for text in report["differs"]
            ]
    return State(tuple(missing), tuple(reports), tuple(unready), tuple(workloads))


def workload_report(kind: str, name: str, workload: Mapping[str, Any] | None) -> dict[str, Any]:
    """How many pods a workload wants and has ready, and what it lacks; a workload that is not there wants none."""
    empty: dict[str, Any] = {"reasons": [], "images": {}, "running": {}, "placement": {}}
    if workload is None:
        missing = [f"{kind} {name} does not exist"]
        return {"kind": kind, "name": name, "wanted": 0, "ready": 0, "missing": missing, **empty}
    status, is_daemon = workload.get("status") or {}, kind == "DaemonSet"
    wanted = status.get("desiredNumberScheduled", 0) if is_daemon else (workload.get("spec") or {}).get("replicas", 1)
    ready = status.get("numberReady" if is_daemon else "readyReplicas", 0)
    counts = {"kind": kind, "name": name, "wanted": wanted, "ready": ready, "missing": workload_missing(workload)}
    return {**counts, **empty, "images": images_of(workload), "placement": placement_of(workload)}


def workload_missing(workload: Mapping[str, Any]) -> list[str]:
    """What a DaemonSet, Deployment or StatefulSet still lacks, in words; empty if it is rolled out.

    The controller must have seen the last change first, and a DaemonSet that wants no pod is no success.
    """
    what = f"{workload['kind']} {workload['metadata']['name']}"
    status, spec = workload.get("status") or {}, workload.get("spec") or {}
    if status.get("observedGeneration", 0) < workload["metadata"].get("generation", 1):
        return [f"{what}: its controller has not seen the last change yet"]
    if workload["kind"] == "DaemonSet":
        wanted = status.get("desiredNumberScheduled", 0)
        counts = {"updated": status.get("updatedNumberScheduled", 0), "ready": status.get("numberReady", 0)}
        if not wanted:
            return [f"{what} fits no node: see its node selector, affinity and tolerations"]
        extra = 0
    else:
        wanted = spec.get("replicas", 1)
        counts = {"updated": status.get("updatedReplicas", 0), "ready": status.get("readyReplicas", 0)}
        extra = max(0, status.get("replicas", 0) - wanted)
    found = [f"{what}: {count} of {wanted} pods {word}" for word, count in counts.items() if count < wanted]
    return found + ([f"{what}: {extra} pods of the version before still run"] if extra else [])


def falco_reports(client: Client, wanted: Wanted, pods: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Name, node, digests and differences of each Falco pod, asked side by side through the API server's proxy."""

    def report(pod: Mapping[str, Any]) -> dict[str, Any]:
        name = str(pod["metadata"]["name"])
        text, failure = read_text(client, wanted.namespace, name, wanted.metrics_port)
        digests = rules_digests(text)
        differs = [failure] if failure else differences(digests, wanted.digests or {}, wanted.absent)
        return {
            "name": name,
            "node": pod.get("spec", {}).get("nodeName", ""),
            "digests": digests,
            "differs": differs,
            "ready": is_ready(pod),
            "reasons": diagnose([pod], []),
            "process": process_facts(text),
        }

    if not pods:
        return []
    with ThreadPoolExecutor(max_workers=min(16, len(pods))) as pool:
        return sorted(pool.map(report, pods), key=lambda entry: str(entry["node"]))


def read_metrics(client: Client, namespace: str, pod: str, port: int) -> tuple[dict[str, str], str]:
    """Digests that a pod reports, and why it does not (empty if it does).

    Raises:
        ForbiddenError: pods/proxy is not allowed; waiting would not help.
    """
    text, failure = read_text(client, namespace, pod, port)
    return rules_digests(text), failure


def read_text(client: Client, namespace: str, pod: str, port: int) -> tuple[str, str]:
    """What a pod answers at C(/metrics), and why it does not (empty if it does).

    Raises:
        ForbiddenError: pods/proxy is not allowed; waiting would not help.
    """
    path = f"{PODS.path(namespace)}/{pod}:{port}/proxy/metrics"
    # Not repeated: while Falco reloads its port refuses, then /metrics is 404 for about two seconds.
    try:
        response = client.request("GET", path, timeout_seconds=5, repeat=False)
    except KubeError as error:
        return "", f"does not answer /metrics: {error}"
    if response.status in (401, 403):
        raise from_response(response.status, response.data, "get", "pods/proxy", "", namespace, pod)
    if response.status >= 400:
        return "", f"does not answer /metrics yet (HTTP {response.status})"
    return response.data.decode("utf-8", "replace"), ""


def sync(client: Client, wanted: Wanted, token: str, dry_run: bool = False) -> int:
    """Annotate Falco's pods, so that their kubelets look at changed ConfigMaps at once instead of within a minute.

    Returns:
        How many pods did not carry the token.
    """
    workload = next((entry for entry in wanted.workloads if entry[1] == wanted.falco), None)
    found = workload and client.get(KNOWN[("apps/v1", workload[0])], workload[1], wanted.namespace)
    if not found:
        return 0
    selector = ",".join(f"{k}={v}" for k, v in sorted(found["spec"]["selector"]["matchLabels"].items()))
    stale = [
        pod["metadata"]["name"]
        for pod in client.list_all(PODS, wanted.namespace, label_selector=selector)
        if (pod["metadata"].get("annotations") or {}).get(SYNC_ANNOTATION) != token
    ]
    for name in [] if dry_run else stale:
        body = {"metadata": {"annotations": {SYNC_ANNOTATION: token}}}
        try:
            client.call("PATCH", PODS, wanted.namespace, name, body=body, content_type="application/merge-patch+json")
        except ApiError as error:
            if error.status != 404:  # a pod that has gone since needs no sync
                raise
    return len(stale)


def wait(
    client: Client, wanted: Wanted, timeout_seconds: float, since: str, refusal_stands_seconds: float = 0.0
) -> State:
    """Look until nothing is missing.

    Args:
        timeout_seconds: limit of the wait.
        since: RFC 3339 time from which logs are read.
        refusal_stands_seconds: how long pods must go without our rules after one has refused some. Logs do not say
            which rules it refused, and its kubelet may have brought it those of a run before first.
    Raises:
        KubeError: time is over, or Falco has refused the rules; the message tells what is missing and why.
    """
    deadline = time.monotonic() + timeout_seconds
    refused_at: float | None = None
    while True:
        state = look(client, wanted)
        if not state.missing:
            return state
        refused = refusals(client, wanted, state, since)
        now = time.monotonic()
        refused_at = (refused_at or now) if refused else None
        if refused_at is not None and now >= min(refused_at + refusal_stands_seconds, deadline):
            raise KubeError("Falco refused the rules and runs the old ones: " + "; ".join(refused))
        if now > deadline:
            raise KubeError(explain(client, wanted, state, timeout_seconds, since))
        time.sleep(POLL_SECONDS)


def refusals(client: Client, wanted: Wanted, state: State, since: str) -> list[str]:
    """Why pods that still run other rules refused ours, from their logs; empty if none did."""
    if not wanted.digests and not wanted.absent:
        return []
    found = []
    for report in state.pods:
        if report["differs"] and report["digests"]:
            lines = log(client, wanted.namespace, report["name"], wanted.container, since)
            if any(REFUSED in line for line in lines):
                told = [line for line in lines if REFUSED not in line and not line.startswith("{")]
                found.append(f"pod {report['name']} on {report['node']}: " + end_of(told))
    return found


def explain(client: Client, wanted: Wanted, state: State, timeout_seconds: float, since: str) -> str:
    """What is missing, the reasons found in pods, events and logs, and what to do, as lines of text."""
    events = [event for event in client.list_all(EVENTS, wanted.namespace) if last_seen(event) >= since]
    reasons = diagnose(state.unready, events)
    logs = []
    for pod in state.unready:
        name = pod["metadata"]["name"]
        for container, previous in crashed_containers(pod):
            lines = log(client, wanted.namespace, name, container, None, previous)
            if lines:
                logs.append(f"log of {container} in {name}: " + end_of(lines))
    parts = [f"not finished after {timeout_seconds:.0f} s: " + "; ".join(state.missing)]
    parts += [f"reason: {reason}" for reason in reasons]
    parts += logs
    parts += [f"hint: {hint}" for hint in hints([*reasons, *logs])]
    return "\n".join(parts)


def end_of(lines: Sequence[str]) -> str:
    """The last lines of a log on one line, each once, none longer than a reader wants."""
    last = list(dict.fromkeys(" ".join(line.split()) for line in lines))[-LOG_LINES:]
    return " | ".join(line if len(line) <= LINE_LIMIT else line[:LINE_LIMIT] + "…" for line in last)


def last_seen(event: Mapping[str, Any]) -> str:
    """RFC 3339 time in whole seconds; such strings sort as the times do."""
    series = event.get("series") or {}
    seen = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or ""
    return str(seen)[:19] + "Z"


def log(
    client: Client, namespace: str, pod: str, container: str, since: str | None, previous: bool = False
) -> list[str]:
    """Last lines of a container's log; empty where there is none."""
    query = {"container": container, "sinceTime": since, "tailLines": 200, "previous": "true" if previous else None}
    try:
        response = client.request(
            "GET", PODS.path(namespace, pod, "log"), query=query, timeout_seconds=10, repeat=False
        )
    except KubeError:
        return []
    if response.status >= 400:
        return []
    return [line for line in str(response.data.decode("utf-8", "replace")).splitlines() if line.strip()]
