# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was found to run, out of the checks: Falco by node, rules files and images by digest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def running(checks: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What the checks' data tell of what runs; a part of which nothing was asked is empty.

    Returns:
        C(falco), each with C(node), C(pod), C(version), C(driver), C(events) and C(dropped); C(rules), each with
        C(file), C(sha256) and C(nodes) on which it is loaded; C(images), each with C(workload), C(container), C(image)
        and C(digests), as the nodes' container runtimes name what runs.
    """
    listed = list(checks)
    return {
        "falco": [_falco(pod) for pod in _data(listed, "falco", "nodes").get("pods") or []],
        "rules": _rules(_data(listed, "falco_rules", "loaded").get("pods") or []),
        "images": _images(_data(listed, "falco", "images")),
    }


def _data(checks: list[Mapping[str, Any]], stage: str, code: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(
        (check.get("data") or {} for check in checks if (check["stage"], check["code"]) == (stage, code)), {}
    )
    return found


def _falco(pod: Mapping[str, Any]) -> dict[str, Any]:
    process = pod.get("process") or {}
    told = {name: str(process.get(name) or "") for name in ("version", "driver")}
    counts = {name: process.get(name) for name in ("events", "dropped")}
    return {"node": str(pod.get("node")), "pod": str(pod.get("name")), **told, **counts}


def _rules(pods: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], list[str]] = {}
    for pod in pods:
        for name, digest in (pod.get("digests") or {}).items():
            found.setdefault((str(name), str(digest)), []).append(str(pod.get("node")))
    return [{"file": name, "sha256": digest, "nodes": sorted(nodes)} for (name, digest), nodes in sorted(found.items())]


def _images(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    digests = data.get("running") or {}
    return [
        {
            "workload": workload,
            "container": container,
            "image": image,
            "digests": list((digests.get(workload) or {}).get(container) or ()),
        }
        for workload, images in sorted((data.get("images") or {}).items())
        for container, image in sorted(images.items())
    ]
