# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The channel to a rulebook of Event-Driven Ansible: one variable for an output, its token, and its certificates.

ansible-rulebook's webhook takes what Falcosidekick posts by the outputs that leave the alert as it is, and asks for a
bearer token, or for a certificate (https://ansible.readthedocs.io/projects/rulebook/en/latest/sources.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .outputs import PRIORITIES
from .problems import FalcoChartError, Problem, kind_of, nearest

#: Keys of the variable, with their types.
ENTRY: dict[str, type] = {
    "address": str,
    "token": str,
    "mutual_tls": bool,
    "tls_secret": str,
    "minimum_priority": str,
}
#: Where the Secret with certificates is mounted in Falcosidekick.
CERTIFICATES = "/etc/certs/rulebook"
#: The outputs that carry a token, and their setting for headers.
_WITH_HEADERS = {"webhook": "customHeaders", "nodered": "customheaders"}
#: Falcosidekick splits headers at commas and colons; what RFC 6750 calls a token has none.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_ADDRESS = re.compile(r"https://[^\s/]+")


def with_rulebook(variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """The variables with the output that posts to the rulebook among ``outputs``.

    Args:
      variables: the role's without their prefix ``falco_``.
    Raises:
      FalcoChartError: everything that is wrong with ``falco_rulebook``. Messages hold no token.
    """
    entry = variables.get("rulebook") or {}
    if not entry:
        return variables
    problems = list(_wrong(entry, variables))
    if problems:
        raise FalcoChartError(problems)
    output = _free(entry, variables["outputs"])
    settings: dict[str, Any] = {"address": entry["address"]}
    if entry.get("token"):
        settings[_WITH_HEADERS[output]] = f"Authorization:Bearer {entry['token']}"
    if entry.get("mutual_tls"):
        settings["mutualtls"] = True
    if entry.get("minimum_priority"):
        settings["minimumpriority"] = entry["minimum_priority"].lower()
    return {**variables, "outputs": {**variables["outputs"], output: settings}}


def _free(entry: Mapping[str, Any], outputs: Mapping[str, Any]) -> str:
    """The output for it; empty if there is none. A certificate of its own is a setting of webhook alone."""
    usable = ("webhook",) if entry.get("mutual_tls") else _WITH_HEADERS
    return next((one for one in usable if one not in outputs), "")


def _wrong(entry: Any, variables: Mapping[str, Any]) -> Iterator[Problem]:
    if not isinstance(entry, Mapping):
        yield Problem("falco_rulebook", f"must be a mapping with address and token, not {kind_of(entry)}.")
        return
    types = list(_wrong_types(entry))
    yield from types
    if types:
        return
    yield from _wrong_values(entry)
    if not variables["sidekick_enabled"]:
        yield Problem("falco_rulebook", "needs Falcosidekick.", "Set falco_sidekick_enabled: true.")
    if variables["outputs_existing_secret"]:
        hint = "Put WEBHOOK_ADDRESS and WEBHOOK_CUSTOMHEADERS (Authorization:Bearer <token>) into that Secret."
        yield Problem("falco_rulebook", "and falco_outputs_existing_secret are both set.", hint)
    if not _free(entry, variables["outputs"]):
        hint = "Give that one to a further instance (falco_sidekick_more)."
        yield Problem("falco_rulebook", f"needs {_needed(entry)}, which has a destination of its own.", hint)
    if entry.get("tls_secret") and variables["sidekick_more"] and variables["sidekick_tls"] != "off":
        yield Problem(
            "falco_rulebook.tls_secret",
            "cannot stand beside falco_sidekick_more with falco_sidekick_tls: one further CA is all it trusts.",
            "Give the rulebook a certificate of a CA that the image trusts.",
        )


def _needed(entry: Mapping[str, Any]) -> str:
    return "the output webhook" if entry.get("mutual_tls") else "one of the outputs webhook and nodered"


def _wrong_types(entry: Mapping[str, Any]) -> Iterator[Problem]:
    for key, value in entry.items():
        if key not in ENTRY:
            close = nearest(str(key), ENTRY)
            hint = f"Did you mean {close}?" if close else f"It has: {', '.join(ENTRY)}."
            yield Problem(f"falco_rulebook.{key}", "is unknown.", hint)
        elif not isinstance(value, ENTRY[key]):
            yield Problem(f"falco_rulebook.{key}", f"must be of type {ENTRY[key].__name__}, not {kind_of(value)}.")


def _wrong_values(entry: Mapping[str, Any]) -> Iterator[Problem]:
    if not _ADDRESS.match(entry.get("address", "")):
        yield Problem("falco_rulebook.address", "must be an https:// URL: alerts and the token would be readable else.")
    if not entry.get("token") and not entry.get("mutual_tls"):
        hint = "Whoever reaches an address without could start responses."
        yield Problem("falco_rulebook", "needs a token, mutual_tls, or both.", hint)
    if entry.get("token") and not _TOKEN.fullmatch(entry["token"]):
        yield Problem(
            "falco_rulebook.token",
            "must be letters, digits and . _ ~ + / - alone (its text is not shown).",
            "Falcosidekick splits headers at commas and colons.",
        )
    if entry.get("mutual_tls") and not entry.get("tls_secret"):
        hint = "The Secret with client.crt, client.key and ca.crt."
        yield Problem("falco_rulebook.tls_secret", "is missing, and mutual_tls needs it.", hint)
    priority = entry.get("minimum_priority", "")
    if priority and priority.lower() not in PRIORITIES:
        close = nearest(priority, PRIORITIES)
        hint = f"Did you mean {close}?" if close else f"It must be one of {', '.join(PRIORITIES)}."
        yield Problem("falco_rulebook.minimum_priority", f"is no priority: {priority!r}.", hint)


def trust_rulebook(values: dict[str, Any], entry: Mapping[str, Any]) -> None:
    """Mount the Secret with certificates in Falcosidekick, and let its outputs use them.

    Args:
      values: under ``falcosidekick``, changed here.
      entry: the variable, right.
    """
    if not entry.get("tls_secret"):
        return
    config = values["config"]
    config["tlsclient"] = {"cacertfile": f"{CERTIFICATES}/ca.crt"}
    if entry.get("mutual_tls"):
        config["mutualtlsclient"] = {
            "certfile": f"{CERTIFICATES}/client.crt",
            "keyfile": f"{CERTIFICATES}/client.key",
            "cacertfile": f"{CERTIFICATES}/ca.crt",
        }
    secret = {"secretName": entry["tls_secret"]}
    mount = {"name": "rulebook-certs", "mountPath": CERTIFICATES, "readOnly": True}
    values.setdefault("extraVolumes", []).append({"name": "rulebook-certs", "secret": secret})
    values.setdefault("extraVolumeMounts", []).append(mount)
