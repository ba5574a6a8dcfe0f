# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of Falcosidekick, its UI and its Redis, whose secrets go to the vault's variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..output_settings import OUTPUT_VARIABLES
from ..outputs import CHART_SETTINGS, build_outputs
from ..problems import FalcoChartError, kind_of, nearest
from ..secret_values import output_of_variable
from .taking import ABSENT, Taking, entries, given

_CONFIG = "falcosidekick.config"
_UI = "falcosidekick.webui"
#: Settings of outputs that are no secret, by their last key: everything else goes to the vault.
_PLAIN = {
    "checkcert", "channel", "chatid", "database", "enabled", "footer", "format", "from", "icon", "index", "interval",
    "messageformat", "minimumpriority", "mutualtls", "namespace", "outputformat", "port", "prefix", "protocol",
    "region", "service", "suffix", "tls", "to", "topic", "type", "useemoji", "username", "hostport", "host", "bucket",
    "endpoint", "customseveritymap", "expireafter", "extralabels", "extraannotations", "streamname", "name", "tenant",
}  # fmt: skip


def take_sidekick(taking: Taking) -> None:
    """Turns what the chart has for Falcosidekick into variables."""
    enabled = taking.take("falcosidekick.enabled") is True
    taking.set("falco_sidekick_enabled", enabled)
    if not enabled:
        left = taking.take("falcosidekick")
        if left is not ABSENT and left:
            taking.leave("falcosidekick", left, "was off, and so was all that is set for it; it was left out.")
        return
    taking.move("falcosidekick.replicaCount", "falco_sidekick_replicas")
    taking.move("falcosidekick.resources", "falco_sidekick_resources")
    existing = taking.take(f"{_CONFIG}.existingSecret")
    _outputs(taking)
    if given(existing):
        _existing(taking, str(existing))
    for path, variable in (("customfields", "falco_custom_fields"), ("templatedfields", "falco_templated_fields")):
        _fields(taking, f"{_CONFIG}.{path}", variable)
    if taking.look("falco.http_output") is not ABSENT:
        taking.take("falco.http_output.enabled")
        if given(taking.take("falco.http_output.url")):
            taking.note("falco.http_output", "is set by the role: Falco sends to the Falcosidekick that comes with it.")
    _ui(taking)


def _existing(taking: Taking, name: str) -> None:
    if "falco_outputs" in taking.variables:
        hint = f"Take its outputs into falco_outputs, or put these into the Secret {name} and name it."
        taking.note(
            f"{_CONFIG}.existingSecret", f"is {name}, beside outputs in the values; the role has one place.", hint
        )
    else:
        taking.set("falco_outputs_existing_secret", name)


def _outputs(taking: Taking) -> None:
    outputs: dict[str, Any] = {}
    for name in sorted(OUTPUT_VARIABLES):
        settings = taking.take(f"{_CONFIG}.{name}")
        if isinstance(settings, Mapping):
            kept = _settings(name, settings)
            if kept and all(path in CHART_SETTINGS.get(name, {}) for path, _key, _value in _flat(name, kept)):
                _put(taking.rest, [*_CONFIG.split("."), name], kept)  # what the chart itself reads, beside a Secret
            elif kept:
                outputs[name] = _known(taking, name, kept)
        elif given(settings):
            message = f"must be a mapping of settings, not {kind_of(settings)}; it was left out."
            taking.leave(f"{_CONFIG}.{name}", settings, message)
    for entry, setting in _from_environment(taking):
        taking.note(f"{_CONFIG}.extraEnv", f"had {entry['name']}, which is falco_outputs.{setting} now.")
        output, _dot, inner = setting.partition(".")
        _put(outputs.setdefault(output, {}), inner.split("."), entry["value"])
    wanted = {}
    for name, settings in outputs.items():
        if _complete(taking, name, settings):
            wanted[name] = _hidden(taking, name, settings)
    if wanted:
        taking.set("falco_outputs", wanted)


def _settings(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What is set of an output: not what is empty, as all is in the chart's defaults."""
    kept: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping) and not _is_whole(name, str(key)):
            inner = _settings(name, value)
            if inner:
                kept[str(key)] = inner
        elif given(value):
            kept[str(key)] = value
    return kept


def _is_whole(name: str, key: str) -> bool:
    return CHART_SETTINGS.get(name, {}).get(key) is dict


def _known(taking: Taking, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings by Falcosidekick's own names; those that it does not have are told and kept for a reader."""
    known = {*OUTPUT_VARIABLES[name], *CHART_SETTINGS.get(name, {})}
    found: dict[str, Any] = {}
    for path, _key, value in _flat(name, settings):
        right = path if path in known else next((k for k in known if k.lower() == path.lower()), "")
        if right:
            _put(found, right.split("."), value)
            if right != path:
                taking.note(f"{_CONFIG}.{name}.{path}", f"is {right}; Falcosidekick did not read it.")
        else:
            close = nearest(path, known)
            hint = f"Did you mean {close}?" if close else ""
            taking.leave(f"{_CONFIG}.{name}.{path}", value, f"is no setting of {name}; it was left out.", hint)
    return found


def _flat(name: str, settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str, Any]]:
    found = []
    for key, value in settings.items():
        if isinstance(value, Mapping) and not _is_whole(name, f"{prefix}{key}"):
            found += _flat(name, value, f"{prefix}{key}.")
        else:
            found.append((f"{prefix}{key}", str(key), value))
    return found


def _complete(taking: Taking, name: str, settings: Mapping[str, Any]) -> bool:
    """Whether the role would take this output; if not, it sent nothing before, or is told what is wrong with it."""
    try:
        build_outputs({name: settings})
    except FalcoChartError as error:
        for path, _key, value in _flat(name, settings):
            taking.left_out[f"{_CONFIG}.{name}.{path}"] = value
        for problem in error.problems:
            where = problem.path.replace("falco_outputs", _CONFIG)
            taking.note(where, f"{problem.message} The output was left out.", problem.hint)
        return False
    return True


def _hidden(taking: Taking, name: str, settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The settings with all that may be a secret replaced by a variable of the vault."""
    shown: dict[str, Any] = {}
    for key, value in settings.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and not _is_whole(name, path):
            shown[key] = _hidden(taking, name, value, f"{path}.")
        elif path in CHART_SETTINGS.get(name, {}) or not isinstance(value, str) or _may_be_read(str(key), value):
            shown[key] = value
        else:
            shown[key] = taking.hide(f"{name}_{path}", value)
    return shown


def _may_be_read(key: str, value: str) -> bool:
    return key in ("from", "to") or (key.lower() in _PLAIN and not re.search(r"[@?]", value))


def _from_environment(taking: Taking) -> list[tuple[dict[str, Any], str]]:
    """Variables of outputs among extraEnv; what refers to a Secret, and all else, stays."""
    variables = taking.look(f"{_CONFIG}.extraEnv")
    known = output_of_variable()
    found = []
    for entry in list(variables) if isinstance(variables, list) else []:
        name = str(entry.get("name")) if isinstance(entry, Mapping) else ""
        if name in known and given(entry.get("value", ABSENT)):
            found.append((dict(entry), known[name]))
            variables.remove(entry)
    if isinstance(variables, list) and not variables:
        taking.take(f"{_CONFIG}.extraEnv")
    return found


def _put(tree: dict[str, Any], keys: list[str], value: Any) -> None:
    *parents, last = keys
    for key in parents:
        tree = tree.setdefault(key, {})
    tree[last] = value


def _fields(taking: Taking, path: str, variable: str) -> None:
    """Falcosidekick's ``key:value,key:value`` as a mapping."""
    text = taking.take(path)
    if not given(text):
        return
    pairs = [pair.partition(":") for pair in str(text).split(",")]
    if isinstance(text, str) and all(colon and key.strip() for key, colon, _value in pairs):
        taking.set(variable, {key.strip(): value for key, _colon, value in pairs})
    else:
        taking.leave(path, text, "has another form than key:value,key:value; it was left out.")


def _ui(taking: Taking) -> None:
    enabled = taking.take(f"{_UI}.enabled") is True
    taking.set("falco_ui_enabled", enabled)
    if not enabled:
        left = taking.take(_UI)
        if left is not ABSENT and left:
            taking.leave(_UI, left, "was off, and so was all that is set for it; it was left out.")
        return
    taking.move(f"{_UI}.replicaCount", "falco_ui_replicas")
    ttl = taking.take(f"{_UI}.ttl")
    if given(ttl) and ttl not in (0, "0"):
        taking.set("falco_ui_ttl", str(ttl))
    user = taking.take(f"{_UI}.user")
    if given(user):
        name, _colon, password = str(user).partition(":")
        if (name, password) == ("admin", "admin"):
            taking.note(f"{_UI}.user", "was the chart's default login; the role makes a password of its own.")
        else:
            if name:
                taking.set("falco_ui_user", name)
            if password:
                taking.set("falco_ui_password", taking.hide("ui_password", password))
            else:
                taking.note(f"{_UI}.user", "has no password; the role makes one.", "It is written user:password.")
    if given(taking.take(f"{_UI}.existingSecret")):
        hint = "Take the login from there into falco_ui_user and falco_ui_password, or let the role make one."
        taking.note(f"{_UI}.existingSecret", "is a Secret that the role does not read; it makes its own.", hint)
    _exposure(taking)
    _redis(taking)


def _exposure(taking: Taking) -> None:
    kind = taking.take(f"{_UI}.service.type")
    exposure = {"NodePort": "node_port", "LoadBalancer": "load_balancer"}.get(str(kind), "cluster_ip")
    port = taking.take(f"{_UI}.service.nodePort")
    if exposure == "node_port":
        taking.set("falco_ui_node_port", port if given(port) else 30282)
    if taking.take(f"{_UI}.ingress.enabled") is True:
        given_ingress = taking.take(f"{_UI}.ingress")
        ingress = _ingress(taking, given_ingress if isinstance(given_ingress, Mapping) else {})
        if ingress.get("host"):
            exposure = "ingress"
            taking.set("falco_ui_ingress", ingress)
        else:
            hint = "The role makes none without: give falco_ui_ingress a host, and set falco_ui_exposure: ingress."
            taking.note(f"{_UI}.ingress", "has no host of its own.", hint)
    else:
        taking.take(f"{_UI}.ingress")
    taking.set("falco_ui_exposure", exposure)


def _ingress(taking: Taking, ingress: Mapping[str, Any]) -> dict[str, Any]:
    hosts = entries(ingress.get("hosts")) or [{}]
    first = hosts[0] if isinstance(hosts[0], Mapping) else {"host": hosts[0]}
    paths = entries(first.get("paths")) or ["/"]
    path = paths[0].get("path", "/") if isinstance(paths[0], Mapping) else paths[0]
    annotations = dict(ingress["annotations"]) if isinstance(ingress.get("annotations"), Mapping) else {}
    secrets = [entry.get("secretName") for entry in entries(ingress.get("tls")) if isinstance(entry, Mapping)]
    found = {
        "host": first.get("host", ""),
        "class": ingress.get("ingressClassName") or annotations.pop("kubernetes.io/ingress.class", ""),
        "path": "" if path == "/" else path,
        "annotations": annotations,
        "tls_secret": secrets[0] if secrets else "",
    }
    if len(hosts) > 1 or len(paths) > 1:
        taking.note(f"{_UI}.ingress.hosts", "has several hosts or paths; the first is taken.")
    return {key: value for key, value in found.items() if value}


def _redis(taking: Taking) -> None:
    external = taking.take(f"{_UI}.externalRedis.enabled") is True
    url, port = taking.take(f"{_UI}.externalRedis.url"), taking.take(f"{_UI}.externalRedis.port")
    if external and given(url):
        taking.set("falco_redis_external", {"host": str(url), **({"port": port} if given(port) else {})})
        _password(taking, f"{_UI}.externalRedis.password")
        taking.take(f"{_UI}.redis")
        return
    if external:
        hint = "Name it in falco_redis_external; without, the role sets up one of its own."
        taking.note(f"{_UI}.externalRedis", "is on and names no Redis.", hint)
    taking.take(f"{_UI}.externalRedis")
    taking.take(f"{_UI}.redis.enabled")
    if taking.take(f"{_UI}.redis.storageEnabled") is False:
        taking.set("falco_redis_storage", "none")
    taking.move(f"{_UI}.redis.storageClass", "falco_redis_storage_class")
    taking.move(f"{_UI}.redis.storageSize", "falco_redis_storage_size")
    taking.move(f"{_UI}.redis.resources", "falco_redis_resources")
    _password(taking, f"{_UI}.redis.password")
    if given(taking.take(f"{_UI}.redis.existingSecret")):
        hint = "Take the password from there into falco_redis_password, or let the role make one."
        taking.note(f"{_UI}.redis.existingSecret", "is a Secret that the role does not read; it makes its own.", hint)


def _password(taking: Taking, path: str) -> None:
    password = taking.take(path)
    if given(password):
        taking.set("falco_redis_password", taking.hide("redis_password", str(password)))
