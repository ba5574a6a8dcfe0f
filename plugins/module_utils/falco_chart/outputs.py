# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Falcosidekick's outputs: settings checked and turned into the environment variables of one Secret.

Names are Falcosidekick's own (https://github.com/falcosecurity/falcosidekick#outputs). Whatever has a variable goes to
the Secret, secret or not, so that no list of secret names has to be complete; the few settings that the chart itself
reads go to its values.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .output_settings import OUTPUT_VARIABLES
from .problems import FalcoChartError, Problem, kind_of, nearest

PRIORITIES = ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug")

#: Settings that the chart reads itself (service account annotations, RBAC, dashboards): no secrets among them.
CHART_SETTINGS: dict[str, dict[str, type]] = {
    "aws": {"useirsa": bool, "rolearn": str, "externalid": str},
    "azure": {
        "subscriptionID": str,
        "resourceGroupName": str,
        "podIdentityClientID": str,
        "podIdentityName": str,
        "workloadIdentityClientID": str,
    },
    "gcp": {"workloadIdentityServiceAccount": str},
    "loki": {"grafanaDashboard": dict},
    "otlp": {"traces.extraenvvars": list, "metrics.extraenvvars": list},
    "policyreport": {"enabled": bool},
}
#: Settings without which an output does nothing, for the outputs that are checked first-class.
REQUIRED = {
    "slack": ("webhookurl",),
    "telegram": ("token", "chatid"),
    "pagerduty": ("routingkey",),
    "teams": ("webhookurl",),
    "discord": ("webhookurl",),
    "smtp": ("hostport", "from", "to"),
    "webhook": ("address",),
    "elasticsearch": ("hostport",),
    "loki": ("hostport",),
    "alertmanager": ("hostport",),
    "mattermost": ("webhookurl",),
    "rocketchat": ("webhookurl",),
    "googlechat": ("webhookurl",),
    "opsgenie": ("apikey",),
    "datadog": ("apikey",),
    "gotify": ("hostport", "token"),
    "kafka": ("hostport", "topic"),
    "splunk": ("host", "token"),
}
#: What users call an output, and what Falcosidekick calls it.
OTHER_NAMES = {
    "email": "smtp",
    "mail": "smtp",
    "msteams": "teams",
    "microsoftteams": "teams",
    "elastic": "elasticsearch",
    "opensearch": "elasticsearch",
    "pushgateway": "prometheus",
}
_URL = re.compile(r"https?://[^\s/]+")
_TELEGRAM_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")
_TELEGRAM_CHAT = re.compile(r"-?\d+|@\w+")


@dataclass(frozen=True)
class Outputs:
    """Settings of outputs, split by where they live.

    Attributes:
      secret: environment variable to value, for a Secret.
      values: ``falcosidekick.config`` of the chart's values; holds nothing secret.
    """

    secret: Mapping[str, str]
    values: Mapping[str, Any]


def build_outputs(outputs: Mapping[str, Any], variable: str = "falco_outputs") -> Outputs:
    """Check the outputs and split them into the Secret's variables and the chart's values.

    Args:
      outputs: output name to its settings, nested as in Falcosidekick's configuration.
      variable: how messages call the mapping.
    Raises:
      FalcoChartError: an unknown output or setting, a missing one, one of the wrong form. Messages hold no setting.
    """
    problems: list[Problem] = []
    secret: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, settings in outputs.items():
        path = f"{variable}.{name}"
        if name not in OUTPUT_VARIABLES:
            problems.append(Problem(path, "Falcosidekick has no such output.", _suggest_output(name)))
            continue
        if not isinstance(settings, Mapping):
            problems.append(Problem(path, f"must be a mapping of settings, not {kind_of(settings)}."))
            continue
        flat = dict(_flatten(settings, CHART_SETTINGS.get(name, {})))
        problems += _check_output(name, flat, path)
        for setting, value in flat.items():
            if setting in CHART_SETTINGS.get(name, {}):
                _put(values.setdefault(name, {}), setting, value)
            elif setting in OUTPUT_VARIABLES[name]:
                for target in _variables(name, setting):
                    secret[target] = _text(value)
    if problems:
        raise FalcoChartError(problems)
    return Outputs(secret, values)


def fingerprint(data: Mapping[str, str], salt: str) -> str:
    """A digest of secret data for a pod annotation: it changes when the data do, and is slow to guess backwards.

    PBKDF2, so that who may read Deployments but not Secrets cannot try out short passwords at speed.
    """
    text = json.dumps(dict(data), sort_keys=True).encode()
    return hashlib.pbkdf2_hmac("sha256", text, salt.encode(), 100_000).hex()[:32]


def _check_output(name: str, flat: Mapping[str, Any], path: str) -> Iterator[Problem]:
    known = {*OUTPUT_VARIABLES[name], *CHART_SETTINGS.get(name, {})}
    for setting, value in flat.items():
        where = f"{path}.{setting}"
        if setting not in known:
            close = nearest(setting, known)
            hint = f"Did you mean {close}?" if close else f"It has: {', '.join(sorted(known))}."
            yield Problem(where, f"{name} has no such setting.", hint)
        elif setting in CHART_SETTINGS.get(name, {}):
            wanted = CHART_SETTINGS[name][setting]
            if not isinstance(value, wanted):
                yield Problem(where, f"must be a {wanted.__name__}, not {kind_of(value)}.")
        else:
            yield from _check_setting(name, setting, value, where)
    for setting in REQUIRED.get(name, ()):
        if not _text(flat.get(setting, "")).strip():
            yield Problem(f"{path}.{setting}", f"is missing; without it {name} sends nothing.")


def _check_setting(output: str, setting: str, value: Any, where: str) -> Iterator[Problem]:
    last = setting.rsplit(".", 1)[-1]
    if isinstance(value, (Mapping, list)) or value is None:
        yield Problem(where, f"must be a string, number or boolean, not {kind_of(value)}.")
    elif last == "minimumpriority" and value and str(value).lower() not in PRIORITIES:
        close = nearest(str(value), PRIORITIES)
        yield Problem(where, f"is no priority: {value!r}.", f"Did you mean {close}?" if close else _one_of(PRIORITIES))
    elif last in ("checkcert", "mutualtls", "tls") and not isinstance(value, bool):
        yield Problem(where, f"must be true or false, not {kind_of(value)}.")
    elif last == "webhookurl" and value and not _URL.match(str(value)):
        yield Problem(where, "must be an http:// or https:// URL (its text is not shown: it is a secret).")
    elif last == "hostport" and output in ("elasticsearch", "loki", "alertmanager") and not _URL.match(str(value)):
        yield Problem(where, "must be a URL such as http://loki.monitoring:3100.")
    elif (output, setting) == ("webhook", "address") and not _URL.match(str(value)):
        yield Problem(where, "must be an http:// or https:// URL (its text is not shown: it may hold a secret).")
    elif (output, setting) == ("telegram", "token") and not _TELEGRAM_TOKEN.fullmatch(str(value)):
        yield Problem(where, "is no bot token: BotFather's look like 123456:ABC-def (its text is not shown).")
    elif (output, setting) == ("telegram", "chatid") and not _TELEGRAM_CHAT.fullmatch(str(value)):
        yield Problem(where, "must be a chat's number (negative for groups) or @channelname.")


def _suggest_output(name: str) -> str:
    plain = re.sub(r"[-_ ]", "", name.lower())
    close = OTHER_NAMES.get(plain) or nearest(name, OUTPUT_VARIABLES)
    return f"Did you mean {close}?" if close else f"It has: {', '.join(OUTPUT_VARIABLES)}."


def _variables(output: str, setting: str) -> list[str]:
    """The variable that the chart sets, and the one by Falcosidekick's own rule (capitals) where they differ."""
    by_chart = OUTPUT_VARIABLES[output][setting]
    by_rule = f"{output}_{setting}".upper().replace(".", "_")
    return [by_chart] if by_chart == by_rule else [by_chart, by_rule]


def _flatten(settings: Mapping[str, Any], whole: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, Mapping) and dotted not in whole:
            yield from _flatten(value, whole, f"{dotted}.")
        else:
            yield dotted, value


def _put(tree: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    for parent in parents:
        tree = tree.setdefault(parent, {})
    tree[last] = value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _one_of(choices: tuple[str, ...]) -> str:
    return f"It must be one of {', '.join(choices)}."
