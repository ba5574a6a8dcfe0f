# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Falco's image holds in ``/etc/falco/config.d``, and when Falco reads it beside the falco.yaml of the chart.

The chart's falco.yaml names that directory in ``config_files``, and sets the container plugin up itself. Where
something is mounted over the directory or over ``/etc/falco`` (falcoctl's rules, the driver loader's configuration, an
emptyDir since chart 9.2.0), the image's files are out of sight. Where nothing is, they are merged on top.

Source: config/ and docker/falco/Dockerfile of Falco 0.41 to 0.45; https://github.com/falcosecurity/charts/issues/1057.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

DIRECTORY = "/etc/falco/config.d"
#: The image's files there that decide whether Falco starts, with what they say.
IMAGE_FILES: dict[str, dict[str, Any]] = {"falco.container_plugin.yaml": {"load_plugins": ["container"]}}
#: Modern eBPF under its present name and the alias that the chart takes.
_WITHOUT_LOADER = ("modern_ebpf", "modern-bpf")


def image_config_is_seen(values: Mapping[str, Any]) -> bool:
    """Whether a chart before 9.2.0 leaves the image's directory in sight with these values, as completed."""
    artifact = _at(values, "falcoctl", "artifact")
    if any(_at(artifact, step).get("enabled") for step in ("install", "follow")):
        return False
    driver = _at(values, "driver")
    loader = _at(driver, "loader").get("enabled", True)
    if driver.get("enabled", True) and loader and driver.get("kind") not in _WITHOUT_LOADER:
        return False
    return not _hidden(_listed(_at(values, "mounts").get("volumeMounts")))


def loaded_twice_or_unknown(
    config: Mapping[str, Any], mounts: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[str, str, str]]:
    """Plugins with which Falco does not start: its configuration and, where it is in sight, the image's own, merged.

    Args:
      config: falco.yaml.
      mounts: ``volumeMounts`` of Falco's container.
    Returns:
      Plugin, what Falco will say, and the reason.
    """
    load = [str(name) for name in _listed(config.get("load_plugins"))]
    known = {str(_at(plugin).get("name")) for plugin in _listed(config.get("plugins"))}
    why = "load_plugins of falco.yaml"
    strategy = "add-only" if _hidden(mounts) else _strategy(_listed(config.get("config_files")))
    if strategy != "add-only":
        for file, content in IMAGE_FILES.items():
            load = content["load_plugins"] if strategy == "override" else [*load, *content["load_plugins"]]
            why = f"load_plugins of falco.yaml and of {DIRECTORY}/{file} in Falco's image, which nothing hides,"
    for name in dict.fromkeys(load):
        if load.count(name) > 1:
            yield name, f"found another plugin with name {name}", f"{why} name it {load.count(name)} times"
        elif name not in known:
            yield name, f"Cannot load plugin '{name}': plugin config not found", f"{why} name it, and plugins does not"


def _hidden(mounts: Iterable[Mapping[str, Any]]) -> bool:
    whole = {str(mount.get("mountPath", "")).rstrip("/") for mount in map(_at, mounts) if not mount.get("subPath")}
    return bool(whole & {DIRECTORY, "/etc/falco", "/etc"})


def _strategy(config_files: Iterable[Any]) -> str:
    """How Falco merges the directory's files; ``add-only``, which changes no list, if it does not read them."""
    for entry in config_files:
        path = entry.get("path", "") if isinstance(entry, Mapping) else entry
        if str(path).rstrip("/") == DIRECTORY:
            return str(entry.get("strategy", "append")) if isinstance(entry, Mapping) else "append"
    return "add-only"


def _at(node: Any, *keys: str) -> Mapping[str, Any]:
    for key in keys:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else {}


def _listed(value: Any) -> list[Any]:
    """A list of a configuration, which is text that Falco has not read yet."""
    return value if isinstance(value, list) else []
