# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Helm rendered, looked at before a cluster sees it: with what Falco would not start, or no pod could be made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..common.tolerant import mapping, mappings
from ..common.yaml_text import YamlTextError, read_one
from .image_config import DIRECTORY, loaded_twice_or_unknown
from .problems import FalcoChartError, Problem

_HIDE = (
    f"Leave falco.config_files to the role, which empties it then, or mount an emptyDir over {DIRECTORY} "
    "(mounts.volumes and mounts.volumeMounts in falco_extra_values)."
)
_PLUGINS = "Give plugins in falco_plugins, which sets plugins and load_plugins up together."


def check_rendered(objects: Iterable[Mapping[str, Any]]) -> None:
    """Refuse objects that the API server or Falco would stumble over.

    Args:
      objects: as ``helm template`` prints them.

    Raises:
      FalcoChartError: all that is wrong.
    """
    found = [o for o in objects if isinstance(o, Mapping)]
    problems = [problem for o in found for problem in _wrong_workload(o, found)]
    if problems:
        raise FalcoChartError(problems)


def _wrong_workload(workload: Mapping[str, Any], objects: list[Mapping[str, Any]]) -> Iterator[Problem]:
    spec = workload.get("spec")
    template = spec.get("template") if isinstance(spec, Mapping) else None
    pod = template.get("spec") if isinstance(template, Mapping) else None
    if not isinstance(pod, Mapping):
        return
    where = f"{workload.get('kind')} {_named(workload)}"
    volumes = [str(volume.get("name")) for volume in mappings(pod.get("volumes"))]
    claims = [_named(claim) for claim in mappings(workload["spec"].get("volumeClaimTemplates"))]
    for name in sorted({name for name in volumes if volumes.count(name) > 1}):
        yield Problem(where, f"has two volumes {name}.", "Give yours another name.")
    for container in [*mappings(pod.get("initContainers")), *mappings(pod.get("containers"))]:
        yield from _wrong_mounts(f"{where}, container {container.get('name')}", container, {*volumes, *claims})
        if container.get("name") == "falco":
            yield from _wrong_plugins(where, mappings(container.get("volumeMounts")), pod, objects)


def _wrong_mounts(where: str, container: Mapping[str, Any], volumes: set[str]) -> Iterator[Problem]:
    mounts = mappings(container.get("volumeMounts"))
    paths = [str(mount.get("mountPath")).rstrip("/") for mount in mounts]
    for path in sorted({path for path in paths if paths.count(path) > 1}):
        yield Problem(where, f"mounts {path} twice, which Kubernetes refuses.", "Leave one of them away.")
    for mount in mounts:
        if mount.get("name") not in volumes:
            hint = "Name one of the pod's volumes, or add it."
            yield Problem(where, f"mounts the volume {mount.get('name')}, which the pod does not have.", hint)


def _wrong_plugins(
    where: str, mounts: list[Mapping[str, Any]], pod: Mapping[str, Any], objects: list[Mapping[str, Any]]
) -> Iterator[Problem]:
    config = _falco_yaml(mounts, pod, objects)
    for plugin, says, why in loaded_twice_or_unknown(config, mounts) if config else ():
        hint = _HIDE if DIRECTORY in why else _PLUGINS
        yield Problem(f"{where}, plugin {plugin}", f"Falco will stop with {says!r}: {why}.", hint)


def _falco_yaml(
    mounts: list[Mapping[str, Any]], pod: Mapping[str, Any], objects: list[Mapping[str, Any]]
) -> Mapping[str, Any]:
    """The configuration that the chart mounts into Falco's container; empty if it is from elsewhere."""
    volume = next((m.get("name") for m in mounts if m.get("mountPath") == "/etc/falco/falco.yaml"), "")
    volumes = mappings(pod.get("volumes"))
    name = next((mapping(v.get("configMap")).get("name") for v in volumes if v.get("name") == volume), "")
    for o in objects:
        if o.get("kind") == "ConfigMap" and mapping(o.get("metadata")).get("name") == name:
            try:
                config = read_one(str(mapping(o.get("data")).get("falco.yaml", "")))
            except YamlTextError:
                return {}  # Falco says it where it is tried
            return config if isinstance(config, Mapping) else {}
    return {}


def _named(item: Mapping[str, Any]) -> str:
    return str(mapping(item.get("metadata")).get("name"))
