# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values document of the chart ``falco`` 9.x, built from the role's variables by one pure function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .driver_groups import group_affinity, group_release, other_affinity
from .engines import engine_values
from .forwarding import further_name, further_secret
from .further_values import merge, with_further
from .guards import OWN_RULES_DIRECTORY
from .image_config import image_config_is_seen
from .names import names_of
from .outputs import build_outputs
from .proxy import PROXY_FINGERPRINT, proxy_environment
from .settings import IMAGES, checked_settings
from .sidekick import TLS_FINGERPRINT, sidekick_values

OWN_RULES_VOLUME = "own-rules"
#: Annotation of Falco's workload: a chart that changed under the same version makes other values, and so an upgrade.
CHART_DIGEST = "falconet.k8s/chart-digest"
#: Label of the workloads of releases beside Falco's first, by which those that are no longer wanted are found.
BELONGS_TO = "falconet.k8s/falco"
CA_VOLUME = "extra-ca"
CA_DIRECTORY = "/etc/extra-ca"
CA_FILE = f"{CA_DIRECTORY}/ca.crt"


def build_values(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The chart's values for these variables.

    Args:
      variables: the role's variables without their prefix ``falco_``; those not given have the value in DEFAULTS.
    Returns:
      A new mapping that holds nothing secret.
    Raises:
      FalcoChartError: unknown variables, wrong types, choices or combinations; all at once.
    """
    settings = checked_settings(variables)
    if settings["driver_groups"]:
        settings["affinity"] = other_affinity(settings["affinity"], settings["driver_groups"])
    values = _complete(settings)
    if settings["sidekick_enabled"] and settings["sidekick_release"] == "own":
        values["falcosidekick"] = {"enabled": False}
    return values


def build_driver_releases(variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Releases of Falco's chart beside the first: one for each group of nodes that needs another driver.

    Args:
      variables: as for build_values.
    Returns:
      Mappings of ``name`` (release and DaemonSet) and ``values``.
    Raises:
      FalcoChartError: as build_values.
    """
    settings = checked_settings(variables)
    releases = []
    for group in settings["driver_groups"]:
        name = group_release(settings["release_name"], group["name"])
        extra = _for_a_group(settings["extra_values"])
        own = {
            "affinity": group_affinity(settings["affinity"], group),
            "driver": group["driver"],
            "extra_values": extra,
            "grafana_dashboard": False,  # one is enough, and its name is fixed
            "outputs": {},
            "release_name": name,
            "rulebook": {},
            "sidekick_enabled": False,
            "sidekick_more": [],
            "sidekick_url": _sidekick_url(settings),
        }
        values = _complete({**settings, **own})
        labels = {"controller": {"labels": {BELONGS_TO: settings["release_name"]}}}
        releases.append({"name": name, "values": merge(values, labels)})
    return releases


def _for_a_group(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Further values without those that are right for the first release alone: its name, its driver, Falcosidekick."""
    found = {key: value for key, value in extra.items() if key not in ("falcosidekick", "fullnameOverride")}
    if isinstance(found.get("driver"), Mapping):
        found["driver"] = {key: value for key, value in found["driver"].items() if key != "kind"}
    return found


def _sidekick_url(settings: Mapping[str, Any]) -> str:
    """Where Falco sends to; empty if nowhere."""
    scheme = "http" if settings["sidekick_tls"] == "off" else "https"
    own = f"{scheme}://{settings['release_name']}-falcosidekick:2801" if settings["sidekick_enabled"] else ""
    return str(settings["sidekick_url"] or own)


def build_sidekick_releases(variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Releases of the chart falcosidekick beside Falco's: the first where it has one of its own, and further ones.

    The first has the names that it would have in Falco's release, so its Redis finds the claim that it had there.

    Args:
      variables: as for build_values.
    Returns:
      Mappings of ``name`` (release, Deployment and Service), ``secret`` (with its outputs) and ``values``.
    Raises:
      FalcoChartError: as build_values.
    """
    settings = checked_settings(variables)
    if not settings["sidekick_enabled"]:
        return []
    releases = []
    if settings["sidekick_release"] == "own":
        name = f"{settings['release_name']}-falcosidekick"
        releases.append(_sidekick_release(name, settings["outputs_existing_secret"], settings))
    for entry in settings["sidekick_more"]:
        secret = further_secret(settings["release_name"], entry)
        further = {
            "custom_fields": {},  # the first has added them already
            "templated_fields": {},
            "extra_values": {},
            "outputs": entry.get("outputs") or {},
            "outputs_existing_secret": secret,
            "outputs_fingerprint": settings["sidekick_more_fingerprints"].get(entry["name"], ""),
            "rulebook": {},
            "sidekick_more": [],
            "sidekick_replicas": entry.get("replicas", 1),
            "sidekick_resources": entry.get("resources") or {},
            "ui_enabled": False,
        }
        name = further_name(settings["release_name"], entry["name"])
        releases.append(_sidekick_release(name, secret, {**settings, **further}))
    return releases


def _sidekick_release(name: str, secret: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(_complete(settings)["falcosidekick"])
    del values["enabled"]
    values["customLabels"] = {**values.get("customLabels", {}), BELONGS_TO: settings["release_name"]}
    if settings["sidekick_chart_digest"]:
        digest = {CHART_DIGEST: settings["sidekick_chart_digest"]}
        values["customAnnotations"] = {**values.get("customAnnotations", {}), **digest}
    return {"name": name, "secret": secret, "values": values}


def _complete(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Values of Falco's chart with all of Falcosidekick in it."""
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
        # Falco needs the CA alone. The server's Secret holds it as well, beside a key that is none of Falco's business.
        values["certs"] = {"existingSecret": settings["sidekick_tls_ca_secret"] or settings["sidekick_tls_secret"]}
        if settings["sidekick_tls_fingerprint"]:
            values["podAnnotations"] = {
                **values.get("podAnnotations", {}),
                TLS_FINGERPRINT: settings["sidekick_tls_fingerprint"],
            }
        if settings["sidekick_tls"] == "mutual":
            values["certs"]["existingClientSecret"] = settings["sidekick_tls_client_secret"]
    _images(values, settings)
    _proxy(values, settings)
    values = with_further(values, settings["extra_values"])
    if image_config_is_seen(values) and isinstance(values["falco"], dict):
        # Else the image's files would load the container plugin a second time, or one that is not set up.
        values["falco"].setdefault("config_files", [])
    return values


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
        # Once: what is loaded twice is appended to twice.
        others = [file for file in settings["rule_files"] if file.rstrip("/") != OWN_RULES_DIRECTORY]
        falco["rules_files"] = [*others, OWN_RULES_DIRECTORY]
    if settings["plugins"]:
        falco["plugins"] = settings["plugins"]
        falco["load_plugins"] = [plugin["name"] for plugin in settings["plugins"]]
    if settings["sidekick_url"]:
        falco["http_output"] = {"enabled": True, "url": settings["sidekick_url"]}
    elif settings["sidekick_enabled"] and settings["sidekick_release"] == "own":
        falco["http_output"] = {"enabled": True, "url": _sidekick_url(settings)}
    if settings["sidekick_tls"] != "off":
        # The chart writes http:// by itself; the port keeps its number when Falcosidekick serves TLS.
        falco["http_output"] = {
            "enabled": True,
            "url": _sidekick_url(settings),
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
    secret = names_of(settings["release_name"]).proxy_secret
    env = proxy_environment(settings["proxy"], secret)
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
        loader = values["driver"].setdefault("loader", {}).setdefault("initContainer", {})
        loader["env"] = proxy_environment(settings["proxy"], secret)
    if settings["proxy_fingerprint"]:
        changed = {PROXY_FINGERPRINT: settings["proxy_fingerprint"]}
        for pods in (values, values["falcosidekick"]) if settings["sidekick_enabled"] else (values,):
            pods["podAnnotations"] = {**pods.get("podAnnotations", {}), **changed}
    if settings["sidekick_enabled"]:
        sidekick = values["falcosidekick"]
        # The chart and we name Services without their domain, which the usual exceptions would not cover.
        first = f"{settings['release_name']}-falcosidekick"
        services = [f"{first}-ui"] if settings["ui_enabled"] else []
        services += [further_name(settings["release_name"], entry["name"]) for entry in settings["sidekick_more"]]
        own_env = sidekick["config"].get("extraEnv", [])
        sidekick["config"]["extraEnv"] = [*proxy_environment(settings["proxy"], secret, *services), *own_env]
        if settings["ca_config_map"]:
            volume = {"name": CA_VOLUME, "configMap": {"name": settings["ca_config_map"]}}
            sidekick["extraVolumes"] = [*sidekick.get("extraVolumes", []), volume]
            sidekick["extraVolumeMounts"] = [*sidekick.get("extraVolumeMounts", []), *mount]
            if "tlsclient" in sidekick["config"]:
                # Falcosidekick reads one file; Go reads this directory beside the system's own CAs.
                sidekick["config"]["extraEnv"].append({"name": "SSL_CERT_DIR", "value": CA_DIRECTORY})
            else:
                sidekick["config"]["tlsclient"] = {"cacertfile": CA_FILE}
