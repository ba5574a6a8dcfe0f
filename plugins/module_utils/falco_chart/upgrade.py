# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of one's values between two versions of the chart falco: removed, deprecated, defaults that changed.

The section `falco` of the values is `falco.yaml`, so the keys that Falco itself dropped between the two count as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .chart_changes import CHART_CHANGES, CHARTS, CONFIG_CHANGES
from .problems import FalcoChartError, Problem

_VERSION = re.compile(r"(?:falco-|v)?(\d+)\.(\d+)\.(\d+)(?:[-+].*)?")
#: The newest chart whose changes are known.
NEWEST = CHARTS[-1][0]


@dataclass(frozen=True)
class ChartStep:
    """One thing to know before the chart is upgraded.

    Attributes:
      path: dotted path of the value; with `=value` where only that value is meant.
      change: removed, deprecated or renamed (the value is yours), or default (it is not).
      chart: the chart that brought it; of a key of falco.yaml, the first chart with that Falco.
      message: what happens.
      hint: what to write; empty where there is nothing to say.
    """

    path: str
    change: str
    chart: str
    message: str
    hint: str = ""

    def to_dict(self) -> dict[str, str]:
        """As plain data."""
        return {name: getattr(self, name) for name in ("path", "change", "chart", "message", "hint")}


def upgrade_steps(values: Mapping[str, Any], old: str, new: str) -> list[ChartStep]:
    """What the charts between two versions changed of values, what is removed first.

    Args:
      values: one's own, as they are given to Helm.
      old: version of the chart that runs, also with its name before it, as Helm tells it.
      new: version of the chart that is asked for.

    Returns:
      The steps; none when the new chart is not newer.

    Raises:
      FalcoChartError: a version is none.
    """
    first, last = _order(old), _order(new)
    steps = [*_of_chart(values, first, last)]
    told = {step.path for step in steps}
    steps += [step for step in _of_config(values, first, last) if step.path not in told]
    order = ("removed", "deprecated", "renamed", "default")
    return sorted(steps, key=lambda step: order.index(step.change))


def beyond(new: str) -> str:
    """What to say of a chart that is newer than all whose changes are known; empty when it is not."""
    if _order(new) <= _order(NEWEST):
        return ""
    return f"chart {new} is newer than {NEWEST}, the newest whose changes are known here"


def _order(version: str) -> tuple[int, ...]:
    match = _VERSION.fullmatch(version.strip())
    if not match:
        raise FalcoChartError([Problem("chart version", f"'{version}' is no version; one looks like {NEWEST}.")])
    return tuple(int(part) for part in match.groups())


def _of_chart(values: Mapping[str, Any], first: tuple[int, ...], last: tuple[int, ...]) -> Iterator[ChartStep]:
    rows = [row for row in CHART_CHANGES if first < _order(row[0]) <= last]
    removed = {key for _chart, key, change, _replacement, _detail in rows if change == "removed"}
    latest = {key: number for number, (_chart, key, change, *_rest) in enumerate(rows) if change == "default"}
    for number, (chart, key, change, replacement, detail) in enumerate(rows):
        hint = f"Use {replacement}." if replacement else ""
        if change == "default":
            if not _is_set(values, key) and latest[key] == number and not _below(key, removed):
                told = [row[4] for row in rows if row[1] == key and row[2] == "default"]
                before = told[0].split(" -> ")[0]
                after = detail.split(" -> ")[-1]
                if before != after:
                    keep = f"Use {replacement} to keep it." if replacement else "Set it to keep what it was."
                    yield ChartStep(key, change, chart, f"its default was {before} and is {after}.", keep)
        elif change == "renamed":
            was = detail.split(" -> ")[0]
            if _is_set(values, f"{key}={was}"):
                yield ChartStep(f"{key}={was}", change, chart, f"the value is called {replacement} now.", hint)
        elif _is_set(values, key) and (change == "removed" or key not in removed):
            words = "is removed" if change == "removed" else "is deprecated"
            yield ChartStep(key, change, chart, f"{words} with chart {chart}{': ' + detail if detail else ''}.", hint)


def _of_config(values: Mapping[str, Any], first: tuple[int, ...], last: tuple[int, ...]) -> Iterator[ChartStep]:
    charts = {falco: chart for chart, falco in reversed(CHARTS)}
    for key, deprecated, removed, replacement in CONFIG_CHANGES:
        path = f"falco.{key}"
        if not _is_set(values, path):
            continue
        # A key of falco.yaml is one word with an underscore; all else is told as it stands.
        is_key = "_" in replacement.split(" ", maxsplit=1)[0]
        hint = f"Use {'falco.' if is_key else ''}{replacement}." if replacement else ""
        for change, falco in (("removed", removed), ("deprecated", deprecated)):
            chart = charts.get(falco)
            if chart and first < _order(chart) <= last:
                yield ChartStep(path, change, chart, f"Falco {falco} {_WORDS[change]}.", hint)
                break


_WORDS = {"removed": "does not read it any more", "deprecated": "deprecates it"}


def _below(key: str, removed: set[str]) -> bool:
    return any(key == one or key.startswith(f"{one}.") for one in removed)


def _is_set(values: Mapping[str, Any], key: str) -> bool:
    """Whether the values have a path, or at that path the value that stands behind the equals sign."""
    path, equals, wanted = key.partition("=")
    node: Any = values
    for part in path.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return False
        node = node[part]
    return node == wanted if equals else True
