# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts of logs and receivers as streams: each read gives what is new since the one before, and says what is lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

from ..alerts import Alert, AlertsError, read_line, read_time
from ..alerts.counters import Counter, increases, read_counters, summed
from ..alerts.cursor import Entry, Position, fresh
from ..kube.client import Client
from ..kube.errors import ForbiddenError, KubeError, from_response
from ..kube.resource import KNOWN
from .alerts import service_lines

PODS = KNOWN[("v1", "Pod")]
#: Pods keep more than one wants to read at once; what is over it is read next.
LOG_LIMIT_BYTES = 20_000_000
#: Logs that are read at the same time.
ABREAST = 16
SECOND = 10**9
#: A receiver whose clock is set back by no more loses no alert.
RECEIVER_SPAN_NS = 5 * SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FILE = re.compile(r'href="(0\.log\.[0-9-]+|[0-9]+\.log(?:\.[0-9-]+)?(?:\.gz)?)"')


@dataclass
class Read:
    """What one read of a source gave.

    Attributes:
        alerts: that are new, in the order of each stream.
        positions: by stream where the reader stands now.
        gaps: what may be lost since the read before, in words.
        unread: streams that could not be read now, with why.
        counters: of Falcosidekick, as C(summed) gives them.
    """

    alerts: list[Alert] = field(default_factory=list)
    positions: dict[str, Position] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    counters: list[dict[str, Any]] = field(default_factory=list)


def read_logs(
    client: Client,
    namespace: str,
    selector: str,
    container: str,
    since_ns: int | None,
    positions: Mapping[str, Position],
) -> Read:
    """New alerts in the logs of all selected pods, the log before a container's restart included.

    Args:
        since_ns: from when a log is read that no position is known of; None for all that is kept.
        positions: where the read before stood, by pod.

    Raises:
        KubeError: no pod is selected, or none of their logs can be read.
    """
    pods = client.list_all(PODS, namespace, label_selector=selector)
    if not pods:
        raise KubeError(f"no pod in namespace {namespace} has the labels {selector}", "Is Falco installed there?")
    result = Read()
    with ThreadPoolExecutor(max_workers=min(ABREAST, len(pods))) as pool:
        logs = [
            (pod, pool.submit(_pod_log, client, pod, container, since_ns, positions.get(str(pod["metadata"]["uid"]))))
            for pod in pods
        ]
    failures = []
    for pod, log in logs:
        key, name = str(pod["metadata"]["uid"]), str(pod["metadata"]["name"])
        try:
            alerts, position, gaps = log.result()
        except KubeError as error:
            failures.append(error)
            result.unread[name] = str(error)
            if key in positions:
                result.positions[key] = positions[key]
            continue
        result.alerts += alerts
        result.gaps += gaps
        if position:
            result.positions[key] = position
    if len(failures) == len(pods):
        raise failures[0]
    here = {str(pod["metadata"]["uid"]) for pod in pods}
    for key, position in positions.items():
        if key not in here:
            result.gaps.append(f"pod {position.about.get('pod')} is gone, and what it logged after {_at(position)}")
    return result


def _pod_log(
    client: Client, pod: Mapping[str, Any], container: str, since_ns: int | None, position: Position | None
) -> tuple[list[Alert], Position | None, list[str]]:
    """New alerts of one pod, where the reader stands then, and what may be lost."""
    name = str(pod["metadata"]["name"])
    status = _container(pod, container)
    before = ((status.get("lastState") or {}).get("terminated") or {}) if status else {}
    instance, ended = str(status.get("containerID") or ""), str(before.get("containerID") or "")
    known = str(position.about.get("instance") or "") if position else ""
    start = position.last_ns if position else since_ns
    gaps: list[str] = []
    entries: list[Entry] = []
    restarted = bool(known) and known != instance
    if restarted and known != ended:
        gaps.append(f"pod {name} restarted more than once; what it logged between is lost")
    if restarted or (not position and ended and (since_ns is None or _ended_ns(before) >= since_ns)):
        try:
            entries += _lines(client, pod, container, start, previous=True)
        except ForbiddenError:
            raise
        except KubeError as error:
            gaps.append(f"pod {name} restarted, and its log before that cannot be read: {error}")
    entries += _lines(client, pod, container, start)
    if position and not position.is_in(entries) and not (restarted and known != ended):
        older = _rotated(client, pod, container, start or 0)
        if position.is_in(older):
            entries = [*older, *entries]
        else:
            gaps.append(f"the log of pod {name} begins after {_at(position)}; what was logged between is lost")
    new, moved = fresh(entries, position)
    about = {"pod": name, "instance": instance}
    alerts = [read_line(entry.text, entry.stamp_ns) for entry in new]
    return [one for one in alerts if one], replace(moved, about=about) if moved else None, gaps


def _container(pod: Mapping[str, Any], container: str) -> Mapping[str, Any]:
    found: list[Mapping[str, Any]] = (pod.get("status") or {}).get("containerStatuses") or []
    return next((one for one in found if one.get("name") == container), {})


def _ended_ns(terminated: Mapping[str, Any]) -> int:
    try:
        return read_time(str(terminated.get("finishedAt")))
    except AlertsError:
        return 0


def _lines(
    client: Client, pod: Mapping[str, Any], container: str, since_ns: int | None, previous: bool = False
) -> list[Entry]:
    """Lines of a log with their times. The API server takes whole seconds, and this gives all of the first one.

    Raises:
        KubeError: the log cannot be read.
    """
    namespace, name = str(pod["metadata"].get("namespace") or ""), str(pod["metadata"]["name"])
    path = PODS.path(namespace, name, "log")
    entries: list[Entry] = []
    position: Position | None = None
    while True:
        query = {
            "container": container,
            "timestamps": "true",
            "sinceTime": None if since_ns is None else rfc3339(since_ns // SECOND * SECOND),
            "limitBytes": LOG_LIMIT_BYTES,
            "previous": "true" if previous else None,
        }
        response = client.request("GET", path, query=query)
        if response.status >= 400:
            raise from_response(response.status, response.data, "get", "pods/log", "", namespace, name)
        whole = len(response.data) < LOG_LIMIT_BYTES
        lines = response.data.decode("utf-8", "replace").splitlines()
        # The last line of a part is cut where the limit is.
        new, position = fresh(_stamped(lines if whole else lines[:-1]), position)
        entries += new
        if whole or position is None or not new:
            return entries
        since_ns = position.last_ns


def _stamped(lines: Iterable[str]) -> list[Entry]:
    entries = []
    for line in lines:
        stamp, _blank, text = line.partition(" ")
        try:
            entries.append(Entry(read_time(stamp), text))
        except AlertsError:
            continue  # what kubelet says instead of a log
    return entries


def _rotated(client: Client, pod: Mapping[str, Any], container: str, since_ns: int) -> list[Entry]:
    """Lines of log files that kubelet has put aside, as far as one may read them through it; the API serves the newest.

    Source: https://kubernetes.io/docs/concepts/cluster-administration/logging/#log-rotation
    """
    import gzip  # only where a log was rotated between two reads

    metadata, node = pod["metadata"], str((pod.get("spec") or {}).get("nodeName") or "")
    folder = f"{metadata.get('namespace')}_{metadata['name']}_{metadata.get('uid')}/{container}/"
    path = f"/api/v1/nodes/{quote(node)}/proxy/logs/pods/{quote(folder)}"
    listing = client.request("GET", path)
    if listing.status >= 400:
        return []
    entries: list[Entry] = []
    for file in sorted(set(_FILE.findall(listing.data.decode("utf-8", "replace"))), key=_age):
        answer = client.request("GET", path + quote(file))
        if answer.status >= 400:
            continue
        data = gzip.decompress(answer.data) if file.endswith(".gz") else answer.data
        entries += [one for one in _cri(data.decode("utf-8", "replace")) if one.stamp_ns >= since_ns]
    return entries


def _age(file: str) -> tuple[str, str]:
    """Files of a container's instances in the order of their lines: what was put aside, then the current one."""
    number, _dot, rest = file.partition(".log")
    return number.zfill(6), rest.removeprefix(".") or "~"


def _cri(text: str) -> list[Entry]:
    """Lines of a file in the form of container runtimes: time, stream, tag, text; a text may be in parts.

    Source: https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
    """
    entries: list[Entry] = []
    part = ""
    for line in text.splitlines():
        stamp, _stream, tag, rest = [*line.split(" ", 3), "", "", ""][:4]
        part += rest
        if tag.startswith("P"):
            continue
        entries += _stamped([f"{stamp} {part}"])
        part = ""
    return entries


def read_receiver(
    client: Client, receiver: dict[str, Any], since: str | None, positions: Mapping[str, Position]
) -> Read:
    """New alerts of a receiver.

    Args:
        receiver: as C(service_lines) takes it.
        since: RFC 3339 time that it is asked for the first time; None for all that it keeps.
        positions: where the read before stood.

    Raises:
        KubeError: it cannot be asked.
    """
    key = f"{receiver['namespace']}/{receiver['service']}:{receiver['port']}/{receiver['path'].lstrip('/')}"
    position = positions.get(key)
    asked = rfc3339(position.last_ns - RECEIVER_SPAN_NS) if position else since
    entries = []
    for line in service_lines(client, receiver, asked):
        alert = read_line(line)
        stamp = (alert.arrived_ns or alert.time_ns) if alert else None
        if stamp is not None:
            entries.append(Entry(stamp, line))
    return of_store(entries, key, position, RECEIVER_SPAN_NS, f"{key} does not keep what it received")


def of_store(entries: Sequence[Entry], key: str, position: Position | None, span_ns: int, lost: str) -> Read:
    """What is new in a store that has alerts by their time.

    Args:
        entries: what it has, the oldest first.
        key: what its position is kept under.
        position: where the read before stood.
        span_ns: how much older than the last one an alert may be that came after it.
        lost: says of it that it no longer has what was read before.
    """
    new, moved = fresh(entries, position, span_ns)
    result = Read(alerts=[one for one in (read_line(entry.text) for entry in new) if one])
    if moved:
        result.positions[key] = moved
    if position and not position.is_in(entries):
        result.gaps.append(f"{lost} until {_at(position)} any more")
    return result


def read_sidekick(
    client: Client, namespace: str, selector: str, port: int, scheme: str, positions: Mapping[str, Position]
) -> Read:
    """What Falcosidekick's pods have counted since the read before, each asked by itself through the API server.

    Args:
        port, scheme: of C(/metrics), V(http) or V(https).
        positions: where the read before stood, by pod.

    Raises:
        KubeError: no pod is selected, or none of them can be asked.
    """
    pods = client.list_all(PODS, namespace, label_selector=selector)
    if not pods:
        raise KubeError(f"no pod in namespace {namespace} has the labels {selector}", "Is Falcosidekick installed?")
    result = Read()
    found: list[list[tuple[Counter, int]]] = []
    failures = []
    for pod in pods:
        key, name = str(pod["metadata"]["uid"]), str(pod["metadata"]["name"])
        position = positions.get(key)
        try:
            text = _metrics(client, namespace, name, port, scheme)
        except KubeError as error:
            failures.append(error)
            result.unread[name] = str(error)
            if position:
                result.positions[key] = position
            continue
        statuses = (pod.get("status") or {}).get("containerStatuses") or []
        instance = ",".join(sorted(str(one.get("containerID") or "") for one in statuses))
        same = position is not None and position.about.get("instance") == instance
        if position is not None and not same:
            result.gaps.append(f"pod {name} restarted; what it counted between the last read and that is lost")
        counters = read_counters(text)
        found.append(increases(counters, position.about["counters"] if position is not None and same else None))
        about = {"pod": name, "instance": instance, "counters": {one.key: one.value for one in counters}}
        result.positions[key] = Position(0, {}, about)
    if len(failures) == len(pods):
        raise failures[0]
    here = {str(pod["metadata"]["uid"]) for pod in pods}
    result.gaps += [
        f"pod {one.about.get('pod')} is gone, and what it counted since the last read"
        for key, one in positions.items()
        if key not in here
    ]
    result.counters = summed(found)
    return result


def _metrics(client: Client, namespace: str, pod: str, port: int, scheme: str) -> str:
    prefix = "https:" if scheme == "https" else ""
    path = f"{PODS.path(namespace)}/{prefix}{quote(pod)}:{port}/proxy/metrics"
    response = client.request("GET", path)
    if response.status >= 400:
        raise from_response(response.status, response.data, "get", "pods/proxy", "", namespace, pod)
    return str(response.data.decode("utf-8", "replace"))


def rfc3339(moment_ns: int) -> str:
    """A time as Kubernetes takes it, with nanoseconds where it has some."""
    seconds, rest = divmod(moment_ns, SECOND)
    whole = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{rest:09}Z" if rest else f"{whole}Z"


def _at(position: Position) -> str:
    return rfc3339(position.last_ns)
