# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values document of the chart ``falco`` 9.x, built from the role's variables by one pure function."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from .engines import ENGINES, engine_values
from .outputs import build_outputs
from .problems import FalcoChartError, Problem, kind_of, nearest
from .sidekick import sidekick_values

DRIVERS = ("modern_ebpf", "kmod", "auto", "none")
#: Where Falco finds rules besides its own file; the directory that the ConfigMaps of role falco_rules fill.
OWN_RULES_DIRECTORY = "/etc/falco/rules.d"
OWN_RULES_VOLUME = "own-rules"
#: Annotation of Falco's workload: a chart that changed under the same version makes other values, and so an upgrade.
CHART_DIGEST = "falconet.k8s/chart-digest"
CA_VOLUME = "extra-ca"
CA_DIRECTORY = "/etc/extra-ca"
CA_FILE = f"{CA_DIRECTORY}/ca.crt"

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
    "outputs": {},
    "outputs_existing_secret": "",
    "outputs_fingerprint": "",
    "own_rules_config_maps": [],
    "plugins": [],
    "pod_annotations": {},
    "pod_labels": {},
    "priority": "debug",
    "priority_class": "",
    "proxy": {},
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
    "service_monitor": False,
    "service_monitor_labels": {},
    "sidekick_enabled": True,
    "sidekick_replicas": 2,
    "sidekick_resources": {},
    "sidekick_tls": "off",
    "sidekick_tls_client_secret": "",
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
_CHOICES = {
    "container_engine": (*ENGINES, "none"),
    "driver": DRIVERS,
    "image_pull_policy": ("IfNotPresent", "Always", "Never"),
    "log_level": ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"),
    "priority": ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"),
    "redis_storage": ("local", "storage_class", "none"),
    "rule_matching": ("first", "all"),
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


def build_values(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The chart's values for these variables.

    Args:
      variables: the role's variables without their prefix ``falco_``; those not given have the value in DEFAULTS.
    Returns:
      A new mapping that holds nothing secret.
    Raises:
      FalcoChartError: unknown variables, wrong types, choices or combinations; all at once.
    """
    settings = {**copy.deepcopy(DEFAULTS), **variables}
    problems = [*_unknown(variables), *_wrong(settings)]
    if problems:
        raise FalcoChartError(problems)
    outputs = build_outputs(settings["outputs"])
    values: dict[str, Any] = {
        "driver": _driver(settings),
        "collectors": _collectors(settings),
        "metrics": {"enabled": True, "interval": settings["metrics_interval"]},
        "falco": _falco(settings),
        "falcoctl": _falcoctl(settings),
        "mounts": _mounts(settings),
        "falcosidekick": sidekick_values(settings, outputs.values),
    }
    if settings["chart_digest"]:
        values["controller"] = {"annotations": {CHART_DIGEST: settings["chart_digest"]}}
    if settings["service_monitor"]:
        values["serviceMonitor"] = {"create": True, "labels": settings["service_monitor_labels"]}
    if settings["grafana_dashboard"]:
        values["grafana"] = {"dashboards": {"enabled": True}}
    for key, chart_key in (
        ("affinity", "affinity"),
        ("node_selector", "nodeSelector"),
        ("pod_annotations", "podAnnotations"),
        ("pod_labels", "podLabels"),
        ("priority_class", "podPriorityClassName"),
        ("resources", "resources"),
    ):
        if settings[key]:
            values[chart_key] = settings[key]
    if settings["tolerations"] is not None:
        values["tolerations"] = settings["tolerations"]
    if settings["sidekick_tls"] != "off":
        values["certs"] = {"existingSecret": settings["sidekick_tls_secret"]}
        if settings["sidekick_tls"] == "mutual":
            values["certs"]["existingClientSecret"] = settings["sidekick_tls_client_secret"]
    _images(values, settings)
    _proxy(values, settings)
    return merge(values, settings["extra_values"])


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Base with ``over`` on top, as Helm merges values: mappings key by key, everything else replaced."""
    merged = dict(base)
    for key, value in over.items():
        mine = merged.get(key)
        both = isinstance(mine, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(mine, value) if both else copy.deepcopy(value)  # type: ignore[arg-type]  # both says so
    return merged


def _driver(settings: Mapping[str, Any]) -> dict[str, Any]:
    if settings["driver"] == "none":
        return {"enabled": False}
    preset = settings["driver_buffer_preset"]
    driver: dict[str, Any] = {"enabled": True, "kind": settings["driver"]}
    if settings["driver"] in ("kmod", "auto"):
        driver["kmod"] = {"bufSizePreset": preset}
    if settings["driver"] in ("modern_ebpf", "auto"):
        driver["modernEbpf"] = {
            "bufSizePreset": preset,
            "cpusForEachBuffer": settings["driver_cpus_per_buffer"],
            "leastPrivileged": settings["driver_least_privileged"],
        }
    return driver


def _collectors(settings: Mapping[str, Any]) -> dict[str, Any]:
    with_driver = settings["driver"] != "none"
    collectors: dict[str, Any] = {"kubernetes": {"enabled": settings["kubernetes_metadata"] and with_driver}}
    if settings["container_engine"] == "none" or not with_driver:
        collectors["containerEngine"] = {"enabled": False}
    else:
        engines = engine_values(settings["container_engine"], settings["container_engine_socket"])
        collectors["containerEngine"] = {"enabled": True, "engines": engines}
    return collectors


def _falco(settings: Mapping[str, Any]) -> dict[str, Any]:
    falco: dict[str, Any] = {
        "priority": settings["priority"],
        "json_output": True,
        "buffered_outputs": settings["buffered_outputs"],
        "rule_matching": settings["rule_matching"],
        "log_level": settings["log_level"],
        "syscall_event_drops": {
            "threshold": settings["syscall_drop_threshold"],
            "actions": settings["syscall_drop_actions"],
        },
    }
    if settings["append_output"]:
        falco["append_output"] = [{"suggested_output": True}, *settings["append_output"]]
    if settings["rule_files"]:
        falco["rules_files"] = [*settings["rule_files"], OWN_RULES_DIRECTORY]
    if settings["plugins"]:
        falco["plugins"] = settings["plugins"]
        falco["load_plugins"] = [plugin["name"] for plugin in settings["plugins"]]
    if settings["sidekick_url"]:
        falco["http_output"] = {"enabled": True, "url": settings["sidekick_url"]}
    if settings["sidekick_tls"] != "off":
        # The chart writes http:// by itself; the port keeps its number when Falcosidekick serves TLS.
        url = settings["sidekick_url"] or f"https://{settings['release_name']}-falcosidekick:2801"
        falco["http_output"] = {
            "enabled": True,
            "url": url,
            "ca_cert": "/etc/falco/certs/ca.crt",
            "mtls": settings["sidekick_tls"] == "mutual",
        }
    return falco


def _falcoctl(settings: Mapping[str, Any]) -> dict[str, Any]:
    install, follow = settings["artifacts_install"], settings["artifacts_follow"]
    falcoctl: dict[str, Any] = {"artifact": {"install": {"enabled": install}, "follow": {"enabled": follow}}}
    config: dict[str, Any] = {}
    if install or follow:
        refs = settings["artifacts"]
        config["artifact"] = {"install": {"refs": refs}}
        if follow:
            config["artifact"]["follow"] = {"refs": refs, "every": settings["artifacts_follow_every"]}
    if settings["artifacts_indexes"]:
        config["indexes"] = settings["artifacts_indexes"]
    if config:
        falcoctl["config"] = config
    return falcoctl


def _mounts(settings: Mapping[str, Any]) -> dict[str, Any]:
    volumes: list[dict[str, Any]] = []
    mounts: list[dict[str, Any]] = []
    if settings["own_rules_config_maps"]:
        # One projected volume: the ConfigMaps may be missing, may come later, and change without a restart.
        sources = [{"configMap": {"name": name, "optional": True}} for name in settings["own_rules_config_maps"]]
        volumes.append({"name": OWN_RULES_VOLUME, "projected": {"sources": sources}})
        mounts.append({"name": OWN_RULES_VOLUME, "mountPath": OWN_RULES_DIRECTORY, "readOnly": True})
    if settings["ca_config_map"]:
        volumes.append({"name": CA_VOLUME, "configMap": {"name": settings["ca_config_map"]}})
        mounts.append({"name": CA_VOLUME, "mountPath": CA_DIRECTORY, "readOnly": True})
    return {"volumes": volumes, "volumeMounts": mounts}


def _images(values: dict[str, Any], settings: Mapping[str, Any]) -> None:
    policy, registry = settings["image_pull_policy"], settings["image_registry"]
    for name, path in IMAGES.items():
        if name not in settings["images"] and not _used(name, settings):
            continue
        wanted = settings["images"].get(name, {})
        image: dict[str, Any] = {}
        if registry:
            image["registry"] = registry
        if policy != "IfNotPresent" and name not in ("wait_redis", "k8s_metacollector"):
            image["pullPolicy"] = policy
        image.update({key: wanted[key] for key in ("registry", "repository", "tag") if key in wanted})
        if wanted.get("digest"):
            # The charts only know tags; a reference may carry both, and then the digest decides.
            image["tag"] = f"{wanted['tag']}@{wanted['digest']}"
        if not image:
            continue
        node = values
        for key in path:
            node = node.setdefault(key, {})
        node.update(image)
    if settings["image_pull_secrets"]:
        names = settings["image_pull_secrets"]
        values["imagePullSecrets"] = [{"name": name} for name in names]
        values["falcosidekick"]["imagePullSecrets"] = list(names)


def _used(image: str, settings: Mapping[str, Any]) -> bool:
    """Whether the release has a container of this image, so that values stay as short as what is installed."""
    sidekick = settings["sidekick_enabled"]
    ui = sidekick and settings["ui_enabled"]
    used = {
        "driver_loader": settings["driver"] in ("kmod", "auto"),
        "falcoctl": settings["artifacts_install"] or settings["artifacts_follow"],
        "falcosidekick": sidekick,
        "falcosidekick_ui": ui,
        "wait_redis": ui,
        "redis": ui and not settings["redis_external"],
        "k8s_metacollector": settings["kubernetes_metadata"],
    }
    return bool(used.get(image, True))


def _proxy(values: dict[str, Any], settings: Mapping[str, Any]) -> None:
    """Proxy and private CA for what talks to the outside: falcoctl, the driver loader and Falcosidekick."""
    env = proxy_environment(settings["proxy"])
    if settings["ca_config_map"]:
        env = [*env, {"name": "SSL_CERT_FILE", "value": CA_FILE}]
    if not env:
        return
    mount = [{"name": CA_VOLUME, "mountPath": CA_DIRECTORY, "readOnly": True}] if settings["ca_config_map"] else []
    for step in ("install", "follow"):
        if not values["falcoctl"]["artifact"][step]["enabled"]:
            continue
        values["falcoctl"]["artifact"][step]["env"] = env
        if mount:
            values["falcoctl"]["artifact"][step]["mounts"] = {"volumeMounts": mount}
    if settings["driver"] in ("kmod", "auto"):
        values["driver"].setdefault("loader", {}).setdefault("initContainer", {})["env"] = proxy_environment(
            settings["proxy"]
        )
    if settings["sidekick_enabled"]:
        sidekick = values["falcosidekick"]
        sidekick["config"]["extraEnv"] = proxy_environment(settings["proxy"])
        if settings["ca_config_map"]:
            sidekick["extraVolumes"] = [{"name": CA_VOLUME, "configMap": {"name": settings["ca_config_map"]}}]
            sidekick["extraVolumeMounts"] = mount
            sidekick["config"]["tlsclient"] = {"cacertfile": CA_FILE}


def proxy_environment(proxy: Mapping[str, Any]) -> list[dict[str, str]]:
    """Container environment for a proxy given as http, https and no; the cluster's own names never go through it."""
    if not proxy:
        return []
    own = ["localhost", "127.0.0.1", ".svc", ".cluster.local"]
    given = proxy.get("no") or []
    exceptions = given.split(",") if isinstance(given, str) else list(given)
    env = [
        {"name": f"{kind.upper()}_PROXY", "value": str(proxy[kind])} for kind in ("http", "https") if proxy.get(kind)
    ]
    return [*env, {"name": "NO_PROXY", "value": ",".join(dict.fromkeys([*exceptions, *own]))}]


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
    if name in _CHOICES:
        if value in _CHOICES[name]:
            return []
        close = nearest(str(value), _CHOICES[name])
        hint = f"Did you mean {close}?" if close else ""
        return [Problem(variable, f"must be one of {', '.join(_CHOICES[name])}, not {value!r}.", hint)]
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
    if "customRules" in settings["extra_values"] and settings["own_rules_config_maps"]:
        hint = f"Give the rules to the role falco_rules: both would mount {OWN_RULES_DIRECTORY}."
        yield Problem("falco_extra_values.customRules", "cannot be combined with the role falco_rules.", hint)
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
