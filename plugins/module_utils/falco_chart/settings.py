# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables: their defaults, and what is wrong with those that were given."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from .driver_groups import wrong_groups
from .engines import ENGINES
from .forwarding import wrong_further
from .guards import undone
from .problems import FalcoChartError, Problem, kind_of, nearest
from .secret_values import wrong_secrets

DRIVERS = ("modern_ebpf", "kmod", "auto", "none")

#: Every variable that the function reads, without the prefix ``falco_``, and its default. Roles pass all of them.
DEFAULTS: dict[str, Any] = {
    "affinity": {},
    "append_output": [],
    "artifacts": ["falco-rules:5"],
    "artifacts_follow": False,
    "artifacts_follow_every": "168h",
    "artifacts_indexes": [],
    "artifacts_install": True,
    "buffered_outputs": False,
    "ca_config_map": "",
    "chart_digest": "",
    "container_engine": "containerd",
    "container_engine_socket": "",
    "custom_fields": {},
    "driver": "modern_ebpf",
    "driver_buffer_preset": 4,
    "driver_cpus_per_buffer": 2,
    "driver_groups": [],
    "driver_least_privileged": False,
    "extra_values": {},
    "grafana_dashboard": False,
    "image_pull_policy": "IfNotPresent",
    "image_pull_secrets": [],
    "image_registry": "",
    "images": {},
    "kubernetes_metadata": False,
    "log_level": "info",
    "metrics_interval": "1h",
    "node_selector": {},
    "nodes": {},
    "outputs": {},
    "outputs_existing_secret": "",
    "outputs_existing_variables": [],
    "outputs_fingerprint": "",
    "own_rules_config_maps": [],
    "plugins": [],
    "pod_annotations": {},
    "pod_labels": {},
    "priority": "debug",
    "priority_class": "",
    "proxy": {},
    "proxy_fingerprint": "",
    "redis_existing_secret": "",
    "redis_external": {},
    "redis_fingerprint": "",
    "redis_resources": {},
    "redis_storage": "storage_class",
    "redis_storage_class": "",
    "redis_storage_size": "1Gi",
    "release_name": "falco",
    "resources": {},
    "rule_files": [],
    "rule_matching": "all",
    "rulebook": {},
    "service_monitor": False,
    "service_monitor_labels": {},
    "sidekick_chart_digest": "",
    "sidekick_enabled": True,
    "sidekick_more": [],
    "sidekick_more_fingerprints": {},
    "sidekick_release": "chart",
    "sidekick_replicas": 2,
    "sidekick_resources": {},
    "sidekick_tls": "off",
    "sidekick_tls_ca_secret": "",
    "sidekick_tls_client_secret": "",
    "sidekick_tls_fingerprint": "",
    "sidekick_tls_secret": "",
    "sidekick_url": "",
    "syscall_drop_actions": ["log", "alert"],
    "syscall_drop_threshold": 0.1,
    "templated_fields": {},
    "tolerations": None,
    "ui_enabled": True,
    "ui_existing_secret": "",
    "ui_exposure": "node_port",
    "ui_fingerprint": "",
    "ui_ingress": {},
    "ui_node_port": 30080,
    "ui_replicas": 1,
    "ui_ttl": "",
}
CHOICES = {
    "container_engine": (*ENGINES, "none"),
    "driver": DRIVERS,
    "image_pull_policy": ("IfNotPresent", "Always", "Never"),
    "log_level": ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"),
    "priority": ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"),
    "redis_storage": ("local", "storage_class", "none"),
    "rule_matching": ("first", "all"),
    "sidekick_release": ("chart", "own"),
    "sidekick_tls": ("off", "server", "mutual"),
    "ui_exposure": ("node_port", "cluster_ip", "load_balancer", "ingress"),
}
#: Images by the name under which users set them, and where the chart keeps them.
IMAGES: dict[str, tuple[str, ...]] = {
    "falco": ("image",),
    "driver_loader": ("driver", "loader", "initContainer", "image"),
    "falcoctl": ("falcoctl", "image"),
    "falcosidekick": ("falcosidekick", "image"),
    "falcosidekick_ui": ("falcosidekick", "webui", "image"),
    "wait_redis": ("falcosidekick", "webui", "initContainer", "image"),
    "redis": ("falcosidekick", "webui", "redis", "image"),
    "k8s_metacollector": ("k8s-metacollector", "image"),
}


def checked_settings(variables: Mapping[str, Any]) -> dict[str, Any]:
    """All settings, those not given by their defaults.

    Raises:
      FalcoChartError: unknown variables, wrong types, choices or combinations; all at once.
    """
    settings = {**copy.deepcopy(DEFAULTS), **variables}
    problems = [*_unknown(variables), *_wrong(settings)]
    if problems:
        raise FalcoChartError(problems)
    return settings


def _unknown(variables: Iterable[str]) -> list[Problem]:
    problems = []
    for name in variables:
        if name not in DEFAULTS:
            close = nearest(name, DEFAULTS)
            problems.append(Problem(f"falco_{name}", "is unknown.", f"Did you mean falco_{close}?" if close else ""))
    return problems


def _wrong(settings: Mapping[str, Any]) -> list[Problem]:
    problems = [problem for name in DEFAULTS for problem in _wrong_type(name, settings[name])]
    return problems or [*_wrong_combination(settings)]


def _wrong_type(name: str, value: Any) -> list[Problem]:
    variable, default = f"falco_{name}", DEFAULTS[name]
    if name in CHOICES:
        if value in CHOICES[name]:
            return []
        close = nearest(str(value), CHOICES[name])
        hint = f"Did you mean {close}?" if close else ""
        return [Problem(variable, f"must be one of {', '.join(CHOICES[name])}, not {value!r}.", hint)]
    if name == "driver_buffer_preset" and not (_is_whole(value) and 1 <= value <= 10):
        return [Problem(variable, f"must be a number from 1 (1 MB) to 10 (512 MB), not {value!r}.")]
    if name == "ui_node_port" and not (_is_whole(value) and 1 <= value <= 65535):
        return [
            Problem(variable, f"must be a port number (30000 to 32767 unless the cluster says else), not {value!r}.")
        ]
    if name == "tolerations":
        return [] if value is None or isinstance(value, list) else [Problem(variable, "must be a list.")]
    if isinstance(default, bool):
        ok, kind = isinstance(value, bool), "true or false"
    elif isinstance(default, (int, float)):
        ok, kind = isinstance(value, (int, float)) and not isinstance(value, bool), "a number"
    elif isinstance(default, str):
        ok, kind = isinstance(value, str), "a string"
    else:
        ok, kind = isinstance(value, type(default)), "a list" if isinstance(default, list) else "a mapping"
    return [] if ok else [Problem(variable, f"must be {kind}, not {kind_of(value)}.")]


def _is_whole(value: Any) -> bool:
    """A whole number; Ansible's own subclasses of int count, booleans do not."""
    return isinstance(value, int) and not isinstance(value, bool)


def _wrong_combination(settings: Mapping[str, Any]) -> Iterable[Problem]:
    if "falco" not in settings["release_name"]:
        # The chart's names follow the release's only then; otherwise Falco would send to a Service that does not exist.
        hint = f"For example falco-{settings['release_name']}."
        yield Problem("falco_release_name", f"must contain falco, {settings['release_name']!r} does not.", hint)
    if not settings["sidekick_enabled"] and settings["outputs"]:
        yield Problem("falco_outputs", "needs Falcosidekick.", "Set falco_sidekick_enabled: true.")
    if settings["sidekick_enabled"] and settings["sidekick_url"]:
        yield Problem("falco_sidekick_url", "is for a Falcosidekick of your own.", "Set falco_sidekick_enabled: false.")
    if settings["sidekick_tls"] != "off" and not settings["sidekick_tls_secret"]:
        yield Problem("falco_sidekick_tls_secret", "is missing: the Secret with server.crt, server.key and ca.crt.")
    if settings["sidekick_tls"] == "mutual" and not settings["sidekick_tls_client_secret"]:
        yield Problem("falco_sidekick_tls_client_secret", "is missing: the Secret with client.crt, client.key, ca.crt.")
    if settings["ui_exposure"] == "ingress" and settings["ui_enabled"] and not settings["ui_ingress"].get("host"):
        yield Problem("falco_ui_ingress", "needs a host, such as {host: falco.example.org, class: nginx}.")
    yield from wrong_further(settings)
    yield from wrong_groups(settings)
    yield from wrong_secrets(settings["extra_values"])
    yield from undone(settings["extra_values"], settings)
    for name, image in settings["images"].items():
        if name not in IMAGES:
            close = nearest(name, IMAGES)
            hint = f"Did you mean {close}?" if close else f"Known: {', '.join(IMAGES)}."
            yield Problem(f"falco_images.{name}", "is no image of the chart.", hint)
        elif not isinstance(image, Mapping) or set(image) - {"registry", "repository", "tag", "digest"}:
            yield Problem(f"falco_images.{name}", "must be a mapping of registry, repository, tag and digest.")
        elif image.get("digest") and not image.get("tag"):
            yield Problem(f"falco_images.{name}.tag", "is needed beside a digest: the chart always writes a tag.")
    for index, plugin in enumerate(settings["plugins"]):
        if not isinstance(plugin, Mapping) or not plugin.get("name") or not plugin.get("library_path"):
            yield Problem(f"falco_plugins[{index}]", "must be a mapping with at least name and library_path.")
    unknown = set(settings["proxy"]) - {"http", "https", "no"}
    if unknown:
        yield Problem("falco_proxy", f"has unknown keys {', '.join(sorted(unknown))}.", "It has http, https and no.")
