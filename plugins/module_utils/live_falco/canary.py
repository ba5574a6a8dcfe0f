# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""New rules tried on one node before any Falco sees them: a short-lived copy of its pod must load them.

A DaemonSet's pods mount the same ConfigMaps, so none of them can be first. The trial is a Job whose pod is made from
the workload's own template (image, configuration, plugins, Falco's own rules) and mounts copies of the new ConfigMaps.
It loads rules and nothing else: no driver, no outputs. The Job ends by its own deadline and is removed after it by the
API server, and the copies are the Job's, so that nothing stays behind a run that was killed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from ..falco_chart.diagnosis import diagnose, hints, is_ready
from ..falco_chart.metrics import differences
from ..falco_chart.rule_maps import digests
from ..kube.client import Client
from ..kube.errors import KubeError
from ..kube.resource import KNOWN
from .rollout import EVENTS, PODS, POLL_SECONDS, Wanted, end_of, last_seen, log, read_metrics
from .rules import CONFIG_MAPS, Maps, falco_pods

JOBS = KNOWN[("batch/v1", "Job")]
AUTO = "auto"
SUFFIX = "-rules-canary"
COMPONENT = "falco-rules-canary"
LABELS = {"app.kubernetes.io/managed-by": "falconet.k8s", "app.kubernetes.io/component": COMPONENT}
#: Longer than a run needs to read the log of a pod that has ended.
KEPT_SECONDS = 60
GONE_SECONDS = 30
#: A pod needs some time to start, whatever limit is given.
MINIMUM_SECONDS = 10
#: No event comes in and no alert goes out. Falco wants one output, so that is a file that keeps nothing.
SETTINGS = (
    "engine.kind=nodriver",
    "stdout_output.enabled=false",
    "syslog_output.enabled=false",
    "http_output.enabled=false",
    "program_output.enabled=false",
    "file_output.enabled=true",
    "file_output.filename=/dev/null",
)
#: What a trial must not do to its node: load or unload a kernel module.
_NEVER_INITIAL = "driver-loader"


@dataclass(frozen=True)
class Trial:
    """What was tried.

    Attributes:
        node: where.
        pod: name of the pod, which is gone by now.
        elapsed_seconds: from the start of the trial to its proof.
    """

    node: str
    pod: str
    elapsed_seconds: float


def try_rules(client: Client, wanted: Wanted, maps: Maps, node: str, timeout_seconds: float) -> Trial:
    """Have one node's copy of Falco load the rules; nothing that Falco's own pods see is changed.

    Args:
        wanted: namespace, workload, container and port.
        maps: ConfigMap name to data, as the pods are to mount them.
        node: name of a node, or `auto` for one on which Falco runs.

    Raises:
        KubeError: the rules were refused, or the trial could not be made. The message holds the reason.
    """
    started = time.monotonic()
    workload = next((entry for entry in wanted.workloads if entry[1] == wanted.falco), None)
    found = workload and client.get(KNOWN[("apps/v1", workload[0])], workload[1], wanted.namespace)
    if not found:
        raise KubeError(f"There is no {workload[0] if workload else 'workload'} {wanted.falco} to make a trial from")
    chosen = choose_node(client, wanted, node)
    name = wanted.falco + SUFFIX
    seconds = max(MINIMUM_SECONDS, int(timeout_seconds))
    job = trial_job(found, wanted, maps, chosen, seconds)
    remove(client, wanted.namespace, name)
    try:
        made = client.call("POST", JOBS, wanted.namespace, body=job)
        _write_copies(client, wanted.namespace, name, maps, made)
        pod = _wait(client, wanted, name, maps, chosen, seconds)
    except BaseException:
        # What went wrong is the news; what cannot be removed now ends by its deadline.
        with suppress(KubeError):
            remove(client, wanted.namespace, name)
        raise
    remove(client, wanted.namespace, name)
    return Trial(chosen, pod, round(time.monotonic() - started, 2))


def choose_node(client: Client, wanted: Wanted, node: str) -> str:
    """The node of the trial.

    Raises:
        KubeError: Falco does not run on the node that was named, or nowhere.
    """
    pods = [pod for pod in falco_pods(client, wanted) if is_ready(pod)]
    nodes = sorted({str(pod["spec"].get("nodeName", "")) for pod in pods})
    if not nodes:
        raise KubeError(
            "Rules cannot be tried on one node first: no Falco pod is ready", "Leave the trial out this once."
        )
    if node == AUTO:
        return nodes[0]
    if node not in nodes:
        raise KubeError(f"Falco is not ready on node {node}", f"It is on {', '.join(nodes)}.")
    return node


def trial_job(workload: Mapping[str, Any], wanted: Wanted, maps: Maps, node: str, seconds: int) -> dict[str, Any]:
    """The Job of a trial.

    Args:
        workload: DaemonSet or Deployment of Falco.
        seconds: after which the API server ends it.

    Raises:
        KubeError: the template has no such container, or mounts none of the ConfigMaps.
    """
    name = wanted.falco + SUFFIX
    spec = deepcopy(dict(workload["spec"]["template"]["spec"]))
    falco = next((one for one in spec.get("containers") or [] if one["name"] == wanted.container), None)
    if falco is None:
        raise KubeError(f"{workload['kind']} {wanted.falco} has no container {wanted.container}")
    copies = {original: f"{name}-{number}" for number, original in enumerate(maps, 1)}
    mounted = [_mount_copies(volume, copies, maps) for volume in spec.get("volumes") or []]
    if True not in mounted:
        raise KubeError(
            f"{workload['kind']} {wanted.falco} mounts none of the ConfigMaps {', '.join(maps)}",
            "Role falco mounts those of falco_own_rules_config_maps.",
        )
    for key in ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle"):
        falco.pop(key, None)
    falco["ports"] = [{key: port[key] for key in port if key != "hostPort"} for port in falco.get("ports") or []]
    falco["args"] = [*(falco.get("args") or []), *(word for one in SETTINGS for word in ("-o", one))]
    spec["containers"] = [falco]
    spec["initContainers"] = [one for one in spec.get("initContainers") or [] if _NEVER_INITIAL not in one["name"]]
    for key in ("hostNetwork", "nodeSelector", "affinity", "topologySpreadConstraints"):
        spec.pop(key, None)
    spec.update(nodeName=node, restartPolicy="Never", dnsPolicy="ClusterFirst", terminationGracePeriodSeconds=1)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": wanted.namespace, "labels": LABELS},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": seconds,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": {"metadata": {"labels": LABELS}, "spec": spec},
        },
    }


def _mount_copies(volume: dict[str, Any], copies: Mapping[str, str], maps: Maps) -> bool:
    """Replace the rules' ConfigMaps in a volume by their copies; tell whether there were any."""
    found = False
    for source in [volume, *((volume.get("projected") or {}).get("sources") or [])]:
        config_map = source.get("configMap") or {}
        original = str(config_map.get("name", ""))
        if original in copies:
            # A copy with data must be there before the pod starts; one without is never made.
            source["configMap"] = {**config_map, "name": copies[original], "optional": not maps[original]}
            found = True
    return found


def _write_copies(client: Client, namespace: str, name: str, maps: Maps, job: Mapping[str, Any]) -> None:
    owner = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": name,
        "uid": job["metadata"]["uid"],
        "controller": False,
        "blockOwnerDeletion": False,
    }
    for number, data in enumerate(maps.values(), 1):
        if data:
            metadata = {
                "name": f"{name}-{number}",
                "namespace": namespace,
                "labels": LABELS,
                "ownerReferences": [owner],
            }
            client.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(data)})


def _wait(client: Client, wanted: Wanted, name: str, maps: Maps, node: str, seconds: float) -> str:
    """Look until the trial's pod reports the digests; its name.

    Raises:
        KubeError: it ended, or did not report them in time.
    """
    wants = digests(maps)
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    deadline = time.monotonic() + seconds
    pod: dict[str, Any] | None = None
    lacking, silent = "its pod was not made", False
    while True:
        pod = next(iter(client.list_all(PODS, wanted.namespace, label_selector=f"job-name={name}")), pod)
        if pod is not None:
            ended = _ended(client, wanted, pod)
            if ended:
                raise KubeError(f"Falco refuses these rules on node {node}, where they were tried: {ended}")
            lacking, silent = "its pod does not run yet", False
            if pod.get("status", {}).get("podIP"):
                running, failure = read_metrics(client, wanted.namespace, pod["metadata"]["name"], wanted.metrics_port)
                differs = [failure] if failure else differences(running, wants)
                if not differs:
                    return str(pod["metadata"]["name"])
                lacking, silent = f"its pod {'; '.join(differs)}", bool(failure)
        if time.monotonic() > deadline:
            raise KubeError(_why(client, wanted, pod, node, lacking, seconds, began, silent))
        time.sleep(POLL_SECONDS)


def _ended(client: Client, wanted: Wanted, pod: Mapping[str, Any]) -> str:
    """What a pod said before it ended; empty if it has not."""
    status = pod.get("status", {})
    if status.get("phase") not in ("Failed", "Succeeded"):
        return ""
    name = str(pod["metadata"]["name"])
    containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    for one in containers:
        code = ((one.get("state") or {}).get("terminated") or {}).get("exitCode", 0)
        if code:
            lines = log(client, wanted.namespace, name, one["name"], None)
            return f"container {one['name']} ended with code {code}: {end_of(lines) or 'it said nothing'}"
    return str(status.get("message") or status.get("reason") or "its pod has ended")


def _why(
    client: Client,
    wanted: Wanted,
    pod: Mapping[str, Any] | None,
    node: str,
    lacking: str,
    seconds: float,
    began: str,
    silent: bool,
) -> str:
    events = [event for event in client.list_all(EVENTS, wanted.namespace) if last_seen(event) >= began]
    about = [event for event in events if SUFFIX in str(event.get("involvedObject", {}).get("name", ""))]
    reasons = diagnose([pod] if pod else [], about)
    lines = [f"Rules were not tried on node {node} within {seconds:.0f} s: {lacking}"]
    lines += [f"reason: {reason}" for reason in reasons]
    if silent:
        label = f"app.kubernetes.io/component={COMPONENT}"
        lines.append(
            f"hint: if NetworkPolicies guard namespace {wanted.namespace}, let the API server reach port "
            f"{wanted.metrics_port} of pods with the label {label}."
        )
    return "\n".join([*lines, *(f"hint: {hint}" for hint in hints(reasons))])


def remove(client: Client, namespace: str, name: str) -> None:
    """Take away a trial's Job, its copies and its pod, whoever left them, and wait until they are gone."""
    for resource in (JOBS, CONFIG_MAPS):
        for entry in client.list_all(resource, namespace, label_selector=f"app.kubernetes.io/component={COMPONENT}"):
            if entry["metadata"]["name"] == name or entry["metadata"]["name"].startswith(f"{name}-"):
                client.delete(resource, entry["metadata"]["name"], namespace)
    deadline = time.monotonic() + GONE_SECONDS
    while True:
        left = client.list_all(PODS, namespace, label_selector=f"job-name={name}")
        if not left or time.monotonic() > deadline:
            return
        time.sleep(POLL_SECONDS)
