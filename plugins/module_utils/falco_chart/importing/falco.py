# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of Falco itself: the driver, its configuration, its pods, images, rules."""

from __future__ import annotations

from collections.abc import Mapping

from ..guards import OWN_RULES_DIRECTORY
from ..problems import kind_of
from ..settings import IMAGES
from .taking import Taking, entries, given

#: Values that are a variable as they are.
_SAME = {
    "affinity": "falco_affinity",
    "collectors.kubernetes.enabled": "falco_kubernetes_metadata",
    "driver.modernEbpf.cpusForEachBuffer": "falco_driver_cpus_per_buffer",
    "driver.modernEbpf.leastPrivileged": "falco_driver_least_privileged",
    "falco.buffered_outputs": "falco_buffered_outputs",
    "falco.log_level": "falco_log_level",
    "falco.rule_matching": "falco_rule_matching",
    "falco.syscall_event_drops.actions": "falco_syscall_drop_actions",
    "falco.syscall_event_drops.threshold": "falco_syscall_drop_threshold",
    "falcoctl.artifact.follow.enabled": "falco_artifacts_follow",
    "falcoctl.artifact.install.enabled": "falco_artifacts_install",
    "falcoctl.config.artifact.follow.every": "falco_artifacts_follow_every",
    "falcoctl.config.indexes": "falco_artifacts_indexes",
    "grafana.dashboards.enabled": "falco_grafana_dashboard",
    "metrics.interval": "falco_metrics_interval",
    "nodeSelector": "falco_node_selector",
    "podAnnotations": "falco_pod_annotations",
    "podLabels": "falco_pod_labels",
    "podPriorityClassName": "falco_priority_class",
    "resources": "falco_resources",
    "serviceMonitor.create": "falco_service_monitor",
    "serviceMonitor.labels": "falco_service_monitor_labels",
    "tolerations": "falco_tolerations",
}


def take_falco(taking: Taking) -> None:
    """Turns what the chart falco has for itself into variables."""
    _names(taking)
    _driver(taking)
    _engine(taking)
    _configuration(taking)
    _artifacts(taking)
    for path, variable in _SAME.items():
        taking.move(path, variable)
    _images(taking)
    rules = taking.take("customRules")
    if isinstance(rules, Mapping):
        taking.rules = {str(name): str(text) for name, text in rules.items()}
    elif given(rules):
        taking.leave("customRules", rules, f"must be a mapping of files to texts, not {kind_of(rules)}; left out.")


def _names(taking: Taking) -> None:
    name = taking.look("fullnameOverride")
    if given(name) and "falco" in str(name):
        taking.take("fullnameOverride")
        taking.set("falco_release_name", str(name))
        taking.note("fullnameOverride", "became falco_release_name, after which the role names all objects.")
    namespace = taking.take("namespaceOverride")
    if given(namespace):
        taking.set("falco_namespace", str(namespace))


def _driver(taking: Taking) -> None:
    kind = taking.take("driver.kind")
    if taking.take("driver.enabled") is False:
        taking.set("falco_driver", "none")
    elif isinstance(kind, str) and kind:
        taking.set("falco_driver", kind)
    elif given(kind):
        taking.leave("driver.kind", kind, f"must be the name of a driver, not {kind_of(kind)}; left out.")
    presets = {
        driver: taking.look(f"driver.{place}.bufSizePreset")
        for driver, place in (("modern_ebpf", "modernEbpf"), ("kmod", "kmod"))
    }
    wanted = {driver: preset for driver, preset in presets.items() if given(preset)}
    if wanted:
        preset = wanted.get(taking.variables.get("falco_driver", "modern_ebpf"), next(iter(wanted.values())))
        taking.set("falco_driver_buffer_preset", preset)
        for driver, place in (("modern_ebpf", "modernEbpf"), ("kmod", "kmod")):
            if wanted.get(driver) == preset:
                taking.take(f"driver.{place}.bufSizePreset")


def _engine(taking: Taking) -> None:
    if False in (taking.look("collectors.enabled"), taking.look("collectors.containerEngine.enabled")):
        taking.set("falco_container_engine", "none")
    taking.take("collectors.enabled")
    taking.take("collectors.containerEngine.enabled")
    engines = taking.take("collectors.containerEngine.engines")
    if not isinstance(engines, Mapping) or taking.variables.get("falco_container_engine") == "none":
        return
    on = {
        str(name): entries(engine.get("sockets"))
        for name, engine in engines.items()
        if isinstance(engine, Mapping) and engine.get("enabled", True) and name not in ("lxc", "libvirt_lxc", "bpm")
    }
    if len(on) != 1:
        hint = "The role asks the nodes which one they have (auto)."
        taking.note("collectors.containerEngine.engines", f"has {len(on)} engines enabled.", hint)
        return
    ((name, sockets),) = on.items()
    engine = {"cri": "crio" if any("crio" in str(socket) for socket in sockets) else "containerd"}.get(name, name)
    taking.set("falco_container_engine", engine)
    if len(sockets) == 1:
        taking.set("falco_container_engine_socket", str(sockets[0]))
    elif sockets:
        hint = "The role mounts the engine's usual one: falco_container_engine_socket names another."
        taking.note("collectors.containerEngine.engines", f"has {len(sockets)} sockets.", hint)


def _configuration(taking: Taking) -> None:
    priority = taking.take("falco.priority")
    if given(priority):
        words = {"info": "informational", "warn": "warning", "crit": "critical", "emerg": "emergency"}
        taking.set("falco_priority", words.get(str(priority).lower(), str(priority).lower()))
    files = taking.take("falco.rules_files")
    if isinstance(files, list):
        usual = ["/etc/falco/falco_rules.yaml", "/etc/falco/falco_rules.local.yaml"]
        others = [str(path) for path in files if str(path).rstrip("/") != OWN_RULES_DIRECTORY]
        if others and others != usual:
            taking.set("falco_rule_files", others)
    appended = taking.take("falco.append_output")
    if isinstance(appended, list):
        further = [entry for entry in appended if entry != {"suggested_output": True}]
        if further:
            taking.set("falco_append_output", further)
    _plugins(taking)
    if taking.look("falco.http_output.enabled") is False:
        taking.take("falco.http_output.enabled")
    for path in ("falco.json_output", "metrics.enabled", "falco.watch_config_files"):
        if taking.take(path) is False:
            taking.note(path, "was off; the role needs it on.", "Proofs read alerts and metrics, and rules reload.")


def _plugins(taking: Taking) -> None:
    plugins, loaded = taking.look("falco.plugins"), taking.look("falco.load_plugins")
    plugins = plugins if isinstance(plugins, list) else []
    loaded = list(map(str, loaded)) if isinstance(loaded, list) else []
    by_name = {str(plugin.get("name")): plugin for plugin in plugins if isinstance(plugin, Mapping)}
    if loaded and set(loaded) - {"container"} <= set(by_name) and "container" not in by_name:
        taking.take("falco.plugins")
        taking.take("falco.load_plugins")
        wanted = [by_name[name] for name in loaded if name in by_name]
        if wanted:
            taking.set("falco_plugins", wanted)
        idle = [name for name in by_name if name not in loaded]
        if idle:
            taking.note("falco.plugins", f"{', '.join(idle)} was not loaded, and is left out.")
    elif plugins and not loaded:
        taking.take("falco.plugins")
        taking.take("falco.load_plugins")
        taking.note("falco.plugins", "loads none of them, since load_plugins is empty; they are left out.")
    elif not plugins and not loaded:
        taking.take("falco.plugins")
        taking.take("falco.load_plugins")


def _artifacts(taking: Taking) -> None:
    install, follow = (taking.take(f"falcoctl.config.artifact.{step}.refs") for step in ("install", "follow"))
    refs = install if isinstance(install, list) else follow
    if isinstance(refs, list):
        taking.set("falco_artifacts", [str(ref) for ref in refs])
    if isinstance(install, list) and isinstance(follow, list) and set(map(str, install)) != set(map(str, follow)):
        taking.note("falcoctl.config.artifact.follow.refs", "differ from those installed, which both steps get now.")


def _images(taking: Taking) -> None:
    secrets = [*entries(taking.take("imagePullSecrets")), *entries(taking.take("falcosidekick.imagePullSecrets"))]
    names = [secret.get("name") if isinstance(secret, Mapping) else secret for secret in secrets]
    if any(map(given, names)):
        taking.set("falco_image_pull_secrets", list(dict.fromkeys(str(name) for name in names if given(name))))
    images: dict[str, dict[str, str]] = {}
    policies = []
    for name, path in IMAGES.items():
        place = ".".join(path)
        policy = taking.take(f"{place}.pullPolicy")
        if given(policy):
            policies.append(str(policy))
        image = {
            key: str(value)
            for key, value in ((key, taking.take(f"{place}.{key}")) for key in ("registry", "repository", "tag"))
            if given(value)
        }
        if "@" in image.get("tag", ""):
            image["tag"], _at, image["digest"] = image["tag"].partition("@")
        if image:
            images[name] = image
    if images:
        taking.set("falco_images", images)
    if policies:
        taking.set("falco_image_pull_policy", policies[0])
        if len(set(policies)) > 1:
            taking.note("image.pullPolicy", f"differs by image; all have {policies[0]} now.")


def absent_defaults(taking: Taking) -> None:
    """Where values say nothing, the chart's default held, and now the role's does: told where the two differ."""
    for variable, path, chart, role in (
        ("falco_driver", "driver.kind", "auto: a loader in each pod chooses, and may download", "modern_ebpf"),
        ("falco_rule_matching", "falco.rule_matching", "first: one rule for an event", "all"),
        ("falco_artifacts_follow", "falcoctl.artifact.follow.enabled", "true: rules change in running pods", "false"),
    ):
        if variable not in taking.variables and not any(note.path == path for note in taking.notes):
            taking.note(path, f"was not given; the chart's default is {chart}.", f"The role's is {role} ({variable}).")
