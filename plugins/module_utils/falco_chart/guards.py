# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that would undo what another stage relies on: each is refused, with the reason and the variable to use.

Other stages find pods by their labels, read alerts from logs, ask metrics which rules run, and make what the values
must agree with (Secrets, volumes, policies). So what has a variable of the role and is read by others is set by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Callable

from .problems import Problem
from .replaced import REPLACED_DRIVERS

Settings = Mapping[str, Any]
#: Where Falco finds rules besides its own file; the directory that the ConfigMaps of role falco_rules fill.
OWN_RULES_DIRECTORY = "/etc/falco/rules.d"
METRICS_PORT, SIDEKICK_PORT, UI_PORT, REDIS_PORT = 8765, 2801, 2802, 6379


@dataclass(frozen=True)
class Guard:
    """A value that others rely on.

    Attributes:
      path: dotted, in the chart falco.
      may: whether this value (never absent) leaves all as the others need it.
      why: what it would undo.
      instead: what to do.
    """

    path: str
    may: Callable[[Any, Settings], bool]
    why: str
    instead: str


def _is(*values: Any) -> Callable[[Any, Settings], bool]:
    return lambda value, _settings: any(value == one and isinstance(value, type(one)) for one in values)


def _port(number: int) -> Callable[[Any, Settings], bool]:
    return lambda value, _settings: value in ("", None, number, str(number))


def _as(setting: str) -> Callable[[Any, Settings], bool]:
    return lambda value, settings: value == settings[setting] or (value is None and not settings[setting])


def _with_driver(value: Any, settings: Settings) -> bool:
    return value is (settings["driver"] != "none")


def _with_containers(value: Any, settings: Settings) -> bool:
    return value is True or "none" in (settings["container_engine"], settings["driver"])


def _own_name(suffix: str) -> Callable[[Any, Settings], bool]:
    return lambda value, settings: value in ("", None, f"{settings['release_name']}{suffix}")


def _same_driver(value: Any, settings: Settings) -> bool:
    return value == settings["driver"] or settings["driver"] == "none" or value in REPLACED_DRIVERS


def _reads_own_rules(value: Any, settings: Settings) -> bool:
    paths = [str(path).rstrip("/") for path in value] if isinstance(value, list) else []
    return OWN_RULES_DIRECTORY in paths or not settings["own_rules_config_maps"]


def _sends(value: Any, settings: Settings) -> bool:
    return value is True or not (settings["sidekick_enabled"] or settings["sidekick_url"])


def _sends_elsewhere(value: Any, settings: Settings) -> bool:
    return not (settings["sidekick_enabled"] or settings["sidekick_url"]) or value == settings["sidekick_url"]


def _not_selected_by(value: Any, _settings: Settings) -> bool:
    return not isinstance(value, Mapping) or not set(value) & {"app.kubernetes.io/name", "app.kubernetes.io/instance"}


_NAMES = "Roll-outs, proofs and policies would look for objects of another name."
_LABEL = "It changes the label app.kubernetes.io/name, by which roll-outs, proofs and policies find pods."
_METRICS = "Which rules each pod runs is told by its metrics alone, so no roll-out could be proven."
_ALERTS = "Alerts are read by their fields, from pods' logs and at their destination."
_CLAIM = "The role makes Redis' volumes and Secret from its variables."
_PORT = "Policies and proofs know the port."

GUARDS: tuple[Guard, ...] = (
    Guard("nameOverride", _is("", None, "falco"), _LABEL, "Name the release in falco_release_name."),
    Guard("fullnameOverride", _own_name(""), _NAMES, "Name the release in falco_release_name."),
    Guard("namespaceOverride", _is("", None), _NAMES, "Use falco_namespace."),
    Guard("podLabels", _not_selected_by, _LABEL, "Use other labels."),
    Guard(
        "controller.kind",
        lambda v, s: v == "daemonset" or s["driver"] == "none",
        "One pod instead of one on every node would leave nodes unseen.",
        "Set falco_driver: none for a Falco of plugins alone.",
    ),
    Guard(
        "controller.daemonset.updateStrategy.type",
        lambda v, _s: v != "OnDelete",
        "Pods would keep the old revision until somebody deletes them, so no roll-out ends.",
        "Leave RollingUpdate.",
    ),
    Guard(
        "driver.enabled", _with_driver, "Nodes were prepared for the driver that the role knows.", "Use falco_driver."
    ),
    Guard("driver.kind", _same_driver, "Nodes were prepared for the driver that the role knows.", "Use falco_driver."),
    Guard(
        "collectors.enabled",
        _with_containers,
        "Alerts would lose container, pod and namespace.",
        "Use falco_container_engine: none if you mean it.",
    ),
    Guard(
        "collectors.containerEngine.enabled",
        _with_containers,
        "Alerts would lose container, pod and namespace.",
        "Use falco_container_engine: none if you mean it.",
    ),
    Guard(
        "collectors.kubernetes.enabled",
        _as("kubernetes_metadata"),
        "Policies know the collector by the variable.",
        "Use falco_kubernetes_metadata.",
    ),
    Guard("metrics.enabled", _is(True), _METRICS, "Leave it; falco_metrics_interval says how often they are taken."),
    Guard("falco.metrics.enabled", _is(True), _METRICS, "Leave it; falco_metrics_interval says how often."),
    Guard("falco.webserver.enabled", _is(True), _METRICS, "Leave it: policies say who may reach it."),
    Guard("falco.webserver.prometheus_metrics_enabled", _is(True), _METRICS, "Leave it."),
    Guard("falco.webserver.listen_port", _is(METRICS_PORT), _PORT, f"Leave {METRICS_PORT}."),
    Guard(
        "falco.webserver.listen_address",
        _is("0.0.0.0", "::", "[::]"),  # noqa: S104 - a pod's own addresses
        _METRICS,
        "Leave it: policies say who may reach it.",
    ),
    Guard("falco.webserver.ssl_enabled", _is(False), "Metrics are asked through the API server, by HTTP.", "Leave it."),
    Guard("falco.watch_config_files", _is(True), "Falco would not take new rules until its pods restart.", "Leave it."),
    Guard(
        "falco.rules_files",
        _reads_own_rules,
        f"Without {OWN_RULES_DIRECTORY} no rule of your own is loaded.",
        "Use falco_rule_files, which appends it.",
    ),
    Guard(
        "falco.rule_matching",
        _as("rule_matching"),
        "With first, an earlier rule hides one of yours on its event.",
        "Use falco_rule_matching.",
    ),
    Guard("falco.json_output", _is(True), _ALERTS, "Leave it."),
    Guard("falco.json_include_output_property", _is(True), _ALERTS, "Leave it."),
    Guard("falco.json_include_output_fields_property", _is(True), _ALERTS, "Leave it."),
    Guard("falco.stdout_output.enabled", _is(True), _ALERTS, "Leave it."),
    Guard("falco.log_stderr", _is(True), "Why rules were refused is told by Falco's log alone.", "Leave it."),
    Guard(
        "falco.http_output.enabled",
        _sends,
        "Falco sends to Falcosidekick by it.",
        "Use falco_sidekick_enabled and falco_sidekick_url.",
    ),
    Guard(
        "falco.http_output.url",
        _sends_elsewhere,
        "Falco sends to Falcosidekick by it.",
        "Use falco_sidekick_url, with falco_sidekick_enabled: false.",
    ),
    Guard(
        "falco.engine",
        lambda _v, s: s["driver"] == "none",
        "The chart writes it over with what driver says.",
        "Use falco_driver and the other falco_driver_ variables.",
    ),
    Guard(
        "falcoctl.artifact.install.enabled",
        _as("artifacts_install"),
        "It decides which rules files are in the pod.",
        "Use falco_artifacts_install.",
    ),
    Guard(
        "falcoctl.artifact.follow.enabled",
        _as("artifacts_follow"),
        "It decides which rules files are in the pod.",
        "Use falco_artifacts_follow.",
    ),
    Guard(
        "falcoctl.config.artifact.install.refs",
        _as("artifacts"),
        "It decides which rules files are in the pod.",
        "Use falco_artifacts.",
    ),
    Guard(
        "falcoctl.config.artifact.follow.refs",
        _as("artifacts"),
        "It decides which rules files are in the pod.",
        "Use falco_artifacts.",
    ),
    Guard(
        "certs.existingSecret",
        lambda v, s: s["sidekick_tls"] == "off" or not v,
        "Falco trusts Falcosidekick by it.",
        "Use falco_sidekick_tls_secret.",
    ),
    Guard(
        "certs.existingClientSecret",
        lambda v, s: s["sidekick_tls"] == "off" or not v,
        "Falco shows Falcosidekick who it is by it.",
        "Use falco_sidekick_tls_client_secret.",
    ),
    Guard(
        "falcosidekick.enabled",
        _as("sidekick_enabled"),
        "The role makes its Secrets and waits for it.",
        "Use falco_sidekick_enabled.",
    ),
    Guard("falcosidekick.nameOverride", _is("", None, "falcosidekick"), _LABEL, "Leave it."),
    Guard(
        "falcosidekick.fullnameOverride",
        _own_name("-falcosidekick"),
        _NAMES + " Falco would send to nobody.",
        "Name the release in falco_release_name.",
    ),
    Guard("falcosidekick.listenport", _port(SIDEKICK_PORT), _PORT, f"Leave {SIDEKICK_PORT}."),
    Guard("falcosidekick.listenPort", _port(SIDEKICK_PORT), _PORT, f"Leave {SIDEKICK_PORT}."),
    Guard(
        "falcosidekick.service.port",
        _port(SIDEKICK_PORT),
        "Falco would send to a port that is not there.",
        f"Leave {SIDEKICK_PORT}.",
    ),
    Guard(
        "falcosidekick.config.existingSecret",
        _as("outputs_existing_secret"),
        "The role puts falco_outputs into the Secret that this names.",
        "Use falco_outputs_existing_secret.",
    ),
    Guard(
        "falcosidekick.config.customfields",
        lambda v, s: not s["custom_fields"] or not v,
        "It would take the place of falco_custom_fields.",
        "Put all of them there.",
    ),
    Guard(
        "falcosidekick.config.templatedfields",
        lambda v, s: not s["templated_fields"] or not v,
        "It would take the place of falco_templated_fields.",
        "Put all of them there.",
    ),
    Guard(
        "falcosidekick.config.tlsserver.deploy",
        lambda v, s: v is (s["sidekick_tls"] != "off"),
        "Falco must know whether it sends by TLS.",
        "Use falco_sidekick_tls.",
    ),
    Guard(
        "falcosidekick.config.tlsserver.existingSecret",
        _as("sidekick_tls_secret"),
        "Falco must trust who signed it.",
        "Use falco_sidekick_tls_secret.",
    ),
    Guard(
        "falcosidekick.webui.enabled",
        _as("ui_enabled"),
        "The role makes its Secret, its volumes and waits for it.",
        "Use falco_ui_enabled.",
    ),
    Guard(
        "falcosidekick.webui.existingSecret",
        _as("ui_existing_secret"),
        "The role makes the Secret that this names.",
        "Use falco_ui_user and falco_ui_password.",
    ),
    Guard(
        "falcosidekick.webui.service.type",
        lambda v, s: v == {"node_port": "NodePort", "load_balancer": "LoadBalancer"}.get(s["ui_exposure"], "ClusterIP"),
        "Preflight, policies and the way that is told at the end follow the variable.",
        "Use falco_ui_exposure.",
    ),
    Guard(
        "falcosidekick.webui.service.nodePort",
        lambda v, s: v == s["ui_node_port"] or s["ui_exposure"] != "node_port",
        "Preflight sees whether the variable's port is free.",
        "Use falco_ui_node_port.",
    ),
    Guard("falcosidekick.webui.service.port", _port(UI_PORT), _PORT, f"Leave {UI_PORT}."),
    Guard("falcosidekick.webui.service.targetPort", _port(UI_PORT), _PORT, f"Leave {UI_PORT}."),
    Guard(
        "falcosidekick.webui.ingress.enabled",
        lambda v, s: v is (s["ui_exposure"] == "ingress"),
        "Policies and the way that is told at the end follow the variable.",
        "Use falco_ui_exposure: ingress and falco_ui_ingress.",
    ),
    Guard(
        "falcosidekick.webui.externalRedis.enabled",
        lambda v, s: v is bool(s["redis_external"]),
        _CLAIM,
        "Use falco_redis_external.",
    ),
    Guard(
        "falcosidekick.webui.externalRedis.url",
        lambda v, s: not v or v == s["redis_external"].get("host"),
        _CLAIM,
        "Use falco_redis_external.",
    ),
    Guard(
        "falcosidekick.webui.redis.enabled",
        lambda v, s: v is not bool(s["redis_external"]),
        _CLAIM,
        "Use falco_redis_external.",
    ),
    Guard(
        "falcosidekick.webui.redis.existingSecret", _as("redis_existing_secret"), _CLAIM, "Use falco_redis_password."
    ),
    Guard(
        "falcosidekick.webui.redis.storageEnabled",
        lambda v, s: v is (s["redis_storage"] != "none"),
        _CLAIM,
        "Use falco_redis_storage.",
    ),
    Guard(
        "falcosidekick.webui.redis.storageClass",
        _as("redis_storage_class"),
        _CLAIM,
        "Use falco_redis_storage and falco_redis_storage_class.",
    ),
    Guard("falcosidekick.webui.redis.storageSize", _as("redis_storage_size"), _CLAIM, "Use falco_redis_storage_size."),
    Guard("falcosidekick.webui.redis.service.port", _port(REDIS_PORT), _PORT, f"Leave {REDIS_PORT}."),
    Guard("falcosidekick.webui.redis.service.targetPort", _port(REDIS_PORT), _PORT, f"Leave {REDIS_PORT}."),
    Guard("k8s-metacollector.nameOverride", _is("", None, "k8s-metacollector"), _LABEL, "Leave it."),
    Guard("k8s-metacollector.namespaceOverride", _is("", None), _NAMES, "Use falco_namespace."),
)
_OPTION = re.compile(r"(?:-o|--option)[ =]?([\w.]+)=(\S*)")
_WORDS = {"true": True, "false": False}


def undone(extra: Mapping[str, Any], settings: Settings, variable: str = "falco_extra_values") -> Iterator[Problem]:
    """What further values would undo.

    Args:
      extra: the further values.
      settings: all settings of the role.
      variable: how messages call the further values.
    """
    for guard in GUARDS:
        given, value = _find(extra, guard.path.split("."))
        if given and not guard.may(value, settings):
            yield Problem(f"{variable}.{guard.path}", f"is not for you to set so. {guard.why}", guard.instead)
    yield from _by_arguments(extra, settings, variable)
    if "customRules" in extra and settings["own_rules_config_maps"]:
        hint = f"Give the rules to the role falco_rules: both would mount {OWN_RULES_DIRECTORY}."
        yield Problem(f"{variable}.customRules", "cannot be combined with the role falco_rules.", hint)


def _by_arguments(extra: Mapping[str, Any], settings: Settings, variable: str) -> Iterator[Problem]:
    """The same, given to Falco as ``-o key=value``, which wins over its configuration."""
    _given, arguments = _find(extra, ["extra", "args"])
    line = " ".join(str(argument) for argument in arguments) if isinstance(arguments, list) else ""
    for key, text in _OPTION.findall(line):
        value = _WORDS.get(text, int(text) if text.isdigit() else text)
        for guard in GUARDS:
            if guard.path == f"falco.{key}" and not guard.may(value, settings):
                where = f"{variable}.extra.args"
                yield Problem(where, f"holds -o {key}, which is not for you to set so. {guard.why}", guard.instead)


def _find(tree: Any, keys: list[str]) -> tuple[bool, Any]:
    for key in keys:
        if not isinstance(tree, Mapping) or key not in tree:
            return False, None
        tree = tree[key]
    return True, tree
