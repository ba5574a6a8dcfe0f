# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether what runs is what was declared: charts as Helm records them, and images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .asked import Asked
from .check import SKIPPED, Check, passed_if


def check_release(asked: Asked) -> Iterator[Check]:
    """One check for the charts and one for the images.

    Args:
        asked: C(releases), what falco_release_info returned; C(charts), the declared charts that are known, each with
            C(name) and C(version); C(images), the role's variable, by program;
            C(image_of), by program C(Kind/name) and container of its workload; C(rollout), what falco_rollout returned;
            C(namespace) and C(release).

    Raises:
        EvidenceError: something of this is missing or of another type.
    """
    subject = f"{asked.text('namespace')}/{asked.text('release')}"
    releases, rollout = asked.result("releases"), asked.result("rollout")
    if releases.skipped:
        return
    if not releases.answered:
        yield Check("release", "Charts are those that are declared", subject, SKIPPED, releases.why_not)
    else:
        yield _charts(asked, subject, releases.get("releases", []))
    if rollout.answered:
        yield _images(asked, subject, releases.get("releases", []), rollout.get("workloads", []))


def _charts(asked: Asked, subject: str, releases: list[Mapping[str, Any]]) -> Check:
    sentence = "Charts are those that are declared"
    wanted = {str(one["name"]): f"{one['name']}-{one['version']}" for one in asked.mapping("charts").values()}
    wrong, right, data = [], [], {}
    for one in releases:
        name, deployed = str(one["name"]), one.get("release") or {}
        data[name] = {key: deployed.get(key) for key in ("chart", "app_version", "revision")}
        declared = _declared(str(deployed.get("chart")), wanted)
        if not deployed:
            wrong.append(f"Helm has no deployed release {name}")
        elif declared and deployed.get("chart") != declared:
            wrong.append(f"{name} is of chart {deployed.get('chart')}, declared is {declared} (falco_chart_version)")
        elif one.get("unfinished"):
            wrong.append(f"{name} has a later revision that Helm did not finish")
        else:
            right.append(f"{deployed.get('chart')}" + ("" if declared else " (what is declared is not known here)"))
    return Check("release", sentence, subject, passed_if(not wrong), "; ".join(wrong or right), data)


def _declared(chart: str, wanted: Mapping[str, str]) -> str:
    """The declared chart that a recorded one should be: that of its name, or the only one; empty if none is known."""
    only = "".join(wanted.values()) if len(wanted) == 1 else ""
    return wanted.get(chart.rpartition("-")[0]) or only


def _images(asked: Asked, subject: str, releases: list[Mapping[str, Any]], workloads: list[Mapping[str, Any]]) -> Check:
    sentence = "Images are those that are declared"
    live = {f"{one['kind']}/{one['name']}": one.get("images") or {} for one in workloads}
    recorded: dict[str, Mapping[str, Any]] = {}
    for one in releases:
        recorded.update((one.get("release") or {}).get("images") or {})
    wrong = [
        f"{workload} runs {image} in container {container}, not {recorded[workload][container]} as Helm installed it:"
        " somebody changed it since"
        for workload, images in live.items()
        for container, image in images.items()
        if recorded.get(workload, {}).get(container, image) != image
    ]
    for program, (workload, container) in asked.mapping("image_of").items():
        image = str(live.get(workload, {}).get(container) or "")
        lacks = _lacks(asked.mapping("images").get(program) or {}, image) if image else []
        if lacks and not any(text.startswith(f"{workload} runs {image} ") for text in wrong):
            wrong.append(f"{workload} runs {image}, declared is {', '.join(lacks)} (falco_images.{program})")
    data = {
        "images": live,
        "running": {f"{one['kind']}/{one['name']}": one.get("running") or {} for one in workloads},
    }
    shown = sorted({str(image) for images in live.values() for image in images.values()})
    return Check(
        "images", sentence, subject, passed_if(not wrong), "; ".join(wrong) or ", ".join(shown) or "none", data
    )


def _lacks(declared: Mapping[str, Any], image: str) -> list[str]:
    """Parts of a declared image that an image's name does not have."""
    name, _at, digest = image.partition("@")
    path, _colon, tag = name.rpartition(":") if ":" in name.rpartition("/")[2] else (name, "", "")
    has = {
        "registry": path.startswith(f"{declared.get('registry')}/"),
        "repository": path == str(declared.get("repository")) or path.endswith(f"/{declared.get('repository')}"),
        "tag": tag == str(declared.get("tag")) or bool(digest),
        "digest": digest == str(declared.get("digest")),
    }
    return [f"{part} {declared[part]}" for part, right in has.items() if declared.get(part) and not right]
