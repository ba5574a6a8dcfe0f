# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets among further values: Helm keeps its values readable in each revision, so none may be there.

Known places come first (outputs of Falcosidekick, passwords, keys of certificates), each with the variable that takes
the secret; then names and forms of secrets anywhere. Messages name the place, never what is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .output_settings import OUTPUT_VARIABLES
from .outputs import CHART_SETTINGS
from .problems import Problem

#: Values of the chart that are secrets or hold one, and what takes them.
PLACES: dict[str, str] = {
    "certs.server.key": "Use falco_sidekick_tls, or falco_sidekick_tls_secret for certificates of your own.",
    "certs.client.key": "Use falco_sidekick_tls, or falco_sidekick_tls_client_secret for certificates of your own.",
    "falcosidekick.config.tlsserver.serverkey": "Use falco_sidekick_tls, or falco_sidekick_tls_secret for your own.",
    "falcosidekick.webui.user": "Use falco_ui_user and falco_ui_password.",
    "falcosidekick.webui.redis.password": "Use falco_redis_password.",
    "falcosidekick.webui.externalRedis.password": "Use falco_redis_password, with falco_redis_external.",
}
_READABLE = "is a secret, and Helm's values would keep it readable."
_NAME = re.compile(
    r"(password|passwd|passphrase|token|apikey|secretkey|accesskey|privatekey|clientsecret|routingkey|webhookurl|jwt)$"
)
_FORMS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    re.compile(r"://[^/\s:@]+:[^/\s@]+@"),  # a user and a password in a URL
    re.compile(r"hooks\.slack\.com/(services|workflows)/\w"),
    re.compile(r"discord(app)?\.com/api/webhooks/\w"),
    re.compile(r"webhook\.office\.com/webhookb2/\w"),
    re.compile(r"\bxox[abpr]-\w"),
    re.compile(r"\b\d{6,}:[A-Za-z0-9_-]{30,}"),  # a Telegram bot's token
    re.compile(r"(?i)\bbearer\s+[\w.~+/=-]{8,}"),
)
#: What stands for a value that comes from elsewhere: Falco's environment, or what a template of Helm reads.
_REFERENCE = re.compile(r"\$\{\w+\}|\{\{.*\}\}")


def output_of_variable() -> dict[str, str]:
    """Variable of Falcosidekick's environment to the output and setting that it carries."""
    found = {}
    for output, settings in OUTPUT_VARIABLES.items():
        for setting, variable in settings.items():
            found[variable] = f"{output}.{setting}"
            found[f"{output}_{setting}".upper().replace(".", "_")] = f"{output}.{setting}"
    return found


def is_secret(key: str, value: Any) -> bool:
    """Whether a value is a secret by the name of its key, or by its form. A password without quotes may be a number."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value or _REFERENCE.fullmatch(value):
        return False
    plain = re.sub(r"[-_.]", "", key.lower())
    return bool(_NAME.search(plain)) or any(form.search(value) for form in _FORMS)


def output_setting(path: str) -> str:
    """The output and its setting (``slack.webhookurl``) that a value's path below ``falcosidekick.config`` holds.

    Empty where it is none, or one that the chart itself reads and nobody need hide.
    """
    output, _dot, setting = path.partition(".")
    if setting in CHART_SETTINGS.get(output, {}) or output not in OUTPUT_VARIABLES:
        return ""
    return path if setting in OUTPUT_VARIABLES[output] or is_secret(setting, "x") else ""


def wrong_secrets(extra: Mapping[str, Any], variable: str = "falco_extra_values") -> Iterator[Problem]:
    """Secrets and settings of outputs among further values, each with the variable that takes it.

    Args:
      extra: the further values.
      variable: how messages call them.
    """
    for path, key, value in leaves(extra):
        where = f"{variable}.{path}"
        below = path[len("falcosidekick.config.") :] if path.startswith("falcosidekick.config.") else ""
        if value in (None, "", False):
            continue
        if path in PLACES:
            yield Problem(where, _READABLE, PLACES[path])
        elif output_setting(below):
            hint = f"Use falco_outputs.{below}, which goes into a Secret, with all else of that output."
            yield Problem(where, "is a setting of an output, and Helm's values would keep it readable.", hint)
        elif is_secret(key, value):
            yield Problem(where, _READABLE, _other_way(path))
    yield from _in_environment(extra, variable)


def leaves(node: Any, path: str = "", key: str = "") -> Iterator[tuple[str, str, Any]]:
    """Dotted path, last key and value of everything that is no mapping and no list."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from leaves(value, f"{path}.{name}" if path else str(name), str(name))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from leaves(value, f"{path}[{index}]", key)
    else:
        yield path, key, node


def _in_environment(extra: Mapping[str, Any], variable: str) -> Iterator[Problem]:
    """Secrets given to containers as variables, by their value instead of a reference."""
    known = output_of_variable()
    for path, entries in _environments(extra):
        for index, entry in enumerate(entries):
            name, value = (entry.get("name"), entry.get("value")) if isinstance(entry, Mapping) else (None, None)
            if not name or value in (None, ""):
                continue
            where = f"{variable}.{path}[{index}] ({name})"
            if str(name) in known and path.startswith("falcosidekick."):
                hint = f"Use falco_outputs.{known[str(name)]}, which goes into a Secret."
                yield Problem(where, "is a setting of an output, and Helm's values would keep it readable.", hint)
            elif is_secret(str(name), value) and not is_secret("value", value):
                yield Problem(where, _READABLE, "Use valueFrom.secretKeyRef.")


def _environments(node: Any, path: str = "") -> Iterator[tuple[str, list[Any]]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            where = f"{path}.{key}" if path else str(key)
            if isinstance(value, list) and str(key).lower() in ("env", "extraenv", "extraenvvars"):
                yield where, value
            else:
                yield from _environments(value, where)


def _other_way(path: str) -> str:
    if path.startswith("falco."):
        return (
            "Write '${NAME}' there, and set NAME in extra.env by valueFrom.secretKeyRef: Falco reads its environment."
        )
    if re.search(r"(?i)env\[\d+\]\.value$", path):
        return "Use valueFrom.secretKeyRef."
    return "Put it into a Secret of yours and let the value name that."
