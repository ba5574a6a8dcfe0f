# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's values and further ones made one: as Helm merges, but lists that the role fills are appended to."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from .problems import FalcoChartError, Problem

#: Lists that the role fills, and the keys that may not be the same in two of their entries.
APPENDED: dict[str, tuple[str, ...]] = {
    "driver.loader.initContainer.env": ("name",),
    "falco.append_output": (),
    "falco.load_plugins": (),
    "falco.plugins": ("name",),
    "falcoctl.artifact.follow.env": ("name",),
    "falcoctl.artifact.follow.mounts.volumeMounts": ("mountPath",),
    "falcoctl.artifact.install.env": ("name",),
    "falcoctl.artifact.install.mounts.volumeMounts": ("mountPath",),
    "falcosidekick.config.extraEnv": ("name",),
    "falcosidekick.extraVolumeMounts": ("mountPath",),
    "falcosidekick.extraVolumes": ("name",),
    "falcosidekick.imagePullSecrets": (),
    "imagePullSecrets": (),
    "mounts.volumeMounts": ("mountPath",),
    "mounts.volumes": ("name",),
}
#: What the chart mounts by itself into the container to which these mounts go.
_CHARTS_OWN = {
    "mounts.volumeMounts": ("/etc/falco/falco.yaml", "/root/.falco"),
    "falcosidekick.extraVolumeMounts": (),
}


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Base with ``over`` on top, as Helm merges values: mappings key by key, everything else replaced."""
    merged = dict(base)
    for key, value in over.items():
        mine = merged.get(key)
        both = isinstance(mine, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(mine, value) if both else copy.deepcopy(value)  # type: ignore[arg-type]  # both says so
    return merged


def with_further(values: Mapping[str, Any], further: Mapping[str, Any]) -> dict[str, Any]:
    """The role's values with further ones on top.

    Raises:
      FalcoChartError: an entry of a list would take the place of one of the role's, or hide what the role mounts.
    """
    merged = merge(values, further)
    problems: list[Problem] = []
    for path, unique in APPENDED.items():
        mine, yours = _at(values, path), _at(further, path)
        if isinstance(mine, list) and isinstance(yours, list) and mine and yours:
            added = [entry for entry in yours if entry not in mine]
            problems += _clashes(path, unique, mine, added)
            _put(merged, path, [*copy.deepcopy(mine), *copy.deepcopy(added)])
        if path in _CHARTS_OWN and isinstance(yours, list):
            problems += _shadows(path, mine if isinstance(mine, list) else [], yours)
    if problems:
        raise FalcoChartError(problems)
    return merged


def _clashes(path: str, unique: tuple[str, ...], mine: list[Any], added: list[Any]) -> Iterator[Problem]:
    for key in unique:
        taken = {str(entry.get(key)).rstrip("/") for entry in mine if isinstance(entry, Mapping)}
        for index, entry in enumerate(added):
            name = str(entry.get(key)).rstrip("/") if isinstance(entry, Mapping) else ""
            if name in taken:
                where = f"falco_extra_values.{path}[{index}].{key}"
                yield Problem(where, f"{name} is one of the role's own entries of this list.", "Choose another.")


def _shadows(path: str, mine: list[Any], yours: list[Any]) -> Iterator[Problem]:
    """Mounts above, on or inside of what the role or the chart mounts."""
    own = [str(mount.get("mountPath")).rstrip("/") for mount in mine]
    charts = _CHARTS_OWN[path]
    for index, mount in enumerate(yours):
        target = str(mount.get("mountPath", "")).rstrip("/") if isinstance(mount, Mapping) else ""
        if not target or mount in mine:
            continue
        where = f"falco_extra_values.{path}[{index}].mountPath"
        for hidden in (*own, *charts):
            if hidden.startswith(f"{target}/") or (hidden == target and hidden in charts):
                yield Problem(where, f"{target} would hide {hidden}, which is mounted there.", "Mount it elsewhere.")
            elif hidden in own and target.startswith(f"{hidden}/"):
                hint = "Give rules to the role falco_rules." if hidden.endswith("/rules.d") else "Mount it elsewhere."
                yield Problem(where, f"{target} is inside of {hidden}, which is mounted read-only.", hint)


def _at(tree: Any, path: str) -> Any:
    for key in path.split("."):
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree


def _put(tree: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        tree = tree[parent]
    tree[last] = value
