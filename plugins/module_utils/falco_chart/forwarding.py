# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Further Falcosidekicks, fed by the first: one has each output once, so a second Slack channel is a second instance.

The first hands alerts on by outputs of its own whose message is Falco's alert as it came, which is what a Falcosidekick
takes (https://github.com/falcosecurity/falcosidekick, outputs/webhook.go, nodered.go, tekton.go, n8n.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .output_settings import OUTPUT_VARIABLES
from .outputs import PRIORITIES, build_outputs
from .problems import FalcoChartError, Problem, kind_of, nearest

#: Outputs that post the alert unchanged, and the variable that holds where to.
FORWARDERS = {
    "webhook": "WEBHOOK_ADDRESS",
    "nodered": "NODERED_ADDRESS",
    "tekton": "TEKTON_EVENTLISTENER",
    "n8n": "N8N_ADDRESS",
}
#: Keys of one further instance, with their types.
ENTRY: dict[str, type] = {
    "name": str,
    "outputs": dict,
    "outputs_existing_secret": str,
    "minimum_priority": str,
    "replicas": int,
    "resources": dict,
}
#: Where the client's certificate is mounted in the first Falcosidekick, for mutual TLS to the further ones.
CLIENT_CERTIFICATES = "/etc/certs/client"
PORT = 2801
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,18}[a-z0-9])?")
#: Names that the first instance's own objects have.
_TAKEN = ("ui", "ui-redis", "certs")


def further_name(release_name: str, name: str) -> str:
    """Helm release, Deployment and Service of a further instance."""
    return f"{release_name}-falcosidekick-{name}"


def further_secret(release_name: str, entry: Mapping[str, Any]) -> str:
    """The Secret with an instance's outputs."""
    return entry.get("outputs_existing_secret") or f"{release_name}-outputs-{entry['name']}"


def free_forwarders(settings: Mapping[str, Any]) -> list[str]:
    """Outputs by which the first instance can hand on: those that it does not use for a destination of its own."""
    taken = set(settings["outputs_existing_variables"])
    return [
        output for output, variable in FORWARDERS.items() if output not in settings["outputs"] and variable not in taken
    ]


def wrong_further(settings: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with ``falco_sidekick_more``, names and numbers, outputs included."""
    entries = settings["sidekick_more"]
    if entries and not settings["sidekick_enabled"]:
        yield Problem("falco_sidekick_more", "needs a first Falcosidekick.", "Set falco_sidekick_enabled: true.")
    names: list[Any] = []
    for index, entry in enumerate(entries):
        path = f"falco_sidekick_more[{index}]"
        if not isinstance(entry, Mapping):
            yield Problem(path, f"must be a mapping with name and outputs, not {kind_of(entry)}.")
            continue
        yield from _wrong_keys(entry, path)
        yield from _wrong_name(entry.get("name"), names, f"{path}.name")
        names.append(entry.get("name"))
        yield from _wrong_content(entry, path)
    free = free_forwarders(settings)
    if len(entries) > len(free):
        used = [output for output in FORWARDERS if output not in free]
        hint = f"{', '.join(used)} {'has' if len(used) == 1 else 'have'} a destination of its own" if used else ""
        why = f"; {hint}: give it to a further instance instead." if hint else "."
        yield Problem(
            "falco_sidekick_more",
            f"has {len(entries)} instances, and the first Falcosidekick can feed {len(free)}.",
            f"Each needs one of its outputs {', '.join(FORWARDERS)} for handing on{why}",
        )


def _wrong_keys(entry: Mapping[str, Any], path: str) -> Iterator[Problem]:
    for key, value in entry.items():
        if key not in ENTRY:
            close = nearest(str(key), ENTRY)
            yield Problem(f"{path}.{key}", "is unknown.", f"Did you mean {close}?" if close else "")
        elif not isinstance(value, ENTRY[key]) or isinstance(value, bool):
            yield Problem(f"{path}.{key}", f"must be of type {ENTRY[key].__name__}, not {kind_of(value)}.")


def _wrong_name(name: Any, before: Sequence[Any], path: str) -> Iterator[Problem]:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield Problem(path, f"must be at most 20 small letters, digits and hyphens, not {name!r}.")
    elif name in _TAKEN:
        yield Problem(path, f"{name} is the name of an object of the first Falcosidekick.", "Choose another.")
    elif name in before:
        yield Problem(path, f"{name} is the name of another instance.")


def _wrong_content(entry: Mapping[str, Any], path: str) -> Iterator[Problem]:
    outputs = entry.get("outputs")
    if bool(outputs) == bool(entry.get("outputs_existing_secret")):
        yield Problem(path, "needs outputs or outputs_existing_secret, one of them.")
    if isinstance(outputs, Mapping):
        try:
            build_outputs(outputs, f"{path}.outputs")
        except FalcoChartError as error:
            yield from error.problems
    priority = entry.get("minimum_priority")
    if isinstance(priority, str) and priority and priority.lower() not in PRIORITIES:
        close = nearest(priority, PRIORITIES)
        hint = f"Did you mean {close}?" if close else f"It must be one of {', '.join(PRIORITIES)}."
        yield Problem(f"{path}.minimum_priority", f"is no priority: {priority!r}.", hint)


def forward_environment(settings: Mapping[str, Any]) -> list[dict[str, str]]:
    """Environment by which the first Falcosidekick hands alerts on. It wins over what Secrets say."""
    found: list[dict[str, str]] = []
    scheme = "http" if settings["sidekick_tls"] == "off" else "https"
    for output, entry in zip(free_forwarders(settings), settings["sidekick_more"]):
        url = f"{scheme}://{further_name(settings['release_name'], entry['name'])}:{PORT}"
        variables = {FORWARDERS[output]: url}
        priority = entry.get("minimum_priority") or lowest_priority(entry.get("outputs") or {})
        if priority:
            variables[f"{output.upper()}_MINIMUMPRIORITY"] = priority.lower()
        if settings["sidekick_tls"] == "mutual":
            variables[f"{output.upper()}_MUTUALTLS"] = "true"
        found += [{"name": name, "value": value} for name, value in variables.items()]
    return found


def lowest_priority(outputs: Mapping[str, Any]) -> str:
    """The priority below which none of these outputs sends anything; empty if one of them sends everything."""
    given = [priority for name, settings in outputs.items() for priority in _minimums(name, settings)]
    if not given or "" in given:
        return ""
    return max(given, key=PRIORITIES.index)


def _minimums(output: str, settings: Any) -> Iterator[str]:
    """The minimum of each destination of an output; empty where there is none, or nobody says so."""
    known = [key for key in OUTPUT_VARIABLES.get(output, {}) if key.rsplit(".", 1)[-1] == "minimumpriority"]
    destinations = [key for key in known if "." not in key or key.split(".")[0] in settings]
    if not destinations:
        yield ""
    for key in destinations:
        node: Any = settings
        for part in key.split("."):
            node = node.get(part, "") if isinstance(node, Mapping) else ""
        yield str(node).lower() if str(node).lower() in PRIORITIES else ""
