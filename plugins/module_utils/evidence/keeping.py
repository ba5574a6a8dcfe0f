# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence that outlives the directory of a run: what a job's artifacts say, and a ConfigMap that has it whole."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping
from typing import Any

from .check import FAILED, EvidenceError

#: Of how many failed checks a job's artifacts tell; the report has them all.
TOLD = 20
#: What a ConfigMap may hold, in bytes, with room for its metadata.
#: https://kubernetes.io/docs/concepts/configuration/configmap/
ROOM_BYTES = 1_000_000
#: Files of the evidence that are kept as text, the first of them in any case.
TEXTS = ("report.json", "told.json", "summary.md", "junit.xml", "metrics.prom")
PAGE = "report.html"


def told_by_artifacts(report: Mapping[str, Any]) -> dict[str, Any]:
    """What a job of AWX leaves behind of a report, small enough for its database.

    Args:
      report: as C(evidence_report) returned it.

    Returns:
      C(verdict), C(headline), C(time), C(summary) and the first failed checks as sentences (C(failed)).
    """
    failed = [check for check in report["checks"] if check["status"] == FAILED]
    told = [f"{one['stage']}: {one['check']} ({one['subject']}): {one['detail']}" for one in failed[:TOLD]]
    more = [f"and {len(failed) - TOLD} more"] if len(failed) > TOLD else []
    return {**{key: report[key] for key in ("verdict", "headline", "time", "summary")}, "failed": told + more}


def config_map(files: Mapping[str, str], name: str, namespace: str, cluster: str) -> dict[str, Any]:
    """A ConfigMap with the evidence.

    Args:
      files: texts by their names; empty ones are left out. C(report.json) must be among them.
      name: of the ConfigMap.
      namespace: of the ConfigMap.
      cluster: the evidence is of.

    Returns:
      The object. The page is compressed (C(report.html.gz)); what does not fit is left out, the page first.

    Raises:
      EvidenceError: there is no C(report.json), or it alone does not fit.
    """
    if not files.get(TEXTS[0]):
        raise EvidenceError(f"there is no {TEXTS[0]} to be kept")
    room = ROOM_BYTES
    data: dict[str, str] = {}
    for file in TEXTS:
        size = len(files.get(file, "").encode())
        if 0 < size <= room:
            data[file] = files[file]
            room -= size
    if TEXTS[0] not in data:
        size = len(files[TEXTS[0]].encode())
        room_told = f"{TEXTS[0]} has {size} bytes, and a ConfigMap holds {ROOM_BYTES}"
        raise EvidenceError(f"{room_told}: keep it in an object store (verify_store_url)")
    # The same page makes the same bytes.
    packed = base64.b64encode(gzip.compress(files.get(PAGE, "").encode(), mtime=0)).decode()
    binary = {f"{PAGE}.gz": packed} if files.get(PAGE) and len(packed) <= room else {}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"app.kubernetes.io/managed-by": "falconet.k8s", "app.kubernetes.io/component": "evidence"},
            "annotations": {"falconet.k8s/cluster": cluster},
        },
        "data": data,
        "binaryData": binary,
    }
