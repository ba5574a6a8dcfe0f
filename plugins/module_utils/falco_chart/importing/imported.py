# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From values to variables: take, leave out what the role would refuse, build again, tell what differs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..chart import Chart
from ..check import check_values
from ..output_settings import OUTPUT_VARIABLES
from ..problems import FalcoChartError, Problem
from ..secret_values import is_secret
from ..settings import DEFAULTS
from ..values import build_values
from .falco import absent_defaults, take_falco
from .older_values import take_old
from .sidekick import take_sidekick
from .taking import ABSENT, Taking

_PREFIX = "falco_extra_values."
_OURS = re.compile(r"\{\{ (vault_falco_\w+) \}\}")
#: Values that count even if they are the chart's default, since the role's is another.
_SAID = (
    "driver.kind",
    "falco.rule_matching",
    "falcoctl.artifact.follow.enabled",
    "falcosidekick.enabled",
    "falcosidekick.webui.enabled",
)
#: What the role sets from Secrets of its own, or by other values, so a difference says nothing.
_SILENT = (
    "collectors.enabled",
    "falco.priority",
    "falco.watch_config_files",
    "falcosidekick.webui.externalRedis.password",
    "falcosidekick.webui.redis.password",
    "falcosidekick.webui.user",
    "namespaceOverride",
)


@dataclass(frozen=True)
class Imported:
    """What came out of values.

    Attributes:
      variables: of the role, by their whole names, without any secret.
      secrets: variables for a vault, to which ``variables`` refer.
      left_out: values that nothing takes and that may be secret, by their path; they belong into the vault, too.
      rules: rules files for the role falco_rules, by name.
      notes: what a reader must know: left out, renamed, other than before. They hold no secret.
      values: what the role builds from the variables.
    """

    variables: Mapping[str, Any]
    secrets: Mapping[str, Any]
    left_out: Mapping[str, Any]
    rules: Mapping[str, str]
    notes: tuple[Problem, ...]
    values: Mapping[str, Any]


def import_values(values: Mapping[str, Any], chart: Chart | None = None) -> Imported:
    """Turns values of the chart falco, 4 to 9, into variables of the role.

    Args:
      values: of a release or a values file.
      chart: that will be installed. What is its default is left out then, and so is what it does not know.
    """
    alone = isinstance(values.get("config"), Mapping) and not {"falco", "falcosidekick", "driver"} & set(values)
    values = {"falcosidekick": {"enabled": True, **values}} if alone else values
    taking = Taking(_without_defaults(values, chart) if chart else values)
    if alone:
        taking.note("config", "is of the chart falcosidekick, so all of it was taken for falcosidekick's values.")
    take_old(taking)
    before = Taking(taking.rest).rest
    take_falco(taking)
    take_sidekick(taking)
    absent_defaults(taking)
    taking.variables = {name: _hide(taking, name, value) for name, value in taking.variables.items()}
    built = _settle(taking, chart)
    if taking.rest:
        taking.variables["falco_extra_values"] = taking.rest
    taking.notes += _differences(before, built, taking)
    return Imported(
        variables=dict(sorted(taking.variables.items())),
        secrets=dict(sorted(taking.secrets.items())),
        left_out=taking.left_out,
        rules=taking.rules,
        notes=tuple(taking.notes),
        values=built,
    )


def _without_defaults(values: Mapping[str, Any], chart: Chart) -> dict[str, Any]:
    """What differs from the chart's defaults; helm get values --all prints all of them."""

    def differing(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
        found = {}
        for key, value in given.items():
            default = defaults.get(key, ABSENT)
            if isinstance(value, Mapping) and isinstance(default, Mapping):
                inner = differing(value, default)
                if inner:
                    found[key] = inner
            elif value != default:
                found[key] = value
        return found

    defaults = dict(chart.defaults)
    for key, sub in chart.subcharts.items():
        defaults[key] = {**sub.defaults, **(defaults.get(key) or {})}
    kept: dict[str, Any] = differing(values, defaults)
    said = Taking(values)
    for path in _SAID:
        value, node = said.look(path), kept
        *parents, last = path.split(".")
        if value is not ABSENT:
            for key in parents:
                node = node.setdefault(key, {})
            node[last] = value
    return kept


def _hide(taking: Taking, name: str, value: Any, key: str = "") -> Any:
    """The value with secrets in it replaced by variables of the vault."""
    if isinstance(value, Mapping):
        return {inner: _hide(taking, f"{name}_{inner}", found, str(inner)) for inner, found in value.items()}
    if isinstance(value, list):
        return [_hide(taking, f"{name}_{index}", found, key) for index, found in enumerate(value)]
    if is_secret(key, value) and not _OURS.fullmatch(str(value)):
        return taking.hide(name[len("falco_") :], value)
    return value


def _settle(taking: Taking, chart: Chart | None) -> dict[str, Any]:
    """What the role builds, after all was left out that it or the chart refuses, each with its reason."""
    while True:
        built = None
        try:
            built = build_values(_settings(taking))
            if chart:
                check_values(built, chart)
            return built
        except FalcoChartError as error:
            if any(_leave_out(taking, problem) for problem in error.problems):
                continue  # with less than before, so that this ends
            if built is None:
                raise
            taking.notes += error.problems  # the role's own values do not fit this chart
            return built


def _settings(taking: Taking) -> dict[str, Any]:
    """As the role gives them, with the secrets where the role has them."""

    def with_secrets(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: with_secrets(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [with_secrets(inner) for inner in value]
        ours = _OURS.fullmatch(value) if isinstance(value, str) else None
        return taking.secrets.get(ours[1], value) if ours else value  # the values may have one of that name themselves

    named = {name[len("falco_") :]: with_secrets(value) for name, value in taking.variables.items()}
    settings = {name: value for name, value in named.items() if name in DEFAULTS}
    return {"own_rules_config_maps": ["falco-own-rules-1"], **settings, "extra_values": taking.rest}


def _leave_out(taking: Taking, problem: Problem) -> bool:
    """Takes what was refused out of the values or variables, and tells why; whether it was among them."""
    path = re.sub(r" \([^()]*\)$", "", problem.path)
    further = path.startswith(_PREFIX)
    path = path[len(_PREFIX) :] if further else path
    variable = re.split(r"[.\[]", path)[0]
    if not further and variable in taking.variables:
        del taking.variables[variable]
        taking.note(variable, f"{problem.message} It was left out.", problem.hint)
        return True
    parts: list[str | int] = [int(index) if index else key for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path)]
    numbers = [position for position, part in enumerate(parts) if isinstance(part, int)]
    if numbers:
        parts = parts[: numbers[0] + 1]  # the entry of a list goes as a whole
    value = _remove(taking.rest, parts)
    if value is ABSENT and further:  # its key has a dot, or is of a kind that no path can name: what holds it goes
        holders = [key for key in taking.rest if f"{path}.".startswith((f"{key}.", f"{key}["))]
        value = taking.rest.pop(max(holders, key=lambda key: len(str(key)))) if holders else ABSENT
    if value is ABSENT:
        return False
    taking.left_out[path] = value
    taking.note(path, f"{problem.message} It was left out.", problem.hint)
    return True


def _remove(node: Any, parts: list[str | int]) -> Any:
    """Takes a value out of nested mappings and lists; those that are empty without it go, too."""
    part = parts[0]
    if isinstance(part, int):
        return node.pop(part) if isinstance(node, list) and part < len(node) else ABSENT
    if not isinstance(node, dict) or part not in node:
        return ABSENT
    if len(parts) == 1:
        return node.pop(part)
    value = _remove(node[part], parts[1:])
    if value is not ABSENT and not node[part]:
        del node[part]
    return value


def _differences(before: Mapping[str, Any], built: Mapping[str, Any], taking: Taking) -> Iterator[Problem]:
    """Values that are other than before, and of which nobody has told yet."""
    told = {re.sub(r"\[.*", "", note.path) for note in taking.notes} | {*_SILENT, "customRules"}
    told |= {f"falcosidekick.config.{name}" for name in OUTPUT_VARIABLES}
    if Taking(built).look("falcoctl.artifact.follow.enabled") in (ABSENT, None, False):
        told.add("falcoctl.config.artifact.follow")  # which nothing reads then
    hidden = {str(value) for value in taking.secrets.values()}
    for keys, value in _ends(before):
        path = ".".join(keys)
        if {".".join(keys[: length + 1]) for length in range(len(keys))} & told or path in taking.left_out:
            continue
        now: Any = built
        for key in keys:
            now = now.get(key, ABSENT) if isinstance(now, Mapping) else ABSENT
        if now is ABSENT:
            if value not in (None, "", False, [], {}):
                yield Problem(path, "is not set any more; the chart's default holds.")
        elif not _same(value, now):
            shown = isinstance(now, (str, int, float)) and not any(secret in str(now) for secret in hidden)
            yield Problem(path, f"is {now!r} now." if shown else "is other than before.")


def _same(value: Any, now: Any) -> bool:
    if isinstance(value, list) and isinstance(now, list):
        return all(entry in now for entry in value)
    return bool(value == now) or str(value) == str(now)


def _ends(node: Any, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from _ends(value, (*keys, str(key)))
    elif keys:
        yield keys, node
