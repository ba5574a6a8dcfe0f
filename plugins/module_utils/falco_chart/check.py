# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values compared with the defaults of the very chart that is to be installed: unknown keys, changed types.

Helm itself passes any key. A key is known if the chart's values.yaml has it, if one of its templates reads it
(``.Values.a.b``) or copies what it stands in (``toYaml``), or, under ``falco``, if Falco's configuration has it (the
chart copies that section as it is).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .chart import Chart
from .config_keys import CONFIG_KEYS
from .image_tags import wrong_tags
from .known import KnownValues
from .problems import FalcoChartError, Problem, kind_of
from .replaced import find_replaced
from .templates import Reads, below, read_templates

_JSON_KINDS = {"string": "", "boolean": False, "integer": 0, "number": 0.0, "array": [], "object": {}}
#: Keys that Helm itself adds to the values of every chart and subchart.
_HELM_KEYS = {"global", "enabled", "tags"}
#: Values whose default has another type than what the templates take as well.
_ANY_SCALAR = {"collectors.kubernetes.collectorPort", "falcosidekick.listenPort", "falcosidekick.webui.ttl"}
#: The same values in a release of Falcosidekick alone.
_ANY_SCALAR |= {path.partition(".")[2] for path in _ANY_SCALAR if path.startswith("falcosidekick.")}


def check_values(values: Mapping[str, Any], chart: Chart) -> None:
    """Refuse values that the chart would ignore or stumble over.

    Raises:
      FalcoChartError: all problems, replaced values first.
    """
    # What is old in the chart falco may be right in another one, such as extraVolumes in falcosidekick.
    problems = [*find_replaced(values), *wrong_tags(values, chart)] if chart.name == "falco" else []
    explained = {problem.path for problem in problems}
    found = _Check(chart).problems(values)
    problems += [problem for problem in found if not _below(problem.path, explained)]
    if problems:
        raise FalcoChartError(problems)


class _Check:
    """One comparison of values with a chart, subcharts included."""

    def __init__(self, chart: Chart) -> None:
        self.top = chart
        self.known = KnownValues(chart)

    def problems(self, values: Mapping[str, Any]) -> Iterator[Problem]:
        return self._chart(values, self.top, "", Reads())

    def _chart(self, values: Mapping[str, Any], chart: Chart, prefix: str, from_above: Reads) -> Iterator[Problem]:
        read = _read(chart.templates)
        reads = Reads(read.paths | from_above.paths, read.whole, read.optional)
        own = {key: value for key, value in values.items() if key not in chart.subcharts}
        if chart.name == "falco" and not prefix:
            config = own.pop("falco", {})
            if isinstance(config, Mapping):
                defaults = _merge_known(_kinds_to_defaults(CONFIG_KEYS), chart.defaults.get("falco") or {})
                yield from _Level(self, chart, Reads(), "falco.").compare(config, defaults)
            else:
                yield Problem("falco", f"must be a mapping, not {kind_of(config)}.")
        yield from _Level(self, chart, reads, prefix).compare(own, chart.defaults)
        for key, sub in chart.subcharts.items():
            nested = values.get(key, {})
            if isinstance(nested, Mapping):
                defaults = {**sub.defaults, **(chart.defaults.get(key) or {})}
                known = Chart(sub.name, sub.version, sub.app_version, defaults, sub.templates, sub.subcharts)
                yield from self._chart(nested, known, f"{prefix}{key}.", Reads(set(below(reads.paths, key))))
            else:
                yield Problem(f"{prefix}{key}", f"must be a mapping, not {kind_of(nested)}.")


@functools.lru_cache(maxsize=16)
def _read(templates: tuple[str, ...]) -> Reads:
    """What templates do with values, read once: who checks several values, checks them against the same chart."""
    return read_templates(templates)


@dataclass(frozen=True)
class _Level:
    """Values of one chart (or of Falco's configuration) compared with what is known there.

    Attributes:
      check: of which this is a part.
      chart: whose values these are.
      reads: what its templates do with them.
      prefix: of paths in messages.
    """

    check: _Check
    chart: Chart
    reads: Reads
    prefix: str

    def compare(
        self, values: Mapping[str, Any], defaults: Mapping[str, Any], inner: str = "", copied: bool = False
    ) -> Iterator[Problem]:
        """Problems of these values.

        Args:
          values: given.
          defaults: what the chart has there.
          inner: dotted path inside the chart, with a dot at its end.
          copied: whether a template copies what they stand in.
        """
        for key, value in values.items():
            path, dotted = f"{self.prefix}{inner}{key}", f"{inner}{key}"
            if key in defaults:
                yield from self._kind(value, defaults[key], dotted, copied or dotted in self.reads.whole)
            elif not inner and key in (_HELM_KEYS | set(self.chart.missing)):
                continue
            elif not _is_read(dotted, self.reads.paths):
                siblings = {str(k) for k in defaults} | self._read_at(inner)
                if not copied:
                    hint = self.check.known.hint(path, siblings)
                    yield Problem(path, f"the chart {self.chart.name} {self.chart.version} has no such value.", hint)
                elif self.check.known.misspelt(str(key), siblings):
                    hint = self.check.known.hint(path, siblings)
                    yield Problem(path, "looks like a misspelt one.", hint)

    def _read_at(self, inner: str) -> set[str]:
        paths = below(self.reads.paths, inner[:-1]) if inner else self.reads.paths
        return {path.split(".")[0] for path in paths}

    def _kind(self, value: Any, default: Any, dotted: str, copied: bool) -> Iterator[Problem]:
        path = f"{self.prefix}{dotted}"
        if value is None or default is None:
            return  # null removes a default; a null default says nothing about the type
        if isinstance(default, Mapping) and isinstance(value, Mapping):
            if default:  # an empty mapping is there to be filled freely: labels, resources, selectors
                yield from self.compare(value, default, f"{dotted}.", copied)
            return
        kinds = {_family(value), _family(default)}
        if len(kinds) == 1 or path in _ANY_SCALAR:
            return
        if value == "" and "boolean" not in kinds and dotted in self.reads.optional:
            return  # templates ask first, and skip what is empty
        if not (copied and kinds <= {"string", "number"}):
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
