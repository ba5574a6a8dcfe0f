# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Helm's own records of a release, read from its Secrets in one call, without the helm program.

Helm keeps one Secret ``sh.helm.release.v1.NAME.vREVISION`` per revision; its data are a JSON document, gzipped and
base64-encoded (https://helm.sh/docs/topics/kubernetes_apis/ and pkg/storage/driver of Helm 3).
"""

from __future__ import annotations

import base64
import gzip
import json
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..common.yaml_text import YamlTextError, read_all
from ..falco_chart.values import BELONGS_TO
from ..falco_chart.workload import images_of
from ..kube.client import Client
from ..kube.errors import KubeError
from ..kube.resource import KNOWN, Resource

SECRETS = Resource("", "v1", "secrets", "Secret", True)
#: Helm's own annotation of what it has made.
OF_RELEASE = "meta.helm.sh/release-name"
#: States in which a Helm that was killed leaves its last record, and that of one that failed.
UNFINISHED = ("pending-install", "pending-upgrade", "pending-rollback", "failed", "uninstalling")


@dataclass(frozen=True)
class Record:
    """One revision.

    Attributes:
        secret: name of its Secret.
        age_seconds: time since its last change.
    """

    revision: int
    status: str
    secret: str
    age_seconds: int


@dataclass(frozen=True)
class Release:
    """A release as Helm knows it.

    Attributes:
        unfinished: records after the deployed one that no Helm will finish.
        chart: name and version of the deployed revision, such as ``falco-9.1.0``; empty without one.
        values: what was given to it.
        images: by workload (C(Kind/name)) and container what Helm rendered.
    """

    deployed: Record | None
    unfinished: tuple[Record, ...]
    chart: str = ""
    app_version: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    images: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_release(client: Client, namespace: str, name: str) -> Release:
    """The release's deployed revision and whatever came after it.

    Raises:
        KubeError: Secrets cannot be read, or a record is in no form that we know.
    """
    secrets = client.list_all(SECRETS, namespace, label_selector=f"owner=helm,name={name}")
    records = sorted((_record(secret) for secret in secrets), key=lambda record: record.revision)
    deployed = next((record for record in reversed(records) if record.status == "deployed"), None)
    after = deployed.revision if deployed else 0
    unfinished = tuple(record for record in records if record.revision > after and record.status in UNFINISHED)
    if deployed is None:
        return Release(None, unfinished)
    document = _decode(next(s for s in secrets if s["metadata"]["name"] == deployed.secret))
    chart = document["chart"]
    return Release(
        deployed,
        unfinished,
        chart=f"{chart['metadata']['name']}-{chart['metadata']['version']}",
        app_version=str(chart["metadata"].get("appVersion", "")),
        values=document.get("config") or {},
        images=_images(str(document.get("manifest") or "")),
    )


def releases_beside(client: Client, namespace: str, first: str) -> tuple[str, ...]:
    """Releases whose workloads say that they belong to a first release of Falco.

    Raises:
        KubeError: workloads cannot be read.
    """
    found: dict[str, None] = {}
    for kind in ("Deployment", "DaemonSet"):
        for workload in client.list_all(KNOWN["apps/v1", kind], namespace, label_selector=f"{BELONGS_TO}={first}"):
            name = (workload["metadata"].get("annotations") or {}).get(OF_RELEASE)
            if name and name != first:
                found[str(name)] = None
    return tuple(found)


def _record(secret: Mapping[str, Any]) -> Record:
    labels = secret["metadata"].get("labels") or {}
    changed = int(labels.get("modifiedAt") or labels.get("createdAt") or 0)
    age = max(0, int(time.time()) - changed)
    return Record(int(labels.get("version", 0)), str(labels.get("status")), secret["metadata"]["name"], age)


def _images(manifest: str) -> dict[str, dict[str, str]]:
    """Images of the workloads that Helm rendered."""
    try:
        objects = [one for one in read_all(manifest) if isinstance(one, dict)]
    except YamlTextError:
        return {}
    named = {f"{one.get('kind')}/{(one.get('metadata') or {}).get('name')}": images_of(one) for one in objects}
    return {name: images for name, images in named.items() if images}


def _decode(secret: Mapping[str, Any]) -> dict[str, Any]:
    try:
        packed = base64.b64decode(base64.b64decode(secret["data"]["release"]))
        document = json.loads(gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed)
    except (KeyError, TypeError, ValueError, RecursionError, OSError, EOFError, zlib.error) as error:
        name = secret["metadata"]["name"]
        raise KubeError(f"Secret {name} is no release record of Helm 3: {error}") from error
    if not isinstance(document, dict):
        raise KubeError(f"Secret {secret['metadata']['name']} is no release record of Helm 3")
    return document
