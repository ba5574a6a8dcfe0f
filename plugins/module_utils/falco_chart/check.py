# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values compared with the defaults of the very chart that is to be installed: unknown keys, changed types.

Helm itself passes any key. A key is known if the chart's values.yaml has it, if one of its templates reads it
(``.Values.a.b``), or, under ``falco``, if Falco's configuration has it (the chart copies that section as it is).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .config_keys import CONFIG_KEYS
from .problems import FalcoChartError, Problem, kind_of, nearest
from .replaced import find_replaced

_READ = re.compile(r"\.Values((?:\.[A-Za-z_][A-Za-z0-9_]*)+)")
_JSON_KINDS = {"string": "", "boolean": False, "integer": 0, "number": 0.0, "array": [], "object": {}}
#: Keys that Helm itself adds to the values of every chart and subchart.
_HELM_KEYS = {"global", "enabled", "tags"}
#: Values whose default has another type than what the templates take as well.
_ANY_SCALAR = {"collectors.kubernetes.collectorPort", "falcosidekick.listenPort", "falcosidekick.webui.ttl"}
#: The same values in a release of Falcosidekick alone.
_ANY_SCALAR |= {path.partition(".")[2] for path in _ANY_SCALAR if path.startswith("falcosidekick.")}


@dataclass(frozen=True)
class Chart:
    """What a chart says about itself.

    Attributes:
      name, version, app_version: of Chart.yaml.
      defaults: parsed values.yaml.
      templates: text of its templates.
      subcharts: unpacked or packed in ``charts/``, by the key under which their values stand.
      missing: dependencies named in Chart.yaml that are not in ``charts/``.
    """

    name: str
    version: str
    app_version: str
    defaults: Mapping[str, Any]
    templates: tuple[str, ...] = ()
    subcharts: Mapping[str, Chart] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def chart_digest(chart: Chart) -> str:
    """A digest of all that the chart renders from: defaults and templates, subcharts included."""
    parts = [json.dumps(chart.defaults, sort_keys=True, default=str), *sorted(chart.templates)]
    parts += [chart_digest(sub) for _name, sub in sorted(chart.subcharts.items())]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def check_values(values: Mapping[str, Any], chart: Chart) -> None:
    """Refuse values that the chart would ignore or stumble over.

    Raises:
      FalcoChartError: all problems, replaced values first.
    """
    # What is old in the chart falco may be right in another one, such as extraVolumes in falcosidekick.
    problems = find_replaced(values) if chart.name == "falco" else []
    explained = {problem.path for problem in problems}
    problems += [p for p in _check_chart(values, chart, "") if not _below(p.path, explained)]
    if problems:
        raise FalcoChartError(problems)


def _check_chart(values: Mapping[str, Any], chart: Chart, prefix: str) -> Iterator[Problem]:
    read = {path for text in chart.templates for path in _READ.findall(text)}
    read = {path[1:] for path in read}
    own = {key: value for key, value in values.items() if key not in chart.subcharts}
    if chart.name == "falco" and not prefix:
        config = own.pop("falco", {})
        if isinstance(config, Mapping):
            yield from _check_config(config, chart)
        else:
            yield Problem("falco", f"must be a mapping, not {kind_of(config)}.")
    yield from _compare(own, chart.defaults, read, prefix, "", chart)
    for key, sub in chart.subcharts.items():
        nested = values.get(key, {})
        if isinstance(nested, Mapping):
            defaults = {**sub.defaults, **(chart.defaults.get(key) or {})}
            known = Chart(sub.name, sub.version, sub.app_version, defaults, sub.templates, sub.subcharts)
            yield from _check_chart(nested, known, f"{prefix}{key}.")
        else:
            yield Problem(f"{prefix}{key}", f"must be a mapping, not {kind_of(nested)}.")


def _check_config(config: Mapping[str, Any], chart: Chart) -> Iterator[Problem]:
    defaults = _merge_known(_kinds_to_defaults(CONFIG_KEYS), chart.defaults.get("falco") or {})
    yield from _compare(config, defaults, set(), "falco.", "", chart)


def _compare(
    values: Mapping[str, Any], defaults: Mapping[str, Any], read: set[str], prefix: str, inner: str, chart: Chart
) -> Iterator[Problem]:
    for key, value in values.items():
        path, dotted = f"{prefix}{key}", f"{inner}{key}"
        if key in defaults:
            yield from _compare_kind(value, defaults[key], read, path, dotted, chart)
        elif not (not inner and key in (_HELM_KEYS | set(chart.missing))) and not _is_read(dotted, read):
            known = {str(k) for k in defaults} | {p[len(inner) :].split(".")[0] for p in read if p.startswith(inner)}
            close = nearest(str(key), known)
            hint = f"Did you mean {prefix}{close}?" if close else f"Known here: {', '.join(sorted(known))}."
            yield Problem(path, f"the chart {chart.name} {chart.version} has no such value.", hint)


def _compare_kind(value: Any, default: Any, read: set[str], path: str, dotted: str, chart: Chart) -> Iterator[Problem]:
    if value is None or default is None:
        return  # null removes a default; a null default says nothing about the type
    if isinstance(default, Mapping) and isinstance(value, Mapping):
        if default:  # an empty mapping is there to be filled freely: labels, resources, selectors
            yield from _compare(value, default, read, f"{path}.", f"{dotted}.", chart)
    elif _family(value) != _family(default) and path not in _ANY_SCALAR:
        yield Problem(path, f"must be {kind_of(default)} as in the chart, not {kind_of(value)}.")


def _is_read(dotted: str, read: set[str]) -> bool:
    return any(path == dotted or path.startswith(f"{dotted}.") for path in read)


def _below(path: str, explained: set[str]) -> bool:
    return path in explained or any(path.startswith(f"{done}.") for done in explained)


def _family(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, Mapping):
        return "mapping"
    return "list" if isinstance(value, (list, tuple)) else "string"


def _kinds_to_defaults(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _kinds_to_defaults(kind) if isinstance(kind, Mapping) else _JSON_KINDS.get(kind)
        for key, kind in tree.items()
    }


def _merge_known(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of both; where both are mappings, of both again. The chart's types win: it is what renders."""
    merged = dict(base)
    for key, value in over.items():
        mine = merged.get(key)
        merged[key] = _merge_known(mine, value) if isinstance(mine, Mapping) and isinstance(value, Mapping) else value
    return merged
